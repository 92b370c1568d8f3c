package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"roomkiosk/internal/rooms"
)

// trace is what writing leaves behind.
type trace struct {
	Changes  int // rows, over the life of the writing connection
	Size     int64
	Modified time.Time
	LogSize  int64
	Logged   time.Time
}

func footprint(t *testing.T, d *database) trace {
	t.Helper()
	file, err := os.Stat(d.path)
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.Stat(d.path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	return trace{
		Changes: ask[int](t, d.write, "SELECT total_changes()"),
		Size:    file.Size(), Modified: file.ModTime(), LogSize: log.Size(), Logged: log.ModTime(),
	}
}

type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func ask[T any](t *testing.T, q querier, query string) T {
	t.Helper()
	var answer T
	if err := q.QueryRowContext(t.Context(), query).Scan(&answer); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return answer
}

// connections returns as many connections of the pool as it may open at once.
func connections(t *testing.T, pool *sql.DB) []*sql.Conn {
	t.Helper()
	var all []*sql.Conn
	for range pool.Stats().MaxOpenConnections {
		conn, err := pool.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		all = append(all, conn)
	}
	return all
}

func TestEveryConnectionIsSetUp(t *testing.T) {
	dir := t.TempDir()
	j, c := openJournal(t, filepath.Join(dir, "journal.db")), openCache(t, filepath.Join(dir, "cache.db"))
	pools := []struct {
		name    string
		pool    *sql.DB
		count   int
		pragmas map[string]string
	}{
		{"journal, writing", j.db.write, 1, map[string]string{"synchronous": "2", "foreign_keys": "1", "query_only": "0"}},
		{"cache, writing", c.db.Load().write, 1, map[string]string{"synchronous": "1", "foreign_keys": "1", "query_only": "0"}},
		{"journal, reading", j.db.read, readers, map[string]string{"query_only": "1"}},
		{"cache, reading", c.db.Load().read, readers, map[string]string{"query_only": "1"}},
	}
	common := map[string]string{
		"journal_mode": "wal", "journal_size_limit": fmt.Sprint(walLimit), "busy_timeout": "5000",
		"cache_size": pageCache, "cell_size_check": "1",
	}
	for _, p := range pools {
		conns := connections(t, p.pool)
		if len(conns) != p.count {
			t.Errorf("%s: %d connections, want %d", p.name, len(conns), p.count)
		}
		for _, conn := range conns {
			for _, want := range []map[string]string{common, p.pragmas} {
				for pragma, value := range want {
					if got := ask[string](t, conn, "PRAGMA "+pragma); got != value {
						t.Errorf("%s: %s is %s, want %s", p.name, pragma, got, value)
					}
				}
			}
		}
	}
}

func TestReadersCannotWrite(t *testing.T) {
	j := newJournal(t)
	if _, err := j.db.read.Exec("DELETE FROM actions"); err == nil {
		t.Error("a reader wrote")
	}
}

// A transaction takes the write lock at its start. If it took it later, after a read, two could wait
// for each other, which no busy timeout solves. Whoever doesn't get the lock is told so.
func TestTransactionsLockAtOnce(t *testing.T) {
	j := newJournal(t)
	other := sql.OpenDB(newConnector(j.db.path, url.Values{"_txlock": {"immediate"}, "_busy_timeout": {"0"}}))
	defer func() { _ = other.Close() }()
	err := j.db.transact(func(*sql.Tx) error {
		_, err := other.Begin()
		return err
	})
	if !inUse(err) || isCorrupt(err) {
		t.Errorf("got %v", err)
	}
}

func TestConcurrentUse(t *testing.T) {
	j := newJournal(t)
	var wg sync.WaitGroup
	errs := make(chan error, 8)
	for g := range 8 {
		wg.Go(func() { errs <- useConcurrently(t.Context(), j, fmt.Sprintf("room-%d", g)) })
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
}

func useConcurrently(ctx context.Context, j *Journal, room string) error {
	for i := range 40 {
		a := action(fmt.Sprintf("%s-%d", room, i))
		a.Room = room
		if err := j.Record(a); err != nil {
			return err
		}
		a.State = rooms.Confirmed
		if err := j.Record(a); err != nil {
			return err
		}
		got, err := j.ActionsOf(ctx, room, time.Time{})
		if err != nil {
			return err
		}
		if len(got) != i+1 || got[i].State != rooms.Confirmed {
			return fmt.Errorf("%s: %d actions after %d taps", room, len(got), i+1)
		}
	}
	return nil
}

// Two processes, such as the server and a command, may have the journal open.
func TestTwoJournalsOnOneFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	a, b := openJournal(t, path), openJournal(t, path)
	var wg sync.WaitGroup
	errs := make(chan error, 2)
	wg.Go(func() { errs <- useConcurrently(t.Context(), a, "ada") })
	wg.Go(func() { errs <- useConcurrently(t.Context(), b, "bob") })
	wg.Wait()
	for range 2 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// The log is used anew after 1000 pages, and cut back after a transaction that needed more.
func TestLogStaysSmall(t *testing.T) {
	j := newJournal(t)
	for i := range 10 {
		var batch []rooms.Action
		for n := range 100 {
			batch = append(batch, action(fmt.Sprintf("small-%d-%d", i, n)))
		}
		for _, a := range batch {
			record(t, j, a)
		}
		actionsOf(t, j, "ada", start)
	}
	if got := footprint(t, j.db).LogSize; got > walLimit {
		t.Errorf("%d bytes after small transactions", got)
	}
	var large []rooms.Action
	for n := range 40_000 {
		large = append(large, action(fmt.Sprintf("large-%d", n)))
	}
	record(t, j, large...)
	if got := footprint(t, j.db).LogSize; got <= walLimit {
		t.Fatalf("%d bytes after a large transaction: it proves nothing", got)
	}
	record(t, j, action("after"))
	if got := footprint(t, j.db).LogSize; got > walLimit {
		t.Errorf("%d bytes after a large transaction and another", got)
	}
}

func TestOddPaths(t *testing.T) {
	for _, name := range []string{"with space.db", "quest?mode=ro.db", "hash#tag.db", "per%63ent.db", "a&b=c;d+e.db", "Zürich.db"} {
		path := filepath.Join(t.TempDir(), name)
		record(t, openJournal(t, path), action("a"))
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}

func TestFilesAreTheOwnersOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	record(t, openJournal(t, path), action("a"))
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != owner {
			t.Errorf("%s has mode %o", filepath.Base(path+suffix), got)
		}
	}
}

func TestJournalRefusesNewerSchema(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	j := openJournal(t, path)
	record(t, j, action("a"))
	if _, err := j.db.write.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)"); err != nil {
		t.Fatal(err)
	}
	_, err := OpenJournal(path)
	var newer *NewerSchemaError
	if !errors.As(err, &newer) {
		t.Fatalf("got %v", err)
	}
	if newer.Path != path || newer.Have != 9999 || newer.Known < 1 {
		t.Errorf("got %+v", newer)
	}
	if got := actionsOf(t, j, "ada", time.Time{}); len(got) != 1 {
		t.Errorf("%d actions left", len(got))
	}
}

