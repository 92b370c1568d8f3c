package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"roomkiosk/internal/rooms"
)

const selectLearned = `
SELECT value
FROM learned
WHERE name = ?`

const upsertLearned = `
INSERT INTO learned (name, value)
VALUES (?, ?)
ON CONFLICT (name) DO UPDATE
SET value = excluded.value
WHERE value <> excluded.value`

// Learned returns what was found out under that name, or [rooms.ErrNotFound].
func (j *Journal) Learned(ctx context.Context, name string) (string, error) {
	var value string
	err := j.look(func(db *database) error { return db.read.QueryRowContext(ctx, selectLearned, name).Scan(&value) })
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", fmt.Errorf("reading what was learned of %s: %w", name, rooms.ErrNotFound)
	case err != nil:
		return "", fmt.Errorf("reading what was learned of %s: %w", name, err)
	}
	return value, nil
}

// Learn keeps what was found out under that name, for good. What is known already is not written.
func (j *Journal) Learn(name, value string) error {
	err := j.change(func(tx *sql.Tx) error {
		_, err := tx.Exec(upsertLearned, name, value)
		return err
	})
	if err != nil {
		return fmt.Errorf("writing what was learned of %s: %w", name, err)
	}
	return nil
}
