package ical

import (
	"cmp"
	"slices"
	"time"
)

// expander collects the occurrences of a window.
type expander struct {
	from, to time.Time
	zones    zones
	budget   *budget
	out      Expansion
}

// slack is how far what a wall shows can be from UTC, and more.
const slack = 48 * time.Hour

// series adds the occurrences of a series, and says what of it is broken.
func (x *expander) series(s *series) {
	if len(s.mains) == 0 {
		x.orphans(s)
		return
	}
	for i, main := range s.mains {
		if err := x.main(s, main, i == 0); err != nil {
			x.broken(s.uid, err)
		}
	}
}

func (x *expander) broken(uid string, err error) {
	x.out.Broken = append(x.out.Broken, Broken{UID: shortUID(uid), Err: err})
}

// orphans adds exceptions without their series: servers send them alone to people who were invited
// to single instances only.
func (x *expander) orphans(s *series) {
	c := x.zones.clock(*s.others[0].slot)
	x.singles(x.exceptions(s, c), c, nil)
}

// main adds an event with all its instances; the first of several, the exceptions, too.
func (x *expander) main(s *series, main *event, first bool) error {
	c := x.zones.clock(main.start)
	length, err := x.length(main, c)
	if err != nil {
		return err
	}
	if len(main.rules)+len(main.extras)+len(s.others) == 0 {
		start := c.at(main.start.wall)
		id := main.uid
		if len(s.mains) > 1 {
			id += "/" + c.key(slot{wall: main.start.wall, at: start}).String()
		}
		x.add(main, id, time.Time{}, start, c.end(main.start.wall, start, length), c.date)
		return nil
	}
	o := x.exceptions(s, c)
	slots, excluded, err := x.slots(main, c, o.reach(length))
	if first {
		x.singles(o, c, excluded)
	}
	for _, place := range slots {
		if !excluded.has(c, place) {
			x.instance(main, c, length, o, place)
		}
	}
	return err
}

// instance adds what is at a slot of a series, unless an exception of its own replaces it, wherever
// that one is.
func (x *expander) instance(main *event, c clock, length span, o exceptions, s slot) {
	k := c.key(s)
	single, later := o.of(k, s)
	if single {
		return
	}
	id := main.uid + "/" + k.String()
	if later != nil {
		wall, start := later.start(s, c)
		x.add(later.event, id, s.at, start, later.clock.end(wall, start, later.length), later.clock.date)
		return
	}
	if s.span != nil {
		length = *s.span
	}
	x.add(main, id, s.at, s.at, c.end(s.wall, s.at, length), c.date)
}

// singles adds the exceptions themselves. One for a slot that is excluded is left over from before:
// there is no such instance (RFC 5545, section 3.8.5.1).
func (x *expander) singles(o exceptions, series clock, excluded keys) {
	for k, e := range o.single {
		var place slot
		place.wall, place.at = x.zones.on(*e.slot, series)
		if excluded.has(series, place) {
			continue
		}
		start := e.clock.at(e.start.wall)
		end := e.clock.end(e.start.wall, start, e.length)
		x.add(e.event, e.uid+"/"+k.String(), place.at, start, end, e.clock.date)
	}
}

// reach is how far before the window a slot may be and still have an instance in it, and how far
// after it.
func (o *exceptions) reach(length span) (r reach) {
	r.before = length.rough()
	for i := range o.future {
		f := &o.future[i]
		r.before = max(r.before, f.shift+f.length.rough())
		r.after = max(r.after, -f.shift)
	}
	return r
}

type reach struct{ before, after time.Duration }

// slots returns the slots of a series around the window, and the keys that EXDATE excludes. There
// are no slots if there is an error.
func (x *expander) slots(main *event, c clock, r reach) (map[key]slot, keys, error) {
	excluded := keys{}
	for _, s := range main.excluded {
		excluded[x.keyOf(s, c)] = true
	}
	found := map[key]slot{}
	put := func(s slot) { found[c.key(s)] = s }
	lo, hi := x.from.Add(-r.before-slack), x.to.Add(r.after+slack)
	first := len(main.rules) == 0
	for i := range main.rules {
		walls, err := x.walk(&main.rules[i], main, c, lo, hi)
		if err != nil {
			return nil, excluded, err
		}
		for _, wall := range walls {
			put(slot{wall: wall, at: c.at(wall)})
		}
		first = first || x.within(main.rules[i].until, c)(main.start.wall)
	}
	if first { // it is the first instance whether a rule makes it or not
		put(slot{wall: main.start.wall, at: c.at(main.start.wall)})
	}
	for i := range main.extras {
		put(x.extra(&main.extras[i], main, c))
	}
	for i := range main.except {
		walls, err := x.walk(&main.except[i], main, c, lo, hi)
		if err != nil {
			return nil, excluded, err
		}
		for _, wall := range walls {
			excluded[c.key(slot{wall: wall, at: c.at(wall)})] = true
		}
	}
	return found, excluded, nil
}

func (x *expander) walk(r *rule, main *event, c clock, lo, hi time.Time) ([]time.Time, error) {
	w := walk{rule: r, start: main.start.wall, lo: lo, hi: hi, until: x.within(r.until, c), budget: x.budget}
	return w.starts()
}

// within tells whether a start is not after a rule's UNTIL, which it may be on. UNTIL has to be a
// day for days, an instant for times in a zone, and local for floating ones (RFC 5545, section
// 3.3.10). Where it isn't, days are compared if either is one, else what the wall shows.
func (x *expander) within(until *stamp, c clock) func(wall time.Time) bool {
	switch {
	case until == nil:
		return func(time.Time) bool { return true }
	case until.date || c.date:
		last := midnight(until.wall)
		return func(wall time.Time) bool { return !midnight(wall).After(last) }
	case until.utc:
		return func(wall time.Time) bool { return !c.at(wall).After(until.wall) }
	default:
		return func(wall time.Time) bool { return !wall.After(until.wall) }
	}
}

// extra is the slot of an RDATE. A day, for a series with times, is at the series' time of day.
func (x *expander) extra(e *extra, main *event, c clock) slot {
	var s slot
	s.wall, s.at = x.zones.on(e.start, c)
	if e.start.date && !c.date {
		s.wall = s.wall.Add(main.start.wall.Sub(midnight(main.start.wall)))
		s.at = c.at(s.wall)
	}
	s.span = e.span
	if e.end != nil {
		s.span = &span{exact: max(0, min(maxSpan, x.zones.at(*e.end).Sub(s.at)))}
	}
	return s
}

// add adds an occurrence if it touches the window.
func (x *expander) add(e *event, id string, recurrence, start, end time.Time, allDay bool) {
	if !start.Before(x.to) || !end.After(x.from) && !start.Equal(x.from) {
		return
	}
	o := e.occurrence
	o.ID, o.RecurrenceID, o.Start, o.End, o.AllDay = id, recurrence.UTC(), start.UTC(), end.UTC(), allDay
	if recurrence.IsZero() {
		o.RecurrenceID = time.Time{}
	}
	x.out.Occurrences = append(x.out.Occurrences, o)
}

func (e *Expansion) sort() {
	slices.SortStableFunc(e.Occurrences, func(a, b Occurrence) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.ID, b.ID))
	})
}
