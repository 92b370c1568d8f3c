package store

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"roomkiosk/internal/rooms"
)

// handClock stands until it is moved.
type handClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *handClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *handClock) Timer(d time.Duration) *time.Timer { return time.NewTimer(d) }

func (c *handClock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// kept is a journal that is kept going, with its clock and its log.
type kept struct {
	*Journal
	clock *handClock
	log   *bytes.Buffer
}

func keep(t testing.TB, path string) kept {
	t.Helper()
	k, err := tryKeep(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Close() })
	return k
}

func tryKeep(path string) (kept, error) {
	k := kept{clock: &handClock{now: start}, log: &bytes.Buffer{}}
	var err error
	k.Journal, err = KeepJournal(JournalConfig{Path: path, Log: slog.New(slog.NewTextHandler(k.log, nil)), Clock: k.clock})
	return k, err
}

func (k kept) troubles() []TroubleCode {
	var codes []TroubleCode
	for _, t := range k.Health() {
		codes = append(codes, t.Code)
	}
	return codes
}

// fillWith makes a journal of n taps, and closes it.
func fillWith(t testing.TB, path string, n int) []rooms.Action {
	t.Helper()
	j, err := OpenJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []rooms.Action
	for i := range n {
		all = append(all, action(fmt.Sprintf("tap-%04d", i)))
	}
	if err := errors.Join(j.Record(all...), j.Close()); err != nil {
		t.Fatal(err)
	}
	return all
}

func names(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestKeptJournalOfASoundFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	fill(t, path)
	k := keep(t, path)
	if got := len(actionsOf(t, k.Journal, "ada", start)); got != 200 {
		t.Errorf("%d actions", got)
	}
	if got := k.Health(); len(got) != 0 || k.log.Len() > 0 {
		t.Errorf("health %v, log %s", got, k.log)
	}
	want := []string{"ballast", "journal.db", "journal.db-shm", "journal.db-wal"}
	if diff := cmp.Diff(want, names(t, filepath.Dir(path))); diff != "" {
		t.Error(diff)
	}
	before := footprint(t, k.db)
	k.clock.move(time.Hour)
	k.Tend()
	if diff := cmp.Diff(before, footprint(t, k.db)); diff != "" {
		t.Error(diff)
	}
}

// checkGoesOn proves that a journal takes taps, and keeps them over a restart.
func checkGoesOn(t testing.TB, k kept) {
	t.Helper()
	if err := k.Record(action("after")); err != nil {
		t.Fatal(err)
	}
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := tryKeep(k.path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = again.Close() }()
	got, err := again.ActionsOf(t.Context(), "ada", start)
	if err != nil || !slices.ContainsFunc(got, func(a rooms.Action) bool { return a == action("after") }) {
		t.Errorf("the tap after the damage is lost: %v", err)
	}
	if codes := again.troubles(); len(codes) > 0 {
		t.Errorf("after a restart: %v", codes)
	}
}

