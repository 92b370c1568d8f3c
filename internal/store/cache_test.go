package store

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"roomkiosk/internal/rooms"
)

func openCache(t testing.TB, path string) *Cache {
	t.Helper()
	c, _ := openCacheLogged(t, path)
	return c
}

func openCacheLogged(t testing.TB, path string) (*Cache, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	c, err := OpenCache(path, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c, &log
}

func newCache(t testing.TB) *Cache {
	t.Helper()
	return openCache(t, filepath.Join(t.TempDir(), "cache.db"))
}

func schedule1() rooms.Schedule {
	return rooms.Schedule{
		Source: "google", From: start, To: start.AddDate(0, 0, 2), AsOf: start,
		Reservations: []rooms.Reservation{
			{ID: "r1", Ref: rooms.EventRef{EventID: "e1", ChangeKey: "k"}, Start: start, End: start.Add(time.Hour), Title: "Wöchentlich <b>", Organizer: "Jane"},
			{ID: "r2", Ref: rooms.EventRef{EventID: "e2"}, Start: start.Add(time.Hour), End: start.Add(time.Hour), AllDay: true, Private: true, Tentative: true},
		},
	}
}

func save(t *testing.T, c *Cache, room string, s rooms.Schedule) {
	t.Helper()
	if err := c.SaveSchedule(room, s); err != nil {
		t.Fatal(err)
	}
}

func scheduleOf(t *testing.T, c *Cache, room string) rooms.Schedule {
	t.Helper()
	s, err := c.Schedule(t.Context(), room)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestScheduleRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache.db")
	c := openCache(t, path)
	if _, err := c.Schedule(t.Context(), "ada"); !errors.Is(err, rooms.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	want := schedule1()
	save(t, c, "ada", want)
	save(t, c, "bob", rooms.Schedule{Source: "dav", AsOf: start})
	if diff := cmp.Diff(want, scheduleOf(t, c, "ada")); diff != "" {
		t.Error(diff)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	c = openCache(t, path)
	if diff := cmp.Diff(want, scheduleOf(t, c, "ada")); diff != "" {
		t.Error(diff)
	}
	if got := scheduleOf(t, c, "bob"); got.Reservations == nil || len(got.Reservations) != 0 {
		t.Errorf("got %+v", got)
	}
}

// Whatever is saved, unchanged or not, before or after a stop: the last save is what is read.
func TestScheduleIsTheLastSaved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache.db")
	c := openCache(t, path)
	any := rapid.Custom(func(t *rapid.T) rooms.Schedule {
		s := schedule1()
		s.AsOf = anyInstant().Draw(t, "as of")
		s.Source = rapid.SampledFrom([]string{"google", "graph"}).Draw(t, "source")
		s.From = rapid.SampledFrom([]time.Time{start, start.AddDate(0, 0, 1)}).Draw(t, "from")
		s.Reservations = s.Reservations[:rapid.IntRange(0, 2).Draw(t, "reservations")]
		return s
	})
	rapid.Check(t, func(t *rapid.T) {
		want := map[string]rooms.Schedule{}
		for range rapid.IntRange(1, 12).Draw(t, "saves") {
			room, s := rapid.SampledFrom([]string{"ada", "bob"}).Draw(t, "room"), any.Draw(t, "schedule")
			if err := c.SaveSchedule(room, s); err != nil {
				t.Fatal(err)
			}
			want[room] = s
			if rapid.IntRange(0, 4).Draw(t, "stop") > 0 {
				continue
			}
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			if err := c.open(); err != nil {
				t.Fatal(err)
			}
		}
		for room, s := range want {
			got, err := c.Schedule(t.Context(), room)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(s, got); diff != "" {
				t.Error(diff)
			}
		}
	})
}

func TestUnchangedScheduleWritesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache.db")
	c := openCache(t, path)
	s := schedule1()
	save(t, c, "ada", s)
	before := footprint(t, c.db.Load())
	berlin := time.FixedZone("CET", 3600)
	for range 100 {
		s.AsOf = s.AsOf.Add(15 * time.Second)
		s.Reservations[0].Start = s.Reservations[0].Start.In(berlin) // the same instant
		save(t, c, "ada", s)
	}
	if diff := cmp.Diff(before, footprint(t, c.db.Load())); diff != "" {
		t.Error(diff)
	}
	if got := scheduleOf(t, c, "ada").AsOf; !got.Equal(s.AsOf) {
		t.Errorf("as of %v, want %v", got, s.AsOf)
	}
	if got, err := c.Newest(t.Context()); err != nil || !got.Equal(s.AsOf) {
		t.Errorf("newest %v, %v; want %v", got, err, s.AsOf)
	}
	stored := ask[int64](t, c.db.Load().read, "SELECT as_of FROM schedules")
	if !instant(stored).Equal(start) {
		t.Errorf("the file says %v", instant(stored))
	}

	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	c = openCache(t, path)
	if got := scheduleOf(t, c, "ada").AsOf; !got.Equal(s.AsOf) {
		t.Errorf("after a stop: as of %v, want %v", got, s.AsOf)
	}
	// A later process knows the content too:
	before = footprint(t, c.db.Load())
	save(t, c, "ada", s)
	if diff := cmp.Diff(before, footprint(t, c.db.Load())); diff != "" {
		t.Error(diff)
	}
}

func TestChangedScheduleIsWritten(t *testing.T) {
	changes := map[string]func(*rooms.Schedule){
		"source":       func(s *rooms.Schedule) { s.Source = "graph" },
		"from":         func(s *rooms.Schedule) { s.From = s.From.AddDate(0, 0, 1) },
		"to":           func(s *rooms.Schedule) { s.To = s.To.AddDate(0, 0, 1) },
		"change key":   func(s *rooms.Schedule) { s.Reservations[0].Ref.ChangeKey = "k2" },
		"end":          func(s *rooms.Schedule) { s.Reservations[0].End = start.Add(time.Minute) },
		"title":        func(s *rooms.Schedule) { s.Reservations[0].Title = "Daily" },
		"fewer":        func(s *rooms.Schedule) { s.Reservations = s.Reservations[:1] },
		"nothing left": func(s *rooms.Schedule) { s.Reservations = nil },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			c := newCache(t)
			save(t, c, "ada", schedule1())
			before := footprint(t, c.db.Load())
			s := schedule1()
			change(&s)
			save(t, c, "ada", s)
			if cmp.Equal(before, footprint(t, c.db.Load())) {
				t.Error("nothing was written")
			}
		})
	}
}

