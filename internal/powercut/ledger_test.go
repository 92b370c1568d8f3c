package main

import (
	"testing"

	"roomkiosk/internal/rooms"
)

func TestLedgerFindsWhatIsLost(t *testing.T) {
	held := []tap{
		{id: "kept", kind: rooms.CheckIn, state: rooms.Sent},
		{id: "went on", kind: rooms.Release, state: rooms.Expired},
		{id: "came back", kind: rooms.Release, state: rooms.Queued},
		{id: "other", kind: rooms.CheckIn, state: rooms.Queued},
		{id: "not acknowledged", kind: rooms.CheckIn, state: rooms.Queued},
	}
	for _, test := range []struct {
		tap  tap
		lost int
	}{
		{tap{id: "kept", kind: rooms.CheckIn, state: rooms.Queued}, 0},
		{tap{id: "went on", kind: rooms.Release, state: rooms.Held}, 0},
		{tap{id: "gone", kind: rooms.Release, state: rooms.Held}, 1},
		{tap{id: "came back", kind: rooms.Release, state: rooms.Undone}, 1},
		{tap{id: "other", kind: rooms.Release, state: rooms.Held}, 1},
	} {
		var l ledger
		l.acknowledge(test.tap)
		l.compare(held, false)
		if got := l.lost(); got != test.lost {
			t.Errorf("%+v: %d lost, want %d", test.tap, got, test.lost)
		}
	}
}

// Before the last look, the guest tells what was tapped since its last boot only.
func TestLedgerComparesOnce(t *testing.T) {
	first, second := tap{id: "first"}, tap{id: "second"}
	var l ledger
	l.acknowledge(first)
	l.compare([]tap{first}, false)
	l.acknowledge(second)
	l.compare([]tap{second}, false)
	if l.lost() != 0 {
		t.Errorf("%d lost, want none", l.lost())
	}
	l.compare([]tap{second}, true)
	l.compare([]tap{second}, true)
	if l.lost() != 1 {
		t.Errorf("%d lost, want 1", l.lost())
	}
}

func TestVerdict(t *testing.T) {
	trialOf := func(sync string, done, acknowledged, lost, unsound int) *trial {
		r := &trial{sync: sync, cuts: 10, done: done, unsound: unsound}
		for range acknowledged {
			r.ledger.acknowledge(tap{})
		}
		r.ledger.missing = make(map[int]bool)
		for i := range lost {
			r.ledger.missing[i] = true
		}
		return r
	}
	for name, test := range map[string]struct {
		full, normal *trial
		passes       bool
	}{
		"as it should be":     {trialOf(full, 10, 500, 0, 0), trialOf(normal, 10, 500, 400, 0), true},
		"a tap lost":          {trialOf(full, 10, 500, 1, 0), trialOf(normal, 10, 500, 400, 0), false},
		"the test can't tell": {trialOf(full, 10, 500, 0, 0), trialOf(normal, 10, 500, 0, 0), false},
		"damaged":             {trialOf(full, 10, 500, 0, 1), trialOf(normal, 10, 500, 400, 0), false},
		"too few taps":        {trialOf(full, 10, 49, 0, 0), trialOf(normal, 10, 500, 400, 0), false},
		"too few cuts":        {trialOf(full, 9, 500, 0, 0), trialOf(normal, 10, 500, 400, 0), false},
		"nothing tried":       {trialOf(full, 0, 0, 0, 0), trialOf(normal, 0, 0, 0, 0), false},
	} {
		if err := verdict([]*trial{test.full, test.normal}); (err == nil) != test.passes {
			t.Errorf("%s: %v", name, err)
		}
	}
}
