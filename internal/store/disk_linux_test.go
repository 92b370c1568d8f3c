package store

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"roomkiosk/internal/rooms"
)

// mountDisk mounts a disk of so many MiB in memory, for this test.
func mountDisk(t *testing.T, mib int) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm", mib)); err != nil {
		t.Skipf("needs the right to mount: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil && !errors.Is(err, syscall.EINVAL) { // gone already
			t.Error(err)
		}
	})
	return dir
}

func remount(t *testing.T, dir string, flags uintptr) {
	t.Helper()
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|flags, ""); err != nil {
		t.Fatal(err)
	}
}

// fillDisk leaves not a byte, and returns what gives the room back.
func fillDisk(t *testing.T, dir string) (freed func()) {
	t.Helper()
	name := filepath.Join(dir, "filler")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for block := make([]byte, 1<<16); len(block) > 0; {
		if _, err := f.Write(block); errors.Is(err, syscall.ENOSPC) {
			block = block[:len(block)/2]
		} else if err != nil {
			t.Fatal(err)
		}
	}
	return func() { mustRemove(t, name) }
}

// With a full disk taps still go in, IT is told, and when there is room again all is as before.
func TestTapsOnAFullDisk(t *testing.T) {
	t.Parallel()
	dir := mountDisk(t, 16)
	k := keep(t, filepath.Join(dir, "journal.db"))
	for i := range 100 {
		if got := k.troubles(); len(got) > 0 || size(t, k.ballast.path) != ballastSize {
			t.Fatalf("before run %d: %v, %v", i, got, names(t, dir))
		}
		freed := fillDisk(t, dir)
		for n := range 20 {
			record(t, k.Journal, action(fmt.Sprintf("run-%d-%d", i, n)))
		}
		if err := k.Record(actionsNamed(fmt.Sprintf("many-%d", i), 600)...); err != nil { // more than the log has room for
			t.Fatalf("run %d: %v", i, err)
		}
		if diff := cmp.Diff([]TroubleCode{DiskFull}, k.troubles()); diff != "" || exists(k.ballast.path) {
			t.Fatal(diff, names(t, dir))
		}
		k.Tend()
		if exists(k.ballast.path) || len(k.troubles()) != 1 {
			t.Fatalf("the room for taps was taken: %v", names(t, dir))
		}
		freed()
		k.Tend()
		if err := k.Prune(start.AddDate(1, 0, 0)); err != nil {
			t.Fatal(err)
		}
		settle(t, k)
	}
	if err := k.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func actionsNamed(name string, n int) []rooms.Action {
	var all []rooms.Action
	for i := range n {
		all = append(all, action(fmt.Sprint(name, "-", i)))
	}
	return all
}

// settle ends all actions, so that the next run has the room that this one had.
func settle(t *testing.T, k kept) {
	t.Helper()
	if _, err := k.db.write.Exec("DELETE FROM actions; VACUUM; PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		t.Fatal(err)
	}
}

// How many taps the ballast is good for, one by one, and what happens then: they are refused, and go
// in again with room.
func TestTapsUntilNothingIsLeft(t *testing.T) {
	dir := mountDisk(t, 16)
	k := keep(t, filepath.Join(dir, "journal.db"))
	freed := fillDisk(t, dir)
	n, err := 0, error(nil)
	for err == nil && n < 100_000 {
		err = k.Record(action(fmt.Sprint(n)))
		n++
	}
	t.Logf("%d taps on a full disk", n-1)
	if !errors.Is(err, ErrFull) || n < 1000 {
		t.Errorf("%d taps: %v", n, err)
	}
	if got := len(actionsOf(t, k.Journal, "ada", start)); got != n-1 {
		t.Errorf("%d of %d taps", got, n-1)
	}
	freed()
	record(t, k.Journal, action("after"))
	k.Tend()
	if got := k.troubles(); len(got) > 0 {
		t.Error(got)
	}
	checkGoesOn(t, k)
}

// Also a start needs room: for its log.
func TestStartOnAFullDisk(t *testing.T) {
	dir := mountDisk(t, 16)
	path := filepath.Join(dir, "journal.db")
	fillWith(t, path, 200)
	if err := keep(t, path).Close(); err != nil { // which makes the ballast
		t.Fatal(err)
	}
	for _, damage := range []bool{false, true} {
		freed := fillDisk(t, dir)
		if damage {
			overwrite(t, path, 4096, 4096)
		}
		k := keep(t, path)
		if !slices.Contains(k.troubles(), DiskFull) || slices.Contains(k.troubles(), Damaged) != damage {
			t.Errorf("damage %t: %v", damage, k.Health())
		}
		if got := len(actionsOf(t, k.Journal, "ada", start)); got < 180 {
			t.Errorf("%d taps", got)
		}
		record(t, k.Journal, action(fmt.Sprint("full-", damage)))
		freed()
		k.Tend()
		if !exists(k.ballast.path) {
			t.Error("no ballast")
		}
		checkGoesOn(t, k)
	}
}

// A disk that is full to the last byte with no ballast left, and a damaged journal: what can be read
// is shown from memory, and when there is room it is all in a file again.
func TestDamageWithoutRoom(t *testing.T) {
	dir := mountDisk(t, 16)
	path := filepath.Join(dir, "journal.db")
	fillWith(t, path, 200)
	overwrite(t, path, 4096, 4096)
	freed := fillDisk(t, dir)
	k := keep(t, path)
	if diff := cmp.Diff([]TroubleCode{DiskFull}, k.troubles()); diff != "" {
		t.Error(diff)
	}
	got := actionsOf(t, k.Journal, "ada", start)
	if len(got) < 180 {
		t.Errorf("%d taps", len(got))
	}
	for range 2 {
		if err := k.Record(action("refused")); !errors.Is(err, ErrFull) {
			t.Errorf("got %v", err)
		}
		k.clock.move(retryEvery)
	}
	freed()
	record(t, k.Journal, action("after"))
	if diff := cmp.Diff(append(got, action("after")), actionsOf(t, k.Journal, "ada", start)); diff != "" {
		t.Error(diff)
	}
	k.Tend()
	if diff := cmp.Diff([]TroubleCode{Damaged}, k.troubles()); diff != "" {
		t.Error(diff)
	}
	checkGoesOn(t, k)
}

// A little room is for taps, not for the ballast.
func TestBallastWaitsForRoom(t *testing.T) {
	dir := mountDisk(t, roomy>>20-1)
	k := keep(t, filepath.Join(dir, "journal.db"))
	k.Tend()
	if exists(k.ballast.path) {
		t.Error("the ballast was made")
	}
}

// Neither the cache nor what else is in the journal takes the room that is kept for taps.
func TestCacheOnAFullDisk(t *testing.T) {
	dir := mountDisk(t, 16)
	k, c := keep(t, filepath.Join(dir, "journal.db")), keepCache(t, filepath.Join(dir, "cache.db"))
	save(t, c.Cache, "ada", someSchedule())
	freed := fillDisk(t, dir)
	large := someSchedule()
	large.Source = strings.Repeat("x", 1<<20)
	if err := c.SaveSchedule("ada", large); !isFull(err) {
		t.Errorf("got %v", err)
	}
	if err := k.Learn("exchange_ids", strings.Repeat("x", 1<<20)); !errors.Is(err, ErrFull) {
		t.Errorf("got %v", err)
	}
	if got := c.Health(); !exists(k.ballast.path) || len(got) != 1 || got[0].Code != DiskFull {
		t.Error(names(t, dir), got)
	}
	if got := k.Health(); len(got) != 1 || got[0].Code != DiskFull || !strings.Contains(got[0].Detail, roomKept) {
		t.Error(got)
	}
	c.Tend()
	if got := c.Health(); len(got) != 1 {
		t.Error(got)
	}
	if diff := cmp.Diff(someSchedule(), scheduleOf(t, c.Cache, "ada")); diff != "" {
		t.Error(diff)
	}
	if err := os.Truncate(filepath.Join(dir, "filler"), size(t, filepath.Join(dir, "filler"))-1<<18); err != nil {
		t.Fatal(err)
	}
	c.Tend() // there is room for a little
	if got := c.Health(); len(got) != 1 {
		t.Error(got)
	}
	freed()
	c.Tend()
	k.Tend()
	if got := slices.Concat(c.Health(), k.Health()); len(got) > 0 {
		t.Error(got)
	}
	save(t, c.Cache, "ada", large)
}

// asLeft makes files as a stop leaves them, clean or not.
func asLeft(t *testing.T, dir string, how string) string {
	t.Helper()
	from, path := filepath.Join(t.TempDir(), "journal.db"), filepath.Join(dir, "journal.db")
	j := openJournal(t, from)
	record(t, j, actionsNamed("tap", 30)...)
	suffixes := []string{"", "-wal", "-shm"}
	switch how {
	case "closed":
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		suffixes = suffixes[:1]
	case "killed":
	case "killed, index lost":
		suffixes = suffixes[:2]
	}
	for _, suffix := range suffixes {
		if err := copyFile(from+suffix, path+suffix); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// On a disk that can't be written the kiosk shows what there is, refuses taps, and takes them as soon
// as it can.
func TestReadOnlyDisk(t *testing.T) {
	for _, how := range []string{"closed", "killed", "killed, index lost"} {
		t.Run(how, func(t *testing.T) {
			dir := mountDisk(t, 16)
			path := asLeft(t, dir, how)
			remount(t, dir, syscall.MS_RDONLY)
			k := keep(t, path)
			checkReadOnly(t, k, 30)

			remount(t, dir, 0)
			if err := k.Record(action("too soon")); !errors.Is(err, ErrReadOnly) {
				t.Errorf("got %v", err)
			}
			k.clock.move(retryEvery)
			record(t, k.Journal, action("again"))
			if got := k.troubles(); len(got) > 0 {
				t.Error(got)
			}
			if got := len(actionsOf(t, k.Journal, "ada", start)); got != 31 {
				t.Errorf("%d actions", got)
			}
			checkGoesOn(t, k)
		})
	}
}

func checkReadOnly(t *testing.T, k kept, actions int) {
	t.Helper()
	if diff := cmp.Diff([]TroubleCode{ReadOnly}, k.troubles()); diff != "" {
		t.Fatal(diff)
	}
	if got := k.Health()[0]; !strings.Contains(got.Detail, k.path) || !got.Since.Equal(start) {
		t.Errorf("%+v", got)
	}
	if got := len(actionsOf(t, k.Journal, "ada", start)); got != actions {
		t.Errorf("%d actions", got)
	}
	if err := k.Record(action("refused")); !errors.Is(err, ErrReadOnly) {
		t.Errorf("got %v", err)
	}
	if err := k.Learn("exchange_ids", "ews"); !errors.Is(err, ErrReadOnly) {
		t.Errorf("got %v", err)
	}
	if err := k.Prune(start.AddDate(1, 0, 0)); err != nil && !errors.Is(err, ErrReadOnly) {
		t.Errorf("got %v", err)
	}
	k.Note(happening("ada", 0))
	if err := k.flush(); !errors.Is(err, ErrReadOnly) {
		t.Errorf("got %v", err)
	}
	if got, err := k.HistoryOf(t.Context(), "ada", start, 10); err != nil || len(got) != 1 {
		t.Errorf("history: %v, %v", got, err)
	}
	if got := len(actionsOf(t, k.Journal, "ada", start)); got != actions {
		t.Errorf("what was refused is there: %d actions", got)
	}
	if err := k.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := k.Newest(t.Context()); err != nil {
		t.Error(err)
	}
	k.Tend()
}

// A disk that can't be written, and a damaged journal on it.
func TestDamageOnAReadOnlyDisk(t *testing.T) {
	dir := mountDisk(t, 16)
	path := filepath.Join(dir, "journal.db")
	fillWith(t, path, 200)
	overwrite(t, path, 0, 4096)
	remount(t, dir, syscall.MS_RDONLY)
	k := keep(t, path)
	checkReadOnly(t, k, 200)
	remount(t, dir, 0)
	k.clock.move(retryEvery)
	k.Tend()
	if diff := cmp.Diff([]TroubleCode{Damaged}, k.troubles()); diff != "" {
		t.Error(diff)
	}
	if got := len(actionsOf(t, k.Journal, "ada", start)); got != 200 {
		t.Errorf("%d actions", got)
	}
	checkGoesOn(t, k)
}

// There is nothing to show where there is nothing to read, and the kiosk comes up all the same.
func TestNothingToRead(t *testing.T) {
	places := map[string]func(t *testing.T) (path string, mend func()){
		"no folder": func(t *testing.T) (string, func()) {
			dir := filepath.Join(t.TempDir(), "missing")
			return filepath.Join(dir, "journal.db"), func() { mustMkdir(t, dir) }
		},
		"a mounted folder": func(t *testing.T) (string, func()) {
			path := mountDisk(t, 1)
			return path, func() {
				if err := syscall.Unmount(path, 0); err != nil {
					t.Fatal(err)
				}
				mustRemove(t, path)
			}
		},
	}
	for name, place := range places {
		t.Run(name, func(t *testing.T) {
			path, mend := place(t)
			k := keep(t, path)
			checkReadOnly(t, k, 0)
			if err := k.Close(); err != nil {
				t.Fatal(err)
			}
			k = keep(t, path)
			mend()
			k.clock.move(retryEvery)
			record(t, k.Journal, action("a"))
			checkGoesOn(t, k)
		})
	}
}

// A right that is taken away, before the start and while the kiosk runs.
func TestNoRight(t *testing.T) {
	for _, mode := range []fs.FileMode{0o444, 0o000} {
		t.Run(fmt.Sprintf("%o", mode), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "journal.db")
			fill(t, path)
			dir := filepath.Dir(path)
			for name, m := range map[string]fs.FileMode{filepath.Dir(dir): 0o755, dir: 0o555, path: mode} {
				if err := os.Chmod(name, m); err != nil {
					t.Fatal(err)
				}
			}
			asNobody(t)
			k := keep(t, path)
			want := 0
			if mode != 0 {
				want = 200
			}
			checkReadOnly(t, k, want)
		})
	}
}

func TestReadOnlyWhileItRuns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	k := keep(t, path)
	record(t, k.Journal, action("before"))
	refuse := func(on string) {
		if _, err := k.db.write.Exec("PRAGMA query_only = " + on); err != nil {
			t.Fatal(err)
		}
	}
	refuse("ON")
	record(t, k.Journal, action("opened again")) // the file itself is fine
	if got := k.troubles(); len(got) > 0 {
		t.Error(got)
	}
	k.clock.move(retryEvery)
	dir := filepath.Dir(path)
	for name, m := range map[string]fs.FileMode{filepath.Dir(dir): 0o755, dir: 0o755} {
		if err := os.Chmod(name, m); err != nil {
			t.Fatal(err)
		}
	}
	actionsOf(t, k.Journal, "ada", start) // on a connection that stays open
	t.Run("without a right", func(t *testing.T) {
		refuse("ON")
		asNobody(t)
		k.clock.move(start.Sub(k.clock.Now()))
		k.tried = time.Time{}
		if err := k.Record(action("refused")); !errors.Is(err, ErrReadOnly) {
			t.Errorf("got %v", err)
		}
		checkReadOnly(t, k, 2)
	})
	k.clock.move(retryEvery)
	k.Tend()
	if got := k.troubles(); len(got) > 0 {
		t.Error(got)
	}
	if err := k.flush(); err != nil {
		t.Error(err)
	}
	checkGoesOn(t, k)
}

