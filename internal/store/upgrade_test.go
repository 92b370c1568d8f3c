package store

import (
	"database/sql"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"roomkiosk/internal/rooms"
	"roomkiosk/migrations"
)

// -update writes the databases of earlier versions anew. Those of released versions never change.
var update = flag.Bool("update", false, "write testdata/journal-v*.sql where they are missing")

// versions is the versions of the journal's schema from which it is upgraded.
const versions = 2

func oldJournal(version int) string {
	return filepath.Join("testdata", fmt.Sprintf("journal-v%d.sql", version))
}

// upTo is the schema as it was at a version.
func upTo(t *testing.T, version int) fs.FS {
	t.Helper()
	files, err := fs.ReadDir(migrations.Journal(), ".")
	if err != nil {
		t.Fatal(err)
	}
	some := fstest.MapFS{}
	for _, f := range files[:version] {
		body, err := fs.ReadFile(migrations.Journal(), f.Name())
		if err != nil {
			t.Fatal(err)
		}
		some[f.Name()] = &fstest.MapFile{Data: body}
	}
	return some
}

// The actions in the databases of earlier versions.
func oldActions() []rooms.Action {
	var all []rooms.Action
	for i, state := range []rooms.ActionState{
		rooms.Held, rooms.Queued, rooms.Sent, rooms.Accepted, rooms.Confirmed,
		rooms.Failed, rooms.Expired, rooms.Undone, rooms.Superseded,
	} {
		a := action(fmt.Sprintf("old-%d", i))
		a.State, a.Attempts, a.UpdatedAt = state, i, start.Add(time.Duration(i)*time.Minute)
		if !state.Open() {
			a.DueAt = time.Time{}
		}
		if state == rooms.Failed {
			a.Kind, a.Reason, a.Reservation = rooms.Release, rooms.ReasonGone, "it's \"quoted\""
		}
		all = append(all, a)
	}
	return all
}

// TestOldJournalsAreThere makes, with -update, the SQL text of databases of earlier versions.
func TestOldJournalsAreThere(t *testing.T) {
	for version := 1; version <= versions; version++ {
		if exists(oldJournal(version)) {
			continue
		}
		if !*update {
			t.Errorf("%s is missing", oldJournal(version))
			continue
		}
		db, err := open(filepath.Join(t.TempDir(), "journal.db"), syncAtOnce, patience, upTo(t, version))
		if err != nil {
			t.Fatal(err)
		}
		if err := db.transact(func(tx *sql.Tx) error { return insertActions(tx, oldActions()) }); err != nil {
			t.Fatal(err)
		}
		if version >= 2 {
			if _, err := db.write.Exec(upsertLearned, "exchange_ids", "ews"); err != nil {
				t.Fatal(err)
			}
		}
		mustMkdir(t, "testdata")
		if err := os.WriteFile(oldJournal(version), []byte(dump(t, db)), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := db.close(); err != nil {
			t.Fatal(err)
		}
	}
}

// dump is a database as SQL.
func dump(t *testing.T, db *database) string {
	t.Helper()
	var text strings.Builder
	text.WriteString("PRAGMA journal_mode = WAL;\n")
	for _, object := range column(t, db, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rootpage") {
		text.WriteString(object + ";\n")
	}
	for _, table := range column(t, db, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rootpage") {
		quoted := strings.Join(column(t, db, "SELECT 'quote(' || name || ')' FROM pragma_table_info('"+table+"')"), " || ', ' || ")
		for _, row := range column(t, db, "SELECT "+quoted+" FROM "+table) {
			text.WriteString("INSERT INTO " + table + " VALUES (" + row + ");\n")
		}
	}
	return text.String()
}

func column(t *testing.T, db *database, query string) []string {
	t.Helper()
	rows, err := db.read.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var all []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func makeOld(t *testing.T, version int) string {
	t.Helper()
	text, err := os.ReadFile(oldJournal(version))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "journal.db")
	execOn(t, path, string(text))
	return path
}

// A journal of any earlier version keeps every row.
func TestUpgrade(t *testing.T) {
	for version := 1; version <= versions; version++ {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			k := keep(t, makeOld(t, version))
			if got := k.Health(); len(got) > 0 {
				t.Fatalf("health %v", got)
			}
			if diff := cmp.Diff(oldActions(), actionsOf(t, k.Journal, "ada", time.Time{})); diff != "" {
				t.Error(diff)
			}
			if version >= 2 {
				if got, err := k.Learned(t.Context(), "exchange_ids"); err != nil || got != "ews" {
					t.Error(got, err)
				}
			}
			k.Note(happening("ada", 0))
			if err := k.flush(); err != nil {
				t.Error(err)
			}
			checkGoesOn(t, k)
		})
	}
}

// So does a damaged one.
func TestSalvageOfAnEarlierVersion(t *testing.T) {
	for version := 1; version <= versions; version++ {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			path := makeOld(t, version)
			zero(t, path, 0, pageSize)
			k := keep(t, path)
			if diff := cmp.Diff(oldActions(), actionsOf(t, k.Journal, "ada", time.Time{})); diff != "" {
				t.Error(diff)
			}
			checkGoesOn(t, k)
		})
	}
}

// What the kiosk of version 1 asked of its journal: it may have to do with one of today.
const (
	recordOfVersion1 = `
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

	selectOfVersion1 = `
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

	pruneOfVersion1 = `
DELETE FROM actions
WHERE seq > ?1
AND seq <= ?3
AND open = 0
AND expires_at < ?2
AND updated_at < ?2`

	newestOfVersion1 = `
SELECT max(max(tapped_at, updated_at))
FROM actions`
)

func TestEarlierKioskOnThisSchema(t *testing.T) {
	j := newJournal(t)
	record(t, j, oldActions()...)
	changed := oldActions()[1]
	changed.State, changed.UpdatedAt = rooms.Confirmed, start.Add(time.Hour)
	if _, err := j.db.write.Exec(recordOfVersion1, columns(changed)...); err != nil {
		t.Error(err)
	}
	if _, err := j.db.write.Exec(recordOfVersion1, columns(action("new"))...); err != nil {
		t.Error(err)
	}
	want := append(slices.Clone(oldActions()), action("new"))
	want[1] = changed
	rows, err := j.db.read.Query(selectOfVersion1, "ada", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var got []rooms.Action
	for rows.Next() {
		a, _, err := scanAction(rows)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, a)
	}
	if diff := cmp.Diff(want, got); diff != "" || rows.Err() != nil {
		t.Error(diff, rows.Err())
	}
	if got := instant(ask[int64](t, j.db.read, newestOfVersion1)); !got.Equal(changed.UpdatedAt) {
		t.Errorf("newest %v", got)
	}
	if _, err := j.db.write.Exec(pruneOfVersion1, 0, start.AddDate(1, 0, 0).UnixMicro(), 1000); err != nil {
		t.Error(err)
	}
}
