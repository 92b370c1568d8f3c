package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"roomkiosk/internal/rooms"
	"roomkiosk/migrations"
)

var _ rooms.Cache = (*Cache)(nil)

// Cache is the file of schedules and profiles. It is safe for concurrent use. A file that turns out
// to be damaged while it is used is made anew like one that can't be opened.
type Cache struct {
	path   string
	log    *slog.Logger
	clock  rooms.Clock // nil: the cache is a file or nothing
	health health
	db     atomic.Pointer[database] // replaced under mu

	mu     sync.Mutex           // held by every write
	kept   map[string]*schedule // what the file holds, by room
	damage error                // why the file is closed and has to be made anew; nil: it is in use
}

// OpenCache opens the cache. A file that can't be opened, is damaged, or has another schema than the
// kiosk can use, is deleted and made anew, which is logged. It fails when that isn't possible
// either, or when another process keeps the file locked.
func OpenCache(path string, log *slog.Logger) (*Cache, error) {
	c := newCacheAt(path, log)
	if err := c.openOrRemake(patience); err != nil {
		return nil, fmt.Errorf("opening cache %s: %w", path, err)
	}
	return c, nil
}

func newCacheAt(path string, log *slog.Logger) *Cache {
	return &Cache{path: path, log: log, health: health{log: log}}
}

// openOrRemake makes the file anew if it is of no use. Another process at work is no reason to.
func (c *Cache) openOrRemake(wait time.Duration) error {
	err := c.open(wait)
	if err == nil || inUse(err) {
		return err
	}
	return c.remake(err)
}

func (c *Cache) open(wait time.Duration) error {
	db, err := open(c.path, syncLater, wait, migrations.Cache())
	if err != nil {
		return err
	}
	kept, err := loadKept(db)
	if err != nil {
		return errors.Join(err, db.close())
	}
	c.kept = kept
	c.db.Store(db)
	return nil
}

// remake deletes the file, which is closed, and opens a new one. The caller holds mu.
func (c *Cache) remake(reason error) error {
	if err := remove(c.path); err != nil {
		return fmt.Errorf("%w; deleting it: %w", reason, err)
	}
	if err := c.open(patience); err != nil {
		return fmt.Errorf("%w; making it anew: %w", reason, err)
	}
	c.damage = nil
	c.log.Warn("cache made anew", "path", c.path, "reason", reason)
	if c.clock != nil && isCorrupt(reason) {
		c.tellDamaged(reason)
	}
	return nil
}

// remove deletes a database and the files that SQLite keeps beside it, those first: a log that is
// left alone would be replayed into the next database of that name.
func remove(path string) error {
	for _, suffix := range []string{"-wal", "-shm", "-journal", ""} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Close writes when each schedule was last read, unless that is known to the file, and closes it.
func (c *Cache) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.damage != nil {
		return nil // closed already; the next start makes it anew
	}
	db := c.db.Load()
	if err := errors.Join(c.saveAges(db), db.close()); err != nil {
		return fmt.Errorf("closing cache: %w", err)
	}
	return nil
}

// Check proves that the cache answers, for a watchdog.
func (c *Cache) Check(ctx context.Context) error {
	return c.look(func(db *database) error { return db.check(ctx) })
}

// look runs fn, which reads, on the database, and once more if that was replaced meanwhile, or has to
// be because it is damaged.
func (c *Cache) look(fn func(*database) error) error {
	db := c.db.Load()
	err := fn(db)
	if err == nil || errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if isCorrupt(err) && c.clock != nil {
		c.remakeAfter(db, err)
	}
	if now := c.db.Load(); now != db {
		return fn(now)
	}
	return err
}

// write runs fn in a transaction, and tells IT what keeps it from being written. The caller holds mu.
func (c *Cache) write(fn func(*sql.Tx) error) error {
	err := c.tryToWrite(fn)
	c.tellUnwritten(err)
	return err
}

// tryToWrite runs fn once more in a new file if the one there turns out to be damaged.
func (c *Cache) tryToWrite(fn func(*sql.Tx) error) error {
	if c.damage == nil {
		db := c.db.Load()
		err := db.transact(fn)
		if err == nil || !isCorrupt(err) {
			return err
		}
		_ = db.close() // nothing in it matters any more
		c.damage = named(c.path, err)
	}
	if err := c.remakeOrStandIn(c.damage); err != nil {
		return err
	}
	return c.db.Load().transact(fn)
}

// SaveProfile keeps what Zoom says about a room. What is known already is not written.
func (c *Cache) SaveProfile(room string, p rooms.Profile) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.write(func(tx *sql.Tx) error {
		_, err := tx.Exec(upsertProfile, room, p.CheckIn.Required,
			micros(p.CheckIn.OpensBefore), micros(p.CheckIn.ClosesAfter), p.UnderConstruction)
		return err
	})
	if err != nil {
		return fmt.Errorf("saving profile of %s: %w", room, err)
	}
	return nil
}

const upsertProfile = `
INSERT INTO profiles (room, required, opens_before, closes_after, under_construction)
VALUES (?, ?, ?, ?, ?)
ON CONFLICT (room) DO UPDATE
SET required = excluded.required,
    opens_before = excluded.opens_before,
    closes_after = excluded.closes_after,
    under_construction = excluded.under_construction
WHERE (required, opens_before, closes_after, under_construction)
IS NOT (excluded.required, excluded.opens_before, excluded.closes_after, excluded.under_construction)`

const selectProfile = `
SELECT required, opens_before, closes_after, under_construction
FROM profiles
WHERE room = ?`

// Profile returns what was last saved for the room, or [rooms.ErrNotFound].
func (c *Cache) Profile(ctx context.Context, room string) (rooms.Profile, error) {
	var (
		p             rooms.Profile
		required      sql.NullBool
		opens, closes sql.NullInt64
	)
	err := c.look(func(db *database) error {
		return db.read.QueryRowContext(ctx, selectProfile, room).Scan(&required, &opens, &closes, &p.UnderConstruction)
	})
	if err != nil {
		return rooms.Profile{}, c.missed("profile", room, err)
	}
	if required.Valid {
		p.CheckIn.Required = &required.Bool
	}
	p.CheckIn.OpensBefore, p.CheckIn.ClosesAfter = duration(opens), duration(closes)
	return p, nil
}

// missed tells what isn't there from what couldn't be read.
func (c *Cache) missed(what, room string, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		err = rooms.ErrNotFound
	}
	return fmt.Errorf("reading %s of %s: %w", what, room, named(c.path, err))
}

func micros(d *time.Duration) sql.NullInt64 {
	if d == nil {
		return sql.NullInt64{}
	}
	return sql.NullInt64{Int64: d.Microseconds(), Valid: true}
}

func duration(micros sql.NullInt64) *time.Duration {
	if !micros.Valid {
		return nil
	}
	d := time.Duration(micros.Int64) * time.Microsecond
	return &d
}
