package zoom_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"roomkiosk/internal/rooms"
	"roomkiosk/internal/sim"
	"roomkiosk/internal/zoom"
)

const (
	calendarID = "c_ada@resource.calendar.google.com"
	mailbox    = "zroom1@example.com"
)

var (
	ada   = rooms.Room{ID: "ada", ZoomID: "qMOLddnySIGGVycz8aX_JQ"}
	grace = rooms.Room{ID: "grace", ZoomID: "a/room"}
	nine  = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
)

// stillClock always says nine, so that what happened is known to the second.
type stillClock struct{}

func (stillClock) Now() time.Time                    { return nine }
func (stillClock) Timer(d time.Duration) *time.Timer { return time.NewTimer(d) }

// world is a simulated Zoom with a room on Google and one on Exchange, a meeting in each, and a
// client for it over real HTTP.
type world struct {
	*sim.World
	client        *zoom.Client
	transport     *http.Transport
	weekly, daily sim.Event
}

func newWorld(t *testing.T, edit ...func(*sim.ZoomConfig, *zoom.Config)) *world {
	t.Helper()
	account := sim.ZoomConfig{AccountID: "acc", ClientID: "id", ClientSecret: "s3cr:et+/", EffectDelay: -1, CheckChangeKeys: true}
	transport := zoom.Transport()
	cfg := zoom.Config{
		AccountID: "acc", ClientID: "id", ClientSecret: "s3cr:et+/", Clock: stillClock{},
		HTTP: &http.Client{Transport: transport},
	}
	for _, e := range edit {
		e(&account, &cfg)
	}
	w := &world{World: sim.NewWorld(sim.WorldConfig{Clock: stillClock{}, Now: stillClock{}.Now, Zoom: account}), transport: transport}
	if err := w.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { transport.CloseIdleConnections(); w.Close() })
	w.Calendar.Open(calendarID, "Ada", time.UTC)
	w.Calendar.Open(mailbox, "Grace", time.UTC)
	w.Zoom.AddRoom(sim.ZoomRoom{ID: ada.ZoomID, Name: "Ada", Kind: sim.OnGoogle, CalendarID: calendarID, Passcode: "8642",
		ActivationCode: "1315-2376", CheckIn: sim.ZoomCheckIn{Enabled: true, OpensBefore: 5 * time.Minute, ReleaseAfter: 15 * time.Minute}})
	w.Zoom.AddRoom(sim.ZoomRoom{ID: grace.ZoomID, Name: "Grace", Kind: sim.OnExchange, CalendarID: mailbox, UnderConstruction: true})
	meeting := sim.Event{ID: "weekly20261123", Title: "Weekly", Start: nine.Add(-time.Minute), End: nine.Add(time.Hour)}
	w.weekly = w.Calendar.Put(calendarID, meeting)
	meeting.ID = "AAMkAGQz-BwAX8_aT1Lcc="
	w.daily = w.Calendar.Put(mailbox, meeting)
	cfg.APIURL, cfg.TokenURL = w.ZoomURL(), w.ZoomTokenURL()
	w.client = zoom.New(cfg)
	return w
}

func (w *world) googleRef() rooms.EventRef {
	return rooms.EventRef{EventID: w.weekly.ID, CalendarID: calendarID}
}

func (w *world) exchangeRef() rooms.EventRef {
	return rooms.EventRef{EventID: w.daily.ExchangeID(), ChangeKey: w.daily.ExchangeChangeKey(), ResourceEmail: mailbox}
}

// patches counts the requests to the events API.
func (w *world) patches() (n int) {
	for _, r := range w.Zoom.Requests() {
		if r.Method == http.MethodPatch {
			n++
		}
	}
	return n
}

func expectKind(t *testing.T, err error, kind rooms.FaultKind) {
	t.Helper()
	_ = faultOf(t, err, kind)
}

// faultOf finds the fault, which has to be of that kind.
func faultOf(t *testing.T, err error, kind rooms.FaultKind) *rooms.Fault {
	t.Helper()
	f := rooms.FaultOf(err)
	if f == nil || f.Kind != kind {
		t.Fatalf("got %v, want %s", err, kind)
	}
	return f
}

func TestCheckInAndReleaseHaveTheirEffect(t *testing.T) {
	for _, body := range []string{zoom.BodyJSON, zoom.BodyMultipart} {
		w := newWorld(t, func(s *sim.ZoomConfig, c *zoom.Config) { s.Multipart, c.Body = body == zoom.BodyMultipart, body })
		ctx := t.Context()
		if err := w.client.CheckIn(ctx, ada, w.googleRef()); err != nil {
			t.Fatal(err)
		}
		if e, _ := w.Calendar.Event(calendarID, w.weekly.ID); !e.CheckedIn.Equal(nine) {
			t.Errorf("%s: checked in at %v", body, e.CheckedIn)
		}
		if err := w.client.Release(ctx, grace, w.exchangeRef()); err != nil {
			t.Fatal(err)
		}
		if e, _ := w.Calendar.Event(mailbox, w.daily.ID); !e.End.Equal(nine) {
			t.Errorf("%s: ends at %v", body, e.End)
		}
		if n := w.patches(); n != 2 {
			t.Errorf("%s: %d requests", body, n)
		}
	}
}

