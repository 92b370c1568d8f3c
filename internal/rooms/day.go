package rooms

import "time"

// DayStart returns the first instant of the calendar day that t falls on in the zone, moved on by
// so many days. On nights when the clocks skip midnight that is the instant of the skip.
func DayStart(t time.Time, zone *time.Location, days int) time.Time {
	y, m, d := t.In(zone).Date()
	noon := time.Date(y, m, d+days, 12, 0, 0, 0, zone)
	y, m, d = noon.Date()
	start := time.Date(y, m, d, 0, 0, 0, 0, zone)
	if start.Day() != d { // 00:00 doesn't exist, and time.Date chose the offset before the skip
		_, start = start.ZoneBounds()
	}
	return start
}

// Window is what a room's schedule covers: today and tomorrow in the room's zone.
func Window(now time.Time, zone *time.Location) (from, to time.Time) {
	return DayStart(now, zone, 0), DayStart(now, zone, 2)
}
