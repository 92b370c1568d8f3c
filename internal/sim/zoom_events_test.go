package sim_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"roomkiosk/internal/sim"
)

const (
	invalidParams = `{"code":300,"message":"Invalid parameters."}`
	offlineBody   = `{"code":300,"message":"Zoom Room is offline. Please ensure that the Zoom Room is online before checking in or checking out."}`
)

func TestZoomRefusesWhatZoomRefuses(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{}).signIn()
	b.meeting("m1", 0, 30)
	b.meeting("gone", 60, 90)
	b.Calendar.Cancel(adaCal, "gone")
	elsewhere := b.Calendar.Put(mailbox, sim.Event{ID: "AAMk-x_y=", Title: "Elsewhere", Start: morning, End: morning.Add(time.Hour)})
	exchange := func(id, key, email string) string {
		return fmt.Sprintf(`{"method":"zoomroom.check_in","params":{"event_id":%q,"change_key":%q,"resource_email":%q}}`, id, key, email)
	}
	json := []string{"Content-Type", "application/json"}
	cases := []struct {
		name, room, body string
		header           []string
		status           int
		want             string
	}{
		{"no token", adaZoom, checkIn("m1"), []string{"Authorization", ""}, 401, `{"code":124,"message":"Invalid access token."}`},
		{"bad token", adaZoom, checkIn("m1"), []string{"Authorization", "Bearer x"}, 401, `{"code":124,"message":"Invalid access token."}`},
		{"no such room", "nope", checkIn("m1"), json, 404, `{"code":1012,"message":"Room does not exist: nope."}`},
		{"form", adaZoom, "method=zoomroom.check_in", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, `{"code":300,"message":"Unsupported Content Type"}`},
		{"no content type", adaZoom, checkIn("m1"), []string{"Content-Type", ""}, 415, `{"code":300,"message":"Unsupported Content Type"}`},
		{"not JSON", adaZoom, `{"method"`, json, 400, `{"code":300,"message":"Request Body should be a valid JSON object."}`},
		{"not an object", adaZoom, `null`, json, 400, `{"code":300,"message":"Request Body should be a valid JSON object."}`},
		{"unknown field", adaZoom, strings.Replace(checkIn("m1"), `"method"`, `"id":1,"method"`, 1), json, 400, invalidParams},
		{"unknown parameter", adaZoom, strings.Replace(checkIn("m1"), `"event_id"`, `"eventid":"m1","event_id"`, 1), json, 400, invalidParams},
		{"unknown method", adaZoom, strings.Replace(checkIn("m1"), "check_in", "checkin", 1), json, 400, invalidParams},
		{"no event", adaZoom, checkIn(""), json, 400, invalidParams},
		{"unknown event", adaZoom, checkIn("m9"), json, 400, invalidParams},
		{"cancelled event", adaZoom, checkIn("gone"), json, 400, invalidParams},
		{"no calendar", adaZoom, `{"method":"zoomroom.check_in","params":{"event_id":"m1"}}`, json, 400, invalidParams},
		{"other calendar", adaZoom, strings.Replace(checkIn("m1"), "c_ada", "c_bob", 1), json, 400, invalidParams},
		{"event of another room", adaZoom, checkIn(elsewhere.ID), json, 400, invalidParams},
		{"Exchange without change key", mailZoom, exchange("AAMk/x+y=", "", mailbox), json, 400, invalidParams},
		{"Exchange without mailbox", mailZoom, exchange("AAMk/x+y=", elsewhere.ExchangeChangeKey(), ""), json, 400, invalidParams},
		{"Exchange with a Graph id", mailZoom, exchange(elsewhere.ID, elsewhere.ChangeKey(), mailbox), json, 400, invalidParams},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := b.patch(c.room, c.body, c.header...)
			if r.status != c.status || r.body != c.want {
				t.Errorf("got %d %s\nwant %d %s", r.status, r.body, c.status, c.want)
			}
		})
	}
	b.clock.move(time.Second)
	if e, _ := b.Calendar.Event(adaCal, "m1"); !e.CheckedIn.IsZero() {
		t.Error("a refused request had an effect")
	}
}

func TestZoomTakesExchangeRooms(t *testing.T) {
	cfg := account
	cfg.CheckChangeKeys = true
	b := newBench(t, cfg, sim.GoogleConfig{}).signIn()
	e := b.Calendar.Put(mailbox, sim.Event{ID: "AAMk-x_y=", Start: morning, End: morning.Add(time.Hour)})
	if !strings.HasPrefix(e.ExchangeChangeKey(), "DwAAABYAAA") {
		t.Errorf("change key %s is not in EWS's form", e.ExchangeChangeKey())
	}
	body := fmt.Sprintf(`{"method":"zoomroom.check_out","params":{"event_id":%q,"change_key":%q,"resource_email":%q}}`,
		"AAMk/x+y=", e.ExchangeChangeKey(), mailbox)
	b.clock.move(10 * time.Minute)
	if r := b.patch(mailZoom, body); r.status != 202 {
		t.Fatalf("got %d %s", r.status, r.body)
	}
	b.clock.move(time.Second)
	if r := b.patch(mailZoom, body); r.status != 400 || r.body != invalidParams {
		t.Errorf("with a stale change key: %d %s", r.status, r.body)
	}
}

