// Package store keeps what outlives the process, in two SQLite files with different promises.
//
// [Journal] holds the taps, what was learned of the services, and the history of the rooms. Of taps
// it promises:
//
//   - A recorded action has been fsynced: neither kill -9 nor a power cut loses it.
//   - Damage that shows at the start or later costs no more than what can't be read any more: the
//     file is set aside with its date and its log (the newest two are kept), what can be read is
//     carried over, and the write that found the damage is carried out in the new file. Of actions
//     that still matter, those that this process has seen are carried over whether they can be read
//     or not. A power cut in the midst of that loses nothing either.
//   - With a full disk taps still go in for a while: a file that holds room for them is given up.
//     IT is told before that, by whatever finds the disk full or read-only first.
//   - Where nothing can be written, what can be read is shown, and an action that isn't stored is
//     refused with [ErrReadOnly] or [ErrFull], never pretended. As soon as it can be written again,
//     taps go on.
//   - A file of a newer kiosk is refused with [NewerSchemaError] and not touched.
//
// The history is noted in memory and written every few seconds: a crash loses the last of it. It
// never takes room that a tap might need. What it adds up to is kept for 400 days.
//
// [Cache] holds what can be read anew, so that the display has something to say without a network.
// It writes nothing while nothing changes, survives crashes of the process, may lose its last
// writes in a power cut, and is made anew when it is of no use, in memory if it must.
//
// What IT has to be told is in Health of both. Instants are kept to the microsecond and come back in
// UTC.
package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/mattn/go-sqlite3"
)

// ErrReadOnly means that nothing was stored because the file or its folder can't be written.
var ErrReadOnly = errors.New("the journal can't be written")

// ErrFull means that nothing was stored because the disk is full, and that there was nothing left to
// give up for it.
var ErrFull = errors.New("the disk is full")

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
	if !isCorrupt(err) || errors.As(err, &known) {
		return err
	}
	return &CorruptError{Path: path, Detail: err.Error(), Err: err}
}

// isCorrupt tells whether the file is damaged. A page that the disk can't give back is one of its
// damages: the card wears out a block at a time.
func isCorrupt(err error) bool {
	var e *CorruptError
	if errors.As(err, &e) || hasCode(err, sqlite3.ErrCorrupt, sqlite3.ErrNotADB) {
		return true
	}
	var s sqlite3.Error
	return errors.As(err, &s) && (s.ExtendedCode == sqlite3.ErrIoErrRead || s.ExtendedCode == sqlite3.ErrIoErrShortRead)
}

// isFull tells whether there was no room, or no more of a quota.
func isFull(err error) bool {
	var e sqlite3.Error
	if errors.As(err, &e) && (e.Code == sqlite3.ErrFull || noRoom(e.SystemErrno)) {
		return true
	}
	return errors.Is(err, ErrFull) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

func noRoom(errno syscall.Errno) bool { return errno == syscall.ENOSPC || errno == syscall.EDQUOT }

// isBarred tells whether the file or its folder is kept from being used: no right, a disk that is
// read-only or fails, something else in its place.
func isBarred(err error) bool {
	if isFull(err) || isCorrupt(err) {
		return false
	}
	var path *fs.PathError
	var link *os.LinkError
	return hasCode(err, sqlite3.ErrReadonly, sqlite3.ErrCantOpen, sqlite3.ErrPerm, sqlite3.ErrIoErr) ||
		errors.Is(err, ErrReadOnly) || errors.As(err, &path) || errors.As(err, &link)
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
