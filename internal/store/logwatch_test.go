package store

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// SQLite goes on writing to a log that somebody deleted, replaced or cut: what it acknowledges then is gone
// with the process. The next write finds out, and everything is in a new file.
func TestTheLogIsTakenAway(t *testing.T) {
	for name, hurt := range map[string]func(log string) error{
		"deleted":     os.Remove,
		"emptied":     func(log string) error { return os.Truncate(log, 0) },
		"cut in half": func(log string) error { info, err := os.Stat(log); _ = os.Truncate(log, info.Size()/2); return err },
		"replaced": func(log string) error {
			if err := os.Rename(log, log+".gone"); err != nil {
				return err
			}
			return os.WriteFile(log, make([]byte, 1<<16), 0o600)
		},
		"a folder": func(log string) error {
			if err := os.Remove(log); err != nil {
				return err
			}
			return os.Mkdir(log, 0o700)
		},
	} {
		for _, before := range []int{0, 1, 30} { // actions that this process recorded
			t.Run(name, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "journal.db")
				fillWith(t, path, 20)
				k := keep(t, path)
				want := 20
				for i := range before {
					record(t, k.Journal, action(string(rune('a'+i%26))+string(rune('0'+i/26))))
					want++
				}
				if before == 0 {
					if err := k.Learn("anything", "so that there is a log"); err != nil {
						t.Fatal(err)
					}
				}
				if err := hurt(path + "-wal"); err != nil {
					t.Fatal(err)
				}
				record(t, k.Journal, action("after"))
				copied := copyFiles(t, path) // as kill -9 leaves them
				if got := len(actionsOf(t, openJournal(t, copied), "ada", time.Time{})); got != want+1 {
					t.Errorf("%d actions for the next start, want %d", got, want+1)
				}
			})
		}
	}
}

// copyFiles copies a database and its log, and returns where.
func copyFiles(t *testing.T, path string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "journal.db")
	for _, suffix := range []string{"", "-wal"} {
		raw, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to+suffix, raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return to
}
