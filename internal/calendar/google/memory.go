package google

import (
	"slices"
	"sync"
	"time"

	"roomkiosk/internal/rooms"
)

const (
	maxRemembered = 20_000          // calendars
	maxUnchanged  = 5 * time.Minute // after so long without a whole answer, one is asked for
)

// memory keeps the last listing of each calendar, so that a calendar that didn't change costs a
// request with If-None-Match and an answer of a few bytes.
//
// What makes it safe: a listing is only remembered when it came as a single page, together with the
// exact request that it answered, and only stands in for the answer to that same request. The
// window is part of the request, so every day starts afresh. And should an etag ever hide a change,
// a whole answer is asked for every few minutes. It is bounded by one listing for each calendar.
type memory struct {
	mu    sync.Mutex
	known map[string]remembered // by calendar id
}

// remembered is what is known about a calendar from its last read. The zero value: nothing. It is
// not changed once it is kept.
type remembered struct {
	request      string // the query that reservations answer; empty: none
	etag         string
	at           time.Time // when they were last read whole
	reservations []rooms.Reservation
	broken       []string // ids of items that could not be read, and were logged
	everybody    bool     // its listings need all attendees
}

func (m *memory) of(calendarID string) remembered {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.known[calendarID]
}

func (m *memory) keep(calendarID string, r remembered) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil || len(m.known) >= maxRemembered {
		m.known = map[string]remembered{}
	}
	m.known[calendarID] = r
}

// etagFor returns the etag to send along with a request; empty: none.
func (r remembered) etagFor(request string, now time.Time) string {
	age := now.Sub(r.at)
	if r.request != request || age < 0 || age >= maxUnchanged {
		return ""
	}
	return r.etag
}

// next is what is known after a listing.
func (r remembered) next(l listing, request string, now time.Time) remembered {
	next := remembered{broken: l.broken, everybody: r.everybody}
	if l.etag != "" {
		next.request, next.etag, next.at = request, l.etag, now
		next.reservations = slices.Clone(l.reservations)
	}
	return next
}