func TestZoomRefuses(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	w.Zoom.SetOffline(ada.ZoomID, true)
	expectKind(t, w.client.CheckIn(ctx, ada, w.googleRef()), rooms.FaultRoomOffline)
	stale := w.exchangeRef()
	stale.ChangeKey = "DwAAABYAAAB0"
	expectKind(t, w.client.Release(ctx, grace, stale), rooms.FaultInvalid)
	expectKind(t, w.client.CheckIn(ctx, rooms.Room{ID: "x", ZoomID: "nowhere"}, w.googleRef()), rooms.FaultNotFound)
	if n := w.patches(); n != 4 { // the invalid one in both forms of Exchange ids
		t.Errorf("%d requests: a definite no was repeated", n)
	}
	w.Zoom.Faults().Set("busy", sim.Fault{Method: http.MethodPatch, Status: 429, Times: 1, Header: http.Header{"Retry-After": {"2026-11-23T09:00:20Z"}}})
	if f := faultOf(t, w.client.CheckIn(ctx, ada, w.googleRef()), rooms.FaultThrottled); f.RetryAfter != 20*time.Second {
		t.Errorf("retry after %v", f.RetryAfter)
	}
	w.Zoom.Faults().Set("portal", sim.Fault{Method: http.MethodPatch, HTML: true, Times: 1})
	w.Zoom.SetOffline(ada.ZoomID, false)
	expectKind(t, w.client.CheckIn(ctx, ada, w.googleRef()), rooms.FaultBadAnswer)
}

func TestTokensThatEnd(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	if err := w.client.CheckToken(ctx); err != nil {
		t.Fatal(err)
	}
	w.Zoom.ExpireTokens()
	if err := w.client.CheckIn(ctx, ada, w.googleRef()); err != nil {
		t.Fatal(err)
	}
	if n := w.patches(); n != 2 {
		t.Errorf("%d requests, want the refused one and one more", n)
	}
	w.Zoom.Faults().Set("revoked", sim.Fault{Unauthorized: true})
	expectKind(t, w.client.CheckIn(ctx, ada, w.googleRef()), rooms.FaultCredentials)
	if n := w.patches(); n != 4 {
		t.Errorf("%d requests, want two more", n)
	}
}

// An answer that is lost after the effect: the client says that it doesn't know, and leaves it there.
func TestAnswerLostAfterEffect(t *testing.T) {
	w := newWorld(t)
	w.Zoom.Faults().Set("lost", sim.Fault{Method: http.MethodPatch, DropAfter: true})
	if f := faultOf(t, w.client.Release(t.Context(), ada, w.googleRef()), rooms.FaultUnreachable); !f.Ambiguous {
		t.Error("not ambiguous")
	}
	if n := w.patches(); n != 1 {
		t.Errorf("%d requests", n)
	}
	if e, _ := w.Calendar.Event(calendarID, w.weekly.ID); !e.End.Equal(nine) {
		t.Errorf("ends at %v", e.End)
	}
}

func TestReadingRooms(t *testing.T) {
	w := newWorld(t)
	p, err := w.client.Profile(t.Context(), ada)
	if err != nil || !*p.CheckIn.Required || *p.CheckIn.OpensBefore != 5*time.Minute || *p.CheckIn.ClosesAfter != 15*time.Minute || p.UnderConstruction {
		t.Errorf("profile %+v, %v", p, err)
	}
	p, err = w.client.Profile(t.Context(), grace)
	if err != nil || *p.CheckIn.Required || !p.UnderConstruction {
		t.Errorf("profile %+v, %v", p, err)
	}
	list, err := w.client.Rooms(t.Context())
	if err != nil || len(list) != 2 || list[0] != (zoom.RoomInfo{ID: ada.ZoomID, Name: "Ada", Status: "Available"}) {
		t.Errorf("rooms %v, %v", list, err)
	}
	w.Zoom.SetScopes("zoom_rooms:read:room:admin")
	expectKind(t, w.client.CheckToken(t.Context()), rooms.FaultPermission)
	expectKind(t, w.client.CheckIn(t.Context(), ada, w.googleRef()), rooms.FaultPermission)
}

func TestWrongCredentials(t *testing.T) {
	w := newWorld(t, func(_ *sim.ZoomConfig, c *zoom.Config) { c.ClientSecret = "another" })
	expectKind(t, w.client.CheckToken(t.Context()), rooms.FaultCredentials)
	w = newWorld(t, func(_ *sim.ZoomConfig, c *zoom.Config) { c.AccountID = "" })
	expectKind(t, w.client.CheckIn(t.Context(), ada, w.googleRef()), rooms.FaultCredentials)
}
