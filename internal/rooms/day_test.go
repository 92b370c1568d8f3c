package rooms

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A day starts at its first instant, also where there is no midnight and where there are two.
func TestDayStart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone := genZone(t)
		at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(seconds(t, 0, 365*86400, "at"))
		n := rapid.IntRange(-2, 2).Draw(t, "days")
		y, m, d := at.In(zone).Date()
		want := time.Date(y, m, d+n, 12, 0, 0, 0, zone)
		got := DayStart(at, zone, n)
		if got.In(zone).YearDay() != want.YearDay() || got.Add(-time.Nanosecond).In(zone).YearDay() == want.YearDay() {
			t.Fatalf("DayStart(%v, %d) = %v", at.In(zone), n, got)
		}
	})
}

func TestDayStartWithoutMidnight(t *testing.T) {
	for name, noon := range map[string]string{"Africa/Cairo": "2026-04-24 12", "America/Santiago": "2026-09-06 12"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.ParseInLocation("2006-01-02 15", noon, zone)
		if err != nil {
			t.Fatal(err)
		}
		if got := DayStart(at, zone, 0).Format("2006-01-02 15:04"); got != noon[:10]+" 01:00" {
			t.Errorf("%s: the day on which the clocks skip midnight starts at %s", name, got)
		}
	}
}

func TestWindowLength(t *testing.T) {
	for _, c := range []struct {
		zone, day string
		hours     float64
	}{
		{"Europe/Berlin", "2026-11-23", 48},
		{"Europe/Berlin", "2026-03-29", 47},
		{"Europe/Berlin", "2026-10-25", 49},
		{"America/Havana", "2026-11-01", 49}, // its midnight comes twice: the first counts
		{"Pacific/Auckland", "2026-04-05", 49},
		{"Pacific/Auckland", "2026-09-27", 47},
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		noon, err := time.ParseInLocation("2006-01-02 15", c.day+" 12", zone)
		if err != nil {
			t.Fatal(err)
		}
		if from, to := Window(noon, zone); to.Sub(from).Hours() != c.hours {
			t.Errorf("%s %s: %v to %v", c.zone, c.day, from, to)
		}
	}
}
