// Package store keeps what outlives the process, in two SQLite files with different promises.
//
// [Journal] holds the taps. A recorded action has been fsynced: neither kill -9 nor a power cut
// loses it. The file is never deleted or overwritten by the kiosk.
//
// [Cache] holds what can be read anew, so that the display has something to say without a network.
// It writes nothing while nothing changes, survives crashes of the process, may lose its last
// writes in a power cut, and is made anew when it is of no use.
//
// Instants are kept to the microsecond and come back in UTC.
package store

import (
	"errors"
	"fmt"
	"time"

	"github.com/mattn/go-sqlite3"
)

// SQLiteVersion returns the version of the SQLite that is built in, such as "3.54.1".
func SQLiteVersion() string {
	version, _, _ := sqlite3.Version()
	return version
}

// NewerSchemaError means that a database was written by a newer kiosk. Nothing in it was changed.
type NewerSchemaError struct {
	Path  string
	Have  int64 // schema version of the file
	Known int64 // newest version that this kiosk knows
}

// Error names the file, both versions and the remedy.
func (e *NewerSchemaError) Error() string {
	return fmt.Sprintf("%s has schema version %d, this kiosk knows versions up to %d: install the newer kiosk again, or move the file away",
		e.Path, e.Have, e.Known)
}

// CorruptError means that a file is damaged, or isn't a database.
type CorruptError struct {
	Path   string
	Detail string // what SQLite found
	Err    error  // the cause; may be nil
}

// Error names the file and what is wrong with it.
func (e *CorruptError) Error() string { return e.Path + " is damaged: " + e.Detail }

// Unwrap returns the cause.
func (e *CorruptError) Unwrap() error { return e.Err }

// named puts the file's name to an error of SQLite that says that the file is damaged. Others pass.
func named(path string, err error) error {
	var known *CorruptError
	if !hasCode(err, sqlite3.ErrCorrupt, sqlite3.ErrNotADB) || errors.As(err, &known) {
		return err
	}
	return &CorruptError{Path: path, Detail: err.Error(), Err: err}
}

func isCorrupt(err error) bool {
	var e *CorruptError
	return errors.As(err, &e) || hasCode(err, sqlite3.ErrCorrupt, sqlite3.ErrNotADB)
}

// inUse tells whether another process keeps the file locked, which says nothing about the file.
func inUse(err error) bool { return hasCode(err, sqlite3.ErrBusy, sqlite3.ErrLocked) }

func hasCode(err error, codes ...sqlite3.ErrNo) bool {
	var e sqlite3.Error
	if !errors.As(err, &e) {
		return false
	}
	for _, code := range codes {
		if e.Code == code {
			return true
		}
	}
	return false
}

// instant is a column's value as a time.
func instant(micros int64) time.Time { return time.UnixMicro(micros).UTC() }
