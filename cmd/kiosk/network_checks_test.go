package main

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"roomkiosk/internal/rooms"
	"roomkiosk/internal/sim"
)

// judge holds what the kiosk says of a room against the truth.
func (n *torture) judge(d *door, c *claim) {
	n.judged++
	n.noteClaim(d, c)
	n.judgeActions(d, c)
	n.judgeAge(d, c)
	n.judgeSchedule(d, c)
	if d.last != nil && d.last.Schedule.AsOf != nil && c.Schedule.AsOf == nil {
		n.violated(d, "a schedule was known, and is not any more")
	}
	d.last = c
}

// judgeAge: the age of the schedule is as claimed, and an old one is called stale.
func (n *torture) judgeAge(d *door, c *claim) {
	if c.Schedule.AsOf == nil {
		if c.Status != rooms.Unknown {
			n.violated(d, "says %s without ever having read the calendar", c.Status)
		}
		return
	}
	asOf, age := *c.Schedule.AsOf, c.Now.Sub(*c.Schedule.AsOf)
	switch {
	case age < 0:
		n.violated(d, "the schedule is as of %s, which is to come", asOf)
	case asOf.Before(d.asOf):
		n.violated(d, "the schedule is as of %s, it was as of %s before", asOf, d.asOf)
	case age >= tortureStale+time.Millisecond && !c.has(rooms.FlagStale):
		n.violated(d, "the schedule is %s old and not called stale", age)
	case age < tortureStale-time.Millisecond && c.has(rooms.FlagStale):
		n.violated(d, "the schedule is %s old and called stale", age)
	}
	if c.unflagged() {
		n.ages = append(n.ages, age)
	}
	if !asOf.Equal(d.asOf) && !d.restored {
		n.judgeRead(d, asOf, c.Now)
	}
	d.asOf, d.restored = asOf, false
}

// judgeRead: a schedule as of an instant was really read after that instant.
func (n *torture) judgeRead(d *door, asOf, now time.Time) {
	all := n.world.Google.Requests
	if d.kind == "graph" {
		all = n.world.Graph.Requests
	}
	for _, q := range slices.Backward(all()) {
		if q.At.Before(asOf) {
			break
		}
		list := strings.HasSuffix(q.Path, d.calendarID+"/events") || strings.HasSuffix(q.Path, d.calendarID+"/calendar/calendarView")
		if list && !q.At.After(now.Add(time.Millisecond)) && (q.Status == http.StatusOK || q.Status == http.StatusNotModified) {
			return
		}
	}
	n.violated(d, "the schedule is as of %s, but no read after that was answered", asOf)
}

// judgeSchedule: the schedule shown is what was on the calendar at some instant since it was read,
// and the status is what follows from that and from people's taps.
func (n *torture) judgeSchedule(d *door, c *claim) {
	if c.Schedule.AsOf == nil {
		return
	}
	from, to := rooms.Window(*c.Schedule.AsOf, time.UTC)
	candidates := slices.DeleteFunc(d.between(*c.Schedule.AsOf, c.Now), func(m moment) bool { return !m.shows(c, from, to) })
	if len(candidates) == 0 {
		n.violated(d, "shows a schedule as of %s that the calendar had at no time since", c.Schedule.AsOf.Format(time.TimeOnly))
		return
	}
	if c.Status == rooms.Unknown {
		if !c.Now.Before(from) && c.Now.Before(to) {
			n.violated(d, "doesn't know the status, with a schedule of today")
		}
		return
	}
	var may []rooms.Status
	for _, m := range candidates {
		may = append(may, n.statuses(d, m, c.Now)...)
	}
	if !slices.Contains(may, c.Status) {
		n.violated(d, "says %s, and what it read makes it %v", c.Status, may)
	}
	n.judgeFree(d, c)
}

// judgeFree: a room is not called free, without a flag, while a meeting that nobody released runs
// all the time that the schedule could be old.
func (n *torture) judgeFree(d *door, c *claim) {
	if c.Status != rooms.Available || !c.unflagged() {
		return
	}
	lately := d.between(c.Now.Add(-tortureStale), c.Now)
	for _, m := range lately[0].meetings {
		always := !slices.ContainsFunc(lately, func(o moment) bool {
			same, ok := o.meeting(m.id)
			return !ok || !same.runs(c.Now)
		})
		released := slices.ContainsFunc(n.beliefs(d, m), func(b belief) bool { return b.out })
		if always && m.runs(c.Now.Add(-tortureStale)) && !released {
			n.violated(d, "says available while %s runs", m)
		}
	}
}

