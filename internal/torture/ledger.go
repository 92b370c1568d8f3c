package main

import (
	"maps"
	"slices"
	"sync"
	"time"

	"roomkiosk/internal/rooms"
)

// ledger takes down what is seen while it happens. It is safe for concurrent use.
type ledger struct {
	mu    sync.Mutex
	taps  []tap
	shown map[string]shown
	kills []time.Time
	took  []time.Duration // restarts, to the first answer of the API

	stirred chan struct{} // something interesting happened: a good moment to kill soon
}

func newLedger() *ledger {
	return &ledger{shown: map[string]shown{}, stirred: make(chan struct{}, 1)}
}

// stir says that something interesting happened.
func (l *ledger) stir() {
	select {
	case l.stirred <- struct{}{}:
	default: // nobody waits
	}
}

func (l *ledger) tapped(t tap) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.taps = append(l.taps, t)
}

func (l *ledger) saw(actions []actionJSON) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range actions {
		l.shown[a.ID] = shown{rooms.ActionState(a.State), a.Reason, a.Message}
	}
}

func (l *ledger) killed(at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kills = append(l.kills, at)
}

func (l *ledger) restarted(took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.took = append(l.took, took)
}

// evidence is what was taken down until now, without what others know. What was answered after the
// instant isn't in it.
func (l *ledger) evidence(until time.Time) *evidence {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := &evidence{shown: maps.Clone(l.shown), kills: slices.Clone(l.kills)}
	for _, t := range l.taps {
		if !t.answered.After(until) {
			e.taps = append(e.taps, t)
		}
	}
	return e
}
