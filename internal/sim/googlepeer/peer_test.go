// Package googlepeer lets Google's own client read the simulated calendar. It is a module of its own,
// so that the client's dependencies stay out of the kiosk's. Run it with
//
//	cd internal/sim/googlepeer && go test ./...
package googlepeer

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
	"google.golang.org/api/calendar/v3"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"

	"roomkiosk/internal/sim"
)

const room = "c_188a@resource.calendar.google.com"

// still is a clock that stands.
type still struct{ now time.Time }

func (c still) Now() time.Time                    { return c.now }
func (c still) Timer(d time.Duration) *time.Timer { return time.NewTimer(d) }

// peer is Google's client, pointed at a world, with the account's key file as Google's libraries
// take it.
type peer struct {
	*calendar.Service
	world *sim.World
	key   []byte
	email string
	nine  time.Time
}

func newPeer(t *testing.T, cfg sim.GoogleConfig) *peer {
	t.Helper()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	nine := time.Date(2026, 11, 23, 9, 0, 0, 0, berlin)
	w := sim.NewWorld(sim.WorldConfig{Clock: still{nine.Add(5 * time.Minute)}, Now: time.Now, Google: cfg})
	if err := w.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	w.Calendar.Open(room, "Ada Lovelace", berlin)
	robot, err := w.Google.NewServiceAccount(w.GoogleTokenURL(), "boss@example.com")
	if err != nil {
		t.Fatal(err)
	}
	w.Google.Share(room, robot.Email, sim.Writer)
	p := &peer{world: w, key: robot.JSON, email: robot.Email, nine: nine}
	p.Service = p.client(t, p.key, "")
	return p
}

// client signs in with a key file, for a user if one is named.
func (p *peer) client(t *testing.T, key []byte, subject string) *calendar.Service {
	t.Helper()
	cfg, err := google.JWTConfigFromJSON(key, calendar.CalendarEventsReadonlyScope)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Subject = subject
	svc, err := calendar.NewService(t.Context(),
		option.WithHTTPClient(cfg.Client(t.Context())), option.WithEndpoint(p.world.GoogleURL()+"/"))
	if err != nil {
		t.Fatal(err)
	}
	return svc
}

func (p *peer) put(e sim.Event) { p.world.Calendar.Put(room, e) }

// today is the list that a kiosk asks for.
func (p *peer) today() *calendar.EventsListCall {
	return p.Events.List(room).SingleEvents(true).OrderBy("startTime").EventTypes("default", "fromGmail").
		TimeMin(p.nine.Truncate(24 * time.Hour).Format(time.RFC3339)).
		TimeMax(p.nine.Add(24 * time.Hour).Format(time.RFC3339))
}

