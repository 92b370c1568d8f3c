package ews_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"roomkiosk/internal/calendar"
	"roomkiosk/internal/calendar/ews"
	"roomkiosk/internal/rooms"
	"roomkiosk/internal/sim"
)

const (
	room1  = "ada@example.com"
	person = "jane@example.com"
)

// stopped is the simulated calendars' clock.
type stopped struct{}

func (stopped) Now() time.Time                    { return time.Date(2026, 11, 23, 9, 10, 0, 0, time.UTC) }
func (stopped) Timer(d time.Duration) *time.Timer { return time.NewTimer(max(d, 0)) }

func berlin(t *testing.T) (z *time.Location, r rooms.Room) {
	t.Helper()
	z, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return z, rooms.Room{ID: "ada", Zone: z, CalendarID: room1}
}

// world is an Exchange with one room on it, and a calendar that reads it.
func world(t *testing.T, cfg sim.EWSConfig, edit ...func(*ews.Config)) (*sim.World, *ews.Calendar) {
	t.Helper()
	w := sim.NewWorld(sim.WorldConfig{Clock: stopped{}, Now: time.Now, EWS: cfg})
	if err := w.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	z, _ := berlin(t)
	w.Calendar.Open(room1, "Ada Lovelace", z)
	return w, client(t, w, edit...)
}

func client(t *testing.T, w *sim.World, edit ...func(*ews.Config)) *ews.Calendar {
	t.Helper()
	user, password := w.EWSCredentials()
	cfg := ews.Config{
		Name: "onprem", URL: w.EWSURL(), User: user, Password: password, Impersonate: true, Now: time.Now,
		Log: slog.New(slog.DiscardHandler), HTTP: &http.Client{Transport: calendar.Transport()},
	}
	for _, f := range edit {
		f(&cfg)
	}
	c, err := ews.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func asDelegate(cfg *ews.Config) { cfg.Impersonate = false }

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
	slices.Sort(out)
	return out
}

func TestSimulatedExchange(t *testing.T) {
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		cfg  sim.EWSConfig
		edit func(*ews.Config)
	}{
		"NTLM":             {sim.EWSConfig{}, func(*ews.Config) {}},
		"NTLM, by address": {sim.EWSConfig{User: "kiosk@example.com"}, func(*ews.Config) {}},
		"Basic":            {sim.EWSConfig{Auth: sim.EWSByBasic}, func(c *ews.Config) { c.Auth = ews.Basic }},
		"delegate":         {sim.EWSConfig{}, asDelegate},
		"old server":       {sim.EWSConfig{Newest: "Exchange2010_SP2"}, func(*ews.Config) {}},
		"few at a time":    {sim.EWSConfig{MaxItems: 3}, func(*ews.Config) {}},
		"few at all":       {sim.EWSConfig{FindLimit: 4}, func(*ews.Config) {}},
		"short views":      {sim.EWSConfig{RangeLimit: 26 * time.Hour}, func(*ews.Config) {}},
		"made in Tokyo":    {sim.EWSConfig{OrganizerZone: tokyo}, func(*ews.Config) {}},
		"raw controls":     {sim.EWSConfig{RawControls: true}, func(*ews.Config) {}},
		"other transport":  {sim.EWSConfig{}, func(c *ews.Config) { c.HTTP = &http.Client{Transport: through{c.HTTP.Transport}} }},
	} {
		t.Run(name, func(t *testing.T) {
			w, c := world(t, tt.cfg, tt.edit)
			w.EWS.Share(room1, sim.Reader)
			z, room := berlin(t)
			day := time.Date(2026, 11, 23, 0, 0, 0, 0, z)
			at := func(hour int) time.Time { return day.Add(time.Duration(hour) * time.Hour) }
			w.Calendar.Put(room1, meeting("plain", at(9)))
			w.Calendar.Put(room1, meeting("declined", at(10), func(e *sim.Event) { e.Attendees[1].Response = sim.Declined }))
			w.Calendar.Put(room1, meeting("cancelled", at(11), func(e *sim.Event) { e.Status = sim.Cancelled }))
			w.Calendar.Put(room1, meeting("free", at(12), func(e *sim.Event) { e.Transparent = true }))
			w.Calendar.Put(room1, meeting("secret", at(13), func(e *sim.Event) { e.Visibility = sim.Private }))
			w.Calendar.Put(room1, meeting("perhaps", at(14), func(e *sim.Event) { e.Attendees[1].Response = sim.NeedsAction }))
			w.Calendar.Put(room1, meeting("own", at(15), func(e *sim.Event) { e.Organizer, e.Attendees = sim.Person{}, nil }))
			w.Calendar.Put(room1, meeting("control", at(16), func(e *sim.Event) { e.Title = "con\x1ftrol\x00 <&>" }))
			w.Calendar.Put(room1, meeting("untitled", at(17), func(e *sim.Event) { e.Title = "" }))
			w.Calendar.Put(room1, sim.Event{ID: "days", Title: "days", StartDate: "2026-11-24", EndDate: "2026-11-25"})
			want := []string{
				"00:00 days all-day", "09:00 plain Jane Doe", "13:00 private", "14:00 perhaps Jane Doe tentative", "15:00 own",
				"16:00 control <&> Jane Doe", "17:00 Jane Doe",
			}
			for range 2 {
				read, err := c.Read(context.Background(), room, day, day.AddDate(0, 0, 2))
				if err != nil {
					t.Fatal(err)
				}
				if got := brief(read, z); !slices.Equal(got, want) {
					t.Errorf("got %q, want %q", got, want)
				}
			}
		})
	}
}