// A calendar that was read under a clock that was ahead doesn't stay young for years.
func TestScheduleOfAClockThatWentBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache.db")
	c := openCache(t, path)
	s := schedule1()
	s.AsOf = start.AddDate(10, 0, 0)
	save(t, c, "ada", s)
	s.AsOf = start
	save(t, c, "ada", s)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	c = openCache(t, path)
	if got := scheduleOf(t, c, "ada").AsOf; !got.Equal(start) {
		t.Errorf("as of %v", got)
	}
	if got, err := c.Newest(t.Context()); err != nil || !got.Equal(start) {
		t.Errorf("newest %v, %v", got, err)
	}
}

func TestProfileRoundTrip(t *testing.T) {
	c := newCache(t)
	if _, err := c.Profile(t.Context(), "ada"); !errors.Is(err, rooms.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	for _, want := range []rooms.Profile{
		{},
		{CheckIn: rooms.CheckInSettings{Required: new(true), OpensBefore: new(5 * time.Minute), ClosesAfter: new(time.Duration(0))}, UnderConstruction: true},
		{CheckIn: rooms.CheckInSettings{Required: new(false)}},
		{CheckIn: rooms.CheckInSettings{ClosesAfter: new(time.Hour)}},
	} {
		for i := range 2 {
			before := footprint(t, c.db.Load())
			if err := c.SaveProfile("ada", want); err != nil {
				t.Fatal(err)
			}
			if written := footprint(t, c.db.Load()) != before; written != (i == 0) {
				t.Errorf("save %d of %+v: written is %v", i, want, written)
			}
		}
		got, err := c.Profile(t.Context(), "ada")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestCacheIsMadeAnew(t *testing.T) {
	damages := map[string]func(t *testing.T, path string){
		"garbage":      func(t *testing.T, path string) { overwrite(t, path, 0, 1<<16) },
		"garbage page": func(t *testing.T, path string) { overwrite(t, path, 8192, 4096) },
		"truncated":    func(t *testing.T, path string) { truncate(t, path, 6000) },
		"directory":    func(t *testing.T, path string) { mustRemove(t, path); mustMkdir(t, path) },
		"directories":  func(t *testing.T, path string) { mustRemove(t, path); mustMkdir(t, path); mustMkdir(t, path+"-wal") },
		"newer schema": func(t *testing.T, path string) {
			execOn(t, path, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)")
		},
		"foreign schema": func(t *testing.T, path string) { execOn(t, path, "DELETE FROM goose_db_version WHERE version_id > 0") },
		"missing table":  func(t *testing.T, path string) { execOn(t, path, "DROP TABLE schedules") },
		"other columns":  func(t *testing.T, path string) { execOn(t, path, "ALTER TABLE schedules DROP COLUMN as_of") },
	}
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "cache.db")
			c := openCache(t, path)
			save(t, c, "ada", schedule1())
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			damage(t, path)
			c, log := openCacheLogged(t, path)
			if !strings.Contains(log.String(), "cache made anew") {
				t.Errorf("log: %q", log)
			}
			if _, err := c.Schedule(t.Context(), "ada"); !errors.Is(err, rooms.ErrNotFound) {
				t.Errorf("got %v", err)
			}
			save(t, c, "ada", schedule1())
			if diff := cmp.Diff(schedule1(), scheduleOf(t, c, "ada")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSoundCacheIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache.db")
	c := openCache(t, path)
	save(t, c, "ada", schedule1())
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	c, log := openCacheLogged(t, path)
	if log.Len() > 0 {
		t.Errorf("log: %s", log)
	}
	scheduleOf(t, c, "ada")
}

// What is in a directory of that name was not put there by the kiosk.
func TestCacheWhereNoneCanBe(t *testing.T) {
	dir := t.TempDir()
	full := filepath.Join(dir, "full.db")
	mustMkdir(t, filepath.Join(full, "precious"))
	for _, path := range []string{full, filepath.Join(dir, "missing", "cache.db"), "/proc/cache.db"} {
		c, err := OpenCache(path, slog.New(slog.DiscardHandler))
		if err == nil {
			t.Errorf("%s was opened", path)
			_ = c.Close()
		} else if !strings.Contains(err.Error(), path) {
			t.Errorf("%v doesn't name %s", err, path)
		}
	}
	if _, err := os.Stat(filepath.Join(full, "precious")); err != nil {
		t.Error(err)
	}
}

// damageInUse overwrites the file, with nothing in a log or in memory to read instead.
func damageInUse(t *testing.T, c *Cache) {
	t.Helper()
	if _, err := c.db.Load().write.Exec("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA shrink_memory"); err != nil {
		t.Fatal(err)
	}
	overwrite(t, c.path, 0, 1<<16)
}

// Damage that shows while the kiosk runs costs nothing but what was cached.
func TestCacheDamagedInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache.db")
	c, log := openCacheLogged(t, path)
	for _, room := range []string{"ada", "bob"} {
		save(t, c, room, schedule1())
	}
	damageInUse(t, c)
	changed := schedule1()
	changed.Source = "graph"
	save(t, c, "ada", changed)
	if !strings.Contains(log.String(), "cache made anew") {
		t.Errorf("log: %q", log)
	}
	save(t, c, "bob", schedule1()) // unchanged, but no longer in the file
	if diff := cmp.Diff(changed, scheduleOf(t, c, "ada")); diff != "" {
		t.Error(diff)
	}
	scheduleOf(t, c, "bob")
	if err := c.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// While no new file can be made, saves fail, and go on when one can.
func TestCacheDamagedWhereNoneCanBe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache.db")
	c := openCache(t, path)
	save(t, c, "ada", schedule1())
	damageInUse(t, c)
	mustRemove(t, path+"-shm")
	mustMkdir(t, filepath.Join(path+"-shm", "in the way"))
	changed := schedule1()
	changed.Source = "graph"
	for range 2 {
		if err := c.SaveSchedule("ada", changed); err == nil {
			t.Fatal("saved")
		}
	}
	mustRemove(t, path+"-shm")
	save(t, c, "ada", changed)
	scheduleOf(t, c, "ada")
}

// SQLite finds overwritten pages; bits that flip within a text are ours to find.
func TestFlippedBits(t *testing.T) {
	c := newCache(t)
	s := schedule1()
	save(t, c, "ada", s)
	if _, err := c.db.Load().write.Exec("UPDATE schedules SET body = replace(body, 'Jane', 'Jame')"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Schedule(t.Context(), "ada"); !errors.Is(err, rooms.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	save(t, c, "ada", s)
	if diff := cmp.Diff(s, scheduleOf(t, c, "ada")); diff != "" {
		t.Error(diff)
	}
}

func mustRemove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

func mustMkdir(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(path, 0o700); err != nil {
		t.Fatal(err)
	}
}

func execOn(t *testing.T, path, statement string) {
	t.Helper()
	db := writer(path, syncLater)
	defer func() { _ = db.Close() }()
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
}