// judgeActions: every tap is there, goes the ways that there are, and has come as far as claimed.
func (n *torture) judgeActions(d *door, c *claim) {
	claimed := map[string]bool{}
	for _, a := range c.Actions {
		claimed[a.ID] = true
		t := n.tapOf(a.ID)
		if t == nil {
			t = n.adopt(d, c, a)
		}
		if t == nil {
			n.violated(d, "claims an action that nobody tapped: %+v", a)
			continue
		}
		n.judgeStep(d, c, t, a)
	}
	for _, t := range n.taps {
		if t.door == d && t.id != "" && !claimed[t.id] && (t.said.State.Open() || c.Now.Before(t.pinned.end) && !t.blurred) {
			n.violated(d, "%s of %s is lost: it was %s", t.kind, t.event, t.said.State)
		}
	}
	n.judgeTwice(d, c)
}

// adopt finds the tap that got no answer and was taken all the same, or takes it that somebody tapped
// elsewhere.
func (n *torture) adopt(d *door, c *claim, a claimedAction) *pressed {
	for _, t := range n.taps {
		if t.id == "" && t.door == d && t.kind == a.Kind && t.reservation == a.Reservation {
			t.id, t.at, t.said, t.blurred = a.ID, a.TappedAt, a, true
			n.note("%s: %s of %s was taken without an answer", d.id, t.kind, t.event)
			return t
		}
	}
	i := slices.IndexFunc(c.Reservations, func(r claimed) bool { return r.ID == a.Reservation })
	if i < 0 || !strings.HasPrefix(a.ID, "zoom-") || a.State != rooms.Confirmed {
		return nil
	}
	r := c.Reservations[i]
	t := &pressed{
		door: d, kind: a.Kind, reservation: a.Reservation, event: r.Title, pinned: meeting{r.Title, r.Start, r.End},
		id: a.ID, at: a.TappedAt, said: a, seen: true, blurred: true, elsewhere: true,
	}
	n.taps = append(n.taps, t)
	if !n.carriedOut(d, c, t) {
		n.violated(d, "claims that somebody tapped %s of %s elsewhere, which is not so", t.kind, t.event)
	}
	return t
}

// afterwards are the states that a state may be followed by, at once or over others.
func afterwards(s rooms.ActionState) []rooms.ActionState {
	onItsWay := []rooms.ActionState{
		rooms.Queued, rooms.Sent, rooms.Accepted, rooms.Confirmed, rooms.Failed, rooms.Expired, rooms.Superseded,
	}
	switch s {
	case rooms.Held:
		return append(onItsWay, rooms.Held, rooms.Undone)
	case rooms.Queued, rooms.Sent:
		return onItsWay
	case rooms.Accepted:
		return []rooms.ActionState{rooms.Accepted, rooms.Confirmed}
	default:
		return []rooms.ActionState{s}
	}
}

// hiccup is how long the disk may take for a decision, by the world's clock. Meanwhile readers see what
// would become of the state before it: that a held release was let go, or an unsent check-in is
// pointless, and not yet that it was undone, or sent, just in time.
const hiccup = time.Second * tortureSpeed

// follows tells whether a tap's state may be followed by another.
func (t *pressed) follows(now time.Time, to rooms.ActionState) bool {
	if slices.Contains(afterwards(t.said.State), to) {
		return true
	}
	foreseen := t.said.State == rooms.Queued || t.said.State == rooms.Superseded || t.said.State == rooms.Expired
	return foreseen && now.Sub(t.since) < hiccup && t.prior != "" && slices.Contains(afterwards(t.prior), to)
}

func (n *torture) judgeStep(d *door, c *claim, t *pressed, a claimedAction) {
	before, follows := t.said, t.follows(c.Now, a.State)
	if before.State != a.State {
		t.prior, t.since = before.State, c.Now
	}
	if before.State != a.State || before.Reason != a.Reason {
		n.note("%s: %s of %s is %s %s: %s", d.id, t.kind, t.event, a.State, a.Reason, a.Message)
	}
	t.said = a
	if !t.seen {
		t.seen = true
		i := slices.IndexFunc(c.Reservations, func(r claimed) bool { return r.ID == t.reservation })
		t.blurred = t.blurred || i < 0 || !c.Reservations[i].Start.Equal(t.pinned.start) || !c.Reservations[i].End.Equal(t.pinned.end)
	}
	switch {
	case !follows:
		n.violated(d, "%s of %s was %s and is %s", t.kind, t.event, before.State, a.State)
	case a.Kind != t.kind || a.Reservation != t.reservation:
		n.violated(d, "%s of %s has become %+v", t.kind, t.event, a)
	case a.Message == "":
		n.violated(d, "%s of %s is %s, and nobody is told", t.kind, t.event, a.State)
	}
	n.judgeHeld(d, c, t, a)
	if before.State != a.State {
		n.judgeArrived(d, c, t, a)
	}
}

