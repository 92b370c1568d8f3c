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

// remember keeps actions as they are now, and returns how many weren't known.
func (s *seen) remember(actions []rooms.Action) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.actions)
	for _, a := range actions {
		s.actions[a.ID] = a
	}
	return len(s.actions) - before
}

// learn keeps actions that were read, unless they are known: what was recorded since is newer.
func (s *seen) learn(actions []rooms.Action) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range actions {
		if _, known := s.actions[a.ID]; !known {
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

// addTo adds what is remembered to what was found in the file. Where both know an action, what is
// remembered counts: it was recorded last, and isn't damaged.
func (s *seen) addTo(f *found) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, a := range s.actions {
		seq := int64(unnumbered)
		if known, ok := f.actions[id]; ok {
			seq = known.seq
		}
		f.actions[id] = numbered{Action: a, seq: seq}
	}
}
