package store

import (
	"database/sql"
	"errors"
	"fmt"
	"time"
)

const (
	retryEvery = 5 * time.Second // how often a file that can't be written is tried again at most
	attempts   = 4               // of a write, say: after damage, after room was made in two ways, in a file that was opened again
)

// purpose is what a write is for.
type purpose bool

const (
	forTap  purpose = true  // a person waits: what is kept for that is given up
	forLess purpose = false // can wait, or be lost
)

// look runs fn, which reads, on the database; if that turns out to be damaged, again on what replaces
// it.
func (j *Journal) look(fn func(*database) error) error {
	var err error
	for range attempts {
		var db *database
		if db, err = j.lookOnce(fn); err == nil || j.strict || !isCorrupt(err) {
			break
		}
		j.mendAfter(db, err)
	}
	return named(j.path, err)
}

func (j *Journal) lookOnce(fn func(*database) error) (*database, error) {
	j.gate.RLock()
	defer j.gate.RUnlock()
	return j.db, fn(j.db)
}

// change runs fn, which is for less than a tap, in one transaction: see changeLocked.
func (j *Journal) change(fn func(*sql.Tx) error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.changeLocked(forLess, fn)
}

// changeLocked runs fn in one transaction. What goes wrong is dealt with and the transaction tried
// again, so fn must not mind to be run more than once. The caller holds mu.
func (j *Journal) changeLocked(p purpose, fn func(*sql.Tx) error) error {
	if j.strict {
		return named(j.path, j.db.transact(fn))
	}
	var err error
	for range attempts {
		if !j.ready() {
			return j.refusal(p, j.why)
		}
		if err = j.db.lostLog(false); err == nil {
			err = j.db.transact(j.proving(fn))
		}
		if err == nil {
			err = j.db.lostLog(true)
		}
		if err == nil {
			j.wrote(p)
			return nil
		}
		if !j.remedied(p, err) {
			break
		}
	}
	return j.refusal(p, err)
}

// proving makes a write that goes well a proof that the trouble is over, whatever there is to change.
func (j *Journal) proving(fn func(*sql.Tx) error) func(*sql.Tx) error {
	if !j.health.has(ReadOnly) {
		return fn
	}
	return func(tx *sql.Tx) error { return errors.Join(fn(tx), proof(tx)) }
}

// wrote draws the conclusions of a write that went well. With a full disk the log is emptied at once,
// as long as there is room for that: what is left then goes a hundred times as far.
func (j *Journal) wrote(p purpose) {
	j.health.over(ReadOnly)
	if !j.health.has(DiskFull) {
		return
	}
	j.shrinkLog()
	if p == forTap {
		j.tellFull(roomLeft)
	}
}

// ready tries to get the file back if something stands in for it, and tells whether it is there. The
// caller holds mu.
func (j *Journal) ready() bool { return !j.db.standIn || j.reopened() }

// remedied does something about why a write failed, and tells whether it is worth another attempt.
// The caller holds mu.
func (j *Journal) remedied(p purpose, err error) bool {
	switch {
	case isCorrupt(err):
		_ = j.mend(err) // if that can't be done, ready says why
		return true
	case isFull(err):
		return p == forTap && j.makeRoom(err)
	case isBarred(err):
		return j.reopened()
	default:
		return false
	}
}

// refusal says why a write can't be done, and tells IT. The caller holds mu.
func (j *Journal) refusal(p purpose, err error) error {
	switch {
	case isFull(err):
		j.health.over(ReadOnly)
		switch {
		case p == forTap || j.db.standIn:
			j.tellFull(roomNone)
		case j.ballast.there():
			j.tellFull(roomKept)
		case !j.health.has(DiskFull):
			j.tellFull(roomLeft) // as far as is known
		}
		return fmt.Errorf("%w: %w", ErrFull, err)
	case isBarred(err), j.db.standIn:
		j.tellReadOnly(err)
		return fmt.Errorf("%w: %w", ErrReadOnly, err)
	default:
		return named(j.path, err)
	}
}

// Health tells what is wrong with the journal, for IT: nothing, as a rule.
func (j *Journal) Health() []Trouble { return j.health.list() }

// Reopened tells whenever the file was opened anew: then it may hold what could not be read before.
func (j *Journal) Reopened() <-chan struct{} { return j.opened }

func (j *Journal) tellReopened() {
	select {
	case j.opened <- struct{}{}:
	default: // that is known
	}
}

// reopened tries to open the file anew, if it wasn't tried a moment ago, and tells whether that
// went well. The caller holds mu.
func (j *Journal) reopened() bool {
	now := j.clock.Now()
	if since := now.Sub(j.tried); since >= 0 && since < retryEvery {
		return false
	}
	j.tried = now
	db, err := j.tryOpen()
	if err == nil {
		if err = db.prove(); err != nil {
			err = errors.Join(err, db.close())
		}
	}
	if err != nil && isCorrupt(err) {
		return j.mend(err) == nil
	}
	if err != nil {
		j.why = err
		return false
	}
	j.use(db)
	j.log.Info("journal opened again", "path", j.path)
	j.health.over(ReadOnly)
	return true
}

// use puts a database in the place of the one before. The caller holds mu.
func (j *Journal) use(db *database) {
	j.gate.Lock()
	before := j.db
	j.db, j.why = db, nil
	j.gate.Unlock()
	j.tellReopened()
	j.held = count(db)
	if err := before.close(); err != nil {
		j.log.Warn("journal not closed before it was opened again", "error", err)
	}
}
