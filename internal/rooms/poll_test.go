package rooms

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// gated is a calendar that answers a read when it is let.
type gated struct {
	*house
	gate chan struct{}
}

func (g gated) Read(ctx context.Context, room Room, from, to time.Time) ([]Reservation, error) {
	select {
	case <-g.gate:
		return g.house.Read(ctx, room, from, to)
	case <-ctx.Done():
		return nil, unreachable()
	}
}

func (g gated) let() {
	g.gate <- struct{}{}
	synctest.Wait()
}

// What was asked for by a wrong hour isn't believed when the answer comes by the right one.
func TestReadAskedForBeforeTheClockWasSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(meeting("m", -5, 55))
		cal := gated{h, make(chan struct{})}
		clock := setClock{off: &atomic.Int64{}}
		clock.off.Store(int64(48 * time.Hour))
		r := h.start(t, func(c *KeeperConfig) { c.Clock, c.Calendar = clock, cal })
		defer r.crash()
		clock.set(r, -48*time.Hour, ClockTrusted)
		cal.let()
		if s := r.Screen(); !s.AsOf.IsZero() || s.Status != Unknown || len(s.Bookings) > 0 {
			t.Errorf("by the answer to the first question: %s, as of %v", s.Status, s.AsOf)
		}
		if len(h.cached) > 0 {
			t.Error("it is cached, too")
		}
		cal.let()
		if s := r.Screen(); s.Status != AwaitingCheckIn || !s.AsOf.Equal(clock.Now()) {
			t.Errorf("by the answer to the next: %s, as of %v", s.Status, s.AsOf)
		}
	})
}

// While the time isn't known, what is read doesn't replace what was read by a known one; what there is
// none of is better than nothing.
func TestReadByAnUntrustedClock(t *testing.T) {
	for name, c := range map[string]struct {
		start ClockDoubt
		then  []ClockDoubt
		want  []string
	}{
		"a schedule is there": {ClockTrusted, []ClockDoubt{ClockJumped}, []string{"m"}},
		"none is there":       {ClockUnsynchronised, nil, []string{"m"}},
		"the time is known":   {ClockTrusted, []ClockDoubt{ClockJumped, ClockTrusted}, []string{"n"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(meeting("m", -5, 55))
				r := h.start(t, func(k *KeeperConfig) { k.ClockDoubt = c.start })
				defer r.crash()
				asOf := r.Screen().AsOf
				h.set(func(h *house) { h.calFault = unreachable() })
				after(time.Minute)
				for _, doubt := range c.then {
					r.Clock(doubt)
				}
				h.set(func(h *house) { h.onCal, h.calFault = []Reservation{meeting("n", -5, 55)}, nil })
				after(time.Minute)
				s := r.Screen()
				var got []string
				for _, b := range s.Bookings {
					got = append(got, b.ID)
				}
				if !slices.Equal(got, c.want) || s.AsOf.Equal(asOf) != (got[0] == "m") {
					t.Errorf("the screen has %v as of %v, want %v", got, s.AsOf, c.want)
				}
				if s.Fault != nil {
					t.Errorf("the calendar answers, and is said to be %s", s.Fault.Kind)
				}
			})
		})
	}
}

// A read that began before a release proves nothing about it, and a schedule is as old as its question.
func TestReadUnderWayAtARelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(meeting("m", -5, 55))
		h.stubborn = true
		cal := gated{h, make(chan struct{})}
		r := h.start(t, func(c *KeeperConfig) { c.Calendar, c.Room.UndoWindow = cal, 0 })
		defer r.crash()
		cal.let()
		after(15 * time.Second)
		asked := time.Now()
		after(time.Second)
		a := r.tap(t, Release, "m")
		h.set(func(h *house) { h.onCal = nil })
		after(time.Second)
		cal.let()
		if got := r.action(t, a.ID); got.State != Accepted {
			t.Errorf("by the older question: %s", got.State)
		}
		if s := r.Screen(); !s.AsOf.Equal(asked) {
			t.Errorf("as of %v, asked at %v", s.AsOf, asked)
		}
		after(15 * time.Second)
		cal.let()
		if got := r.action(t, a.ID); got.State != Confirmed {
			t.Errorf("by the newer question: %s", got.State)
		}
	})
}

