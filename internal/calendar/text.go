package calendar

import (
	"fmt"
	"strings"
	"time"

	"roomkiosk/internal/rooms"
)

// MaxText bounds titles and names as they are taken over from a calendar, in characters. It only
// keeps absurd ones out of memory; how much is shown is decided elsewhere.
const MaxText = 1000

// Clip cuts a text after n characters, into a copy that doesn't hold on to the rest.
func Clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for i := range s {
		if n == 0 {
			return strings.Clone(s[:i])
		}
		n--
	}
	return s
}

// Date reads a date, "2026-11-23", as the instant at which that day begins in the zone. It is how
// the days of an all-day event are meant: not as midnight in UTC, or on the host. Days at which the
// clocks change come out 23 or 25 hours long by themselves.
func Date(text string, zone *time.Location) (time.Time, error) {
	day, err := time.ParseInLocation(time.DateOnly, text, time.UTC)
	if err != nil {
		return time.Time{}, fmt.Errorf("not a date: %q", Clip(text, 40))
	}
	y, m, d := day.Date()
	noon := time.Date(y, m, d, 12, 0, 0, 0, zone)
	return rooms.DayStart(noon, zone, 0).UTC(), nil
}
