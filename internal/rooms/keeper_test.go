package rooms

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func unreachable() error { return &Fault{Service: "Zoom", Kind: FaultUnreachable, Ambiguous: true} }

func TestCheckInReachesZoomOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newHouse(meeting("m", -1, 59)).start(t)
		defer r.crash()
		if s := r.Screen(); s.Status != AwaitingCheckIn || s.Current.CheckInRefusal != Possible {
			t.Fatalf("before the tap: %s, %v", s.Status, s.Current)
		}
		a := r.tap(t, CheckIn, "m")
		again := r.tap(t, CheckIn, "m")
		if again.ID != a.ID {
			t.Fatalf("the same tap twice made two actions: %s, %s", a.ID, again.ID)
		}
		r.wasSent(t, "check_in em")
		if s := r.Screen(); s.Status != InUse || r.action(t, a.ID).State != Accepted {
			t.Fatalf("after the tap: %s, %s", s.Status, r.action(t, a.ID).State)
		}
	})
}

func TestReleaseIsHeldThenSentThenConfirmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newHouse(meeting("m", -5, 55)).start(t)
		defer r.crash()
		a := r.tap(t, Release, "m")
		s := r.Screen()
		if a.State != Held || s.Current == nil || s.Current.UndoUntil.Sub(s.Now) != DefaultUndoWindow {
			t.Fatalf("after the tap: %s, %+v", a.State, s.Current)
		}
		after(DefaultUndoWindow - time.Second)
		r.wasSent(t)
		after(time.Second)
		r.wasSent(t, "release em")
		if s := r.Screen(); s.Status != Available {
			t.Fatalf("after the release: %s", s.Status)
		}
		after(readSoon)
		if got := r.action(t, a.ID); got.State != Confirmed {
			t.Fatalf("after the calendar was read: %s", got.State)
		}
		if s := r.Screen(); s.Status != Available {
			t.Fatalf("the release flipped back: %s", s.Status)
		}
	})
}

func TestUndo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newHouse(meeting("m", -5, 55)).start(t)
		defer r.crash()
		a := r.tap(t, Release, "m")
		after(3 * time.Second)
		u, err := r.Undo(t.Context(), "m")
		if err != nil || u.ID != a.ID || u.State != Undone {
			t.Fatalf("undo: %+v, %v", u, err)
		}
		after(time.Minute)
		r.wasSent(t)
		var refused *RefusedError
		if again, err := r.Undo(t.Context(), "m"); err != nil || again.ID != a.ID {
			t.Fatalf("the same undo from another panel: %+v, %v", again, err)
		}
		out := r.tap(t, Release, "m")
		if out.ID == a.ID {
			t.Fatal("a release after an undone one is the undone one")
		}
		after(DefaultUndoWindow)
		if _, err := r.Undo(t.Context(), "m"); !errors.As(err, &refused) || refused.Refusal != RefusedNothingHeld {
			t.Fatalf("undo of what was sent: %v", err)
		}
		if _, err := r.Undo(t.Context(), "nobody"); !errors.Is(err, ErrNotFound) {
			t.Fatalf("undo of an unknown reservation: %v", err)
		}
	})
}

func TestRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		after(9 * time.Hour) // of the day before nothing is known
		r := newHouse(meeting("past", -60, -1), meeting("now", -1, 20), meeting("soon", 25, 50)).start(t)
		defer r.crash()
		for _, c := range []struct {
			kind        ActionKind
			reservation string
			want        Refusal
		}{
			{CheckIn, "past", RefusedEnded},
			{Release, "past", RefusedEnded},
			{CheckIn, "soon", RefusedTooEarly},
			{Release, "soon", RefusedTooEarly},
		} {
			var refused *RefusedError
			_, err := r.Tap(t.Context(), Tap{Kind: c.kind, Reservation: c.reservation})
			if !errors.As(err, &refused) || refused.Refusal != c.want {
				t.Errorf("%s of %s: %v, want %s", c.kind, c.reservation, err, c.want)
			}
		}
		if _, err := r.Tap(t.Context(), Tap{Kind: CheckIn, Reservation: "nobody"}); !errors.Is(err, ErrNotFound) {
			t.Errorf("unknown reservation: %v", err)
		}
		r.wasSent(t)
		if len(r.journal) != 0 {
			t.Errorf("refused taps are in the journal: %v", r.journal)
		}
	})
}

func TestTapThatCannotBeStoredIsNotTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newHouse(meeting("m", -1, 59)).start(t)
		defer r.crash()
		r.set(func(h *house) { h.full = true })
		if _, err := r.Tap(t.Context(), Tap{Kind: CheckIn, Reservation: "m"}); !errors.Is(err, ErrNotStored) {
			t.Fatalf("full disk: %v", err)
		}
		after(time.Minute)
		r.wasSent(t)
		if s := r.Screen(); s.Status != AwaitingCheckIn {
			t.Fatalf("the screen pretends: %s", s.Status)
		}
	})
}

// Whatever happens between the tap and Zoom's answer, the tap arrives.
func TestReleaseSupersedesAnUnsentCheckIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(meeting("m", -5, 55))
		h.sendFault = &Fault{Service: "Zoom", Kind: FaultRoomOffline}
		r := h.start(t)
		defer r.crash()
		in := r.tap(t, CheckIn, "m")
		if s := r.Screen(); !s.Has(FlagZoomRoomOffline) {
			t.Fatalf("flags %v", s.Flags)
		}
		out := r.tap(t, Release, "m")
		after(DefaultUndoWindow)
		h.set(func(h *house) { h.sendFault = nil })
		after(10 * time.Minute)
		r.wasSent(t, "check_in em", "release em", "release em")
		if got := r.action(t, in.ID); got.State != Superseded {
			t.Errorf("the check-in is %s", got.State)
		}
		if got := r.action(t, out.ID); got.State != Confirmed {
			t.Errorf("the release is %s", got.State)
		}
	})
}

