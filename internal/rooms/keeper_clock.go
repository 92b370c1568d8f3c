package rooms

import (
	"context"
	"slices"
	"time"
)

// suspectFor is how long a keeper doubts a clock by itself that nobody else does.
const suspectFor = 5 * time.Second

// now reads the clock. One that was set since it was last read is doubted at once, until [Keeper.Clock] says
// what to think of it: nothing may expire in the meantime.
func (k *Keeper) now() time.Time {
	now := k.cfg.Clock.Now().Round(0)
	if k.cfg.Steady == nil {
		return now
	}
	steady, before := k.cfg.Steady(), k.reading
	k.reading = reading{now, steady}
	step := now.Sub(before.wall) - (steady - before.steady)
	switch {
	case !before.wall.IsZero() && step.Abs() > clockSlack && k.clockTrusted():
		k.in.ClockDoubt, k.suspect = ClockJumped, steady+suspectFor
	case k.suspect > 0 && steady >= k.suspect: // whoever watches the clock saw nothing
		k.in.ClockDoubt, k.suspect = ClockTrusted, 0
	default:
		return now
	}
	k.snapshot()
	return now
}

// reading is what two clocks said at the same moment.
type reading struct {
	wall   time.Time
	steady time.Duration
}

// Clock tells the keeper what is thought of the clock now, and that it may have been set: everything
// is looked at again.
func (k *Keeper) Clock(doubt ClockDoubt) {
	k.tell(func(now time.Time) {
		if doubt != k.in.ClockDoubt {
			k.log.Info("clock judged", "trusted", doubt == ClockTrusted, "doubt", doubt)
		}
		k.cause, k.in.ClockDoubt = ByKiosk, doubt
		k.clockSet.Add(1)
		k.suspect = 0
		k.retime(now)
		k.recollect(now)                 // what was forgotten by a wrong hour
		k.readAt = append(k.readAt, now) // the answer's Date is evidence, too
		k.snapshot()
	})
}

// retime brings instants back that a clock which was ahead had put too far into the future.
func (k *Keeper) retime(now time.Time) {
	actions := slices.Clone(k.in.Actions)
	for i := range actions {
		a := &actions[i]
		switch latest := now.Add(k.cfg.Room.UndoWindow); {
		case a.State == Held && a.DueAt.After(latest):
			a.DueAt = latest
		case a.State == Queued && a.DueAt.After(now.Add(retrySlowMax)):
			a.DueAt = now
		}
	}
	k.change(now, actions)
	for i, at := range k.readAt {
		if at.After(now.Add(confirmBy + time.Minute)) {
			k.readAt[i] = now
		}
	}
}

func (k *Keeper) clockTrusted() bool { return k.in.ClockDoubt == ClockTrusted }

// Recollect reads the journal again, and takes up what the keeper doesn't know: taps that could not be
// read when it was made.
func (k *Keeper) Recollect() {
	k.tell(func(now time.Time) {
		k.cause = ByKiosk
		k.recollect(now)
	})
}

func (k *Keeper) recollect(now time.Time) {
	known, err := k.cfg.Journal.ActionsOf(context.Background(), k.cfg.Room.ID, now.Add(-shownFor))
	if err != nil {
		k.log.Error("journal not read again", "error", err)
		return
	}
	for _, a := range known {
		if k.action(a.ID) == nil {
			k.insert(now, resumed(a))
		}
	}
}
