package caldav

import (
	"slices"
	"strings"
	"time"

	"roomkiosk/internal/calendar/ical"
)

// localLayout is a local time (RFC 5545, section 3.3.5, forms 1 and 3).
const localLayout = "20060102T150405"

// parts is an object taken apart.
type parts struct {
	lines   []line
	events  []event
	rest    []line // neither event nor part of one: time zones, mostly
	newline string
	zone    *time.Location // of the room
}

func takeApart(text []byte, zone *time.Location) *parts {
	p := &parts{lines: splitLines(text), newline: "\n", zone: zone}
	if len(p.lines) > 0 && strings.HasSuffix(p.lines[0].raw, "\r\n") {
		p.newline = "\r\n"
	}
	p.events, p.rest = events(p.lines)
	return p
}

// replace returns the object's text with another event in the place of one of its own.
func (p *parts) replace(old, by event) []byte {
	end := old.at + len(old.lines)
	return joinLines(slices.Concat(p.lines[:old.at], by.lines, p.lines[end:]))
}

// insert returns the object's text with another event behind one of its own.
func (p *parts) insert(after, more event) []byte {
	end := after.at + len(after.lines)
	return joinLines(slices.Concat(p.lines[:end], more.lines, p.lines[end:]))
}

// instant is what a time of the object means: a value with the parameters of a property. Package
// ical is asked with a text that has the object's time zones and only that time.
func (p *parts) instant(like line, value string) (time.Time, bool) {
	near, err := time.ParseInLocation(localLayout, strings.TrimSuffix(value, "Z"), time.UTC)
	if err != nil || len(p.rest) < 2 {
		return time.Time{}, false
	}
	probe := []line{
		fold("BEGIN:VEVENT", p.newline), fold("UID:probe", p.newline), fold("DTSTAMP:20000101T000000Z", p.newline),
		p.property("DTSTART", like, value), fold("END:VEVENT", p.newline),
	}
	last := len(p.rest) - 1
	cal, err := ical.Parse(joinLines(slices.Concat(p.rest[:last], probe, p.rest[last:])))
	if err != nil {
		return time.Time{}, false
	}
	x := cal.Expand(near.AddDate(0, 0, -2), near.AddDate(0, 0, 2), p.zone)
	for _, o := range x.Occurrences {
		if o.UID == "probe" {
			return o.Start, true
		}
	}
	return time.Time{}, false
}

// property makes a property with the parameters of another one.
func (p *parts) property(name string, like line, value string) line {
	return fold(strings.Join(append([]string{name}, like.params()...), ";")+":"+value, p.newline)
}

// utc makes a property of an instant.
func (p *parts) utc(name string, at time.Time) line {
	return fold(name+":"+at.UTC().Format(utcLayout), p.newline)
}

// date tells whether a property is a date rather than a time.
func (l line) date() bool { return len(l.value()) == len("20060102") }

// like makes a property of an instant in the form of another one: a date, a local time in a
// zone or without one, or in UTC. Where a zone has no local time for it, it is in UTC.
func (p *parts) like(name string, like line, at time.Time) line {
	value := like.value()
	switch {
	case like.date():
		return p.property(name, like, at.In(p.zone).Format("20060102"))
	case strings.HasSuffix(value, "Z"):
		return p.property(name, like, at.UTC().Format(utcLayout))
	case like.param("TZID") == "":
		return p.property(name, like, at.In(p.zone).Format(localLayout))
	}
	if local, ok := p.local(like, at); ok {
		return p.property(name, like, local)
	}
	return p.utc(name, at)
}

// local finds the local time of an instant in the zone of a property. The offset is first taken to
// be that of the property's own time, and corrected by what comes out.
func (p *parts) local(like line, at time.Time) (string, bool) {
	value := like.value()
	for range 4 {
		wall, err := time.ParseInLocation(localLayout, value, time.UTC)
		if err != nil {
			return "", false
		}
		means, ok := p.instant(like, value)
		switch {
		case !ok:
			return "", false
		case means.Equal(at):
			return value, true
		}
		value = at.Add(wall.Sub(means)).UTC().Format(localLayout)
	}
	return "", false
}
