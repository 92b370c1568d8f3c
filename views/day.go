package views

import (
	"strconv"
	"time"

	"roomkiosk/internal/rooms"
)

// Day is a line with what is booked today, and lists of what comes.
type Day struct {
	Line     *Line // nil without a schedule
	Sections []Section
}

// Section is a day's list.
type Section struct {
	ID      string
	Heading string
	Count   string // "3 meetings"
	Empty   string // what to say where there are no rows
	Rows    []Meeting
}

// dayOf lists today. Panels show what is still to come, and tomorrow once that is nothing; viewers
// show both days whole.
func dayOf(s rooms.Screen, o Options) Day {
	clockUnknown := s.Has(rooms.FlagClockUntrusted)
	if s.AsOf.IsZero() || s.Status == rooms.Unknown && !clockUnknown {
		return Day{Sections: []Section{{ID: "today", Heading: say("day.today"), Empty: say("day.not_known")}}}
	}
	if clockUnknown {
		return someDay(s, o)
	}
	tomorrow := rooms.DayStart(s.Today, s.Room.Zone, 1)
	after := rooms.DayStart(s.Today, s.Room.Zone, 2)
	today := Section{ID: "today", Heading: say("day.today"), Rows: rowsOf(s, o, s.Today, tomorrow)}
	today.Count = countOf(len(today.Rows))
	if len(today.Rows) == 0 {
		today.Empty = say("day.rest_free")
		if len(lineBlocks(s, s.Today, tomorrow)) == 0 {
			today.Empty = say("day.all_free")
		}
	}
	d := Day{Line: lineOf(s, tomorrow), Sections: []Section{today}}
	next := Section{ID: "tomorrow", Heading: say("day.tomorrow"), Rows: rowsOf(s, o, tomorrow, after)}
	if len(next.Rows) > 0 && (!o.Panel || len(today.Rows) == 0) {
		next.Count = countOf(len(next.Rows))
		d.Sections = append(d.Sections, next)
	}
	return d
}

// someDay lists the day that the clock says it is, and doesn't claim that it is today's: without the
// time, what is over can't be told either.
func someDay(s rooms.Screen, o Options) Day {
	sec := Section{ID: "undated", Heading: date(s.Today, s.Room.Zone)}
	tomorrow := rooms.DayStart(s.Today, s.Room.Zone, 1)
	for _, b := range s.Bookings {
		if !b.Start.Before(tomorrow) || b.Start.Before(s.Today) && !b.End.After(s.Today) {
			continue
		}
		m := meetingOf(b, s, o)
		if b.Phase != rooms.CheckedIn && b.Phase != rooms.Released {
			m.Kind = "later"
		}
		sec.Rows = append(sec.Rows, m)
	}
	sec.Count = countOf(len(sec.Rows))
	if len(sec.Rows) == 0 {
		sec.Empty = say("day.not_known")
	}
	return Day{Sections: []Section{sec}}
}

// rowsOf are the reservations that begin in [from, to), and those running today that began before.
func rowsOf(s rooms.Screen, o Options, from, to time.Time) []Meeting {
	subject := subjectOf(s)
	var rows []Meeting
	for _, b := range s.Bookings {
		over := b.Phase == rooms.Ended || b.Phase == rooms.Released
		carried := b.Start.Before(s.Today) && from.Equal(s.Today)
		if !b.Start.Before(to) || b.Start.Before(from) && !carried {
			continue
		}
		if o.Panel && (over || subject != nil && subject.ID == b.ID) {
			continue
		}
		rows = append(rows, meetingOf(b, s, o))
	}
	return rows
}

func countOf(n int) string {
	switch n {
	case 0:
		return ""
	case 1:
		return say("day.count.one")
	default:
		return say("day.count.many", "n", strconv.Itoa(n))
	}
}
