package rooms

import (
	"slices"
	"time"
)

// settle returns the actions as they are at an instant: it carries out what the passing of time
// does to them, and what they do to each other. It changes nothing that it was given.
//
// With a clock that can't be trusted, nothing expires and nothing held is let go.
func settle(actions []Action, now time.Time, clockTrusted bool) []Action {
	out := slices.Clone(actions)
	for i := range out {
		a := &out[i]
		if !clockTrusted {
			continue
		}
		if (a.State == Held || a.State == Queued) && !now.Before(a.ExpiresAt) {
			a.State, a.UpdatedAt = Expired, later(a.UpdatedAt, a.ExpiresAt)
		} else if a.State == Held && !now.Before(a.DueAt) {
			a.State, a.UpdatedAt = Queued, later(a.UpdatedAt, a.DueAt)
		}
	}
	for i := range out {
		a := &out[i]
		if a.Kind != CheckIn || a.State != Queued {
			continue
		}
		if r := releaseOf(out[i+1:], a.Reservation); r != nil {
			a.State, a.UpdatedAt = Superseded, later(a.UpdatedAt, r.UpdatedAt)
		}
	}
	return out
}

// later is the later of two instants: of what happened to an action the last is told.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func releaseOf(later []Action, reservation string) *Action {
	for i := range later {
		if a := &later[i]; a.Kind == Release && a.Reservation == reservation && a.State.Effective() {
			return a
		}
	}
	return nil
}

// concerns tells whether an action is about the reservation as it is now. A meeting that was moved
// to another time after somebody checked in to it is not checked in there. One that begins only after
// somebody released it is not the one that was released: it ran then.
func (a Action) concerns(r Reservation) bool {
	switch {
	case a.Reservation != r.ID:
		return false
	case a.Kind == Release:
		return !r.Start.After(a.TappedAt.Add(clockSlack))
	default:
		return r.Start.Before(a.End) || r.Start.Equal(a.Start)
	}
}