// through is a transport that can't be copied.
type through struct{ http.RoundTripper }

func TestExchangeDefaults(t *testing.T) {
	w, c := world(t, sim.EWSConfig{})
	z, room := berlin(t)
	day := time.Date(2026, 11, 23, 0, 0, 0, 0, z)
	w.Calendar.Put(room1, meeting("secret", day.Add(9*time.Hour), func(e *sim.Event) { e.Visibility = sim.Private }))
	w.EWS.SetExchangeDefaults(room1, true)
	read, err := c.Read(context.Background(), room, day, day.AddDate(0, 0, 1))
	if got := brief(read, z); err != nil || !slices.Equal(got, []string{"09:00 Jane Doe"}) {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestSignInOnce: a handshake is three requests, and then the connection is good for any number.
func TestSignInOnce(t *testing.T) {
	w, c := world(t, sim.EWSConfig{})
	z, room := berlin(t)
	day := time.Date(2026, 11, 23, 0, 0, 0, 0, z)
	read := func() error { _, err := c.Read(context.Background(), room, day, day.AddDate(0, 0, 1)); return err }
	for range 5 {
		if err := read(); err != nil {
			t.Fatal(err)
		}
	}
	statuses := ""
	for _, r := range w.EWS.Requests() {
		statuses += fmt.Sprint(r.Status, " ")
	}
	if statuses != "401 401 200 200 200 200 200 " {
		t.Errorf("got %s", statuses)
	}
}

// TestManyRoomsAtOnce: no handshake gets in the way of another.
func TestManyRoomsAtOnce(t *testing.T) {
	w, c := world(t, sim.EWSConfig{})
	z, room := berlin(t)
	day := time.Date(2026, 11, 23, 0, 0, 0, 0, z)
	var all sync.WaitGroup
	for i := range 40 {
		r := room
		r.CalendarID = fmt.Sprintf("room%d@example.com", i)
		w.Calendar.Put(r.CalendarID, meeting(r.CalendarID, day.Add(9*time.Hour)))
		all.Go(func() {
			for range 5 {
				read, err := c.Read(context.Background(), r, day, day.AddDate(0, 0, 1))
				if err != nil || len(read) != 1 || read[0].Title != r.CalendarID {
					t.Errorf("%s: got %v, %v", r.CalendarID, read, err)
				}
			}
		})
	}
	all.Wait()
	refused := 0
	for _, r := range w.EWS.Requests() {
		if r.Status == http.StatusUnauthorized {
			refused++
		}
	}
	if refused > 8 {
		t.Errorf("%d times 401: four connections need two each", refused)
	}
}

func wantFault(t *testing.T, err error, kind rooms.FaultKind, detail string) {
	t.Helper()
	var fault *rooms.Fault
	if !errors.As(err, &fault) || fault.Kind != kind || !strings.Contains(fault.Detail, detail) {
		t.Errorf("got %v, want %s with %q", err, kind, detail)
	}
}

func TestSimulatedAccounts(t *testing.T) {
	w, c := world(t, sim.EWSConfig{})
	z, room := berlin(t)
	day := time.Date(2026, 11, 23, 0, 0, 0, 0, z)
	read := func(c *ews.Calendar, room rooms.Room) error {
		_, err := c.Read(context.Background(), room, day, day.AddDate(0, 0, 1))
		return err
	}
	wrong := client(t, w, func(c *ews.Config) { c.Password = "wrong" })
	wantFault(t, read(wrong, room), rooms.FaultCredentials, "password")
	domain := client(t, w, func(c *ews.Config) { c.User = `OTHER\kiosk` })
	wantFault(t, read(domain, room), rooms.FaultCredentials, "DOMAIN")
	lower := client(t, w, func(c *ews.Config) { c.User = `example\KIOSK` })
	if err := read(lower, room); err != nil {
		t.Errorf("case of names: %v", err)
	}
	wantFault(t, read(client(t, w, func(c *ews.Config) { c.Auth = ews.Basic }), room), rooms.FaultCredentials, `"ntlm"`)

	stranger := room
	stranger.CalendarID = "nobody@example.com"
	wantFault(t, read(c, stranger), rooms.FaultNotFound, "ErrorNonExistentMailbox")
	w.EWS.SetImpersonation(false)
	wantFault(t, read(c, room), rooms.FaultPermission, "ApplicationImpersonation")

	delegate := client(t, w, asDelegate)
	wantFault(t, read(delegate, room), rooms.FaultPermission, "Add-MailboxFolderPermission")
	wantFault(t, delegate.CanEnd(context.Background(), room), rooms.FaultPermission, "Reviewer")
	wantFault(t, read(delegate, stranger), rooms.FaultNotFound, "ErrorNonExistentMailbox")
	w.EWS.Share(room1, sim.Reader)
	if err := read(delegate, room); err != nil {
		t.Error(err)
	}
	wantFault(t, delegate.CanEnd(context.Background(), room), rooms.FaultPermission, "AccessRights Editor")
	w.EWS.Share(room1, sim.Writer)
	if err := delegate.CanEnd(context.Background(), room); err != nil {
		t.Error(err)
	}
	w.EWS.SetPassword("another")
	if err := read(delegate, room); err != nil {
		t.Errorf("on a connection that is signed in: %v", err)
	}
	wantFault(t, read(client(t, w), room), rooms.FaultPermission, "ErrorImpersonateUserDenied")
}

func TestSimulatedFaults(t *testing.T) {
	w, c := world(t, sim.EWSConfig{})
	z, room := berlin(t)
	day := time.Date(2026, 11, 23, 0, 0, 0, 0, z)
	read := func() error {
		_, err := c.Read(context.Background(), room, day, day.AddDate(0, 0, 2))
		return err
	}
	for name, tt := range map[string]struct {
		fault sim.Fault
		kind  rooms.FaultKind
		wait  time.Duration
	}{
		"down":         {sim.Fault{Down: true}, rooms.FaultUnreachable, 0},
		"unauthorized": {sim.Fault{Unauthorized: true}, rooms.FaultCredentials, 0},
		"busy":         {sim.EWSBusy(297749 * time.Millisecond), rooms.FaultThrottled, 297749 * time.Millisecond},
		"busy, no end": {sim.EWSBusy(0), rooms.FaultThrottled, 0},
		"moving":       {sim.EWSFault("ErrorMailboxMoveInProgress"), rooms.FaultTrouble, 0},
		"403":          {sim.Fault{Status: 403}, rooms.FaultPermission, 0},
		"404":          {sim.Fault{Status: 404}, rooms.FaultBadAnswer, 0},
		"500":          {sim.Fault{Status: 500}, rooms.FaultTrouble, 0},
		"503":          {sim.Fault{Status: 503}, rooms.FaultTrouble, 0},
		"cut":          {sim.Fault{Malformed: true}, rooms.FaultBadAnswer, 0},
		"huge":         {sim.Fault{Huge: 9 << 20}, rooms.FaultBadAnswer, 0},
		"empty":        {sim.Fault{Empty: true}, rooms.FaultBadAnswer, 0},
		"hollow":       {sim.Fault{Hollow: true}, rooms.FaultBadAnswer, 0},
		"page":         {sim.Fault{HTML: true}, rooms.FaultBadAnswer, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w.EWS.Faults().Set(name, tt.fault)
			err := read()
			wantFault(t, err, tt.kind, "")
			if f := rooms.FaultOf(err); f.RetryAfter != tt.wait {
				t.Errorf("retry after %v", f.RetryAfter)
			}
			w.EWS.Faults().ClearAll()
			if err := read(); err != nil {
				t.Errorf("mended: %v", err)
			}
		})
	}
	elsewhere := client(t, w, func(c *ews.Config) { c.URL = strings.TrimSuffix(c.URL, "EWS/Exchange.asmx") })
	_, err := elsewhere.Read(context.Background(), room, day, day.AddDate(0, 0, 2))
	wantFault(t, err, rooms.FaultBadAnswer, "/EWS/Exchange.asmx")
}

func TestSimulatedEnd(t *testing.T) {
	for name, edit := range map[string]func(*ews.Config){"impersonating": func(*ews.Config) {}, "as a delegate": asDelegate} {
		t.Run(name, func(t *testing.T) {
			w, c := world(t, sim.EWSConfig{StrictKeys: true}, edit)
			w.EWS.Share(room1, sim.Writer)
			z, room := berlin(t)
			day := time.Date(2026, 11, 23, 0, 0, 0, 0, z)
			at := day.Add(10*time.Hour + 10*time.Minute)
			w.Calendar.Put(room1, meeting("theirs", day.Add(10*time.Hour)))
			own := func(e *sim.Event) { e.Organizer, e.Attendees = sim.Person{}, nil }
			w.Calendar.Put(room1, meeting("own", day.Add(10*time.Hour), own))
			w.Calendar.Put(room1, meeting("a-whole_day", day, own, func(e *sim.Event) {
				e.Start, e.End, e.StartDate, e.EndDate = time.Time{}, time.Time{}, "2026-11-23", "2026-11-24"
			}))
			read := func() []rooms.Reservation {
				t.Helper()
				all, err := c.Read(context.Background(), room, at, day.AddDate(0, 0, 1))
				if err != nil {
					t.Fatal(err)
				}
				return all
			}
			before := read()
			if len(before) != 3 {
				t.Fatalf("got %q", brief(before, z))
			}
			// Edited meanwhile: the change keys that are known are stale, and must not matter.
			for _, e := range w.Calendar.Events(room1) {
				w.Calendar.Change(room1, e.ID, func(*sim.Event) {})
			}
			for range 2 {
				for _, r := range before {
					if err := c.End(context.Background(), room, r.Ref, at); err != nil {
						t.Errorf("%s: %v", r.Title, err)
					}
				}
			}
			if after := read(); len(after) != 0 {
				t.Errorf("got %q", brief(after, z))
			}
			if _, there := w.Calendar.Event(room1, "theirs"); there {
				t.Error("a declined meeting is still there")
			}
			for _, id := range []string{"own", "a-whole_day"} {
				if e, _ := w.Calendar.Event(room1, id); !e.End.Equal(at) || e.AllDay() {
					t.Errorf("%s: %+v", id, e)
				}
			}
			theirs := slices.IndexFunc(before, func(r rooms.Reservation) bool { return r.Title == "theirs" })
			_, err := c.Lookup(context.Background(), room, before[theirs].Ref)
			wantFault(t, err, rooms.FaultNotFound, "")
		})
	}
}

func TestSimulatedEndConflict(t *testing.T) {
	w, c := world(t, sim.EWSConfig{})
	z, room := berlin(t)
	start := time.Date(2026, 11, 23, 10, 0, 0, 0, z)
	e := w.Calendar.Put(room1, meeting("m", start, func(e *sim.Event) { e.Organizer = sim.Person{Email: room1} }))
	ref := rooms.EventRef{EventID: e.ExchangeID(), ChangeKey: e.ExchangeChangeKey(), ResourceEmail: room1}
	w.EWS.Refuse("UpdateItem", "ErrorIrresolvableConflict", 2)
	wantFault(t, c.End(context.Background(), room, ref, start.Add(time.Minute)), rooms.FaultTrouble, "ErrorIrresolvableConflict")
	w.EWS.Refuse("UpdateItem", "ErrorStaleObject", 1)
	if err := c.End(context.Background(), room, ref, start.Add(time.Minute)); err != nil {
		t.Error(err)
	}
	if e, _ := w.Calendar.Event(room1, "m"); !e.End.Equal(start.Add(time.Minute)) {
		t.Errorf("ends at %v", e.End)
	}
	w.EWS.Share(room1, sim.Reader)
	wantFault(t, client(t, w, asDelegate).End(context.Background(), room, ref, start.Add(time.Second)), rooms.FaultPermission, "ErrorAccessDenied")
}

// TestZoomTakesTheIDs: what is read is what Zoom wants for a room on Exchange.
func TestZoomTakesTheIDs(t *testing.T) {
	w, c := world(t, sim.EWSConfig{})
	z, room := berlin(t)
	start := time.Date(2026, 11, 23, 10, 0, 0, 0, z)
	e := w.Calendar.Put(room1, meeting("AAMkADQx-_A=", start))
	read, err := c.Read(context.Background(), room, start, start.Add(time.Hour))
	if err != nil || len(read) != 1 {
		t.Fatalf("got %v, %v", read, err)
	}
	want := rooms.EventRef{EventID: "AAMkADQx/+A=", ChangeKey: e.ExchangeChangeKey(), ResourceEmail: room1}
	found, err := c.Lookup(context.Background(), room, read[0].Ref)
	if read[0].Ref != want || err != nil || found != read[0] || !strings.HasPrefix(want.ChangeKey, "DwAAABYAAA") {
		t.Errorf("got %+v and %+v, %v, want %+v", read[0], found, err, want)
	}
}
