package rooms

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestAnActionThatCannotBeJournalledIsWrittenLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newHouse(meeting("m", -1, 59)).start(t)
		defer r.crash()
		r.set(func(h *house) { h.answer = func() error { h.set(func(h *house) { h.full = true }); return nil } })
		a := r.tap(t, CheckIn, "m")
		if got := r.action(t, a.ID); got.State != Sent {
			t.Fatalf("on the disk: %s", got.State)
		}
		r.set(func(h *house) { h.full = false })
		after(retryRecord)
		if got := r.action(t, a.ID); got.State != Accepted {
			t.Fatalf("on the disk later: %s", got.State)
		}
	})
}

func TestTapSurvivesACrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(meeting("m", -1, 59))
		h.sendFault = unreachable()
		r := h.start(t)
		a := r.tap(t, CheckIn, "m")
		r.crash()
		h.set(func(h *house) { // as kill -9 leaves it: sent, and nobody knows what came of it
			sent := h.journal[a.ID]
			sent.State = Sent
			h.journal[a.ID] = sent
			h.sent, h.sendFault = nil, nil
		})
		r = h.start(t)
		defer r.crash()
		after(time.Minute)
		r.wasSent(t, "check_in em")
		if got := r.action(t, a.ID); got.State != Accepted {
			t.Fatalf("after the restart: %s", got.State)
		}
	})
}

func TestReleaseWhoseAnswerWasLostIsNotSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(meeting("m", -5, 55))
		r := h.start(t, func(c *KeeperConfig) { c.Room.UndoWindow = 0 })
		defer r.crash()
		h.set(func(h *house) {
			h.answer = func() error {
				h.set(func(h *house) { h.onCal[0].End = time.Now() }) // it was carried out
				return unreachable()
			}
		})
		a := r.tap(t, Release, "m")
		after(time.Minute)
		r.wasSent(t, "release em")
		if got := r.action(t, a.ID); got.State != Confirmed {
			t.Fatalf("after a lost answer: %s", got.State)
		}
	})
}

func TestHeldReleaseSurvivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(meeting("m", -5, 55))
		r := h.start(t)
		a := r.tap(t, Release, "m")
		r.crash()
		r = h.start(t)
		defer r.crash()
		if s := r.Screen(); s.Current == nil || s.Current.UndoUntil.IsZero() {
			t.Fatalf("after the restart: %+v", s.Current)
		}
		after(DefaultUndoWindow)
		r.wasSent(t, "release em")
		if got := r.action(t, a.ID); got.State != Accepted {
			t.Errorf("the release is %s", got.State)
		}
	})
}

func TestAnswerDuringAStopIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(meeting("m", -1, 59))
		h.answer = func() error { <-time.After(stopGrace - time.Second); return nil }
		r := h.start(t)
		a := r.tap(t, CheckIn, "m")
		r.crash()
		if got := r.action(t, a.ID); got.State != Accepted {
			t.Fatalf("in the journal: %s", got.State)
		}
		r = h.start(t)
		defer r.crash()
		after(time.Minute)
		r.wasSent(t, "check_in em")
	})
}

func TestLastChanceOfTheJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(meeting("m", -1, 59))
		h.answer = func() error { h.set(func(h *house) { h.full = true }); return nil }
		r := h.start(t)
		a := r.tap(t, CheckIn, "m")
		h.set(func(h *house) { h.full = false })
		r.crash()
		if got := r.action(t, a.ID); got.State != Accepted {
			t.Errorf("in the journal: %s", got.State)
		}
	})
}

