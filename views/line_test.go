package views

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"roomkiosk/internal/rooms"
)

func TestLine(t *testing.T) {
	for _, c := range []struct {
		name     string
		now      string
		meetings []rooms.Reservation
		hours    string
		blocks   []Block
	}{
		{"empty", "12:00", nil, "08 10 12 14 16 18", nil},
		{"early bird", "07:30", nil, "07 09 11 13 15 17 19", nil},
		{"late now", "20:30", nil, "08 12 16 20 24", nil},
		{"one", "12:00", []rooms.Reservation{meeting("a", "10:00", "10:30", "", "")}, "08 10 12 14 16 18", []Block{{"a", 120, 30, "overdue"}}},
		{"before work", "12:00", []rooms.Reservation{meeting("a", "06:15", "07:00", "", "")}, "06 08 10 12 14 16 18", []Block{{"a", 15, 45, "ended"}}},
		{"until late", "12:00", []rooms.Reservation{meeting("a", "19:00", "20:00", "", "")}, "08 10 12 14 16 18 20", []Block{{"a", 660, 60, "later"}}},
		{"all day", "12:00", []rooms.Reservation{allDay()}, "00 04 08 12 16 20 24", []Block{{"offsite", 0, 1440, "overdue"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := sample("", at(c.now), with(c.meetings...)).Screen
			l := lineOf(s, rooms.DayStart(s.Today, s.Room.Zone, 1))
			if got := strings.Join(l.Hours, " "); got != c.hours {
				t.Errorf("hours %s, want %s", got, c.hours)
			}
			for i, b := range c.blocks {
				if i >= len(l.Blocks) || l.Blocks[i].X != b.X || l.Blocks[i].Width != b.Width || l.Blocks[i].ID != b.ID {
					t.Errorf("blocks %v, want %v", l.Blocks, c.blocks)
				}
			}
		})
	}
}

// TestLineHolds draws lines of random days, those of clock changes included: everything on today
// stays within the drawing, and the labels are as far apart as they are drawn.
func TestLineHolds(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		zone := sampleZone()
		today := time.Date(2026, time.Month(rapid.IntRange(3, 10).Draw(rt, "month")), rapid.IntRange(22, 31).Draw(rt, "day"), 0, 0, 0, 0, zone)
		in := rooms.Inputs{Room: sampleRoom()}
		in.Schedule = rooms.Schedule{From: today, To: today.AddDate(0, 0, 2), AsOf: today}
		in.Schedule.Reservations = rapid.SliceOfN(reservations(today), 0, 5).Draw(rt, "reservations")
		s := rooms.ScreenOf(in, today.Add(time.Duration(rapid.IntRange(0, 22*60).Draw(rt, "now"))*time.Minute))
		tomorrow := rooms.DayStart(s.Today, zone, 1)
		l := lineOf(s, tomorrow)
		if l.Now < 0 || l.Now > l.Minutes {
			rt.Errorf("now at %d of %d minutes", l.Now, l.Minutes)
		}
		if steps := len(l.Hours) - 1; l.Minutes%steps != 0 || l.Minutes/steps%120 != 0 || steps > maxSteps+1 {
			rt.Errorf("%d labels over %d minutes", len(l.Hours), l.Minutes)
		}
		shown := 0
		for _, b := range lineBlocks(s, s.Today, tomorrow) {
			if b.End.After(b.Start) {
				shown++
			}
		}
		if shown != len(l.Blocks) {
			rt.Errorf("%d of %d reservations drawn", len(l.Blocks), shown)
		}
		for _, b := range l.Blocks {
			if b.X < 0 || b.Width <= 0 || b.X+b.Width > l.Minutes {
				rt.Errorf("block at %d+%d of %d minutes", b.X, b.Width, l.Minutes)
			}
		}
	})
}

func TestMoments(t *testing.T) {
	s := sample("", at("17:40")).Screen
	for _, c := range []struct{ at, want string }{
		{"2026-11-24T17:45:00+01:00", "17:45"},
		{"2026-11-25T09:30:00+01:00", "tomorrow 09:30"},
		{"2026-11-26T00:00:00+01:00", "Thu 26 Nov 00:00"},
		{"2026-11-24T23:30:00Z", "tomorrow 00:30"},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := moment(at, s); got != c.want {
			t.Errorf("%s: %q, want %q", c.at, got, c.want)
		}
	}
}
