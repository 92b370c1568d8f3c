package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"roomkiosk/internal/rooms"
)

// countedFor is how many days counts are kept after their details are gone.
const countedFor = 400

// counted tells whether it is added up when its details are forgotten.
func counted(w rooms.What) bool { return w != rooms.HappenedStatus && w != rooms.HappenedFlag }

// In one statement, so that an entry that is added up meanwhile counts once.
const selectCounts = `
SELECT 0, room, day, what, cause, sum(times), sum(spent)
FROM (
    SELECT room, day, what, cause, times, spent
    FROM counts
    WHERE room = ?1
    AND day >= ?2
    UNION ALL
    SELECT room, day, what, cause, 1, spent
    FROM history
    WHERE room = ?1
    AND day >= ?2
    AND what NOT IN ('status', 'flag')
)
GROUP BY day, what, cause`

// CountsOf returns how often things happened in a room on each day from sinceDay on, by day, what
// and cause: of all days that are remembered, in detail or not.
func (j *Journal) CountsOf(ctx context.Context, room, sinceDay string) ([]rooms.Count, error) {
	j.notes.writing.RLock()
	defer j.notes.writing.RUnlock()
	sums := map[rooms.Count]rooms.Count{} // by what is left when the figures are zero
	add := func(c rooms.Count) {
		key := rooms.Count{Room: c.Room, Day: c.Day, What: c.What, Cause: c.Cause}
		c.Times += sums[key].Times
		c.Spent += sums[key].Spent
		sums[key] = c
	}
	for _, h := range j.notes.of(room) {
		if counted(h.What) && h.Day >= sinceDay {
			add(rooms.Count{Room: h.Room, Day: h.Day, What: h.What, Cause: h.Cause, Times: 1, Spent: h.Spent})
		}
	}
	var written []rooms.Count
	err := j.look(func(db *database) (err error) {
		written, err = readCountsOf(ctx, db, room, sinceDay)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading counts of %s: %w", room, err)
	}
	for _, c := range written {
		add(c)
	}
	var all []rooms.Count
	for _, c := range sums {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b rooms.Count) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.What, b.What), cmp.Compare(a.Cause, b.Cause))
	})
	return all, nil
}

func readCountsOf(ctx context.Context, db *database, room, sinceDay string) ([]rooms.Count, error) {
	rows, err := db.read.QueryContext(ctx, selectCounts, room, sinceDay)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var all []rooms.Count
	for rows.Next() {
		c, _, err := scanCount(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, rows.Err()
}

func scanCount(row scanner) (rooms.Count, int64, error) {
	var (
		c          rooms.Count
		seq, spent int64
	)
	if err := row.Scan(&seq, &c.Room, &c.Day, &c.What, &c.Cause, &c.Times, &spent); err != nil {
		return rooms.Count{}, seq, err
	}
	c.Spent = time.Duration(spent) * time.Microsecond
	return c, seq, nil
}

const addCount = `
INSERT INTO counts (room, day, what, cause, times, spent)
VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (room, day, what, cause) DO UPDATE
SET times = times + excluded.times,
    spent = spent + excluded.spent`

func insertCounts(tx *sql.Tx, all []rooms.Count) error {
	for _, c := range all {
		if _, err := tx.Exec(addCount, c.Room, c.Day, c.What, c.Cause, c.Times, c.Spent.Microseconds()); err != nil {
			return err
		}
	}
	return nil
}

// The entries of one batch, which is the same for both statements of a transaction.
const oldEntries = `
FROM history
WHERE seq IN (
    SELECT seq
    FROM history
    WHERE at < ?1
    ORDER BY at, seq
    LIMIT ?2
)`

const foldEntries = `
INSERT INTO counts (room, day, what, cause, times, spent)
SELECT room, day, what, cause, count(*), sum(spent)` + oldEntries + `
AND what NOT IN ('status', 'flag')
GROUP BY room, day, what, cause
ON CONFLICT (room, day, what, cause) DO UPDATE
SET times = times + excluded.times,
    spent = spent + excluded.spent`

const deleteEntries = `
DELETE` + oldEntries

// foldHistory adds the entries before an instant to the counts and deletes them, each exactly once.
func (j *Journal) foldHistory(before time.Time) error {
	limit := before.UnixMicro()
	for {
		var more bool
		err := j.look(func(db *database) error {
			return db.read.QueryRow("SELECT EXISTS (SELECT 1 FROM history WHERE at < ?)", limit).Scan(&more)
		})
		if err != nil {
			return fmt.Errorf("finding old history: %w", err)
		}
		if !more {
			return nil
		}
		err = j.change(func(tx *sql.Tx) error {
			_, err := tx.Exec(foldEntries, limit, batch)
			if err == nil {
				_, err = tx.Exec(deleteEntries, limit, batch)
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("adding up old history: %w", err)
		}
	}
}

// The rows of one batch of old counts. They are found room by room, two searches of the key for each:
// day by day it would be every row.
const oldCounts = `
WITH RECURSIVE known(room) AS (
    SELECT min(room)
    FROM counts
    UNION ALL
    SELECT (SELECT min(room) FROM counts WHERE room > known.room)
    FROM known
    WHERE known.room IS NOT NULL
)
SELECT counts.rowid
FROM known
CROSS JOIN counts
WHERE counts.room = known.room
AND counts.day < ?1
LIMIT ?2`

const deleteCounts = `
DELETE FROM counts
WHERE rowid IN (` + oldCounts + `)`

// pruneCounts deletes the counts of days that are long gone.
func (j *Journal) pruneCounts(before time.Time) error {
	first := before.UTC().AddDate(0, 0, -countedFor).Format(time.DateOnly)
	for {
		var more bool
		err := j.look(func(db *database) error {
			return db.read.QueryRow("SELECT EXISTS ("+oldCounts+")", first, batch).Scan(&more)
		})
		if err != nil {
			return fmt.Errorf("finding old counts: %w", err)
		}
		if !more {
			return nil
		}
		err = j.change(func(tx *sql.Tx) error {
			_, err := tx.Exec(deleteCounts, first, batch)
			return err
		})
		if err != nil {
			return fmt.Errorf("pruning old counts: %w", err)
		}
	}
}
