package zoom

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"roomkiosk/internal/rooms"
)

// A burst, and then 15 a second.
func TestPace(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bubble) {
		var wg sync.WaitGroup
		for range burst + 10*perSecond {
			wg.Go(func() {
				if err := b.CheckIn(t.Context(), ada, googleRef); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if n := len(b.srv.calls()); n != burst {
			t.Errorf("%d at once", n)
		}
		wg.Wait()
		if d := time.Since(b.start); d < 10*time.Second || d > 10*time.Second+100*time.Millisecond {
			t.Errorf("took %v", d)
		}
	})
}

// A tap goes ahead of all reads that wait, and reads leave slots for the taps to come.
func TestTapsGoAhead(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bubble) {
		b.srv.answerAPI(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				say(200, `{"basic":{}}`)(w, r)
				return
			}
			w.WriteHeader(202)
		})
		var wg sync.WaitGroup
		for range 300 {
			wg.Go(func() {
				if _, err := b.Profile(t.Context(), ada); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if n := len(b.srv.calls()); n != burst-spare {
			t.Errorf("%d reads at once", n)
		}
		pass(3 * time.Second)
		at := time.Now()
		for range spare + 1 {
			if err := b.CheckIn(t.Context(), ada, googleRef); err != nil {
				t.Error(err)
			}
		}
		if d := time.Since(at); d > time.Second/perSecond+shortestTurn {
			t.Errorf("taps waited for %v", d)
		}
		wg.Wait()
	})
}

// Whoever waits for a turn can give up, and nothing was sent.
func TestWaitForTurnCanBeGivenUp(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bubble) {
		for range burst {
			_ = b.CheckIn(t.Context(), ada, googleRef)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		f := rooms.FaultOf(b.CheckIn(ctx, ada, googleRef))
		if f.Kind != rooms.FaultThrottled || f.Ambiguous || !errors.Is(f, context.DeadlineExceeded) {
			t.Errorf("%+v", f)
		}
		given, giveUp := context.WithCancel(t.Context())
		giveUp()
		if f := rooms.FaultOf(b.CheckIn(given, ada, googleRef)); f.Ambiguous || !errors.Is(f, context.Canceled) {
			t.Errorf("%+v", f)
		}
		if n := len(b.srv.calls()); n != burst || b.reach.String() != "" {
			t.Errorf("%d requests, reach was told %q", n, b.reach)
		}
	})
}

// Those who wait for their turn don't go on waiting when the breaker opens.
func TestOpenBreakerEmptiesTheLine(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bubble) {
		gate := make(chan struct{})
		b.srv.answerAPI(func(http.ResponseWriter, *http.Request) { <-gate; panic(http.ErrAbortHandler) })
		var wg sync.WaitGroup
		var mu sync.Mutex
		refused := 0
		for range 1000 {
			wg.Go(func() {
				f := rooms.FaultOf(b.CheckIn(t.Context(), ada, googleRef))
				mu.Lock()
				defer mu.Unlock()
				if !f.Ambiguous && strings.Contains(f.Detail, "not sent") && f.RetryAfter == firstPause {
					refused++
				}
			})
		}
		synctest.Wait()
		close(gate)
		wg.Wait()
		if n := len(b.srv.calls()); n != burst || refused != 1000-burst || time.Since(b.start) != 0 {
			t.Errorf("%d requests, %d refused after %v", n, refused, time.Since(b.start))
		}
	})
}

// A clock that stands still or is set back costs no more than the turn itself.
func TestLineAndClock(t *testing.T) {
	clock := &handClock{at: noon}
	l := newLine(clock)
	for i := range burst + 3 {
		if i == burst {
			clock.move(-time.Hour)
		}
		if err := l.wait(t.Context(), i%2 == 0, nil); err != nil {
			t.Fatal(err)
		}
	}
}

// The line is out of the way of an outage: what fails at once takes its turns and no more.
func TestFailuresTakeTurns(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bubble) {
		b.pipes.cut(syscall.ECONNREFUSED)
		for range 100 {
			_ = b.CheckIn(t.Context(), ada, googleRef)
		}
		if time.Since(b.start) != 0 || b.pipes.dialed() != tripAfter {
			t.Errorf("took %v, dialed %d times", time.Since(b.start), b.pipes.dialed())
		}
	})
}
