package ews

import (
	"crypto/sha256"
	"slices"
	"sync"

	"roomkiosk/internal/rooms"
)

const maxRemembered = 20_000 // mailboxes

// memory keeps what the last read of each mailbox came to. Exchange can't be asked for a calendar
// only if it has changed; an answer whose bytes are the same as last time at least isn't taken apart
// again. It is bounded by one read for each mailbox.
type memory struct {
	mu    sync.Mutex
	reads map[string]remembered // by mailbox
}

// remembered is what a read came to. The zero value: nothing is known. It is not changed once it is
// kept.
type remembered struct {
	view         view              // what was asked for
	sum          [sha256.Size]byte // of the one answer
	reservations []rooms.Reservation
	broken       []string // ids of items that could not be read
}

// of returns what is known about the very same view. Another window or zone gives the same answer
// another meaning.
func (m *memory) of(v view) remembered {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, found := m.reads[v.mailbox]
	if !found || !r.view.same(v) {
		return remembered{}
	}
	return r
}

// keep replaces what is known about a mailbox. What took several answers is not kept: the bytes of
// the first don't tell what the others would be.
func (m *memory) keep(v view, l listing) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !l.single {
		delete(m.reads, v.mailbox)
		return
	}
	if m.reads == nil || len(m.reads) >= maxRemembered {
		m.reads = map[string]remembered{}
	}
	m.reads[v.mailbox] = remembered{v, l.sum, slices.Clone(l.reservations), l.broken}
}

// has tells whether an answer is the remembered one.
func (r remembered) has(sum [sha256.Size]byte) bool {
	return r.view.mailbox != "" && r.sum == sum
}

// same compares zones by their names: they are loaded anew with every configuration.
func (v view) same(other view) bool {
	return v.mailbox == other.mailbox && v.zone.String() == other.zone.String() && v.from.Equal(other.from) && v.to.Equal(other.to)
}
