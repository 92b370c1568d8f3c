package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// What replaces a damaged file is complete before the damaged one is moved, so that a power cut at
// any point leaves one or the other:
//
//	journal.db.new       is being made; of no use yet
//	journal.db.mended    is complete, and holds what could be read of journal.db
//	journal.db.damaged-* was journal.db, as long as journal.db.mended isn't there
const (
	beingMade = ".new"
	mended    = ".mended"
	damaged   = ".damaged-"

	dated     = "20060102T150405Z"
	keptAside = 2 // damaged files that are kept, with their logs
)

// logs are what SQLite keeps beside a database, and what must never be parted from it.
func logs() []string { return []string{"-wal", "-shm", "-journal"} }

// exists tells whether there is anything of that name.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// takeOver puts what was made anew in the place of what was damaged, if a mending has got so far,
// now or in an earlier process. It returns where the damaged file went; empty: nothing was to do.
func takeOver(path string, at time.Time) (string, error) {
	if !exists(path + mended) {
		return "", nil
	}
	to := asideName(path, at)
	for _, suffix := range append(logs(), "") { // the database last: it tells that all have gone
		if err := os.Rename(path+suffix, to+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("setting the damaged file aside: %w", err)
		}
	}
	if err := os.Rename(path+mended, path); err != nil {
		return "", fmt.Errorf("putting the new file in its place: %w", err)
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return "", err
	}
	forgetOlder(path, to)
	return to, nil
}

// asideName is where a damaged file goes. Logs that an interrupted takeOver has moved already are
// waiting for their database there.
func asideName(path string, at time.Time) string {
	for _, name := range slices.Backward(setAside(path)) {
		clash := func(suffix string) bool { return exists(name+suffix) && exists(path+suffix) }
		if !exists(name) && exists(path) && !slices.ContainsFunc(logs(), clash) {
			return name
		}
	}
	for {
		name := path + damaged + at.UTC().Format(dated)
		if !slices.ContainsFunc(append(logs(), ""), func(suffix string) bool { return exists(name + suffix) }) {
			return name
		}
		at = at.Add(time.Second)
	}
}

// setAside lists the names of what was set aside, the oldest first.
func setAside(path string) []string {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), filepath.Base(path)+damaged) {
			continue
		}
		name := filepath.Join(filepath.Dir(path), e.Name())
		for _, suffix := range logs() {
			name = strings.TrimSuffix(name, suffix)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// forgetOlder deletes what was set aside before, but for the newest, and never newest itself: its
// name may be older than the others' where the clock was wrong. A folder with something in it was
// not the kiosk's, and stays.
func forgetOlder(path, newest string) {
	others := slices.DeleteFunc(setAside(path), func(name string) bool { return name == newest })
	for len(others) >= keptAside {
		for _, suffix := range append(logs(), "") {
			_ = os.Remove(others[0] + suffix) // what can't be deleted is in nobody's way
		}
		others = others[1:]
	}
}

// syncDir brings the names in a folder to the disk.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("opening the folder: %w", err)
	}
	defer func() { _ = d.Close() }()
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) { // not every file system can
		return fmt.Errorf("bringing the folder to the disk: %w", err)
	}
	return nil
}
