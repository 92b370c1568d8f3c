package rooms

import (
	"context"
	"time"
)

const (
	readTimeout      = 20 * time.Second // for one read of the calendar, all pages
	maxReadPause     = 5 * time.Minute  // between reads that fail for a reason that only people can mend
	profileEvery     = 6 * time.Hour    // Zoom's limits are per account, shared by all rooms
	profileRetry     = time.Minute      // after a fault that may pass, doubling up to profileRetryMost
	profileRetryMost = 30 * time.Minute
	profileTimeout   = 15 * time.Second
	readSoon         = 2 * time.Second // after a release was accepted the calendar is read again,
	readSooner       = 5 * time.Second // at each of these,
	readSoonAtLatest = 15 * time.Second
	confirmBy        = 2 * time.Minute // and if it doesn't show by then, people are told
)

// poll reads the calendar at start, every so often, and when woken, until the context ends.
func (k *Keeper) poll(ctx context.Context) {
	wait := time.Duration(k.cfg.Random() * float64(k.cfg.StartSpread))
	wake := k.wake
	for failures := 0; k.pause(ctx, wait, wake); {
		fault := k.read(ctx)
		if wake = k.wake; fault != nil && fault.RetryAfter > 0 {
			wake = nil // it said when it wants to be asked again
		}
		if fault != nil {
			failures++
		} else {
			failures = 0
		}
		wait = k.readPause(fault, failures)
	}
}

// pause waits for so long, or until woken. It returns false when the context has ended.
func (k *Keeper) pause(ctx context.Context, d time.Duration, wake <-chan struct{}) bool {
	timer := k.cfg.Clock.Timer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
	case <-wake:
	}
	return ctx.Err() == nil
}

// readPause spreads reads by ±10 %. A network or a service that is down is asked at the usual pace,
// so that the screen recovers as soon as it can; one that refuses is asked less and less.
func (k *Keeper) readPause(fault *Fault, failures int) time.Duration {
	d := k.cfg.Poll
	switch {
	case fault == nil, fault.Kind == FaultUnreachable:
	default:
		d = max(d, min(d<<min(failures, 10), maxReadPause), fault.RetryAfter)
	}
	return time.Duration(float64(d) * (0.9 + 0.2*k.cfg.Random()))
}

// read reads the calendar once and tells the owner what came of it.
func (k *Keeper) read(ctx context.Context) *Fault {
	set := k.clockSet.Load()
	asked := k.cfg.Clock.Now()
	from, to := Window(asked, k.cfg.Room.Zone)
	limited, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	reservations, err := k.cfg.Calendar.Read(limited, k.cfg.Room, from, to)
	if ctx.Err() != nil {
		return nil
	}
	fault := FaultOf(err)
	k.tell(func(now time.Time) {
		if fault != nil {
			k.calendarFailed(fault)
			return
		}
		if set != k.clockSet.Load() || !k.clockTrusted() && !k.in.Schedule.AsOf.IsZero() {
			k.in.CalendarFault = nil // but of which hours, and when, nobody knows
			k.snapshot()
			return
		}
		k.calendarRead(now, NewSchedule(k.source(), from, to, asked, reservations))
	})
	return fault
}

// calendarFailed keeps the last good schedule and says why there is no newer one.
func (k *Keeper) calendarFailed(fault *Fault) {
	if k.in.CalendarFault == nil || k.in.CalendarFault.Kind != fault.Kind {
		k.log.Warn("calendar not read", "fault", fault)
	}
	k.cause, k.in.CalendarFault = ByKiosk, fault
	k.snapshot()
}

func (k *Keeper) calendarRead(now time.Time, s Schedule) {
	if k.in.CalendarFault != nil {
		k.log.Info("calendar read again")
	}
	if k.cause = ByOrganizer; k.in.Schedule.AsOf.IsZero() {
		k.cause = ByKiosk
	}
	k.in.CalendarFault, k.in.Schedule = nil, s
	err := k.cfg.Cache.SaveSchedule(k.cfg.Room.ID, s)
	if err != nil && !k.uncached {
		k.log.Error("schedules not cached", "error", err)
	}
	k.uncached = err != nil
	k.snapshot()
	for _, a := range k.in.Actions {
		if k.shownBy(&a, s) {
			k.update(now, a)
		}
	}
	k.recall(now)
}

