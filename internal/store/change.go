package store

import (
	"database/sql"
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
		if err = j.ready(); err != nil {
			return err
		}
		if err = j.db.transact(fn); err == nil {
			j.wrote()
			return nil
		}
		if !j.remedied(p, err) {
			break
		}
	}
	return j.refusal(p, err)
}

// wrote draws the conclusions of a write that went well. With a full disk the log is emptied at once,
// as long as there is room for that: what is left then goes a hundred times as far.
func (j *Journal) wrote() {
	j.health.over(ReadOnly)
	if j.health.has(DiskFull) {
		j.shrinkLog()
	}
}

// ready tries to get the file back if something stands in for it. The caller holds mu.
func (j *Journal) ready() error {
	if !j.db.standIn || j.reopened() {
		return nil
	}
	if isFull(j.why) {
		return fmt.Errorf("%w: %w", ErrFull, j.why)
	}
	return fmt.Errorf("%w: %w", ErrReadOnly, j.why)
}

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
		if p == forTap {
			j.tellFull()
		}
		return fmt.Errorf("%w: %w", ErrFull, err)
	case isBarred(err):
		j.tellReadOnly(err)
		return fmt.Errorf("%w: %w", ErrReadOnly, err)
	default:
		return named(j.path, err)
	}
}

func (j *Journal) tellReadOnly(err error) {
	j.health.begin(ReadOnly, j.clock.Now(), fmt.Sprintf(
		"Taps can't be stored in %s, and are refused: %v. Let the kiosk's user write the file and its folder; if the disk turned read-only by itself, replace it. The kiosk tries again by itself.",
		j.path, err))
}

func (j *Journal) tellFull() {
	j.health.begin(DiskFull, j.clock.Now(), fmt.Sprintf(
		"The disk of %s is full. Taps go in as long as the room lasts that was kept for them; history waits. Delete what isn't needed there: the kiosk wants %d MB.",
		j.path, roomy>>20))
}

// makeRoom gives the ballast up, or else brings the log into the database and its room back. It
// tells whether there may be room now. The caller holds mu.
func (j *Journal) makeRoom(err error) bool {
	j.tellFull()
	if j.ballast.give() {
		j.log.Warn("ballast given up", "path", j.ballast.path, "reason", err)
		return true
	}
	return j.shrinkLog()
}

// shrinkLog writes the log's pages to where they belong and cuts it to nothing, if that can be done
// at once.
func (j *Journal) shrinkLog() bool {
	if j.db == nil || j.db.standIn {
		return false
	}
	var busy, pages, moved int
	if err := j.db.write.QueryRow("PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved); err != nil {
		return false
	}
	return busy == 0
}

// Health tells what is wrong with the journal, for IT: nothing, as a rule.
func (j *Journal) Health() []Trouble { return j.health.list() }

// Tend does what has to be done from time to time: it tries a file that couldn't be written again,
// and makes the ballast when there is room. While all is well it writes nothing.
func (j *Journal) Tend() {
	j.mu.Lock()
	defer j.mu.Unlock()
	now := j.clock.Now()
	j.health.age(now)
	j.seen.forget(now.Add(-toldFor))
	if j.db.standIn || j.health.has(ReadOnly) {
		j.tryWriting()
	}
	j.keepBallast()
}

// tryWriting ends the trouble that nothing can be written if that is so. The caller holds mu.
func (j *Journal) tryWriting() {
	if !j.db.standIn && j.db.checkWritable() == nil {
		j.health.over(ReadOnly)
		return
	}
	j.reopened()
}

// Opened returns how often the file was opened anew since the start: then it may hold what could not be
// read before.
func (j *Journal) Opened() uint64 { return j.opened.Load() }

// keepBallast makes the ballast, if there is room for it. Until there is, the disk counts as full if
// it was. The caller holds mu.
func (j *Journal) keepBallast() {
	if j.ballast.make() {
		j.health.over(DiskFull)
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
	j.opened.Add(1)
	if err := before.close(); err != nil {
		j.log.Warn("journal not closed before it was opened again", "error", err)
	}
}
