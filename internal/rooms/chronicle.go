package rooms

import (
	"cmp"
	"slices"
	"time"
)

// chronicle says what happened between two screens of a room, of which the second is shown from now
// on. prev is nil when the kiosk has just started. cause is what led to the change, as far as the
// screens don't say it better.
//
// Of a screen whose clock isn't trusted nothing is noted but that it became so: its instants mean nothing.
func chronicle(prev *Screen, cur Screen, cause Cause) []Happening {
	doubted := cur.Has(FlagClockUntrusted)
	switch {
	case prev == nil && doubted:
		return nil
	case prev == nil:
		return []Happening{entry(cur, HappenedStatus, ByKiosk)}
	case doubted && prev.Has(FlagClockUntrusted):
		return nil
	case doubted:
		cur.Now, cur.Today = prev.Now, prev.Today // the last that is known
	}
	var out []Happening
	if !doubted && !prev.Has(FlagClockUntrusted) {
		out = append(out, fates(*prev, cur, cause)...)
	}
	out = append(out, comeToNothing(*prev, cur)...)
	if prev.Status != cur.Status {
		why := cause
		for _, h := range out {
			if h.What == HappenedReleased {
				why = h.Cause // says it more exactly than "somebody changed the calendar"
			}
		}
		out = append(out, entry(cur, HappenedStatus, why))
	}
	return append(out, flagChanges(*prev, cur)...)
}

func entry(s Screen, what What, cause Cause) Happening {
	return Happening{
		Room: s.Room.ID, At: s.Now, Day: s.Today.Format(time.DateOnly), What: what, Cause: cause, Status: s.Status,
	}
}

func entryOf(s Screen, b Booking, what What, cause Cause) Happening {
	h := entry(s, what, cause)
	h.Reservation, h.Start, h.End = b.ID, b.Start, b.End
	return h
}

// fates says what became of the reservations.
func fates(prev, cur Screen, cause Cause) []Happening {
	now := make(map[string]Booking, len(cur.Bookings))
	for _, b := range cur.Bookings {
		now[b.ID] = b
	}
	var out []Happening
	for _, was := range prev.Bookings {
		b, there := now[was.ID]
		if !there {
			b = Booking{Reservation: was.Reservation, Phase: Ended}
		}
		if h, ok := fate(was, b, cur, cause); ok {
			out = append(out, h)
		}
	}
	return out
}

// fate says what became of one reservation, which was and is at the instant of a screen.
func fate(was, is Booking, cur Screen, cause Cause) (Happening, bool) {
	over := was.Phase == Released || was.Phase == Ended
	switch {
	case over:
		return Happening{}, false
	case is.Phase == Released:
		h := entryOf(cur, was, HappenedReleased, originOf(Release, was.ID, cur.Actions, cause))
		h.Spent = max(was.End.Sub(cur.Now), 0)
		return h, true
	case is.Phase == Ended && was.End.After(cur.Now):
		return vanished(was, cur), true
	case is.Phase == Ended && was.Phase == CheckedIn:
		h := entryOf(cur, was, HappenedEnded, ByTime)
		h.Spent = was.End.Sub(was.Start)
		return h, true
	case is.Phase == Ended:
		h := entryOf(cur, was, HappenedMissed, ByTime)
		h.Spent = was.End.Sub(was.Start)
		return h, true
	case is.Phase == CheckedIn && was.Phase != CheckedIn && cur.Policy.Required:
		return entryOf(cur, is, HappenedCheckedIn, originOf(CheckIn, is.ID, cur.Actions, cause)), true
	}
	return Happening{}, false
}

// vanished says what it means that the calendar doesn't have a reservation any more that wasn't over,
// or has its end in the past. Nobody says who did that: after the check-in had closed it is taken for
// Zoom's release of a no-show.
func vanished(was Booking, cur Screen) Happening {
	if was.Start.After(cur.Now) {
		return entryOf(cur, was, HappenedCancelled, ByOrganizer)
	}
	cause := ByOrganizer
	if was.Phase == Overdue {
		cause = ByNoShow
	}
	h := entryOf(cur, was, HappenedReleased, cause)
	h.Spent = was.End.Sub(cur.Now)
	return h
}

// originOf says where the last tap of that kind that counts came from.
func originOf(kind ActionKind, reservation string, actions []Action, otherwise Cause) Cause {
	for _, a := range slices.Backward(actions) {
		if a.Kind == kind && a.Reservation == reservation && a.State.Effective() {
			return Cause(a.Origin)
		}
	}
	return otherwise
}

// comeToNothing says which taps were taken back, refused or came too late.
func comeToNothing(prev, cur Screen) []Happening {
	before := make(map[string]ActionState, len(prev.Actions))
	for _, a := range prev.Actions {
		before[a.ID] = a.State
	}
	var out []Happening
	for _, a := range cur.Actions {
		was, known := before[a.ID]
		if !known || was == a.State {
			continue
		}
		b := Booking{Reservation: Reservation{ID: a.Reservation, Start: a.Start, End: a.End}}
		switch a.State {
		case Undone:
			out = append(out, entryOf(cur, b, HappenedUndone, Cause(a.Origin)))
		case Failed, Expired:
			h := entryOf(cur, b, HappenedFailed, Cause(a.Origin))
			h.Detail = string(a.Kind) + ":" + cmp.Or(string(a.Reason), string(a.State))
			out = append(out, h)
		default:
		}
	}
	return out
}

func flagChanges(prev, cur Screen) []Happening {
	var out []Happening
	add := func(detail string) {
		h := entry(cur, HappenedFlag, ByKiosk)
		h.Detail = detail
		out = append(out, h)
	}
	before, now := raised(prev), raised(cur)
	for _, f := range now {
		if !slices.Contains(before, f) {
			add(f)
		}
	}
	for _, f := range before {
		if !slices.Contains(now, f) {
			add("-" + f)
		}
	}
	return out
}

// raised are the flags that are up, with what is out of reach.
func raised(s Screen) []string {
	var out []string
	for _, f := range s.Flags {
		if f != FlagOffline {
			out = append(out, string(f))
		}
	}
	if s.Fault != nil {
		out = append(out, string(FlagOffline)+":calendar")
	}
	if s.ZoomFault != nil {
		out = append(out, string(FlagOffline)+":zoom")
	}
	return out
}
