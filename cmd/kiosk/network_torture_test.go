package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"roomkiosk/internal/rooms"
	"roomkiosk/internal/sim"
	"roomkiosk/internal/store"
)

// tortureSpeed is how fast the world and the kiosk's clock run. Time limits of connections are in real
// time all the same: one that hangs for 8 s costs 10 simulated minutes.
const tortureSpeed = 75

const (
	tortureFull  = 10 * time.Hour        // simulated; with KIOSK_TORTURE=full
	tortureShort = 15 * time.Minute      // otherwise
	tortureStep  = 25 * time.Millisecond // real
	settleMost   = 45 * time.Second      // real
)

// torture is a kiosk between bad weather and people who don't wait.
type torture struct {
	t     *testing.T
	rng   *rand.Rand
	clock fastClock
	world *sim.World
	doors []*door
	ways  straits
	start func() *process

	dataDir string

	kiosk      *process
	kioskSince time.Time
	log        *tail
	fairSince  map[*strait]time.Time
	spellEnds  time.Time // real
	zoomAway   bool      // rooms are disconnected from Zoom
	listens    bool      // the kiosk is told of Zoom's events

	taps     []*pressed
	regrets  []regret
	reshaped map[string]time.Time // by event: when people last changed its time

	zoomRead   int
	releasedAt map[string]time.Time // by Zoom's name of the event
	lines      []string

	nextMeddling, nextTap, nextRestart time.Time

	// Figures.
	judged, skipped, restarts, violations int
	spells                                map[sky]int
	ages                                  []time.Duration
	ended                                 map[rooms.ActionState]int
	answers                               map[int]int
	failures                              map[string]int
	received                              map[string]int
}

// TestNetworkTorture runs the kiosk for hours behind networks that delay, cut, swallow and refuse, and
// holds every statement of its screens against what was really so. KIOSK_TORTURE=full makes it 10
// simulated hours; KIOSK_TORTURE_SEED repeats a run's choices.
func TestNetworkTorture(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	seed, span := uint64(time.Now().UnixNano()), tortureShort
	if text := os.Getenv("KIOSK_TORTURE_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	if os.Getenv("KIOSK_TORTURE") == "full" {
		span = tortureFull
	}
	t.Logf("KIOSK_TORTURE_SEED=%d", seed)
	n := newTorture(t, seed)
	defer n.end()
	tick := time.NewTicker(tortureStep)
	defer tick.Stop()
	for end := n.clock.Now().Add(span); n.clock.Now().Before(end) && n.violations == 0; <-tick.C {
		n.step()
	}
	if n.violations == 0 {
		n.lastAct(tick.C)
	}
}

func newTorture(t *testing.T, seed uint64) *torture {
	t.Helper()
	n := &torture{
		t: t, rng: rand.New(rand.NewPCG(seed, 4)), clock: fastClock{start: time.Now(), speed: tortureSpeed},
		doors: newDoors(), log: &tail{}, fairSince: map[*strait]time.Time{},
		reshaped: map[string]time.Time{}, releasedAt: map[string]time.Time{},
		spells: map[sky]int{}, answers: map[int]int{}, ended: map[rooms.ActionState]int{}, failures: map[string]int{}, received: map[string]int{},
	}
	n.world = newTortureWorld(t, n.clock, n.doors)
	n.ways = newStraits(t, n.world, n.doors)
	n.listens = seed%2 == 0
	cfg := tortureConfig(t, n.world, n.ways, n.doors, n.listens)
	n.start = func() *process { return startKiosk(t, cfg, n.clock, n.log) }
	for _, d := range n.doors {
		n.planned(d)
	}
	n.dataDir = cfg.DataDir
	n.begin()
	return n
}

// begin starts the kiosk.
func (n *torture) begin() {
	n.kiosk, n.kioskSince = n.start(), n.clock.Now()
	for _, d := range n.doors {
		d.asOf, d.restored = time.Time{}, true
	}
}

