package store

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"roomkiosk/internal/rooms"
)

func happening(room string, after time.Duration) rooms.Happening {
	return rooms.Happening{
		Room: room, At: start.Add(after), Day: start.Add(after).Format(time.DateOnly), What: rooms.HappenedReleased, Cause: rooms.ByPanel,
		Status: rooms.Available, Reservation: "r1", Start: start, End: start.Add(time.Hour), Spent: 20 * time.Minute, Detail: "gone",
	}
}

func historyOf(t *testing.T, j *Journal, room string, since time.Time, limit int) []rooms.Happening {
	t.Helper()
	all, err := j.HistoryOf(t.Context(), room, since, limit)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestHistoryOf(t *testing.T) {
	k := keep(t, filepath.Join(t.TempDir(), "journal.db"))
	status := rooms.Happening{Room: "ada", At: start.Add(time.Second), Day: "2026-11-23", What: rooms.HappenedStatus, Cause: rooms.ByTime, Status: rooms.InUse}
	early, twin, late := happening("ada", -time.Minute), happening("ada", time.Second), happening("ada", time.Hour)
	twin.Reservation = "r2"
	want := []rooms.Happening{late, twin, status}
	k.Note(early, status, happening("bob", 0))
	for _, written := range []bool{false, true} {
		if written {
			if err := k.flush(); err != nil {
				t.Fatal(err)
			}
		} else {
			k.Note(twin, late)
		}
		if diff := cmp.Diff(want, historyOf(t, k.Journal, "ada", start, 10)); diff != "" {
			t.Errorf("written %t: %s", written, diff)
		}
		if diff := cmp.Diff(want[:2], historyOf(t, k.Journal, "ada", start, 2)); diff != "" {
			t.Errorf("written %t: %s", written, diff)
		}
	}
	if got, err := k.Newest(t.Context()); err != nil || !got.Equal(start.Add(time.Hour)) {
		t.Errorf("newest %v, %v", got, err)
	}
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, historyOf(t, keep(t, k.path).Journal, "ada", start, 10)); diff != "" {
		t.Error(diff)
	}
}

// Whatever is noted comes back: one odd entry doesn't hide the others.
func TestOddEntries(t *testing.T) {
	k := keep(t, filepath.Join(t.TempDir(), "journal.db"))
	odd := rooms.Happening{Room: "ada", At: start}
	k.Note(odd, happening("ada", 0))
	if err := k.flush(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]rooms.Happening{happening("ada", 0), odd}, historyOf(t, k.Journal, "ada", start, 10)); diff != "" {
		t.Error(diff)
	}
	if got := countsOf(t, k.Journal, "ada", ""); len(got) != 2 {
		t.Errorf("counts %v", got)
	}
}

// wallClock is the machine's, or that of a bubble.
type wallClock struct{}

func (wallClock) Now() time.Time                    { return time.Now() }
func (wallClock) Timer(d time.Duration) *time.Timer { return time.NewTimer(d) }

func TestRunHistory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	synctest.Test(t, func(t *testing.T) {
		k := keep(t, path)
		k.Journal.clock = wallClock{}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- k.RunHistory(ctx) }()
		stored := func() int { return ask[int](t, k.db.read, "SELECT count(*) FROM history") }

		before := footprint(t, k.db)
		<-time.After(time.Hour) // by the bubble's clock
		if diff := cmp.Diff(before, footprint(t, k.db)); diff != "" {
			t.Errorf("nothing happened, and something was written: %s", diff)
		}
		var many []rooms.Happening
		for i := range 2*batch + 1 {
			many = append(many, happening("ada", time.Duration(i)*time.Second))
		}
		k.Note(many...)
		synctest.Wait()
		if got := stored(); got != 0 {
			t.Errorf("%d written at once", got)
		}
		<-time.After(flushAfter) // by the bubble's clock
		synctest.Wait()
		if got := stored(); got != 2*batch+1 {
			t.Errorf("%d written", got)
		}
		k.Note(happening("ada", 0))
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if got := stored(); got != 2*batch+2 {
			t.Errorf("%d written at the end", got)
		}
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
}

