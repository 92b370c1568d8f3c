package store

import (
	"fmt"
	"strings"
)

// holding is how much a journal holds, as far as this process knows.
type holding struct {
	known                 bool
	taps, history, counts int
}

// count counts what a journal holds.
func count(db *database) holding {
	h := holding{known: true}
	for table, n := range map[string]*int{"actions": &h.taps, "history": &h.history, "counts": &h.counts} {
		if err := db.read.QueryRow("SELECT count(*) FROM " + table).Scan(n); err != nil {
			return holding{}
		}
	}
	return h
}

// saved tells IT what was carried over from a damaged journal and what was lost, of what was known to
// be in it.
func (h holding) saved(f *found) string {
	have := holding{taps: len(f.actions), history: len(f.history), counts: len(f.counts)}
	lost := "how much else was in it isn't known"
	if h.known {
		missing := holding{
			taps: max(0, h.taps-have.taps), history: max(0, h.history-have.history), counts: max(0, h.counts-have.counts),
		}
		lost = missing.String() + " are lost"
	}
	said := []string{have.String() + " were carried over", lost}
	if f.refused > 0 {
		said = append(said, fmt.Sprintf("%d rows couldn't be right and were left out", f.refused))
	}
	return " " + strings.Join(said, "; ") + "."
}

// String is the figures, for IT.
func (h holding) String() string {
	return fmt.Sprintf("%d taps, %d entries of the history and %d sums of earlier days", h.taps, h.history, h.counts)
}
