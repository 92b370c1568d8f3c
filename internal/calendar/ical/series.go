package ical

import (
	"errors"
	"slices"
	"time"
)

// series is all components of one UID: mostly a single event, or one with a rule and the exceptions
// from it. Several that aren't exceptions break the rules, but come; none may hide another.
type series struct {
	uid    string
	mains  []*event
	others []*event // exceptions, in the order of the text
}

// add takes in a component. Of versions of the same, the highest SEQUENCE holds, then the last.
func (s *series) add(e *event) {
	if e.slot != nil {
		s.others = append(s.others, e)
		return
	}
	if len(s.mains) > 0 && e.occurrence.Sequence != s.mains[0].occurrence.Sequence {
		if e.occurrence.Sequence > s.mains[0].occurrence.Sequence {
			s.mains = []*event{e}
		}
		return
	}
	for i, main := range s.mains {
		if main.start == e.start {
			s.mains[i] = e
			return
		}
	}
	s.mains = append(s.mains, e)
}

// key names the original slot of an instance: an instant, or a day.
type key struct {
	date bool
	unix int64 // of the instant, or of the day's midnight as if in UTC
}

func (k key) String() string {
	t := time.Unix(k.unix, 0).UTC()
	if k.date {
		return t.Format("20060102")
	}
	return t.Format("20060102T150405Z")
}

// slot is a place of a series: where an instance is unless an exception moved it.
type slot struct {
	wall, at time.Time // by the series' clock
	span     *span     // its own length, of an RDATE with a PERIOD
}

func (c clock) key(s slot) key {
	if c.date {
		return key{true, s.wall.Unix()}
	}
	return key{false, s.at.Unix()}
}

// keys are slots that are excluded. A day excludes all slots of that day.
type keys map[key]bool

func (k keys) has(c clock, s slot) bool {
	return k[c.key(s)] || k[key{true, midnight(s.wall).Unix()}]
}

// exceptions are a series' exceptions by the slots that they replace.
type exceptions struct {
	single map[key]exception
	future []future // by slot
}

type exception struct {
	*event
	clock  clock // of its start
	length span
}

// future is an exception that goes for all later slots, too.
type future struct {
	exception
	at    time.Time // its slot
	shift time.Duration
}

// exceptions sorts the exceptions of a series with that clock. A RECURRENCE-ID is the same slot in
// whatever zone it is written; one that is a day, of a series with times, is any slot of that day.
func (x *expander) exceptions(s *series, c clock) exceptions {
	found := exceptions{single: map[key]exception{}}
	for _, e := range s.others {
		k := x.keyOf(*e.slot, c)
		if old, known := found.single[k]; known && e.occurrence.Sequence < old.occurrence.Sequence {
			continue
		}
		own := x.zones.clock(e.start)
		length, err := x.length(e, own)
		if err != nil {
			x.broken(s.uid, err)
			continue
		}
		found.single[k] = exception{e, own, length}
	}
	for _, e := range found.single {
		if e.andFuture {
			found.future = append(found.future, x.future(e, c))
		}
	}
	slices.SortFunc(found.future, func(a, b future) int { return a.at.Compare(b.at) })
	return found
}

func (x *expander) keyOf(s stamp, c clock) key {
	wall, at := x.zones.on(s, c)
	if s.date || c.date {
		return key{true, wall.Unix()}
	}
	return key{false, at.Unix()}
}

// future works out by how much an exception moves its slot on the wall, for it moves all later ones
// by as much (RFC 5545, section 3.8.4.4).
func (x *expander) future(e exception, c clock) future {
	_, at := x.zones.on(*e.slot, c)
	return future{exception: e, at: at, shift: e.start.wall.Sub(e.clock.showing(at, c))}
}

// start is where it puts a later slot.
func (f *future) start(s slot, c clock) (wall, at time.Time) {
	wall = f.clock.showing(s.at, c).Add(f.shift)
	if f.clock.date {
		wall = midnight(wall)
	}
	return wall, f.clock.at(wall)
}

// showing is what a clock shows at the instant of a slot of another. Where midnight is skipped, days
// don't begin with it, and are days all the same.
func (c clock) showing(at time.Time, of clock) time.Time {
	if of.date {
		return of.wall(at)
	}
	return asWall(at, c.loc)
}

// of returns what replaces a slot, if an exception for it or an earlier one does.
func (o *exceptions) of(k key, s slot) (single bool, later *future) {
	day := key{true, midnight(s.wall).Unix()}
	_, single = o.single[k]
	_, onDay := o.single[day]
	if single || onDay {
		return true, nil
	}
	for i := range o.future {
		if !o.future[i].at.After(s.at) {
			later = &o.future[i]
		}
	}
	return false, later
}

// length is how long an event is. One with a DTEND is so long exactly, one with a DURATION as long
// on the calendar (RFC 5545, section 3.8.5.3); without either it is a day, or no time at all
// (section 3.6.1).
func (x *expander) length(e *event, c clock) (span, error) {
	switch {
	case e.span != nil:
		return *e.span, nil
	case e.end == nil:
		return span{}, nil // for days, at least one
	}
	var s span
	if c.date {
		wall, _ := x.zones.on(*e.end, c)
		s.days = int(wall.Sub(e.start.wall).Hours() / 24)
	} else {
		s.exact = x.zones.at(*e.end).Sub(c.at(e.start.wall))
	}
	if s.days < 0 || s.exact < 0 {
		return s, errors.New("an event that ends before it starts")
	}
	if s.rough() > maxSpan {
		return s, errors.New("an event of many years")
	}
	return s, nil
}
