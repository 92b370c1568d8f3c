package main

import (
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"roomkiosk/internal/rooms"
	"roomkiosk/internal/sim"
)

// sky is what the network between the kiosk and a service is like.
type sky string

// The kinds of weather.
const (
	clear      sky = "clear"
	late       sky = "late"       // everything takes a while
	slow       sky = "slow"       // 1 kB/s
	refused    sky = "refused"    // no connection is taken, and those that are open break
	unanswered sky = "unanswered" // requests arrive and are carried out, then the connection breaks
	cut        sky = "cut"        // the connection breaks in the midst of an answer
	hole       sky = "hole"       // half-open: what is sent disappears, and nobody says so
)

// storms are the kinds to choose from when it isn't clear; the meanest come twice.
func storms() []sky {
	return []sky{late, slow, refused, refused, unanswered, unanswered, cut, hole}
}

func (s sky) faults() sim.ProxyFaults {
	switch s {
	case late:
		return sim.ProxyFaults{Latency: 200 * time.Millisecond, Jitter: 200 * time.Millisecond}
	case slow:
		return sim.ProxyFaults{BytesPerSecond: 1024}
	case refused:
		return sim.ProxyFaults{Refuse: true}
	case unanswered:
		return sim.ProxyFaults{DropAfterRequest: true}
	case cut:
		return sim.ProxyFaults{ResetAfter: 1 + rand.IntN(1500)}
	case hole:
		return sim.ProxyFaults{HalfOpen: true}
	default:
		return sim.ProxyFaults{}
	}
}

// longestWait is how long, in real time, the kiosk waits for an answer that will not come: for the
// delivery of a tap, which is the longest.
const longestWait = 13 * time.Second

// strait is the way to one service, with its weather, and the service's own mood.
type strait struct {
	*sim.Proxy
	name   string
	target string
	faults *sim.Faults
	sky    sky
	mood   string
	calmAt time.Time // real: when nobody waits any more for what was lost before
}

func newStrait(t *testing.T, name, target string, faults *sim.Faults) *strait {
	t.Helper()
	s := &strait{Proxy: sim.NewProxy(target), name: name, target: target, faults: faults, sky: clear}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// turn changes the weather. Half-open connections stay so, unless mend is said: then whoever waits on
// one learns that it is lost.
func (s *strait) turn(to sky, mend bool) {
	if s.sky != to || s.mood != "" {
		s.calmAt = time.Now().Add(longestWait)
	}
	s.sky = to
	s.Set(to.faults())
	s.be("", sim.Fault{})
	if to == refused || mend {
		s.Cut()
		s.calmAt = time.Now()
	}
}

// be gives the service itself a trouble.
func (s *strait) be(mood string, f sim.Fault) {
	s.mood = mood
	s.faults.ClearAll()
	if mood != "" {
		s.faults.Set(mood, f)
	}
}

// fair tells whether nothing keeps the kiosk from its service.
func (s *strait) fair() bool { return s.sky == clear && s.mood == "" && time.Now().After(s.calmAt) }

// weather lets a spell go on, or begins another.
func (n *torture) weather() {
	if time.Now().Before(n.spellEnds) {
		return
	}
	if n.rng.IntN(10) == 0 {
		n.allFair(n.rng.IntN(3) > 0)
		n.spellEnds = time.Now().Add(8*time.Second + time.Duration(n.rng.IntN(4000))*time.Millisecond)
		n.note("weather: clear everywhere")
		return
	}
	for _, s := range n.ways.all() {
		to := clear
		if n.rng.IntN(3) > 0 {
			to = storms()[n.rng.IntN(len(storms()))]
		}
		if to != s.sky {
			n.note("weather: %s is %s", s.name, to)
		}
		n.spells[to]++
		s.turn(to, n.rng.IntN(2) == 0)
		n.upset(s)
	}
	away := n.rng.IntN(8) == 0
	if away != n.zoomAway {
		n.note("zoom rooms offline: %v", away)
	}
	n.disconnect(away)
	n.spellEnds = time.Now().Add(100*time.Millisecond + time.Duration(n.rng.IntN(2000))*time.Millisecond)
}

// upset gives a service trouble of its own, now and then.
func (n *torture) upset(s *strait) {
	switch n.rng.IntN(12) {
	case 0:
		s.be("in trouble", sim.Fault{Status: http.StatusServiceUnavailable})
	case 1:
		s.be("throttling", sim.Fault{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"20"}}})
	case 2:
		s.be("forgetful", sim.Fault{Unauthorized: true})
	case 3, 4:
		s.be("mute", sim.Fault{SlowAnswer: time.Minute}) // it carries out what it is asked to, and says nothing
	}
	if s.mood != "" {
		n.note("%s is %s", s.name, s.mood)
	}
}

