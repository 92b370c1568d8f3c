package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"roomkiosk/internal/rooms"
)

// start is an instant with as much precision as a column keeps.
var start = time.Date(2026, 11, 23, 9, 0, 0, 123456000, time.UTC)

func action(id string) rooms.Action {
	return rooms.Action{
		ID: id, Room: "ada", Kind: rooms.CheckIn, Reservation: "r-" + id,
		Ref:   rooms.EventRef{EventID: "e", ChangeKey: "k", ResourceEmail: "ada@example.com", CalendarID: "c"},
		Start: start, End: start.Add(time.Hour), Origin: "panel", TappedAt: start,
		State: rooms.Queued, DueAt: start, ExpiresAt: start.Add(time.Hour), UpdatedAt: start,
	}
}

func record(t *testing.T, j *Journal, actions ...rooms.Action) {
	t.Helper()
	if err := j.Record(actions...); err != nil {
		t.Fatal(err)
	}
}

func actionsOf(t *testing.T, j *Journal, room string, since time.Time) []rooms.Action {
	t.Helper()
	got, err := j.ActionsOf(t.Context(), room, since)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func idsOf(actions []rooms.Action) []string {
	var ids []string
	for _, a := range actions {
		ids = append(ids, a.ID)
	}
	return ids
}

func TestRecordKeepsWhatWasTapped(t *testing.T) {
	j := newJournal(t)
	first := action("a")
	record(t, j, first)

	changed := first
	changed.Room, changed.Kind, changed.Reservation, changed.Origin = "bob", rooms.Release, "other", "api"
	changed.Ref = rooms.EventRef{EventID: "other"}
	changed.Start, changed.End, changed.TappedAt = start.Add(1e9), start.Add(2e9), start.Add(3e9)
	changed.State, changed.Reason, changed.Attempts = rooms.Failed, rooms.ReasonGone, 3
	changed.DueAt, changed.ExpiresAt, changed.UpdatedAt = time.Time{}, start.Add(2*time.Hour), start.Add(time.Minute)
	record(t, j, changed)

	want := first
	want.State, want.Reason, want.Attempts = changed.State, changed.Reason, changed.Attempts
	want.DueAt, want.ExpiresAt, want.UpdatedAt = changed.DueAt, changed.ExpiresAt, changed.UpdatedAt
	if diff := cmp.Diff([]rooms.Action{want}, actionsOf(t, j, "ada", start)); diff != "" {
		t.Error(diff)
	}
}

func TestActionsOf(t *testing.T) {
	j := newJournal(t)
	with := func(id string, state rooms.ActionState, tapped, expires time.Duration) rooms.Action {
		a := action(id)
		a.State, a.TappedAt, a.ExpiresAt = state, start.Add(tapped), start.Add(expires)
		return a
	}
	elsewhere := action("elsewhere")
	elsewhere.Room = "bob"
	record(t, j,
		with("late", rooms.Queued, 2*time.Minute, time.Hour),
		with("twin-1", rooms.Queued, time.Minute, time.Hour),
		with("twin-0", rooms.Sent, time.Minute, time.Hour),
		with("open-expired", rooms.Held, 0, -time.Hour),
		with("done", rooms.Confirmed, 3*time.Minute, time.Hour),
		with("done-at-since", rooms.Confirmed, 3*time.Minute, 0),
		with("done-expired", rooms.Accepted, 3*time.Minute, -time.Microsecond),
		elsewhere,
	)
	want := []string{"open-expired", "twin-1", "twin-0", "late", "done"}
	if diff := cmp.Diff(want, idsOf(actionsOf(t, j, "ada", start))); diff != "" {
		t.Error(diff)
	}
	if got := actionsOf(t, j, "nobody", start); got != nil {
		t.Errorf("actions of an unknown room: %v", got)
	}
}

// The states that Open names are those that a room's actions are always found by.
func TestOpenActionsAreFound(t *testing.T) {
	j := newJournal(t)
	all := []rooms.ActionState{
		rooms.Held, rooms.Queued, rooms.Sent, rooms.Accepted, rooms.Confirmed,
		rooms.Failed, rooms.Expired, rooms.Undone, rooms.Superseded,
	}
	var open []string
	for _, state := range all {
		a := action(string(state))
		a.State = state
		record(t, j, a)
		if state.Open() {
			open = append(open, a.ID)
		}
	}
	if diff := cmp.Diff(open, idsOf(actionsOf(t, j, "ada", start.AddDate(1, 0, 0)))); diff != "" {
		t.Error(diff)
	}
}

func TestRecordAllOrNone(t *testing.T) {
	j := newJournal(t)
	known := action("known")
	record(t, j, known)

	changed := known
	changed.State = rooms.Superseded
	nameless := action("")
	if err := j.Record(changed, action("new"), nameless); err == nil {
		t.Fatal("an action without an id was recorded")
	}
	if diff := cmp.Diff([]rooms.Action{known}, actionsOf(t, j, "ada", time.Time{})); diff != "" {
		t.Error(diff)
	}
	record(t, j, changed, action("new"))
}

func TestRecordNothing(t *testing.T) {
	if err := newJournal(t).Record(); err != nil {
		t.Error(err)
	}
}

// Any sequence of records, read by the same or a later process, gives the same actions.
func TestRecordRoundTrip(t *testing.T) {
	dir := t.TempDir()
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		path := filepath.Join(dir, fmt.Sprintf("%d.db", n))
		j, err := OpenJournal(path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = j.Close() }()
		var want model
		for range rapid.IntRange(0, 6).Draw(t, "batches") {
			batch := rapid.SliceOfN(anyAction(), 0, 4).Draw(t, "batch")
			if err := j.Record(batch...); err != nil {
				t.Fatal(err)
			}
			want.record(batch)
			if rapid.Bool().Draw(t, "reopen") {
				j = reopen(t, j, path)
			}
		}
		since := anyInstant().Draw(t, "since")
		for _, room := range []string{"ada", "bob"} {
			got, err := j.ActionsOf(context.Background(), room, since)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.actionsOf(room, since), got); diff != "" {
				t.Error(diff)
			}
		}
		if got, err := j.Newest(context.Background()); err != nil || !got.Equal(want.newest()) {
			t.Errorf("newest %v, %v; want %v", got, err, want.newest())
		}
	})
}

