package zoom

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"roomkiosk/internal/rooms"
)

func TestRooms(t *testing.T) {
	f := newFixture(t)
	pages := map[string]string{
		"":      `{"next_page_token":"a b&c","rooms":[{"id":"1","name":"Ada","status":"Offline","activation_code":"` + plantedCode + `"}]}`,
		"a b&c": `{"next_page_token":"d","rooms":[]}`,
		"d":     `{"next_page_token":"","rooms":[{"id":"2","name":"Grace","status":"Available"}]}`,
	}
	f.srv.answerAPI(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v2/rooms" || r.URL.Query().Get("page_size") != "300" {
			t.Errorf("asked for %s", r.URL)
		}
		say(200, pages[r.URL.Query().Get("next_page_token")])(w, r)
	})
	got, err := f.Rooms(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []RoomInfo{{"1", "Ada", "Offline"}, {"2", "Grace", "Available"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRoomsFaults(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		status     int
		kind       rooms.FaultKind
		says       string
	}{
		{"endless", `{"next_page_token":"again","rooms":[]}`, 200, rooms.FaultBadAnswer, "end"},
		{"hollow", `{}`, 200, rooms.FaultBadAnswer, "no list"},
		{"no scope", `{"code":4711,"message":""}`, 400, rooms.FaultPermission, "zoom_rooms:read:list_rooms:admin"},
	} {
		f := newFixture(t)
		f.srv.answerAPI(say(tt.status, tt.body))
		_, err := f.Rooms(t.Context())
		if got := faultOf(t, err); got.Kind != tt.kind || !strings.Contains(got.Detail, tt.says) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestCheckToken(t *testing.T) {
	for _, tt := range []struct {
		scope string
		kind  rooms.FaultKind
	}{
		{`"zoom_rooms:read:room:admin zoom_rooms:update:room_control:admin"`, ""},
		{`"room:read:admin room:write:admin"`, ""},
		{`""`, ""},   // Zoom doesn't say
		{`null`, ""}, // likewise
		{`"zoom_rooms:read:room:admin zoom_rooms:update:room_controls:admin"`, rooms.FaultPermission}, // the plural is another scope
	} {
		f := newFixture(t)
		f.srv.answerToken(say(200, `{"access_token":"`+plantedToken+`","expires_in":3600,"scope":`+tt.scope+`}`))
		err := f.CheckToken(t.Context())
		if tt.kind == "" {
			if err != nil {
				t.Errorf("%s: %v", tt.scope, err)
			}
			continue
		}
		if got := faultOf(t, err); got.Kind != tt.kind || !strings.Contains(got.Detail, scopeControl) {
			t.Errorf("%s: %v", tt.scope, err)
		}
	}
	f := newFixture(t)
	f.srv.answerToken(say(400, `{"error":"invalid_client"}`))
	for range 2 { // it always asks
		if got := faultOf(t, f.CheckToken(t.Context())); got.Kind != rooms.FaultCredentials {
			t.Error(got)
		}
	}
	if n := len(f.srv.tokenCalls()); n != 2 {
		t.Errorf("asked %d times", n)
	}
}
