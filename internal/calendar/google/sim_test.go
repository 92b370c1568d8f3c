package google_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"roomkiosk/internal/calendar"
	"roomkiosk/internal/calendar/google"
	"roomkiosk/internal/rooms"
	"roomkiosk/internal/sim"
)

const (
	room1  = "c_1@resource.calendar.google.com"
	person = "jane@example.com"
)

// stopped is the simulated calendars' clock. It stands still: their listings carry the time.
type stopped struct{}

func (stopped) Now() time.Time                    { return time.Date(2026, 11, 23, 7, 0, 0, 0, time.UTC) }
func (stopped) Timer(d time.Duration) *time.Timer { return time.NewTimer(max(d, 0)) }

func berlin(t *testing.T) (z *time.Location, r rooms.Room) {
	t.Helper()
	z, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return z, rooms.Room{ID: "ada", Zone: z, CalendarID: room1}
}

// world is a Google with one room on it, and a calendar that reads it.
func world(t *testing.T, delegate string, delegates ...string) (*sim.World, sim.ServiceAccount, *google.Calendar) {
	t.Helper()
	return worldWith(t, func(cfg *google.Config) { cfg.Delegate = delegate }, delegates...)
}

func worldWith(t *testing.T, edit func(*google.Config), delegates ...string) (*sim.World, sim.ServiceAccount, *google.Calendar) {
	t.Helper()
	w := sim.NewWorld(sim.WorldConfig{Clock: stopped{}, Now: time.Now})
	if err := w.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	z, _ := berlin(t)
	w.Calendar.Open(room1, "Ada Lovelace", z)
	account, err := w.Google.NewServiceAccount(w.GoogleTokenURL(), delegates...)
	if err != nil {
		t.Fatal(err)
	}
	transport := calendar.Transport()
	t.Cleanup(transport.CloseIdleConnections)
	cfg := google.Config{
		Name: "google", CredentialsJSON: account.JSON, URL: w.GoogleURL(), Now: time.Now,
		Log: slog.New(slog.DiscardHandler),
	}
	cfg.HTTP = &http.Client{Transport: transport}
	edit(&cfg)
	c, err := google.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return w, account, c
}

func meeting(id string, start time.Time, edit ...func(*sim.Event)) sim.Event {
	e := sim.Event{
		ID: id, Title: id, Organizer: sim.Person{Name: "Jane Doe", Email: person}, Start: start, End: start.Add(30 * time.Minute),
		Attendees: []sim.Attendee{
			{Person: sim.Person{Email: person}, Response: sim.Accepted},
			{Person: sim.Person{Email: room1}, Self: true, Resource: true, Response: sim.Accepted},
		},
	}
	for _, f := range edit {
		f(&e)
	}
	return e
}

func TestSimulatedGoogle(t *testing.T) {
	w, account, c := world(t, "")
	w.Google.Share(room1, account.Email, sim.Writer)
	z, room := berlin(t)
	day := time.Date(2026, 11, 23, 0, 0, 0, 0, z)
	at := func(hour int) time.Time { return day.Add(time.Duration(hour) * time.Hour) }
	w.Calendar.Put(room1, meeting("plain", at(9)))
	w.Calendar.Put(room1, meeting("declined", at(10), func(e *sim.Event) { e.Attendees[1].Response = sim.Declined }))
	w.Calendar.Put(room1, meeting("cancelled", at(11), func(e *sim.Event) { e.Status = sim.Cancelled }))
	w.Calendar.Put(room1, meeting("free", at(12), func(e *sim.Event) { e.Transparent = true }))
	w.Calendar.Put(room1, meeting("secret", at(13), func(e *sim.Event) { e.Visibility = sim.Private }))
	w.Calendar.Put(room1, meeting("perhaps", at(14), func(e *sim.Event) { e.Attendees[1].Response = sim.NeedsAction }))
	w.Calendar.Put(room1, meeting("own booking", at(15), func(e *sim.Event) {
		e.Organizer = sim.Person{Name: "", Email: room1}
		e.Attendees = nil
	}))
	w.Calendar.Put(room1, sim.Event{ID: "whole day", Title: "whole day", StartDate: "2026-11-24", EndDate: "2026-11-25"})
	want := []string{
		"09:00 plain Jane Doe", "13:00 private", "14:00 perhaps Jane Doe tentative", "15:00 own booking", "00:00 whole day all-day",
	}
	for _, paging := range []struct {
		size  int
		empty bool
	}{{0, false}, {0, false}, {1, false}, {2, true}, {0, true}} {
		w.Google.SetPaging(paging.size, paging.empty)
		read, err := c.Read(context.Background(), room, day, day.AddDate(0, 0, 2))
		if err != nil {
			t.Fatalf("%+v: %v", paging, err)
		}
		if got := brief(read, z); !slices.Equal(got, want) {
			t.Errorf("%+v: got %q, want %q", paging, got, want)
		}
	}
	if !slices.ContainsFunc(w.Google.Requests(), func(r sim.Request) bool { return r.Status == 304 }) {
		t.Error("no conditional request was answered with 304")
	}
}

