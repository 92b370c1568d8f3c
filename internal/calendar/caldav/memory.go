package caldav

import (
	"net/url"
	"sync"
	"time"

	"roomkiosk/internal/calendar/ical"
	"roomkiosk/internal/rooms"
)

const (
	maxRemembered = 20_000           // rooms
	maxUnchanged  = 30 * time.Minute // after so long without a query, there is one

	// More is asked for than is shown. Before: servers disagree on which series touch a window, most
	// of all at its start, and on where days begin. After: the next midnight moves the window on.
	marginBefore = 24 * time.Hour
	marginAfter  = 50 * time.Hour
)

// memory keeps the objects of each room, so that a calendar that didn't change costs one small
// PROPFIND: its tags say whether it did.
//
// What makes it safe: the tags are read before the objects, so that a change in between shows in the
// next read. A server without tags, or that fails to tell them, is queried every time. And should a
// tag ever hide a change, there is a query every half hour.
type memory struct {
	mu    sync.Mutex
	known map[string]remembered // by room
}

// collection is a room's calendar on a server.
type collection struct {
	url   *url.URL
	id    string   // that the ids of its reservations are made with
	owner *url.URL // principal; may be nil
	own   []string // addresses of the owner
	asked bool     // for own
}

// object is one member of a collection.
type object struct {
	path     string // as the server escapes it
	calendar *ical.Calendar
}

// remembered is what is known about a room from its last read. The zero value: nothing. It is not
// changed once it is kept.
type remembered struct {
	collection *collection
	token      string // of the state that objects are of; empty: none
	from, to   time.Time
	at         time.Time // of the query
	objects    []object
	shown      shown
	broken     []string // names of what could not be read, and was logged
	zones      []string // of time zones that nobody knows, likewise
}

// shown is what objects came to the last time, for the exact window that was asked for.
type shown struct {
	from, to     time.Time
	zone         *time.Location
	reservations []rooms.Reservation
}

func (s shown) answers(from, to time.Time, zone *time.Location) bool {
	return s.zone == zone && s.from.Equal(from) && s.to.Equal(to)
}

func memoryKey(room rooms.Room) string { return room.ID + "\x00" + room.CalendarID }

func (m *memory) of(room rooms.Room) remembered {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.known[memoryKey(room)]
}

func (m *memory) keep(room rooms.Room, r remembered) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil || len(m.known) >= maxRemembered {
		m.known = map[string]remembered{}
	}
	m.known[memoryKey(room)] = r
}

// answers tells whether the objects are those of a window, of a calendar in this state.
func (r remembered) answers(token string, from, to, now time.Time) bool {
	age := now.Sub(r.at)
	return token != "" && token == r.token && !from.Before(r.from) && !to.After(r.to) && age >= 0 && age < maxUnchanged
}
