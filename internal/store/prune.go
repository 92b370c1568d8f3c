package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// pruneBatch is how many rows go in one transaction: a tap waits no longer than that takes.
const pruneBatch = 500

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

// Prune deletes the actions that are no longer open and expired, and last changed, before the given instant. It
// writes nothing when there are none. Taps can be recorded meanwhile.
func (j *Journal) Prune(before time.Time) error {
	limit := before.UnixMicro()
	for after := int64(0); ; {
		var last sql.NullInt64
		row := j.db.read.QueryRowContext(context.Background(), selectPrunable, after, limit, pruneBatch)
		if err := row.Scan(&last); err != nil {
			return fmt.Errorf("finding old actions: %w", named(j.db.path, err))
		}
		if !last.Valid {
			return nil
		}
		err := j.db.transact(func(tx *sql.Tx) error {
			_, err := tx.Exec(deletePrunable, after, limit, last.Int64)
			return err
		})
		if err != nil {
			return fmt.Errorf("pruning old actions: %w", named(j.db.path, err))
		}
		after = last.Int64
	}
}
