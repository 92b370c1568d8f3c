package store

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"roomkiosk/internal/rooms"
	"roomkiosk/migrations"
)

var _ rooms.Journal = (*Journal)(nil)

// Journal is the file of taps. It is safe for concurrent use.
type Journal struct {
	path    string
	log     *slog.Logger
	clock   rooms.Clock
	strict  bool // leaves a damaged file as it is
	health  health
	ballast ballast
	notes   notes

	seen seen

	mu     sync.Mutex    // held by whoever writes, or changes what follows
	opened chan struct{} // the file was opened anew
	tried  time.Time     // when it was last tried to open the file again
	why    error         // why it can't be written
	held   holding

	gate sync.RWMutex // held by whoever uses db, and by whoever replaces it, who holds mu too
	db   *database
}

// JournalConfig is what a journal needs. No field may be empty.
type JournalConfig struct {
	Path  string
	Log   *slog.Logger
	Clock rooms.Clock // dates what is set aside, and paces what is tried again
}

// KeepJournal opens the journal and keeps it going whatever happens to its file, as the package
// promises. It fails with a [NewerSchemaError], or when another process keeps the file locked, which
// the caller makes sure of beforehand: a file is replaced under whoever else has it open. Health
// tells what else is wrong. Tend has to be called every minute or so.
func KeepJournal(cfg JournalConfig) (*Journal, error) {
	path, err := filepath.Abs(cfg.Path)
	if err != nil {
		return nil, fmt.Errorf("finding the working directory: %w", err)
	}
	j := newJournalAt(path, cfg.Log)
	j.clock = cfg.Clock
	if err := j.start(); err != nil {
		return nil, fmt.Errorf("opening journal %s: %w", path, err)
	}
	return j, nil
}

// OpenJournal opens the journal, or makes a new one where there is no file. It is for whoever looks
// at a journal: it fails with a [NewerSchemaError] or a [CorruptError], among others, leaves the file
// as it is in both cases, and later too: damage is an error then, and so is a full disk.
func OpenJournal(path string) (*Journal, error) {
	j := newJournalAt(path, slog.New(slog.DiscardHandler))
	j.strict = true
	db, err := open(path, syncAtOnce, patience, migrations.Journal())
	if err != nil {
		return nil, fmt.Errorf("opening journal %s: %w", path, err)
	}
	j.path, j.db = db.path, db
	return j, nil
}

func newJournalAt(path string, log *slog.Logger) *Journal {
	return &Journal{
		path: path, log: log, health: health{log: log}, ballast: ballast{filepath.Join(filepath.Dir(path), "ballast")},
		notes: newNotes(), seen: seen{actions: map[string]rooms.Action{}}, opened: make(chan struct{}, 1),
	}
}

// Close closes the file. What was recorded is on the disk already.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.db.close(); err != nil {
		return fmt.Errorf("closing journal: %w", err)
	}
	return nil
}

// Check proves that the journal answers, for a watchdog. A journal that is being mended, or can't be
// written, is nothing that a restart would help.
func (j *Journal) Check(ctx context.Context) error {
	if !j.gate.TryRLock() {
		return nil
	}
	db := j.db
	err := db.check(ctx)
	j.gate.RUnlock()
	if err != nil && !j.strict && isCorrupt(err) {
		j.mendAfter(db, err)
		return nil
	}
	return err
}

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
	j.mu.Lock()
	defer j.mu.Unlock()
	err := j.changeLocked(forTap, func(tx *sql.Tx) error { return insertActions(tx, actions) })
	if err != nil {
		return fmt.Errorf("recording %d actions: %w", len(actions), err)
	}
	j.held.taps += j.seen.remember(actions)
	return nil
}

func insertActions(tx *sql.Tx, actions []rooms.Action) error {
	for _, a := range actions {
		if _, err := tx.Exec(recordAction, columns(a)...); err != nil {
			return fmt.Errorf("writing %s %s: %w", a.Kind, a.ID, err)
		}
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

const actionColumns = `
    seq, id, room, kind, reservation, event_id, change_key, resource_email, calendar_id,
    starts_at, ends_at, origin, tapped_at,
    state, reason, due_at, expires_at, attempts, updated_at`

// Two searches instead of one OR: each is a range of the index actions_of_room.
const selectActions = `
SELECT` + actionColumns + `
FROM actions
WHERE room = ?1
AND open = 1
UNION ALL
SELECT` + actionColumns + `
FROM actions
WHERE room = ?1
AND open = 0
AND expires_at > ?2
ORDER BY tapped_at, seq`

// ActionsOf returns the actions of a room that are open, or that expire after since, in the
// order of their taps.
func (j *Journal) ActionsOf(ctx context.Context, room string, since time.Time) ([]rooms.Action, error) {
	var actions []rooms.Action
	err := j.look(func(db *database) (err error) {
		actions, err = readActionsOf(ctx, db, room, since)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading actions of %s: %w", room, err)
	}
	j.seen.learn(actions)
	return actions, nil
}

func readActionsOf(ctx context.Context, db *database, room string, since time.Time) ([]rooms.Action, error) {
	rows, err := db.read.QueryContext(ctx, selectActions, room, since.UnixMicro())
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var actions []rooms.Action
	for rows.Next() {
		a, _, err := scanAction(rows)
		if err != nil {
			return nil, err
		}
		actions = append(actions, a)
	}
	return actions, rows.Err()
}

// scanAction reads a row of actionColumns, and its seq, also of a row that is of no use otherwise.
func scanAction(row scanner) (rooms.Action, int64, error) {
	var (
		a                                           rooms.Action
		seq, starts, ends, tapped, expires, updated int64
		due                                         sql.NullInt64
	)
	err := row.Scan(
		&seq, &a.ID, &a.Room, &a.Kind, &a.Reservation, &a.Ref.EventID, &a.Ref.ChangeKey, &a.Ref.ResourceEmail, &a.Ref.CalendarID,
		&starts, &ends, &a.Origin, &tapped,
		&a.State, &a.Reason, &due, &expires, &a.Attempts, &updated,
	)
	if err != nil {
		return rooms.Action{}, seq, err
	}
	a.Start, a.End, a.TappedAt = instant(starts), instant(ends), instant(tapped)
	a.ExpiresAt, a.UpdatedAt = instant(expires), instant(updated)
	if due.Valid {
		a.DueAt = instant(due.Int64)
	}
	return a, seq, nil
}

const selectNewest = `
SELECT max(newest)
FROM (
    SELECT max(max(tapped_at, updated_at)) AS newest
    FROM actions
    UNION ALL
    SELECT max(at)
    FROM history
)`

// Newest returns the newest instant that the journal holds; zero when it is empty. A clock that is
// behind it went back.
func (j *Journal) Newest(ctx context.Context) (time.Time, error) {
	var newest sql.NullInt64
	err := j.look(func(db *database) error { return db.read.QueryRowContext(ctx, selectNewest).Scan(&newest) })
	if err != nil {
		return time.Time{}, fmt.Errorf("reading newest instant of the journal: %w", err)
	}
	if !newest.Valid {
		return time.Time{}, nil
	}
	return instant(newest.Int64), nil
}
