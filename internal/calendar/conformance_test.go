package calendar_test

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"roomkiosk/internal/calendar/caldav"
	"roomkiosk/internal/calendar/ews"
	"roomkiosk/internal/calendar/google"
	"roomkiosk/internal/calendar/graph"
	"roomkiosk/internal/calendar/ics"
	"roomkiosk/internal/rooms"
	"roomkiosk/internal/sim"
)

// The suite that holds every kind of calendar to the same table: a day is put on the stand-ins'
// shared calendar once, each stand-in says it in its own wire format, and each kind has to return
// the same reservations.

const roomAddress = "ada@example.com"

// still is a clock that stands on the morning of the day.
type still struct{ at time.Time }

func (s still) Now() time.Time                    { return s.at }
func (s still) Timer(d time.Duration) *time.Timer { return time.NewTimer(max(d, 0)) }

// entry is an event of a day, written short.
type entry struct {
	name      string // its title, and what its id is made of
	from, to  string // local: "09:00", "+1 09:00", "-1 22:00", or a date of the day: "+0", "+1"
	edit      func(*sim.Event)
	want      bool   // it blocks the room
	start     string // in UTC, where it isn't what from says: times that come twice or never
	tentative bool
	private   bool
	untitled  bool
}

// day is a row of the table.
type day struct {
	name    string
	date    string
	entries []entry
}

func declined(e *sim.Event)    { answer(e, sim.Declined) }
func unanswered(e *sim.Event)  { answer(e, sim.NeedsAction) }
func cancelled(e *sim.Event)   { e.Status = sim.Cancelled }
func transparent(e *sim.Event) { e.Transparent = true }
func private(e *sim.Event)     { e.Visibility = sim.Private }
func confident(e *sim.Event)   { e.Visibility = sim.Confidential }
func untitled(e *sim.Event)    { e.Title = "" }

func answer(e *sim.Event, r sim.Response) {
	for i := range e.Attendees {
		if e.Attendees[i].Self {
			e.Attendees[i].Response = r
		}
	}
}

// occurrence makes an event one of a series, whose slot was so long before.
func occurrence(moved time.Duration) func(*sim.Event) {
	return func(e *sim.Event) { e.Series, e.OriginalStart = seriesID, e.Start.Add(-moved) }
}

func titled(title string) func(*sim.Event) {
	return func(e *sim.Event) { e.Title = title }
}

var table = []day{
	{name: "an empty day", date: "2026-11-23"},
	{name: "plain meetings", date: "2026-11-23", entries: []entry{
		{name: "one", from: "09:00", to: "09:30", want: true},
		{name: "two", from: "13:15", to: "14:45", want: true},
	}},
	{name: "back to back", date: "2026-11-23", entries: []entry{
		{name: "first", from: "10:00", to: "10:30", want: true},
		{name: "second", from: "10:30", to: "11:00", want: true},
	}},
	{name: "overlapping", date: "2026-11-23", entries: []entry{
		{name: "long", from: "10:00", to: "12:00", want: true},
		{name: "short", from: "10:30", to: "11:00", want: true},
		{name: "same start", from: "10:00", to: "11:00", want: true},
	}},
	{name: "what doesn't block", date: "2026-11-23", entries: []entry{
		{name: "declined by the room", from: "09:00", to: "09:30", edit: declined},
		{name: "cancelled", from: "10:00", to: "10:30", edit: cancelled},
		{name: "free", from: "11:00", to: "11:30", edit: transparent},
		{name: "but this does", from: "12:00", to: "12:30", want: true},
	}},
	{name: "not answered yet", date: "2026-11-23", entries: []entry{
		{name: "pending", from: "09:00", to: "09:30", edit: unanswered, want: true, tentative: true},
	}},
	{name: "private ones", date: "2026-11-23", entries: []entry{
		{name: "secret", from: "09:00", to: "09:30", edit: private, want: true, private: true},
		{name: "confidential", from: "10:00", to: "10:30", edit: confident, want: true, private: true},
	}},
	{name: "no title", date: "2026-11-23", entries: []entry{
		{name: "untitled", from: "09:00", to: "09:30", edit: untitled, want: true, untitled: true},
	}},
	{name: "titles of any kind", date: "2026-11-23", entries: []entry{
		{name: "markup", from: "09:00", to: "09:30", edit: titled(`<b>R&D</b>; "quoted", back\slash`), want: true},
		{name: "rtl", from: "10:00", to: "10:30", edit: titled("اجتماع الفريق"), want: true},
		{name: "emoji", from: "11:00", to: "11:30", edit: titled("👩‍💻 pairing, 10× faster"), want: true},
		{name: "long", from: "12:00", to: "12:30", edit: titled("A title of two hundred characters " + fmt.Sprintf("%0170d", 0)), want: true},
	}},
	{name: "over midnight", date: "2026-11-23", entries: []entry{
		{name: "into the day", from: "-1 22:00", to: "00:30", want: true},
		{name: "out of the days", from: "+1 23:00", to: "+2 01:00", want: true},
		{name: "ended at midnight", from: "-1 22:00", to: "+0 00:00"},
		{name: "starts when they are over", from: "+2 00:00", to: "+2 01:00"},
	}},
	{name: "several days", date: "2026-11-23", entries: []entry{
		{name: "conference", from: "-2 09:00", to: "+3 17:00", want: true},
	}},
	{name: "all day", date: "2026-11-23", entries: []entry{
		{name: "today", from: "+0", to: "+1", want: true},
		{name: "yesterday", from: "-1", to: "+0"},
		{name: "tomorrow and the day after", from: "+1", to: "+3", want: true},
		{name: "timed beside it", from: "09:00", to: "09:30", want: true},
	}},
	{name: "all day in the night of the clocks", date: "2026-10-25", entries: []entry{
		{name: "25 hours", from: "+0", to: "+1", want: true},
	}},
	{name: "spring forward", date: "2026-03-29", entries: []entry{
		{name: "before", from: "01:30", to: "01:45", want: true},
		{name: "across", from: "01:30", to: "03:30", want: true},
		{name: "after", from: "09:00", to: "09:30", want: true},
	}},
	{name: "fall back", date: "2026-10-25", entries: []entry{
		{name: "the first 02:30", start: "2026-10-25T00:30:00Z", from: "02:30", to: "04:00", want: true},
		{name: "the second 02:30", start: "2026-10-25T01:30:00Z", from: "02:30", to: "04:00", want: true},
		{name: "after", from: "09:00", to: "09:30", want: true},
	}},
	{name: "exceptions of a series", date: "2026-11-23", entries: []entry{
		{name: "as planned", from: "09:00", to: "09:30", edit: occurrence(0), want: true},
		{name: "moved here from yesterday", from: "11:00", to: "11:30", edit: occurrence(26 * time.Hour), want: true},
		{name: "moved away", from: "+5 09:00", to: "+5 09:30", edit: occurrence(96 * time.Hour)},
		{name: "cancelled one", from: "+1 09:00", to: "+1 09:30", edit: func(e *sim.Event) { occurrence(0)(e); cancelled(e) }},
	}},
}

