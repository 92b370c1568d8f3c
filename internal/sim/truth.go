package sim

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// keptChanges is how many changes of one calendar are remembered.
const keptChanges = 4096

// Truth is what was true of a room from an instant until before another one.
type Truth struct {
	From, To time.Time
	Running  []Running // by start and id; more than one where the room is booked twice, empty where it is free
}

// Running is an event that takes the room.
type Running struct {
	EventID    string // as on the [Calendar]
	Start, End time.Time
	CheckedIn  bool
}

// Free tells whether nothing takes the room.
func (t Truth) Free() bool { return len(t.Running) == 0 }

// Runs tells whether the event takes the room, and whether it is checked in.
func (t Truth) Runs(eventID string) (running, checkedIn bool) {
	for _, r := range t.Running {
		if r.EventID == eventID {
			return true, r.CheckedIn
		}
	}
	return false, false
}

// Truths are consecutive. The last one includes the instant of its end.
type Truths []Truth

// EverFree tells whether there was an instant at which nothing took the room.
func (ts Truths) EverFree() bool { return slices.ContainsFunc(ts, Truth.Free) }

// EverRan tells whether there was an instant at which the event took the room and was checked in, or
// was not.
func (ts Truths) EverRan(eventID string, checkedIn bool) bool {
	return slices.ContainsFunc(ts, func(t Truth) bool {
		running, in := t.Runs(eventID)
		return running && in == checkedIn
	})
}

// Truth tells what was true of a calendar's room at an instant. False: it isn't known, because the
// instant is still to come or too long ago.
func (w *World) Truth(calendarID string, at time.Time) (Truth, bool) {
	list, ok := w.Calendar.truths(calendarID, at, at)
	if !ok {
		return Truth{}, false
	}
	return list[0], true
}

// TruthSince tells what was true of a calendar's room from an instant until now.
func (w *World) TruthSince(calendarID string, since time.Time) (Truths, bool) {
	return w.TruthBetween(calendarID, since, w.clock.Now())
}

// TruthBetween tells what was true of a calendar's room at the instants of [from, to]: the moments at
// which something was changed count, not those that the changes speak of. A release whose effect came
// at 10:05:30.7 leaves the room taken until then, though the event ends at 10:05:30. False: a part of
// it isn't known; see [World.Truth].
func (w *World) TruthBetween(calendarID string, from, to time.Time) (Truths, bool) {
	return w.Calendar.truths(calendarID, from, to)
}

// truths asks the chronicle of a calendar.
func (c *Calendar) truths(calendarID string, from, to time.Time) (Truths, bool) {
	defer c.lock()()
	b, ok := c.books[calendarID]
	if !ok || to.Before(from) || to.After(c.clock.Now()) || from.Before(b.past.since) {
		return nil, false
	}
	return b.past.truths(from, to), true
}

// chronicle is what one calendar's events were like, and when. It knows everything from since on.
type chronicle struct {
	since   time.Time
	before  map[string]entry // as it was at since; what could still matter later
	changes []entry          // by their instants
}

// entry is an event from an instant on.
type entry struct {
	at         time.Time
	id         string
	takes      bool // the room; false also for an event that is gone
	start, end time.Time
	checkedIn  time.Time
}

// now notes what an event is like from an instant on.
func (c *chronicle) now(at time.Time, e Event, zone *time.Location) {
	start, end := e.Span(zone)
	takes := !e.Transparent && e.Status != Cancelled && (e.Kind == Ordinary || e.Kind == FromMail) && !e.DeclinedByRoom()
	c.note(entry{at, e.ID, takes, start, end, e.CheckedIn})
}

// gone notes that there is no such event from an instant on.
func (c *chronicle) gone(at time.Time, id string) { c.note(entry{at: at, id: id}) }

// note adds an entry. What was ordered for an instant before the last change, because its reason came
// up only now, counts from that change on: others have seen the calendar as it was then.
func (c *chronicle) note(e entry) {
	if n := len(c.changes); n > 0 && e.at.Before(c.changes[n-1].at) {
		e.at = c.changes[n-1].at
	}
	c.changes = append(c.changes, e)
	if len(c.changes) > keptChanges+keptChanges/10 {
		c.fold(len(c.changes) - keptChanges)
	}
}

// fold forgets when the first n changes were made.
func (c *chronicle) fold(n int) {
	if c.before == nil {
		c.before = map[string]entry{}
	}
	for _, e := range c.changes[:n] {
		c.before[e.id] = e
	}
	c.since = c.changes[n-1].at
	c.changes = slices.Clone(c.changes[n:])
	maps.DeleteFunc(c.before, func(_ string, e entry) bool { return !e.takes || !e.end.After(c.since) })
}

// truths goes through [from, to] from one instant at which something changes to the next.
func (c *chronicle) truths(from, to time.Time) Truths {
	current, ahead := maps.Clone(c.before), c.changes
	if current == nil {
		current = map[string]entry{}
	}
	var list Truths
	for _, at := range c.instants(from, to) {
		for len(ahead) > 0 && !ahead[0].at.After(at) {
			current[ahead[0].id], ahead = ahead[0], ahead[1:]
		}
		running := runningAt(current, at)
		if n := len(list); n > 0 {
			if slices.Equal(list[n-1].Running, running) {
				continue
			}
			list[n-1].To = at
		}
		list = append(list, Truth{at, to, running})
	}
	return list
}

// instants are those of [from, to] at which something may change, and from.
func (c *chronicle) instants(from, to time.Time) []time.Time {
	all := []time.Time{from}
	add := func(e entry) {
		for _, at := range []time.Time{e.at, e.start, e.end, e.checkedIn} {
			if at.After(from) && !at.After(to) {
				all = append(all, at)
			}
		}
	}
	for _, e := range c.before {
		add(e)
	}
	for _, e := range c.changes {
		add(e)
	}
	slices.SortFunc(all, time.Time.Compare)
	return slices.CompactFunc(all, time.Time.Equal)
}

// runningAt are the events that take the room at an instant.
func runningAt(events map[string]entry, at time.Time) []Running {
	var list []Running
	for _, e := range events {
		if e.takes && !e.start.After(at) && e.end.After(at) {
			in := !e.checkedIn.IsZero() && !e.checkedIn.After(at)
			list = append(list, Running{e.id, e.start, e.end, in})
		}
	}
	slices.SortFunc(list, func(a, b Running) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.EventID, b.EventID))
	})
	return list
}
