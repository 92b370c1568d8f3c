package rooms

import (
	"slices"
	"time"
)

// shownFor is how long after its reservation's end an action can still be seen.
const shownFor = 5 * time.Minute

// UndoneShown is how long after a person took a release back the screen says so.
const UndoneShown = 8 * time.Second

// Inputs is everything known about a room that its screen depends on, but the time.
type Inputs struct {
	Room          Room
	Profile       Profile
	Schedule      Schedule // zero: never read
	Actions       []Action // in the order of the taps
	CalendarFault *Fault   // why the last read failed; nil: it didn't
	ZoomFault     *Fault   // why Zoom as a whole is out of reach; nil: it isn't
	CalendarEnds  bool     // without Zoom: releases go to the calendar, which can be written
	ClockDoubt    ClockDoubt
	Alert         Alert // what Zoom said last about the Zoom Room's connection
}

// ScreenOf is the room's screen at an instant. It is a pure function: the same inputs and instant
// give the same screen, and until [Screen.Change] no instant gives another (but for Now itself).
//
// Until says, by status: available, when the next reservation starts; starting_soon, likewise;
// awaiting_check_in, until when people can check in without risk, or the end once that is past;
// in_use, the end of the current reservation.
func ScreenOf(in Inputs, now time.Time) Screen {
	s := Screen{
		Room: in.Room, Policy: in.Room.Policy(in.Profile), Now: now,
		Today:  DayStart(now, in.Room.Zone, 0),
		Source: in.Room.Calendar, AsOf: in.Schedule.AsOf, Fault: in.CalendarFault, ZoomFault: in.ZoomFault,
	}
	trusted := in.ClockDoubt == ClockTrusted
	actions := settle(in.Actions, now, trusted)
	s.Actions = shown(actions, now)
	s.Flags = flagsOf(in, actions, now, trusted)
	s.Bookings = make([]Booking, len(in.Schedule.Reservations))
	for i, r := range in.Schedule.Reservations {
		s.Bookings[i] = bookingOf(r, in, s.Policy, actions, now, trusted)
	}
	if covered(in.Schedule, now) && trusted {
		s.Current, s.Next = currentOf(s.Bookings, now), nextOf(s.Bookings, now)
		s.Status = statusOf(s.Current, s.Bookings, now)
		s.Until = untilOf(s)
	} else {
		s.Status = Unknown
	}
	s.Change = nextChange(in, s, actions)
	return s
}

// covered tells whether the schedule says anything about now.
func covered(s Schedule, now time.Time) bool {
	return !s.AsOf.IsZero() && !now.Before(s.From) && now.Before(s.To)
}

func currentOf(bookings []Booking, now time.Time) *Booking {
	var current *Booking
	for i := range bookings {
		b := &bookings[i]
		if b.Start.After(now) || b.Phase == Released || b.Phase == Ended {
			continue
		}
		if current == nil || current.Phase != CheckedIn && b.Phase == CheckedIn {
			current = b
		}
	}
	return current
}

func nextOf(bookings []Booking, now time.Time) *Booking {
	for i := range bookings {
		if b := &bookings[i]; b.Start.After(now) && b.Phase != Released {
			return b
		}
	}
	return nil
}

func statusOf(current *Booking, bookings []Booking, now time.Time) Status {
	if current != nil {
		if current.Phase == CheckedIn {
			return InUse
		}
		return AwaitingCheckIn
	}
	for i := range bookings {
		b := &bookings[i]
		if b.Start.After(now) && (b.Phase == CheckInOpen || b.Phase == CheckedIn && !now.Before(b.CheckInOpens)) {
			return StartingSoon
		}
	}
	return Available
}

func untilOf(s Screen) time.Time {
	switch {
	case s.Current == nil && s.Next == nil:
		return time.Time{}
	case s.Current == nil:
		return s.Next.Start
	case s.Current.Phase == CheckInOpen && s.Current.CheckInCloses.Before(s.Current.End):
		return s.Current.CheckInCloses
	default:
		return s.Current.End
	}
}

func flagsOf(in Inputs, actions []Action, now time.Time, trusted bool) []Flag {
	var flags []Flag
	if isStale(in, now) {
		flags = append(flags, FlagStale)
	}
	if in.CalendarFault != nil || in.ZoomFault != nil {
		flags = append(flags, FlagOffline)
	}
	if zoomRoomOffline(in.Alert, shown(actions, now), now) {
		flags = append(flags, FlagZoomRoomOffline)
	}
	if !trusted {
		flags = append(flags, FlagClockUntrusted)
	}
	if in.Profile.UnderConstruction {
		flags = append(flags, FlagUnderConstruction)
	}
	return flags
}

// isStale tells whether a schedule is too old to be relied on. One from the future was read by a clock
// that was ahead: how old it is can't be told.
func isStale(in Inputs, now time.Time) bool {
	asOf := in.Schedule.AsOf
	return !asOf.IsZero() && (!now.Before(asOf.Add(in.Room.StaleAfter)) || asOf.After(now.Add(clockSlack)))
}

// alertHolds is how long a Zoom Room is called offline after Zoom said so. As long as it is, that is said
// again every ten minutes; that it is back can be missed.
const alertHolds = 25 * time.Minute

// Alert is what Zoom said by itself about a Zoom Room's connection. The zero Alert: nothing.
type Alert struct {
	Offline bool
	At      time.Time // when it happened, by Zoom's clock
	Heard   time.Time // when it was heard, by ours
}

// zoomRoomOffline tells whether the last that Zoom said about the room, in an answer or by itself, was
// that it is offline.
func zoomRoomOffline(alert Alert, actions []Action, now time.Time) bool {
	var last *Action
	for i := range actions {
		a := &actions[i]
		if a.Attempts > 0 && (a.State != Sent || a.Reason != "") && (last == nil || !a.UpdatedAt.Before(last.UpdatedAt)) {
			last = a
		}
	}
	if last == nil || alert.Heard.After(last.UpdatedAt) {
		return alert.Offline && now.Before(alert.Heard.Add(alertHolds))
	}
	return last.Reason == Reason(FaultRoomOffline)
}

func shown(actions []Action, now time.Time) []Action {
	var out []Action
	for _, a := range actions {
		if a.State.Open() || now.Before(a.ExpiresAt.Add(shownFor)) {
			out = append(out, a)
		}
	}
	return out
}

// nextChange is the earliest instant after now at which anything on the screen can be different.
func nextChange(in Inputs, s Screen, actions []Action) time.Time {
	at := []time.Time{
		DayStart(s.Now, in.Room.Zone, 1), in.Alert.Heard.Add(alertHolds),
		in.Schedule.From, in.Schedule.To, in.Schedule.AsOf.Add(in.Room.StaleAfter), in.Schedule.AsOf.Add(-clockSlack),
	}
	for _, b := range s.Bookings {
		at = append(at, b.CheckInOpens, b.Start, b.CheckInCloses, b.End)
	}
	for _, a := range actions {
		at = append(at, a.ExpiresAt, a.ExpiresAt.Add(shownFor))
		switch a.State {
		case Held:
			at = append(at, a.DueAt)
		case Undone:
			at = append(at, a.UpdatedAt.Add(UndoneShown))
		default:
		}
	}
	at = slices.DeleteFunc(at, func(t time.Time) bool { return !t.After(s.Now) })
	if len(at) == 0 {
		return time.Time{}
	}
	return slices.MinFunc(at, time.Time.Compare)
}
