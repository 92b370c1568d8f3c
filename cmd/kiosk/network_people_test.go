package main

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"roomkiosk/internal/rooms"
	"roomkiosk/internal/sim"
)

// pressed is a tap that the kiosk was asked for, and what became of it as far as anybody was told.
type pressed struct {
	door        *door
	kind        rooms.ActionKind
	reservation string
	event       string
	pinned      meeting // as the panel showed it
	id          string  // of the action; empty: no answer came, so it may or may not exist
	at          time.Time
	elsewhere   bool // in the room or on Zoom's own display; the kiosk heard of it
	undone      bool // somebody was told so
	maybeUndone bool // somebody asked for it, and no answer came
	said        claimedAction
	prior       rooms.ActionState // the state before that of said
	since       time.Time         // when said's state was claimed first
	seen        bool              // in a claim
	blurred     bool              // the schedule changed as it was tapped: what was pinned is not known
}

// acted tells whether the tap counts now, by what is claimed of it.
func (t *pressed) acted() bool { return t.id != "" && t.said.State.Effective() }

// planned keeps the next two hours of a calendar filled.
func (n *torture) planned(d *door) {
	now := n.clock.Now()
	if d.planned.IsZero() {
		d.planned = now.Add(-20 * time.Minute)
	}
	for d.planned.Before(now.Add(2 * time.Hour)) {
		gap := time.Duration(0)
		if n.rng.IntN(3) == 0 {
			gap = n.minutes(5, 25)
		}
		length := n.minutes(10, 45)
		n.put(d, d.planned.Add(gap), length)
		d.planned = d.planned.Add(gap + length)
	}
}

// put books the room.
func (n *torture) put(d *door, start time.Time, length time.Duration) string {
	d.next++
	id := d.id + "e" + strconv.Itoa(d.next)
	if d.kind == "graph" {
		id = fmt.Sprintf("AAMkAG_Ab-Cd%d_%s-", d.next, d.id)
	}
	start = start.Truncate(time.Second)
	n.look(d)
	n.world.Calendar.Put(d.calendarID, sim.Event{
		ID: id, Title: id, Organizer: sim.Person{Name: "Jane Doe", Email: "jane@example.com"},
		Attendees: []sim.Attendee{{Person: sim.Person{Email: d.calendarID}, Self: true, Resource: true, Response: sim.Accepted}},
		Start:     start, End: start.Add(length),
	})
	n.look(d)
	return id
}

// change edits an event as people do, and remembers when.
func (n *torture) change(d *door, id string, edit func(*sim.Event)) {
	n.look(d)
	n.world.Calendar.Change(d.calendarID, id, edit)
	n.reshaped[id] = n.clock.Now()
	n.look(d)
}

func (n *torture) reshapedSince(id string, at time.Time) bool {
	return n.reshaped[id].After(at)
}

// meddle is somebody changing the calendar.
func (n *torture) meddle(d *door) {
	now := n.clock.Now()
	all := d.past[len(d.past)-1].meetings
	near := slices.DeleteFunc(slices.Clone(all), func(m meeting) bool {
		return m.end.Before(now.Add(-5*time.Minute)) || m.start.After(now.Add(time.Hour))
	})
	if len(near) == 0 {
		return
	}
	m := near[n.rng.IntN(len(near))]
	switch n.rng.IntN(7) {
	case 0:
		n.put(d, now.Add(n.minutes(0, 20)-2*time.Minute), n.minutes(5, 40))
	case 1:
		n.change(d, m.id, func(e *sim.Event) { e.Status = sim.Cancelled })
	case 2:
		later := n.minutes(20, 90)
		n.change(d, m.id, func(e *sim.Event) { e.Start, e.End = e.Start.Add(later), e.End.Add(later) })
	case 3: // a meeting that was released runs on then
		more := n.minutes(5, 30)
		n.change(d, m.id, func(e *sim.Event) { e.End = e.End.Add(more) })
	case 4:
		n.change(d, m.id, func(e *sim.Event) {
			if early := now.Truncate(time.Second); e.Start.Before(early) && early.Before(e.End) {
				e.End = early
			}
		})
	case 5: // nothing that the room cares for; the event's change key is another
		n.look(d)
		n.world.Calendar.Change(d.calendarID, m.id, func(e *sim.Event) { e.Organizer.Name += "." })
		n.look(d)
	case 6:
		n.tapElsewhere(d, now)
	}
}

// tapElsewhere is somebody who checks in or out in the room, or on Zoom's own display.
func (n *torture) tapElsewhere(d *door, now time.Time) {
	for _, m := range d.past[len(d.past)-1].meetings {
		if !m.runs(now) {
			continue
		}
		n.look(d)
		if n.rng.IntN(2) == 0 {
			n.note("%s: %s is checked in elsewhere", d.id, m.id)
			n.world.Zoom.CheckInRoom(d.zoomID, m.id)
		} else {
			n.note("%s: %s is checked out elsewhere", d.id, m.id)
			n.world.Zoom.CheckOutRoom(d.zoomID, m.id)
		}
		return
	}
}

