package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"roomkiosk/internal/rooms"
)

// Learned returns what was found out under that name, or [rooms.ErrNotFound].
func (j *Journal) Learned(ctx context.Context, name string) (string, error) {
	var value string
	err := j.db.read.QueryRowContext(ctx, "SELECT value FROM learned WHERE name = ?", name).Scan(&value)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", fmt.Errorf("reading what was learned of %s: %w", name, rooms.ErrNotFound)
	case err != nil:
		return "", fmt.Errorf("reading what was learned of %s: %w", name, named(j.db.path, err))
	}
	return value, nil
}

// Learn keeps what was found out under that name, for good. What is known already is not written.
func (j *Journal) Learn(name, value string) error {
	err := j.db.transact(func(tx *sql.Tx) error {
		_, err := tx.Exec(`
INSERT INTO learned (name, value)
VALUES (?, ?)
ON CONFLICT (name) DO UPDATE
SET value = excluded.value
WHERE value <> excluded.value`, name, value)
		return err
	})
	if err != nil {
		return fmt.Errorf("writing what was learned of %s: %w", name, named(j.db.path, err))
	}
	return nil
}
