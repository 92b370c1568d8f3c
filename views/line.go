package views

import (
	"time"

	"roomkiosk/internal/rooms"
)

// Line is the day drawn to scale, from Start to End.
type Line struct {
	Start, End string // RFC 3339, for the script that moves the mark of now
	Said       string
	Minutes    int // width of the drawing
	Now        int
	Blocks     []Block
	Hours      []string // evenly spread labels, the first at the start, the last at the end
}

// Block is a reservation on the line, in minutes from its start.
type Block struct {
	ID       string
	X, Width int
	Kind     string
}

// What the line shows at least, in hours of the day; and how many labels it has at most.
const (
	workStart = 8
	workEnd   = 18
	maxSteps  = 6
)

// lineOf draws the part of the screen's day that matters: working hours, every reservation, and now.
func lineOf(s rooms.Screen, tomorrow time.Time) *Line {
	blocks := lineBlocks(s, s.Today, tomorrow)
	first, last := hourOf(s.Now, s), hourOf(s.Now, s)+1
	first, last = min(first, workStart), max(last, workEnd)
	for _, b := range blocks {
		first = min(first, hourOf(later(b.Start, s.Today), s))
		last = max(last, hourOf(earlier(b.End, tomorrow).Add(-time.Second), s)+1)
	}
	step := 2
	for roundUp(last-first, step)/step > maxSteps {
		step *= 2
	}
	last = first + roundUp(last-first, step)
	if limit := roundUp(hourOf(tomorrow, s), step); last > limit {
		first, last = max(0, first-(last-limit)), limit
	}
	start := s.Today.Add(time.Duration(first) * time.Hour)
	end := s.Today.Add(time.Duration(last) * time.Hour)
	return drawn(s, blocks, start, end, time.Duration(step)*time.Hour)
}

func drawn(s rooms.Screen, blocks []rooms.Booking, start, end time.Time, step time.Duration) *Line {
	l := &Line{
		Start: stamp(start), End: stamp(end),
		Minutes: minutes(end.Sub(start)), Now: minutes(s.Now.Sub(start)),
		Said: say("day.line", "from", clock(start, s.Room.Zone), "to", clock(end, s.Room.Zone)),
	}
	for t := start; !t.After(end); t = t.Add(step) {
		l.Hours = append(l.Hours, hourLabel(t, end, s.Room.Zone))
	}
	for _, b := range blocks {
		from, to := later(b.Start, start), earlier(b.End, end)
		if w := minutes(to.Sub(from)); w > 0 {
			l.Blocks = append(l.Blocks, Block{ID: b.ID, X: minutes(from.Sub(start)), Width: w, Kind: kindOf(b, s)})
		}
	}
	return l
}

// lineBlocks are the reservations that touch [from, to) and weren't given back.
func lineBlocks(s rooms.Screen, from, to time.Time) []rooms.Booking {
	var blocks []rooms.Booking
	for _, b := range s.Bookings {
		if b.Start.Before(to) && b.End.After(from) && b.Phase != rooms.Released {
			blocks = append(blocks, b)
		}
	}
	return blocks
}

// hourOf counts the hours of the screen's day until t, by the clock that doesn't jump: on the two
// nights of the year when it does, labels show what the wall clock says then.
func hourOf(t time.Time, s rooms.Screen) int { return int(t.Sub(s.Today) / time.Hour) }

// roundUp returns the next multiple of step.
func roundUp(n, step int) int { return (n + step - 1) / step * step }

func hourLabel(t, end time.Time, zone *time.Location) string {
	text := t.In(zone).Format("15")
	if t.Equal(end) && text == "00" {
		return "24"
	}
	return text
}

func minutes(d time.Duration) int { return int(d / time.Minute) }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