func reopen(t *rapid.T, j *Journal, path string) *Journal {
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := OpenJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// model is what a journal should hold, in the order of insertion.
type model []rooms.Action

func (m *model) record(batch []rooms.Action) {
	for _, a := range batch {
		i := slices.IndexFunc(*m, func(b rooms.Action) bool { return b.ID == a.ID })
		if i < 0 {
			*m = append(*m, a)
			continue
		}
		k := &(*m)[i]
		k.State, k.Reason, k.Attempts = a.State, a.Reason, a.Attempts
		k.DueAt, k.ExpiresAt, k.UpdatedAt = a.DueAt, a.ExpiresAt, a.UpdatedAt
	}
}

func (m model) actionsOf(room string, since time.Time) []rooms.Action {
	var found []rooms.Action
	for _, a := range m {
		if a.Room == room && (a.State.Open() || a.ExpiresAt.After(since)) {
			found = append(found, a)
		}
	}
	slices.SortStableFunc(found, func(a, b rooms.Action) int { return a.TappedAt.Compare(b.TappedAt) })
	return found
}

func (m model) newest() time.Time {
	var newest time.Time
	for _, a := range m {
		for _, at := range []time.Time{a.TappedAt, a.UpdatedAt} {
			if at.After(newest) {
				newest = at
			}
		}
	}
	return newest
}

func anyInstant() *rapid.Generator[time.Time] {
	return rapid.Map(rapid.Int64Range(-5, 5), func(n int64) time.Time { return start.Add(time.Duration(n) * time.Microsecond) })
}

func anyAction() *rapid.Generator[rooms.Action] {
	states := []rooms.ActionState{rooms.Held, rooms.Queued, rooms.Sent, rooms.Accepted, rooms.Confirmed, rooms.Failed}
	return rapid.Custom(func(t *rapid.T) rooms.Action {
		text := func(label string) string { return rapid.String().Draw(t, label) }
		instant := func(label string) time.Time { return anyInstant().Draw(t, label) }
		return rooms.Action{
			ID:          rapid.SampledFrom([]string{"1", "2", "3", "4", "5"}).Draw(t, "id"),
			Room:        rapid.SampledFrom([]string{"ada", "bob"}).Draw(t, "room"),
			Kind:        rapid.SampledFrom([]rooms.ActionKind{rooms.CheckIn, rooms.Release}).Draw(t, "kind"),
			Reservation: text("reservation"),
			Ref: rooms.EventRef{
				EventID: text("event"), ChangeKey: text("key"), ResourceEmail: text("resource"), CalendarID: text("calendar"),
			},
			Start: instant("start"), End: instant("end"), Origin: text("origin"), TappedAt: instant("tapped"),
			State:     rapid.SampledFrom(states).Draw(t, "state"),
			Reason:    rooms.Reason(text("reason")),
			DueAt:     rapid.OneOf(rapid.Just(time.Time{}), anyInstant()).Draw(t, "due"),
			ExpiresAt: instant("expires"), Attempts: rapid.IntRange(0, 9).Draw(t, "attempts"), UpdatedAt: instant("updated"),
		}
	})
}

func TestNewestOfEmptyJournal(t *testing.T) {
	if got, err := newJournal(t).Newest(t.Context()); err != nil || !got.IsZero() {
		t.Errorf("got %v, %v", got, err)
	}
}

// A room's actions are found by searches of the index, however many rows there are.
func TestActionsOfSearchesTheIndex(t *testing.T) {
	j := newJournal(t)
	rows, err := j.db.read.Query("EXPLAIN QUERY PLAN "+selectActions, "ada", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var plan []string
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		plan = append(plan, detail)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	all := strings.Join(plan, "\n")
	if strings.Contains(all, "SCAN actions") || strings.Count(all, "SEARCH actions USING INDEX actions_of_room") != 2 {
		t.Errorf("plan:\n%s", all)
	}
}

func TestPrune(t *testing.T) {
	j := newJournal(t)
	with := func(id string, state rooms.ActionState, expires, updated time.Duration) rooms.Action {
		a := action(id)
		a.State, a.ExpiresAt, a.UpdatedAt = state, start.Add(expires), start.Add(updated)
		return a
	}
	record(t, j,
		with("open", rooms.Queued, -1e9, -1e9),
		with("expires-at", rooms.Confirmed, 0, -1e9),
		with("updated-at", rooms.Confirmed, -1e9, 0),
	)
	var old []rooms.Action
	for i := range 2*batch + 1 {
		old = append(old, with(fmt.Sprint(i), rooms.Failed, -1e9, -1e9))
	}
	record(t, j, old...)
	record(t, j, with("last", rooms.Confirmed, 1e9, 1e9))
	if err := j.Prune(start); err != nil {
		t.Fatal(err)
	}
	want := []string{"open", "expires-at", "updated-at", "last"}
	if diff := cmp.Diff(want, idsOf(actionsOf(t, j, "ada", time.Time{}))); diff != "" {
		t.Error(diff)
	}
	before := footprint(t, j.db)
	if err := j.Prune(start); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, footprint(t, j.db)); diff != "" {
		t.Errorf("pruning nothing wrote something:\n%s", diff)
	}
}

func TestRecordUnchangedWritesNothing(t *testing.T) {
	j := newJournal(t)
	a := action("a")
	a.DueAt = time.Time{}
	record(t, j, a)
	before := footprint(t, j.db)
	record(t, j, a)
	if diff := cmp.Diff(before, footprint(t, j.db)); diff != "" {
		t.Error(diff)
	}
	a.Attempts++
	record(t, j, a)
	if cmp.Equal(before, footprint(t, j.db)) {
		t.Error("a change left no trace: the comparison is blind")
	}
}

// A reader that gives up disturbs nobody.
func TestCancelledRead(t *testing.T) {
	j := newJournal(t)
	record(t, j, action("a"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := j.ActionsOf(ctx, "ada", start); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if got := actionsOf(t, j, "ada", start); len(got) != 1 {
		t.Errorf("got %d actions", len(got))
	}
}
