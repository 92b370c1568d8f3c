package store

import (
	"database/sql"
	"fmt"
	"time"
)

const selectPrunable = `
SELECT max(seq)
FROM (
    SELECT seq
    FROM actions
    WHERE seq > ?1
    AND open = 0
    AND expires_at < ?2
    AND updated_at < ?2
    ORDER BY seq
    LIMIT ?3
)`

const deletePrunable = `
DELETE FROM actions
WHERE seq > ?1
AND seq <= ?3
AND open = 0
AND expires_at < ?2
AND updated_at < ?2`

// Prune deletes the actions that are no longer open and expired, and last changed, before the given
// instant, adds the history before it up in counts, and deletes the counts of days more than 400 days
// before it. It writes nothing when there are none. Taps can be recorded meanwhile.
func (j *Journal) Prune(before time.Time) error {
	for _, prune := range []func(time.Time) error{j.pruneActions, j.foldHistory, j.pruneCounts} {
		if err := prune(before); err != nil {
			return err
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.db.standIn {
		j.held = count(j.db)
	}
	return nil
}

func (j *Journal) pruneActions(before time.Time) error {
	limit := before.UnixMicro()
	for after := int64(0); ; {
		var last sql.NullInt64
		err := j.look(func(db *database) error { return db.read.QueryRow(selectPrunable, after, limit, batch).Scan(&last) })
		if err != nil {
			return fmt.Errorf("finding old actions: %w", err)
		}
		if !last.Valid {
			return nil
		}
		err = j.change(func(tx *sql.Tx) error {
			_, err := tx.Exec(deletePrunable, after, limit, last.Int64)
			return err
		})
		if err != nil {
			return fmt.Errorf("pruning old actions: %w", err)
		}
		after = last.Int64
	}
}