// kinds are all there are, each on its own stand-in.
var kinds = map[string]func(t *testing.T, w *sim.World, now func() time.Time) (rooms.Calendar, string){
	"google": func(t *testing.T, w *sim.World, _ func() time.Time) (rooms.Calendar, string) {
		account, err := w.Google.NewServiceAccount(w.GoogleTokenURL())
		must(t, err)
		w.Google.Share(roomAddress, account.Email, sim.Writer)
		c, err := google.New(google.Config{Name: "g", CredentialsJSON: account.JSON, URL: w.GoogleURL(), Now: time.Now, Log: quiet()})
		must(t, err)
		return c, roomAddress
	},
	"graph": func(t *testing.T, w *sim.World, _ func() time.Time) (rooms.Calendar, string) {
		tenant, client, secret := w.GraphCredentials()
		c, err := graph.New(graph.Config{
			Name: "x", TenantID: tenant, ClientID: client, ClientSecret: secret, URL: w.GraphURL(), TokenURL: w.GraphTokenURL(),
			Now: time.Now, Log: quiet(),
		})
		must(t, err)
		return c, roomAddress
	},
	"ews": func(t *testing.T, w *sim.World, now func() time.Time) (rooms.Calendar, string) {
		user, password := w.EWSCredentials()
		c, err := ews.New(ews.Config{Name: "e", URL: w.EWSURL(), User: user, Password: password, Impersonate: true, Now: now, Log: quiet()})
		must(t, err)
		return c, roomAddress
	},
	"caldav": func(t *testing.T, w *sim.World, now func() time.Time) (rooms.Calendar, string) {
		c, err := caldav.New(caldav.Config{Name: "d", Now: now, Log: quiet()})
		must(t, err)
		return c, w.CalDAVURL(roomAddress)
	},
	"ics": func(t *testing.T, w *sim.World, now func() time.Time) (rooms.Calendar, string) {
		c, err := ics.New(ics.Config{Name: "i", Now: now, Log: quiet()})
		must(t, err)
		return c, w.FeedURL(roomAddress)
	},
}

func TestEveryKindReturnsTheSame(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	must(t, err)
	for _, d := range table {
		for kind, open := range kinds {
			t.Run(d.name+"/"+kind, func(t *testing.T) {
				w, want := d.world(t, zone)
				w.Google.SetPaging(2, true) // pages of two, an empty one before each
				w.Graph.SetPaging(2, true)
				morning := d.at(t, "08:00", zone)
				c, id := open(t, w, func() time.Time { return morning })
				room := rooms.Room{ID: "ada", Zone: zone, CalendarID: id}
				from, to := rooms.Window(morning, zone)
				for range 2 { // the second time from what it remembers
					got, err := c.Read(t.Context(), room, from, to)
					must(t, err)
					if diff := gocmp.Diff(want, plain(got)); diff != "" {
						t.Fatalf("-want +got\n%s", diff)
					}
				}
				lookUpEach(t, c, room, from, to)
			})
		}
	}
}

