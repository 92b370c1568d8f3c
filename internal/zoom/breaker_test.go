package zoom

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"roomkiosk/internal/rooms"
)

// crowd lets 1,000 rooms check in for ten minutes, each again when it was told that it may, at least
// a second later.
func (b *bubble) crowd(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	for range 1000 {
		wg.Go(func() {
			for ctx.Err() == nil {
				wait := time.Hour
				if f := rooms.FaultOf(b.CheckIn(ctx, ada, googleRef)); f != nil {
					wait = max(f.RetryAfter, time.Second)
				}
				select {
				case <-time.After(wait):
				case <-ctx.Done():
				}
			}
		})
	}
	wg.Wait()
}

// What 1,000 rooms send to a Zoom that is down for ten minutes: the burst of 15 that finds it out, and
// 11 probes. When Zoom doesn't answer at all, 135 are under way until the first of them fails after 8 s.
func TestDeadZoomIsNotHammered(t *testing.T) {
	for name, tt := range map[string]struct {
		api http.HandlerFunc
		cut error
		max int
	}{
		"refuses connections": {cut: syscall.ECONNREFUSED, max: 30},
		"503":                 {api: say(503, ""), max: 30},
		"a log-in page":       {api: say(200, "<html>", "Content-Type", "text/html"), max: 30},
		"no answers":          {api: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, max: 150},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bubble) {
				b.run(t)
				b.srv.answerAPI(tt.api)
				b.pipes.cut(tt.cut)
				before, renewed := b.pipes.dialed(), len(b.srv.tokenCalls())
				b.crowd(t)
				sent := len(b.srv.calls())
				if tt.cut != nil {
					sent = b.pipes.dialed() - before - 4 // probes of Run
				}
				t.Logf("%d requests, %d tokens", sent, len(b.srv.tokenCalls())-renewed)
				if sent < tripAfter || sent > tt.max {
					t.Errorf("%d requests", sent)
				}
			})
		})
	}
}

// trip makes requests fail until the breaker opens, and returns the last real fault.
func (b *bubble) trip(t *testing.T) {
	t.Helper()
	b.srv.answerAPI(say(503, ""))
	for range tripAfter {
		if f := rooms.FaultOf(b.CheckIn(t.Context(), ada, googleRef)); f.Kind != rooms.FaultTrouble || !f.Ambiguous {
			t.Fatal(f)
		}
	}
}

func TestOpenBreaker(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bubble) {
		b.trip(t)
		b.expect(t, 1, "trouble")
		pass(5 * time.Second)
		f := rooms.FaultOf(b.CheckIn(t.Context(), ada, googleRef))
		if f.Kind != rooms.FaultTrouble || f.Ambiguous || f.RetryAfter != 10*time.Second || f.Service != "Zoom" {
			t.Errorf("%+v", f)
		}
		pass(f.RetryAfter)
		b.srv.answerAPI(nil)
		if err := b.CheckIn(t.Context(), ada, googleRef); err != nil {
			t.Error(err)
		}
		b.expect(t, 1, "trouble back")
		if n := len(b.srv.calls()); n != tripAfter+1 {
			t.Errorf("%d requests", n)
		}
		b.trip(t) // it takes as many failures again
	})
}

// One request probes, the others are told to wait; each failure makes the next pause longer.
func TestProbesOfTheBreaker(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bubble) {
		b.trip(t)
		for _, pause := range []time.Duration{15, 30, 60, 60} {
			pause *= time.Second
			pass(pause - time.Second)
			if f := rooms.FaultOf(b.CheckIn(t.Context(), ada, googleRef)); f.RetryAfter != time.Second {
				t.Fatalf("a second before: %v", f.RetryAfter)
			}
			pass(time.Second)
			gate := make(chan struct{})
			b.srv.answerAPI(func(w http.ResponseWriter, _ *http.Request) { <-gate; w.WriteHeader(500) })
			n := len(b.srv.calls())
			var wg sync.WaitGroup
			for range 20 {
				wg.Go(func() { _ = b.CheckIn(t.Context(), ada, googleRef) })
			}
			synctest.Wait()
			if sent := len(b.srv.calls()) - n; sent != 1 {
				t.Fatalf("after %v: %d probes", pause, sent)
			}
			close(gate)
			wg.Wait()
		}
	})
}

