package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"roomkiosk/internal/rooms"
)

// mountExt4 mounts a disk of ext4, and returns what has it turn read-only by itself, as after an error.
func mountExt4(t *testing.T) (dir string, fail func()) {
	t.Helper()
	dir, image := t.TempDir(), filepath.Join(t.TempDir(), "image")
	truncateOrMake(t, image, 32<<20)
	for _, args := range [][]string{{"mkfs.ext4", "-q", image}, {"mount", "-o", "loop,errors=remount-ro", image, dir}} {
		if out, err := exec.CommandContext(t.Context(), args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Skipf("needs the right to mount: %v: %s", err, out)
		}
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	devices, err := filepath.Glob("/sys/block/loop*/loop/backing_file")
	if err != nil {
		t.Fatal(err)
	}
	for _, device := range devices {
		if name, err := os.ReadFile(device); err == nil && strings.TrimSpace(string(name)) == image {
			trigger := filepath.Join("/sys/fs/ext4", filepath.Base(filepath.Dir(filepath.Dir(device))), "trigger_fs_error")
			return dir, func() {
				if err := os.WriteFile(trigger, []byte("test"), 0); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	t.Skip("no loop device tells that it is of the image")
	return "", nil
}

func truncateOrMake(t *testing.T, path string, size int64) {
	t.Helper()
	if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Truncate(path, size)); err != nil {
		t.Fatal(err)
	}
}

// failWrites has every write of this process to a file fail until it is undone.
func failWrites(t *testing.T) (undo func()) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ)
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 0, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	undo = func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(undo)
	return undo
}

// checkStays proves that one trouble is told, once and without a break, however often it is looked.
func checkStays(t *testing.T, code TroubleCode, k kept) {
	t.Helper()
	told := k.Health()
	if len(told) != 1 || told[0].Code != code {
		t.Fatalf("got %v", told)
	}
	for range 5 {
		k.clock.move(time.Minute)
		k.Note(happening("ada", 0))
		if err := k.flush(); err == nil {
			t.Error("the history was written")
		}
		k.Tend()
		if got := k.Health(); len(got) != 1 || got[0].Code != code || !got[0].Since.Equal(told[0].Since) {
			t.Errorf("got %v, want %v", got, told)
		}
	}
	if got := strings.Count(k.log.String(), "\n"); got != 1 {
		t.Errorf("%d lines are logged:\n%s", got, k.log)
	}
}

// A disk that turns read-only under open files: IT is told before a tap is refused, and it isn't over
// because a write that changes nothing succeeds.
func TestDiskThatTurnsReadOnly(t *testing.T) {
	dir, fail := mountExt4(t)
	k := keep(t, filepath.Join(dir, "journal.db"))
	record(t, k.Journal, action("a"))
	k.Tend()
	if got := k.troubles(); len(got) > 0 {
		t.Fatal(got)
	}
	fail()
	k.Tend()
	checkStays(t, ReadOnly, k)
	for _, a := range []rooms.Action{action("a"), action("b")} {
		if err := k.Record(a); !errors.Is(err, ErrReadOnly) {
			t.Errorf("got %v", err)
		}
	}
	if got := len(actionsOf(t, k.Journal, "ada", start)); got != 1 {
		t.Errorf("%d actions", got)
	}
	if got := k.troubles(); len(got) != 1 {
		t.Error(got)
	}
}

// A disk that says nothing and fails every write: whoever writes first tells. All files of a process
// fail at once, those of go test too, so that this one has a process of its own.
func TestDiskThatFailsWrites(t *testing.T) {
	const alone = "STORE_TEST_ALONE"
	if os.Getenv(alone) == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestDiskThatFailsWrites$", "-test.v")
		cmd.Env = append(os.Environ(), alone+"=1")
		if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("PASS")) {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	checkFailedWrites(t)
}

func checkFailedWrites(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	k, log := keep(t, filepath.Join(dir, "journal.db")), &bytes.Buffer{}
	c, err := KeepCache(CacheConfig{Path: filepath.Join(dir, "cache.db"), Log: slog.New(slog.NewTextHandler(log, nil)), Clock: k.clock})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	record(t, k.Journal, action("a"))
	save(t, c, "ada", someSchedule())
	if err := k.Learn("exchange_ids", "ews"); err != nil {
		t.Fatal(err)
	}
	works := failWrites(t)
	k.Note(happening("ada", 0))
	if err := k.flush(); !errors.Is(err, ErrReadOnly) {
		t.Errorf("got %v", err)
	}
	checkStays(t, ReadOnly, k)
	if err := k.Learn("exchange_ids", "ews"); !errors.Is(err, ErrReadOnly) || len(k.Health()) != 1 {
		t.Errorf("what is known already: %v, %v", err, k.Health())
	}
	changed := someSchedule()
	changed.Source = "graph"
	for range 3 {
		if err := c.SaveSchedule("ada", changed); err == nil {
			t.Error("the schedule was saved")
		}
		if got := c.Health(); len(got) != 1 || got[0].Code != ReadOnly || !strings.Contains(got[0].Detail, "cache.db") {
			t.Errorf("health %v", got)
		}
		c.Tend()
	}
	if got := strings.Count(log.String(), "\n"); got != 1 {
		t.Errorf("%d lines are logged:\n%s", got, log)
	}
	works()
	k.clock.move(retryEvery)
	c.Tend()
	k.Tend()
	if got := slices.Concat(k.Health(), c.Health()); len(got) > 0 {
		t.Error(got)
	}
	save(t, c, "ada", changed)
	checkGoesOn(t, k)
}

// IT is told of a full disk before a tap finds it, and what it means for taps.
func TestFullDiskBeforeATap(t *testing.T) {
	says := func(t *testing.T, k kept, taps string) {
		t.Helper()
		if got := k.Health(); len(got) != 1 || got[0].Code != DiskFull || !strings.Contains(got[0].Detail, taps) {
			t.Fatalf("got %v, want %s", got, taps)
		}
	}
	for name, look := range map[string]func(k kept){
		"tend":    func(k kept) { k.Tend() },
		"history": func(k kept) { k.Note(happening("ada", 0)); _ = k.flush() },
	} {
		t.Run(name, func(t *testing.T) {
			dir := mountDisk(t, 16)
			k := keep(t, filepath.Join(dir, "journal.db"))
			freed := fillDisk(t, dir)
			look(k)
			says(t, k, roomKept)
			checkStays(t, DiskFull, k)
			if !exists(k.ballast.path) {
				t.Error("the ballast was given up")
			}
			for i := range 20 {
				if err := k.Record(actionsNamed(fmt.Sprint(i), 50)...); err != nil {
					t.Fatal(err)
				}
			}
			says(t, k, roomLeft)
			freed()
			k.Tend()
			if got := k.Health(); len(got) > 0 {
				t.Error(got)
			}
		})
	}
	t.Run("without a ballast", func(t *testing.T) {
		dir := mountDisk(t, roomy>>20-1)
		k := keep(t, filepath.Join(dir, "journal.db"))
		freed := fillDisk(t, dir)
		k.Tend()
		refused := 0
		for i := 0; refused < 3 && i < 10_000; i++ {
			err := k.Record(action(fmt.Sprint(i)))
			if errors.Is(err, ErrFull) {
				refused++
				says(t, k, roomNone)
				k.Tend()
				says(t, k, roomNone)
			} else if err != nil {
				t.Fatal(err)
			} else if i > 0 { // as long as the room lasts that there was in the files
				says(t, k, roomLeft)
			}
		}
		if refused == 0 {
			t.Error("no tap was refused")
		}
		freed() // too little for a ballast
		record(t, k.Journal, action("with room"))
		says(t, k, roomLeft)
		k.Tend()
		says(t, k, roomLeft)
	})
}

// What is told of a journal that is overwritten under the kiosk: what was saved, and what wasn't.
func TestWhatDamageCosts(t *testing.T) {
	k := keep(t, filepath.Join(t.TempDir(), "journal.db"))
	for i := range 300 {
		k.Note(happening("ada", time.Duration(i)*time.Minute))
	}
	if err := errors.Join(k.flush(), k.Prune(start.Add(100*time.Minute))); err != nil {
		t.Fatal(err)
	}
	k.Note(happening("bob", 0))
	if err := k.flush(); err != nil {
		t.Fatal(err)
	}
	record(t, k.Journal, action("a"), action("b"))
	record(t, k.Journal, action("b"))
	for range 2 { // the second finds what the first left
		damageUnder(t, k.db)
		record(t, k.Journal, action("c"))
	}
	var said []string
	for line := range strings.Lines(k.log.String()) {
		if _, after, ok := strings.Cut(line, "replaced. "); ok {
			before, _, _ := strings.Cut(after, " The damaged")
			said = append(said, before)
		}
	}
	want := []string{
		"2 taps, 0 entries of the history and 0 sums of earlier days were carried over; 0 taps, 201 entries of the history and 1 sums of earlier days are lost.",
		"3 taps, 0 entries of the history and 0 sums of earlier days were carried over; 0 taps, 0 entries of the history and 0 sums of earlier days are lost.",
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Error(diff)
	}
}

// Each proof changes something.
func TestProofGoesAround(t *testing.T) {
	k := keep(t, filepath.Join(t.TempDir(), "journal.db"))
	for _, n := range []int64{math.MaxInt32, -1, math.MinInt32} {
		if _, err := k.db.write.Exec(fmt.Sprintf("PRAGMA user_version = %d", n)); err != nil {
			t.Fatal(err)
		}
		if err := k.db.prove(); err != nil {
			t.Fatal(err)
		}
		if got := ask[int64](t, k.db.read, "PRAGMA user_version"); got == n {
			t.Errorf("%d wasn't changed", n)
		}
	}
}

// A history that can't be written for long is a line of the log, and again after it could be.
func TestUnwrittenHistoryIsLoggedOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	synctest.Test(t, func(t *testing.T) {
		k := keep(t, path)
		k.Journal.clock = wallClock{}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- k.RunHistory(ctx) }()
		for n := range 2 {
			k.health.begin(DiskFull, start, "")
			k.Note(happening("ada", 0))
			<-time.After(time.Hour) // by the bubble's clock
			k.health.over(DiskFull)
			<-time.After(flushLater) // by the bubble's clock
			synctest.Wait()
			if got := strings.Count(k.log.String(), "not written yet"); got != n+1 {
				t.Errorf("%d lines are logged:\n%s", got, k.log)
			}
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
}
