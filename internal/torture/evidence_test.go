package main

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"roomkiosk/internal/rooms"
)

var zero = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// at is an instant, in seconds of the story.
func at(seconds float64) time.Time { return zero.Add(time.Duration(seconds * float64(time.Second))) }

// story is evidence of three meetings where everything is well: "in" is checked in, "out" is released
// after its window, "kept" has its release undone.
func story() *evidence {
	taken := func(second float64, event, do, action string) tap {
		return tap{
			at: at(second), answered: at(second + 0.01), door: "ada", reservation: "r-" + event, event: event,
			do: do, status: http.StatusAccepted, action: action,
		}
	}
	action := func(second float64, event, id string, kind rooms.ActionKind, state rooms.ActionState, attempts int) row {
		return row{
			id: id, reservation: "r-" + event, event: event, kind: kind, state: state,
			tapped: at(second), updated: at(second + 8), expires: at(60), attempts: attempts,
		}
	}
	e := &evidence{
		taps: []tap{
			taken(1, "in", doCheckIn, "a"), taken(1, "in", doCheckIn, "a"),
			taken(2, "out", doCheckIn, "b"), taken(3, "out", doRelease, "c"),
			taken(4, "kept", doRelease, "d"), taken(5, "kept", doUndo, "d"),
			{at: at(6), answered: at(6), event: "in", do: doRelease},
		},
		rows: map[string]row{
			"a": action(1, "in", "a", rooms.CheckIn, rooms.Accepted, 1),
			"b": action(2, "out", "b", rooms.CheckIn, rooms.Accepted, 2),
			"c": action(3, "out", "c", rooms.Release, rooms.Confirmed, 1),
			"d": action(4, "kept", "d", rooms.Release, rooms.Undone, 0),
		},
		shown: map[string]shown{},
		requests: []request{
			{at(1.1), rooms.CheckIn, "in", http.StatusAccepted},
			{at(2.1), rooms.CheckIn, "out", 0},
			{at(2.9), rooms.CheckIn, "out", http.StatusAccepted},
			{at(10.1), rooms.Release, "out", http.StatusAccepted},
		},
		events: map[string]truth{"in": {at(60), true}, "out": {at(10), true}, "kept": {at(60), false}},
		kills:  []time.Time{at(2.5), at(2.6)},
	}
	return e
}

func (e *evidence) edit(id string, change func(*row)) {
	r := e.rows[id]
	change(&r)
	e.rows[id] = r
}

func TestAllIsWell(t *testing.T) {
	e := story()
	if found := e.settled(); len(found) > 0 {
		t.Errorf("found %v", found)
	}
	f := e.figures()
	if f.taken != 6 || f.unanswered != 1 || f.twice != 1 || f.states[rooms.Undone] != 1 || f.requests != 4 {
		t.Errorf("figures: %+v", f)
	}
}

// Every way in which the kiosk can lie is found, and told of the right meeting.
func TestLies(t *testing.T) {
	for name, c := range map[string]struct {
		event, says string
		lie         func(e *evidence)
	}{
		"a tap is not in the journal":           {"in", "isn't in the journal", func(e *evidence) { delete(e.rows, "a") }},
		"nor one whose answer broke off":        {"in", "isn't in the journal", func(e *evidence) { delete(e.rows, "a"); e.taps[0].action = ""; e.taps = e.taps[:1] }},
		"its row is about another event":        {"in", "isn't in the journal", func(e *evidence) { e.edit("a", func(r *row) { r.event = "out" }) }},
		"its row is of another kind":            {"in", "isn't in the journal", func(e *evidence) { e.edit("a", func(r *row) { r.kind = rooms.Release }) }},
		"an undo is not in the journal":         {"kept", "journal has it as held", func(e *evidence) { e.edit("d", func(r *row) { r.state = rooms.Held }) }},
		"an undone release was sent after all":  {"kept", "no tap stands behind", func(e *evidence) { e.send(12, rooms.Release, "kept") }},
		"a release was sent while it was held":  {"out", "no tap stands behind", func(e *evidence) { e.requests[3].at = at(5) }},
		"a request nobody asked for":            {"other", "no tap stands behind", func(e *evidence) { e.send(12, rooms.CheckIn, "other") }},
		"sent without being noted as sent":      {"in", "no tap stands behind", func(e *evidence) { e.edit("a", func(r *row) { r.attempts = 0 }) }},
		"a check-in came after its release":     {"out", "after the release of a later tap", func(e *evidence) { e.send(12, rooms.CheckIn, "out") }},
		"an accepted tap never arrived":         {"in", "never reached Zoom", func(e *evidence) { e.requests = e.requests[1:] }},
		"an accepted tap was refused":           {"in", "never reached Zoom", func(e *evidence) { e.requests[0].status = http.StatusBadGateway }},
		"it arrived before it was tapped":       {"in", "never reached Zoom", func(e *evidence) { e.requests[0].at = at(0.1) }},
		"its answer was lost, and its effect":   {"in", "never reached Zoom", func(e *evidence) { e.requests[0].status = 0; e.events["in"] = truth{end: at(60)} }},
		"a release is confirmed, nothing ended": {"out", "never reached Zoom", func(e *evidence) { e.requests = e.requests[:3]; e.events["out"] = truth{end: at(60)} }},
		"a tap waits for ever":                  {"in", "never settled", func(e *evidence) { e.edit("a", func(r *row) { r.state = rooms.Queued }) }},
		"a tap is on its way for ever":          {"in", "never settled", func(e *evidence) { e.edit("a", func(r *row) { r.state = rooms.Sent }) }},
		"a tap expired in silence":              {"in", "nobody was told", func(e *evidence) { e.edit("a", func(r *row) { r.state = rooms.Expired }) }},
		"a tap expired and looks accepted": {"in", "nobody was told", func(e *evidence) {
			e.edit("a", func(r *row) { r.state = rooms.Expired })
			e.shown["a"] = shown{rooms.Accepted, "", "Checked in."}
		}},
		"a tap failed without a reason": {"in", "nobody was told", func(e *evidence) {
			e.edit("a", func(r *row) { r.state = rooms.Failed })
			e.shown["a"] = shown{rooms.Failed, "", "It failed."}
		}},
		"a tap failed without a sentence": {"in", "nobody was told", func(e *evidence) {
			e.edit("a", func(r *row) { r.state = rooms.Failed })
			e.shown["a"] = shown{rooms.Failed, "invalid", ""}
		}},
		"undone by nobody":           {"kept", "nobody undid it", func(e *evidence) { e.taps = e.taps[:5] }},
		"superseded by nothing":      {"in", "no release that supersedes", func(e *evidence) { e.edit("a", func(r *row) { r.state = rooms.Superseded }) }},
		"a state that doesn't exist": {"in", "which is no state", func(e *evidence) { e.edit("a", func(r *row) { r.state = "lost" }) }},
		"one tap, two actions": {"in", "2 actions", func(e *evidence) {
			twin := e.rows["a"]
			twin.id = "a2"
			e.rows["a2"] = twin
		}},
	} {
		t.Run(name, func(t *testing.T) {
			e := story()
			c.lie(e)
			found := e.settled()
			for _, f := range found {
				if f.event == c.event && strings.Contains(f.what, c.says) {
					return
				}
			}
			t.Errorf("not found; found %v", found)
		})
	}
}