func TestListPages(t *testing.T) {
	for _, blank := range []bool{false, true} {
		p := newPeer(t, sim.GoogleConfig{PageSize: 2, EmptyPages: blank})
		var want []string
		for i, id := range []string{"a0", "a1", "a2", "a3", "a4"} {
			start := p.nine.Add(time.Duration(i) * time.Hour)
			p.put(sim.Event{ID: id, Title: "Meeting " + id, Start: start, End: start.Add(time.Hour)})
			want = append(want, id)
		}
		var got []string
		pages := 0
		err := p.today().Pages(t.Context(), func(list *calendar.Events) error {
			pages++
			for _, e := range list.Items {
				got = append(got, e.Id)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if wantPages := map[bool]int{false: 3, true: 6}[blank]; pages != wantPages || !slices.Equal(got, want) {
			t.Errorf("blank %v: %d pages with %v, want %d with %v", blank, pages, got, wantPages, want)
		}
	}
}

func TestEventsAsTheClientReadsThem(t *testing.T) {
	p := newPeer(t, sim.GoogleConfig{})
	p.put(sim.Event{
		ID: "s1_20261123T080000Z", Series: "s1", OriginalStart: p.nine, Title: "Weekly", Visibility: sim.Private,
		Organizer: sim.Person{Name: "Jane Doe", Email: "jane@example.com"}, Start: p.nine, End: p.nine.Add(time.Hour),
		Attendees: []sim.Attendee{
			{Person: sim.Person{Name: "Jane Doe", Email: "jane@example.com"}, Response: sim.Accepted},
			{Person: sim.Person{Name: "Ada", Email: room}, Self: true, Resource: true, Response: sim.Declined},
		},
	})
	p.put(sim.Event{ID: "d1", Title: "Fair", StartDate: "2026-11-23", EndDate: "2026-11-25", Transparent: true})
	p.put(sim.Event{ID: "x1", Title: "Gone", Start: p.nine, End: p.nine.Add(time.Hour), Status: sim.Cancelled})
	p.put(sim.Event{ID: "w1", Title: "Office", StartDate: "2026-11-23", EndDate: "2026-11-24", Kind: sim.WorkingLocation})

	list, err := p.today().TimeZone("Europe/Lisbon").Context(t.Context()).Do()
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Items) != 2 || list.TimeZone != "Europe/Berlin" || list.AccessRole != "writer" || list.Etag == "" {
		t.Fatalf("list: %d items, zone %s, role %s, etag %s", len(list.Items), list.TimeZone, list.AccessRole, list.Etag)
	}
	day, timed := list.Items[0], list.Items[1]
	if day.Start.Date != "2026-11-23" || day.End.Date != "2026-11-25" || day.Start.DateTime != "" || day.Transparency != "transparent" {
		t.Errorf("all-day event: %+v %+v %s", day.Start, day.End, day.Transparency)
	}
	if timed.Start.DateTime != "2026-11-23T08:00:00Z" || timed.RecurringEventId != "s1" || timed.OriginalStartTime == nil {
		t.Errorf("timed event: %+v, series %s", timed.Start, timed.RecurringEventId)
	}
	if timed.Organizer.DisplayName != "Jane Doe" || timed.Visibility != "private" || timed.Summary != "Weekly" {
		t.Errorf("timed event: %+v, %s, %s", timed.Organizer, timed.Visibility, timed.Summary)
	}
	own := timed.Attendees[1]
	if !own.Self || !own.Resource || own.ResponseStatus != "declined" {
		t.Errorf("room's own entry: %+v", own)
	}
}

func TestGet(t *testing.T) {
	p := newPeer(t, sim.GoogleConfig{})
	p.put(sim.Event{ID: "m1", Title: "Weekly", Start: p.nine, End: p.nine.Add(time.Hour)})
	e, err := p.Events.Get(room, "m1").Context(t.Context()).Do()
	if err != nil || e.Summary != "Weekly" || e.Status != "confirmed" {
		t.Fatalf("get: %+v, %v", e, err)
	}
	if _, err := p.Events.Get(room, "m1").IfNoneMatch(e.Etag).Do(); !googleapi.IsNotModified(err) {
		t.Errorf("get with its etag: %v, want 304", err)
	}
	p.world.Calendar.Cancel(room, "m1")
	e, err = p.Events.Get(room, "m1").IfNoneMatch(e.Etag).Do()
	if err != nil || e.Status != "cancelled" {
		t.Errorf("get of a cancelled event: %+v, %v", e, err)
	}
}

func TestFieldsCutTheAnswer(t *testing.T) {
	p := newPeer(t, sim.GoogleConfig{})
	p.put(sim.Event{ID: "m1", Title: "Weekly", Start: p.nine, End: p.nine.Add(time.Hour)})
	list, err := p.today().Fields("items(id,start/dateTime),nextPageToken").Do()
	if err != nil {
		t.Fatal(err)
	}
	e := list.Items[0]
	if e.Id != "m1" || e.Start.DateTime == "" || e.Start.TimeZone != "" || e.Summary != "" || list.TimeZone != "" {
		t.Errorf("got %+v %+v of a list in %q", e, e.Start, list.TimeZone)
	}
}

func TestErrors(t *testing.T) {
	cases := []struct {
		name   string
		do     func(p *peer) error
		code   int
		reason string
	}{
		{"unknown event", func(p *peer) error { _, err := p.Events.Get(room, "nope").Do(); return err }, 404, "notFound"},
		{"calendar not shared", func(p *peer) error {
			p.world.Google.Unshare(room, p.email)
			_, err := p.today().Do()
			return err
		}, 404, "notFound"},
		{"order without single events", func(p *peer) error { _, err := p.Events.List(room).OrderBy("startTime").Do(); return err }, 400, "badRequest"},
		{"empty range", func(p *peer) error { _, err := p.today().TimeMax("2026-11-01T00:00:00Z").Do(); return err }, 400, "timeRangeEmpty"},
		{"time without offset", func(p *peer) error { _, err := p.today().TimeMax("2026-11-24T00:00:00").Do(); return err }, 400, "badRequest"},
		{"sync token", func(p *peer) error { _, err := p.Events.List(room).SyncToken("x").Do(); return err }, 410, "fullSyncRequired"},
		{"unknown field", func(p *peer) error { _, err := p.today().Fields("items(colour)").Do(); return err }, 400, "invalidParameter"},
		{"token revoked", func(p *peer) error { p.world.Google.ExpireTokens(); return revoked(p) }, 401, "authError"},
		{"rate limit", func(p *peer) error {
			p.world.Google.Faults().Set("limit", sim.GoogleQuota(http.StatusForbidden, "rateLimitExceeded"))
			_, err := p.today().Do()
			return err
		}, 403, "rateLimitExceeded"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var e *googleapi.Error
			err := c.do(newPeer(t, sim.GoogleConfig{}))
			if !errors.As(err, &e) || e.Code != c.code || len(e.Errors) != 1 || e.Errors[0].Reason != c.reason {
				t.Errorf("got %v, want %d %s", err, c.code, c.reason)
			}
		})
	}
}

// revoked uses a token after it was revoked: the client keeps the one that it has.
func revoked(p *peer) error {
	if _, err := p.today().Do(); err != nil {
		return err
	}
	p.world.Google.ExpireTokens()
	_, err := p.today().Do()
	return err
}

func TestDelegation(t *testing.T) {
	p := newPeer(t, sim.GoogleConfig{})
	p.world.Google.Share(room, "boss@example.com", sim.Reader)
	if list, err := p.client(t, p.key, "boss@example.com").Events.List(room).Do(); err != nil || list.AccessRole != "reader" {
		t.Errorf("acting for a user: %+v, %v", list, err)
	}
	var refused *oauth2.RetrieveError
	_, err := p.client(t, p.key, "ceo@example.com").Events.List(room).Do()
	if !errors.As(err, &refused) || refused.Response.StatusCode != http.StatusUnauthorized {
		t.Errorf("acting for another user: %v", err)
	}
}
