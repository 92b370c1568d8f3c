package graph_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"roomkiosk/internal/calendar"
	"roomkiosk/internal/calendar/graph"
	"roomkiosk/internal/rooms"
	"roomkiosk/internal/sim"
)

const (
	mailbox = "ada@example.com"
	person  = "jane@example.com"
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
	return z, rooms.Room{ID: "ada", Zone: z, CalendarID: mailbox}
}

// world is a Graph with one room on it, and a calendar that reads it.
func world(t *testing.T, edit ...func(*graph.Config)) (*sim.World, *graph.Calendar) {
	t.Helper()
	w := sim.NewWorld(sim.WorldConfig{Clock: stopped{}, Now: time.Now})
	if err := w.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	z, _ := berlin(t)
	w.Calendar.Open(mailbox, "Ada Lovelace", z)
	transport := calendar.Transport()
	transport.MaxIdleConnsPerHost = 0
	t.Cleanup(transport.CloseIdleConnections)
	tenant, client, secret := w.GraphCredentials()
	cfg := graph.Config{
		Name: "exchange", TenantID: tenant, ClientID: client, ClientSecret: secret, URL: w.GraphURL(), TokenURL: w.GraphTokenURL(),
		HTTP: &http.Client{Transport: transport}, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	}
	for _, f := range edit {
		f(&cfg)
	}
	c, err := graph.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return w, c
}

func meeting(id string, start time.Time, edit ...func(*sim.Event)) sim.Event {
	e := sim.Event{
		ID: id, Title: id, Organizer: sim.Person{Name: "Jane Doe", Email: person}, Start: start, End: start.Add(30 * time.Minute),
		Attendees: []sim.Attendee{
			{Person: sim.Person{Email: person}, Response: sim.Accepted},
			{Person: sim.Person{Email: mailbox}, Self: true, Resource: true, Response: sim.Accepted},
		},
	}
	for _, f := range edit {
		f(&e)
	}
	return e
}

func ofTheRoom(e *sim.Event) { e.Organizer, e.Attendees = sim.Person{Name: "Ada", Email: mailbox}, nil }

func TestSimulatedGraph(t *testing.T) {
	w, c := world(t)
	z, room := berlin(t)
	day := time.Date(2026, 11, 23, 0, 0, 0, 0, z)
	at := func(hour int) time.Time { return day.Add(time.Duration(hour) * time.Hour) }
	for _, e := range []sim.Event{
		meeting("plain", at(9)),
		meeting("declined", at(10), func(e *sim.Event) { e.Attendees[1].Response = sim.Declined }),
		meeting("cancelled", at(11), func(e *sim.Event) { e.Status = sim.Cancelled }),
		meeting("free", at(12), func(e *sim.Event) { e.Transparent = true }),
		meeting("secret", at(13), func(e *sim.Event) { e.Visibility = sim.Private }),
		meeting("perhaps", at(14), func(e *sim.Event) { e.Attendees[1].Response = sim.NeedsAction }),
		meeting("own-booking_=", at(15), ofTheRoom),
		meeting("s1", at(16), func(e *sim.Event) { e.Series, e.OriginalStart = "s", at(17) }),
		{ID: "whole", Title: "whole day", StartDate: "2026-11-24", EndDate: "2026-11-25"},
		{ID: "yesterday", Title: "yesterday", StartDate: "2026-11-22", EndDate: "2026-11-23"},
	} {
		w.Calendar.Put(mailbox, e)
	}
	want := []string{
		"09:00 plain Jane Doe", "13:00 private", "14:00 perhaps Jane Doe tentative", "15:00 own-booking_=", "16:00 s1 Jane Doe", "00:00 whole day all-day",
	}
	for _, paging := range []struct {
		size  int
		empty bool
	}{{0, false}, {0, false}, {1, false}, {2, true}, {0, true}, {1, true}} {
		w.Graph.SetPaging(paging.size, paging.empty)
		read, err := c.Read(context.Background(), room, day, day.AddDate(0, 0, 2))
		if err != nil {
			t.Fatalf("%+v: %v", paging, err)
		}
		if got := brief(read, z); !slices.Equal(got, want) {
			t.Errorf("%+v: got %q, want %q", paging, got, want)
		}
		checkIDs(t, w, read)
	}
	ids := map[string]bool{}
	for _, r := range w.Graph.Requests()[1:] {
		id := r.Header.Get("Client-Request-Id")
		if r.Header.Get("Prefer") != `outlook.timezone="UTC"` || len(id) != 36 || ids[id] {
			t.Errorf("%s: %v", r.Path, r.Header)
		}
		ids[id] = true
	}
}