func TestJournalReportsDamage(t *testing.T) {
	damages := map[string]func(t *testing.T, path string){
		"garbage":      func(t *testing.T, path string) { overwrite(t, path, 0, 1<<20) },
		"garbage page": func(t *testing.T, path string) { overwrite(t, path, 4096, 4096) },
		"truncated":    func(t *testing.T, path string) { truncate(t, path, 6000) },
		"no database":  func(t *testing.T, path string) { truncate(t, path, 0); overwrite(t, path, 0, 100) },
	}
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "journal.db")
			fill(t, path)
			damage(t, path)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			_, err = OpenJournal(path)
			var corrupt *CorruptError
			if !errors.As(err, &corrupt) || corrupt.Path != path || !strings.Contains(err.Error(), path) {
				t.Fatalf("got %v", err)
			}
			if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
				t.Errorf("the file was changed (%v)", err)
			}
		})
	}
}

// fill makes a journal of several pages, and closes it.
func fill(t *testing.T, path string) {
	t.Helper()
	j, err := OpenJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 200 {
		record(t, j, action(fmt.Sprint(i)))
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

func overwrite(t *testing.T, path string, at int64, n int) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if _, err := f.WriteAt([]byte(strings.Repeat("garbage!", n/8)), at); err != nil {
		t.Fatal(err)
	}
}

func truncate(t *testing.T, path string, size int64) {
	t.Helper()
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
}

func TestJournalWhereNoneCanBe(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{
		dir,
		filepath.Join(dir, "missing", "journal.db"),
		"/proc/journal.db",
	} {
		if j, err := OpenJournal(path); err == nil {
			t.Errorf("%s was opened", path)
			_ = j.Close()
		} else if !strings.Contains(err.Error(), path) {
			t.Errorf("%v doesn't name %s", err, path)
		}
	}
}

// With a full disk a tap fails, and nothing else; with room again, taps go on without a restart.
func TestFullDisk(t *testing.T) {
	j := newJournal(t)
	record(t, j, action("before"))
	pages := ask[int](t, j.db.write, "PRAGMA page_count")
	limit := func(pages int) { ask[int](t, j.db.write, fmt.Sprintf("PRAGMA max_page_count = %d", pages)) }
	limit(pages)
	var batch []rooms.Action
	for i := range 500 {
		batch = append(batch, action(fmt.Sprintf("full-%d", i)))
	}
	if err := j.Record(batch...); err == nil || !strings.Contains(err.Error(), "full") {
		t.Fatalf("got %v", err)
	}
	if got := idsOf(actionsOf(t, j, "ada", time.Time{})); len(got) != 1 {
		t.Errorf("half a batch stayed: %d actions", len(got))
	}
	if err := j.Check(t.Context()); err != nil {
		t.Error(err)
	}
	limit(1 << 30)
	record(t, j, batch...)
	if got := idsOf(actionsOf(t, j, "ada", time.Time{})); len(got) != 501 {
		t.Errorf("%d actions", len(got))
	}
}

func TestCheck(t *testing.T) {
	j := newJournal(t)
	if err := j.Check(t.Context()); err != nil {
		t.Error(err)
	}
	before := footprint(t, j.db)
	if err := j.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if after := footprint(t, j.db); after != before {
		t.Errorf("checking wrote: %+v, then %+v", before, after)
	}
	// The writing connection is stuck:
	tx, err := j.db.write.Begin()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := j.Check(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := j.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestSQLiteVersion(t *testing.T) {
	if got := SQLiteVersion(); !strings.HasPrefix(got, "3.") {
		t.Errorf("got %q", got)
	}
}
