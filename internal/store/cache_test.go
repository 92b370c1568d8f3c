package store

import (
	"bytes"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"roomkiosk/internal/rooms"
)

func openCache(t testing.TB, path string) *Cache {
	t.Helper()
	c, _ := openCacheLogged(t, path)
	return c
}

func openCacheLogged(t testing.TB, path string) (*Cache, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	c, err := OpenCache(path, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c, &log
}

func newCache(t testing.TB) *Cache {
	t.Helper()
	return openCache(t, filepath.Join(t.TempDir(), "cache.db"))
}

func someSchedule() rooms.Schedule {
	return rooms.Schedule{
		Source: "google", From: start, To: start.AddDate(0, 0, 2), AsOf: start,
		Reservations: []rooms.Reservation{
			{ID: "r1", Ref: rooms.EventRef{EventID: "e1", ChangeKey: "k"}, Start: start, End: start.Add(time.Hour), Title: "Wöchentlich <b>", Organizer: "Jane"},
			{ID: "r2", Ref: rooms.EventRef{EventID: "e2"}, Start: start.Add(time.Hour), End: start.Add(time.Hour), AllDay: true, Private: true, Tentative: true},
		},
	}
}

func save(t *testing.T, c *Cache, room string, s rooms.Schedule) {
	t.Helper()
	if err := c.SaveSchedule(room, s); err != nil {
		t.Fatal(err)
	}
}

func scheduleOf(t *testing.T, c *Cache, room string) rooms.Schedule {
	t.Helper()
	s, err := c.Schedule(t.Context(), room)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestScheduleRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache.db")
	c := openCache(t, path)
	if _, err := c.Schedule(t.Context(), "ada"); !errors.Is(err, rooms.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	want := someSchedule()
	save(t, c, "ada", want)
	save(t, c, "bob", rooms.Schedule{Source: "dav", AsOf: start})
	if diff := cmp.Diff(want, scheduleOf(t, c, "ada")); diff != "" {
		t.Error(diff)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	c = openCache(t, path)
	if diff := cmp.Diff(want, scheduleOf(t, c, "ada")); diff != "" {
		t.Error(diff)
	}
	if got := scheduleOf(t, c, "bob"); got.Reservations == nil || len(got.Reservations) != 0 {
		t.Errorf("got %+v", got)
	}
}

// Whatever is saved, unchanged or not, before or after a stop: the last save is what is read.
func TestScheduleIsTheLastSaved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache.db")
	c := openCache(t, path)
	anySchedule := rapid.Custom(func(t *rapid.T) rooms.Schedule {
		s := someSchedule()
		s.AsOf = anyInstant().Draw(t, "as of")
		s.Source = rapid.SampledFrom([]string{"google", "graph"}).Draw(t, "source")
		s.From = rapid.SampledFrom([]time.Time{start, start.AddDate(0, 0, 1)}).Draw(t, "from")
		s.Reservations = s.Reservations[:rapid.IntRange(0, 2).Draw(t, "reservations")]
		return s
	})
	rapid.Check(t, func(t *rapid.T) {
		want := map[string]rooms.Schedule{}
		for range rapid.IntRange(1, 12).Draw(t, "saves") {
			room, s := rapid.SampledFrom([]string{"ada", "bob"}).Draw(t, "room"), anySchedule.Draw(t, "schedule")
			if err := c.SaveSchedule(room, s); err != nil {
				t.Fatal(err)
			}
			want[room] = s
			if rapid.IntRange(0, 4).Draw(t, "stop") > 0 {
				continue
			}
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			if err := c.open(patience); err != nil {
				t.Fatal(err)
			}
		}
		for room, s := range want {
			got, err := c.Schedule(t.Context(), room)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(s, got); diff != "" {
				t.Error(diff)
			}
		}
	})
}

func TestUnchangedScheduleWritesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache.db")
	c := openCache(t, path)
	s := someSchedule()
	save(t, c, "ada", s)
	before := footprint(t, c.db.Load())
	berlin := time.FixedZone("CET", 3600)
	for range 100 {
		s.AsOf = s.AsOf.Add(15 * time.Second)
		s.Reservations[0].Start = s.Reservations[0].Start.In(berlin) // the same instant
		save(t, c, "ada", s)
	}
	if diff := cmp.Diff(before, footprint(t, c.db.Load())); diff != "" {
		t.Error(diff)
	}
	if got := scheduleOf(t, c, "ada").AsOf; !got.Equal(s.AsOf) {
		t.Errorf("as of %v, want %v", got, s.AsOf)
	}
	if got, err := c.Newest(t.Context()); err != nil || !got.Equal(s.AsOf) {
		t.Errorf("newest %v, %v; want %v", got, err, s.AsOf)
	}
	stored := ask[int64](t, c.db.Load().read, "SELECT as_of FROM schedules")
	if !instant(stored).Equal(start) {
		t.Errorf("the file says %v", instant(stored))
	}

	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	c = openCache(t, path)
	if got := scheduleOf(t, c, "ada").AsOf; !got.Equal(s.AsOf) {
		t.Errorf("after a stop: as of %v, want %v", got, s.AsOf)
	}
	// A later process knows the content too:
	before = footprint(t, c.db.Load())
	save(t, c, "ada", s)
	if diff := cmp.Diff(before, footprint(t, c.db.Load())); diff != "" {
		t.Error(diff)
	}
}

func TestChangedScheduleIsWritten(t *testing.T) {
	changes := map[string]func(*rooms.Schedule){
		"source":       func(s *rooms.Schedule) { s.Source = "graph" },
		"from":         func(s *rooms.Schedule) { s.From = s.From.AddDate(0, 0, 1) },
		"to":           func(s *rooms.Schedule) { s.To = s.To.AddDate(0, 0, 1) },
		"change key":   func(s *rooms.Schedule) { s.Reservations[0].Ref.ChangeKey = "k2" },
		"end":          func(s *rooms.Schedule) { s.Reservations[0].End = start.Add(time.Minute) },
		"title":        func(s *rooms.Schedule) { s.Reservations[0].Title = "Daily" },
		"fewer":        func(s *rooms.Schedule) { s.Reservations = s.Reservations[:1] },
		"nothing left": func(s *rooms.Schedule) { s.Reservations = nil },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			c := newCache(t)
			save(t, c, "ada", someSchedule())
			before := footprint(t, c.db.Load())
			s := someSchedule()
			change(&s)
			save(t, c, "ada", s)
			if cmp.Equal(before, footprint(t, c.db.Load())) {
				t.Error("nothing was written")
			}
		})
	}
}

