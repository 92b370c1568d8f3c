package rooms

import (
	"reflect"
	"time"
)

// Status is what the door says.
type Status string

// The statuses (design, section 3). Exactly one holds at every instant.
const (
	Available       Status = "available"         // nobody is in it and no check-in is open
	StartingSoon    Status = "starting_soon"     // nobody is in it; the next reservation's check-in is open
	AwaitingCheckIn Status = "awaiting_check_in" // a reservation runs that nobody has checked in
	InUse           Status = "in_use"            // a checked-in reservation runs
	Unknown         Status = "unknown"           // no schedule was ever read for now, or the clock can't be trusted
)

// Phase is where a reservation stands.
type Phase string

// The phases of a reservation.
const (
	Later       Phase = "later"         // its check-in isn't open yet
	CheckInOpen Phase = "check_in_open" // it can be checked in
	Overdue     Phase = "overdue"       // nobody checked in in time; it still can be, but may be released
	CheckedIn   Phase = "checked_in"
	Released    Phase = "released" // given back before its end
	Ended       Phase = "ended"
)

// Flag says what is wrong with what the screen knows. Any number can hold beside any status.
type Flag string

// The flags.
const (
	FlagStale             Flag = "stale"              // the schedule is older than the room's limit
	FlagOffline           Flag = "offline"            // the calendar or Zoom is out of reach
	FlagZoomRoomOffline   Flag = "zoom_room_offline"  // Zoom is up, the Zoom Room isn't
	FlagClockUntrusted    Flag = "clock_untrusted"    // the machine's clock can't be right
	FlagUnderConstruction Flag = "under_construction" // Zoom's administrators took the room out of service
)

// Refusal says why a tap isn't possible now. The empty refusal means that it is.
type Refusal string

// The refusals.
const (
	Possible           Refusal = ""
	RefusedTooEarly    Refusal = "too_early"       // check-in isn't open yet, or release of what hasn't started
	RefusedEnded       Refusal = "ended"           // the reservation is over
	RefusedCheckedIn   Refusal = "checked_in"      // it is checked in already
	RefusedReleased    Refusal = "released"        // it was released already
	RefusedReleasing   Refusal = "releasing"       // its release is held: undo that first
	RefusedNoCheckIn   Refusal = "no_check_in"     // the room doesn't ask for check-ins
	RefusedReadOnly    Refusal = "read_only"       // there is no way to release this room's reservations
	RefusedClock       Refusal = "clock_untrusted" // the time isn't known
	RefusedNothingHeld Refusal = "nothing_to_undo" // there is no release that could be undone
)

// Booking is a reservation with what can be said about it at the screen's instant.
type Booking struct {
	Reservation
	Phase          Phase
	CheckInOpens   time.Time // zero where the room doesn't ask for check-ins
	CheckInCloses  time.Time // when it becomes overdue; zero likewise
	CheckInRefusal Refusal   // Possible: Check In is offered
	ReleaseRefusal Refusal   // Possible: Release is offered
	UndoUntil      time.Time // its release is held until then and can be undone; else zero
}

// Screen is everything there is to show about a room at an instant.
type Screen struct {
	Room     Room
	Policy   Policy
	Now      time.Time // the instant it is for
	Today    time.Time // midnight that began the room's day of Now, in the room's zone
	Status   Status
	Until    time.Time // what a person wants to know beside the status; zero: nothing known. See ScreenOf
	Flags    []Flag    // in the order of their declaration
	Current  *Booking  // runs now: the checked-in one, else the earliest start; nil: none
	Next     *Booking  // the first that starts after now and isn't released; nil: none
	Bookings []Booking // all of the schedule, by start

	Source    string    // name of the calendar
	AsOf      time.Time // when the schedule was read; zero: never
	Fault     *Fault    // why it could not be read lately; nil: it could
	ZoomFault *Fault    // why Zoom as a whole is out of reach; nil: it isn't

	Actions []Action  // of the bookings shown, and those not settled, in the order of the taps
	Change  time.Time // when it next changes by itself; zero: never
}

// Has tells whether the flag is up.
func (s Screen) Has(f Flag) bool {
	for _, g := range s.Flags {
		if f == g {
			return true
		}
	}
	return false
}

// Same tells whether two screens look the same: whether they differ in nothing but the instant they
// are for, and the age of a schedule that isn't stale.
func (s Screen) Same(o Screen) bool {
	return reflect.DeepEqual(s.comparable(), o.comparable())
}

func (s Screen) comparable() Screen {
	s.Now, s.Change = time.Time{}, time.Time{}
	if !s.Has(FlagStale) && s.Fault == nil {
		s.AsOf = time.Time{}
	}
	s.Fault, s.ZoomFault = s.Fault.gist(), s.ZoomFault.gist()
	return s
}