func TestRetries(t *testing.T) {
	for _, c := range []struct {
		kind FaultKind
		want []time.Duration // between the first deliveries
		end  ActionState
	}{
		{FaultRoomOffline, []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 5 * time.Minute}, Expired},
		{FaultThrottled, []time.Duration{2750 * time.Millisecond, 5500 * time.Millisecond}, Expired},
		{FaultTrouble, []time.Duration{550 * time.Millisecond, 1100 * time.Millisecond}, Expired},
		{FaultCredentials, []time.Duration{30 * time.Second, time.Minute}, Expired},
		{FaultUnreachable, []time.Duration{550 * time.Millisecond, 1100 * time.Millisecond, 2200 * time.Millisecond}, Expired},
		{FaultInvalid, nil, Failed},
		{FaultPermission, nil, Failed},
		{FaultNotFound, nil, Failed},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(meeting("m", -1, 30))
				var at []time.Time
				h.answer = func() error {
					at = append(at, time.Now())
					return &Fault{Service: "Zoom", Kind: c.kind}
				}
				r := h.start(t)
				defer r.crash()
				a := r.tap(t, CheckIn, "m")
				after(31 * time.Minute)
				for i, want := range c.want {
					if got := at[i+1].Sub(at[i]); got != want {
						t.Errorf("pause %d: %v, want %v", i, got, want)
					}
				}
				if c.want == nil && len(at) != 1 {
					t.Errorf("a definite no was repeated %d times", len(at)-1)
				}
				if got := r.action(t, a.ID); got.State != c.end || got.Reason != Reason(c.kind) {
					t.Errorf("in the end: %s, %s", got.State, got.Reason)
				}
			})
		})
	}
}

func TestZoomBackInReachWakesWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(meeting("m", -1, 59))
		h.sendFault = unreachable()
		r := h.start(t)
		defer r.crash()
		r.ZoomReach(&Fault{Service: "Zoom", Kind: FaultUnreachable})
		synctest.Wait()
		r.tap(t, CheckIn, "m")
		after(5 * time.Minute)
		if s := r.Screen(); !s.Has(FlagOffline) || s.Status != InUse {
			t.Fatalf("%s, %v", s.Status, s.Flags)
		}
		h.set(func(h *house) { h.sendFault, h.sent = nil, nil })
		r.ZoomReach(nil)
		after(2 * time.Second)
		r.wasSent(t, "check_in em")
	})
}

// written is a calendar that can give rooms back itself, or refuses to.
// People are inside; the organizer adds half an hour: they stay checked in, and Zoom still hears of
// it when it is back.
// Zoom answers while the kiosk stops: the answer is in the journal, and nothing is sent twice.
// A journal that was full when Zoom answered is written when the kiosk stops.
// The service says not found both for an event that is gone and for a calendar that it stopped
// showing. Only the first means that the room was given back.
// unshared is a calendar that is taken away right after the first read.
func TestRulesComeFromTheConfigurationThenZoomThenDefaults(t *testing.T) {
	minutes := func(n int) *time.Duration { d := time.Duration(n) * time.Minute; return &d }
	no := false
	for name, c := range map[string]struct {
		configured, zoom CheckInSettings
		want             Policy
	}{
		"nothing said":  {want: Policy{true, 10 * time.Minute, 10 * time.Minute}},
		"zoom":          {zoom: CheckInSettings{&no, minutes(5), minutes(6)}, want: Policy{false, 5 * time.Minute, 6 * time.Minute}},
		"configuration": {CheckInSettings{OpensBefore: minutes(1)}, CheckInSettings{&no, minutes(5), minutes(6)}, Policy{false, time.Minute, 6 * time.Minute}},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse()
			h.profile = Profile{CheckIn: c.zoom}
			r := h.start(t, func(k *KeeperConfig) { k.Room.CheckIn = c.configured })
			defer r.crash()
			if got := r.Screen().Policy; got != c.want {
				t.Errorf("%s: %+v, want %+v", name, got, c.want)
			}
		})
	}
}

// deaf is a Zoom that accepts a release and does nothing.
// A day passes on its own: nobody reads, taps or looks, and each screen is published when it begins.
func TestTheDayPassesByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(meeting("a", 30, 60), meeting("b", 60, 90))
		r := h.start(t)
		defer r.crash()
		start := time.Now()
		after(2 * time.Hour)
		var got []string
		for _, s := range h.screens {
			line := s.Now.Sub(start).String() + " " + string(s.Status)
			if s.Current != nil {
				line += " " + s.Current.ID + " " + string(s.Current.Phase)
			}
			got = append(got, line)
		}
		want := []string{
			"0s unknown", "0s available",
			"20m0s starting_soon", "30m0s awaiting_check_in a check_in_open", "40m0s awaiting_check_in a overdue",
			"50m0s awaiting_check_in a overdue", // b's check-in opens
			"1h0m0s awaiting_check_in b check_in_open", "1h10m0s awaiting_check_in b overdue", "1h30m0s available",
		}
		if !slices.Equal(got, want) {
			t.Errorf("published\n%q, want\n%q", got, want)
		}
	})
}
