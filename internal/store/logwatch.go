package store

import (
	"errors"
	"io/fs"
	"os"
)

// lostLog tells whether the log that commits go to is not what the next start will find: somebody
// deleted, replaced or cut it. SQLite doesn't look, and goes on writing to what is gone, or behind a
// hole: so this has to be asked before a write as well as after it. The caller holds what guards the
// database's writes.
func (d *database) lostLog(written bool) error {
	info, err := os.Stat(d.path + "-wal")
	detail := ""
	switch known := d.log; {
	case errors.Is(err, fs.ErrNotExist) && known == nil && !written:
		return nil // there is none yet
	case errors.Is(err, fs.ErrNotExist), err == nil && !info.Mode().IsRegular():
		detail = "its log is gone"
	case err != nil:
		return nil // that it can't be looked at says nothing of it
	case known == nil:
	case !os.SameFile(known, info):
		detail = "its log was replaced"
	case info.Size() < min(known.Size(), walLimit): // SQLite itself cuts it to that limit only
		detail = "a part of its log is gone"
	}
	if detail != "" {
		return &CorruptError{Path: d.path, Detail: detail}
	}
	d.log = info
	return nil
}