// lookUpEach reads every reservation again by its reference: it has to be the same.
func lookUpEach(t *testing.T, c rooms.Calendar, room rooms.Room, from, to time.Time) {
	t.Helper()
	all, err := c.Read(t.Context(), room, from, to)
	must(t, err)
	ids := map[string]bool{}
	for _, r := range all {
		if ids[r.ID] {
			t.Errorf("two reservations are %s", r.ID)
		}
		ids[r.ID] = true
		again, err := c.Lookup(t.Context(), room, r.Ref)
		must(t, err)
		if diff := gocmp.Diff(r, again); diff != "" {
			t.Errorf("looked up: -read +found\n%s", diff)
		}
	}
}

// world puts the day on a calendar, and says what every kind has to make of it.
func (d day) world(t *testing.T, zone *time.Location) (*sim.World, []rooms.Reservation) {
	t.Helper()
	w := sim.NewWorld(sim.WorldConfig{Clock: still{d.at(t, "08:00", zone)}, Now: time.Now})
	must(t, w.Start(context.Background()))
	t.Cleanup(w.Close)
	w.Calendar.Open(roomAddress, "Ada Lovelace", zone)
	want := []rooms.Reservation{}
	for _, e := range d.entries {
		event := w.Calendar.Put(roomAddress, d.event(t, e, zone))
		if e.want {
			want = append(want, e.reservation(event, zone))
		}
	}
	return w, plain(want)
}

const seriesID = "serie5"

func (d day) event(t *testing.T, e entry, zone *time.Location) sim.Event {
	t.Helper()
	out := sim.Event{
		ID: graphID(e.name), Title: e.name, Organizer: sim.Person{Name: "Jane Doe", Email: "jane@example.com"},
		Attendees: []sim.Attendee{
			{Person: sim.Person{Name: "Jane Doe", Email: "jane@example.com"}, Response: sim.Accepted},
			{Person: sim.Person{Name: "Ada Lovelace", Email: roomAddress}, Self: true, Resource: true, Response: sim.Accepted},
		},
	}
	if len(e.from) == 2 {
		out.StartDate, out.EndDate = d.at(t, e.from+" 00:00", zone).Format(time.DateOnly), d.at(t, e.to+" 00:00", zone).Format(time.DateOnly)
	} else {
		out.Start, out.End = d.at(t, e.from, zone), d.at(t, e.to, zone)
	}
	if e.start != "" {
		start, err := time.Parse(time.RFC3339, e.start)
		must(t, err)
		out.Start = start
	}
	if e.edit != nil {
		e.edit(&out)
	}
	return out
}

func (e entry) reservation(event sim.Event, zone *time.Location) rooms.Reservation {
	r := rooms.Reservation{
		AllDay: event.AllDay(), Title: event.Title, Organizer: "Jane Doe",
		Private: e.private, Tentative: e.tentative,
	}
	r.Start, r.End = event.Span(zone)
	if e.private {
		r.Title, r.Organizer = "", ""
	}
	return r
}

// at is an instant on the day: "09:00", or "+1 09:00" on the next.
func (d day) at(t *testing.T, text string, zone *time.Location) time.Time {
	t.Helper()
	days := 0
	if len(text) > 5 {
		_, err := fmt.Sscanf(text, "%d %s", &days, &text)
		must(t, err)
	}
	on, err := time.ParseInLocation(time.DateOnly, d.date, zone)
	must(t, err)
	clock, err := time.Parse("15:04", text)
	must(t, err)
	return time.Date(on.Year(), on.Month(), on.Day()+days, clock.Hour(), clock.Minute(), 0, 0, zone)
}

// plain leaves out what is each kind's own business: ids.
func plain(all []rooms.Reservation) []rooms.Reservation {
	out := make([]rooms.Reservation, len(all))
	for i, r := range all {
		r.ID, r.Ref = "", rooms.EventRef{}
		r.Start, r.End = r.Start.UTC(), r.End.UTC()
		out[i] = r
	}
	slices.SortFunc(out, func(a, b rooms.Reservation) int {
		return cmp.Or(a.Start.Compare(b.Start), a.End.Compare(b.End), cmp.Compare(a.Title, b.Title))
	})
	return out
}

// graphID makes an id that is one of Google's (base32hex) and of Graph's (base64) at once.
func graphID(name string) string {
	const digits = "0123456789abcdefghijklmnopqrstuv"
	out := ""
	for _, b := range []byte(base64.RawURLEncoding.EncodeToString([]byte(name))) {
		out += string(digits[b%32])
	}
	return "e0" + out
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
