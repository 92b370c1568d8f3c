package store

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"roomkiosk/internal/rooms"
)

// BenchmarkRecord is what a tap waits for; BenchmarkBareInsert is what it can't be faster than on
// the same disk.
func BenchmarkRecord(b *testing.B) {
	j := newJournal(b)
	for n := 0; b.Loop(); n++ {
		if err := j.Record(action(fmt.Sprint(n))); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBareInsert(b *testing.B) {
	path := filepath.Join(b.TempDir(), "bare.db")
	db, err := sql.Open("sqlite3", "file:"+path+"?_journal_mode=WAL&_synchronous=FULL")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("CREATE TABLE bare (n INTEGER PRIMARY KEY, body TEXT)"); err != nil {
		b.Fatal(err)
	}
	insert, err := db.Prepare("INSERT INTO bare (body) VALUES (?)")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = insert.Close() }()
	for b.Loop() {
		if _, err := insert.Exec("as long as the columns of an action: about two hundred bytes, of which ids are most"); err != nil {
			b.Fatal(err)
		}
	}
}

// oldTaps is a busy door's taps of some years.
const oldTaps = 100_000

func fillOld(b *testing.B, j *Journal) {
	b.Helper()
	for n := 0; n < oldTaps; {
		var batch []rooms.Action
		for range 5000 {
			a := action(fmt.Sprint(n))
			a.State, a.TappedAt, a.ExpiresAt = rooms.Confirmed, start.AddDate(-1, 0, 0), start.AddDate(-1, 0, 0)
			batch = append(batch, a)
			n++
		}
		if err := j.Record(batch...); err != nil {
			b.Fatal(err)
		}
	}
	if err := j.Record(action("now")); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkActionsOfAmongOld(b *testing.B) {
	j := newJournal(b)
	fillOld(b, j)
	for b.Loop() {
		if got, err := j.ActionsOf(b.Context(), "ada", start); err != nil || len(got) != 1 {
			b.Fatal(len(got), err)
		}
	}
}

func BenchmarkNewestAmongOld(b *testing.B) {
	j := newJournal(b)
	fillOld(b, j)
	for b.Loop() {
		if _, err := j.Newest(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpenJournal(b *testing.B) {
	for _, old := range []bool{false, true} {
		b.Run(fmt.Sprintf("old=%t", old), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "journal.db")
			j := openJournal(b, path)
			if old {
				fillOld(b, j)
			}
			if err := j.Close(); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				j, err := OpenJournal(path)
				if err != nil {
					b.Fatal(err)
				}
				if err := j.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSaveUnchangedSchedule(b *testing.B) {
	c := newCache(b)
	s := someSchedule()
	for b.Loop() {
		s.AsOf = s.AsOf.Add(time.Second)
		if err := c.SaveSchedule("ada", s); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkKeepJournal(b *testing.B) {
	path := filepath.Join(b.TempDir(), "journal.db")
	if err := keep(b, path).Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := keep(b, path).Close(); err != nil {
			b.Fatal(err)
		}
	}
}
