package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"roomkiosk/internal/config"
	"roomkiosk/internal/rooms"
	"roomkiosk/internal/sim"
)

// door is a room of the torture, with what is known of it.
type door struct {
	id, kind           string
	zoomID, calendarID string
	calendar           *strait // the way to its calendar

	past     []moment  // what was on the calendar, since when
	looked   time.Time // when it was looked at last
	last     *claim    // what the kiosk said last; nil: nothing yet
	asOf     time.Time // of the last claim, in this run of the kiosk
	restored bool      // the next claim may be from the cache
	next     int       // number of the next event
	planned  time.Time // until when the calendar is filled
}

// newDoors are a room on Google Calendar and one on Microsoft Graph, both with a Zoom Room.
func newDoors() []*door {
	return []*door{
		{id: "ada", kind: "google", zoomID: adaZoom, calendarID: adaCalendar},
		{id: "grace", kind: "graph", zoomID: "Gh7RkTz0Q1eVwbM5nXcU2A", calendarID: "grace@rooms.example.com"},
	}
}

// newTortureWorld makes the stand-ins behind those doors.
func newTortureWorld(t *testing.T, clock rooms.Clock, doors []*door) *sim.World {
	t.Helper()
	w := sim.NewWorld(sim.WorldConfig{Clock: clock, Now: time.Now, Zoom: sim.ZoomConfig{
		AccountID: "account", ClientID: "client", ClientSecret: adaSecret, EffectDelay: 2 * time.Second,
	}})
	if err := w.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	for _, d := range doors {
		w.Calendar.Open(d.calendarID, d.id, time.UTC)
		kind := sim.OnGoogle
		if d.kind == "graph" {
			kind = sim.OnExchange
		}
		w.Zoom.AddRoom(sim.ZoomRoom{
			ID: d.zoomID, Name: d.id, Kind: kind, CalendarID: d.calendarID,
			CheckIn: sim.ZoomCheckIn{
				Enabled: true, AutoRelease: true,
				OpensBefore: rooms.DefaultOpensBefore, ReleaseAfter: rooms.DefaultClosesAfter,
			},
		})
	}
	return w
}

// straits are the ways from the kiosk to the services.
type straits struct{ zoom, google, graph *strait }

func (s straits) all() []*strait { return []*strait{s.zoom, s.google, s.graph} }

func newStraits(t *testing.T, w *sim.World, doors []*door) straits {
	t.Helper()
	host := func(url string) string {
		host, _, _ := strings.Cut(strings.TrimPrefix(url, "http://"), "/")
		return host
	}
	s := straits{
		zoom:   newStrait(t, "zoom", host(w.ZoomURL()), w.Zoom.Faults()),
		google: newStrait(t, "google", host(w.GoogleURL()), w.Google.Faults()),
		graph:  newStrait(t, "graph", host(w.GraphURL()), w.Graph.Faults()),
	}
	for _, d := range doors {
		d.calendar = map[string]*strait{"google": s.google, "graph": s.graph}[d.kind]
	}
	return s
}

const (
	torturePoll  = config.DefaultPoll
	tortureStale = rooms.DefaultStaleAfter
	tortureUndo  = rooms.DefaultUndoWindow
)

// tortureConfig is what kiosk.toml would say, with the straits for addresses. listens: the kiosk is told
// of Zoom's events.
func tortureConfig(t *testing.T, w *sim.World, s straits, doors []*door, listens bool) *config.Config {
	t.Helper()
	through := func(to *strait, url string) string { return strings.Replace(url, to.target, to.Addr(), 1) }
	robot, err := w.Google.NewServiceAccount(through(s.google, w.GoogleTokenURL()))
	if err != nil {
		t.Fatal(err)
	}
	w.Google.Share(adaCalendar, robot.Email, sim.Writer)
	tenant, client, secret := w.GraphCredentials()
	cfg := &config.Config{
		DataDir: filepath.Join(t.TempDir(), "data"), Zone: time.UTC, Language: config.DefaultLanguage,
		ClockMode: config.ClockTrusted,
		Zoom: &config.Zoom{
			AccountID: "account", ClientID: "client", ClientSecret: config.NewSecret(adaSecret),
			APIURL: through(s.zoom, w.ZoomURL()), TokenURL: through(s.zoom, w.ZoomTokenURL()), Body: "json",
		},
		Calendars: []config.Calendar{
			{
				Name: "google", Kind: config.Google, Poll: torturePoll, URL: through(s.google, w.GoogleURL()),
				Credentials: config.NewSecret(string(robot.JSON)),
			},
			{
				Name: "graph", Kind: config.Graph, Poll: torturePoll, URL: through(s.graph, w.GraphURL()),
				TokenURL: through(s.graph, w.GraphTokenURL()),
				TenantID: tenant, ClientID: client, ClientSecret: config.NewSecret(secret),
			},
		},
	}
	if listens {
		cfg.Zoom.EventsURL = through(s.zoom, w.ZoomEventsURL())
	}
	for _, d := range doors {
		cfg.Rooms = append(cfg.Rooms, rooms.Room{
			ID: d.id, Name: d.id, Zone: time.UTC, Language: config.DefaultLanguage,
			ZoomID: d.zoomID, Calendar: d.kind, CalendarID: d.calendarID,
			StaleAfter: tortureStale, UndoWindow: tortureUndo,
		})
	}
	return cfg
}

