package sim_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"roomkiosk/internal/sim"
)

func TestFaultsOfAnswers(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{}).signIn()
	b.meeting("m1", 0, 30)
	whole := b.list("").body
	cases := []struct {
		name   string
		fault  sim.Fault
		status int
		fine   func(body string) bool
	}{
		{"status", sim.Fault{Status: 503}, 503, func(s string) bool { return strings.Contains(s, `"backendError"`) }},
		{"own body", sim.Fault{Status: 500, Body: "oops"}, 500, func(s string) bool { return s == "oops" }},
		{"quota", sim.GoogleQuota(429, "quotaExceeded"), 429, func(s string) bool { return strings.Contains(s, `"quotaExceeded"`) }},
		{"token refused", sim.Fault{Unauthorized: true}, 401, func(s string) bool { return strings.Contains(s, `"authError"`) }},
		{"cut off", sim.Fault{Malformed: true}, 200, func(s string) bool { return s == whole[:len(whole)/2] }},
		{"no body", sim.Fault{Empty: true}, 200, func(s string) bool { return s == "" }},
		{"empty object", sim.Fault{Hollow: true}, 200, func(s string) bool { return s == "{}" }},
		{"login page", sim.Fault{HTML: true}, 200, func(s string) bool { return strings.HasPrefix(s, "<!DOCTYPE html>") }},
		{"huge", sim.Fault{Huge: 9 << 20}, 200, func(s string) bool { return len(s) == 9<<20+len(whole) }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b.Google.Faults().Set("x", c.fault)
			if r := b.list(""); r.status != c.status || !c.fine(r.body) {
				t.Errorf("got %d %.200s", r.status, r.body)
			}
			b.Google.Faults().Clear("x")
			if r := b.list(""); r.status != 200 || r.body != whole {
				t.Errorf("after mending: %d %.200s", r.status, r.body)
			}
		})
	}
}

func TestFaultIsOverAfterItsTimes(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{}).signIn()
	b.Zoom.Faults().Set("x", sim.Fault{Unauthorized: true, Times: 2})
	b.zoomToken() // token requests aren't counted
	for i, want := range []int{401, 401, 200, 200} {
		if r := b.get("/rooms"); r.status != want {
			t.Errorf("request %d: got %d, want %d", i+1, r.status, want)
		}
	}
	if b.Zoom.Faults().Active("x") {
		t.Error("still active")
	}
}

func TestFaultOnlyOnWhatMatches(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{}).signIn()
	b.meeting("m1", 0, 30)
	b.Zoom.Faults().Set("x", sim.Fault{Method: "PATCH", Path: adaZoom, Status: 500})
	if r := b.patch(adaZoom, checkIn("m1")); r.status != 500 || r.body != `{"code":500,"message":"Internal Server Error"}` {
		t.Errorf("matching request: %d %s", r.status, r.body)
	}
	if r := b.get("/rooms/" + adaZoom); r.status != 200 {
		t.Errorf("other method: %d %s", r.status, r.body)
	}
	if r := b.patch(mailZoom, checkIn("m1")); r.status != 400 {
		t.Errorf("other room: %d %s", r.status, r.body)
	}
}

func TestFaultDownAndDropped(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{}).signIn()
	b.meeting("m1", 0, 30)
	auth := []string{"Authorization", "Bearer " + b.zoom, "Content-Type", "application/json"}
	for name, fault := range map[string]sim.Fault{"down": {Down: true}, "dropped": {DropAfter: true}} {
		b.Zoom.Faults().Set("x", fault)
		if r, err := b.send("PATCH", b.ZoomURL()+"/rooms/"+adaZoom+"/events", checkIn("m1"), auth...); err == nil {
			t.Errorf("%s: got an answer: %d %s", name, r.status, r.body)
		}
		b.clock.move(time.Second)
		e, _ := b.Calendar.Event(adaCal, "m1")
		if carriedOut := !e.CheckedIn.IsZero(); carriedOut != fault.DropAfter {
			t.Errorf("%s: carried out: %v", name, carriedOut)
		}
		b.Calendar.Change(adaCal, "m1", func(e *sim.Event) { e.CheckedIn = time.Time{} })
	}
	all := b.Zoom.Requests()
	if last := all[len(all)-1]; last.Status != 0 || last.Param("event_id") != "m1" {
		t.Errorf("logged as %+v", last)
	}
}

