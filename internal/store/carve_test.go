package store

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"
)

// Rows are found in the pages themselves as they were recorded.
func TestCarve(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	empty, path := filepath.Join(dir, "empty.db"), filepath.Join(dir, "journal.db")
	fillWith(t, empty, 0)
	rapid.Check(t, func(rt *rapid.T) {
		if err := errors.Join(remove(path), copyFile(empty, path)); err != nil {
			rt.Fatal(err)
		}
		j, err := OpenJournal(path)
		if err != nil {
			rt.Fatal(err)
		}
		var want model
		batch := rapid.SliceOfN(anyAction(), 1, 30).Draw(rt, "batch")
		want.record(batch)
		if err := j.Record(batch...); err != nil {
			rt.Fatal(err)
		}
		if rapid.Bool().Draw(rt, "from the log") {
			defer func() { _ = j.Close() }()
		} else if err := j.Close(); err != nil {
			rt.Fatal(err)
		}
		f := found{actions: map[string]numbered{}}
		carve(path, &f)
		for _, a := range want {
			if got := f.actions[a.ID].Action; got != a {
				rt.Errorf("got %+v, want %+v", got, a)
			}
		}
	})
}

// Whatever is in a page, looking for rows comes to an end, with rows that can be recorded.
func FuzzCarvePage(f *testing.F) {
	path := filepath.Join(f.TempDir(), "journal.db")
	fillWith(f, path, 60)
	body, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	for at := 0; at+pageSize <= len(body); at += pageSize {
		if body[at] == tableLeaf {
			f.Add(body[at : at+pageSize])
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		page := make([]byte, pageSize)
		copy(page, body)
		got := found{actions: map[string]numbered{}}
		carvePage(page, &got)
		for id, a := range got.actions {
			if id != a.ID || !plausible(a.Action) {
				t.Errorf("got %+v", a)
			}
		}
	})
}
