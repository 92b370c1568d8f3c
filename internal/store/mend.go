package store

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"roomkiosk/migrations"
)

const (
	batch          = 500     // rows in one transaction: a tap waits no longer than that takes
	checkedWhole   = 4 << 20 // bytes of a journal whose indexes are checked at the start: 15 ms on a desktop
	shownOfHistory = 5000    // entries of the history that are held in memory where there is no file
)

// start opens the file, or else what can stand in for it.
func (j *Journal) start() error {
	db, err := j.tryOpen()
	if isFull(err) && j.ballast.give() {
		j.tellFull(roomLeft)
		db, err = j.tryOpen()
	}
	switch {
	case err == nil:
		j.db, j.held = db, count(db)
	case isCorrupt(err):
		err = j.mend(err)
	case isFull(err), isBarred(err):
		err = j.startInMemory(err)
	default:
		return err
	}
	if errors.As(err, new(*NewerSchemaError)) {
		return errors.Join(err, j.db.close())
	}
	if j.db == nil {
		return err
	}
	j.lookForRoom()
	return nil
}

// tryOpen opens the file. Of what is wrong with it, all that isn't a lock, a newer schema, or
// something around the file is a [CorruptError]: such as tables that aren't the kiosk's.
func (j *Journal) tryOpen() (*database, error) {
	to, err := takeOver(j.path, j.clock.Now())
	if err != nil {
		return nil, err
	}
	if to != "" {
		j.tellDamaged("found at the last start", to, "")
	}
	if detail := outOfPlace(j.path); detail != "" {
		return nil, &CorruptError{Path: j.path, Detail: detail}
	}
	db, err := open(j.path, syncAtOnce, patience, migrations.Journal())
	if err == nil {
		if err = errors.Join(checkJournal(db), db.lostLog(false)); err != nil {
			db, err = nil, errors.Join(err, db.close())
		}
	}
	if err == nil || inUse(err) || isFull(err) || isBarred(err) || isCorrupt(err) || errors.As(err, new(*NewerSchemaError)) {
		return db, err
	}
	return nil, &CorruptError{Path: j.path, Detail: err.Error(), Err: err}
}

// checkJournal looks closer at a journal than open does: a row that its index doesn't lead to would be
// a tap that nobody carries out. Only where that takes no time at the start: what is pruned is small.
func checkJournal(db *database) error {
	if err := db.checkStatements(recordAction, selectActions, insertHappening, selectHistory, selectCounts, selectLearned); err != nil {
		return err
	}
	if info, err := os.Stat(db.path); err != nil || info.Size() > checkedWhole {
		return nil
	}
	return db.checkPages("integrity_check")
}

// outOfPlace says what is at path that SQLite would take for a new database, or for none: an empty
// file with the log of another, whose taps it would delete, or a folder. Empty: nothing of that kind.
func outOfPlace(path string) string {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		return "it is a folder"
	}
	log, logErr := os.Stat(path + "-wal")
	if logErr == nil && log.IsDir() {
		return "its log is a folder"
	}
	if logErr != nil || log.Size() == 0 || err == nil && info.Size() > 0 {
		return ""
	}
	if errors.Is(err, fs.ErrNotExist) && create(path) != nil { // so that what is set aside is whole
		return ""
	}
	return "it is empty, and its log isn't"
}

// startInMemory stands in for a file that can't be opened for writing, with what can be read of it.
func (j *Journal) startInMemory(why error) error {
	path := j.path
	if exists(path + mended) {
		path += mended
	}
	f, err := salvage(path, knownVersion(migrations.Journal()), j.clock.Now)
	return errors.Join(err, j.standIn(f, why))
}

// standIn puts a database in memory in the place of the file, with what was found in it. The caller
// holds mu, and gate for writing if anybody else knows the journal.
func (j *Journal) standIn(f *found, why error) error {
	db, err := openMemory(j.path, migrations.Journal())
	if err != nil {
		return errors.Join(why, err)
	}
	f.history = f.history[max(0, len(f.history)-shownOfHistory):]
	if err := f.pour(db); err != nil {
		return errors.Join(why, err, db.close())
	}
	j.db, j.why, j.tried = db, why, j.clock.Now()
	if isFull(why) {
		j.tellFull(roomNone)
	} else {
		j.tellReadOnly(why)
	}
	return nil
}

