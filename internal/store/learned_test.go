package store

import (
	"errors"
	"path/filepath"
	"testing"

	"roomkiosk/internal/rooms"
)

func TestLearnedOutlivesTheProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	for _, step := range []struct{ before, learn string }{{"", "ews"}, {"ews", "ews"}, {"ews", "graph"}, {"graph", "graph"}} {
		j, err := OpenJournal(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := j.Learned(t.Context(), "exchange_ids")
		if got != step.before || errors.Is(err, rooms.ErrNotFound) != (step.before == "") {
			t.Errorf("learned %q, %v, want %q", got, err, step.before)
		}
		if err := j.Learn("exchange_ids", step.learn); err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
