package sim_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"roomkiosk/internal/sim"
)

const zoomForm = "grant_type=account_credentials&account_id=acc"

func basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
}

func (b *bench) zoomToken() string {
	b.t.Helper()
	r := b.must("POST", b.ZoomTokenURL(), zoomForm, "Authorization", basic("id", "secret"),
		"Content-Type", "application/x-www-form-urlencoded")
	if r.status != 200 {
		b.t.Fatalf("no token: %d %s", r.status, r.body)
	}
	return r.json(b.t)["access_token"].(string)
}

func TestZoomTokenRefusals(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{})
	const form = "application/x-www-form-urlencoded"
	cases := []struct {
		name, query, body, auth, contentType, kind string
	}{
		{"parameters in the query", "?" + zoomForm, "", basic("id", "secret"), form, "invalid_request"},
		{"JSON", "", `{"grant_type":"account_credentials"}`, basic("id", "secret"), "application/json", "invalid_request"},
		{"wrong secret", "", zoomForm, basic("id", "oops"), form, "invalid_client"},
		{"no credentials", "", zoomForm, "", form, "invalid_client"},
		{"other grant", "", "grant_type=client_credentials&account_id=acc", basic("id", "secret"), form, "unsupported_grant_type"},
		{"other account", "", "grant_type=account_credentials&account_id=x", basic("id", "secret"), form, "invalid_request"},
		{"unknown field", "", zoomForm + "&scope=x", basic("id", "secret"), form, "invalid_request"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := b.must("POST", b.ZoomTokenURL()+c.query, c.body, "Authorization", c.auth, "Content-Type", c.contentType)
			got := r.json(t)
			if r.status != 400 || got["error"] != c.kind || got["reason"] == "" {
				t.Errorf("got %d %s, want 400 %s", r.status, r.body, c.kind)
			}
		})
	}
}

func checkIn(event string) string {
	return fmt.Sprintf(`{"method":"zoomroom.check_in","params":{"event_id":%q,"calendar_id":%q}}`, event, adaCal)
}

func checkOut(event string) string {
	return strings.Replace(checkIn(event), "check_in", "check_out", 1)
}

func TestZoomEffects(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{}).signIn()
	b.meeting("m1", 0, 30)

	if r := b.patch(adaZoom, checkIn("m1")); r.status != 202 || r.body != "" {
		t.Fatalf("check in: %d %q", r.status, r.body)
	}
	if e, _ := b.Calendar.Event(adaCal, "m1"); !e.CheckedIn.IsZero() {
		t.Error("checked in at once, though a 202 takes effect later")
	}
	b.clock.move(300 * time.Millisecond)
	if e, _ := b.Calendar.Event(adaCal, "m1"); !e.CheckedIn.Equal(morning.Add(300 * time.Millisecond)) {
		t.Errorf("checked in at %v", e.CheckedIn)
	}

	b.clock.move(5*time.Minute + 250*time.Millisecond)
	if r := b.patch(adaZoom, checkOut("m1")); r.status != 202 {
		t.Fatalf("check out: %d %s", r.status, r.body)
	}
	b.clock.move(time.Minute)
	e, _ := b.Calendar.Event(adaCal, "m1")
	want := morning.Truncate(time.Minute).Add(5*time.Minute + 31*time.Second)
	if !e.End.Equal(want) || e.Status != sim.Confirmed {
		t.Errorf("after the check out the event ends %v (%s), want %v", e.End, e.Status, want)
	}
}

func (b *bench) get(target string) reply {
	b.t.Helper()
	return b.must("GET", b.ZoomURL()+target, "", "Authorization", "Bearer "+b.zoom)
}

func TestZoomTokenExpires(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{}).signIn()
	b.real.move(time.Hour)
	if r := b.get("/rooms"); r.status != 401 || r.body != `{"code":124,"message":"Access token is expired."}` {
		t.Errorf("got %d %s", r.status, r.body)
	}
}