// judgeHeld: a release can be taken back for so long, not shorter and not longer.
func (n *torture) judgeHeld(d *door, c *claim, t *pressed, a claimedAction) {
	if t.kind != rooms.Release {
		return
	}
	over := c.Now.Sub(t.at.Add(tortureUndo))
	switch {
	case a.State == rooms.Held && over > 2*time.Millisecond:
		n.violated(d, "release of %s is still held", t.event)
	case a.State.Effective() && a.State != rooms.Confirmed && over < -2*time.Millisecond: // elsewhere it is done at once
		n.violated(d, "release of %s is %s before it could be undone", t.event, a.State)
	}
}

// judgeArrived: what is said of a tap's end is so.
func (n *torture) judgeArrived(d *door, c *claim, t *pressed, a claimedAction) {
	vague := t.blurred || n.reshapedSince(t.event, t.at)
	ok := true
	switch a.State {
	case rooms.Accepted:
		ok = n.accepted(t)
	case rooms.Confirmed:
		ok = n.carriedOut(d, c, t)
	case rooms.Undone:
		ok = t.undone || t.maybeUndone
	case rooms.Expired:
		ok = vague || !c.Now.Before(t.pinned.end)
	case rooms.Superseded:
		ok = t.kind == rooms.CheckIn && slices.ContainsFunc(n.taps, func(o *pressed) bool {
			return o.door == d && o.event == t.event && o.kind == rooms.Release && o.at.After(t.at) && o.said.State != rooms.Undone
		})
	case rooms.Failed:
		ok = a.Reason == rooms.ReasonGone && n.wasGone(d, c, t) || a.Reason != rooms.ReasonGone && n.refused(t)
		n.failures[string(a.Kind)+" "+string(a.Reason)]++
	default:
	}
	if !ok {
		n.violated(d, "claims that %s of %s is %s %s, which is not so", t.kind, t.event, a.State, a.Reason)
	}
}

var methods = map[rooms.ActionKind]string{rooms.CheckIn: sim.MethodCheckIn, rooms.Release: sim.MethodCheckOut}

// accepted: Zoom said so, since the tap.
func (n *torture) accepted(t *pressed) bool {
	return n.answered(t, func(status int) bool { return status == http.StatusAccepted })
}

// refused: Zoom said no, for good, since the tap.
func (n *torture) refused(t *pressed) bool {
	return n.answered(t, func(status int) bool { return status >= 400 && status < 500 && status != http.StatusTooManyRequests })
}

// answered tells whether Zoom gave such an answer to a request that the tap made.
func (n *torture) answered(t *pressed, so func(status int) bool) bool {
	for _, q := range slices.Backward(n.world.Zoom.Requests()) {
		if q.At.Before(t.at) {
			break
		}
		if q.Method == http.MethodPatch && q.Body["method"] == methods[t.kind] && eventOf(q) == t.event && so(q.Status) {
			return true
		}
	}
	return false
}

// eventOf is the event that Zoom was told of, as the calendar calls it. Those of Google and Graph have
// none of the characters that Exchange writes otherwise.
func eventOf(q sim.Request) string {
	return strings.NewReplacer("/", "-", "+", "_").Replace(q.Param("event_id"))
}

// carriedOut: the effect is there.
func (n *torture) carriedOut(d *door, c *claim, t *pressed) bool {
	if t.kind == rooms.CheckIn {
		e, ok := n.world.Calendar.Event(d.calendarID, t.event)
		return ok && !e.CheckedIn.IsZero()
	}
	return n.wasGone(d, c, t)
}

// wasGone: at some time since the tap the meeting was over, or not there, or at another time.
func (n *torture) wasGone(d *door, c *claim, t *pressed) bool {
	return slices.ContainsFunc(d.between(t.at, c.Now), func(m moment) bool {
		e, ok := m.meeting(t.event)
		over := ok && (!e.end.After(c.Now) || !e.start.Before(e.end))
		moved := ok && (!e.start.Before(t.pinned.end) || e.start.After(c.Now) && !e.start.Equal(t.pinned.start))
		return !ok || over || moved
	})
}

