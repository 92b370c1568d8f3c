package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"roomkiosk/internal/rooms"
	"roomkiosk/migrations"
)

var _ rooms.Journal = (*Journal)(nil)

// Journal is the file of taps. It is safe for concurrent use.
type Journal struct{ db *database }

// OpenJournal opens the journal, or makes a new one where there is no file. It fails with a
// [NewerSchemaError] or a [CorruptError], among others, and leaves the file as it is in both cases.
func OpenJournal(path string) (*Journal, error) {
	db, err := open(path, syncAtOnce, patience, migrations.Journal())
	if err != nil {
		return nil, fmt.Errorf("opening journal %s: %w", path, err)
	}
	return &Journal{db: db}, nil
}

// Close closes the file. What was recorded is on the disk already.
func (j *Journal) Close() error {
	if err := j.db.close(); err != nil {
		return fmt.Errorf("closing journal: %w", err)
	}
	return nil
}

// Check proves that the journal answers, for a watchdog.
func (j *Journal) Check(ctx context.Context) error { return j.db.check(ctx) }

const recordAction = `
INSERT INTO actions (
    id, room, kind, reservation, event_id, change_key, resource_email, calendar_id,
    starts_at, ends_at, origin, tapped_at,
    state, open, reason, due_at, expires_at, attempts, updated_at
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE
SET state = excluded.state,
    open = excluded.open,
    reason = excluded.reason,
    due_at = excluded.due_at,
    expires_at = excluded.expires_at,
    attempts = excluded.attempts,
    updated_at = excluded.updated_at
WHERE (state, open, reason, due_at, expires_at, attempts, updated_at)
IS NOT (excluded.state, excluded.open, excluded.reason, excluded.due_at, excluded.expires_at,
    excluded.attempts, excluded.updated_at)`

// Record writes the actions as they are now, all or none, and returns when they have reached the
// disk. Of an action that is known it updates state, reason, due and expiry instants, attempts and
// the instant of the update; what the person tapped stays as it was first recorded.
func (j *Journal) Record(actions ...rooms.Action) error {
	if len(actions) == 0 {
		return nil
	}
	err := j.db.transact(func(tx *sql.Tx) error {
		for _, a := range actions {
			if _, err := tx.Exec(recordAction, columns(a)...); err != nil {
				return fmt.Errorf("writing %s %s: %w", a.Kind, a.ID, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("recording %d actions: %w", len(actions), named(j.db.path, err))
	}
	return nil
}

func columns(a rooms.Action) []any {
	due := sql.NullInt64{Int64: a.DueAt.UnixMicro(), Valid: !a.DueAt.IsZero()}
	return []any{
		a.ID, a.Room, a.Kind, a.Reservation, a.Ref.EventID, a.Ref.ChangeKey, a.Ref.ResourceEmail, a.Ref.CalendarID,
		a.Start.UnixMicro(), a.End.UnixMicro(), a.Origin, a.TappedAt.UnixMicro(),
		a.State, a.State.Open(), a.Reason, due, a.ExpiresAt.UnixMicro(), a.Attempts, a.UpdatedAt.UnixMicro(),
	}
}

// Two searches instead of one OR: each is a range of the index actions_of_room.
const selectActions = `
SELECT
    seq, id, room, kind, reservation, event_id, change_key, resource_email, calendar_id,
    starts_at, ends_at, origin, tapped_at,
    state, reason, due_at, expires_at, attempts, updated_at
FROM actions
WHERE room = ?1
AND open = 1
UNION ALL
SELECT
    seq, id, room, kind, reservation, event_id, change_key, resource_email, calendar_id,
    starts_at, ends_at, origin, tapped_at,
    state, reason, due_at, expires_at, attempts, updated_at
FROM actions
WHERE room = ?1
AND open = 0
AND expires_at > ?2
ORDER BY tapped_at, seq`

// ActionsOf returns the actions of a room that are open, or that expire after since, in the
// order of their taps.
func (j *Journal) ActionsOf(ctx context.Context, room string, since time.Time) ([]rooms.Action, error) {
	actions, err := j.actionsOf(ctx, room, since)
	if err != nil {
		return nil, fmt.Errorf("reading actions of %s: %w", room, named(j.db.path, err))
	}
	return actions, nil
}

func (j *Journal) actionsOf(ctx context.Context, room string, since time.Time) ([]rooms.Action, error) {
	rows, err := j.db.read.QueryContext(ctx, selectActions, room, since.UnixMicro())
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var actions []rooms.Action
	for rows.Next() {
		a, err := scanAction(rows)
		if err != nil {
			return nil, err
		}
		actions = append(actions, a)
	}
	return actions, rows.Err()
}

func scanAction(rows *sql.Rows) (rooms.Action, error) {
	var (
		a                                           rooms.Action
		seq, starts, ends, tapped, expires, updated int64
		due                                         sql.NullInt64
	)
	err := rows.Scan(
		&seq, &a.ID, &a.Room, &a.Kind, &a.Reservation, &a.Ref.EventID, &a.Ref.ChangeKey, &a.Ref.ResourceEmail, &a.Ref.CalendarID,
		&starts, &ends, &a.Origin, &tapped,
		&a.State, &a.Reason, &due, &expires, &a.Attempts, &updated,
	)
	if err != nil {
		return rooms.Action{}, err
	}
	a.Start, a.End, a.TappedAt = instant(starts), instant(ends), instant(tapped)
	a.ExpiresAt, a.UpdatedAt = instant(expires), instant(updated)
	if due.Valid {
		a.DueAt = instant(due.Int64)
	}
	return a, nil
}

// Newest returns the newest instant that the journal holds; zero when it is empty. A clock that is
// behind it went back.
func (j *Journal) Newest(ctx context.Context) (time.Time, error) {
	var newest sql.NullInt64
	row := j.db.read.QueryRowContext(ctx, `
SELECT max(max(tapped_at, updated_at))
FROM actions`)
	if err := row.Scan(&newest); err != nil {
		return time.Time{}, fmt.Errorf("reading newest instant of the journal: %w", named(j.db.path, err))
	}
	if !newest.Valid {
		return time.Time{}, nil
	}
	return instant(newest.Int64), nil
}