func TestWithAClockThatCannotBeRight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(meeting("m", -1, 59))
		h.sendFault = unreachable()
		r := h.start(t)
		a := r.tap(t, CheckIn, "m")
		r.crash()
		h.set(func(h *house) { h.sent, h.sendFault = nil, nil })
		r = h.start(t, func(c *KeeperConfig) { c.ClockDoubt = ClockBehind })
		defer r.crash()
		after(2 * time.Hour) // far past the meeting's end, by that clock
		s := r.Screen()
		if s.Status != Unknown || !s.Has(FlagClockUntrusted) {
			t.Fatalf("%s, %v", s.Status, s.Flags)
		}
		if got := r.action(t, a.ID); got.State != Queued && got.State != Sent {
			t.Errorf("an action became %s by a wrong clock", got.State)
		}
		r.wasSent(t)
		for _, kind := range []ActionKind{CheckIn, Release} {
			var refused *RefusedError
			if _, err := r.Tap(t.Context(), Tap{Kind: kind, Reservation: "m"}); !errors.As(err, &refused) && !errors.Is(err, ErrNotFound) {
				t.Errorf("%s: %v", kind, err)
			}
		}
		r.Clock(ClockTrusted)
		synctest.Wait()
		if s := r.Screen(); s.Status == Unknown {
			t.Error("the clock was said to be right, and the room is still unknown")
		}
	})
}

// A journal that could not be read at the start comes back with its taps.
func TestRecollects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(meeting("m", -1, 59))
		h.sendFault = unreachable()
		r := h.start(t)
		a := r.tap(t, CheckIn, "m")
		r.crash()
		lost := h.order
		h.set(func(h *house) { h.order, h.sendFault, h.sent = nil, nil, nil })
		r = h.start(t)
		defer r.crash()
		if p := r.phase(t, "m"); p == CheckedIn {
			t.Fatal("the tap isn't lost: the test tests nothing")
		}
		h.set(func(h *house) { h.order = lost })
		for range 2 {
			r.Recollect()
			after(time.Minute)
			r.wasSent(t, "check_in em")
		}
		if got := r.action(t, a.ID); got.State != Accepted || r.phase(t, "m") != CheckedIn {
			t.Errorf("%s, %s", got.State, r.phase(t, "m"))
		}
	})
}

// An undo isn't undone by an older change that the journal could not take at the time.
func TestUndoAfterTheJournalFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(meeting("m", -5, 55))
		r := h.start(t, func(c *KeeperConfig) { c.Poll = 2 * time.Second })
		a := r.tap(t, Release, "m")
		h.set(func(h *house) { h.full = true; h.onCal[0].End = h.onCal[0].End.Add(15 * time.Minute) })
		after(3 * time.Second) // the release outlives the longer meeting, which can't be written
		h.set(func(h *house) { h.full = false })
		if _, err := r.Undo(t.Context(), "m"); err != nil {
			t.Fatal(err)
		}
		after(time.Minute)
		if got := r.action(t, a.ID); got.State != Undone {
			t.Errorf("undone, and the journal says %s", got.State)
		}
		r.crash()
		r = h.start(t)
		defer r.crash()
		after(time.Minute)
		r.wasSent(t)
	})
}

// What happens to an action is dated no earlier than what happened to it before.
func TestUpdatedAtGoesForwards(t *testing.T) {
	late := noon.Add(12 * time.Second)
	in := []Action{
		{ID: "a", Kind: CheckIn, Reservation: "m", State: Queued, UpdatedAt: late, DueAt: noon.Add(time.Hour), ExpiresAt: noon.Add(time.Hour)},
		{ID: "b", Kind: Release, Reservation: "m", State: Held, DueAt: noon.Add(8 * time.Second), UpdatedAt: noon, ExpiresAt: noon.Add(time.Hour)},
		{ID: "c", Kind: CheckIn, Reservation: "n", State: Queued, UpdatedAt: late, ExpiresAt: noon.Add(10 * time.Second)},
	}
	for i, a := range settle(in, noon.Add(time.Minute), true) {
		if a.State == in[i].State || a.UpdatedAt.Before(in[i].UpdatedAt) {
			t.Errorf("%s: %s at %v, before it was %s at %v", a.ID, a.State, a.UpdatedAt, in[i].State, in[i].UpdatedAt)
		}
	}
}