func TestFaultSlow(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{}).signIn()
	b.meeting("m1", 0, 30)
	b.Zoom.Faults().Set("x", sim.Fault{Slow: time.Hour})
	ctx, giveUp := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, "PATCH", b.ZoomURL()+"/rooms/"+adaZoom+"/events", strings.NewReader(checkIn("m1")))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+b.zoom)
	req.Header.Set("Content-Type", "application/json")
	failed := make(chan error, 1)
	go func() {
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		failed <- err
	}()
	got, err := b.Zoom.Wait(t.Context(), func(r sim.Request) bool { return r.Method == "PATCH" })
	if err != nil || got.Status != 0 {
		t.Errorf("while it is slow: %+v, %v", got, err)
	}
	giveUp()
	if err := <-failed; err == nil {
		t.Error("got an answer")
	}
	b.clock.move(time.Second)
	if e, _ := b.Calendar.Event(adaCal, "m1"); !e.CheckedIn.IsZero() {
		t.Error("carried out although the client gave up first")
	}

	b.Zoom.Faults().Set("x", sim.Fault{Slow: 20 * time.Millisecond, SlowAnswer: 20 * time.Millisecond})
	begun := time.Now()
	if r := b.get("/rooms"); r.status != 200 || time.Since(begun) < 40*time.Millisecond {
		t.Errorf("got %d after %v", r.status, time.Since(begun))
	}
}

func TestThrottleForms(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{}).signIn()
	at := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	cases := []struct {
		name   string
		fault  sim.Fault
		header map[string]string
		text   string
	}{
		{"per second", sim.ThrottlePerSecond(at), map[string]string{"X-RateLimit-Type": "QPS", "X-RateLimit-Reset": "1795478400", "Retry-After": ""}, "per-second"},
		{"daily", sim.ThrottleDaily(at), map[string]string{"X-RateLimit-Type": "Daily-limit", "Retry-After": "2026-11-24T00:00:00Z"}, "daily"},
		{"concurrent", sim.ThrottleConcurrent(), map[string]string{"X-RateLimit-Type": "", "Retry-After": ""}, "concurrent"},
		{"bare", sim.ThrottleBare(), map[string]string{"X-RateLimit-Type": "", "Retry-After": ""}, "per-second"},
		{"seconds", sim.ThrottleRetryAfter("7"), map[string]string{"Retry-After": "7"}, "per-second"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b.Zoom.Faults().Set("x", c.fault)
			r := b.get("/rooms")
			if r.status != 429 || r.json(t)["code"] != 429.0 || !strings.Contains(r.body, c.text) {
				t.Errorf("got %d %s", r.status, r.body)
			}
			for name, want := range c.header {
				if got := r.header.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			b.zoomToken() // the limits are the API's, not the token endpoint's
		})
	}
}

func TestFaultsJoin(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{}).signIn()
	b.Google.Faults().Set("a", sim.Fault{Slow: 10 * time.Millisecond})
	b.Google.Faults().Set("b", sim.Fault{Status: 503})
	b.Google.Faults().Set("c", sim.Fault{Status: 500})
	begun := time.Now()
	if r := b.list(""); r.status != 503 || time.Since(begun) < 10*time.Millisecond {
		t.Errorf("got %d after %v", r.status, time.Since(begun))
	}
	b.Google.Faults().ClearAll()
	if r := b.list(""); r.status != 200 {
		t.Errorf("after mending: %d", r.status)
	}
}