// What a schedule shows of a release.
func TestShownBy(t *testing.T) {
	out := Action{
		Kind: Release, Reservation: "m", Start: noon.Add(-time.Hour), End: noon.Add(time.Hour),
		TappedAt: noon, State: Accepted, UpdatedAt: noon, ExpiresAt: noon.Add(time.Hour),
	}
	runs := Reservation{ID: "m", Start: out.Start, End: out.End}
	over := Reservation{ID: "m", Start: out.Start, End: noon.Add(time.Second)}
	day := func(from, to time.Duration, asOf time.Duration, of ...Reservation) Schedule {
		return NewSchedule("c", noon.Add(from), noon.Add(to), noon.Add(asOf), of)
	}
	for name, c := range map[string]struct {
		s      Schedule
		state  ActionState
		reason Reason
	}{
		"over":                      {day(-12*time.Hour, 12*time.Hour, time.Second, over), Confirmed, ""},
		"gone":                      {day(-12*time.Hour, 12*time.Hour, time.Second), Confirmed, ""},
		"still there":               {day(-12*time.Hour, 12*time.Hour, time.Second, runs), Accepted, ""},
		"asked at the same instant": {day(-12*time.Hour, 12*time.Hour, 0), Accepted, ""},
		"asked before":              {day(-12*time.Hour, 12*time.Hour, -time.Second), Accepted, ""},
		"of the day before":         {day(-36*time.Hour, -time.Hour, time.Second), Accepted, ""},
		"of the day after":          {day(time.Hour, 36*time.Hour, time.Second), Accepted, ""},
		"soon":                      {day(-12*time.Hour, 12*time.Hour, confirmBy-1, runs), Accepted, ""},
		"never":                     {day(-12*time.Hour, 12*time.Hour, confirmBy, runs), Accepted, ReasonUnseen},
	} {
		t.Run(name, func(t *testing.T) {
			k := &Keeper{log: slog.New(slog.DiscardHandler)}
			a := out
			changed := k.shownBy(&a, c.s)
			if a.State != c.state || a.Reason != c.reason || changed != (a != out) {
				t.Errorf("%s, %q, changed %v", a.State, a.Reason, changed)
			}
		})
	}
}

// A calendar that named an instant is asked no sooner, whatever happens.
func TestRetryAfterOfTheCalendar(t *testing.T) {
	for name, c := range map[string]struct {
		asked, pause time.Duration
	}{
		"named":     {4 * time.Minute, 4 * time.Minute},
		"not named": {0, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse()
				h.calFault = &Fault{Service: "calendar", Kind: FaultThrottled, RetryAfter: c.asked}
				r := h.start(t)
				defer r.crash()
				h.set(func(h *house) { h.calFault = nil })
				after(10 * time.Second)
				r.Clock(ClockTrusted)
				after(10 * time.Minute)
				if got := r.reads[1].Sub(r.reads[0]); got != c.pause {
					t.Errorf("asked again after %v, want %v", got, c.pause)
				}
			})
		})
	}
}

// A release that doesn't show is one line in the log, not one every few minutes.
func TestUnseenIsLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		h := newHouse(meeting("m", -5, 55))
		h.stubborn = true
		r := h.start(t, func(c *KeeperConfig) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
		a := r.tap(t, Release, "m")
		after(20 * time.Minute)
		r.crash()
		if got := r.action(t, a.ID); got.Reason != ReasonUnseen {
			t.Fatalf("%s, %q", got.State, got.Reason)
		}
		if n := strings.Count(log.String(), "calendar did not change"); n != 1 {
			t.Errorf("logged %d times", n)
		}
	})
}

// Kiosks that start at the same moment don't ask at the same moment, nor do they ever come to.
func TestReadsAreSpread(t *testing.T) {
	for _, c := range []struct {
		random       float64
		first, pause time.Duration
	}{
		{0, 0, 9 * time.Second},
		{0.25, 5 * time.Second, 9500 * time.Millisecond},
		{0.5, 10 * time.Second, 10 * time.Second},
		{0.75, 15 * time.Second, 10500 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse()
			begun := time.Now()
			r := h.start(t, func(k *KeeperConfig) {
				k.Poll, k.StartSpread, k.Random = 10*time.Second, 20*time.Second, func() float64 { return c.random }
			})
			defer r.crash()
			h.set(func(h *house) {
				if c.first > 0 && h.profiles > 0 {
					t.Errorf("%v: zoom's settings are read at once", c.random)
				}
			})
			after(30 * time.Second)
			if first := r.reads[0].Sub(begun); first != c.first {
				t.Errorf("%v: the first read after %v, want %v", c.random, first, c.first)
			}
			if pause := r.reads[1].Sub(r.reads[0]).Round(time.Millisecond); pause != c.pause {
				t.Errorf("%v: the next after %v, want %v", c.random, pause, c.pause)
			}
		})
	}
}
