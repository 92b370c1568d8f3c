package ics

import (
	"crypto/sha256"
	"sync"
	"time"

	"roomkiosk/internal/calendar/ical"
	"roomkiosk/internal/rooms"
)

const (
	maxRemembered = 20_000           // feeds
	maxUnchanged  = 30 * time.Minute // after so long without the whole feed, it is asked for
)

// memory keeps each feed as it was last read, parsed, so that one that didn't change costs a request
// with If-None-Match or If-Modified-Since; and where the server doesn't know these, the transfer.
// Should they ever hide a change, the whole feed is asked for every half hour.
type memory struct {
	mu    sync.Mutex
	known map[string]remembered // by URL as configured
}

// remembered is a feed. The zero value: none. What it holds is not changed once it is kept.
type remembered struct {
	calendar *ical.Calendar // nil: none
	etag     string
	modified string // Last-Modified
	sum      [sha256.Size]byte
	at       time.Time // when it was last read whole
	shown    shown
	broken   []string // ids of events that could not be read, and were logged
	zones    []string // names of zones that nobody knows, likewise
}

// shown is what a feed came to the last time, for the exact window that was asked for.
type shown struct {
	from, to     time.Time
	zone         *time.Location
	reservations []rooms.Reservation
}

func (s shown) answers(from, to time.Time, zone *time.Location) bool {
	return s.zone == zone && s.from.Equal(from) && s.to.Equal(to)
}

func (m *memory) of(url string) remembered {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.known[url]
}

func (m *memory) keep(url string, r remembered) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil || len(m.known) >= maxRemembered {
		m.known = map[string]remembered{}
	}
	m.known[url] = r
}

// current tells whether the feed is young enough to ask only for what is newer.
func (r remembered) current(now time.Time) bool {
	age := now.Sub(r.at)
	return r.calendar != nil && age >= 0 && age < maxUnchanged
}
