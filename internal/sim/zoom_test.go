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

	b.clock.move(5 * time.Minute)
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
