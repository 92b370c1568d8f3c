package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mattn/go-sqlite3"

	"roomkiosk/internal/rooms"
)

const (
	probes     = 100_000         // row ids that are tried, one by one, in a stretch that no search gets through
	probingFor = 5 * time.Second // from the start: a card that wears out may take seconds for each
	carvingFor = 8 * time.Second // from the start: from then on a block that can't be read costs its neighbours
)

// errImplausible means that a row can't be what was written.
var errImplausible = errors.New("a row that can't be right")

// found is what could be read of a journal.
type found struct {
	actions map[string]numbered // by id
	learned map[string]string
	history []rooms.Happening
	counts  []rooms.Count
	refused int // rows that can't be right

	now   func() time.Time // nil: there is time enough
	began time.Time
}

// late tells whether that much time has gone by.
func (f *found) late(after time.Duration) bool { return f.now != nil && f.now().Sub(f.began) >= after }

// unnumbered is the place of an action whose row is lost: after all others.
const unnumbered = math.MaxInt64

// numbered is an action with its place in the order of insertion.
type numbered struct {
	rooms.Action
	seq    int64
	carved bool // found in a page, maybe an old one, and not by a query
}

// add takes an action unless it can't be right, or is known: what was read counts more than what was
// carved, of which the newest counts. The clock that dated them may have been set back in between.
func (f *found) add(a numbered) {
	if !plausible(a.Action) {
		f.refused++
		return
	}
	if known, ok := f.actions[a.ID]; ok {
		if a.carved && !known.carved || a.carved == known.carved && !a.UpdatedAt.After(known.UpdatedAt) {
			return
		}
		a.seq = known.seq
	}
	f.actions[a.ID] = a
}

// ordered returns the actions in the order of their insertion.
func (f *found) ordered() []rooms.Action {
	all := slices.SortedFunc(maps.Values(f.actions), func(a, b numbered) int {
		return cmp.Or(cmp.Compare(a.seq, b.seq), a.TappedAt.Compare(b.TappedAt), strings.Compare(a.ID, b.ID))
	})
	actions := make([]rooms.Action, len(all))
	for i, a := range all {
		actions[i] = a.Action
	}
	return actions
}

// plausible tells whether an action may be what was recorded, as far as a row can be checked by itself.
func plausible(a rooms.Action) bool {
	switch a.State {
	case rooms.Held, rooms.Queued, rooms.Sent, rooms.Accepted, rooms.Confirmed,
		rooms.Failed, rooms.Expired, rooms.Undone, rooms.Superseded:
	default:
		return false
	}
	for _, text := range []string{
		a.ID, a.Room, a.Reservation, a.Ref.EventID, a.Ref.ChangeKey, a.Ref.ResourceEmail, a.Ref.CalendarID, a.Origin, string(a.Reason),
	} {
		if !utf8.ValidString(text) {
			return false
		}
	}
	return a.ID != "" && a.Room != "" && word(string(a.Kind)) && a.Attempts >= 0
}

// word tells whether s looks like one of the domain's words, which newer kiosks may have more of.
func word(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz_") == ""
}

// salvage reads what it can of the journal at path, which nothing else in this process has open. It
// changes nothing. What it can't read it leaves out, but for a [NewerSchemaError]: of what a newer
// kiosk wrote, it can't know what matters. What takes too long by the clock now it leaves out, too.
func salvage(path string, known int64, now func() time.Time) (*found, error) {
	f := &found{actions: map[string]numbered{}, learned: map[string]string{}, now: now, began: now()}
	db, done, err := openSource(path)
	if err == nil {
		defer done()
		var have sql.NullInt64
		version := db.QueryRow("SELECT max(version_id) FROM goose_db_version")
		if err := version.Scan(&have); err == nil && have.Int64 > known {
			return f, &NewerSchemaError{Path: path, Have: have.Int64, Known: known}
		}
		f.readAll(db)
		done()
	}
	carve(path, f)
	return f, nil
}

// openSource opens a database to read it, whatever can't be done: beside one that was in use when it
// was last closed SQLite wants to write, so where it can't, a copy is read. An empty file isn't opened: SQLite would
// delete its log. done can be called twice.
func openSource(path string) (*sql.DB, func(), error) {
	if info, err := os.Stat(path); err != nil {
		return nil, nil, fmt.Errorf("looking at the file: %w", err)
	} else if info.Size() == 0 {
		return nil, nil, &CorruptError{Path: path, Detail: "it is empty"}
	}
	log, err := os.Stat(path + "-wal")
	logged := err == nil && log.Size() > 0
	plain := func() (*sql.DB, func(), error) { return tryRead(path, url.Values{"mode": {"ro"}}) }
	still := func() (*sql.DB, func(), error) { return tryRead(path, url.Values{"mode": {"ro"}, "immutable": {"1"}}) }
	ways := []func() (*sql.DB, func(), error){still, plain}
	if logged {
		ways = []func() (*sql.DB, func(), error){plain, func() (*sql.DB, func(), error) { return readCopy(path) }, still}
	}
	var errs error
	for _, way := range ways {
		db, done, err := way()
		if err == nil || isCorrupt(err) {
			return db, done, err
		}
		errs = errors.Join(errs, err)
	}
	return nil, nil, errs
}

