package store

import (
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"roomkiosk/internal/rooms"
	"roomkiosk/migrations"
)

// CacheConfig is what a cache needs. No field may be empty.
type CacheConfig struct {
	Path  string
	Log   *slog.Logger
	Clock rooms.Clock // dates its troubles
}

// KeepCache opens the cache and keeps it going whatever happens to its file: where it can't be
// opened or made, it is in memory, with what can be read of the file, until it can. Health tells so.
// Tend has to be called every minute or so. A schedule that finds no room on the disk is an error to
// whoever saves it, and told; it costs neither the file nor what is in it.
func KeepCache(cfg CacheConfig) (*Cache, error) {
	c := newCacheAt(cfg.Path, cfg.Log)
	c.clock = cfg.Clock
	err := c.open(patience)
	switch {
	case err == nil:
		return c, nil
	case inUse(err), c.waits(err):
		err = c.standIn(err)
	default:
		err = c.remakeOrStandIn(err)
	}
	if err != nil {
		return nil, fmt.Errorf("opening cache %s: %w", cfg.Path, err)
	}
	return c, nil
}

// waits tells whether the file may be sound and it is better to wait until it can be used than to
// delete it.
func (c *Cache) waits(err error) bool {
	info, statErr := os.Stat(c.path)
	return (isFull(err) || isBarred(err)) && (statErr != nil || !info.IsDir())
}

// remakeOrStandIn makes the file anew, or else has a database in memory stand in for it. The caller
// holds mu, or is alone.
func (c *Cache) remakeOrStandIn(reason error) error {
	err := c.remake(reason)
	if err == nil || c.clock == nil {
		return err
	}
	return c.standIn(err)
}

// remakeAfter replaces the database that a read found damaged, unless that has been done meanwhile.
func (c *Cache) remakeAfter(db *database, reason error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.db.Load() != db || c.damage != nil {
		return
	}
	_ = db.close() // nothing in it matters any more
	c.damage = named(c.path, reason)
	if err := c.remakeOrStandIn(c.damage); err != nil {
		c.log.Error("cache not made anew", "path", c.path, "error", err)
	}
}

// standIn has a database in memory stand in for the file, with what can be read of it. The caller
// holds mu, or is alone.
func (c *Cache) standIn(why error) error {
	db, err := openMemory(c.path, migrations.Cache())
	if err != nil {
		return errors.Join(why, err)
	}
	if source, done, err := openSource(c.path); err == nil {
		if err := copyCache(source, db); err != nil {
			c.log.Warn("cached schedules not read", "path", c.path, "error", err)
		}
		done()
	}
	kept, err := loadKept(db)
	if err != nil {
		return errors.Join(why, err, db.close())
	}
	c.kept, c.damage = kept, nil
	c.db.Store(db)
	c.health.begin(MemoryOnly, c.clock.Now(), fmt.Sprintf(
		"Schedules are kept in memory only, because %s can't be used: %v. After a restart without a network the displays would know nothing. Let the kiosk's user write the file and its folder, and make room on the disk. The kiosk tries again by itself.",
		c.path, why))
	return nil
}

// tellUnwritten tells what a write that failed says about the disk.
func (c *Cache) tellUnwritten(err error) {
	switch {
	case c.clock == nil:
	case isFull(err):
		c.health.begin(DiskFull, c.clock.Now(), fmt.Sprintf(
			"New schedules find no room in %s, the disk is full. After a restart without a network the displays would show older ones. Delete what isn't needed there: the kiosk wants %d MB.",
			c.path, roomy>>20))
	case isBarred(err):
		c.health.begin(ReadOnly, c.clock.Now(), fmt.Sprintf(
			"New schedules can't be stored in %s: %v. After a restart without a network the displays would show older ones. Let the kiosk's user write the file and its folder; if the disk turned read-only by itself, replace it. The kiosk tries again by itself.",
			c.path, err))
	}
}

// lookAgain ends the troubles that are over. The caller holds mu.
func (c *Cache) lookAgain(db *database) {
	full := c.health.has(DiskFull)
	if !full && !c.health.has(ReadOnly) {
		return
	}
	if err := db.prove(); err != nil {
		c.tellUnwritten(err)
		return
	}
	c.health.over(ReadOnly)
	if free, err := freeBytes(filepath.Dir(c.path)); full && err == nil && free >= roomy {
		c.health.over(DiskFull)
	}
}

func (c *Cache) tellDamaged(reason error) {
	c.health.begin(Damaged, c.clock.Now(), fmt.Sprintf(
		"%s was damaged (%v) and has been made anew; the calendars are read again. If this happens again, replace the disk or card.", c.path, reason))
}

// copyCache copies all rows from one database of the cache's schema to another.
func copyCache(from *sql.DB, to *database) error {
	for _, table := range []struct{ read, write string }{
		{"SELECT room, hash, as_of, body FROM schedules", upsertSchedule},
		{"SELECT room, required, opens_before, closes_after, under_construction FROM profiles", upsertProfile},
	} {
		all, err := readRows(from, table.read)
		if err != nil {
			return fmt.Errorf("reading the cache: %w", err)
		}
		err = to.transact(func(tx *sql.Tx) error {
			for _, values := range all {
				if _, err := tx.Exec(table.write, values...); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("copying the cache: %w", err)
		}
	}
	return nil
}

func readRows(from *sql.DB, query string) ([][]any, error) {
	rows, err := from.Query(query)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var all [][]any
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		all = append(all, values)
	}
	return all, rows.Err()
}

// Health tells what is wrong with the cache, for IT: nothing, as a rule.
func (c *Cache) Health() []Trouble { return c.health.list() }

// Tend tries to get the file back if the cache is in memory, and writes what it holds; and it looks
// whether a file that couldn't be written can be again. While all is well it does nothing.
func (c *Cache) Tend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.health.age(c.clock.Now())
	before := c.db.Load()
	if !before.standIn {
		c.lookAgain(before)
		return
	}
	if err := c.moveToFile(before); err != nil {
		c.log.Debug("cache still in memory", "path", c.path, "error", err)
		return
	}
	_ = before.close() // memory is given back, whatever it says
	for _, code := range []TroubleCode{MemoryOnly, ReadOnly, DiskFull} {
		c.health.over(code)
	}
}

// moveToFile opens the file, or makes it anew, and writes into it what the database in memory holds.
func (c *Cache) moveToFile(before *database) error {
	if err := c.saveAges(before); err != nil {
		return err
	}
	db, err := open(c.path, syncLater, 0, migrations.Cache())
	if err != nil && !inUse(err) && !c.waits(err) {
		if err := remove(c.path); err != nil {
			return err
		}
		db, err = open(c.path, syncLater, 0, migrations.Cache())
	}
	if err != nil {
		return err
	}
	if err := copyCache(before.read, db); err != nil {
		return errors.Join(err, db.close())
	}
	kept, err := loadKept(db)
	if err != nil {
		return errors.Join(err, db.close())
	}
	c.kept = kept
	c.db.Store(db)
	return nil
}