// Whatever is done to the file: the kiosk comes up, taps go in, and the file as it was is kept.
func TestDamageAtStart(t *testing.T) {
	damages := map[string]struct {
		damage func(t *testing.T, path string)
		saved  int // at least, of 200
	}{
		"garbage":        {func(t *testing.T, path string) { overwrite(t, path, 0, 1<<20) }, 0},
		"no database":    {func(t *testing.T, path string) { truncate(t, path, 0); overwrite(t, path, 0, 100) }, 0},
		"zeroed header":  {func(t *testing.T, path string) { zero(t, path, 0, 100) }, 200},
		"zeroed page 1":  {func(t *testing.T, path string) { zero(t, path, 0, 4096) }, 200},
		"garbage page 2": {func(t *testing.T, path string) { overwrite(t, path, 4096, 4096) }, 185},
		"half":           {func(t *testing.T, path string) { truncate(t, path, size(t, path)*3/4) }, 60},
		"schema gone":    {func(t *testing.T, path string) { execOn(t, path, "DELETE FROM goose_db_version WHERE version_id > 0") }, 200},
		"column gone":    {func(t *testing.T, path string) { execOn(t, path, "ALTER TABLE learned DROP COLUMN value") }, 200},
		"table gone":     {func(t *testing.T, path string) { execOn(t, path, "DROP TABLE learned") }, 200},
		"other database": {func(t *testing.T, path string) { mustRemove(t, path); execOn(t, path, "CREATE TABLE actions (x TEXT)") }, 0},
		"folder":         {func(t *testing.T, path string) { mustRemove(t, path); mustMkdir(t, filepath.Join(path, "in")) }, 0},
	}
	for name, d := range damages {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "journal.db")
			fillWith(t, path, 200)
			d.damage(t, path)
			k := keep(t, path)
			if diff := cmp.Diff([]TroubleCode{Damaged}, k.troubles()); diff != "" {
				t.Fatal(diff)
			}
			to := path + ".damaged-20261123T090000Z"
			if detail := k.Health()[0].Detail; !strings.Contains(detail, to) || !strings.Contains(k.log.String(), "store in trouble") {
				t.Errorf("%s; %s", detail, k.log)
			}
			if !exists(to) || exists(path+mended) || exists(path+beingMade) {
				t.Error(names(t, filepath.Dir(path)))
			}
			got := actionsOf(t, k.Journal, "ada", start)
			if len(got) < d.saved {
				t.Errorf("%d taps saved", len(got))
			}
			for _, a := range got {
				if a != action(a.ID) {
					t.Errorf("got %+v", a)
				}
			}
			if !slices.IsSorted(idsOf(got)) {
				t.Errorf("order: %v", idsOf(got))
			}
			checkGoesOn(t, k)
		})
	}
}

func zero(t testing.TB, path string, at int64, n int) {
	t.Helper()
	write(t, path, at, make([]byte, n))
}

func write(t testing.TB, path string, at int64, body []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if _, err := f.WriteAt(body, at); err != nil {
		t.Fatal(err)
	}
}

func size(t testing.TB, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// Cut off at any of its blocks, a journal gives back what is left of it.
func TestTruncatedAnywhere(t *testing.T) {
	t.Parallel()
	whole := filepath.Join(t.TempDir(), "journal.db")
	fillWith(t, whole, 60)
	body, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	saved := 0
	for at := 0; at < len(body); at += 512 {
		path := filepath.Join(t.TempDir(), "journal.db")
		if err := os.WriteFile(path, body[:at], 0o600); err != nil {
			t.Fatal(err)
		}
		k := keep(t, path)
		got := len(actionsOf(t, k.Journal, "ada", start))
		if at > 0 && !slices.Contains(k.troubles(), Damaged) {
			t.Errorf("cut at %d: nothing told", at)
		}
		if got < saved {
			t.Errorf("cut at %d: %d saved, %d of less", at, got, saved)
		}
		saved = got
		checkGoesOn(t, k)
	}
	if saved < 40 {
		t.Errorf("%d of 60 saved when all but half a kilobyte is there", saved)
	}
}

// Flipped bits, wherever they are: the kiosk comes up and takes taps, unless it takes the file for one
// of a newer kiosk, which it must not touch.
func TestFlippedBitsAnywhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	whole := filepath.Join(dir, "whole.db")
	fillWith(t, whole, 60)
	body, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	path, newer := filepath.Join(dir, "journal.db"), new(*NewerSchemaError)
	rapid.Check(t, func(rt *rapid.T) {
		flipped := slices.Clone(body)
		for range rapid.IntRange(1, 40).Draw(rt, "flips") {
			bit := rapid.IntRange(0, 8*len(body)-1).Draw(rt, "bit")
			flipped[bit/8] ^= 1 << (bit % 8)
		}
		if err := errors.Join(remove(path), os.WriteFile(path, flipped, 0o600)); err != nil {
			rt.Fatal(err)
		}
		k, err := tryKeep(path)
		if errors.As(err, newer) {
			return
		}
		if err != nil {
			rt.Fatal(err)
		}
		defer func() { _ = k.Close() }()
		if _, err := k.ActionsOf(t.Context(), "ada", start); err != nil {
			rt.Error(err)
		}
		var all []rooms.Action
		for i := range 60 {
			all = append(all, action(fmt.Sprintf("tap-%04d", i)), action(fmt.Sprint("new-", i)))
		}
		if err := k.Record(all...); err != nil {
			rt.Fatal(err)
		}
		got, err := k.ActionsOf(t.Context(), "ada", start)
		if err != nil {
			rt.Fatal(err)
		}
		for i := range 60 {
			if !slices.Contains(idsOf(got), fmt.Sprint("new-", i)) {
				rt.Fatalf("new-%d is lost", i)
			}
		}
	})
}