// checkIDs: the ids that would be told to Zoom, after their conversion, are those that Zoom knows.
func checkIDs(t *testing.T, w *sim.World, read []rooms.Reservation) {
	t.Helper()
	for _, r := range read {
		e, ok := w.Calendar.Event(mailbox, r.Ref.EventID)
		if !ok || r.Ref != (rooms.EventRef{EventID: e.ID, ChangeKey: e.ChangeKey(), ResourceEmail: mailbox}) {
			t.Errorf("%+v is no event", r.Ref)
		}
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

// TestSimulatedExchangeDefaults: the organizer is shown once, and the room's own booking as it is.
func TestSimulatedExchangeDefaults(t *testing.T) {
	w, c := world(t)
	z, room := berlin(t)
	day := time.Date(2026, 11, 23, 0, 0, 0, 0, z)
	w.Graph.SetExchangeDefaults(mailbox, true)
	w.Calendar.Put(mailbox, meeting("weekly", day.Add(9*time.Hour)))
	w.Calendar.Put(mailbox, meeting("secret", day.Add(10*time.Hour), func(e *sim.Event) { e.Visibility = sim.Private }))
	w.Calendar.Put(mailbox, meeting("own", day.Add(11*time.Hour), ofTheRoom))
	read, err := c.Read(context.Background(), room, day, day.AddDate(0, 0, 1))
	if got := brief(read, z); err != nil || !slices.Equal(got, []string{"09:00 Jane Doe", "10:00 Jane Doe", "11:00 own"}) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestSimulatedChange(t *testing.T) {
	w, c := world(t)
	z, room := berlin(t)
	day := time.Date(2026, 11, 23, 0, 0, 0, 0, z)
	start := day.Add(9 * time.Hour)
	w.Calendar.Put(mailbox, meeting("m-_=", start))
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
	w.Calendar.End(mailbox, "m-_=", start.Add(10*time.Minute))
	after := read()
	if before.ID != after.ID || !after.End.Equal(start.Add(10*time.Minute)) || before.Ref.ChangeKey == after.Ref.ChangeKey {
		t.Errorf("from %+v to %+v", before, after)
	}
	w.Calendar.Cancel(mailbox, "m-_=")
	_, err := c.Lookup(context.Background(), room, after.Ref)
	wantFault(t, err, rooms.FaultNotFound)
	w.Calendar.Remove(mailbox, "m-_=")
	_, err = c.Lookup(context.Background(), room, after.Ref)
	wantFault(t, err, rooms.FaultNotFound)
	all, err := c.Read(context.Background(), room, day, day.AddDate(0, 0, 1))
	if err != nil || len(all) != 0 {
		t.Errorf("got %v, %v", all, err)
	}
}

// TestSimulatedEnd: what the room organized is shortened, what it was invited to is declined.
func TestSimulatedEnd(t *testing.T) {
	w, c := world(t)
	z, room := berlin(t)
	day := time.Date(2026, 11, 23, 0, 0, 0, 0, z)
	now := day.Add(9*time.Hour + 10*time.Minute)
	w.Calendar.Put(mailbox, meeting("own", day.Add(9*time.Hour), ofTheRoom))
	w.Calendar.Put(mailbox, meeting("theirs", day.Add(9*time.Hour), func(e *sim.Event) { e.Series = "s" }))
	w.Calendar.Put(mailbox, meeting("later", day.Add(12*time.Hour), ofTheRoom))
	w.Calendar.Put(mailbox, sim.Event{ID: "whole", StartDate: "2026-11-23", EndDate: "2026-11-24"})
	for range 2 { // it is safe to repeat
		for _, id := range []string{"own", "theirs", "later", "whole", "never there"} {
			if err := c.End(context.Background(), room, rooms.EventRef{EventID: id, ChangeKey: "stale"}, now); err != nil {
				t.Errorf("%s: %v", id, err)
			}
		}
	}
	own, _ := w.Calendar.Event(mailbox, "own")
	if !own.End.Equal(now) || own.Version != 2 {
		t.Errorf("ends at %v, version %d", own.End, own.Version)
	}
	if later, _ := w.Calendar.Event(mailbox, "later"); !later.End.Equal(later.Start) || !later.Start.Equal(day.Add(12*time.Hour)) {
		t.Errorf("from %v to %v", later.Start, later.End)
	}
	if whole, _ := w.Calendar.Event(mailbox, "whole"); whole.AllDay() || !whole.Start.Equal(day) || !whole.End.Equal(now) {
		t.Errorf("from %v to %v", whole.Start, whole.End)
	}
	if _, still := w.Calendar.Event(mailbox, "theirs"); still {
		t.Error("not declined")
	}
	i := slices.IndexFunc(w.Graph.Requests(), func(r sim.Request) bool {
		return r.Method == "POST" && strings.HasSuffix(r.Path, "/events/theirs/decline")
	})
	if i < 0 || w.Graph.Requests()[i].Body["sendResponse"] != true || w.Graph.Requests()[i].Status != 202 {
		t.Error("the organizer isn't told")
	}
}

// TestSimulatedConflict: another change between reading and writing.
func TestSimulatedConflict(t *testing.T) {
	w, c := world(t)
	z, room := berlin(t)
	start := time.Date(2026, 11, 23, 9, 0, 0, 0, z)
	w.Calendar.Put(mailbox, meeting("own", start, ofTheRoom))
	w.Graph.Faults().Set("conflict", sim.Fault{Method: "PATCH", Status: 412, Times: 1})
	if err := c.End(context.Background(), room, rooms.EventRef{EventID: "own"}, start.Add(time.Minute)); err != nil {
		t.Error(err)
	}
	if own, _ := w.Calendar.Event(mailbox, "own"); !own.End.Equal(start.Add(time.Minute)) {
		t.Errorf("ends at %v", own.End)
	}
}

// TestSimulatedRights: who may read may not write; rights on the mailbox do as well as consent.
func TestSimulatedRights(t *testing.T) {
	w, c := world(t)
	z, room := berlin(t)
	start := time.Date(2026, 11, 23, 9, 0, 0, 0, z)
	w.Calendar.Put(mailbox, meeting("own", start, ofTheRoom))
	read := func() error {
		_, err := c.Read(context.Background(), room, start, start.Add(time.Hour))
		return err
	}
	end := func() error {
		return c.End(context.Background(), room, rooms.EventRef{EventID: "own"}, start.Add(time.Minute))
	}
	can := func() error { return c.CanEnd(context.Background(), room) }
	consent := func(roles ...string) {
		w.Graph.Consent(roles...)
		w.Graph.ExpireTokens()
	}
	consent(sim.CalendarsRead)
	if err := read(); err != nil {
		t.Error(err)
	}
	wantFault(t, can(), rooms.FaultPermission)
	wantFault(t, end(), rooms.FaultPermission)
	consent()
	wantFault(t, read(), rooms.FaultPermission)
	w.Graph.Allow(mailbox, sim.CalendarsReadWrite)
	for _, err := range []error{read(), can(), end()} {
		if err != nil {
			t.Error(err)
		}
	}
	w.Graph.Allow(mailbox, "")
	consent(sim.CalendarsReadWrite)
	for _, err := range []error{read(), can(), end()} {
		if err != nil {
			t.Error(err)
		}
	}
	room.CalendarID = "nobody@example.com"
	wantFault(t, read(), rooms.FaultNotFound)
	wantFault(t, end(), rooms.FaultNotFound)
}

func wantFault(t *testing.T, err error, kind rooms.FaultKind) {
	t.Helper()
	var fault *rooms.Fault
	if !errors.As(err, &fault) || fault.Kind != kind {
		t.Errorf("got %v, want %s", err, kind)
	}
}

func TestSimulatedFaults(t *testing.T) {
	w, c := world(t)
	z, room := berlin(t)
	day := time.Date(2026, 11, 23, 0, 0, 0, 0, z)
	read := func() error {
		_, err := c.Read(context.Background(), room, day, day.AddDate(0, 0, 2))
		return err
	}
	if err := read(); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		fault sim.Fault
		kind  rooms.FaultKind
	}{
		"down":         {sim.Fault{Down: true}, rooms.FaultUnreachable},
		"unauthorized": {sim.Fault{Unauthorized: true}, rooms.FaultCredentials},
		"403":          {sim.Fault{Status: 403, Path: "/users/"}, rooms.FaultPermission},
		"429":          {sim.GraphThrottle(5), rooms.FaultThrottled},
		"500":          {sim.Fault{Status: 500}, rooms.FaultTrouble},
		"503":          {sim.Fault{Status: 503}, rooms.FaultTrouble},
		"no mailbox":   {sim.GraphRefusal(404, "MailboxNotEnabledForRESTAPI", "The mailbox is either inactive, soft-deleted, or is hosted on-premise."), rooms.FaultNotFound},
		"cut":          {sim.Fault{Malformed: true, Path: "/users/"}, rooms.FaultBadAnswer},
		"huge":         {sim.Fault{Huge: 9 << 20, Path: "/users/"}, rooms.FaultBadAnswer},
		"empty":        {sim.Fault{Empty: true, Path: "/users/"}, rooms.FaultBadAnswer},
		"hollow":       {sim.Fault{Hollow: true}, rooms.FaultBadAnswer},
		"page":         {sim.Fault{HTML: true}, rooms.FaultBadAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			w.Graph.Faults().Set(name, tt.fault)
			wantFault(t, read(), tt.kind)
			w.Graph.Faults().ClearAll()
			if err := read(); err != nil {
				t.Errorf("mended: %v", err)
			}
		})
	}
	w.Graph.ExpireTokens()
	if err := read(); err != nil {
		t.Errorf("with an expired token: %v", err)
	}
}

func TestSimulatedSignIn(t *testing.T) {
	for name, tt := range map[string]struct {
		edit func(*graph.Config)
		says string
	}{
		"wrong secret": {func(c *graph.Config) { c.ClientSecret = "wrong" }, "AADSTS7000215"},
		"wrong app":    {func(c *graph.Config) { c.ClientID = "wrong" }, "AADSTS700016"},
		"wrong tenant": {func(c *graph.Config) { c.TokenURL = strings.Replace(c.TokenURL, "/8c3e", "/ffff", 1) }, "AADSTS90002"},
		"expired":      {func(*graph.Config) {}, "AADSTS7000222"},
	} {
		t.Run(name, func(t *testing.T) {
			w, c := world(t, tt.edit)
			w.Graph.ExpireSecret(name == "expired")
			z, room := berlin(t)
			day := time.Date(2026, 11, 23, 0, 0, 0, 0, z)
			_, err := c.Read(context.Background(), room, day, day.AddDate(0, 0, 2))
			wantFault(t, err, rooms.FaultCredentials)
			if !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "not found in the directory") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestSimulatedCrowd: ten panels on one door at once; Graph throttles the fifth request of a mailbox.
func TestSimulatedCrowd(t *testing.T) {
	w, c := world(t)
	z, room := berlin(t)
	day := time.Date(2026, 11, 23, 0, 0, 0, 0, z)
	w.Graph.Faults().Set("slow", sim.Fault{Path: "/users/", Slow: 20 * time.Millisecond})
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if _, err := c.Read(context.Background(), room, day, day.AddDate(0, 0, 2)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := w.Graph.MostAtOnce(mailbox); n < 2 || n > 4 {
		t.Errorf("%d requests at once", n)
	}
}