func brief(read []rooms.Reservation, z *time.Location) []string {
	var out []string
	for _, r := range read {
		words := []string{r.Start.In(z).Format("15:04"), r.Title, r.Organizer}
		for flag, up := range map[string]bool{"all-day": r.AllDay, "private": r.Private, "tentative": r.Tentative} {
			if up {
				words = append(words, flag)
			}
		}
		out = append(out, strings.Join(slices.DeleteFunc(words, func(s string) bool { return s == "" }), " "))
	}
	return out
}

func TestSimulatedChange(t *testing.T) {
	w, account, c := world(t, "")
	w.Google.Share(room1, account.Email, sim.Writer)
	z, room := berlin(t)
	day := time.Date(2026, 11, 23, 0, 0, 0, 0, z)
	start := day.Add(9 * time.Hour)
	w.Calendar.Put(room1, meeting("m", start))
	read := func() rooms.Reservation {
		t.Helper()
		all, err := c.Read(context.Background(), room, day, day.AddDate(0, 0, 1))
		if err != nil || len(all) != 1 {
			t.Fatalf("got %v, %v", all, err)
		}
		found, err := c.Lookup(context.Background(), room, all[0].Ref)
		if err != nil || found != all[0] {
			t.Errorf("looked up %+v, %v, listed %+v", found, err, all[0])
		}
		return all[0]
	}
	before := read()
	w.Calendar.End(room1, "m", start.Add(10*time.Minute))
	after := read()
	if before.ID != after.ID || !after.End.Equal(start.Add(10*time.Minute)) {
		t.Errorf("from %+v to %+v", before, after)
	}
	w.Calendar.Cancel(room1, "m")
	_, err := c.Lookup(context.Background(), room, after.Ref)
	wantFault(t, err, rooms.FaultNotFound)
	w.Calendar.Remove(room1, "m")
	_, err = c.Lookup(context.Background(), room, after.Ref)
	wantFault(t, err, rooms.FaultNotFound)
	all, err := c.Read(context.Background(), room, day, day.AddDate(0, 0, 1))
	if err != nil || len(all) != 0 {
		t.Errorf("got %v, %v", all, err)
	}
}

func wantFault(t *testing.T, err error, kind rooms.FaultKind) {
	t.Helper()
	var fault *rooms.Fault
	if !errors.As(err, &fault) || fault.Kind != kind {
		t.Errorf("got %v, want %s", err, kind)
	}
}

func TestSimulatedFaults(t *testing.T) {
	w, account, c := world(t, "")
	z, room := berlin(t)
	day := time.Date(2026, 11, 23, 0, 0, 0, 0, z)
	read := func() error {
		_, err := c.Read(context.Background(), room, day, day.AddDate(0, 0, 2))
		return err
	}
	wantFault(t, read(), rooms.FaultNotFound) // not shared
	w.Google.Share(room1, account.Email, sim.Reader)
	if err := read(); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		fault sim.Fault
		kind  rooms.FaultKind
	}{
		"down":         {sim.Fault{Down: true}, rooms.FaultUnreachable},
		"unauthorized": {sim.Fault{Unauthorized: true}, rooms.FaultCredentials},
		"403":          {sim.Fault{Status: 403, Path: "/calendars/"}, rooms.FaultThrottled},
		"429":          {sim.Fault{Status: 429, Path: "/calendars/"}, rooms.FaultThrottled},
		"500":          {sim.Fault{Status: 500}, rooms.FaultTrouble},
		"cut":          {sim.Fault{Malformed: true, Path: "/calendars/"}, rooms.FaultBadAnswer},
		"huge":         {sim.Fault{Huge: 9 << 20, Path: "/calendars/"}, rooms.FaultBadAnswer},
		"empty":        {sim.Fault{Empty: true, Path: "/calendars/"}, rooms.FaultBadAnswer},
		"hollow":       {sim.Fault{Hollow: true}, rooms.FaultBadAnswer},
		"page":         {sim.Fault{HTML: true}, rooms.FaultBadAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			// A change, so that there is an answer to spoil and not only "not modified".
			w.Calendar.Put(room1, meeting("m", day.Add(9*time.Hour)))
			w.Google.Faults().Set(name, tt.fault)
			wantFault(t, read(), tt.kind)
			w.Google.Faults().ClearAll()
			if err := read(); err != nil {
				t.Errorf("mended: %v", err)
			}
		})
	}
	w.Google.ExpireTokens()
	if err := read(); err != nil {
		t.Errorf("with an expired token: %v", err)
	}
}

func TestSimulatedDelegation(t *testing.T) {
	z, room := berlin(t)
	day := time.Date(2026, 11, 23, 0, 0, 0, 0, z)
	w, _, c := world(t, person, person)
	w.Google.Share(room1, person, sim.Writer)
	if _, err := c.Read(context.Background(), room, day, day.AddDate(0, 0, 2)); err != nil {
		t.Error(err)
	}
	_, _, c = world(t, person)
	_, err := c.Read(context.Background(), room, day, day.AddDate(0, 0, 2))
	wantFault(t, err, rooms.FaultCredentials)
}
