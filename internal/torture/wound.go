package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
)

const pageSize = 4096 // of SQLite's databases, by default

// wound is something that is done to a file.
type wound struct {
	name   string
	plain  bool // nobody can overlook it in a database, so IT has to be told; a page may be one that is free
	hidden bool // nobody can see it in a file that is open without reading all of it again
	do     func(dice *rand.Rand, path string) error
	heal   func(path string) error // nil: it can't be undone
}

// errUnhurt: there is nothing there to wound.
var errUnhurt = errors.New("the file has nothing in it")

func wounds() []wound {
	return []wound{
		{"half of it gone", true, false, func(_ *rand.Rand, path string) error { return cut(path, 2) }, nil},
		{"emptied", false, false, func(_ *rand.Rand, path string) error { return cut(path, 0) }, nil},
		{"deleted", false, false, func(_ *rand.Rand, path string) error { return os.Remove(path) }, nil},
		{"20 bits flipped", false, true, flip, nil},
		{"a page of garbage", false, true, func(dice *rand.Rand, path string) error { return overwrite(dice, path, true) }, nil},
		{"a page of zeros", false, true, func(dice *rand.Rand, path string) error { return overwrite(dice, path, false) }, nil},
		{"a garbage header", true, true, func(dice *rand.Rand, path string) error { return scribble(dice, path, 0, 100) }, nil},
		{"nothing but garbage", true, true, garbage, nil},
		{"a folder in its place", true, false, func(_ *rand.Rand, path string) error {
			return errors.Join(os.Remove(path), os.Mkdir(path, 0o755))
		}, nil},
		{"no right to it", true, false, func(_ *rand.Rand, path string) error { return os.Chmod(path, 0) }, func(path string) error { return os.Chmod(path, 0o600) }},
	}
}

func sizeOf(path string) (int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	if info.Size() == 0 {
		return 0, errUnhurt
	}
	return info.Size(), nil
}

// cut leaves so large a part of the file; of 0, nothing.
func cut(path string, part int64) error {
	size, err := sizeOf(path)
	if err != nil {
		return err
	}
	if part == 0 {
		return os.Truncate(path, 0)
	}
	return os.Truncate(path, size/part)
}

func flip(dice *rand.Rand, path string) error {
	size, err := sizeOf(path)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	for range 20 {
		b, at := make([]byte, 1), dice.Int64N(size)
		if _, err := f.ReadAt(b, at); err != nil {
			return err
		}
		b[0] ^= 1 << dice.IntN(8)
		if _, err := f.WriteAt(b, at); err != nil {
			return err
		}
	}
	return nil
}

// overwrite puts garbage or zeros in place of one page, of a database that has several any but the
// first: that is what the header is for.
func overwrite(dice *rand.Rand, path string, garbage bool) error {
	size, err := sizeOf(path)
	if err != nil {
		return err
	}
	at := int64(0)
	if pages := size / pageSize; pages > 1 {
		at = (1 + dice.Int64N(pages-1)) * pageSize
	}
	if garbage {
		return scribble(dice, path, at, pageSize)
	}
	return write(path, at, make([]byte, pageSize))
}

func garbage(dice *rand.Rand, path string) error {
	size, err := sizeOf(path)
	if err != nil {
		return err
	}
	return scribble(dice, path, 0, size)
}

func scribble(dice *rand.Rand, path string, at, length int64) error {
	if _, err := sizeOf(path); err != nil {
		return err
	}
	b := make([]byte, length)
	for i := range b {
		b[i] = byte(dice.Uint32())
	}
	return write(path, at, b)
}

func write(path string, at int64, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(b, at)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("damaging: %w", err)
	}
	return nil
}