// judgeTwice: a reservation is not checked in twice, nor released twice, unless people changed it in
// between; and a check-in that wasn't sent is not sent any more once the room was given back.
func (n *torture) judgeTwice(d *door, c *claim) {
	last := map[string]claimedAction{}
	for _, a := range c.Actions {
		if !a.State.Effective() && a.State != rooms.Held {
			continue
		}
		before, ok := last[a.Reservation]
		last[a.Reservation] = a
		if ok && before.State == rooms.Queued && before.Kind == rooms.CheckIn && a.Kind == rooms.Release && a.State != rooms.Held {
			n.violated(d, "%s is released, and its check-in still waits to be sent", a.Reservation)
		}
		t := n.tapOf(a.ID)
		if !ok || before.Kind != a.Kind || t == nil || t.blurred || n.reshapedSince(t.event, before.TappedAt) {
			continue
		}
		n.violated(d, "%s of %s counts twice: %s and %s", a.Kind, t.event, before.ID, a.ID)
	}
}

// patience is how long a tap may wait once everything works: for the longest pause between two
// attempts, and for what a machine with little to spare takes on its way, in real time.
const patience = 5*time.Minute + 30*time.Second + 4*time.Second*tortureSpeed

// judgeWaiting: no tap waits although the weather has been fair for long.
func (n *torture) judgeWaiting() {
	now := n.clock.Now()
	for _, t := range n.taps {
		fair := latest(n.fairSince[n.ways.zoom], n.fairSince[t.door.calendar], t.at.Add(tortureUndo), n.kioskSince)
		if t.id == "" || !t.said.State.Open() || now.Sub(fair) < patience {
			continue
		}
		n.violated(t.door, "%s of %s is still %s %s, in fair weather since %s", t.kind, t.event, t.said.State, t.said.Reason, fair.Format(time.TimeOnly))
	}
}

func latest(all ...time.Time) time.Time { return slices.MaxFunc(all, time.Time.Compare) }

// judgeZoom holds what Zoom received since the last time against what people tapped.
func (n *torture) judgeZoom() {
	all := n.world.Zoom.Requests()
	for ; n.zoomRead < len(all); n.zoomRead++ {
		if q := all[n.zoomRead]; q.Method == http.MethodPatch {
			n.judgeRequest(q)
		}
	}
}

func (n *torture) judgeRequest(q sim.Request) {
	method, _ := q.Body["method"].(string)
	i := slices.IndexFunc(n.doors, func(d *door) bool { return q.Path == "/v2/rooms/"+d.zoomID+"/events" })
	if i < 0 {
		n.violated(n.doors[0], "zoom was sent something for an unknown room: %s", q.Path)
		return
	}
	d, event := n.doors[i], eventOf(q)
	n.note("zoom received %s of %s: %d", method, event, q.Status)
	key := method + " " + event
	n.received[key]++
	if owner := q.Param("calendar_id") + q.Param("resource_email"); owner != d.calendarID {
		n.violated(d, "zoom was sent an event of %s", owner)
	}
	kind := rooms.CheckIn
	if method == sim.MethodCheckOut {
		kind = rooms.Release
	}
	wanted := slices.ContainsFunc(n.taps, func(t *pressed) bool {
		if t.door != d || t.kind != kind || t.event != event || t.undone || t.elsewhere {
			return false
		}
		if t.id == "" {
			return true
		}
		earliest := t.at
		if kind == rooms.Release {
			earliest = t.at.Add(tortureUndo - time.Millisecond)
		}
		return !q.At.Before(earliest) && (kind != rooms.CheckIn || t.at.After(n.releasedAt[event]))
	})
	if !wanted {
		n.violated(d, "zoom was sent %s of %s at %s, which nobody wanted then", method, event, q.At.Format(time.TimeOnly))
	}
	if kind == rooms.Release && q.Status == http.StatusAccepted {
		n.releasedAt[event] = q.At
	}
	if r := d.shown(event); kind == rooms.Release && r != nil && r.Start.After(q.At) && q.At.Sub(n.reshaped[event]) > hiccup {
		n.violated(d, "zoom was asked to end %s, which the screen says begins at %s", event, r.Start.Format(time.TimeOnly))
	}
}