// Nothing waits for the history, and it doesn't grow without bound.
func TestHistoryThatCannotBeWritten(t *testing.T) {
	k := keep(t, filepath.Join(t.TempDir(), "journal.db"))
	k.health.begin(DiskFull, start, "")
	k.mu.Lock() // a write hangs
	for i := range notedMost + 10 {
		k.Note(happening("ada", time.Duration(i)*time.Second))
	}
	k.mu.Unlock()
	if err := k.flush(); !errors.Is(err, ErrFull) {
		t.Errorf("got %v", err)
	}
	if got := k.HistoryDropped(); got != 10 {
		t.Errorf("%d dropped", got)
	}
	all := historyOf(t, k.Journal, "ada", start, 2*notedMost)
	if len(all) != notedMost || !all[len(all)-1].At.Equal(start.Add(10*time.Second)) {
		t.Errorf("%d entries from %v", len(all), all[len(all)-1].At)
	}
	k.health.over(DiskFull)
	if err := k.flush(); err != nil {
		t.Fatal(err)
	}
	if got := historyOf(t, k.Journal, "ada", start, 2*notedMost); len(got) != notedMost {
		t.Errorf("%d entries", len(got))
	}
}

// An entry that is dropped while it is being written is not counted against the one behind it.
func TestNotesDroppedWhileTaken(t *testing.T) {
	n := newNotes()
	for i := range notedMost {
		n.add([]rooms.Happening{happening("ada", time.Duration(i))})
	}
	n.take(3)
	n.add([]rooms.Happening{happening("ada", 0), happening("ada", 0)})
	n.done()
	if got := len(n.waiting); got != notedMost-1 || n.dropped != 2 {
		t.Errorf("%d wait, %d dropped", got, n.dropped)
	}
}

func countsOf(t *testing.T, j *Journal, room, since string) []rooms.Count {
	t.Helper()
	all, err := j.CountsOf(t.Context(), room, since)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestFoldedHistory(t *testing.T) {
	k := keep(t, filepath.Join(t.TempDir(), "journal.db"))
	for i := range 2*batch + 7 {
		h := happening("ada", -time.Hour)
		if i%7 == 0 {
			h.What, h.Cause = rooms.HappenedFlag, rooms.ByKiosk
		}
		k.Note(h)
	}
	k.Note(happening("ada", 0), happening("bob", -time.Hour))
	if err := k.flush(); err != nil {
		t.Fatal(err)
	}
	want := []rooms.Count{{
		Room: "ada", Day: "2026-11-23", What: rooms.HappenedReleased, Cause: rooms.ByPanel,
		Times: 864, Spent: 864 * 20 * time.Minute,
	}}
	for range 3 {
		if diff := cmp.Diff(want, countsOf(t, k.Journal, "ada", "2026-11-23")); diff != "" {
			t.Error(diff)
		}
		if err := k.Prune(start); err != nil {
			t.Fatal(err)
		}
	}
	if got := historyOf(t, k.Journal, "ada", time.Time{}, 10); len(got) != 1 {
		t.Errorf("%d entries are left", len(got))
	}
	if got := countsOf(t, k.Journal, "ada", "2026-11-24"); len(got) != 0 {
		t.Errorf("of another day: %v", got)
	}
	before := footprint(t, k.db)
	if err := k.Prune(start); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, footprint(t, k.db)); diff != "" {
		t.Errorf("pruning nothing wrote something:\n%s", diff)
	}
}

// Whatever is noted, written, pruned and read anew: the counts are those of all that was noted.
func TestCountsAreWhole(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	empty, path := filepath.Join(dir, "empty.db"), filepath.Join(dir, "journal.db")
	fillWith(t, empty, 0)
	rapid.Check(t, func(rt *rapid.T) {
		if err := errors.Join(remove(path), copyFile(empty, path)); err != nil {
			rt.Fatal(err)
		}
		k, err := tryKeep(path)
		if err != nil {
			rt.Fatal(err)
		}
		defer func() { _ = k.Close() }()
		want := map[rooms.Count]rooms.Count{}
		for range rapid.IntRange(1, 20).Draw(rt, "steps") {
			switch rapid.IntRange(0, 5).Draw(rt, "step") {
			case 0:
				err = k.flush()
			case 1:
				err = k.Prune(start.Add(time.Duration(rapid.IntRange(-50, 50).Draw(rt, "before")) * time.Hour))
			default:
				h := happening("ada", time.Duration(rapid.IntRange(-48, 48).Draw(rt, "at"))*time.Hour)
				h.What = rapid.SampledFrom([]rooms.What{rooms.HappenedEnded, rooms.HappenedMissed, rooms.HappenedStatus}).Draw(rt, "what")
				h.Spent = time.Duration(rapid.IntRange(0, 9).Draw(rt, "spent")) * time.Microsecond
				k.Note(h)
				if h.What != rooms.HappenedStatus {
					key := rooms.Count{Room: h.Room, Day: h.Day, What: h.What, Cause: h.Cause}
					sum := key
					sum.Times, sum.Spent = want[key].Times+1, want[key].Spent+h.Spent
					want[key] = sum
				}
			}
			if err != nil {
				rt.Fatal(err)
			}
		}
		got, err := k.CountsOf(context.Background(), "ada", "")
		if err != nil {
			rt.Fatal(err)
		}
		for _, c := range got {
			key := rooms.Count{Room: c.Room, Day: c.Day, What: c.What, Cause: c.Cause}
			if want[key] != c {
				rt.Errorf("got %+v, want %+v", c, want[key])
			}
			delete(want, key)
		}
		if len(want) > 0 {
			rt.Errorf("missing: %v", want)
		}
	})
}

