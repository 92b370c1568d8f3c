package store

import (
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

// asVictim names the variable that makes the test binary the process that TestKill kills.
const asVictim = "STORE_TEST_VICTIM_OF"

func TestMain(m *testing.M) {
	if path := os.Getenv(asVictim); path != "" {
		tapUntilKilled(path)
	}
	goleak.VerifyTestMain(m)
}

func openJournal(t testing.TB, path string) *Journal {
	t.Helper()
	j, err := OpenJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return j
}

func newJournal(t testing.TB) *Journal {
	t.Helper()
	return openJournal(t, filepath.Join(t.TempDir(), "journal.db"))
}