// A Retry-After is honoured for all, within bounds.
func TestBreakerWaitsAsAsked(t *testing.T) {
	for asked, want := range map[string]time.Duration{"5": firstPause, "90": 90 * time.Second, "3600": maxPause} {
		inBubble(t, func(t *testing.T, b *bubble) {
			b.srv.answerAPI(say(503, "", "Retry-After", asked))
			for range tripAfter {
				_ = b.CheckIn(t.Context(), ada, googleRef)
			}
			if f := rooms.FaultOf(b.CheckIn(t.Context(), ada, googleRef)); f.RetryAfter != want {
				t.Errorf("asked for %s: %v, want %v", asked, f.RetryAfter, want)
			}
		})
	}
}

// What isn't about Zoom as a whole doesn't open the breaker, however often it happens.
func TestBreakerStaysClosed(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"throttled": say(429, ""), "room offline": say(400, saysOfflineText), "invalid": say(400, `{"code":300,"message":"Invalid parameters."}`),
		"no room": say(404, `{"code":1012}`), "no scope": say(400, saysNoScope), "token refused": say(401, ""), "a page, 404": say(404, "<html>"),
	} {
		inBubble(t, func(t *testing.T, b *bubble) {
			b.srv.answerAPI(answer)
			for range 3 * tripAfter {
				if f := rooms.FaultOf(b.CheckIn(t.Context(), ada, googleRef)); strings.Contains(f.Detail, "not sent") {
					t.Fatalf("%s: %v", name, f)
				}
			}
		})
	}
	inBubble(t, func(t *testing.T, b *bubble) { // given up
		b.srv.answerAPI(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		for range 3 * tripAfter {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			_ = b.CheckIn(ctx, ada, googleRef)
		}
		b.srv.answerAPI(nil)
		if err := b.CheckIn(t.Context(), ada, googleRef); err != nil {
			t.Error(err)
		}
	})
	inBubble(t, func(t *testing.T, b *bubble) { // failures with a success between
		for i := range 6 * tripAfter {
			b.srv.answerAPI(say(503, ""))
			if i%(tripAfter-1) == 0 {
				b.srv.answerAPI(nil)
			}
			if f := rooms.FaultOf(b.CheckIn(t.Context(), ada, googleRef)); f != nil && f.Detail != "" && !f.Ambiguous {
				t.Fatal(f)
			}
		}
	})
}

// Many that wait for one token see one failure, not as many as they are.
func TestOneTokenIsOneFailure(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bubble) {
		gate := make(chan struct{})
		b.srv.answerToken(func(w http.ResponseWriter, _ *http.Request) { <-gate; w.WriteHeader(503) })
		var wg sync.WaitGroup
		for range 2 * tripAfter {
			wg.Go(func() { _ = b.CheckIn(t.Context(), ada, googleRef) })
		}
		synctest.Wait()
		close(gate)
		wg.Wait()
		b.srv.answerToken(nil)
		if err := b.CheckIn(t.Context(), ada, googleRef); err != nil {
			t.Error(err)
		}
	})
}

// When nobody has anything to send, Run asks, as soon as the breaker lets it.
func TestRunProbesThroughTheBreaker(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bubble) {
		b.run(t)
		b.trip(t)
		pass(firstPause)
		_ = b.CheckIn(t.Context(), ada, googleRef) // open until 45 s, while Run probes after about 30 s
		b.srv.answerAPI(nil)
		b.after(45*time.Second - time.Millisecond)
		b.expect(t, 1, "trouble")
		b.after(45 * time.Second)
		b.expect(t, 2, "trouble back")
		if err := b.CheckIn(t.Context(), ada, googleRef); err != nil {
			t.Error(err)
		}
		b.expect(t, 2, "trouble back")
	})
}

// A clock that is set back doesn't keep the breaker open.
func TestBreakerAndClock(t *testing.T) {
	f := newFixture(t)
	f.srv.answerAPI(say(503, ""))
	for range tripAfter + 1 {
		_ = f.CheckIn(t.Context(), ada, googleRef)
	}
	f.clock.move(-24 * time.Hour)
	f.srv.answerAPI(nil)
	if err := f.CheckIn(t.Context(), ada, googleRef); err != nil {
		t.Error(err)
	}
	if n := len(f.srv.calls()); n != tripAfter+1 {
		t.Errorf("%d requests", n)
	}
}
