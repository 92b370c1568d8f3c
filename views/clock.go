package views

import (
	"time"

	"roomkiosk/internal/rooms"
)

// clock is the time of day at the door.
func clock(t time.Time, zone *time.Location) string { return t.In(zone).Format("15:04") }

// stamp is an instant for scripts and datetime attributes.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// day is the first instant of t's day at the door.
func day(t time.Time, zone *time.Location) time.Time { return rooms.DayStart(t, zone, 0) }

// moment is a time for people who know what day it is: the time today, else the day with it.
func moment(t time.Time, s rooms.Screen) string {
	zone := s.Room.Zone
	switch d := day(t, zone); {
	case d.Equal(day(s.Now, zone)):
		return clock(t, zone)
	case d.Equal(rooms.DayStart(s.Now, zone, 1)):
		return say("time.tomorrow", "time", clock(t, zone))
	default:
		return t.In(zone).Format("Mon 2 Jan 15:04")
	}
}

// edge is a reservation's start or end as seen on the screen's day: "10:30", "Tue 10:30" on other days.
func edge(t time.Time, on time.Time, zone *time.Location) string {
	if day(t, zone).Equal(on) {
		return clock(t, zone)
	}
	return t.In(zone).Format("Mon 15:04")
}

// endOf is a reservation's end likewise. Of one that goes past midnight into the small hours everybody
// knows which night it is.
func endOf(r rooms.Reservation, on time.Time, zone *time.Location) string {
	if day(r.Start, zone).Equal(on) && r.End.Sub(r.Start) < 12*time.Hour {
		return clock(r.End, zone)
	}
	return edge(r.End, on, zone)
}

// Countdown is an instant that a script counts down to. Texts hold {h} and {n}.
type Countdown struct {
	At                            string // RFC 3339
	Seconds, Minutes, Hours, Past string // what to show when so much is left
	Text                          string // what stands there without a script
}

// timer makes a countdown out of a family of texts. Without a script it shows text.
func timer(family key, at time.Time, text string) *Countdown {
	return &Countdown{
		At:      stamp(at),
		Seconds: say(family + ".seconds"), Minutes: say(family + ".minutes"), Hours: say(family + ".hours"),
		Past: say("timer.past"),
		Text: text,
	}
}