// allFair clears the sky. mend: connections that are half-open break at last, else they stay.
func (n *torture) allFair(mend bool) {
	for _, s := range n.ways.all() {
		s.turn(clear, mend)
	}
	n.disconnect(false)
}

func (n *torture) disconnect(away bool) {
	n.zoomAway = away
	for _, d := range n.doors {
		n.world.Zoom.SetOffline(d.zoomID, away)
	}
}

// scene is a trouble that taps are sure to meet, whatever the weather was before.
type scene struct {
	name       string
	begin, end func(n *torture)
}

func scenes() []scene {
	refuse := func(status int) func(*torture) {
		return func(n *torture) { n.ways.zoom.be("refusing", sim.Fault{Method: http.MethodPatch, Status: status}) }
	}
	relent := func(n *torture) { n.ways.zoom.be("", sim.Fault{}) }
	return []scene{
		{
			"zoom carries out and its answers are lost, then it is away, and the kiosk starts anew",
			func(n *torture) { n.ways.zoom.turn(unanswered, false) },
			func(n *torture) { n.ways.zoom.turn(refused, false); n.restart() },
		},
		{
			"all that is sent disappears",
			func(n *torture) {
				for _, s := range n.ways.all() {
					s.turn(hole, false)
				}
			},
			func(n *torture) { n.allFair(true) },
		},
		{"zoom has a problem", refuse(http.StatusServiceUnavailable), relent},
		{"zoom has too much to do", refuse(http.StatusTooManyRequests), relent},
		{"the rooms are offline", func(n *torture) { n.disconnect(true) }, func(n *torture) { n.disconnect(false) }},
	}
}

// lastAct plays every scene: with a meeting that is checked in, and one that is checked in and then
// released. Before the next one begins, everything has to have come to its end.
func (n *torture) lastAct(tick <-chan time.Time) {
	for _, s := range scenes() {
		n.note("a scene: %s", s.name)
		n.settle(tick)
		if n.violations == 0 {
			n.play(tick, s)
		}
		if n.violations > 0 {
			return
		}
	}
	n.settle(tick)
}

func (n *torture) play(tick <-chan time.Time, s scene) {
	newest := map[*door]string{}
	for _, d := range n.doors {
		newest[d] = n.put(d, n.clock.Now().Add(-time.Minute), 40*time.Minute)
	}
	for _, d := range n.doors {
		if !n.until(tick, func() bool { return d.last.unflagged() && d.shown(newest[d]) != nil }) {
			n.violated(d, "%s isn't shown after %s of fair weather", newest[d], settleMost)
			return
		}
	}
	ada, grace := n.doors[0], n.doors[1]
	in, out := *ada.shown(newest[ada]), *grace.shown(newest[grace])
	s.begin(n)
	n.tap(ada, rooms.CheckIn, in, true)
	n.tap(ada, rooms.Release, in, false)
	n.takeBack(ada, in.ID)
	n.tap(grace, rooms.CheckIn, out, false)
	n.through(tick, 20*time.Second)
	n.tap(grace, rooms.Release, out, true)
	n.through(tick, 80*time.Second)
	s.end(n)
	n.through(tick, 40*time.Second)
}

// shown is a meeting as the door shows it; nil: it doesn't.
func (d *door) shown(event string) *claimed {
	if d.last == nil {
		return nil
	}
	for i := range d.last.Reservations {
		if r := &d.last.Reservations[i]; r.Title == event {
			return r
		}
	}
	return nil
}

// settle waits, in fair weather, until every tap has come to its end and every screen is right.
func (n *torture) settle(tick <-chan time.Time) {
	n.note("fair weather from here on")
	n.allFair(true)
	if !n.until(tick, n.settled) && n.violations == 0 {
		n.violated(n.doors[0], "not everything is settled after %s of fair weather", settleMost)
	}
}

func (n *torture) settled() bool {
	for _, d := range n.doors {
		if !d.last.unflagged() || d.last.has(rooms.FlagZoomRoomOffline) {
			return false
		}
	}
	for _, t := range n.taps {
		if t.id != "" && t.said.State.Open() {
			return false
		}
	}
	return true
}

// until watches until something is so. False: it took too long, or a promise was broken.
func (n *torture) until(tick <-chan time.Time, so func() bool) bool {
	limit := time.NewTimer(settleMost)
	defer limit.Stop()
	for n.violations == 0 {
		if so() {
			return true
		}
		select {
		case <-limit.C:
			return false
		case <-tick:
			n.observe()
		}
	}
	return false
}

// through watches for so long, in the kiosk's time.
func (n *torture) through(tick <-chan time.Time, d time.Duration) {
	for end := n.clock.Now().Add(d); n.clock.Now().Before(end) && n.violations == 0; <-tick {
		n.observe()
	}
}