// One page of garbage in a journal of 500 taps costs the taps of that page. The figure is in
// docs/reliability.md.
func TestSalvageOfOneGarbagePage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	whole := filepath.Join(dir, "whole.db")
	fillWith(t, whole, 500)
	body, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	var saved []int
	for page := range len(body) / pageSize {
		path := filepath.Join(dir, fmt.Sprint(page), "journal.db")
		mustMkdir(t, filepath.Dir(path))
		hit := slices.Clone(body)
		for i := range pageSize {
			hit[page*pageSize+i] = byte(random.Uint32())
		}
		if err := os.WriteFile(path, hit, 0o600); err != nil {
			t.Fatal(err)
		}
		k := keep(t, path)
		saved = append(saved, len(actionsOf(t, k.Journal, "ada", start)))
		if err := k.Close(); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(saved)
	t.Logf("%d pages: at least %d, median %d, at most %d of 500 taps saved", len(saved), saved[0], saved[len(saved)/2], saved[len(saved)-1])
	if saved[0] < 460 {
		t.Errorf("%d saved", saved[0])
	}
}

// Two are kept: the newest, by whatever clock.
func TestOldDamagedFilesAreDeleted(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "journal.db")
	for _, at := range []time.Time{start, start.Add(time.Hour), start.Add(time.Hour), start.AddDate(-50, 0, 0)} {
		fill(t, path)
		overwrite(t, path, 4096, 4096)
		clock := &handClock{now: at}
		j, err := KeepJournal(JournalConfig{Path: path, Log: slog.New(slog.DiscardHandler), Clock: clock})
		if err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"journal.db.damaged-19761123T090000Z", "journal.db.damaged-20261123T100001Z"}
	got := slices.DeleteFunc(names(t, dir), func(n string) bool { return !strings.Contains(n, damaged) })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// What was mended is put in its place by the next start, however far that had got.
func TestInterruptedMending(t *testing.T) {
	moves := []string{"-wal", "-shm", "", mended}
	for done := range moves {
		t.Run(fmt.Sprint(done), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "journal.db")
			fillWith(t, path+mended, 20)
			to := path + ".damaged-20200101T000000Z"
			for i, suffix := range moves[:3] {
				name := path + suffix
				if i < done {
					name = to + suffix
				}
				if err := os.WriteFile(name, []byte("damaged"+suffix), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if done == 0 {
				to = path + ".damaged-20261123T090000Z"
			}
			k := keep(t, path)
			if got := len(actionsOf(t, k.Journal, "ada", start)); got != 20 {
				t.Errorf("%d taps", got)
			}
			for _, suffix := range moves[:3] {
				if body, err := os.ReadFile(to + suffix); err != nil || string(body) != "damaged"+suffix {
					t.Errorf("%s: %q, %v; %v", to+suffix, body, err, names(t, filepath.Dir(path)))
				}
			}
			checkGoesOn(t, k)
		})
	}
}

