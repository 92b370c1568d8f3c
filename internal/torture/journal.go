package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "github.com/mattn/go-sqlite3" // the driver

	"roomkiosk/internal/rooms"
)

// row is an action as the journal has it.
type row struct {
	id, reservation, event   string
	kind                     rooms.ActionKind
	state                    rooms.ActionState
	reason                   string
	tapped, updated, expires time.Time
	attempts                 int
}

// copyDatabase copies a database that nobody has open, with its log. The kiosk's own files are left
// for the kiosk to recover: whoever opens them does that.
func copyDatabase(path, to string) error {
	for _, suffix := range []string{"", "-wal"} {
		err := copyFile(path+suffix, to+suffix)
		if suffix != "" && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("copying %s: %w", filepath.Base(path), err)
		}
	}
	return nil
}

// copyFolder copies the files of a folder, but for those that mean nothing without the process that had
// them open.
func copyFolder(from, to string) error {
	files, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, f := range files {
		if f.Type().IsRegular() && !strings.HasSuffix(f.Name(), "-shm") {
			if err := copyFile(filepath.Join(from, f.Name()), filepath.Join(to, f.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// integrity is what SQLite says of a database: "ok".
func integrity(ctx context.Context, path string) (string, error) {
	db, err := sql.Open("sqlite3", "file:"+path)
	if err != nil {
		return "", fmt.Errorf("opening %s: %w", filepath.Base(path), err)
	}
	defer db.Close()
	var said string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&said); err != nil {
		return "", fmt.Errorf("checking %s: %w", filepath.Base(path), err)
	}
	return said, nil
}

// readJournal returns the actions in a copy of a journal, by id.
func readJournal(ctx context.Context, path string) (map[string]row, error) {
	db, err := sql.Open("sqlite3", "file:"+path)
	if err != nil {
		return nil, fmt.Errorf("opening the journal: %w", err)
	}
	defer db.Close()
	found, err := db.QueryContext(ctx, `
SELECT id, reservation, event_id, kind, state, reason, tapped_at, updated_at, expires_at, attempts
FROM actions`)
	if err != nil {
		return nil, fmt.Errorf("reading the journal: %w", err)
	}
	defer found.Close()
	rows := map[string]row{}
	for found.Next() {
		var r row
		var tapped, updated, expires int64
		if err := found.Scan(&r.id, &r.reservation, &r.event, &r.kind, &r.state, &r.reason, &tapped, &updated, &expires, &r.attempts); err != nil {
			return nil, fmt.Errorf("reading the journal: %w", err)
		}
		r.tapped, r.updated, r.expires = time.UnixMicro(tapped), time.UnixMicro(updated), time.UnixMicro(expires)
		rows[r.id] = r
	}
	return rows, found.Err()
}

// readable are the rows that can be read one by one off a copy of a journal, in whatever state it is:
// all that was tapped, by id. Those whose state makes no sense any more aren't counted. What can't be read at all has none.
func readable(ctx context.Context, path string, most int) map[string]string {
	rows := map[string]string{}
	db, err := sql.Open("sqlite3", "file:"+path)
	if err != nil {
		return rows
	}
	defer db.Close()
	db.SetMaxOpenConns(1)                                                         // the pragma is the connection's
	if _, err := db.ExecContext(ctx, "PRAGMA writable_schema = ON"); err != nil { // else a file that was cut isn't read at all
		return rows
	}
	for seq := 1; seq <= most; seq++ {
		var id, all string
		row := db.QueryRowContext(ctx, `
SELECT id, concat_ws(char(0), room, kind, reservation, event_id, change_key, resource_email, calendar_id,
    starts_at, ends_at, origin, tapped_at, expires_at)
FROM actions
WHERE seq = ?
AND state IN ('held', 'queued', 'sent', 'accepted', 'confirmed')
AND open IN (0, 1)
AND reason = ''
AND attempts BETWEEN 0 AND 9
AND abs(updated_at - tapped_at) < 86400000000`, seq)
		if err := row.Scan(&id, &all); err == nil {
			rows[id] = all
		}
	}
	return rows
}
