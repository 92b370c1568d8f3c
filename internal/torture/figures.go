package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"time"

	"roomkiosk/internal/rooms"
)

// figures sum the evidence up.
type figures struct {
	pressed, taken, refused, unanswered int // taps of clients
	actions                             int // in the journal
	states                              map[rooms.ActionState]int
	requests                            int // that arrived
	twice                               int // actions of which more than one may have been carried out
}

func (e *evidence) figures() figures {
	f := figures{states: map[rooms.ActionState]int{}, pressed: len(e.taps), actions: len(e.rows), requests: len(e.requests)}
	for _, t := range e.taps {
		switch {
		case t.taken():
			f.taken++
		case t.status == 0:
			f.unanswered++
		default:
			f.refused++
		}
	}
	for _, r := range e.rows {
		f.states[r.state]++
	}
	sent := map[string]int{}
	for _, q := range e.requests {
		if q.status == 0 || q.status == http.StatusAccepted {
			sent[string(q.kind)+" "+q.event]++
		}
	}
	for _, n := range sent {
		if n > 1 {
			f.twice++
		}
	}
	return f
}

func (f figures) table(w io.Writer) {
	s := f.states
	fmt.Fprintf(w, "  taps pressed         %6d\n", f.pressed)
	fmt.Fprintf(w, "  acknowledged         %6d   (the same tap twice is acknowledged twice)\n", f.taken)
	fmt.Fprintf(w, "  refused              %6d   (too late, done already, not on the schedule yet)\n", f.refused)
	fmt.Fprintf(w, "  without an answer    %6d   (the kiosk was dead or died)\n", f.unanswered)
	fmt.Fprintf(w, "  actions              %6d\n", f.actions)
	fmt.Fprintf(w, "    delivered          %6d\n", s[rooms.Accepted]+s[rooms.Confirmed])
	fmt.Fprintf(w, "    undone             %6d\n", s[rooms.Undone])
	fmt.Fprintf(w, "    superseded         %6d\n", s[rooms.Superseded])
	fmt.Fprintf(w, "    expired, and said  %6d\n", s[rooms.Expired])
	fmt.Fprintf(w, "    failed, and said   %6d\n", s[rooms.Failed])
	fmt.Fprintf(w, "  requests at Zoom     %6d\n", f.requests)
	fmt.Fprintf(w, "  sent twice or more   %6d   (after an answer that was lost, or a kill)\n", f.twice)
}

// moment is a line of a timeline.
type moment struct {
	at   time.Time
	text string
}

// printTimeline tells all that is known of an event, in its order. Kills between two entries are one.
func (e *evidence) printTimeline(w io.Writer, event string, zero time.Time) {
	all := e.moments(event)
	slices.SortStableFunc(all, func(a, b moment) int { return a.at.Compare(b.at) })
	kills := slices.Clone(e.kills)
	for i, m := range all {
		n := 0
		for len(kills) > 0 && kills[0].Before(m.at) {
			kills = kills[1:]
			n++
		}
		if i > 0 && n > 0 {
			fmt.Fprintf(w, "              %d kills\n", n)
		}
		fmt.Fprintf(w, "    %9.3f s  %s\n", m.at.Sub(zero).Seconds(), m.text)
	}
	if now, ok := e.events[event]; ok {
		fmt.Fprintf(w, "    on the calendar it ends at %.3f s, checked in: %t\n", now.end.Sub(zero).Seconds(), now.checkedIn)
	}
}

func (e *evidence) moments(event string) []moment {
	var all []moment
	for _, t := range e.taps {
		if t.event != event {
			continue
		}
		all = append(all, moment{t.at, fmt.Sprintf("client %d taps %s", t.client, t.do)})
		if t.status != 0 {
			all = append(all, moment{t.answered, fmt.Sprintf("client %d is answered %d, action %s", t.client, t.status, cmp.Or(t.action, "-"))})
		}
	}
	for _, q := range e.requests {
		if q.event == event {
			all = append(all, moment{q.at, fmt.Sprintf("%s arrives at Zoom, answered %d", q.kind, q.status)})
		}
	}
	for _, r := range e.rows {
		if r.event != event {
			continue
		}
		s := e.shown[r.id]
		all = append(all, moment{r.updated, fmt.Sprintf("journal: %s %s, tapped at %s, is %s %s after %d attempts; shown: %s %q",
			r.kind, r.id, r.tapped.UTC().Format("15:04:05.000"), r.state, r.reason, r.attempts, s.state, s.message)})
	}
	return all
}

// printFindings tells what is broken, with the timelines of the first few.
func (e *evidence) printFindings(w io.Writer, all []finding, zero time.Time) {
	const most = 5
	told := map[string]bool{}
	for _, f := range all {
		fmt.Fprintf(w, "  BROKEN %s: %s\n", f.event, f.what)
		if !told[f.event] && len(told) < most {
			told[f.event] = true
			e.printTimeline(w, f.event, zero)
		}
	}
}

// tally counts words.
func tally(words []string) []string {
	n := map[string]int{}
	for _, w := range words {
		n[w]++
	}
	var out []string
	for _, w := range slices.Sorted(maps.Keys(n)) {
		out = append(out, fmt.Sprintf("%s %d", w, n[w]))
	}
	return out
}
