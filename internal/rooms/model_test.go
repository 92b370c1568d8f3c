package rooms_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"roomkiosk/internal/rooms"
	"roomkiosk/internal/store"
)

// TestModel drives a keeper, on real stores, through random days: people tap, here and elsewhere, change
// the calendar, pull cables, set the clock and restart the kiosk. After each step what the screen
// claims is compared with what is true outside.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		script := rapid.SliceOfN(genStep(), 5, 60).Draw(rt, "script")
		var wrong error
		synctest.Test(t, func(t *testing.T) {
			m := newModel(t)
			defer m.stop()
			wrong = m.play(script)
		})
		if wrong != nil {
			rt.Fatal(wrong)
		}
	})
}

// step is one thing that happens.
type step struct {
	do   string
	what int // which meeting, how: reduced to what there is
	wait time.Duration
}

func (s step) String() string { return fmt.Sprintf("%s %d, %v", s.do, s.what, s.wait) }

func genStep() *rapid.Generator[step] {
	acts := []string{
		"tap", "tap", "tap", "undo", "elsewhere", "book", "lengthen", "delete", "move",
		"zoom", "zoom well", "calendar", "calendar well", "events", "restart", "set clock", "wait", "wait",
	}
	return rapid.Custom(func(t *rapid.T) step {
		return step{
			do:   rapid.SampledFrom(acts).Draw(t, "do"),
			what: rapid.IntRange(0, 23).Draw(t, "what"),
			wait: time.Duration(rapid.SampledFrom([]int{0, 100, 1000, 5000, 20000, 60000, 600000}).Draw(t, "wait")) * time.Millisecond,
		}
	})
}

type model struct {
	t *testing.T
	*outside
	keeper    *rooms.Keeper
	journal   *store.Journal
	cache     *store.Cache
	dir       string
	halt      func()
	ids       int
	doubt     rooms.ClockDoubt
	wrong     time.Duration                // by which the clock is
	taps      map[string]rooms.Action      // that were acknowledged, by id
	undone    map[string]bool              // likewise
	states    map[string]rooms.ActionState // that the journal showed last, by id
	stretched map[string]bool              // meetings that somebody lengthened
}

func newModel(t *testing.T) *model {
	o := &outside{clock: &clock{}, reads: map[int64][]meeting{}}
	m := &model{
		t: t, outside: o, dir: t.TempDir(),
		taps: map[string]rooms.Action{}, undone: map[string]bool{},
		states: map[string]rooms.ActionState{}, stretched: map[string]bool{},
	}
	<-time.After(10 * time.Hour) // of the first day
	for i := range 3 {
		m.book(time.Duration(i*30-5)*time.Minute, 25*time.Minute)
	}
	m.start()
	return m
}

func (m *model) book(in, long time.Duration) {
	m.do(func() {
		start := truly().Add(in).Truncate(time.Second)
		m.meetings = append(m.meetings, meeting{id: fmt.Sprint("e", len(m.meetings)), start: start, end: start.Add(long)})
	})
}

