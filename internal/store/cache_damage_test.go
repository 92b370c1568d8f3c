package store

import (
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"roomkiosk/internal/rooms"
)

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
			save(t, c, "ada", someSchedule())
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
			save(t, c, "ada", someSchedule())
			if diff := cmp.Diff(someSchedule(), scheduleOf(t, c, "ada")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSoundCacheIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache.db")
	c := openCache(t, path)
	save(t, c, "ada", someSchedule())
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

// Another process at work isn't damage.
func TestLockedCacheIsNotDeleted(t *testing.T) {
	c := newCache(t)
	save(t, c, "ada", someSchedule())
	err := c.db.Load().transact(func(*sql.Tx) error {
		other := &Cache{path: c.path, log: slog.New(slog.DiscardHandler)}
		return other.openOrRemake(0)
	})
	if !inUse(err) {
		t.Errorf("got %v", err)
	}
	scheduleOf(t, c, "ada")
}

// Nor is a full disk.
func TestFullCacheIsNotDeleted(t *testing.T) {
	c, log := openCacheLogged(t, filepath.Join(t.TempDir(), "cache.db"))
	save(t, c, "ada", someSchedule())
	pages := ask[int](t, c.db.Load().write, "PRAGMA page_count")
	ask[int](t, c.db.Load().write, fmt.Sprintf("PRAGMA max_page_count = %d", pages))
	large := someSchedule()
	large.Source = strings.Repeat("x", 1<<20)
	if err := c.SaveSchedule("ada", large); err == nil || !strings.Contains(err.Error(), "full") {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff(someSchedule(), scheduleOf(t, c, "ada")); diff != "" || log.Len() > 0 {
		t.Error(diff, log)
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
		save(t, c, room, someSchedule())
	}
	damageInUse(t, c)
	changed := someSchedule()
	changed.Source = "graph"
	save(t, c, "ada", changed)
	if !strings.Contains(log.String(), "cache made anew") {
		t.Errorf("log: %q", log)
	}
	save(t, c, "bob", someSchedule()) // unchanged, but no longer in the file
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
	save(t, c, "ada", someSchedule())
	damageInUse(t, c)
	mustRemove(t, path+"-shm")
	mustMkdir(t, filepath.Join(path+"-shm", "in the way"))
	changed := someSchedule()
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
	s := someSchedule()
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
	db := writer(path, syncLater, patience)
	defer func() { _ = db.Close() }()
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
}
