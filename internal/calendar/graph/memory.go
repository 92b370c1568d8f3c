package graph

import (
	"crypto/sha256"
	"slices"
	"sync"

	"roomkiosk/internal/rooms"
)

const maxRemembered = 20_000 // mailboxes

// memory keeps what the last listing of each mailbox came to. Graph has no conditional requests for
// calendars; an answer whose bytes are the same as last time at least isn't taken apart again. It
// stands in for the answer to the same request only, in the same zone, and only if it was a single
// page. It is bounded by one listing for each mailbox.
type memory struct {
	mu    sync.Mutex
	known map[string]remembered // by mailbox
	said  map[string]string     // by mailbox: the last refusal that was logged
}

// remembered is what is known about a mailbox. The zero value: nothing. It is not changed once it is
// kept.
type remembered struct {
	request      string            // what the answer was for; empty: it can't be used again
	sum          [sha256.Size]byte // of the answer
	reservations []rooms.Reservation
	broken       []string // ids of items that could not be read, and were logged
}

func (m *memory) of(mailbox string) remembered {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.known[mailbox]
}

func (m *memory) keep(mailbox string, r remembered) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil || len(m.known) >= maxRemembered {
		m.known = map[string]remembered{}
	}
	m.known[mailbox] = r
}

// spoke notes how a mailbox refused, empty for a success, and tells whether that is news.
func (m *memory) spoke(mailbox, said string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.said[mailbox] == said {
		return false
	}
	if said == "" {
		delete(m.said, mailbox)
		return true
	}
	if m.said == nil || len(m.said) >= maxRemembered {
		m.said = map[string]string{}
	}
	m.said[mailbox] = said
	return true
}

// matches tells whether an answer is the remembered one.
func (r remembered) matches(request string, sum [sha256.Size]byte) bool {
	return r.request != "" && r.request == request && r.sum == sum
}

// remember is what is known after a listing.
func remember(l listing, request string) remembered {
	if l.pages > 1 {
		return remembered{broken: l.broken}
	}
	return remembered{request: request, sum: l.sum, reservations: slices.Clone(l.reservations), broken: l.broken}
}
