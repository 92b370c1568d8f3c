package ical

import (
	"time"

	"roomkiosk/internal/rooms"
)

// clock says how the wall times of an event are meant: as whole days of the room, or in a zone.
type clock struct {
	date bool
	loc  *time.Location
}

// at is the instant of a wall time.
func (c clock) at(wall time.Time) time.Time {
	if c.date {
		return dayStart(wall, c.loc)
	}
	return instant(wall, c.loc)
}

// wall is what the clock shows at an instant.
func (c clock) wall(at time.Time) time.Time {
	t := asWall(at, c.loc)
	if c.date {
		t = midnight(t)
	}
	return t
}

// end is when something of that length ends. Days are counted on the calendar, so that a day at
// which the clocks change counts as one; what is less than days is exact.
func (c clock) end(wall, at time.Time, s span) time.Time {
	switch {
	case c.date:
		return dayStart(wall.AddDate(0, 0, s.wholeDays()), c.loc)
	case s.days > 0:
		at = instant(asWall(at, c.loc).AddDate(0, 0, s.days), c.loc) // from when it really is: wall may be skipped
	}
	return at.Add(s.exact)
}

// wholeDays is the length of something that begins with a day.
func (s span) wholeDays() int {
	const day = 24 * time.Hour
	return max(1, s.days+int((s.exact+day-1)/day))
}

// dayStart is when the day begins in the zone.
func dayStart(wall time.Time, zone *time.Location) time.Time {
	y, m, d := wall.Date()
	return rooms.DayStart(time.Date(y, m, d, 12, 0, 0, 0, zone), zone, 0).UTC()
}

// instant is when a clock in the zone shows that time. A time that comes twice is the first of the
// two; one that is skipped is read with the offset from before the clocks changed, so that 02:30
// becomes 03:30 (RFC 5545, section 3.3.5). That is why it isn't [time.Date], which promises neither.
func instant(wall time.Time, zone *time.Location) time.Time {
	if zone == time.UTC {
		return wall
	}
	before, after := offset(wall.Add(-24*time.Hour), zone), offset(wall.Add(24*time.Hour), zone)
	first := wall.Add(-before)
	if before == after || offset(first, zone) == before {
		return first
	}
	if second := wall.Add(-after); offset(second, zone) == after {
		return second
	}
	return first
}

func offset(at time.Time, zone *time.Location) time.Duration {
	_, seconds := at.In(zone).Zone()
	return time.Duration(seconds) * time.Second
}

// asWall is what a clock in the zone shows, as if it were UTC.
func asWall(at time.Time, zone *time.Location) time.Time {
	return at.UTC().Add(offset(at, zone))
}

func midnight(wall time.Time) time.Time {
	y, m, d := wall.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
