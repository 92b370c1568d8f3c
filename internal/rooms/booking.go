package rooms

import "time"

// bookingOf says where a reservation stands at an instant, and what can be tapped for it.
func bookingOf(r Reservation, in Inputs, p Policy, actions []Action, now time.Time, trusted bool) Booking {
	b := Booking{Reservation: r}
	if p.Required {
		b.CheckInOpens, b.CheckInCloses = r.Start.Add(-p.OpensBefore), r.Start.Add(p.ClosesAfter)
	}
	t := tapsOn(r, actions, in.Schedule.AsOf, now)
	b.Phase = phaseOf(b, p, t, now)
	b.UndoUntil = t.undoUntil
	b.CheckInRefusal = checkInRefusal(b, p, trusted)
	b.ReleaseRefusal = releaseRefusal(b, in, trusted, now)
	return b
}

// taps is what people's actions amount to for one reservation.
type taps struct {
	checkedIn bool
	released  bool
	undoUntil time.Time
}

func tapsOn(r Reservation, actions []Action, asOf, now time.Time) taps {
	var t taps
	for _, a := range actions {
		if !a.concerns(r) {
			continue
		}
		switch {
		case a.Kind == Release && a.State == Held:
			t.undoUntil = a.DueAt
		case a.Kind == Release && a.State.Effective() && revived(r, a, asOf, now):
			t = taps{} // whoever checked in before has left
		case a.Kind == Release && a.State.Effective():
			t.released = true
		case a.Kind == CheckIn && a.State.Effective():
			t.checkedIn = true
		}
	}
	return t
}

// revived tells whether a reservation runs again although its release was confirmed: somebody
// lengthened it on the calendar since. One that has its old end again may be an old answer: services
// keep copies, which don't all change at once. Such an end counts when it still is there after a while.
func revived(r Reservation, a Action, asOf, now time.Time) bool {
	since := a.UpdatedAt
	if r.End.Equal(a.End) {
		since = since.Add(confirmBy)
	}
	return a.State == Confirmed && a.seen() && asOf.After(since) && r.End.After(now)
}

func phaseOf(b Booking, p Policy, t taps, now time.Time) Phase {
	switch {
	case t.released:
		return Released
	case !now.Before(b.End):
		return Ended
	case !p.Required && now.Before(b.Start):
		return Later
	case !p.Required, t.checkedIn:
		return CheckedIn
	case now.Before(b.CheckInOpens):
		return Later
	case now.Before(b.CheckInCloses):
		return CheckInOpen
	default:
		return Overdue
	}
}

func checkInRefusal(b Booking, p Policy, trusted bool) Refusal {
	switch {
	case !trusted:
		return RefusedClock
	case b.Phase == Ended:
		return RefusedEnded
	case b.Phase == Released:
		return RefusedReleased
	case !p.Required:
		return RefusedNoCheckIn
	case b.Phase == CheckedIn:
		return RefusedCheckedIn
	case !b.UndoUntil.IsZero():
		return RefusedReleasing
	case b.Phase == Later:
		return RefusedTooEarly
	default:
		return Possible
	}
}

func releaseRefusal(b Booking, in Inputs, trusted bool, now time.Time) Refusal {
	switch {
	case !trusted:
		return RefusedClock
	case b.Phase == Ended:
		return RefusedEnded
	case b.Phase == Released:
		return RefusedReleased
	case !b.UndoUntil.IsZero():
		return RefusedReleasing
	case in.Room.ZoomID == "" && !in.CalendarEnds:
		return RefusedReadOnly
	case now.Before(b.Start):
		return RefusedTooEarly // what Zoom does with a check-out before the start is not documented
	default:
		return Possible
	}
}