// send adds a request that was taken.
func (e *evidence) send(second float64, kind rooms.ActionKind, event string) {
	e.requests = append(e.requests, request{at(second), kind, event, http.StatusAccepted})
}

// What isn't a lie isn't called one.
func TestNoLies(t *testing.T) {
	for name, change := range map[string]func(e *evidence){
		"an answer that broke off, of a tap that was kept":  func(e *evidence) { e.taps[0].action = "" },
		"an undo whose answer broke off":                    func(e *evidence) { e.taps[5].action = "" },
		"a tap that nobody was told of, and that is there":  func(e *evidence) { e.taps = e.taps[2:] },
		"an answer that was lost, and whose effect is seen": func(e *evidence) { e.requests[0].status = 0 },
		"a page in the place of an answer, and the effect is seen": func(e *evidence) {
			e.requests[0].status = http.StatusOK
		},
		"a release of a meeting that was over": func(e *evidence) {
			e.requests = e.requests[:3]
			e.events["out"] = truth{end: at(9), checkedIn: true}
		},
		"a failure that people are told of": func(e *evidence) {
			e.edit("a", func(r *row) { r.state = rooms.Failed })
			e.shown["a"] = shown{rooms.Failed, "gone", "The check-in failed."}
		},
		"a check-in superseded before it was sent": func(e *evidence) {
			e.edit("b", func(r *row) { r.state, r.attempts = rooms.Superseded, 0 })
			e.requests = append(e.requests[:1], e.requests[3])
		},
		"a second release, after one that was undone": func(e *evidence) {
			second := e.rows["d"]
			second.id, second.tapped, second.state, second.attempts = "d2", at(20), rooms.Accepted, 1
			e.rows["d2"] = second
			e.send(27.2, rooms.Release, "kept")
		},
		"a check-in after a release that failed": func(e *evidence) {
			e.edit("c", func(r *row) { r.state = rooms.Failed })
			e.shown["c"] = shown{rooms.Failed, "invalid", "The release failed."}
			e.requests[3].status = http.StatusBadRequest
			again := e.rows["b"]
			again.id, again.tapped = "b2", at(20)
			e.rows["b2"] = again
			e.edit("b", func(r *row) { r.state = rooms.Failed })
			e.shown["b"] = shown{rooms.Failed, "invalid", "The check-in failed."}
			e.send(20.1, rooms.CheckIn, "out")
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := story()
			change(e)
			if found := e.settled(); len(found) > 0 {
				t.Errorf("found %v", found)
			}
		})
	}
}

func TestTimeline(t *testing.T) {
	e := story()
	delete(e.rows, "b")
	var out bytes.Buffer
	e.printFindings(&out, e.kept(), zero)
	want := `  BROKEN out: check-in was acknowledged with action "b", which isn't in the journal
        2.000 s  client 0 taps check-in
        2.010 s  client 0 is answered 202, action b
        2.100 s  check_in arrives at Zoom, answered 0
              2 kills
        2.900 s  check_in arrives at Zoom, answered 202
        3.000 s  client 0 taps release
        3.010 s  client 0 is answered 202, action c
       10.100 s  release arrives at Zoom, answered 202
       11.000 s  journal: release c, tapped at 09:00:03.000, is confirmed  after 1 attempts; shown:  ""
    on the calendar it ends at 10.000 s, checked in: true
`
	if out.String() != want {
		t.Errorf("printed:\n%s", out.String())
	}
}
