package ical

import (
	_ "embed"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // small systems come without the zones' rules, and would show every meeting hours off
)

//go:embed windowszones.txt
var windowsZones string

// windowsZone is the IANA name for a zone's name in Windows, in any case; empty: no such name.
func windowsZone(name string) string {
	for line := range strings.Lines(windowsZones) {
		windows, iana, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if strings.EqualFold(windows, name) {
			return iana
		}
	}
	return ""
}

// ianaZone finds a zone by its IANA name, also behind a prefix such as
// /freeassociation.sourceforge.net/Tzfile/ or /softwarestudio.org/Olson_20011030_5/.
func ianaZone(name string) (*time.Location, bool) {
	prefixed := strings.HasPrefix(name, "/")
	parts := strings.Split(strings.Trim(name, "/"), "/")
	if !prefixed {
		if zone, ok := load(name); ok || len(parts) < 3 {
			return zone, ok
		}
	}
	for n := min(3, len(parts)); n > 0 && (n > 1 || prefixed); n-- {
		if zone, ok := load(strings.Join(parts[len(parts)-n:], "/")); ok {
			return zone, true
		}
	}
	return nil, false
}

// load is time.LoadLocation without what it takes for the zone of the machine, or for UTC.
func load(name string) (*time.Location, bool) {
	if name == "" || strings.EqualFold(name, "local") {
		return nil, false
	}
	zone, err := time.LoadLocation(name)
	return zone, err == nil
}

// zones turns the names of time zones into zones, each name once.
type zones struct {
	room    *time.Location
	rules   map[string]*zoneRules // the calendar's own definitions
	horizon time.Time             // up to which they have to be known
	budget  *budget
	found   map[string]*time.Location
	unknown []string
}

// named tries the name itself, then the one that the calendar says it stands for, then the names
// that Windows uses, then the calendar's own rules. The rules come last as they are often those of
// one year only.
func (z *zones) named(name string) *time.Location {
	if name == "" {
		return z.room
	}
	if zone, ok := z.found[name]; ok {
		return zone
	}
	zone, ok := z.find(name)
	if !ok {
		zone = z.room
		z.unknown = append(z.unknown, name)
		slices.Sort(z.unknown)
	}
	z.found[name] = zone
	return zone
}

func (z *zones) find(name string) (*time.Location, bool) {
	if zone, ok := ianaZone(name); ok {
		return zone, true
	}
	rules := z.rules[name]
	if rules != nil {
		if zone, ok := ianaZone(rules.location); ok {
			return zone, true
		}
	}
	if zone, ok := load(windowsZone(name)); ok {
		return zone, true
	}
	if rules == nil {
		return nil, false
	}
	zone, err := rules.zone(z.horizon, z.budget)
	return zone, err == nil
}

// clock is how a time is meant.
func (z *zones) clock(s stamp) clock {
	switch {
	case s.date:
		return clock{date: true, loc: z.room}
	case s.utc:
		return clock{loc: time.UTC}
	default:
		return clock{loc: z.named(s.zone)}
	}
}

// at is the instant of a time.
func (z *zones) at(s stamp) time.Time { return z.clock(s).at(s.wall) }

// on reads a time by another clock: what that shows, and the instant. Days stay the days that they
// are, whatever the zone; a day for a clock with times is its midnight there.
func (z *zones) on(s stamp, c clock) (wall, at time.Time) {
	switch {
	case s.date || c.date && !s.utc:
		wall = midnight(s.wall)
		return wall, c.at(wall)
	default:
		at = z.at(s)
		wall = c.wall(at)
		if c.date {
			at = c.at(wall)
		}
		return wall, at
	}
}
