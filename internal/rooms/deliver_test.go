package rooms

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// What becomes due at the same instant goes in the order of the taps.
func TestInTheOrderOfTheTaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(meeting("m", -5, 5), meeting("n", 5, 55))
		h.sendFault = &Fault{Service: "Zoom", Kind: FaultCredentials}
		r := h.start(t)
		defer r.crash()
		r.tap(t, CheckIn, "m")
		after(time.Second)
		r.tap(t, CheckIn, "n")
		h.set(func(h *house) { h.sent, h.sendFault = nil, nil })
		r.ZoomReach(nil)
		after(5 * time.Second)
		r.wasSent(t, "check_in em", "check_in en")
	})
}

// A meeting is lengthened while its check-in is on the way: the check-in outlives the old end, although
// the delivery began before.
func TestLengthenedWhileItIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(meeting("m", -1, 1))
		h.answer = func() error { <-time.After(8 * time.Second); return unreachable() }
		r := h.start(t, func(c *KeeperConfig) { c.Poll = 2 * time.Second })
		defer r.crash()
		a := r.tap(t, CheckIn, "m")
		h.set(func(h *house) { h.onCal[0].End = h.onCal[0].End.Add(30 * time.Minute) })
		after(3 * time.Second)
		h.set(func(h *house) { h.calFault, h.answer, h.sendFault = unreachable(), nil, unreachable() })
		after(2 * time.Minute) // nobody reads the longer end again
		h.set(func(h *house) { h.sendFault = nil })
		after(time.Minute)
		if got := r.action(t, a.ID); got.State != Accepted {
			t.Errorf("%s", got.State)
		}
	})
}

// mute is a calendar that answers no look-up.
type mute struct{ *house }

func (mute) Lookup(ctx context.Context, _ Room, _ EventRef) (Reservation, error) {
	<-ctx.Done()
	return Reservation{}, unreachable()
}

// A calendar that is away doesn't keep Zoom waiting, where the event's ids don't go stale.
func TestZoomDoesNotWaitForTheCalendar(t *testing.T) {
	for name, c := range map[string]struct {
		fault error // of the reads before
		wait  time.Duration
	}{
		"known to be away": {unreachable(), 0},
		"away unknown":     {nil, lookupTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(meeting("m", -5, 55))
				r := h.start(t, func(k *KeeperConfig) { k.Calendar = mute{h} })
				defer r.crash()
				h.set(func(h *house) { h.calFault = c.fault })
				after(20 * time.Second)
				r.tap(t, CheckIn, "m")
				if c.wait > 0 {
					r.wasSent(t)
					after(c.wait)
				}
				r.wasSent(t, "check_in em")
			})
		})
	}
}

// A meeting that was ended or deleted meanwhile is not sent to Zoom: that is what a release wanted, and
// a check-in comes too late. The calendar is ahead of the screen then, so it is read.
func TestOverWhenItsTurnComes(t *testing.T) {
	for name, change := range map[string]func(*house){
		"ended":   func(h *house) { h.onCal[0].End = time.Now() },
		"deleted": func(h *house) { h.onCal = nil },
	} {
		for kind, want := range map[ActionKind]Action{
			CheckIn: {State: Failed, Reason: ReasonGone},
			Release: {State: Confirmed},
		} {
			t.Run(name+", "+string(kind), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h := newHouse(meeting("m", -5, 55))
					r := h.start(t, func(c *KeeperConfig) { c.Poll = time.Hour })
					defer r.crash()
					after(time.Second)
					h.set(change)
					a := r.tap(t, kind, "m")
					if kind == Release {
						after(DefaultUndoWindow)
					}
					r.wasSent(t)
					if got := r.action(t, a.ID); got.State != want.State || got.Reason != want.Reason {
						t.Errorf("%s, %q", got.State, got.Reason)
					}
					if s := r.Screen(); s.Status != Available || s.AsOf.Before(s.Now) {
						t.Errorf("%s, as of %v before", s.Status, s.Now.Sub(s.AsOf))
					}
				})
			})
		}
	}
}

// patient is a Zoom that answers after a while, unless nobody waits so long.
type patient struct {
	*house
	after time.Duration
}

func (p patient) CheckIn(ctx context.Context, room Room, ref EventRef) error {
	select {
	case <-time.After(p.after):
		return p.house.CheckIn(ctx, room, ref)
	case <-ctx.Done():
		return unreachable()
	}
}

// A delivery under way when the kiosk stops is given its time, and no more.
func TestStopWaitsForADelivery(t *testing.T) {
	for name, c := range map[string]struct {
		answer, stopped time.Duration // after the stop
		want            ActionState
	}{
		"answered in time":  {stopGrace - time.Second, stopGrace - time.Second, Accepted},
		"answered too late": {stopGrace + time.Second, stopGrace, Queued},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(meeting("m", -5, 55))
				r := h.start(t, func(k *KeeperConfig) { k.Events = patient{h, c.answer} })
				a := r.tap(t, CheckIn, "m")
				begun := time.Now()
				r.crash()
				if got := time.Since(begun); got != c.stopped {
					t.Errorf("it took %v to stop, want %v", got, c.stopped)
				}
				if got := r.action(t, a.ID); got.State != c.want {
					t.Errorf("%s, want %s", got.State, c.want)
				}
			})
		})
	}
}

// A delivery without an answer ends by itself.
func TestADeliveryTakesItsTimeAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(meeting("m", -5, 55))
		r := h.start(t, func(k *KeeperConfig) { k.Events = patient{h, time.Hour} })
		defer r.crash()
		a := r.tap(t, CheckIn, "m")
		after(deliverTimeout - time.Second)
		if got := r.action(t, a.ID); got.State != Sent {
			t.Errorf("before: %s", got.State)
		}
		after(time.Second)
		if got := r.action(t, a.ID); got.State != Queued {
			t.Errorf("after: %s", got.State)
		}
	})
}

// Nothing is tried before the instant that the service named, nor sooner than the kiosk would.
func TestRetryAfterOfADelivery(t *testing.T) {
	for kind, own := range map[FaultKind]time.Duration{
		FaultRoomOffline: retrySlow,
		FaultCredentials: retrySlow,
		FaultThrottled:   retryThrottled/10 + retryThrottled*9/20,
		FaultTrouble:     retryBase/10 + retryBase*9/20,
	} {
		for asked, want := range map[time.Duration]time.Duration{
			100 * time.Millisecond: max(own, 100*time.Millisecond),
			7 * time.Minute:        7 * time.Minute,
		} {
			t.Run(string(kind)+" "+asked.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h := newHouse(meeting("m", -5, 55))
					var at []time.Time
					h.answer = func() error {
						at = append(at, time.Now())
						return &Fault{Service: "Zoom", Kind: kind, RetryAfter: asked}
					}
					r := h.start(t)
					defer r.crash()
					r.tap(t, CheckIn, "m")
					after(8 * time.Minute)
					if got := at[1].Sub(at[0]); got != want {
						t.Errorf("tried again after %v, want %v", got, want)
					}
				})
			})
		}
	}
}
