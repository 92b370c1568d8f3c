package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sync"
	"time"

	"roomkiosk/internal/rooms"
)

var _ rooms.History = (*Journal)(nil)

const (
	notedMost  = 10_000          // entries that wait in memory; the oldest go first
	flushAfter = 2 * time.Second // after something was noted
	flushLater = time.Minute     // when it couldn't be written
)

// notes is what was noted and isn't written yet.
type notes struct {
	noted chan struct{} // has an element when there may be something to write

	writing sync.RWMutex // held while entries go from waiting to the file, so that a reader finds each once

	mu      sync.Mutex
	waiting []rooms.Happening
	taken   int // how many of waiting, from the first, are being written
	dropped int
}

func newNotes() notes { return notes{noted: make(chan struct{}, 1)} }

// Note takes entries of the history. It doesn't touch the disk: [Journal.RunHistory] does.
func (j *Journal) Note(happenings ...rooms.Happening) {
	if len(happenings) == 0 {
		return
	}
	j.notes.add(happenings)
	select {
	case j.notes.noted <- struct{}{}:
	default: // it will be seen
	}
}

func (n *notes) add(happenings []rooms.Happening) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, h := range happenings {
		h.At = toMicro(h.At)
		n.waiting = append(n.waiting, h)
	}
	if over := len(n.waiting) - notedMost; over > 0 {
		n.waiting = slices.Delete(n.waiting, 0, over)
		n.taken = max(0, n.taken-over)
		n.dropped += over
	}
}

// take returns the oldest entries, which stay until done.
func (n *notes) take(most int) []rooms.Happening {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.taken = min(most, len(n.waiting))
	return slices.Clone(n.waiting[:n.taken])
}

// done forgets the entries that were taken: they are written.
func (n *notes) done() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.waiting = slices.Delete(n.waiting, 0, n.taken)
	n.taken = 0
}

// of returns the entries of a room that wait, in the order of their noting.
func (n *notes) of(room string) []rooms.Happening {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []rooms.Happening
	for _, h := range n.waiting {
		if h.Room == room {
			all = append(all, h)
		}
	}
	return all
}

// HistoryDropped is how many entries were lost since the start because they couldn't be written in
// time.
func (j *Journal) HistoryDropped() int {
	j.notes.mu.Lock()
	defer j.notes.mu.Unlock()
	return j.notes.dropped
}

// RunHistory writes what is noted, a moment after it was, until the context ends, and then the rest.
// While nothing is noted it writes nothing.
func (j *Journal) RunHistory(ctx context.Context) error {
	for failing := false; ; {
		select {
		case <-ctx.Done():
			return j.flush()
		case <-j.notes.noted:
		}
		wait := flushAfter
		for wait > 0 {
			timer := j.clock.Timer(wait)
			select {
			case <-ctx.Done():
				timer.Stop()
				return j.flush()
			case <-timer.C:
			}
			wait = 0
			err := j.flush()
			if err != nil {
				wait = flushLater
			}
			if err != nil && !failing { // once, however long it lasts
				j.log.Warn("history not written yet", "error", err)
			}
			failing = err != nil
		}
	}
}

// flush writes all that waits. What can't be written goes on waiting. With a full disk it isn't tried:
// the room is for taps.
func (j *Journal) flush() error {
	for {
		if j.health.has(DiskFull) {
			return fmt.Errorf("writing the history: %w", ErrFull)
		}
		wrote, err := j.flushSome()
		if err != nil {
			return fmt.Errorf("writing the history: %w", err)
		}
		if wrote < batch {
			return nil
		}
	}
}

func (j *Journal) flushSome() (int, error) {
	j.notes.writing.Lock()
	defer j.notes.writing.Unlock()
	some := j.notes.take(batch)
	if len(some) == 0 {
		return 0, nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.changeLocked(forLess, func(tx *sql.Tx) error { return insertHistory(tx, some) }); err != nil {
		return 0, err
	}
	j.held.history += len(some)
	j.notes.done()
	return len(some), nil
}

const insertHappening = `
INSERT INTO history (room, at, day, what, cause, status, reservation, starts_at, ends_at, spent, detail)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

func insertHistory(tx *sql.Tx, all []rooms.Happening) error {
	for _, h := range all {
		_, err := tx.Exec(insertHappening, h.Room, h.At.UnixMicro(), h.Day, h.What, h.Cause, h.Status, h.Reservation,
			orNull(h.Start), orNull(h.End), h.Spent.Microseconds(), h.Detail)
		if err != nil {
			return err
		}
	}
	return nil
}

// orNull is a column's value of an instant that may be zero.
func orNull(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: t.UnixMicro(), Valid: !t.IsZero()}
}

const historyColumns = "seq, room, at, day, what, cause, status, reservation, starts_at, ends_at, spent, detail"

const selectHistory = `
SELECT ` + historyColumns + `
FROM history
WHERE room = ?1
AND at >= ?2
ORDER BY at DESC, seq DESC
LIMIT ?3`

// HistoryOf returns what happened in a room since that instant, the newest first and no more than
// limit, written or not.
func (j *Journal) HistoryOf(ctx context.Context, room string, since time.Time, limit int) ([]rooms.Happening, error) {
	j.notes.writing.RLock()
	defer j.notes.writing.RUnlock()
	var all []rooms.Happening
	waiting := j.notes.of(room)
	for _, h := range slices.Backward(waiting) {
		if !h.At.Before(since) {
			all = append(all, h)
		}
	}
	var written []rooms.Happening
	err := j.look(func(db *database) (err error) {
		written, err = readHistoryOf(ctx, db, room, since, limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading history of %s: %w", room, err)
	}
	all = append(all, written...)
	slices.SortStableFunc(all, func(a, b rooms.Happening) int { return b.At.Compare(a.At) })
	return all[:min(len(all), limit)], nil
}

func readHistoryOf(ctx context.Context, db *database, room string, since time.Time, limit int) ([]rooms.Happening, error) {
	rows, err := db.read.QueryContext(ctx, selectHistory, room, since.UnixMicro(), limit)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var all []rooms.Happening
	for rows.Next() {
		h, _, err := scanHappening(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, h)
	}
	return all, rows.Err()
}

// scanHappening reads a row of historyColumns, and its seq, also of a row that is of no use otherwise.
func scanHappening(row scanner) (rooms.Happening, int64, error) {
	var (
		h              rooms.Happening
		seq, at, spent int64
		starts, ends   sql.NullInt64
	)
	err := row.Scan(&seq, &h.Room, &at, &h.Day, &h.What, &h.Cause, &h.Status, &h.Reservation, &starts, &ends, &spent, &h.Detail)
	if err != nil {
		return rooms.Happening{}, seq, err
	}
	h.At, h.Spent = instant(at), time.Duration(spent)*time.Microsecond
	if starts.Valid {
		h.Start = instant(starts.Int64)
	}
	if ends.Valid {
		h.End = instant(ends.Int64)
	}
	return h, seq, nil
}
