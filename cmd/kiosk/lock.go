package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// errDataDirTaken means that another kiosk uses the data folder: both would deliver the same taps.
var errDataDirTaken = errors.New("another kiosk uses the data folder")

// lockDir keeps other kiosks out of a folder until the file is closed, or the process ends. It locks
// the folder itself, which needs no right to write and no room on the disk.
func lockDir(dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("locking the data folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close() // nothing was written
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w %s", errDataDirTaken, dir)
		}
		return nil, fmt.Errorf("locking the data folder: %w", err)
	}
	return f, nil
}