// What an interrupted mending hadn't completed is of no use: the damaged file still has it all.
func TestMendingThatHadNotGotFar(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	fillWith(t, path, 200)
	overwrite(t, path, 4096, 4096)
	if err := os.WriteFile(path+beingMade, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	k := keep(t, path)
	if got := len(actionsOf(t, k.Journal, "ada", start)); got < 180 {
		t.Errorf("%d taps", got)
	}
	checkGoesOn(t, k)
}

// A log whose database is gone or empty still has taps, which SQLite would delete.
func TestLogWithoutItsDatabase(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, path string){
		"gone":  func(t *testing.T, path string) { mustRemove(t, path) },
		"empty": func(t *testing.T, path string) { truncate(t, path, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			from, path := filepath.Join(t.TempDir(), "from.db"), filepath.Join(t.TempDir(), "journal.db")
			j := openJournal(t, from)
			for i := range 30 {
				record(t, j, action(fmt.Sprintf("tap-%04d", i)))
			}
			for _, suffix := range []string{"", "-wal"} { // as after a power cut
				if err := copyFile(from+suffix, path+suffix); err != nil {
					t.Fatal(err)
				}
			}
			damage(t, path)
			k := keep(t, path)
			if got := len(actionsOf(t, k.Journal, "ada", start)); got != 30 {
				t.Errorf("%d taps", got)
			}
			if to := path + ".damaged-20261123T090000Z"; !exists(to) || !exists(to+"-wal") {
				t.Error(names(t, filepath.Dir(path)))
			}
			checkGoesOn(t, k)
		})
	}
}

// Rows that can't be right are left out, and counted.
func TestRowsThatCannotBeRight(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	fillWith(t, path, 200)
	execOn(t, path, "UPDATE actions SET state = 'quened' WHERE seq = 10")
	execOn(t, path, "UPDATE actions SET kind = 'check in' WHERE seq = 20")
	execOn(t, path, "PRAGMA ignore_check_constraints = ON; UPDATE actions SET id = '' WHERE seq = 30")
	execOn(t, path, "UPDATE actions SET room = CAST(x'ff' AS TEXT) WHERE seq = 40")
	execOn(t, path, "DROP TABLE learned")
	k := keep(t, path)
	if got := len(actionsOf(t, k.Journal, "ada", start)); got != 196 {
		t.Errorf("%d taps", got)
	}
	if detail := k.Health()[0].Detail; !strings.Contains(detail, "196 taps, 0 entries of the history and 0 sums of earlier days were carried over; how much else was in it isn't known; 4 rows") {
		t.Error(detail)
	}
}

