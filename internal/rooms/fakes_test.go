package rooms

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

type wallClock struct{}

func (wallClock) Now() time.Time                    { return time.Now() }
func (wallClock) Timer(d time.Duration) *time.Timer { return time.NewTimer(d) }

// house is a room's whole surroundings in memory: what is true outside, and what the keeper was
// told and did.
type house struct {
	mu        sync.Mutex
	onCal     []Reservation
	calFault  error
	sendFault error        // what Zoom answers
	answer    func() error // instead of sendFault, when set: may block
	sent      []string     // "check_in e1"
	reads     []time.Time
	profiles  int
	profile   Profile
	journal   map[string]Action
	order     []string
	full      bool // the journal's disk
	stubborn  bool // releases don't reach the calendar
	past      []Happening
	cached    map[string]Schedule
	screens   []Screen
}

func (h *house) Read(context.Context, Room, time.Time, time.Time) ([]Reservation, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reads = append(h.reads, time.Now())
	return slices.Clone(h.onCal), h.calFault
}

func (h *house) Lookup(_ context.Context, _ Room, ref EventRef) (Reservation, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.calFault != nil {
		return Reservation{}, h.calFault
	}
	for _, r := range h.onCal {
		if r.Ref.EventID == ref.EventID {
			return r, nil
		}
	}
	return Reservation{}, &Fault{Service: "calendar", Kind: FaultNotFound}
}

func (h *house) CheckIn(_ context.Context, _ Room, ref EventRef) error {
	return h.send("check_in " + ref.EventID)
}

func (h *house) Release(_ context.Context, _ Room, ref EventRef) error {
	if err := h.send("release " + ref.EventID); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.onCal {
		if h.onCal[i].Ref.EventID == ref.EventID && !h.stubborn {
			h.onCal[i].End = time.Now().Truncate(time.Second)
		}
	}
	return nil
}

func (h *house) send(what string) error {
	h.mu.Lock()
	h.sent = append(h.sent, what)
	err, answer := h.sendFault, h.answer
	h.mu.Unlock()
	if answer != nil {
		return answer()
	}
	return err
}

func (h *house) Profile(context.Context, Room) (Profile, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.profiles++
	return h.profile, nil
}

func (h *house) Publish(s Screen) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.screens = append(h.screens, s)
}

func (h *house) Note(happenings ...Happening) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.past = append(h.past, happenings...)
}

func (h *house) set(change func(*house)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change(h)
}

// stores are the journal and the cache.
type stores struct{ *house }

func (s stores) Record(actions ...Action) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full {
		return fmt.Errorf("no space left on device")
	}
	for _, a := range actions {
		if _, known := s.journal[a.ID]; !known {
			s.order = append(s.order, a.ID)
		}
		s.journal[a.ID] = a
	}
	return nil
}

func (s stores) ActionsOf(_ context.Context, _ string, since time.Time) ([]Action, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Action
	for _, id := range s.order {
		if a := s.journal[id]; a.State.Open() || a.ExpiresAt.After(since) {
			out = append(out, a)
		}
	}
	return out, nil
}

func (s stores) Schedule(_ context.Context, room string) (Schedule, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.cached[room]; ok {
		return c, nil
	}
	return Schedule{}, ErrNotFound
}

func (s stores) SaveSchedule(room string, c Schedule) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cached[room] = c
	return nil
}

func (s stores) Profile(context.Context, string) (Profile, error) { return Profile{}, ErrNotFound }
func (s stores) SaveProfile(string, Profile) error                { return nil }

// run is one life of a keeper, between start and crash.
type run struct {
	*Keeper
	*house
	crash func()
}

// start gives the house a keeper, after the time it takes to read the calendar.
func (h *house) start(t *testing.T, change ...func(*KeeperConfig)) run {
	t.Helper()
	n := 0
	cfg := KeeperConfig{
		Room: Room{
			ID: "ada", Name: "Ada", Zone: time.UTC, ZoomID: "z1", Calendar: "google", CalendarID: "c1",
			StaleAfter: DefaultStaleAfter, UndoWindow: DefaultUndoWindow,
		},
		Calendar: h, Events: h, Journal: stores{h}, Cache: stores{h}, Publisher: h, History: h, Clock: wallClock{},
		Log: slog.New(slog.DiscardHandler), Poll: 15 * time.Second,
		NewID:  func() string { n++; return fmt.Sprint("a", len(h.order), "-", n) },
		Random: func() float64 { return 0.5 },
	}
	for _, c := range change {
		c(&cfg)
	}
	k, err := NewKeeper(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = k.Run(ctx) }()
	synctest.Wait()
	return run{Keeper: k, house: h, crash: func() { cancel(); <-done }}
}

func newHouse(onCal ...Reservation) *house {
	return &house{onCal: onCal, journal: map[string]Action{}, cached: map[string]Schedule{}}
}

// meeting is a reservation that starts and ends so many minutes from now.
func meeting(id string, from, to int) Reservation {
	now := time.Now().UTC().Truncate(time.Second)
	return Reservation{
		ID: id, Ref: EventRef{EventID: "e" + id, CalendarID: "c1"}, Title: "Weekly",
		Start: now.Add(time.Duration(from) * time.Minute), End: now.Add(time.Duration(to) * time.Minute),
	}
}

func (r run) tap(t *testing.T, kind ActionKind, reservation string) Action {
	t.Helper()
	a, err := r.Tap(t.Context(), Tap{Kind: kind, Reservation: reservation, Origin: "panel"})
	if err != nil {
		t.Fatalf("tapping %s: %v", kind, err)
	}
	synctest.Wait()
	return a
}

// after lets so much time pass, with everything that happens in it.
func after(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func (r run) action(t *testing.T, id string) Action {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	a, ok := r.journal[id]
	if !ok {
		t.Fatalf("action %s is not in the journal", id)
	}
	return a
}

func (r run) wasSent(t *testing.T, want ...string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Equal(r.sent, want) {
		t.Fatalf("sent to zoom: %q, want %q", r.sent, want)
	}
}
