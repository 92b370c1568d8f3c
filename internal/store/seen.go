package store

import (
	"sync"
	"time"

	"roomkiosk/internal/rooms"
)

// seen is the actions that this process has recorded or read and that may still matter. They are
// carried over when the file is damaged, whatever is left of it.
type seen struct {
	mu      sync.Mutex
	actions map[string]rooms.Action // by id
}

// remember keeps the newest state of each action.
func (s *seen) remember(actions []rooms.Action) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range actions {
		if known, ok := s.actions[a.ID]; !ok || !a.UpdatedAt.Before(known.UpdatedAt) {
			s.actions[a.ID] = a
		}
	}
}

// forget drops what is settled and of no use since that instant.
func (s *seen) forget(before time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, a := range s.actions {
		if !a.State.Open() && a.ExpiresAt.Before(before) {
			delete(s.actions, id)
		}
	}
}

// addTo adds what is remembered to what was found in the file. Where both know an action, the newer
// state counts, and of two as old as each other the one that is remembered: it wasn't damaged.
func (s *seen) addTo(f *found) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, a := range s.actions {
		known, ok := f.actions[id]
		switch {
		case !ok:
			f.actions[id] = numbered{Action: a, seq: unnumbered}
		case !a.UpdatedAt.Before(known.UpdatedAt):
			f.actions[id] = numbered{Action: a, seq: known.seq}
		}
	}
}
