package rooms

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// What a clock that was ahead let wait is let go by the right one: a release after its undo window,
// reads at once. What was well planned stays as planned.
func TestPlansOfAClockThatWasAhead(t *testing.T) {
	t.Run("a release", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			clock := setClock{off: &atomic.Int64{}}
			clock.off.Store(int64(time.Hour))
			h := newHouse(meeting("m", -5, 120))
			r := h.startAt(t, clock)
			defer r.crash()
			r.tap(t, Release, "m")
			clock.set(r, -time.Hour, ClockTrusted)
			after(DefaultUndoWindow - time.Second)
			r.wasSent(t)
			after(time.Second)
			r.wasSent(t, "release em")
		})
	})
	for name, c := range map[string]struct {
		ahead time.Duration
		want  []time.Duration // when the calendar is read, after the clock was set
	}{
		"reads":               {time.Hour, []time.Duration{0}},
		"reads, well planned": {0, []time.Duration{0, readSoon, readSooner, readSoonAtLatest, confirmBy}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				clock := setClock{off: &atomic.Int64{}}
				clock.off.Store(int64(c.ahead))
				h := newHouse(meeting("m", -5, 120))
				h.stubborn = true
				r := h.startAt(t, clock, ClockTrusted)
				r.crash()
				r = h.start(t, func(k *KeeperConfig) { k.Clock, k.Poll, k.Room.UndoWindow = clock, 48*time.Hour, 0 })
				defer r.crash()
				r.tap(t, Release, "m")
				h.set(func(h *house) { h.reads = nil })
				set := time.Now()
				clock.set(r, -c.ahead, ClockTrusted)
				after(2 * time.Hour)
				if len(r.reads) != len(c.want) {
					t.Fatalf("%d reads, want %d", len(r.reads), len(c.want))
				}
				for i, at := range r.reads {
					if at.Sub(set) != c.want[i] {
						t.Errorf("read after %v, want %v", at.Sub(set), c.want[i])
					}
				}
			})
		})
	}
}

// A clock that is set without a word to the keeper is noticed within a minute.
func TestLooksAtTheClockEveryMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := setClock{off: &atomic.Int64{}}
		h := newHouse(meeting("m", 60, 90))
		r := h.start(t, func(c *KeeperConfig) { c.Clock, c.Poll, c.Room.StaleAfter = clock, time.Hour, time.Hour })
		defer r.crash()
		clock.off.Add(int64(55 * time.Minute))
		after(lookAgain)
		if s := h.screens[len(h.screens)-1]; s.Status != StartingSoon {
			t.Errorf("the door says %s", s.Status)
		}
	})
}

// After the clock was set the calendar is read: the answer's Date is evidence.
func TestTheCalendarIsReadWhenTheClockWasSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(meeting("m", -5, 55))
		r := h.start(t, func(c *KeeperConfig) { c.Poll = time.Hour })
		defer r.crash()
		after(time.Minute)
		r.Clock(ClockJumped)
		synctest.Wait()
		if n := len(r.reads); n != 2 {
			t.Errorf("%d reads", n)
		}
	})
}

// When Zoom is back, what waits for it goes soon, and what was to go sooner isn't delayed by that. What
// waits for something else waits on.
func TestZoomIsBack(t *testing.T) {
	for _, c := range []struct {
		kind  FaultKind
		after time.Duration // the first delivery Zoom is back
		want  time.Duration // from the first delivery to the second
	}{
		{FaultTrouble, 100 * time.Millisecond, 550 * time.Millisecond},
		{FaultCredentials, 10 * time.Second, 11 * time.Second},
		{FaultRoomOffline, 10 * time.Second, retrySlow},
		{FaultThrottled, 100 * time.Millisecond, 2750 * time.Millisecond},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(meeting("m", -5, 55))
				var at []time.Time
				h.answer = func() error {
					at = append(at, time.Now())
					return &Fault{Service: "Zoom", Kind: c.kind}
				}
				r := h.start(t)
				defer r.crash()
				r.tap(t, CheckIn, "m")
				after(c.after)
				r.ZoomReach(nil)
				after(time.Minute)
				if got := at[1].Sub(at[0]); got != c.want {
					t.Errorf("sent again after %v, want %v", got, c.want)
				}
			})
		})
	}
}