// History and counts are carried over from a damaged file, as far as they can be read.
func TestHistoryOfADamagedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	k := keep(t, path)
	for i := range 400 {
		k.Note(happening("ada", time.Duration(i)*time.Minute))
	}
	if err := errors.Join(k.flush(), k.Prune(start.Add(100*time.Minute)), k.Learn("exchange_ids", "ews")); err != nil {
		t.Fatal(err)
	}
	root := ask[int64](t, k.db.read, "SELECT rootpage FROM sqlite_schema WHERE name = 'history_by_age'")
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	overwrite(t, path, (root-1)*pageSize, pageSize)
	k = keep(t, path)
	if !slices.Contains(k.troubles(), Damaged) {
		t.Fatal("nothing told")
	}
	if got := historyOf(t, k.Journal, "ada", start, 1000); len(got) != 300 {
		t.Errorf("%d entries", len(got))
	}
	if got := countsOf(t, k.Journal, "ada", ""); len(got) != 1 || got[0].Times != 400 {
		t.Errorf("counts %v", got)
	}
	if got, err := k.Learned(t.Context(), "exchange_ids"); err != nil || got != "ews" {
		t.Error(got, err)
	}
	checkGoesOn(t, k)
}

// Entries are read on both sides of pages that can't be, and between them.
func TestHistoryAroundDamagedPages(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	k := keep(t, path)
	for i := range 1000 {
		k.Note(happening("ada", time.Duration(i)*time.Minute))
	}
	if err := errors.Join(k.flush(), k.Close()); err != nil {
		t.Fatal(err)
	}
	leaves := leavesWith(t, path, "r1")
	if len(leaves) < 12 {
		t.Fatalf("%d pages", len(leaves))
	}
	hit := []int{3, 6, 7}
	for _, n := range hit {
		overwrite(t, path, leaves[n], pageSize)
	}
	k = keep(t, path)
	got := len(historyOf(t, k.Journal, "ada", start, 2000))
	t.Logf("%d of 1000 entries, %d of %d pages lost", got, len(hit), len(leaves))
	if per := 1000/len(leaves) + 5; got < 1000-len(hit)*per {
		t.Errorf("%d entries", got)
	}
}

// Row ids are as high as the kiosk is old: where the lowest can't be read, the highest leads to them.
func TestHistoryOfYearsWithADamagedPage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	k := keep(t, path)
	if _, err := k.db.write.Exec("INSERT INTO history VALUES (10000000, 'bob', 0, '', 'ended', 'time', '', '', 0, 0, 0, '')"); err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		k.Note(happening("ada", time.Duration(i)*time.Minute))
	}
	if err := errors.Join(k.flush(), k.Close()); err != nil {
		t.Fatal(err)
	}
	overwrite(t, path, leavesWith(t, path, "r1")[0], pageSize)
	if got := len(historyOf(t, keep(t, path).Journal, "ada", start, 2000)); got < 900 {
		t.Errorf("%d of 1000 entries", got)
	}
}

// leavesWith returns where the pages of rows that contain text are.
func leavesWith(t *testing.T, path, text string) []int64 {
	t.Helper()
	var found []int64
	at := int64(0)
	forPages(path, 0, 0, func() bool { return false }, func(page []byte) {
		if page[0] == tableLeaf && bytes.Contains(page, []byte(text)) {
			found = append(found, at)
		}
		at += pageSize
	})
	return found
}
