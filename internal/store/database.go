package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/mattn/go-sqlite3"
	"github.com/pressly/goose/v3"
)

const (
	readers    = 2               // reads are short, and every connection costs memory
	walLimit   = 4 << 20         // bytes; a little more than the 1000 pages after which SQLite checkpoints
	patience   = 5 * time.Second // how long a connection waits for a lock
	pageCache  = "-512"          // KiB for each connection, instead of 2000
	statements = "16"            // prepared statements kept for each connection
	owner      = 0o600           // what is tapped and planned is nobody else's business
)

// When the bytes of a commit are forced to the disk: at once, or with the next checkpoint, which
// keeps the file sound in a power cut but may lose its last commits.
const (
	syncAtOnce = "FULL"
	syncLater  = "NORMAL"
)

// database is a SQLite file with one connection that writes and a few that read, or stands in for
// one in memory.
type database struct {
	path    string
	write   *sql.DB
	read    *sql.DB
	standIn bool        // in memory: nothing in it outlives the process
	log     fs.FileInfo // of the log at the last look; nil: it wasn't looked at, or was emptied since
}

// open opens or makes the file, checks that it is sound and writable, and brings its schema up to
// date. sync is syncAtOnce or syncLater; wait is how long to wait for a lock.
func open(path, sync string, wait time.Duration, schema fs.FS) (*database, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("finding the working directory: %w", err)
	}
	if err := create(path); err != nil {
		return nil, err
	}
	d := &database{path: path, write: writer(path, sync, wait), read: reader(path, wait)}
	for _, step := range []func() error{
		func() error { return d.checkPages("quick_check") },
		func() error { return d.migrate(schema) },
		d.checkWritable,
	} {
		if err := step(); err != nil {
			return nil, errors.Join(named(path, err), d.close())
		}
	}
	return d, nil
}

// openMemory makes an empty database in memory that stands in for the file at path. It has one
// connection, because it is gone with it.
func openMemory(path string, schema fs.FS) (*database, error) {
	db := sql.OpenDB(connect("file::memory:", url.Values{"_txlock": {"immediate"}, "_foreign_keys": {"on"}}))
	db.SetMaxOpenConns(1)
	db.SetMaxIdleConns(1)
	d := &database{path: path, write: db, read: db, standIn: true}
	if err := d.migrate(schema); err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

// create makes an empty file, which is an empty database, that only its owner can read. SQLite gives
// the same rights to the files that it keeps beside it. A file that is there is left alone: opening
// and closing it would drop the locks that this process may hold on it.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, owner)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("creating the file: %w", err)
	}
	return f.Close()
}

func writer(path, sync string, wait time.Duration) *sql.DB {
	db := sql.OpenDB(newConnector(path, url.Values{
		"_journal_mode":    {"WAL"},
		"_synchronous":     {sync}, // the driver would set NORMAL by itself
		"_txlock":          {"immediate"},
		"_busy_timeout":    {millis(wait)},
		"_foreign_keys":    {"on"},
		"_cache_size":      {pageCache},
		"_stmt_cache_size": {statements},
	}))
	db.SetMaxOpenConns(1)
	db.SetMaxIdleConns(1)
	return db
}

func reader(path string, wait time.Duration) *sql.DB {
	db := sql.OpenDB(newConnector(path, url.Values{
		"mode":             {"ro"},
		"_query_only":      {"on"},
		"_busy_timeout":    {millis(wait)},
		"_cache_size":      {pageCache},
		"_stmt_cache_size": {statements},
	}))
	db.SetMaxOpenConns(readers)
	db.SetMaxIdleConns(readers)
	return db
}

func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// connector opens the connections of one pool. It stands in for a registered driver, whose name
// would be global and whose connections couldn't be given what a DSN can't say.
type connector struct {
	driver sqlite3.SQLiteDriver
	dsn    string
}

func newConnector(path string, options url.Values) *connector {
	file := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}
	return connect(file.String(), options)
}

func connect(file string, options url.Values) *connector {
	c := &connector{dsn: file + "?" + options.Encode()}
	c.driver.ConnectHook = setUp
	return c
}

// Connect opens a connection.
func (c *connector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.dsn) }

// Driver returns the driver.
func (c *connector) Driver() driver.Driver { return &c.driver }

