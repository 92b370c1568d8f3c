package rooms

import (
	"context"
	"errors"
	"time"
)

// ErrNotFound is returned by stores for what they don't hold.
var ErrNotFound = errors.New("not found")

// Clock tells the time. The real one is the machine's; the demo's runs faster.
type Clock interface {
	// Now is the wall clock's time.
	Now() time.Time
	// Timer fires once after d of this clock's time; d ≤ 0 fires at once.
	Timer(d time.Duration) *time.Timer
}

// Calendar reads the calendar that a room is on. Errors are [Fault]s.
type Calendar interface {
	// Read returns the reservations that block the room and touch [from, to), in any order. An
	// error means that nothing is known: it never stands for an empty calendar.
	Read(ctx context.Context, room Room, from, to time.Time) ([]Reservation, error)
	// Lookup reads one reservation afresh. A fault of kind [FaultNotFound] means that it is no
	// longer on the room's calendar: deleted, cancelled, or declined by the room.
	Lookup(ctx context.Context, room Room, ref EventRef) (Reservation, error)
}

// Ender is a [Calendar] that can give a room back itself, for rooms that Zoom can't be told about.
// Errors are [Fault]s.
type Ender interface {
	// End ends the reservation at an instant, which is now, on the room's calendar: it shortens the
	// event where the room may, else it declines the event for the room. A reservation that is over
	// or gone already is no error. It is safe to repeat.
	End(ctx context.Context, room Room, ref EventRef, at time.Time) error
	// CanEnd tells, without changing anything, whether End would be allowed: nil, or a fault of kind
	// [FaultPermission] whose detail says why not and what to do, or the fault that kept it from
	// finding out.
	CanEnd(ctx context.Context, room Room) error
}

// Events is Zoom's side of a room. Errors are [Fault]s. Neither CheckIn nor Release repeats a
// request that may have been carried out; that decision is the keeper's.
type Events interface {
	// CheckIn checks the reservation in. nil means that Zoom accepted the request, not that it is
	// done.
	CheckIn(ctx context.Context, room Room, ref EventRef) error
	// Release checks the reservation out, which shortens the event on the calendar. nil means
	// accepted, likewise.
	Release(ctx context.Context, room Room, ref EventRef) error
	// Profile reads Zoom's own settings of the room. It counts against the account's rate limits:
	// at start and every few hours, not more.
	Profile(ctx context.Context, room Room) (Profile, error)
}

// Journal keeps actions for good.
type Journal interface {
	// Record writes the actions as they are now, new or known, all or none. When it returns nil they
	// have reached the disk: a power cut doesn't lose them.
	Record(actions ...Action) error
	// ActionsOf returns the actions of a room that are open (see [ActionState.Open]), or that expire
	// after since, in the order of their taps.
	ActionsOf(ctx context.Context, room string, since time.Time) ([]Action, error)
}

// Cache keeps what can be read anew, for the display without a network. Not having something is
// [ErrNotFound].
type Cache interface {
	// Schedule returns the schedule that was last saved for the room.
	Schedule(ctx context.Context, room string) (Schedule, error)
	// SaveSchedule replaces it.
	SaveSchedule(room string, s Schedule) error
	// Profile returns the profile that was last saved for the room.
	Profile(ctx context.Context, room string) (Profile, error)
	// SaveProfile replaces it.
	SaveProfile(room string, p Profile) error
}

// Publisher shows screens. Publish must not block on anybody who watches.
type Publisher interface {
	Publish(s Screen)
}
