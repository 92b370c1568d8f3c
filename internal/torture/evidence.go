package main

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"roomkiosk/internal/rooms"
)

// What a client can press, as the routes have it.
const (
	doCheckIn = "check-in"
	doRelease = "release"
	doUndo    = "undo"
)

// tap is a client's press, and what it was answered.
type tap struct {
	at, answered       time.Time // answered is zero where no answer came
	client             int
	door               string
	reservation, event string
	do                 string
	status             int    // 0: no answer
	action             string // id; empty where the answer broke off after its status, or is no action
}

func (t tap) taken() bool { return t.status == http.StatusAccepted }

// kind is the kind of the action that a tap makes or undoes.
func (t tap) kind() rooms.ActionKind {
	if t.do == doCheckIn {
		return rooms.CheckIn
	}
	return rooms.Release
}

// shown is what the kiosk said of an action when it was last asked.
type shown struct {
	state           rooms.ActionState
	reason, message string
}

// truth is where a meeting stands on its calendar.
type truth struct {
	end       time.Time
	checkedIn bool
}

// evidence is everything that was seen from outside: what clients were told, what the journal holds,
// what arrived at Zoom, what came of it. Nothing in it is the kiosk's own word but rows and shown.
type evidence struct {
	taps     []tap
	rows     map[string]row   // by id of the action
	shown    map[string]shown // likewise
	requests []request        // in the order of their arrival
	events   map[string]truth // by id of the event
	kills    []time.Time
}

// finding is a promise that was broken, of one event.
type finding struct {
	event string
	what  string
}

const (
	undoWindow = rooms.DefaultUndoWindow
	slack      = 250 * time.Millisecond // between two processes' looks at the same clock, on a busy machine
)

// index is the evidence by event.
type index struct {
	*evidence
	rowsOf     map[string][]row // by tap
	requestsOf map[string][]request
}

func (e *evidence) index() index {
	x := index{evidence: e, rowsOf: map[string][]row{}, requestsOf: map[string][]request{}}
	for _, r := range e.rows {
		x.rowsOf[r.event] = append(x.rowsOf[r.event], r)
	}
	for _, rows := range x.rowsOf {
		slices.SortFunc(rows, func(a, b row) int { return cmp.Or(a.tapped.Compare(b.tapped), strings.Compare(a.id, b.id)) })
	}
	for _, r := range e.requests {
		x.requestsOf[r.event] = append(x.requestsOf[r.event], r)
	}
	return x
}

// kept finds taps that were acknowledged and aren't in the journal as they were acknowledged. That
// has to hold at any time.
func (e *evidence) kept() []finding {
	var out []finding
	byReservation := e.index()
	for _, t := range e.taps {
		if !t.taken() {
			continue
		}
		r, ok := e.rowOf(t, byReservation)
		switch {
		case !ok:
			out = append(out, finding{t.event, fmt.Sprintf("%s was acknowledged with action %q, which isn't in the journal", t.do, t.action)})
		case t.do == doUndo && r.state != rooms.Undone:
			out = append(out, finding{t.event, fmt.Sprintf("undo of action %s was acknowledged, but the journal has it as %s", r.id, r.state)})
		}
	}
	return out
}

// rowOf is the journal's row of an acknowledged tap. Where the answer broke off after its status, it
// is any row that the tap can have made.
func (e *evidence) rowOf(t tap, x index) (row, bool) {
	if t.action != "" {
		r, ok := e.rows[t.action]
		return r, ok && r.kind == t.kind() && r.event == t.event
	}
	for _, r := range x.rowsOf[t.event] {
		if r.kind == t.kind() && (t.do != doUndo || r.state == rooms.Undone) {
			return r, true
		}
	}
	return row{}, false
}

// settled finds what is wrong once everything has had its time: taps that came to nothing without a
// word, and requests that nobody asked for.
func (e *evidence) settled() []finding {
	out := e.kept()
	x := e.index()
	for _, event := range x.named() {
		out = append(out, x.fates(event)...)
		out = append(out, x.unexplained(event)...)
		out = append(out, x.overtaken(event)...)
		out = append(out, x.doubled(event)...)
	}
	return out
}

// named are the events that there is something to say about.
func (x index) named() []string {
	all := map[string]bool{}
	for event := range x.rowsOf {
		all[event] = true
	}
	for event := range x.requestsOf {
		all[event] = true
	}
	var out []string
	for event := range all {
		out = append(out, event)
	}
	slices.Sort(out)
	return out
}

