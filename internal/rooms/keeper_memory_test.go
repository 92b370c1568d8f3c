package rooms

import (
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// By a wrong hour nothing is forgotten, not even what the journal could not take.
func TestNothingIsForgottenByAWrongHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(meeting("m", -5, 55))
		h.answer = func() error { h.set(func(h *house) { h.full = true }); return nil }
		clock := setClock{off: &atomic.Int64{}}
		r := h.startAt(t, clock)
		defer r.crash()
		r.tap(t, CheckIn, "m")
		clock.set(r, 24*time.Hour, ClockJumped)
		after(time.Minute)
		clock.set(r, -24*time.Hour, ClockTrusted)
		after(time.Minute)
		r.wasSent(t, "check_in em")
		if p := r.phase(t, "m"); p != CheckedIn {
			t.Errorf("the screen says %s", p)
		}
	})
}

// ledger is a journal that notices when it is given the same action twice at once.
type ledger struct {
	stores
	twice *bool
}

func (l ledger) Record(actions ...Action) error {
	ids := map[string]bool{}
	for _, a := range actions {
		*l.twice = *l.twice || ids[a.ID]
		ids[a.ID] = true
	}
	return l.stores.Record(actions...)
}

// However long the journal fails, what it is owed is one state for each action: the newest.
func TestTheJournalIsOwedTheNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(meeting("m", -5, 55))
		h.sendFault = unreachable()
		twice := false
		r := h.start(t, func(c *KeeperConfig) { c.Journal = ledger{stores{h}, &twice} })
		defer r.crash()
		a := r.tap(t, CheckIn, "m")
		h.set(func(h *house) { h.full = true })
		after(5 * time.Minute)
		h.set(func(h *house) { h.full, h.sendFault = false, nil })
		after(time.Minute)
		if got := r.action(t, a.ID); got.State != Accepted {
			t.Errorf("in the journal: %s", got.State)
		}
		if twice {
			t.Error("it was given older states, too")
		}
	})
}

// A room that is on another calendar now starts without a schedule, not with somebody else's.
func TestCachedScheduleOfAnotherCalendar(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Room)
		want   int
	}{
		"the same calendar":      {func(*Room) {}, 1},
		"another calendar":       {func(r *Room) { r.Calendar = "exchange" }, 0},
		"another room's in that": {func(r *Room) { r.CalendarID = "c2" }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(meeting("m", -5, 55))
				h.start(t).crash()
				h.calFault = unreachable()
				r := h.start(t, func(k *KeeperConfig) { c.change(&k.Room) })
				defer r.crash()
				if s := r.Screen(); len(s.Bookings) != c.want || (s.Status == Unknown) != (c.want == 0) {
					t.Errorf("%s, with %d reservations", s.Status, len(s.Bookings))
				}
			})
		})
	}
}

// glass shows a screen when it is let.
type glass struct {
	*house
	let chan struct{}
}

func (g glass) Publish(s Screen) {
	<-g.let
	g.house.Publish(s)
}

// Whoever taps and is answered sees the tap on the screen.
func TestTheGlassBeforeTheReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(meeting("m", -5, 55))
		g := glass{h, make(chan struct{}, 10)}
		for range 2 { // at the start, and the first schedule
			g.let <- struct{}{}
		}
		r := h.start(t, func(c *KeeperConfig) { c.Publisher = g })
		defer r.crash()
		defer close(g.let)
		ask := map[string]func() (Action, error){
			"tap": func() (Action, error) {
				return r.Tap(t.Context(), Tap{Kind: Release, Reservation: "m", Origin: OriginPanel})
			},
			"undo": func() (Action, error) { return r.Undo(t.Context(), "m") },
		}
		for _, what := range []string{"tap", "undo"} {
			replied := make(chan error, 1)
			go func() { _, err := ask[what](); replied <- err }()
			synctest.Wait()
			if len(replied) > 0 {
				t.Errorf("%s: replied before it was shown", what)
			}
			g.let <- struct{}{}
			if err := <-replied; err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			h.mu.Lock()
			last := h.screens[len(h.screens)-1]
			h.mu.Unlock()
			held := slices.ContainsFunc(last.Actions, func(a Action) bool { return a.State == Held })
			if held != (what == "tap") {
				t.Errorf("%s: the screen has %+v", what, last.Actions)
			}
		}
	})
}
