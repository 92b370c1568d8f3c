package rooms_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"roomkiosk/internal/rooms"
)

// check compares what the kiosk says and did with what is true.
func (m *model) check() error {
	actions, err := m.journal.ActionsOf(context.Background(), "ada", time.Time{})
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return errors.Join(m.checkKept(actions), m.checkSent(actions), m.checkScreen(m.keeper.Screen()))
}

// checkKept: what was acknowledged is in the journal as it was tapped; what is settled stays so; and
// what is called confirmed is true at that moment.
func (m *model) checkKept(actions []rooms.Action) error {
	found := map[string]bool{}
	for _, a := range actions {
		found[a.ID] = true
		was, known := m.states[a.ID]
		m.states[a.ID] = a.State
		if tapped, ok := m.taps[a.ID]; ok && (tapped.Kind != a.Kind || tapped.Ref != a.Ref || !tapped.TappedAt.Equal(a.TappedAt)) {
			return fmt.Errorf("%s was changed: %+v, %+v", a.ID, tapped, a)
		}
		switch {
		case known && was == a.State:
		case known && !was.Open() && was != rooms.Accepted:
			return fmt.Errorf("%s was %s, and is %s", a.ID, was, a.State)
		case m.undone[a.ID] && a.State != rooms.Undone:
			return fmt.Errorf("%s was undone, and is %s", a.ID, a.State)
		case a.State == rooms.Failed && a.Reason == "":
			return fmt.Errorf("%s failed, and nobody knows why", a.ID)
		case a.State == rooms.Confirmed && !m.isTrue(a):
			return fmt.Errorf("%s %s is called confirmed, and isn't so", a.Kind, a.ID)
		}
	}
	for id := range m.taps {
		if !found[id] {
			return fmt.Errorf("tap %s was acknowledged and is lost", id)
		}
	}
	return nil
}

// isTrue tells whether an action has its effect outside.
func (m *model) isTrue(a rooms.Action) bool {
	e := m.find(a.Ref.EventID)
	switch {
	case e == nil || e.gone || !e.start.Before(a.End): // deleted or moved since
		return true
	case a.Kind == rooms.CheckIn:
		return e.checkedIn
	default:
		return !e.end.After(truly()) || m.stretched[e.id]
	}
}

// checkSent: Zoom only ever hears of what was tapped for that very event and not taken back, and of no
// check-in once it heard of a release that was tapped later.
func (m *model) checkSent(actions []rooms.Action) error {
	released := map[string]bool{}
	for _, r := range m.received {
		about := func(a rooms.Action) bool {
			return a.Kind == r.kind && a.Ref.EventID == r.event && a.Origin == rooms.OriginPanel && a.Attempts > 0 && a.State != rooms.Undone
		}
		last := -1
		for i, a := range actions {
			if about(a) {
				last = i
			}
		}
		if last < 0 {
			return fmt.Errorf("zoom heard of %s %s, which nobody tapped or somebody took back", r.kind, r.event)
		}
		after := slices.IndexFunc(actions, func(a rooms.Action) bool {
			return a.Kind == rooms.Release && a.Ref.EventID == r.event && a.Attempts > 0
		})
		if r.kind == rooms.CheckIn && released[r.event] && last < after {
			return fmt.Errorf("zoom heard of the check-in of %s after its release", r.event)
		}
		released[r.event] = released[r.event] || r.kind == rooms.Release
	}
	return nil
}

// checkScreen: the screen says nothing that isn't so, as far as it could be known, and marks the rest.
func (m *model) checkScreen(s rooms.Screen) error {
	if m.doubt != rooms.ClockTrusted {
		if s.Status != rooms.Unknown || !s.Has(rooms.FlagClockUntrusted) {
			return fmt.Errorf("the clock is wrong, and the screen says %s", s.Status)
		}
		return nil
	}
	if s.Has(rooms.FlagClockUntrusted) {
		return errors.New("the clock is right, and doubted")
	}
	if s.AsOf.IsZero() {
		if s.Status != rooms.Unknown {
			return fmt.Errorf("nothing was ever read, and the screen says %s", s.Status)
		}
		return nil
	}
	shown, ok := m.reads[s.AsOf.UnixMicro()]
	if !ok {
		return fmt.Errorf("a schedule as of %v, when nothing was read", s.AsOf)
	}
	if age := s.Now.Sub(s.AsOf); (age >= rooms.DefaultStaleAfter) && !s.Has(rooms.FlagStale) {
		return fmt.Errorf("a schedule of %v ago that isn't called stale", age)
	}
	if err := checkBookings(s, shown); err != nil {
		return err
	}
	return checkStatus(s, shown)
}

// checkBookings: the screen has the meetings that the calendar showed, no others, at their times.
func checkBookings(s rooms.Screen, shown []meeting) error {
	for _, b := range s.Bookings {
		if !slices.ContainsFunc(shown, func(e meeting) bool {
			return !e.gone && "r-"+e.id == b.ID && e.start.Equal(b.Start) && e.end.Equal(b.End)
		}) {
			return fmt.Errorf("%s is on the screen, and wasn't on the calendar", b.ID)
		}
	}
	for _, e := range running(s, shown) {
		if !slices.ContainsFunc(s.Bookings, func(b rooms.Booking) bool { return b.ID == "r-"+e.id }) {
			return fmt.Errorf("%s was on the calendar, and isn't on the screen", e.id)
		}
	}
	return nil
}

func running(s rooms.Screen, shown []meeting) []meeting {
	var out []meeting
	for _, e := range shown {
		if !e.gone && !e.start.After(s.Now) && e.end.After(s.Now) {
			out = append(out, e)
		}
	}
	return out
}

// checkStatus: free means that the calendar showed nobody, but for those who gave the room back; in use
// means that somebody checked in, here or elsewhere.
func checkStatus(s rooms.Screen, shown []meeting) error {
	tapped := func(kind rooms.ActionKind, id string) bool {
		return slices.ContainsFunc(s.Actions, func(a rooms.Action) bool {
			return a.Kind == kind && a.Reservation == id && a.State.Effective()
		})
	}
	free := s.Status == rooms.Available || s.Status == rooms.StartingSoon
	for _, e := range running(s, shown) {
		switch {
		case free && !tapped(rooms.Release, "r-"+e.id):
			return fmt.Errorf("%s, and %s runs, which nobody released", s.Status, e.id)
		case s.Status == rooms.Unknown:
			return fmt.Errorf("unknown, although the calendar showed %s", e.id)
		}
	}
	if s.Status == rooms.InUse && !tapped(rooms.CheckIn, s.Current.ID) {
		return fmt.Errorf("in use by %s, which nobody checked in to", s.Current.ID)
	}
	if s.Status == rooms.AwaitingCheckIn && tapped(rooms.CheckIn, s.Current.ID) && !tapped(rooms.Release, s.Current.ID) {
		return fmt.Errorf("waiting for %s, which somebody checked in to", s.Current.ID)
	}
	return nil
}