func TestZoomMissingScope(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{})
	b.Zoom.SetScopes("room:read:admin")
	b.signIn()
	b.meeting("m1", 0, 30)
	r := b.patch(adaZoom, checkIn("m1"))
	want := `{"code":4711,"message":"Invalid access token, does not contain scopes:[zoom_rooms:update:room_control:admin]."}`
	if r.status != 400 || r.body != want {
		t.Errorf("got %d %s", r.status, r.body)
	}
	if r := b.get("/rooms/" + adaZoom); r.status != 200 {
		t.Errorf("the classic scope for reading is not taken: %d %s", r.status, r.body)
	}
}

func TestZoomProfile(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{}).signIn()
	b.Zoom.SetUnderConstruction(adaZoom, true)
	r := b.get("/rooms/" + adaZoom)
	for _, want := range []string{
		`"room_passcode":"8642"`, `"under_construction":true`, `"checkin_minutes_prior_to_meeting_start_time":600`,
		`"allowed_minutes_before_release_room_after_no_checkout":600`, `"enable":true`,
	} {
		if !strings.Contains(r.body, want) {
			t.Errorf("profile lacks %s: %s", want, r.body)
		}
	}
	if r := b.get("/rooms/nope"); r.status != 404 || r.body != `{"code":1012,"message":"Room does not exist: nope."}` {
		t.Errorf("unknown room: %d %s", r.status, r.body)
	}
}

func TestZoomListsRooms(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{}).signIn()
	b.Zoom.SetOffline(mailZoom, true)
	var names []string
	for token := ""; ; {
		page := b.get("/rooms?page_size=1&next_page_token=" + token).json(t)
		for _, r := range page["rooms"].([]any) {
			room := r.(map[string]any)
			names = append(names, room["name"].(string)+" "+room["status"].(string))
		}
		if token = page["next_page_token"].(string); token == "" {
			break
		}
	}
	if got := strings.Join(names, ", "); got != "Ada Lovelace Available, Grace Hopper Offline" {
		t.Errorf("rooms: %s", got)
	}
	if got := b.get("/rooms?status=Offline").body; strings.Contains(got, "Ada") || !strings.Contains(got, "Grace") {
		t.Errorf("offline rooms: %s", got)
	}
	for query, want := range map[string]string{
		"?status=Available": "Ada", "?status=InMeeting": "", "?status=UnderConstruction": "", "?type=ZoomRoom&status=Offline": "Grace", "?type=Kiosk": "",
	} {
		if got := b.get("/rooms" + query).body; strings.Contains(got, "Ada") != (want == "Ada") || strings.Contains(got, "Grace") != (want == "Grace") {
			t.Errorf("%s: %s", query, got)
		}
	}
	for _, bad := range []string{"?status=offline", "?type=Room", "?page_size=301", "?page_size=0", "?colour=red", "?next_page_token=!"} {
		if r := b.get("/rooms" + bad); r.status != 400 {
			t.Errorf("%s: got %d %s", bad, r.status, r.body)
		}
	}
	if r := b.get("/elsewhere"); r.status != 404 || !strings.Contains(r.body, `"code":2300`) {
		t.Errorf("unknown endpoint: %d %s", r.status, r.body)
	}
}

func TestZoomPagesOfOfflineRooms(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{}).signIn()
	for i := range 25 {
		id := fmt.Sprintf("room%02d", i)
		b.Zoom.AddRoom(sim.ZoomRoom{ID: id, Name: id, Kind: sim.OnGoogle, CalendarID: id})
		b.Zoom.SetOffline(id, i%2 == 0)
	}
	var ids []string
	var token string
	for {
		page := b.get("/rooms?status=Offline&page_size=5&next_page_token=" + token).json(t)
		for _, r := range page["rooms"].([]any) {
			ids = append(ids, r.(map[string]any)["id"].(string))
		}
		next := page["next_page_token"].(string)
		if next == "" {
			break
		}
		token = next
	}
	if len(ids) != 13 || ids[0] != "room00" || ids[12] != "room24" {
		t.Errorf("offline: %v", ids)
	}
	b.real.move(15*time.Minute + time.Second)
	if r := b.get("/rooms?status=Offline&page_size=5&next_page_token=" + token); r.status != 400 {
		t.Errorf("after 15 minutes: %d %s", r.status, r.body)
	}
}