// process is a run of the kiosk in this process.
type process struct {
	url  string
	k    *kiosk
	stop context.CancelFunc
	done chan error
}

func startKiosk(t *testing.T, cfg *config.Config, clock rooms.Clock, log io.Writer) *process {
	t.Helper()
	k, err := build(t.Context(), cfg, surroundings{
		clock: clock, rate: tortureSpeed, log: slog.New(slog.NewTextHandler(log, nil)),
	})
	if err != nil {
		k.close()
		t.Fatalf("the kiosk doesn't start: %v", err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	p := &process{url: "http://" + ln.Addr().String(), k: k, stop: stop, done: make(chan error, 1)}
	go func() { p.done <- k.run(ctx, ln) }()
	return p
}

// end stops the kiosk as systemd does, and waits until it has written what it knows.
func (p *process) end(t *testing.T) {
	t.Helper()
	p.stop()
	if err := <-p.done; err != nil {
		t.Errorf("the kiosk ended with %v", err)
	}
	p.k.close()
	http.DefaultClient.CloseIdleConnections()
}

// claim is what the API says of a room.
type claim struct {
	ID       string
	Now      time.Time
	Status   rooms.Status
	Flags    []rooms.Flag
	Current  *claimed
	Schedule struct {
		AsOf  *time.Time `json:"as_of"`
		Error string
	}
	Reservations []claimed
	Actions      []claimedAction
}

type claimed struct {
	ID, Title  string
	Start, End time.Time
	Phase      rooms.Phase
}

type claimedAction struct {
	ID          string
	Kind        rooms.ActionKind
	Reservation string
	State       rooms.ActionState
	Reason      rooms.Reason
	TappedAt    time.Time `json:"tapped_at"`
	Message     string
}

func (c *claim) has(f rooms.Flag) bool {
	for _, g := range c.Flags {
		if f == g {
			return true
		}
	}
	return false
}

// unflagged tells whether the kiosk vouches for the status.
func (c *claim) unflagged() bool {
	return c.Status != rooms.Unknown && !c.has(rooms.FlagStale) && !c.has(rooms.FlagOffline)
}

// claims asks for all rooms. busy: the kiosk asks its callers to slow down.
func (p *process) claims() (all []*claim, busy bool, err error) {
	answer, err := http.Get(p.url + "/api/v1/rooms")
	if err != nil {
		return nil, false, err
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusTooManyRequests {
		return nil, true, nil
	}
	if answer.StatusCode != http.StatusOK {
		return nil, false, fmt.Errorf("GET /api/v1/rooms: %s", answer.Status)
	}
	if err := json.NewDecoder(answer.Body).Decode(&all); err != nil {
		return nil, false, fmt.Errorf("reading /api/v1/rooms: %w", err)
	}
	return all, false, nil
}

// press posts a tap. Status 0: the kiosk is going away, and whether it took the tap is not known.
func (p *process) press(room, what, reservation string) (status int, a claimedAction) {
	body, _ := json.Marshal(map[string]string{"reservation": reservation}) // strings only
	answer, err := http.Post(p.url+"/api/v1/rooms/"+room+"/"+what, "application/json", bytes.NewReader(body))
	if err != nil {
		return 0, claimedAction{}
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusAccepted && json.NewDecoder(answer.Body).Decode(&a) != nil {
		return 0, claimedAction{}
	}
	return answer.StatusCode, a
}

// tail keeps the end of a log.
type tail struct {
	mu    sync.Mutex
	lines []string
}

func (l *tail) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, strings.TrimSpace(string(p)))
	if most := 400; len(l.lines) > 2*most {
		l.lines = append([]string(nil), l.lines[len(l.lines)-most:]...)
	}
	return len(p), nil
}

// end returns the last lines, oldest first.
func (l *tail) end(n int) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.lines[max(0, len(l.lines)-n):]...)
}
