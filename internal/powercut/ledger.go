package main

import "roomkiosk/internal/rooms"

// tap is one that was acknowledged, or one that a journal holds.
type tap struct {
	id    string // of its action
	kind  rooms.ActionKind
	state rooms.ActionState
}

// keptBy tells whether a journal that holds so much of the action has kept the tap. The action goes on
// after the tap, so that its state may be any, but what was taken back stays so.
func (t tap) keptBy(held tap) bool {
	return t.kind == held.kind && (t.state != rooms.Undone || held.state == rooms.Undone)
}

// ledger is what the kiosk has promised.
type ledger struct {
	taps    []tap
	missing map[int]bool // which of them were not found, by index
	checked int          // how many have been looked for
}

func (l *ledger) acknowledge(t tap) { l.taps = append(l.taps, t) }

// compare looks for what was promised since the last comparison, or for all that ever was, in what
// the journal holds.
func (l *ledger) compare(held []tap, all bool) {
	byID := make(map[string]tap, len(held))
	for _, h := range held {
		byID[h.id] = h
	}
	from := l.checked
	if all {
		from = 0
	}
	for i, t := range l.taps[from:] {
		if h, ok := byID[t.id]; !ok || !t.keptBy(h) {
			if l.missing == nil {
				l.missing = make(map[int]bool)
			}
			l.missing[from+i] = true
		}
	}
	l.checked = len(l.taps)
}

func (l *ledger) lost() int { return len(l.missing) }
