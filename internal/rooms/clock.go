package rooms

import "time"

// ClockDoubt says why the machine's clock can't be believed. Empty: it can.
type ClockDoubt string

// The doubts, strongest first.
const (
	ClockTrusted        ClockDoubt = ""
	ClockBehind         ClockDoubt = "behind"         // it is before an instant that has certainly passed
	ClockJumped         ClockDoubt = "jumped"         // it was set while the kiosk ran, and nothing has confirmed it since
	ClockDisagrees      ClockDoubt = "disagrees"      // the services that answered say another time
	ClockUnsynchronised ClockDoubt = "unsynchronised" // the machine is still waiting for the time
)

const (
	// clockSlack is by how much a clock may be off without being called wrong. People don't notice,
	// and an answer may be under way for a part of it.
	clockSlack = 2 * time.Minute
	// clockStep is the least change of a clock's reading that counts as its being set.
	clockStep = 2 * time.Second
)

// opinionHolds is how long the word of a service that says nothing any more counts against others'.
const opinionHolds = 10 * time.Minute

// opinion is what a service's answer says of the clock.
type opinion struct {
	ahead time.Duration // of this clock
	at    time.Duration // when it came, since the start
}

// TimeSync is what the machine says about its clock.
type TimeSync struct {
	Watched bool      // a service that keeps the clock right and says so is there
	At      time.Time // when that service last said that the clock is right; zero: it hasn't yet
}

// ClockWatch judges whether a clock can be believed, from all the evidence that there is. It is not
// safe for concurrent use, and reads no clock itself.
//
// A machine without a battery for its clock starts with the time at which it stopped. As long as
// nothing contradicts it such a time looks right, so where a service keeps the clock (see [TimeSync])
// it isn't believed before that service has spoken. Where none does, a clock is believed until there
// is evidence against it: an instant in the stores that is later, services that say another time, or
// a jump. The Date of a service's answer decides in each of these cases.
type ClockWatch struct {
	declared bool      // somebody says that the clock is right: no evidence is asked for
	stored   time.Time // newest instant in the stores when the kiosk started

	offsets map[string]opinion // by service: of its last answer
	real    time.Duration      // that has passed since the start
	wall    time.Time          // the reading at the last look
	jumped  bool
	synced  time.Time // what the machine said at the last look
	before  time.Time // what it had said before the jump
}

// NewClockWatch makes a watch. declared: the clock is right whatever the evidence. stored is the
// newest instant that the stores hold; zero: none.
func NewClockWatch(declared bool, stored time.Time) *ClockWatch {
	return &ClockWatch{declared: declared, stored: stored, offsets: map[string]opinion{}}
}

// Answered takes the Date of a service's answer as evidence; now is the clock's reading when it came.
func (w *ClockWatch) Answered(service string, date, now time.Time) {
	if !date.IsZero() {
		w.offsets[service] = opinion{ahead: date.Sub(now.Round(0)), at: w.real}
	}
}

// Look judges the clock. now is its reading; passed is how much time really passed since the last
// look, by a clock that can't be set. stepped tells whether the clock was set since then.
func (w *ClockWatch) Look(now time.Time, passed time.Duration, sync TimeSync) (doubt ClockDoubt, stepped bool) {
	now = now.Round(0)
	w.real += passed
	if !w.wall.IsZero() {
		step := now.Sub(w.wall) - passed
		stepped = step.Abs() > clockStep
		if step.Abs() > clockSlack {
			w.jumped, w.before = true, w.synced
			clear(w.offsets) // they were measured against another reading
		} else {
			w.shift(step)
		}
	}
	w.wall, w.synced = now, sync.At
	return w.judge(now, sync), stepped
}

// shift moves what was measured along with a small correction of the clock.
func (w *ClockWatch) shift(step time.Duration) {
	for service, o := range w.offsets {
		o.ahead -= step
		w.offsets[service] = o
	}
}

func (w *ClockWatch) judge(now time.Time, sync TimeSync) ClockDoubt {
	agree, disagree := w.opinions()
	synced := !sync.At.IsZero()
	if agree || synced && !sync.At.Equal(w.before) {
		w.jumped = false
	}
	switch {
	case w.declared:
		return ClockTrusted
	case w.jumped:
		return ClockJumped
	case synced, agree:
		return ClockTrusted
	case now.Before(w.stored.Add(-clockSlack)):
		return ClockBehind
	case disagree:
		return ClockDisagrees
	case sync.Watched:
		return ClockUnsynchronised
	default:
		return ClockTrusted
	}
}

// opinions tells whether a service that answered says the time that this clock says, and whether
// there are answers and none does. One service whose own clock is wrong is outvoted by any other.
func (w *ClockWatch) opinions() (agree, disagree bool) {
	var newest time.Duration
	for _, o := range w.offsets {
		newest = max(newest, o.at)
	}
	for _, o := range w.offsets {
		if o.ahead.Abs() <= clockSlack && newest-o.at <= opinionHolds {
			return true, false
		}
	}
	return false, len(w.offsets) > 0
}
