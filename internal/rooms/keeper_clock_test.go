package rooms

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// setClock is a clock that can be set. Its timers, like a machine's, don't follow.
type setClock struct {
	wallClock
	off *atomic.Int64
}

func (c setClock) Now() time.Time { return c.wallClock.Now().Add(time.Duration(c.off.Load())) }

// set moves the clock and tells the keeper, as the watch of the clock does within a second.
func (c setClock) set(r run, by time.Duration, doubt ClockDoubt) {
	c.off.Add(int64(by))
	r.Clock(doubt)
	synctest.Wait()
}

func (h *house) startAt(t *testing.T, c setClock, doubt ...ClockDoubt) run {
	start := time.Now()
	return h.start(t, func(cfg *KeeperConfig) {
		cfg.Clock, cfg.Steady = c, func() time.Duration { return time.Since(start) }
		if len(doubt) > 0 {
			cfg.ClockDoubt = doubt[0]
		}
	})
}

// An hour ahead or back, and right again: nothing is lost, expired or released by the wrong hour, and
// what is true is shown as soon as the time is known.
func TestTheClockIsSet(t *testing.T) {
	for _, jump := range []time.Duration{time.Hour, -time.Hour} {
		t.Run(jump.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(meeting("m", -5, 40))
				h.sendFault = unreachable()
				clock := setClock{off: &atomic.Int64{}}
				r := h.startAt(t, clock)
				defer r.crash()
				a := r.tap(t, CheckIn, "m")
				after(time.Minute)

				clock.set(r, jump, ClockJumped)
				after(2 * time.Minute)
				s := r.Screen()
				if s.Status != Unknown || !s.Has(FlagClockUntrusted) {
					t.Errorf("by a wrong clock: %s, %v", s.Status, s.Flags)
				}
				if got := r.action(t, a.ID); got.State != Queued {
					t.Errorf("by a wrong clock: %s", got.State)
				}
				sent := len(r.sent)

				clock.set(r, -jump, ClockTrusted)
				h.set(func(h *house) { h.sendFault = nil })
				after(time.Minute)
				if s := r.Screen(); s.Status != InUse || len(s.Flags) > 0 {
					t.Errorf("when the time is known: %s, %v", s.Status, s.Flags)
				}
				if got := r.action(t, a.ID); got.State != Accepted || len(r.sent) == sent {
					t.Errorf("when the time is known: %s after %d attempts", got.State, len(r.sent)-sent)
				}
			})
		})
	}
}

// What a clock that was ahead had scheduled doesn't wait until then.
func TestTheClockWasAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := setClock{off: &atomic.Int64{}}
		clock.off.Store(int64(24 * time.Hour))
		h := newHouse(meeting("m", -5, 3*24*60))
		h.sendFault = unreachable()
		r := h.startAt(t, clock)
		defer r.crash()
		a := r.tap(t, CheckIn, "m")
		after(time.Minute)
		h.set(func(h *house) { h.sendFault = nil })
		clock.set(r, -24*time.Hour, ClockTrusted)
		after(30 * time.Second)
		if got := r.action(t, a.ID); got.State != Accepted {
			t.Errorf("a day later it would be sent: %s, due %v", got.State, got.DueAt.Sub(clock.Now()))
		}
		if s := r.Screen(); s.Has(FlagStale) || s.Status != InUse {
			t.Errorf("%s, %v", s.Status, s.Flags)
		}
	})
}

// A schedule from the future says nothing about its age.
func TestScheduleFromTheFuture(t *testing.T) {
	in := Inputs{
		Room:     Room{Zone: time.UTC, StaleAfter: DefaultStaleAfter},
		Schedule: NewSchedule("c", noon.Add(-time.Hour), noon.Add(24*time.Hour), noon.Add(time.Hour), nil),
	}
	for at, want := range map[time.Duration]bool{0: true, 58 * time.Minute: false, 61*time.Minute + 31*time.Second: true} {
		if got := ScreenOf(in, noon.Add(at)).Has(FlagStale); got != want {
			t.Errorf("after %v: stale %v", at, got)
		}
	}
}