// shownBy carries over to an action what a schedule shows of it. It returns whether it shows anything.
func (k *Keeper) shownBy(a *Action, s Schedule) bool {
	tried := a.Attempts > 0 && (a.State == Queued || a.State == Sent)
	follows := s.AsOf.After(a.UpdatedAt)
	awaits := a.Kind == Release && (a.State == Accepted || a.State == Confirmed && !a.seen())
	switch end := endOf(*a, s); {
	case (awaits || tried && a.Kind == Release) && follows && freed(*a, s):
		a.State, a.Reason = Confirmed, ""
	case awaits && a.Reason != ReasonUnseen && !s.AsOf.Before(a.UpdatedAt.Add(confirmBy)):
		k.log.Warn("release accepted, but the calendar did not change", "action", a.ID)
		a.Reason = ReasonUnseen
	case (a.Kind == CheckIn && a.State.Effective() || a.State.Open()) && end.After(a.ExpiresAt):
		a.ExpiresAt = end // the meeting was lengthened, and its check-in counts to its end
	default:
		return false
	}
	return true
}

// endOf is when the reservation that an action is about ends now; zero: the schedule doesn't have it.
func endOf(a Action, s Schedule) time.Time {
	for _, r := range s.Reservations {
		if a.concerns(r) {
			return r.End
		}
	}
	return time.Time{}
}

// freed tells whether a schedule shows the effect of a release: the reservation is gone or over.
func freed(a Action, s Schedule) bool {
	if !a.End.After(s.From) || !a.Start.Before(s.To) {
		return false // the schedule doesn't speak of that time
	}
	for _, r := range s.Reservations {
		if r.ID == a.Reservation {
			return !r.End.After(s.AsOf)
		}
	}
	return true
}

// pollDue wakes the poller when the calendar is to be read out of turn.
func (k *Keeper) pollDue(now time.Time) {
	due := false
	later := k.readAt[:0]
	for _, t := range k.readAt {
		if t.After(now) {
			later = append(later, t)
		} else {
			due = true
		}
	}
	k.readAt = later
	if !due {
		return
	}
	select {
	case k.wake <- struct{}{}:
	default: // it is woken already
	}
}

// learn finds out at start and every few hours, until the context ends, what changes seldom: Zoom's
// settings of the room, or whether its calendar can be written where there is no Zoom.
func (k *Keeper) learn(ctx context.Context) {
	ask := k.readProfile
	if k.cfg.Room.ZoomID == "" {
		calendar, ok := k.cfg.Calendar.(Ender)
		if !ok {
			return
		}
		ask = func(ctx context.Context) *Fault { return k.tryEnding(ctx, calendar) }
	}
	wait := time.Duration(k.cfg.Random() * float64(k.cfg.StartSpread))
	for retry := profileRetry; k.pause(ctx, wait, nil); {
		fault := ask(ctx)
		if fault == nil || !fault.Kind.Temporary() {
			wait, retry = profileEvery, profileRetry
			continue
		}
		wait = max(retry, fault.RetryAfter)
		retry = min(2*retry, profileRetryMost)
	}
}

// tryEnding asks whether the calendar lets the kiosk release rooms. As long as it can't be asked,
// what it said last holds.
func (k *Keeper) tryEnding(ctx context.Context, calendar Ender) *Fault {
	limited, cancel := context.WithTimeout(ctx, profileTimeout)
	defer cancel()
	fault := FaultOf(calendar.CanEnd(limited, k.cfg.Room))
	if ctx.Err() != nil {
		return nil
	}
	if fault != nil {
		k.log.Warn("calendar can't be written", "fault", fault)
	}
	if fault == nil || !fault.Kind.Temporary() {
		k.tell(func(time.Time) {
			k.in.CalendarEnds = fault == nil
			k.snapshot()
		})
	}
	return fault
}

func (k *Keeper) readProfile(ctx context.Context) *Fault {
	limited, cancel := context.WithTimeout(ctx, profileTimeout)
	defer cancel()
	p, err := k.cfg.Events.Profile(limited, k.cfg.Room)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		fault := FaultOf(err)
		k.tell(func(time.Time) {
			if k.profileFault != fault.Kind {
				k.log.Warn("zoom's settings of the room not read", "fault", fault)
			}
			k.profileFault = fault.Kind
		})
		return fault
	}
	k.tell(func(time.Time) {
		k.cause, k.in.Profile, k.profileFault = ByZoom, p, ""
		if err := k.cfg.Cache.SaveProfile(k.cfg.Room.ID, p); err != nil {
			k.log.Error("profile not cached", "error", err)
		}
		k.snapshot()
	})
	return nil
}
