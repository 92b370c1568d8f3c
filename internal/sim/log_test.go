package sim_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"roomkiosk/internal/sim"
)

func TestLogTellsNoSecrets(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{}).signIn()
	r := b.Zoom.Requests()[0]
	if r.Method != "POST" || r.Path != "/oauth/token" || r.Status != 200 || r.Body["account_id"] != "acc" || !r.At.Equal(morning) {
		t.Errorf("logged as %+v", r)
	}
	if r.Header.Get("Authorization") != "" {
		t.Error("the client's secret is in the log")
	}
	if strings.Contains(r.Answer, b.zoom) {
		t.Error("the access token is in the log")
	}
}

func TestLogIsBounded(t *testing.T) {
	clock := &handClock{now: morning}
	w := sim.NewWorld(sim.WorldConfig{Clock: clock, Now: clock.Now})
	for range 11_050 {
		w.Zoom.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/"+clock.Now().Format("150405"), nil))
		clock.move(time.Second)
	}
	all := w.Zoom.Requests()
	if len(all) != 10_000 || !all[9999].At.Equal(clock.Now().Add(-time.Second)) {
		t.Errorf("%d requests, the last at %v", len(all), all[len(all)-1].At)
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Zoom.Wait(ctx, func(sim.Request) bool { return true }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestEverythingAtOnce(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{}).signIn()
	b.meeting("m1", 0, 600)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 5 {
				b.patch(adaZoom, checkIn("m1"))
				b.list("singleEvents=true")
				b.clock.move(time.Second)
				b.Zoom.SetOffline(adaZoom, false)
				b.Calendar.End(adaCal, "m1", morning.Add(5*time.Hour))
			}
		})
	}
	all.Wait()
	if got := len(b.Zoom.Requests()); got != 41 {
		t.Errorf("%d requests logged, want 41", got)
	}
	if e, _ := b.Calendar.Event(adaCal, "m1"); e.CheckedIn.IsZero() {
		t.Error("not checked in")
	}
}