func tryRead(path string, options url.Values) (*sql.DB, func(), error) {
	options["_query_only"] = []string{"on"}
	options["_busy_timeout"] = []string{millis(patience)}
	db := sql.OpenDB(newConnector(path, options))
	db.SetMaxOpenConns(1)
	var tables int
	if err := db.QueryRow("SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("reading %s: %w", path, err), db.Close())
	}
	return db, func() { _ = db.Close() }, nil
}

// readCopy opens a copy of the database and its log, in a folder that done deletes.
func readCopy(path string) (*sql.DB, func(), error) {
	dir, err := os.MkdirTemp("", "kiosk-")
	if err != nil {
		return nil, nil, fmt.Errorf("making a folder for a copy: %w", err)
	}
	drop := func() { _ = os.RemoveAll(dir) }
	to := filepath.Join(dir, "copy.db")
	if err := errors.Join(copyFile(path, to), copyFile(path+"-wal", to+"-wal")); err != nil {
		drop()
		return nil, nil, err
	}
	db, done, err := tryRead(to, url.Values{})
	if err != nil {
		drop()
		return nil, nil, err
	}
	return db, func() { done(); drop() }, nil
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, owner)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// readAll reads every table of the journal. Those that a database of an older version doesn't have
// are empty.
func (f *found) readAll(db *sql.DB) {
	f.readActions(db)
	f.readTable(db, "history", historyColumns, func(row scanner) (int64, error) {
		h, seq, err := scanHappening(row)
		if err == nil && (h.Room == "" || !word(string(h.What))) {
			err = errImplausible
		}
		if err == nil {
			f.history = append(f.history, h)
		}
		return seq, err
	})
	slices.SortStableFunc(f.history, func(a, b rooms.Happening) int { return a.At.Compare(b.At) })
	f.readTable(db, "learned", "rowid, name, value", func(row scanner) (int64, error) {
		var seq int64
		var name, value string
		err := row.Scan(&seq, &name, &value)
		if err == nil && name != "" {
			f.learned[name] = value
		}
		return seq, err
	})
	f.readTable(db, "counts", "rowid, room, day, what, cause, times, spent", func(row scanner) (int64, error) {
		c, seq, err := scanCount(row)
		if err == nil && (c.Room == "" || !word(string(c.What)) || c.Times < 1) {
			err = errImplausible
		}
		if err == nil {
			f.counts = append(f.counts, c)
		}
		return seq, err
	})
}

func (f *found) readActions(db *sql.DB) {
	f.readTable(db, "actions", actionColumns, func(row scanner) (int64, error) {
		a, seq, err := scanAction(row)
		if err == nil {
			f.add(numbered{Action: a, seq: seq})
		}
		return seq, err
	})
}

// scanner is a row.
type scanner interface{ Scan(into ...any) error }

// readTable reads the rows that can be read: upwards from the first until a page can't be read,
// downwards from the last likewise, and what is between one by one, while there is time. take returns
// the row's id, also when it fails. Rows that it can't take are counted.
func (f *found) readTable(db *sql.DB, table, columns string, take func(scanner) (int64, error)) {
	query := "SELECT " + columns + " FROM " + table
	low, up, err := f.readOn(db, query+" WHERE rowid > ? ORDER BY rowid", 0, take)
	if err == nil || hasCode(err, sqlite3.ErrError) { // all, or there is no such table
		return
	}
	high, down, _ := f.readOn(db, query+" WHERE rowid > ? ORDER BY rowid DESC", low, take)
	switch {
	case !up && !down:
		return // no end to hold on to
	case !down:
		high = low + probes
	case !up:
		low = max(0, high-probes)
	}
	one, err := db.Prepare(query + " WHERE rowid = ?")
	if err != nil {
		return
	}
	defer func() { _ = one.Close() }()
	for id := low + 1; id < min(high, low+probes) && !f.late(probingFor); id++ {
		if _, err := take(one.QueryRow(id)); err != nil && !errors.Is(err, sql.ErrNoRows) && !isCorrupt(err) {
			f.refused++
		}
	}
}

// readOn reads rows until the end or a page that can't be read, and returns the id of the last and
// whether there was any.
func (f *found) readOn(db *sql.DB, query string, after int64, take func(scanner) (int64, error)) (int64, bool, error) {
	last, some := after, false
	rows, err := db.QueryContext(context.Background(), query, after)
	if err != nil {
		return last, some, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		seq, err := take(rows)
		if err != nil {
			f.refused++
		}
		if seq != 0 {
			last, some = seq, true
		}
	}
	return last, some, rows.Err()
}
