package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"roomkiosk/internal/rooms"
)

// schedule is what the cache remembers about a row of schedules.
type schedule struct {
	hash  [sha256.Size]byte // of the body
	saved time.Time         // as_of in the file
	asOf  time.Time         // of the last read, which the file needn't know while the body is the same
}

func loadKept(db *database) (map[string]*schedule, error) {
	rows, err := db.read.Query(`
SELECT room, hash, as_of
FROM schedules`)
	if err != nil {
		return nil, fmt.Errorf("reading schedules: %w", err)
	}
	defer func() { _ = rows.Close() }()
	kept := make(map[string]*schedule)
	for rows.Next() {
		var (
			room string
			hash []byte
			asOf int64
		)
		if err := rows.Scan(&room, &hash, &asOf); err != nil {
			return nil, fmt.Errorf("reading schedules: %w", err)
		}
		s := &schedule{saved: instant(asOf), asOf: instant(asOf)}
		copy(s.hash[:], hash)
		kept[room] = s
	}
	return kept, rows.Err()
}

// SaveSchedule keeps the schedule of a room instead of the one before. When nothing but its age has
// changed, nothing is written: the new age is remembered, and written by Close.
func (c *Cache) SaveSchedule(room string, s rooms.Schedule) error {
	body, err := encode(s)
	if err != nil {
		return fmt.Errorf("saving schedule of %s: %w", room, err)
	}
	next := schedule{hash: sha256.Sum256(body), saved: toMicro(s.AsOf), asOf: toMicro(s.AsOf)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if k := c.kept[room]; k != nil && k.hash == next.hash {
		k.asOf = next.asOf
		return nil
	}
	err = c.write(func(tx *sql.Tx) error {
		_, err := tx.Exec(upsertSchedule, room, next.hash[:], next.asOf.UnixMicro(), string(body))
		return err
	})
	if err != nil {
		return fmt.Errorf("saving schedule of %s: %w", room, err)
	}
	c.kept[room] = &next
	return nil
}

const upsertSchedule = `
INSERT INTO schedules (room, hash, as_of, body)
VALUES (?, ?, ?, ?)
ON CONFLICT (room) DO UPDATE
SET hash = excluded.hash,
    as_of = excluded.as_of,
    body = excluded.body`

const selectSchedule = `
SELECT hash, as_of, body
FROM schedules
WHERE room = ?`

// Schedule returns the schedule that was last saved for the room, as old as its last save, or
// [rooms.ErrNotFound].
func (c *Cache) Schedule(ctx context.Context, room string) (rooms.Schedule, error) {
	var (
		hash, body []byte
		asOf       int64
	)
	err := c.look(func(db *database) error {
		return db.read.QueryRowContext(ctx, selectSchedule, room).Scan(&hash, &asOf, &body)
	})
	if err != nil {
		return rooms.Schedule{}, c.missed("schedule", room, err)
	}
	sum := sha256.Sum256(body)
	if string(sum[:]) != string(hash) {
		c.forget(room)
		return rooms.Schedule{}, fmt.Errorf("reading schedule of %s: its content is damaged: %w", room, rooms.ErrNotFound)
	}
	s, err := decode(body)
	if err != nil {
		c.forget(room)
		return rooms.Schedule{}, fmt.Errorf("reading schedule of %s: %w: %w", room, err, rooms.ErrNotFound)
	}
	s.AsOf = c.lastRead(room, sum, instant(asOf))
	return s, nil
}

// forget makes the next save write the room's schedule whatever it is.
func (c *Cache) forget(room string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.kept, room)
}

// lastRead returns when the body with that hash was last read from the calendar.
func (c *Cache) lastRead(room string, hash [sha256.Size]byte, saved time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k := c.kept[room]; k != nil && k.hash == hash {
		return k.asOf
	}
	return saved
}

// saveAges writes the ages that only memory knows, in one transaction. The caller holds mu.
func (c *Cache) saveAges(db *database) error {
	later := make(map[string]time.Time)
	for room, k := range c.kept {
		if !k.asOf.Equal(k.saved) {
			later[room] = k.asOf
		}
	}
	if len(later) == 0 {
		return nil
	}
	err := db.transact(func(tx *sql.Tx) error {
		for room, asOf := range later {
			if _, err := tx.Exec(updateAge, asOf.UnixMicro(), room); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("saving ages of schedules: %w", err)
	}
	for room, asOf := range later {
		c.kept[room].saved = asOf
	}
	return nil
}

const updateAge = `
UPDATE schedules
SET as_of = ?
WHERE room = ?`

// Newest returns when the youngest schedule was read; zero when there is none. A clock that is
// behind it went back.
func (c *Cache) Newest(context.Context) (time.Time, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var newest time.Time
	for _, k := range c.kept {
		if k.asOf.After(newest) {
			newest = k.asOf
		}
	}
	return newest, nil
}

// encode returns the schedule without its age as JSON, the same for the same content.
func encode(s rooms.Schedule) ([]byte, error) {
	s.AsOf = time.Time{}
	s.From, s.To = s.From.UTC(), s.To.UTC()
	all := make([]rooms.Reservation, len(s.Reservations))
	for i, r := range s.Reservations {
		r.Start, r.End = r.Start.UTC(), r.End.UTC()
		all[i] = r
	}
	s.Reservations = all
	body, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encoding: %w", err)
	}
	return body, nil
}

func decode(body []byte) (rooms.Schedule, error) {
	var s rooms.Schedule
	if err := json.Unmarshal(body, &s); err != nil {
		return rooms.Schedule{}, fmt.Errorf("decoding: %w", err)
	}
	return s, nil
}

// toMicro cuts an instant to what a column holds.
func toMicro(t time.Time) time.Time { return instant(t.UnixMicro()) }
