package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"roomkiosk/internal/rooms"
	"roomkiosk/internal/store"
)

func TestOrdersReachTheGuest(t *testing.T) {
	want := orders{do: toTap, folder: "kiosk", since: time.UnixMicro(1234567)}
	got, err := ordersOf(strings.Fields(want.String()))
	if err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for _, words := range [][]string{nil, {toTap, "kiosk"}, {toTap, "kiosk", "now"}} {
		if _, err := ordersOf(words); err == nil {
			t.Errorf("%q were taken", words)
		}
	}
}

// A line stays one line, whatever is told, and the cut breaks off the last one.
func TestLines(t *testing.T) {
	guest, host := net.Pipe()
	p := &powered{lines: make(chan string)}
	go p.listen(host)
	go func() {
		l := &line{w: guest}
		l.tell(toldFault, errors.New("one\ntwo"))
		l.tell(toldAcknowledged, "id", rooms.CheckIn, rooms.Queued)
		fmt.Fprint(guest, "acknowledged half")
		_ = guest.Close()
	}()
	var got []string
	for l := range p.lines {
		got = append(got, l)
	}
	if want := []string{"fault one | two", "acknowledged id check_in queued"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// journalOf makes a journal with two taps in it, as a kiosk does.
func journalOf(t *testing.T, folder string) string {
	t.Helper()
	path := filepath.Join(folder, "journal.db")
	j, err := store.OpenJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	for i, id := range []string{"old", "young"} {
		err := j.Record(rooms.Action{
			ID: id, Room: "ada", Kind: rooms.CheckIn, State: rooms.Queued, TappedAt: time.UnixMicro(int64(1000 * (i + 1))),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func TestLookTellsWhatTheJournalHolds(t *testing.T) {
	dir := t.TempDir()
	folder := filepath.Join(dir, "kiosk")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	journalOf(t, folder)
	if err := os.WriteFile(filepath.Join(folder, "cache.db"), nil, 0o600); err != nil { // a cut before anything reached the disk
		t.Fatal(err)
	}
	for since, want := range map[int64]string{
		0:    "held old check_in queued\nheld young check_in queued\n",
		2000: "held young check_in queued\n",
		2001: "",
	} {
		var told bytes.Buffer
		if err := look(context.Background(), &line{w: &told}, dir, time.UnixMicro(since)); err != nil || told.String() != want {
			t.Errorf("since %d: %q, %v, want %q", since, told.String(), err, want)
		}
	}
}

func TestLookFindsDamage(t *testing.T) {
	dir := t.TempDir()
	folder := filepath.Join(dir, "kiosk")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	path := journalOf(t, folder)
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	var page int64
	err = db.QueryRowContext(t.Context(), "SELECT rootpage FROM sqlite_schema WHERE name = 'actions_of_room'").Scan(&page)
	_ = db.Close()
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.WriteAt(make([]byte, 4096), (page-1)*4096)
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	var told bytes.Buffer
	if err := look(context.Background(), &line{w: &told}, dir, time.Time{}); err != nil || !strings.HasPrefix(told.String(), "unsound "+path) {
		t.Errorf("%q, %v", told.String(), err)
	}
}
