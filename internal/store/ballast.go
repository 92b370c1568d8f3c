package store

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
)

const (
	ballastSize = 1 << 20
	roomy       = 8 << 20 // bytes that have to be free before the ballast is made: it, a full log, and some
)

// ballast is a file beside the journal that holds room on the disk, to be given up when a tap finds
// none.
type ballast struct{ path string }

// there tells whether the room is kept.
func (b ballast) there() bool { return exists(b.path) }

// make writes the file, unless it is there or the disk isn't roomy. It tells whether the file is
// there. What is in it can't be compressed, and there are no holes: the room is really taken.
func (b ballast) make() bool {
	if b.there() {
		return true
	}
	if free, err := freeBytes(filepath.Dir(b.path)); err != nil || free < roomy {
		return false
	}
	if err := b.write(); err != nil {
		_ = os.Remove(b.path + beingMade) // there is less room than there seemed to be
		return false
	}
	return true
}

func (b ballast) write() error {
	f, err := os.OpenFile(b.path+beingMade, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, owner)
	if err != nil {
		return fmt.Errorf("making the ballast: %w", err)
	}
	body := make([]byte, ballastSize)
	_, _ = rand.NewChaCha8([32]byte{}).Read(body) // never fails
	_, err = f.Write(body)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("writing the ballast: %w", err)
	}
	return os.Rename(b.path+beingMade, b.path)
}

// give gives the room up, and tells whether there was any.
func (b ballast) give() bool { return os.Remove(b.path) == nil }

// turnedReadOnly tells whether the disk that the folder is on says that it can't be written any more,
// without writing: ext4 tells some of it in its flags and the rest to whoever syncs. A disk that says
// nothing may fail all the same.
func turnedReadOnly(dir string) bool {
	const readOnly = 1 // ST_RDONLY of statvfs
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err == nil && s.Flags&readOnly != 0 {
		return true
	}
	return syncDir(dir) != nil
}

// freeBytes is the room on the disk that the folder is on.
func freeBytes(dir string) (uint64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, fmt.Errorf("asking for the room in %s: %w", dir, err)
	}
	return s.Bavail * uint64(s.Bsize), nil
}