// fates finds actions that didn't come to a good end, or to none that people are told of.
func (x index) fates(event string) []finding {
	var out []finding
	for _, r := range x.rowsOf[event] {
		if why := x.fault(r); why != "" {
			out = append(out, finding{event, fmt.Sprintf("%s %s is %s, %s", r.kind, r.id, r.state, why)})
		}
	}
	return out
}

// fault says what is wrong with how an action ended; empty: nothing.
func (x index) fault(r row) string {
	switch r.state {
	case rooms.Held, rooms.Queued, rooms.Sent:
		return "and never settled"
	case rooms.Accepted, rooms.Confirmed:
		if !x.reached(r) {
			return "but never reached Zoom"
		}
	case rooms.Failed, rooms.Expired:
		s := x.shown[r.id]
		if s.state != r.state || s.message == "" || r.state == rooms.Failed && s.reason == "" {
			return fmt.Sprintf("but nobody was told: shown was %q with the reason %q and %q", s.state, s.reason, s.message)
		}
	case rooms.Undone:
		if !slices.ContainsFunc(x.taps, func(t tap) bool { return t.do == doUndo && t.event == r.event && t.at.After(r.tapped.Add(-slack)) }) {
			return "but nobody undid it"
		}
	case rooms.Superseded:
		if !slices.ContainsFunc(x.rowsOf[r.event], func(o row) bool {
			return o.kind == rooms.Release && !o.tapped.Before(r.tapped) && o.state != rooms.Undone
		}) {
			return "but there is no release that supersedes it"
		}
	default:
		return "which is no state"
	}
	return ""
}

// reached tells whether an action that counts as done has reached Zoom, or its effect was there
// without that: a release whose meeting was over.
func (x index) reached(r row) bool {
	now := x.events[r.event]
	for _, q := range x.requestsOf[r.event] {
		if q.kind != r.kind || q.at.Before(r.tapped.Add(-slack)) {
			continue
		}
		// A page in the place of Zoom's answer, 200, hides what that was; the calendar tells.
		hidden := q.status == 0 || q.status == http.StatusOK
		unknown := hidden && (r.kind == rooms.CheckIn && now.checkedIn || r.kind == rooms.Release && now.end.Before(r.expires))
		if q.status == http.StatusAccepted || unknown {
			return true
		}
	}
	return r.kind == rooms.Release && r.state == rooms.Confirmed && !now.end.After(r.updated.Add(slack))
}

// unexplained finds requests that no tap stands behind: none was made, or it was undone, or still
// held.
func (x index) unexplained(event string) []finding {
	var out []finding
	for _, q := range x.requestsOf[event] {
		if !slices.ContainsFunc(x.rowsOf[event], func(r row) bool { return explains(r, q) }) {
			out = append(out, finding{event, fmt.Sprintf("a %s arrived at Zoom that no tap stands behind: it was undone, still held, or never made", q.kind)})
		}
	}
	return out
}

func explains(r row, q request) bool {
	due := r.tapped
	if r.kind == rooms.Release {
		due = due.Add(undoWindow)
	}
	return r.kind == q.kind && r.state != rooms.Undone && r.attempts > 0 && !q.at.Before(due.Add(-slack))
}

// overtaken finds check-ins that arrived after the release of a later tap.
func (x index) overtaken(event string) []finding {
	var out []finding
	for i, q := range x.requestsOf[event] {
		if q.kind != rooms.CheckIn {
			continue
		}
		var last time.Time // tap that can have made it
		for _, r := range x.rowsOf[event] {
			if r.kind == rooms.CheckIn && !r.tapped.After(q.at.Add(slack)) && r.tapped.After(last) {
				last = r.tapped
			}
		}
		for _, earlier := range x.requestsOf[event][:i] {
			if earlier.kind == rooms.Release && earlier.at.After(last) {
				out = append(out, finding{event, "a check-in arrived at Zoom after the release of a later tap"})
				break
			}
		}
	}
	return out
}

// doubled finds two actions of a kind that both count: the same tap twice is one action.
func (x index) doubled(event string) []finding {
	var out []finding
	for _, kind := range []rooms.ActionKind{rooms.CheckIn, rooms.Release} {
		var ids []string
		for _, r := range x.rowsOf[event] {
			if r.kind == kind && r.state.Effective() {
				ids = append(ids, r.id)
			}
		}
		if len(ids) > 1 {
			out = append(out, finding{event, fmt.Sprintf("%d actions of kind %s count for one reservation: %s", len(ids), kind, strings.Join(ids, ", "))})
		}
	}
	return out
}