// setUp sets on every connection what the driver's DSN has no word for.
func setUp(c *sqlite3.SQLiteConn) error {
	pragmas := fmt.Sprintf("PRAGMA journal_size_limit = %d; PRAGMA cell_size_check = ON;", walLimit)
	if _, err := c.Exec(pragmas, nil); err != nil {
		return fmt.Errorf("setting up connection: %w", err)
	}
	return nil
}

// checkPages looks for damage in the structure of the file. quick_check finds overwritten and missing
// pages, integrity_check also indexes that don't fit their tables, neither every flipped bit.
func (d *database) checkPages(pragma string) error {
	var found string
	if err := d.write.QueryRow("PRAGMA " + pragma + "(1)").Scan(&found); err != nil {
		return fmt.Errorf("checking pages: %w", err)
	}
	if found != "ok" {
		return &CorruptError{Path: d.path, Detail: found}
	}
	return nil
}

// checkWritable finds a file that SQLite has opened read-only, which it does without a word when it
// has no right to write it; only the first tap would find out. It writes nothing: see prove.
func (d *database) checkWritable() error {
	if _, err := d.write.Exec("DELETE FROM " + goose.DefaultTablename + " WHERE FALSE"); err != nil { //nolint:gosec // a constant of the library
		return fmt.Errorf("checking that it can be written: %w", err)
	}
	return nil
}

// prove proves that the file can be written, by writing: what changes nothing succeeds also on a disk
// that takes nothing any more.
func (d *database) prove() error { return d.transact(proof) }

// proof changes what nothing else uses.
func proof(tx *sql.Tx) error {
	var n int32
	if err := tx.QueryRow("PRAGMA user_version").Scan(&n); err != nil {
		return fmt.Errorf("proving that it can be written: %w", err)
	}
	if _, err := tx.Exec(fmt.Sprintf("PRAGMA user_version = %d", (n+1)&math.MaxInt32)); err != nil {
		return fmt.Errorf("proving that it can be written: %w", err)
	}
	return nil
}

// checkStatements proves that the tables have what the statements ask for.
func (d *database) checkStatements(statements ...string) error {
	for _, s := range statements {
		if err := d.checkStatement(s); err != nil {
			return fmt.Errorf("checking the tables: %w", err)
		}
	}
	return nil
}

func (d *database) checkStatement(statement string) error {
	prepared, err := d.write.Prepare(statement)
	if err != nil {
		return err
	}
	defer func() { _ = prepared.Close() }() // it was never run
	return nil
}

// knownVersion is the newest version of a schema that this kiosk knows: its files are numbered from 1.
func knownVersion(schema fs.FS) int64 {
	files, err := fs.ReadDir(schema, ".")
	if err != nil {
		panic(err) // they are built in
	}
	return int64(len(files))
}

func (d *database) migrate(schema fs.FS) error {
	ctx := context.Background()
	provider, err := goose.NewProvider(goose.DialectSQLite3, d.write, schema, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("reading migrations: %w", err)
	}
	have, known, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("reading schema version: %w", err)
	}
	if have > known {
		return &NewerSchemaError{Path: d.path, Have: have, Known: known}
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrating schema: %w", err)
	}
	return nil
}

// transact runs fn in one transaction that holds the write lock from its start, and commits it
// unless fn fails. No context: a cancelled statement would end the transaction under the next one.
func (d *database) transact(fn func(*sql.Tx) error) (err error) {
	tx, err := d.write.Begin()
	if err != nil {
		return fmt.Errorf("beginning transaction: %w", err)
	}
	defer func() {
		if err != nil {
			_ = tx.Rollback() // the first error is the one to tell
		}
	}()
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	return nil
}

// check proves that the file answers and that the writing connection isn't stuck. It waits for that
// connection as long as ctx lasts, and writes nothing.
func (d *database) check(ctx context.Context) error {
	for _, pool := range []*sql.DB{d.read, d.write} {
		var tables int
		if err := pool.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil {
			return fmt.Errorf("checking %s: %w", filepath.Base(d.path), named(d.path, err))
		}
	}
	return nil
}

// close closes the readers first: the last connection tidies up, which a reader can't.
func (d *database) close() error {
	return errors.Join(d.read.Close(), d.write.Close())
}

// closeDamaged closes the writer first, so that the last connection is one that can't bring the log
// into a file that is set aside: the log belongs to what may have to be looked at.
func (d *database) closeDamaged() {
	_, _ = d.write.Close(), d.read.Close() // nothing in it is used any more
}
