package zoom

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"roomkiosk/internal/rooms"
)

func profileJSON(setup string) string {
	return `{"basic":{"name":"Ada","room_passcode":"987654","activation_code":"` + plantedCode + `","support_email":"jane.doe@example.com"},"setup":` + setup + `}`
}

func options(before, after string) string {
	return `{"under_construction":false,"checkin_and_checkout":{"enable":true,"checkin_and_checkout_options":{` +
		`"checkin_minutes_prior_to_meeting_start_time":` + before + `,"allowed_minutes_before_release_room_after_no_checkout":` + after +
		`,"enable_new_user_checkin_notification":true}}}`
}

func TestProfile(t *testing.T) {
	yes, no := new(true), new(false)
	minutes := func(n int) *time.Duration { return new(time.Duration(n) * time.Minute) }
	for _, tt := range []struct {
		name, body string
		want       rooms.Profile
	}{
		{"as documented", profileJSON(options("600", "900")), rooms.Profile{CheckIn: rooms.CheckInSettings{Required: yes, OpensBefore: minutes(10), ClosesAfter: minutes(15)}}},
		{"minutes after all", profileJSON(options("15", "59")), rooms.Profile{CheckIn: rooms.CheckInSettings{Required: yes, OpensBefore: minutes(15), ClosesAfter: minutes(59)}}},
		{"one minute in seconds", profileJSON(options("60", "86400")), rooms.Profile{CheckIn: rooms.CheckInSettings{Required: yes, OpensBefore: minutes(1), ClosesAfter: minutes(24 * 60)}}},
		{"as text", profileJSON(options(`"300"`, `"5"`)), rooms.Profile{CheckIn: rooms.CheckInSettings{Required: yes, OpensBefore: minutes(5), ClosesAfter: minutes(5)}}},
		{"zero", profileJSON(options("0", "0")), rooms.Profile{CheckIn: rooms.CheckInSettings{Required: yes, OpensBefore: minutes(0)}}},
		{"absurd", profileJSON(options("-600", "86401")), rooms.Profile{CheckIn: rooms.CheckInSettings{Required: yes}}},
		{"nonsense", profileJSON(options("[1]", "null")), rooms.Profile{CheckIn: rooms.CheckInSettings{Required: yes}}},
		{"huge", profileJSON(options("1e400", `"NaN"`)), rooms.Profile{CheckIn: rooms.CheckInSettings{Required: yes}}},
		{"check-in is off", profileJSON(`{"checkin_and_checkout":{"enable":false}}`), rooms.Profile{CheckIn: rooms.CheckInSettings{Required: no}}},
		{"under construction", profileJSON(`{"under_construction":true}`), rooms.Profile{UnderConstruction: true}},
		{"nothing about check-in", profileJSON(`{}`), rooms.Profile{}},
		{"nulls", profileJSON(`{"under_construction":null,"checkin_and_checkout":null}`), rooms.Profile{}},
		{"no setup", profileJSON(`null`), rooms.Profile{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			f.srv.answerAPI(say(200, tt.body))
			got, err := f.Profile(t.Context(), ada)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if call := f.srv.calls()[0]; call.method != "GET" || call.path != "/v2/rooms/qMOLddnySIGGVycz8aX_JQ" {
				t.Errorf("asked by %s %s", call.method, call.path)
			}
		})
	}
}

func TestProfileFaults(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		status     int
		kind       rooms.FaultKind
	}{
		{"no scope", `{"code":4711,"message":"Invalid access token."}`, 400, rooms.FaultPermission},
		{"no such room", `{"code":1012,"message":"Room does not exist: x."}`, 404, rooms.FaultNotFound},
		{"empty", ``, 200, rooms.FaultBadAnswer},
		{"hollow", `{}`, 200, rooms.FaultBadAnswer},
		{"a list", `["` + plantedCode + `"]`, 200, rooms.FaultBadAnswer},
		{"half", `{"basic":{"activation_code":"` + plantedCode, 200, rooms.FaultBadAnswer},
		{"too large", profileJSON(options("600", "600")) + string(make([]byte, 1<<20)), 200, rooms.FaultBadAnswer},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			f.srv.answerAPI(say(tt.status, tt.body))
			_, err := f.Profile(t.Context(), ada)
			got := faultOf(t, err)
			if got.Kind != tt.kind {
				t.Errorf("got %v", err)
			}
			if want := "the app lacks the scope zoom_rooms:read:room:admin; add it to the app in the Zoom App Marketplace " +
				`(HTTP 400, code 4711: "Invalid access token.")`; got.Kind == rooms.FaultPermission && got.Detail != want {
				t.Errorf("detail %q", got.Detail)
			}
			checkSecrets(t, err.Error())
		})
	}
}