// A calendar that was read under a clock that was ahead doesn't stay young for years.
func TestScheduleOfAClockThatWentBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache.db")
	c := openCache(t, path)
	s := someSchedule()
	s.AsOf = start.AddDate(10, 0, 0)
	save(t, c, "ada", s)
	s.AsOf = start
	save(t, c, "ada", s)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	c = openCache(t, path)
	if got := scheduleOf(t, c, "ada").AsOf; !got.Equal(start) {
		t.Errorf("as of %v", got)
	}
	if got, err := c.Newest(t.Context()); err != nil || !got.Equal(start) {
		t.Errorf("newest %v, %v", got, err)
	}
}

func TestProfileRoundTrip(t *testing.T) {
	c := newCache(t)
	if _, err := c.Profile(t.Context(), "ada"); !errors.Is(err, rooms.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	for _, want := range []rooms.Profile{
		{},
		{CheckIn: rooms.CheckInSettings{Required: new(true), OpensBefore: new(5 * time.Minute), ClosesAfter: new(time.Duration(0))}, UnderConstruction: true},
		{CheckIn: rooms.CheckInSettings{Required: new(false)}},
		{CheckIn: rooms.CheckInSettings{ClosesAfter: new(time.Hour)}},
	} {
		for i := range 2 {
			before := footprint(t, c.db.Load())
			if err := c.SaveProfile("ada", want); err != nil {
				t.Fatal(err)
			}
			if written := footprint(t, c.db.Load()) != before; written != (i == 0) {
				t.Errorf("save %d of %+v: written is %v", i, want, written)
			}
		}
		got, err := c.Profile(t.Context(), "ada")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

// A schedule that was read from the file just before another was saved is as old as it is.
func TestAgeGoesWithContent(t *testing.T) {
	c := newCache(t)
	s := someSchedule()
	s.AsOf = start.Add(time.Hour)
	save(t, c, "ada", s)
	if got := c.lastRead("ada", [32]byte{1}, start); !got.Equal(start) {
		t.Errorf("got %v", got)
	}
}
