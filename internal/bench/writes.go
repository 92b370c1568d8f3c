package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"roomkiosk/internal/harness"
)

const (
	unchangedFor = 20 * time.Second
	settleWrites = 3 * time.Second
)

// measureWrites looks at what a kiosk writes to its disk while nothing changes.
func measureWrites(ctx context.Context, b *bench) ([]row, error) {
	world, s, err := openOffice(ctx, 3)
	if err != nil {
		return nil, err
	}
	defer world.Close()
	k, err := b.open(ctx, s, time.Second)
	if err != nil {
		return nil, err
	}
	defer k.Stop()
	if err := harness.Wait(ctx, settleWrites); err != nil {
		return nil, err
	}
	polls := len(world.Google.Requests())
	before, err := footprintOf(k)
	if err != nil {
		return nil, err
	}
	if err := harness.Wait(ctx, unchangedFor); err != nil {
		return nil, err
	}
	after, err := footprintOf(k)
	if err != nil {
		return nil, err
	}
	bytes, touched := after.written-before.written, after.touched(before)
	polls = len(world.Google.Requests()) - polls
	return []row{{
		what: "written to disk when nothing changes", kiosk: fmt.Sprintf("%d B", bytes),
		promise: "0 B", verdict: verdictOf(bytes == 0 && len(touched) == 0 && polls > 0),
		notes: []string{fmt.Sprintf("write_bytes of the process over %s, %d polls, 3 rooms; files touched: %d %v", unchangedFor, polls, len(touched), touched)},
	}}, nil
}

// footprint is what a kiosk has written.
type footprint struct {
	written int64
	files   map[string]string // size and date, by name
}

func footprintOf(k *kiosk) (footprint, error) {
	f := footprint{files: map[string]string{}}
	var err error
	if f.written, err = written(k.PID()); err != nil {
		return f, err
	}
	err = fs.WalkDir(os.DirFS(k.data), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		f.files[filepath.Base(path)] = fmt.Sprint(info.Size(), info.ModTime().UnixNano())
		return nil
	})
	if err != nil {
		return f, fmt.Errorf("looking at the data folder: %w", err)
	}
	return f, nil
}

// touched are the files that are not what they were.
func (f footprint) touched(before footprint) []string {
	var names []string
	for name, is := range f.files {
		if before.files[name] != is {
			names = append(names, name)
		}
	}
	return names
}