// keptCache is a cache that is kept going, with its clock.
type keptCache struct {
	*Cache
	clock *handClock
}

func keepCache(t testing.TB, path string) keptCache {
	t.Helper()
	clock := &handClock{now: start}
	c, err := KeepCache(CacheConfig{Path: path, Log: slog.New(slog.DiscardHandler), Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return keptCache{c, clock}
}

// Where the cache can't be a file it is in memory, with what can be read, until it can.
func TestCacheInMemory(t *testing.T) {
	disks := map[string]func(t *testing.T, dir string) (freed func()){
		"read-only": func(t *testing.T, dir string) func() {
			remount(t, dir, syscall.MS_RDONLY)
			return func() { remount(t, dir, 0) }
		},
		"full": fillDisk,
		"in the way": func(t *testing.T, dir string) func() {
			path := filepath.Join(dir, "cache.db")
			mustRemove(t, path)
			mustMkdir(t, filepath.Join(path, "precious"))
			return func() { mustRemove(t, path) }
		},
	}
	for name, spoil := range disks {
		t.Run(name, func(t *testing.T) {
			dir := mountDisk(t, 4)
			path := filepath.Join(dir, "cache.db")
			before := openCache(t, path)
			save(t, before, "ada", someSchedule())
			if err := errors.Join(before.SaveProfile("ada", rooms.Profile{UnderConstruction: true}), before.Close()); err != nil {
				t.Fatal(err)
			}
			freed := spoil(t, dir)
			c := keepCache(t, path)
			if got := c.Health(); len(got) != 1 || got[0].Code != MemoryOnly || !strings.Contains(got[0].Detail, path) {
				t.Fatalf("health %v", got)
			}
			if name != "in the way" {
				if diff := cmp.Diff(someSchedule(), scheduleOf(t, c.Cache, "ada")); diff != "" {
					t.Error(diff)
				}
				if p, err := c.Profile(t.Context(), "ada"); err != nil || !p.UnderConstruction {
					t.Error(p, err)
				}
			}
			changed := someSchedule()
			changed.Source = "graph"
			save(t, c.Cache, "ada", changed)
			changed.AsOf = start.Add(time.Minute)
			save(t, c.Cache, "ada", changed)
			c.Tend()
			if err := c.Check(t.Context()); err != nil || len(c.Health()) != 1 {
				t.Error(err, c.Health())
			}
			freed()
			c.Tend()
			if got := c.Health(); len(got) > 0 {
				t.Errorf("health %v", got)
			}
			if diff := cmp.Diff(changed, scheduleOf(t, c.Cache, "ada")); diff != "" {
				t.Error(diff)
			}
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(changed, scheduleOf(t, openCache(t, path), "ada")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A read that finds damage has the cache made anew, too.
func TestKeptCacheDamagedInUse(t *testing.T) {
	c := keepCache(t, filepath.Join(t.TempDir(), "cache.db"))
	save(t, c.Cache, "ada", someSchedule())
	damageUnder(t, c.db.Load())
	if _, err := c.Schedule(t.Context(), "ada"); !errors.Is(err, rooms.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	if got := c.Health(); len(got) != 1 || got[0].Code != Damaged {
		t.Errorf("health %v", got)
	}
	save(t, c.Cache, "ada", someSchedule())
	scheduleOf(t, c.Cache, "ada")
	c.clock.move(toldFor)
	c.Tend()
	if got := c.Health(); len(got) > 0 {
		t.Errorf("health %v", got)
	}
}