func TestKeptJournalRefusesNewerSchema(t *testing.T) {
	for _, broken := range []bool{false, true} {
		t.Run(fmt.Sprintf("damaged=%t", broken), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "journal.db")
			fillWith(t, path, 200)
			execOn(t, path, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)")
			if broken {
				overwrite(t, path, size(t, path)-pageSize, pageSize)
			}
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			_, err = tryKeep(path)
			var newer *NewerSchemaError
			if !errors.As(err, &newer) || newer.Have != 9999 {
				t.Fatalf("got %v", err)
			}
			after, err := os.ReadFile(path)
			if err != nil || !bytes.Equal(before, after) {
				t.Errorf("the file was changed (%v)", err)
			}
			if diff := cmp.Diff([]string{"journal.db"}, names(t, filepath.Dir(path))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// damageUnder overwrites all of a file in use, with nothing in a log or in memory to read instead.
func damageUnder(t testing.TB, db *database) {
	t.Helper()
	if _, err := db.write.Exec("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA shrink_memory"); err != nil {
		t.Fatal(err)
	}
	write(t, db.path, 0, bytes.Repeat([]byte("garbage!"), int(size(t, db.path))/8))
}

// Damage that shows while the kiosk runs costs no tap that matters, though nothing in the file can be
// read any more, and the tap that finds it is stored.
func TestDamagedInUse(t *testing.T) {
	finds := map[string]func(t *testing.T, k kept){
		"tap":  func(t *testing.T, k kept) { record(t, k.Journal, action("finds")) },
		"read": func(t *testing.T, k kept) { actionsOf(t, k.Journal, "ada", start) },
		"check": func(t *testing.T, k kept) {
			if err := k.Check(t.Context()); err != nil {
				t.Error(err)
			}
		},
		"newest": func(t *testing.T, k kept) {
			if got, err := k.Newest(t.Context()); err != nil || !got.Equal(start.Add(time.Second)) {
				t.Error(got, err)
			}
		},
		"prune": func(t *testing.T, k kept) {
			if err := k.Prune(start.AddDate(0, 0, -1)); err != nil {
				t.Error(err)
			}
		},
	}
	for name, find := range finds {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "journal.db")
			fillWith(t, path, 20)
			k := keep(t, path)
			seen := actionsOf(t, k.Journal, "ada", start) // as the keepers do
			tapped := action("tapped")
			record(t, k.Journal, tapped)
			tapped.State, tapped.UpdatedAt = rooms.Sent, start.Add(time.Second)
			record(t, k.Journal, tapped)
			damageUnder(t, k.db)
			find(t, k)
			record(t, k.Journal, action("after"))
			if diff := cmp.Diff([]TroubleCode{Damaged}, k.troubles()); diff != "" {
				t.Error(diff, k.log)
			}
			got := slices.DeleteFunc(actionsOf(t, k.Journal, "ada", start), func(a rooms.Action) bool { return a.ID == "finds" })
			if diff := cmp.Diff(append(seen, tapped, action("after")), got); diff != "" {
				t.Error(diff)
			}
			if got := k.Health(); len(got) != 1 {
				t.Errorf("health %v", got)
			}
			k.clock.move(toldFor)
			k.Tend()
			if got := k.Health(); len(got) != 0 {
				t.Errorf("a day later: %v", got)
			}
			checkGoesOn(t, k)
		})
	}
}

// Readers and taps go on while the file is replaced under them, again and again.
func TestDamagedUnderReaders(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	k := keep(t, path)
	record(t, k.Journal, action("first"))
	stop, reads, errs := make(chan struct{}), make(chan struct{}), make(chan error, 4)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				case reads <- struct{}{}:
				}
				if got, err := k.ActionsOf(t.Context(), "ada", start); err != nil || len(got) == 0 {
					errs <- fmt.Errorf("%d actions, %w", len(got), err)
					return
				}
			}
		})
	}
	for i := range 20 {
		k.mu.Lock()
		damageUnder(t, k.db)
		k.mu.Unlock()
		record(t, k.Journal, action(fmt.Sprint("tap-", i)))
		for range 8 { // each reader gets through before the next damage
			select {
			case <-reads:
			case err := <-errs:
				t.Fatal(err)
			}
		}
	}
	close(stop)
	wg.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
	if got := actionsOf(t, k.Journal, "ada", start); len(got) != 21 {
		t.Errorf("%d actions: %v", len(got), idsOf(got))
	}
	checkGoesOn(t, k)
}

// A row that its index doesn't lead to would be a tap that nobody carries out.
func TestIndexThatMissesARow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	fillWith(t, path, 60)
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	db := writer(path, syncAtOnce, patience)
	var root int64
	if err := errors.Join(db.QueryRow("SELECT rootpage FROM sqlite_schema WHERE name = 'actions_of_room'").Scan(&root), db.Close()); err != nil {
		t.Fatal(err)
	}
	page := body[(root-1)*pageSize : root*pageSize]
	at := bytes.LastIndex(page, []byte("ada"))
	write(t, path, (root-1)*pageSize+int64(at), []byte("zda")) // still in order
	if err := openJournal(t, path).Close(); err != nil {       // which doesn't notice
		t.Fatal(err)
	}
	k := keep(t, path)
	if got := len(actionsOf(t, k.Journal, "ada", start)); got != 60 {
		t.Errorf("%d taps", got)
	}
}