// mendAfter mends the database that a read found damaged, unless that has been done meanwhile.
func (j *Journal) mendAfter(db *database, reason error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.db == db {
		_ = j.mend(reason) // it has told
	}
}

// mend replaces the damaged file, or what stands in for it, by a new one with what can be read of
// it. If that can't be done now, something stands in for the file, and the error says why. The caller
// holds mu.
func (j *Journal) mend(reason error) error {
	j.gate.Lock()
	defer j.gate.Unlock()
	before := j.db
	if before != nil && !before.standIn {
		before.closeDamaged()
	}
	f, err := salvage(j.path, knownVersion(migrations.Journal()), j.clock.Now)
	if before != nil && before.standIn {
		f.readActions(before.read)
		_ = before.close() // memory is given back, whatever it says
	}
	j.seen.addTo(f)
	if err != nil {
		return errors.Join(err, j.standIn(f, err))
	}
	db, to, err := j.rebuild(f)
	if isFull(err) && j.ballast.give() {
		j.tellFull(roomLeft)
		db, to, err = j.rebuild(f)
	}
	if err != nil {
		j.log.Error("journal not mended", "path", j.path, "reason", reason, "error", err)
		return errors.Join(err, j.standIn(f, err))
	}
	j.db, j.why = db, nil
	j.health.over(ReadOnly)
	if before != nil && before.standIn {
		j.tellReopened()
	}
	j.tellDamaged(reason.Error(), to, j.held.saved(f))
	j.held = count(db)
	return nil
}

// tellDamaged tells that the file was damaged, and what became of it.
func (j *Journal) tellDamaged(reason, to, saved string) {
	j.health.begin(Damaged, j.clock.Now(), fmt.Sprintf(
		"%s was damaged (%s) and has been replaced.%s The damaged file is kept as %s. If this happens again, replace the disk or card.",
		j.path, reason, saved, to))
}

// rebuild makes a new file of what was found, sets the damaged one aside, and opens the new one. It
// returns where the damaged one is.
func (j *Journal) rebuild(f *found) (*database, string, error) {
	if err := buildAt(j.path+beingMade, f); err != nil {
		return nil, "", errors.Join(err, remove(j.path+beingMade)) // which takes room
	}
	if err := os.Rename(j.path+beingMade, j.path+mended); err != nil {
		return nil, "", fmt.Errorf("naming the new file: %w", err)
	}
	if err := syncDir(filepath.Dir(j.path)); err != nil {
		return nil, "", err
	}
	to, err := takeOver(j.path, j.clock.Now())
	if err != nil {
		return nil, "", err
	}
	db, err := open(j.path, syncAtOnce, patience, migrations.Journal())
	return db, to, err
}

// buildAt makes a journal of what was found, whole in one file and on the disk.
func buildAt(path string, f *found) error {
	if err := remove(path); err != nil {
		return err
	}
	db, err := open(path, syncAtOnce, patience, migrations.Journal())
	if err != nil {
		return err
	}
	err = f.pour(db)
	if err == nil {
		_, err = db.write.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
	}
	return errors.Join(err, db.close())
}

// pour writes what was found into a new database.
func (f *found) pour(db *database) error {
	return errors.Join(
		inBatches(db, f.ordered(), insertActions),
		inBatches(db, f.history, insertHistory),
		inBatches(db, f.counts, insertCounts),
		db.transact(func(tx *sql.Tx) error {
			for name, value := range f.learned {
				if _, err := tx.Exec(upsertLearned, name, value); err != nil {
					return err
				}
			}
			return nil
		}),
	)
}

func inBatches[T any](db *database, all []T, insert func(*sql.Tx, []T) error) error {
	for some := range slices.Chunk(all, batch) {
		if err := db.transact(func(tx *sql.Tx) error { return insert(tx, some) }); err != nil {
			return err
		}
	}
	return nil
}
