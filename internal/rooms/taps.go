package rooms

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Tap takes a person's request. When it returns an action, the action is on the disk. The same tap
// twice is one action: the second gets the first's. Otherwise the error is [ErrNotFound] (no such
// reservation on the schedule), a [*RefusedError], or [ErrNotStored]; nothing was changed then.
func (k *Keeper) Tap(ctx context.Context, t Tap) (Action, error) {
	return k.ask(ctx, func(now time.Time) (Action, error) { return k.take(now, t) })
}

// Undo takes a release back that is still held. Errors are those of Tap.
func (k *Keeper) Undo(ctx context.Context, reservation string) (Action, error) {
	return k.ask(ctx, func(now time.Time) (Action, error) { return k.undo(now, reservation) })
}

// ask has the owner answer a question. If the asker leaves before the owner took it up, nothing
// happens; after that it is carried out whether or not anybody waits.
func (k *Keeper) ask(ctx context.Context, question func(now time.Time) (Action, error)) (Action, error) {
	type answer struct {
		action Action
		err    error
	}
	answers := make(chan answer, 1)
	input := func(now time.Time) {
		a, err := question(now)
		if err == nil {
			k.cause = Cause(a.Origin)
			k.publish(now) // the glass before the reply
		}
		answers <- answer{a, err}
	}
	select {
	case k.inputs <- input:
		a := <-answers
		return a.action, a.err
	case <-k.stopped:
		return Action{}, fmt.Errorf("%w: the kiosk is stopping", ErrNotStored)
	case <-ctx.Done():
		return Action{}, fmt.Errorf("%w: %w", ErrNotStored, context.Cause(ctx))
	}
}

func (k *Keeper) take(now time.Time, t Tap) (Action, error) {
	s := ScreenOf(k.in, now)
	i := slices.IndexFunc(s.Bookings, func(b Booking) bool { return b.ID == t.Reservation })
	if i < 0 {
		return Action{}, fmt.Errorf("reservation %q: %w", t.Reservation, ErrNotFound)
	}
	b := s.Bookings[i]
	if a, ok := k.sameTap(t, b, s.Actions); ok {
		return a, nil
	}
	if r := refusalOf(t.Kind, b); r != Possible {
		return Action{}, &RefusedError{Refusal: r}
	}
	return k.store(k.actionOf(t, b, now))
}

// sameTap finds the action that an equal tap made before, while that still counts.
func (k *Keeper) sameTap(t Tap, b Booking, actions []Action) (Action, bool) {
	if t.Kind == CheckIn && b.Phase != CheckedIn || t.Kind == Release && b.Phase != Released && b.UndoUntil.IsZero() {
		return Action{}, false
	}
	for _, a := range slices.Backward(actions) {
		if a.Kind == t.Kind && a.concerns(b.Reservation) && (a.State.Effective() || a.State == Held) {
			return a, true
		}
	}
	return Action{}, false
}

func refusalOf(kind ActionKind, b Booking) Refusal {
	if kind == Release {
		return b.ReleaseRefusal
	}
	return b.CheckInRefusal
}

func (k *Keeper) actionOf(t Tap, b Booking, now time.Time) Action {
	a := Action{
		ID: k.cfg.NewID(), Room: k.cfg.Room.ID, Kind: t.Kind, Reservation: b.ID, Ref: b.Ref,
		Start: b.Start, End: b.End, Origin: t.Origin, TappedAt: now, UpdatedAt: now,
		State: Queued, DueAt: now, ExpiresAt: b.End,
	}
	switch {
	case t.Kind == CheckIn && k.cfg.Room.ZoomID == "":
		a.State = Confirmed // it is kept here, and nowhere else
	case t.Kind == Release && k.cfg.Room.UndoWindow > 0:
		a.State, a.DueAt = Held, now.Add(k.cfg.Room.UndoWindow)
	}
	return a
}

// store makes an action durable, then true.
func (k *Keeper) store(a Action) (Action, error) {
	if err := k.cfg.Journal.Record(a); err != nil {
		k.log.Error("tap not stored", "kind", a.Kind, "error", err)
		return Action{}, fmt.Errorf("%w: %w", ErrNotStored, err)
	}
	k.log.Info("tap stored", "action", a.ID, "kind", a.Kind, "state", a.State, "origin", a.Origin)
	k.in.Actions = append(slices.Clone(k.in.Actions), a)
	k.snapshot()
	return a, nil
}

func (k *Keeper) undo(now time.Time, reservation string) (Action, error) {
	settled := settle(k.in.Actions, now, k.clockTrusted())
	if a := lastRelease(settled, reservation); a != nil && a.State == Undone {
		return *a, nil // two panels on one door
	}
	i := slices.IndexFunc(settled, func(a Action) bool {
		return a.Kind == Release && a.Reservation == reservation && a.State == Held
	})
	if i < 0 {
		return Action{}, k.nothingToUndo(reservation)
	}
	a := settled[i]
	a.State, a.UpdatedAt = Undone, now
	if err := k.cfg.Journal.Record(a); err != nil {
		k.log.Error("undo not stored", "action", a.ID, "error", err)
		return Action{}, fmt.Errorf("%w: %w", ErrNotStored, err)
	}
	k.unwritten = slices.DeleteFunc(k.unwritten, func(o Action) bool { return o.ID == a.ID }) // it is older
	k.log.Info("tap undone", "action", a.ID)
	k.in.Actions = slices.Clone(k.in.Actions)
	k.in.Actions[i] = a
	k.snapshot()
	return a, nil
}

func lastRelease(actions []Action, reservation string) *Action {
	for i := range slices.Backward(actions) {
		if a := &actions[i]; a.Kind == Release && a.Reservation == reservation {
			return a
		}
	}
	return nil
}

func (k *Keeper) nothingToUndo(reservation string) error {
	known := slices.ContainsFunc(k.in.Schedule.Reservations, func(r Reservation) bool { return r.ID == reservation }) ||
		slices.ContainsFunc(k.in.Actions, func(a Action) bool { return a.Reservation == reservation })
	if !known {
		return fmt.Errorf("reservation %q: %w", reservation, ErrNotFound)
	}
	return &RefusedError{Refusal: RefusedNothingHeld}
}
