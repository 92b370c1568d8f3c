package store

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"roomkiosk/internal/rooms"
	"roomkiosk/migrations"
)

// setBack is an action that was recorded twice, the second time by a clock that had been set back.
func setBack() (before, after rooms.Action) {
	before = action("a")
	before.UpdatedAt = start.Add(time.Hour)
	after = before
	after.State, after.UpdatedAt = rooms.Confirmed, start.Add(time.Minute)
	return before, after
}

// What was recorded last counts, by whatever clock.
func TestSalvageAfterTheClockWasSetBack(t *testing.T) {
	before, after := setBack()
	path := filepath.Join(t.TempDir(), "journal.db")
	k := keep(t, path)
	record(t, k.Journal, before)
	record(t, k.Journal, after) // the log has both
	t.Run("read", func(t *testing.T) {
		f, err := salvage(path, knownVersion(migrations.Journal()), k.clock.Now)
		if err != nil || f.actions["a"].Action != after {
			t.Errorf("got %+v, %v", f.actions["a"], err)
		}
	})
	t.Run("carved", func(t *testing.T) { // nothing tells which was last but their dates
		f := &found{actions: map[string]numbered{}}
		carve(path, f)
		if f.actions["a"].Action != before {
			t.Errorf("got %+v", f.actions["a"])
		}
		f.add(numbered{Action: after, seq: 7})
		if got := f.actions["a"]; got.Action != after || got.seq != 1 {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("seen", func(t *testing.T) {
		damageUnder(t, k.db)
		if got := actionsOf(t, k.Journal, "ada", start); len(got) != 1 || got[0] != after {
			t.Errorf("got %+v", got)
		}
	})
}

// What was read from the file before doesn't undo what was recorded since.
func TestSeenLearnsOnlyWhatIsNew(t *testing.T) {
	before, after := setBack()
	s := seen{actions: map[string]rooms.Action{}}
	s.learn([]rooms.Action{before})
	if n := s.remember([]rooms.Action{after, action("b")}); n != 1 {
		t.Errorf("%d are new", n)
	}
	s.learn([]rooms.Action{before})
	if s.actions["a"] != after {
		t.Errorf("got %+v", s.actions["a"])
	}
}

// On a card that needs a second for each row that it can't read, what is between them is given up in
// time, and taps are found by carving.
func TestSalvageInTime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	fillWith(t, path, 1000)
	leaves := leavesWith(t, path, "tap-")
	hit := []int{3, len(leaves) - 3}
	for _, n := range hit {
		overwrite(t, path, leaves[n], pageSize)
	}
	asked, now := 0, start
	slow := func() time.Time {
		asked++
		now = now.Add(time.Second)
		return now
	}
	f, err := salvage(path, knownVersion(migrations.Journal()), slow)
	if err != nil || asked < 3 || asked > 12 {
		t.Errorf("%d s (%v)", asked, err)
	}
	carved := 0
	for _, a := range f.actions {
		if a.carved {
			carved++
		}
	}
	if per := 1000/len(leaves) + 5; len(f.actions) < 1000-len(hit)*per || carved < 500 {
		t.Errorf("%d taps, %d carved", len(f.actions), carved)
	}
}

// wornOut is a file of which blocks from one to another can't be read.
type wornOut struct {
	body     *bytes.Reader
	from, to int64
	tries    int
}

// ReadAt reads what can be read.
func (w *wornOut) ReadAt(p []byte, at int64) (int, error) {
	if at >= w.from && at < w.to {
		w.tries++
		return 0, syscall.EIO
	}
	return w.body.ReadAt(p, at)
}

func TestCarvingInTime(t *testing.T) {
	const pages = 2048
	for _, late := range []bool{false, true} {
		t.Run(fmt.Sprint(late), func(t *testing.T) {
			file := &wornOut{body: bytes.NewReader(make([]byte, pages*pageSize)), from: 10 * pageSize, to: 1000 * pageSize}
			got := 0
			eachPage(file, pages*pageSize, 0, 0, func() bool { return late }, func([]byte) { got++ })
			want, tries := pages-990, 990
			if late {
				want, tries = pages-4*(skipped+1), 4
			}
			if got != want || file.tries != tries {
				t.Errorf("%d pages after %d tries, want %d after %d", got, file.tries, want, tries)
			}
		})
	}
}

// Counts are kept 400 days longer than their details, to the day.
func TestOldCountsAreDeleted(t *testing.T) {
	k := keep(t, filepath.Join(t.TempDir(), "journal.db"))
	first := start.AddDate(0, 0, -400)
	var all []rooms.Count
	for _, room := range []string{"ada", "bob", "eve"} {
		for day := -batch; day < 3; day++ {
			all = append(all, rooms.Count{
				Room: room, Day: first.AddDate(0, 0, day).Format(time.DateOnly), What: rooms.HappenedEnded, Cause: rooms.ByTime, Times: 1,
			})
		}
	}
	if err := inBatches(k.db, all, insertCounts); err != nil {
		t.Fatal(err)
	}
	if err := k.Prune(start.Add(-time.Hour * 24)); err != nil {
		t.Fatal(err)
	}
	if got := countsOf(t, k.Journal, "bob", ""); len(got) != 4 || got[0].Day != first.AddDate(0, 0, -1).Format(time.DateOnly) {
		t.Errorf("got %v", got)
	}
	if err := k.Prune(start); err != nil {
		t.Fatal(err)
	}
	for _, room := range []string{"ada", "bob", "eve"} {
		if got := countsOf(t, k.Journal, room, ""); len(got) != 3 || got[0].Day != first.Format(time.DateOnly) {
			t.Errorf("%s: %v", room, got)
		}
	}
	before := footprint(t, k.db)
	if err := k.Prune(start); err != nil || before != footprint(t, k.db) {
		t.Errorf("pruning nothing wrote something (%v)", err)
	}
}

// A journal that was in memory and is mended may hold what could not be read before.
func TestOpenedCountsMending(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	fillWith(t, path, 20)
	k := keep(t, path)
	record(t, k.Journal, action("a"))
	damageUnder(t, k.db)
	record(t, k.Journal, action("b"))
	if got := len(k.Reopened()); got != 0 {
		t.Errorf("opened %d times", got)
	}
	file := k.db
	if err := errors.Join(k.standIn(&found{}, ErrReadOnly), file.close()); err != nil {
		t.Fatal(err)
	}
	overwrite(t, path, 0, 4096)
	k.clock.move(retryEvery)
	k.Tend()
	if got := len(k.Reopened()); got != 1 {
		t.Errorf("opened %d times", got)
	}
}