// tapSomething is somebody at the door.
func (n *torture) tapSomething(d *door) {
	c := d.last
	if c == nil || len(c.Reservations) == 0 {
		return
	}
	kind := rooms.CheckIn
	var suits func(r claimed) bool
	switch n.rng.IntN(10) {
	case 0, 1, 2, 3, 4:
		suits = func(r claimed) bool { return r.Phase == rooms.CheckInOpen || r.Phase == rooms.Overdue }
	case 5, 6:
		kind = rooms.Release
		suits = func(r claimed) bool { return c.Current != nil && r.ID == c.Current.ID }
	case 7:
		kind = rooms.Release
		suits = func(claimed) bool { return true }
	case 8:
		suits = func(claimed) bool { return true }
	default: // impatient fingers: what is on now, whether or not it was tapped before
		suits = func(r claimed) bool { return c.Current != nil && r.ID == c.Current.ID }
	}
	fits := slices.DeleteFunc(slices.Clone(c.Reservations), func(r claimed) bool { return !suits(r) })
	if len(fits) == 0 {
		return
	}
	r := fits[n.rng.IntN(len(fits))]
	n.tap(d, kind, r, n.rng.IntN(5) == 0)
	if kind == rooms.Release && n.rng.IntN(3) == 0 {
		n.regrets = append(n.regrets, regret{d, r.ID})
	}
}

// regret is a release that somebody is about to take back.
type regret struct {
	door        *door
	reservation string
}

// routes are the last parts of the API's addresses.
var routes = map[rooms.ActionKind]string{rooms.CheckIn: "check-in", rooms.Release: "release"}

// tap presses a button, on two panels at once if it is said so, and writes down the answers.
func (n *torture) tap(d *door, kind rooms.ActionKind, r claimed, twice bool) {
	fingers := 1
	if twice {
		fingers = 2
	}
	status, answer := make([]int, fingers), make([]claimedAction, fingers)
	var pressing sync.WaitGroup
	for i := range fingers {
		pressing.Go(func() { status[i], answer[i] = n.kiosk.press(d.id, routes[kind], r.ID) })
	}
	pressing.Wait()
	for i := range fingers {
		n.took(d, kind, r, status[i], answer[i])
	}
	if twice && (answer[0].ID != answer[1].ID || slices.Max(status) != slices.Min(status)) && !n.failed(answer[0].ID, answer[1].ID) {
		n.violated(d, "the same tap on two panels was answered %d %s and %d %s", status[0], answer[0].ID, status[1], answer[1].ID)
	}
}

// failed tells whether one of the actions has failed: the same tap after that is another.
func (n *torture) failed(ids ...string) bool {
	all, _, _ := n.kiosk.claims() // without an answer there is no excuse
	return slices.ContainsFunc(all, func(c *claim) bool {
		return slices.ContainsFunc(c.Actions, func(a claimedAction) bool {
			return a.State == rooms.Failed && slices.Contains(ids, a.ID)
		})
	})
}

// took writes down what a tap was answered.
func (n *torture) took(d *door, kind rooms.ActionKind, r claimed, status int, a claimedAction) {
	n.answers[status]++
	t := &pressed{
		door: d, kind: kind, reservation: r.ID, event: r.Title, pinned: meeting{r.Title, r.Start, r.End},
		id: a.ID, at: n.clock.Now(), said: a,
	}
	switch status {
	case http.StatusAccepted:
		if n.tapOf(a.ID) != nil {
			return // the same tap twice is one action
		}
		t.at = a.TappedAt
		if a.Kind != kind || a.Reservation != r.ID || a.Message == "" {
			n.violated(d, "tapped %s of %s, and was answered %+v", kind, r.ID, a)
		}
		n.note("%s: tapped %s of %s: %s %s", d.id, kind, r.Title, a.State, a.ID[:6])
	case 0:
		n.note("%s: tapped %s of %s: no answer", d.id, kind, r.Title)
	case http.StatusConflict, http.StatusNotFound, http.StatusServiceUnavailable, http.StatusTooManyRequests:
		return
	default:
		n.violated(d, "tapped %s of %s, and was answered %d", kind, r.ID, status)
		return
	}
	n.taps = append(n.taps, t)
}

func (n *torture) tapOf(id string) *pressed {
	if id == "" {
		return nil
	}
	for _, t := range slices.Backward(n.taps) {
		if t.id == id {
			return t
		}
	}
	return nil
}

// takeBack presses Undo.
func (n *torture) takeBack(d *door, reservation string) {
	status, a := n.kiosk.press(d.id, "undo", reservation)
	switch status {
	case http.StatusAccepted:
		t := n.tapOf(a.ID)
		if t == nil || a.State != rooms.Undone {
			n.violated(d, "undid the release of %s, and was answered %+v", reservation, a)
			return
		}
		t.undone, t.said = true, a
		n.note("%s: undid the release of %s", d.id, t.event)
	case 0:
		for _, t := range n.taps {
			if t.door == d && t.reservation == reservation && t.kind == rooms.Release {
				t.maybeUndone = true
			}
		}
	}
}

func (n *torture) minutes(from, to int) time.Duration {
	return time.Duration(from*60+n.rng.IntN((to-from)*60)) * time.Second
}
