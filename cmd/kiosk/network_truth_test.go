package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"roomkiosk/internal/rooms"
	"roomkiosk/internal/sim"
)

// meeting is an event that blocks a room, as far as truth is about it.
type meeting struct {
	id         string
	start, end time.Time
}

func (m meeting) runs(at time.Time) bool { return !m.start.After(at) && at.Before(m.end) }

func (m meeting) String() string {
	return fmt.Sprintf("%s %s-%s", m.id, m.start.Format(time.TimeOnly), m.end.Format(time.TimeOnly))
}

// moment is what was on a calendar from an instant on, until the next moment.
type moment struct {
	at       time.Time
	meetings []meeting // that block the room, by start and id
	known    map[string]sim.Event
}

func (m moment) String() string {
	all := make([]string, len(m.meetings))
	for i, e := range m.meetings {
		all[i] = e.String()
	}
	return m.at.Format("15:04:05.000") + " [" + strings.Join(all, ", ") + "]"
}

// meeting returns the meeting of that id. False: it doesn't block the room.
func (m moment) meeting(id string) (meeting, bool) {
	i := slices.IndexFunc(m.meetings, func(e meeting) bool { return e.id == id })
	if i < 0 {
		return meeting{}, false
	}
	return m.meetings[i], true
}

func blocks(e sim.Event) bool {
	return e.Status != sim.Cancelled && !e.Transparent && !e.DeclinedByRoom()
}

// look takes down what changed on the calendar since it was looked at last, each change at its
// instant. It has to be called before people change an event, so that no change hides another.
func (n *torture) look(d *door) {
	var changed []sim.Event
	known := map[string]sim.Event{}
	if len(d.past) > 0 {
		known = d.past[len(d.past)-1].known
	}
	for _, e := range n.world.Calendar.Events(d.calendarID) {
		if old, ok := known[e.ID]; !ok || old.Version != e.Version {
			changed = append(changed, e)
		}
	}
	slices.SortFunc(changed, func(a, b sim.Event) int { return a.Updated.Compare(b.Updated) })
	for _, e := range changed {
		m := moment{at: latest(e.Updated, d.looked), known: make(map[string]sim.Event, len(known)+1)}
		for id, other := range known {
			m.known[id] = other
		}
		m.known[e.ID] = e
		for _, other := range m.known {
			if blocks(other) {
				m.meetings = append(m.meetings, meeting{other.ID, other.Start, other.End})
			}
		}
		slices.SortFunc(m.meetings, func(a, b meeting) int {
			if c := a.start.Compare(b.start); c != 0 {
				return c
			}
			return strings.Compare(a.id, b.id)
		})
		n.noteChange(d, known[e.ID], e)
		d.past = append(d.past, m)
		known = m.known
	}
	d.looked = n.clock.Now()
	d.forget(d.looked)
}

// forget drops what nobody can claim any more, so that a long run doesn't slow down.
func (d *door) forget(now time.Time) {
	keep := now.Add(-3 * time.Hour)
	for len(d.past) > 1 && d.past[1].at.Before(keep) {
		d.past = d.past[1:]
	}
}

func (n *torture) noteChange(d *door, old, e sim.Event) {
	switch {
	case old.ID == "":
		n.note("%s's calendar: %s is new", d.id, meeting{e.ID, e.Start, e.End})
	case old.Status != e.Status:
		n.note("%s's calendar: %s is %s", d.id, e.ID, e.Status)
	case !old.Start.Equal(e.Start) || !old.End.Equal(e.End):
		n.note("%s's calendar: %s, it was %s", d.id, meeting{e.ID, e.Start, e.End}, meeting{old.ID, old.Start, old.End})
	case !old.CheckedIn.Equal(e.CheckedIn):
		n.note("%s's calendar: %s is checked in", d.id, e.ID)
	}
}

// tortureSlack is how far the instants of changes may be from those that are known of them: the
// stand-ins carry out in whole seconds.
const tortureSlack = 2 * time.Second

// between returns what was on the calendar at any time from one instant to another.
func (d *door) between(from, to time.Time) []moment {
	from, to = from.Add(-tortureSlack), to.Add(tortureSlack)
	var out []moment
	for i, m := range d.past {
		over := i+1 < len(d.past) && !d.past[i+1].at.After(from)
		if !over && !m.at.After(to) {
			out = append(out, m)
		}
	}
	return out
}

// shows tells whether a claimed schedule is that of a moment. An event without any length blocks
// nothing, and calendars don't agree on whether it is there.
func (m moment) shows(c *claim, from, to time.Time) bool {
	var want, got []string
	for _, e := range m.meetings {
		if e.start.Before(e.end) && e.start.Before(to) && e.end.After(from) {
			want = append(want, e.String())
		}
	}
	for _, r := range c.Reservations {
		if r.Start.Before(r.End) {
			got = append(got, meeting{r.Title, r.Start, r.End}.String())
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	return slices.Equal(want, got)
}

// belief is what people's taps amount to for a meeting.
type belief struct{ in, out bool }

// beliefs are what may hold for a meeting: mostly one. It is several where people changed the
// meeting after a tap: whether that tap still counts depends on details that this test leaves to
// others.
func (n *torture) beliefs(d *door, m meeting) []belief {
	held := []belief{{}}
	for _, t := range n.taps {
		if t.door != d || t.event != m.id || !t.acted() || !t.blurred && !m.start.Before(t.pinned.end) {
			continue
		}
		after := belief{in: true}
		if t.kind == rooms.Release {
			after = belief{out: true}
		}
		next := []belief{after}
		if t.blurred || n.reshapedSince(m.id, t.at) {
			next = append(next, belief{})
			next = append(next, held...)
		}
		held = next
	}
	slices.SortFunc(held, func(a, b belief) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return slices.Compact(held)
}

// statuses are what a door may say at an instant about the meetings of a moment.
func (n *torture) statuses(d *door, m moment, now time.Time) []rooms.Status {
	said := []rooms.Status{rooms.Available}
	for _, e := range m.meetings {
		opens := e.start.Add(-rooms.DefaultOpensBefore)
		if !now.Before(e.end) || now.Before(opens) {
			continue
		}
		var next []rooms.Status
		for _, b := range n.beliefs(d, e) {
			for _, s := range said {
				next = append(next, weightier(s, statusWith(e, b, now)))
			}
		}
		slices.Sort(next)
		said = slices.Compact(next)
	}
	return said
}

func statusWith(e meeting, b belief, now time.Time) rooms.Status {
	switch {
	case b.out:
		return rooms.Available
	case now.Before(e.start):
		return rooms.StartingSoon
	case b.in:
		return rooms.InUse
	default:
		return rooms.AwaitingCheckIn
	}
}

// weightier returns the one of two statuses that a door says when both meetings are there.
func weightier(a, b rooms.Status) rooms.Status {
	order := []rooms.Status{rooms.Available, rooms.StartingSoon, rooms.AwaitingCheckIn, rooms.InUse}
	if slices.Index(order, a) < slices.Index(order, b) {
		return b
	}
	return a
}
