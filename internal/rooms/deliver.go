package rooms

import (
	"context"
	"slices"
	"time"
)

const (
	lookupTimeout  = 3 * time.Second  // for reading the event afresh before it is sent
	deliverTimeout = 12 * time.Second // for one delivery, its look-up included
	stopGrace      = 3 * time.Second  // for a delivery under way when the kiosk stops

	retryBase      = time.Second // full jitter, doubling
	retryMax       = 30 * time.Second
	retrySlow      = 30 * time.Second // a room that is offline, or credentials that IT has to mend
	retrySlowMax   = 5 * time.Minute
	retryThrottled = 5 * time.Second // where Zoom doesn't say when
	effectWait     = 6 * time.Second // for the effect of a request without an answer to show
)

// outcome is what came of one delivery.
type outcome struct {
	state  ActionState // Accepted, Confirmed, Failed; Queued: to be tried again
	reason Reason
	after  time.Duration // what the service asked for
	unsure bool          // it may have been carried out although no answer came
}

// nextDue is the queued action that is due first, when nothing is in flight; of those due at the same
// instant, the one that was tapped first. A reservation's actions don't overtake each other: it never
// has more than one open action, but for a check-in that its release supersedes.
func (k *Keeper) nextDue() *Action {
	if k.inFlight {
		return nil
	}
	var next *Action
	for i := range k.in.Actions {
		if a := &k.in.Actions[i]; a.State == Queued && (next == nil || a.DueAt.Before(next.DueAt)) {
			next = a
		}
	}
	return next
}

// dispatch sends off what is due. It is marked as sent on the disk before it goes.
func (k *Keeper) dispatch(now time.Time) {
	if !k.clockTrusted() {
		return // whether it is still of use can't be told
	}
	due := k.nextDue()
	if due == nil || due.DueAt.After(now) {
		return
	}
	a := *due
	a.State, a.Attempts = Sent, a.Attempts+1
	k.inFlight = true
	k.update(now, a)
	k.jobs <- a // never blocks: there is one action in flight
}

// deliver carries out deliveries until the context ends.
func (k *Keeper) deliver(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case a := <-k.jobs:
			calendarUp := k.shot.Load().CalendarFault == nil
			o := k.attempt(ctx, a, calendarUp)
			k.tell(func(now time.Time) { k.delivered(now, a, o) })
		}
	}
}

// attempt brings one action to Zoom, once. It outlives the context by the grace at most.
func (k *Keeper) attempt(ctx context.Context, a Action, calendarUp bool) outcome {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), deliverTimeout)
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(stopGrace, cancel) })()

	if k.cfg.Room.ZoomID == "" {
		return k.end(limited, a)
	}
	ref, done := k.refresh(limited, a, calendarUp)
	if done != nil {
		return *done
	}
	send := k.cfg.Events.CheckIn
	if a.Kind == Release {
		send = k.cfg.Events.Release
	}
	return outcomeOf(send(limited, k.cfg.Room, ref))
}

// end gives the room back on its calendar, where Zoom can't.
func (k *Keeper) end(ctx context.Context, a Action) outcome {
	calendar, ok := k.cfg.Calendar.(Ender)
	if !ok {
		return outcome{state: Failed, reason: Reason(FaultPermission)} // it could when it was tapped
	}
	return outcomeOf(calendar.End(ctx, k.cfg.Room, a.Ref, k.cfg.Clock.Now()))
}

// refresh reads the event again right before it is sent: a change key goes stale with every edit, and
// after a delivery whose answer was lost the effect may be there already. It returns the reference
// to send, or what came of the action without sending it.
func (k *Keeper) refresh(ctx context.Context, a Action, calendarUp bool) (EventRef, *outcome) {
	if !calendarUp && a.Ref.ChangeKey == "" {
		return k.asKnown(a) // such ids don't go stale: a calendar that is away must not delay Zoom
	}
	limited, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	r, err := k.cfg.Calendar.Lookup(limited, k.cfg.Room, a.Ref)
	fault := FaultOf(err)
	switch {
	case fault == nil && a.concerns(r) && r.End.After(k.cfg.Clock.Now()):
		return r.Ref, nil
	case fault == nil, fault.Kind == FaultNotFound && k.canRead(limited, a):
		return EventRef{}, goneFor(a.Kind)
	case a.Ref.ChangeKey == "":
		return k.asKnown(a)
	default:
		return EventRef{}, &outcome{state: Queued, reason: Reason(fault.Kind), after: fault.RetryAfter}
	}
}