// step is a moment of everything that goes on.
func (n *torture) step() {
	n.weather()
	for _, d := range n.doors {
		n.planned(d)
	}
	now := n.clock.Now()
	if now.After(n.nextMeddling) {
		n.nextMeddling = now.Add(n.exp(40 * time.Second))
		n.meddle(n.doors[n.rng.IntN(len(n.doors))])
	}
	for _, r := range n.regrets {
		n.takeBack(r.door, r.reservation)
	}
	n.regrets = nil
	if now.After(n.nextTap) {
		n.nextTap = now.Add(n.exp(8 * time.Second))
		n.tapSomething(n.doors[n.rng.IntN(len(n.doors))])
	}
	if n.nextRestart.IsZero() {
		n.nextRestart = now.Add(n.exp(12 * time.Minute))
	}
	if now.After(n.nextRestart) {
		n.nextRestart = now.Add(n.exp(12 * time.Minute))
		n.restart()
	}
	n.observe()
}

// exp draws a waiting time with a mean.
func (n *torture) exp(mean time.Duration) time.Duration {
	return time.Duration(n.rng.ExpFloat64() * float64(mean))
}

// restart stops the kiosk, in the midst of a tap at times, and starts it on the same data.
func (n *torture) restart() {
	n.restarts++
	n.note("the kiosk stops")
	tapped := make(chan struct{})
	d := n.doors[n.rng.IntN(len(n.doors))]
	old := n.kiosk
	var last func()
	if c := d.last; c != nil && c.Current != nil && n.rng.IntN(2) == 0 {
		kind := []rooms.ActionKind{rooms.CheckIn, rooms.Release}[n.rng.IntN(2)]
		go func() {
			status, a := old.press(d.id, routes[kind], c.Current.ID)
			last = func() { n.took(d, kind, *c.Current, status, a) }
			close(tapped)
		}()
	} else {
		close(tapped)
	}
	old.end(n.t)
	<-tapped
	if last != nil {
		last()
	}
	n.begin()
	n.note("the kiosk runs again")
}

// observe hears what the kiosk says, and judges it.
func (n *torture) observe() {
	all, busy, err := n.kiosk.claims()
	if busy {
		n.skipped++
		return
	}
	if err != nil || len(all) != len(n.doors) {
		n.violated(n.doors[0], "the kiosk doesn't answer: %v", err)
		return
	}
	for i, d := range n.doors {
		n.look(d)
		n.judge(d, all[i])
	}
	for _, s := range n.ways.all() {
		if !s.fair() || s == n.ways.zoom && n.zoomAway {
			n.fairSince[s] = n.clock.Now()
		}
	}
	n.judgeZoom()
	n.judgeWaiting()
}

// end stops everything, reads the journal, and says what there was.
func (n *torture) end() {
	n.kiosk.end(n.t)
	n.judgeZoom()
	if n.violations == 0 {
		n.judgeJournal()
	}
	n.report()
}

// judgeJournal: every tap that was ever acknowledged is on the disk, settled, as it was last shown.
func (n *torture) judgeJournal() {
	journal, err := store.OpenJournal(filepath.Join(n.dataDir, "journal.db"))
	if err != nil {
		n.t.Fatal(err)
	}
	defer func() { _ = journal.Close() }() // it was only read
	stored := map[string]rooms.Action{}
	for _, d := range n.doors {
		all, err := journal.ActionsOf(n.t.Context(), d.id, time.Time{})
		if err != nil {
			n.t.Fatal(err)
		}
		for _, a := range all {
			stored[a.ID] = a
		}
	}
	for _, t := range n.taps {
		a, ok := stored[t.id]
		switch {
		case t.id == "":
		case !ok:
			n.violated(t.door, "%s of %s is not in the journal", t.kind, t.event)
		case a.State.Open():
			n.violated(t.door, "%s of %s is %s in the journal", t.kind, t.event, a.State)
		case !slices.Contains(afterwards(t.said.State), a.State):
			n.violated(t.door, "%s of %s is %s in the journal, and was shown as %s", t.kind, t.event, a.State, t.said.State)
		}
		if ok {
			n.ended[a.State]++
		}
	}
}

