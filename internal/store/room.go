package store

import (
	"fmt"
	"path/filepath"
)

// scarce is how many free bytes are so few that IT is told before a tap finds none.
const scarce = 1 << 20

// What a full disk means for taps.
const (
	roomKept = "Taps go in, room is kept for them."
	roomLeft = "Taps go in as long as the room lasts; none is kept for them any more."
	roomNone = "Taps are refused: there is no room for them."
)

func (j *Journal) tellReadOnly(err error) {
	j.health.begin(ReadOnly, j.clock.Now(), fmt.Sprintf(
		"Taps can't be stored in %s, and are refused: %v. Let the kiosk's user write the file and its folder; if the disk turned read-only by itself, replace it. The kiosk tries again by itself.",
		j.path, err))
}

// tellFull tells that the disk is full, and what that means for taps.
func (j *Journal) tellFull(taps string) {
	j.health.begin(DiskFull, j.clock.Now(), fmt.Sprintf(
		"The disk of %s is full. %s The history waits. Delete what isn't needed there: the kiosk wants %d MB.",
		j.path, taps, roomy>>20))
}

// makeRoom gives the ballast up, or else brings the log into the database and its room back. It
// tells whether there may be room now. The caller holds mu.
func (j *Journal) makeRoom(err error) bool {
	if j.ballast.give() {
		j.tellFull(roomLeft)
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
	j.db.log = nil // for it may be emptied now
	var busy, pages, moved int
	if err := j.db.write.QueryRow("PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved); err != nil {
		return false
	}
	return busy == 0
}

// Tend does what has to be done from time to time: it looks whether the disk can be written and has
// room, so that IT knows before a tap is refused, tries again what couldn't be written, and makes the
// ballast when there is room. While all is well it writes nothing.
func (j *Journal) Tend() {
	j.mu.Lock()
	defer j.mu.Unlock()
	now := j.clock.Now()
	j.health.age(now)
	j.seen.forget(now.Add(-toldFor))
	if j.db.standIn || j.health.has(ReadOnly) || turnedReadOnly(filepath.Dir(j.path)) {
		_ = j.changeLocked(forLess, proof) // it tells
	}
	j.lookForRoom()
}

// lookForRoom makes the ballast if there is room for it, and tells whether the disk is full: from
// scarce on, until it is roomy, so that it isn't told by turns. The caller holds mu.
func (j *Journal) lookForRoom() {
	free, err := freeBytes(filepath.Dir(j.path))
	if err != nil {
		return // the disk is gone, which writing tells
	}
	if j.ballast.make() && free >= roomy {
		if j.health.has(DiskFull) && !j.db.standIn && j.db.prove() == nil {
			j.health.over(DiskFull)
		}
		return
	}
	if free < scarce || j.health.has(DiskFull) {
		j.tellFull(j.roomForTaps())
	}
}

// roomForTaps finds out what the full disk means for taps. The caller holds mu.
func (j *Journal) roomForTaps() string {
	switch {
	case j.db.standIn:
		return roomNone
	case j.ballast.there():
		return roomKept
	}
	if j.db.prove() != nil && (!j.shrinkLog() || j.db.prove() != nil) {
		return roomNone
	}
	j.shrinkLog()
	return roomLeft
}