// asKnown is the reference as it was pinned, unless the schedule by now has the reservation at a time that
// the action isn't about.
func (k *Keeper) asKnown(a Action) (EventRef, *outcome) {
	if slices.ContainsFunc(k.shot.Load().Schedule.Reservations, func(r Reservation) bool {
		return r.ID == a.Reservation && !a.concerns(r)
	}) {
		return EventRef{}, goneFor(a.Kind)
	}
	return a.Ref, nil
}

// canRead tells whether the calendar as such can be read. Services answer alike for an event that is
// gone and for a calendar that they stopped showing.
func (k *Keeper) canRead(ctx context.Context, a Action) bool {
	_, err := k.cfg.Calendar.Read(ctx, k.cfg.Room, a.Start, a.Start.Add(time.Minute))
	return err == nil
}

// goneFor says what it means for an action that its reservation is over, moved or deleted: that is
// what a release wanted; a check-in comes too late.
func goneFor(kind ActionKind) *outcome {
	if kind == Release {
		return &outcome{state: Confirmed}
	}
	return &outcome{state: Failed, reason: ReasonGone}
}

func outcomeOf(err error) outcome {
	fault := FaultOf(err)
	switch {
	case fault == nil:
		return outcome{state: Accepted}
	case fault.Kind.Temporary(), fault.Kind == FaultCredentials:
		return outcome{state: Queued, reason: Reason(fault.Kind), after: fault.RetryAfter, unsure: fault.Ambiguous}
	default:
		return outcome{state: Failed, reason: Reason(fault.Kind)}
	}
}

// delivered takes over what came of a delivery.
func (k *Keeper) delivered(now time.Time, a Action, o outcome) {
	k.inFlight, k.cause = false, ByKiosk
	if known := k.action(a.ID); known == nil || known.State != Sent {
		return // its effect was seen before the answer came
	} else if known.ExpiresAt.After(a.ExpiresAt) {
		a.ExpiresAt = known.ExpiresAt // the meeting was lengthened meanwhile
	}
	a.State, a.Reason = o.state, o.reason
	if o.state == Queued {
		a.DueAt = now.Add(k.retryPause(a, o))
	}
	k.update(now, a)
	switch {
	case a.Kind == Release && (o.state == Accepted || o.unsure):
		k.watchEffect(now)
	case o.state == Confirmed, o.reason == ReasonGone:
		k.readAt = append(k.readAt, now) // the calendar is ahead of the screen
	}
}

// retryPause is how long a queued action waits: what the service asked for, or 30, 60, 120 s for
// what somebody has to mend, or full jitter for what passes.
func (k *Keeper) retryPause(a Action, o outcome) time.Duration {
	doubled := func(base, most time.Duration) time.Duration {
		return min(base<<min(max(a.Attempts-1, 0), 12), most)
	}
	switch FaultKind(o.reason) {
	case FaultRoomOffline, FaultCredentials:
		return max(doubled(retrySlow, retrySlowMax), o.after)
	case FaultThrottled:
		return max(jitter(doubled(retryThrottled, retrySlowMax), k.cfg.Random()), o.after, retryBase)
	default:
		return max(jitter(doubled(retryBase, retryMax), k.cfg.Random()), o.after, k.lookFirst(a, o))
	}
}

// lookFirst is how long the effect of a request without an answer is given to show, before the request
// is made again: where something can show it.
func (k *Keeper) lookFirst(a Action, o outcome) time.Duration {
	if o.unsure && (k.listening || a.Kind == Release && k.in.CalendarFault == nil) {
		return effectWait
	}
	return 0
}

// watchEffect has the calendar read until it must have shown what a release did.
func (k *Keeper) watchEffect(now time.Time) {
	for _, d := range []time.Duration{readSoon, readSooner, readSoonAtLatest, confirmBy} {
		k.readAt = append(k.readAt, now.Add(d))
	}
}

// action finds an action by its id; nil: it is forgotten.
func (k *Keeper) action(id string) *Action {
	for i := range k.in.Actions {
		if k.in.Actions[i].ID == id {
			return &k.in.Actions[i]
		}
	}
	return nil
}

// jitter spreads a pause over [d/10, d): "full jitter", but never so short that it hammers.
func jitter(d time.Duration, random float64) time.Duration {
	return d/10 + time.Duration(random*float64(d-d/10))
}