// note writes a line of the timeline.
func (n *torture) note(format string, args ...any) {
	n.lines = append(n.lines, n.clock.Now().Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
	if most := 2000; len(n.lines) > 2*most {
		n.lines = slices.Clone(n.lines[len(n.lines)-most:])
	}
}

// noteClaim writes down what a door says, when that is something else.
func (n *torture) noteClaim(d *door, c *claim) {
	if o := d.last; o != nil && o.Status == c.Status && slices.Equal(o.Flags, c.Flags) && slices.Equal(o.Reservations, c.Reservations) {
		return
	}
	n.note("%s says %s", d.id, c)
}

func (c *claim) String() string {
	var list []string
	for _, r := range c.Reservations {
		if r.End.After(c.Now.Add(-10*time.Minute)) && r.Start.Before(c.Now.Add(time.Hour)) {
			list = append(list, meeting{r.Title, r.Start, r.End}.String()+" "+string(r.Phase))
		}
	}
	asOf := "never read"
	if c.Schedule.AsOf != nil {
		asOf = "as of " + c.Schedule.AsOf.Format("15:04:05.000")
	}
	return fmt.Sprintf("%s %v, %s, at %s, about now [%s]", c.Status, c.Flags, asOf, c.Now.Format("15:04:05.000"), strings.Join(list, ", "))
}

// violated reports a broken promise, with what led to it.
func (n *torture) violated(d *door, format string, args ...any) {
	n.t.Helper()
	n.violations++
	if n.violations > 3 {
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s "+format+"\n", append([]any{n.clock.Now().Format("15:04:05.000"), d.id}, args...)...)
	if n.violations == 1 {
		fmt.Fprintf(&b, "\nWhat happened:\n  %s\n", strings.Join(n.lines[max(0, len(n.lines)-80):], "\n  "))
		if d.last != nil {
			fmt.Fprintf(&b, "\nThe claim before: %s\n", d.last)
		}
		fmt.Fprintf(&b, "\nWhat was true, last:\n")
		for _, m := range d.past[max(0, len(d.past)-4):] {
			fmt.Fprintf(&b, "  %s\n", m)
		}
		fmt.Fprintf(&b, "\nWeather:")
		for _, s := range n.ways.all() {
			fmt.Fprintf(&b, " %s %s %s;", s.name, s.sky, s.mood)
		}
		fmt.Fprintf(&b, "\n\nThe kiosk's log:\n  %s\n", strings.Join(n.log.end(30), "\n  "))
	}
	n.t.Error(b.String())
}

// report prints figures.
func (n *torture) report() {
	taps, elsewhere, undone, twice := 0, 0, 0, 0
	for _, t := range n.taps {
		if t.elsewhere {
			elsewhere++
		} else if t.id != "" {
			taps++
		}
		if t.undone {
			undone++
		}
	}
	for _, times := range n.received {
		if times > 1 {
			twice++
		}
	}
	slices.Sort(n.ages)
	quantile := func(q float64) time.Duration {
		if len(n.ages) == 0 {
			return 0
		}
		return n.ages[int(q*float64(len(n.ages)-1))]
	}
	n.t.Logf("%s simulated at %d times the speed of time, with Zoom's events: %v; spells of weather: %v",
		n.clock.Now().Sub(n.clock.start).Round(time.Minute), tortureSpeed, n.listens, n.spells)
	n.t.Logf("%d claims judged (%d asked too soon), %d restarts, %d violations", n.judged, n.skipped, n.restarts, n.violations)
	n.t.Logf("answers to taps: %v; %d actions here, %d elsewhere, %d undone, in the end: %v; failures: %v",
		n.answers, taps, elsewhere, undone, n.ended, n.failures)
	n.t.Logf("zoom received %d kinds of requests, %d of them more than once", len(n.received), twice)
	n.t.Logf("age of schedules without a flag: median %s, p99 %s, most %s; without a flag: %d%%",
		quantile(.5).Round(time.Second), quantile(.99).Round(time.Second), quantile(1).Round(time.Second), 100*len(n.ages)/max(n.judged, 1))
}