func TestZoomRoomOffline(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{}).signIn()
	b.meeting("m1", 0, 30)
	b.Zoom.SetOffline(adaZoom, true)
	if r := b.patch(adaZoom, checkIn("m1")); r.status != 400 || r.body != offlineBody {
		t.Errorf("offline: %d %s", r.status, r.body)
	}
	b.Zoom.SetOffline(adaZoom, false)
	if r := b.patch(adaZoom, checkIn("m1")); r.status != 202 {
		t.Errorf("online again: %d %s", r.status, r.body)
	}
}

func TestZoomMultipartOnly(t *testing.T) {
	cfg := account
	cfg.Multipart = true
	b := newBench(t, cfg, sim.GoogleConfig{}).signIn()
	b.meeting("m1", 0, 30)
	form := func(fields ...string) string {
		var s strings.Builder
		for i := 0; i < len(fields); i += 2 {
			fmt.Fprintf(&s, "--xx\r\nContent-Disposition: form-data; name=%q\r\n\r\n%s\r\n", fields[i], fields[i+1])
		}
		return s.String() + "--xx--\r\n"
	}
	multipart := []string{"Content-Type", "multipart/form-data; boundary=xx"}
	params := fmt.Sprintf(`{"event_id":"m1","calendar_id":%q}`, adaCal)
	cases := []struct {
		name, body string
		header     []string
		status     int
	}{
		{"form", form("method", "zoomroom.check_in", "params", params), multipart, 202},
		{"JSON", checkIn("m1"), nil, 415},
		{"unknown field", form("method", "zoomroom.check_in", "params", params, "id", "1"), multipart, 400},
		{"repeated field", form("method", "zoomroom.check_in", "method", "zoomroom.check_in", "params", params), multipart, 400},
		{"params as text", form("method", "zoomroom.check_in", "params", "m1"), multipart, 400},
		{"no boundary", form("method", "zoomroom.check_in", "params", params), []string{"Content-Type", "multipart/form-data"}, 400},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if r := b.patch(adaZoom, c.body, c.header...); r.status != c.status {
				t.Errorf("got %d %s, want %d", r.status, r.body, c.status)
			}
		})
	}
	first := b.Zoom.Requests()[1] // after the token request
	if first.Param("event_id") != "m1" || first.Body["method"] != "zoomroom.check_in" || first.Status != 202 {
		t.Errorf("logged as %+v", first)
	}
}

func TestZoomCheckOutBeforeStartKeepsStart(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{}).signIn()
	m := b.meeting("m1", 5, 30)
	b.patch(adaZoom, checkOut("m1"))
	b.clock.move(time.Second)
	if e, _ := b.Calendar.Event(adaCal, "m1"); !e.Start.Equal(m.Start) || !e.End.Equal(m.Start) {
		t.Errorf("event runs %v to %v, want zero length at %v", e.Start, e.End, m.Start)
	}
}

func TestZoomCheckOutNeverExtends(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{}).signIn()
	m := b.meeting("m1", -60, -30)
	b.patch(adaZoom, checkOut("m1"))
	b.clock.move(time.Second)
	if e, _ := b.Calendar.Event(adaCal, "m1"); !e.End.Equal(m.End) {
		t.Errorf("event ends %v, want %v", e.End, m.End)
	}
}

func TestZoomReleasesNoShows(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{}).signIn()
	b.meeting("noshow", 0, 30)
	b.meeting("shown", 5, 60)
	b.meeting("short", 0, 10) // over when it would be released
	b.clock.move(9 * time.Minute)
	if e, _ := b.Calendar.Event(adaCal, "noshow"); e.Status != sim.Confirmed {
		t.Errorf("released early: %s", e.Status)
	}
	if r := b.patch(adaZoom, checkIn("shown")); r.status != 202 {
		t.Fatalf("check in: %d %s", r.status, r.body)
	}
	b.clock.move(8 * time.Hour) // in one go: everything in between happens at its own time
	want := map[string]sim.Status{"noshow": sim.Cancelled, "shown": sim.Confirmed, "short": sim.Confirmed}
	for _, e := range b.Calendar.Events(adaCal) {
		if e.Status != want[e.ID] {
			t.Errorf("%s is %s, want %s", e.ID, e.Status, want[e.ID])
		}
		if e.ID == "noshow" && !e.Updated.Equal(e.Start.Add(10*time.Minute)) {
			t.Errorf("released at %v", e.Updated)
		}
	}
}

func TestZoomCheckInAndReleaseHappenInTheirOrder(t *testing.T) {
	for before, want := range map[time.Duration]sim.Status{
		300 * time.Millisecond: sim.Confirmed, // takes effect just when the room would be released
		299 * time.Millisecond: sim.Cancelled, // takes effect after that
	} {
		b := newBench(t, account, sim.GoogleConfig{}).signIn()
		m := b.meeting("m1", 0, 30)
		b.clock.move(m.Start.Add(10*time.Minute - before).Sub(b.clock.Now()))
		if r := b.patch(adaZoom, checkIn("m1")); r.status != 202 {
			t.Fatalf("check in: %d %s", r.status, r.body)
		}
		b.clock.move(time.Hour)
		if e, _ := b.Calendar.Event(adaCal, "m1"); e.Status != want {
			t.Errorf("check-in sent %v before the release: %s, want %s", before, e.Status, want)
		}
	}
}