func (m *model) start() {
	var err error
	if m.journal, err = store.OpenJournal(filepath.Join(m.dir, "journal.db")); err != nil {
		m.t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	if m.cache, err = store.OpenCache(filepath.Join(m.dir, "cache.db"), log); err != nil {
		m.t.Fatal(err)
	}
	m.keeper, err = rooms.NewKeeper(m.t.Context(), rooms.KeeperConfig{
		Room: rooms.Room{
			ID: "ada", Zone: time.UTC, ZoomID: "z", Calendar: "google", CalendarID: "c",
			StaleAfter: rooms.DefaultStaleAfter, UndoWindow: rooms.DefaultUndoWindow,
		},
		Calendar: m.outside, Events: m.outside, Journal: m.journal, Cache: m.cache, Publisher: m.outside,
		Clock: m.clock, Log: log, Poll: 15 * time.Second, ClockDoubt: m.doubt,
		NewID:  func() string { m.ids++; return fmt.Sprint("a", m.ids) },
		Random: func() float64 { return 0.5 },
	})
	if err != nil {
		m.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(m.t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = m.keeper.Run(ctx) }()
	m.do(func() { m.hear = m.keeper.Hear })
	m.keeper.Listening(true)
	m.halt = func() { cancel(); <-done }
	synctest.Wait()
}

func (m *model) stop() {
	m.do(func() { m.hear = nil })
	m.halt()
	if err := errors.Join(m.cache.Close(), m.journal.Close()); err != nil {
		m.t.Error(err)
	}
	<-time.After(time.Minute) // what Zoom still carries out
}

// play plays the script, and then lets everything become well.
func (m *model) play(script []step) error {
	for i, s := range script {
		m.carryOut(s)
		<-time.After(s.wait)
		synctest.Wait()
		if err := m.check(); err != nil {
			return fmt.Errorf("after step %d (%v): %w\n%s", i, s, err, m.picture())
		}
	}
	return m.end()
}

// end makes everything well and lets so much time pass that every tap must have come to something.
func (m *model) end() error {
	m.do(func() { m.zoom, m.events, m.calendarDown = "", "", false })
	m.setClock(0)
	m.keeper.ZoomReach(nil)
	for range 40 {
		<-time.After(15 * time.Second)
		synctest.Wait()
		if err := m.check(); err != nil {
			return fmt.Errorf("when all was well again: %w\n%s", err, m.picture())
		}
	}
	actions, err := m.journal.ActionsOf(context.Background(), "ada", time.Time{})
	if err != nil {
		return err
	}
	for _, a := range actions {
		if a.State.Open() {
			return fmt.Errorf("%s %s is still %s (%s)\n%s", a.Kind, a.ID, a.State, a.Reason, m.picture())
		}
	}
	return nil
}

func (m *model) carryOut(s step) {
	switch s.do {
	case "tap", "undo", "elsewhere":
		m.person(s)
	case "book", "lengthen", "delete", "move":
		m.organizer(s)
	case "zoom":
		m.do(func() { m.zoom = []string{"down", "lost", "busy", "room_offline", "no"}[s.what%5] })
	case "zoom well":
		m.do(func() { m.zoom = "" })
		m.keeper.ZoomReach(nil)
	case "calendar", "calendar well":
		m.do(func() { m.calendarDown = s.do == "calendar" })
	case "events":
		m.do(func() { m.events = []string{"", "lost", "twice"}[s.what%3] })
	case "restart":
		m.do(func() { m.hear = nil })
		m.halt()
		if err := errors.Join(m.cache.Close(), m.journal.Close()); err != nil {
			m.t.Error(err)
		}
		m.start()
	case "set clock":
		m.setClock([]time.Duration{0, time.Hour, -time.Hour, 26 * time.Hour}[s.what%4])
	}
	synctest.Wait()
}

// setClock makes the clock wrong by so much; it is known then that it was set, and by 0 that it's right.
func (m *model) setClock(wrong time.Duration) {
	m.wrong, m.doubt = wrong, rooms.ClockTrusted
	if wrong != 0 {
		m.doubt = rooms.ClockJumped
	}
	m.clock.off.Store(int64(wrong))
	m.keeper.Clock(m.doubt)
}

func (m *model) person(s step) {
	id := fmt.Sprint("r-e", s.what%len(m.meetings))
	kind := []rooms.ActionKind{rooms.CheckIn, rooms.Release}[s.what/12]
	if s.do == "elsewhere" {
		m.effect(kind, strings.TrimPrefix(id, "r-"))
		return
	}
	if s.do == "undo" {
		if a, err := m.keeper.Undo(context.Background(), id); err == nil {
			m.undone[a.ID] = true
		}
		return
	}
	a, err := m.keeper.Tap(context.Background(), rooms.Tap{Kind: kind, Reservation: id, Origin: rooms.OriginPanel})
	if err == nil && a.Origin == rooms.OriginPanel {
		m.taps[a.ID] = a
	}
}

func (m *model) organizer(s step) {
	if s.do == "book" {
		m.book(time.Duration(s.what-5)*5*time.Minute, time.Duration(1+s.what%4)*15*time.Minute)
		return
	}
	m.do(func() {
		e := &m.meetings[s.what%len(m.meetings)]
		switch s.do {
		case "lengthen":
			e.end = e.end.Add(15 * time.Minute)
			m.stretched[e.id] = true
		case "delete":
			e.gone = true
		case "move":
			e.start, e.end, e.checkedIn = e.start.Add(2*time.Hour), e.end.Add(2*time.Hour), false
		}
	})
}

// picture is what a person needs to see what went wrong.
func (m *model) picture() string {
	var b strings.Builder
	s := m.keeper.Screen()
	fmt.Fprintf(&b, "now %v, %s, %v, as of %v\n", s.Now, s.Status, s.Flags, s.AsOf)
	for _, k := range s.Bookings {
		fmt.Fprintf(&b, "  screen %s %v-%v %s\n", k.ID, k.Start, k.End, k.Phase)
	}
	m.do(func() {
		for _, e := range m.meetings {
			fmt.Fprintf(&b, "  truth %s %v-%v checked in %v, gone %v\n", e.id, e.start, e.end, e.checkedIn, e.gone)
		}
		for _, r := range m.received {
			fmt.Fprintf(&b, "  received %v %s %s\n", r.at, r.kind, r.event)
		}
	})
	actions, _ := m.journal.ActionsOf(context.Background(), "ada", time.Time{})
	for _, a := range actions {
		fmt.Fprintf(&b, "  action %s %s %s by %s, tapped %v, %s %q, due %v, %d attempts\n",
			a.ID, a.Kind, a.Ref.EventID, a.Origin, a.TappedAt, a.State, a.Reason, a.DueAt, a.Attempts)
	}
	return b.String()
}
