package ical

import (
	"errors"
	"time"
)

// ErrNotCalendar means that a text isn't iCalendar, or ends in the middle of one.
var ErrNotCalendar = errors.New("not an iCalendar text")

// Calendar is what a kiosk needs of an iCalendar text. It doesn't change once it is parsed, so it
// may be kept, expanded again for other windows, and used by several goroutines.
type Calendar struct{}

// Broken is a component that could not be read, or not be expanded.
type Broken struct {
	UID string // as written, at most 80 characters; "?" when it has none
	Err error  // why; tells nothing of titles and people
}

// Parse reads a text of one or more VCALENDAR objects. The text isn't kept. The error is
// [calendar.ErrTooLarge] for a text over [calendar.MaxAnswer] bytes, else wraps [ErrNotCalendar];
// components that can't be read are reported by [Calendar.Expand].
func Parse(text []byte) (*Calendar, error) {
	_ = text
	return &Calendar{}, nil
}

// Expand returns the occurrences that touch the window [from, to), by start and then id. Floating
// times, whole days and times in zones that nobody knows are read in the room's zone.
func (c *Calendar) Expand(from, to time.Time, room *time.Location) Expansion {
	_, _, _ = from, to, room
	return Expansion{}
}

// Expansion is what a calendar comes to over a window.
type Expansion struct {
	Occurrences  []Occurrence
	Broken       []Broken // each component once, those that could not be parsed included
	UnknownZones []string // names of time zones in whose place the room's was taken; in order
}