// On the nights on which the clocks change a keeper goes through the hours as they are.
func TestDSTNights(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		day  time.Time
		long time.Duration // from midnight to midnight
	}{
		"spring": {time.Date(2027, 3, 28, 0, 0, 0, 0, berlin), 23 * time.Hour},
		"autumn": {time.Date(2026, 10, 25, 0, 0, 0, 0, berlin), 25 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				after(time.Until(c.day.Add(-time.Hour)))
				h := newHouse()
				for i := range 5 { // an hour each, through the change, with half an hour between
					from := c.day.Add(time.Duration(i) * 90 * time.Minute)
					h.onCal = append(h.onCal, Reservation{ID: string(rune('a' + i)), Start: from, End: from.Add(time.Hour)})
				}
				none := false
				r := h.start(t, func(cfg *KeeperConfig) { cfg.Room.Zone, cfg.Room.CheckIn.Required = berlin, &none })
				defer r.crash()
				for at := c.day.Add(time.Minute); at.Before(c.day.Add(8 * time.Hour)); at = at.Add(10 * time.Minute) {
					after(time.Until(at))
					want := Available
					if since := at.Sub(c.day); since < 5*90*time.Minute && since%(90*time.Minute) < time.Hour {
						want = InUse
					}
					if s := r.Screen(); s.Status != want && (want != Available || s.Status != StartingSoon) {
						t.Errorf("at %v: %s, want %s", at, s.Status, want)
					}
				}
				today := r.Screen().Today
				if !today.Equal(c.day) || DayStart(time.Now(), berlin, 1).Sub(today) != c.long {
					t.Errorf("the day began at %v and lasts %v", today, DayStart(time.Now(), berlin, 1).Sub(today))
				}
			})
		})
	}
}

// The keeper wakes after the clock was set and before whoever watches it has looked: nothing expires, and
// nothing is shown as if it were so late.
func TestSetBeforeAnybodyLooked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(meeting("m", -5, 55))
		h.sendFault = unreachable()
		clock := setClock{off: &atomic.Int64{}}
		r := h.startAt(t, clock)
		defer r.crash()
		a := r.tap(t, CheckIn, "m")
		after(time.Minute)
		clock.off.Add(int64(24 * time.Hour))
		r.ZoomReach(nil)
		after(900 * time.Millisecond)
		if got := r.action(t, a.ID); !got.State.Open() {
			t.Errorf("%s by a wrong hour", got.State)
		}
		if s := r.Screen(); s.Status != Unknown {
			t.Errorf("the door says %s", s.Status)
		}
		r.Clock(ClockJumped)
		clock.set(r, -24*time.Hour, ClockTrusted)
		h.set(func(h *house) { h.sendFault = nil })
		after(time.Minute)
		if got := r.action(t, a.ID); got.State != Accepted || r.Screen().Status != InUse {
			t.Errorf("%s, %s", got.State, r.Screen().Status)
		}
	})
}

// A step there and back, between two looks of whoever watches the clock, isn't doubted for ever.
func TestThereAndBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(meeting("m", -5, 55))
		clock := setClock{off: &atomic.Int64{}}
		r := h.startAt(t, clock)
		defer r.crash()
		clock.off.Add(int64(time.Hour))
		r.ZoomReach(nil)
		after(100 * time.Millisecond)
		clock.off.Add(-int64(time.Hour))
		r.ZoomReach(nil)
		after(time.Second)
		if s := r.Screen(); s.Status != Unknown {
			t.Errorf("the keeper noticed nothing: %s", s.Status)
		}
		after(20 * time.Second)
		if s := r.Screen(); s.Status != AwaitingCheckIn {
			t.Errorf("still %s, %v", s.Status, s.Flags)
		}
	})
}

// What the journal remembers isn't forgotten by a machine that starts with a clock that is ahead.
func TestStartedAhead(t *testing.T) {
	for _, kind := range []ActionKind{CheckIn, Release} {
		t.Run(string(kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(meeting("m", -5, 55))
				h.stubborn = true
				clock := setClock{off: &atomic.Int64{}}
				r := h.startAt(t, clock)
				r.tap(t, kind, "m")
				after(time.Minute)
				before := r.Screen().Status
				r.crash()
				clock.off.Store(int64(24 * time.Hour))
				r = h.startAt(t, clock, ClockUnsynchronised)
				defer r.crash()
				after(5 * time.Second)
				clock.set(r, -24*time.Hour, ClockTrusted)
				after(30 * time.Second)
				if got := r.Screen().Status; got != before {
					t.Errorf("it was %s, and is %s", before, got)
				}
			})
		})
	}
}
