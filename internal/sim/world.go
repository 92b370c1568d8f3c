package sim

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"roomkiosk/internal/rooms"
)

// WorldConfig says what a world is made of. Clock and Now are required.
type WorldConfig struct {
	Clock  rooms.Clock
	Now    func() time.Time // real time
	Zoom   ZoomConfig
	Google GoogleConfig

	ZoomListener, GoogleListener net.Listener // nil: a free port of 127.0.0.1
}

// World is a Zoom and a Google that share one calendar, reachable over HTTP.
type World struct {
	Calendar *Calendar
	Zoom     *Zoom
	Google   *Google
	Rooms    []DemoRoom // of a demo world

	clock   rooms.Clock
	zone    *time.Location // of a demo world
	zoomLn  net.Listener
	googLn  net.Listener
	running sync.WaitGroup
	stop    context.CancelFunc
}

// NewWorld returns an empty World that doesn't listen yet.
func NewWorld(cfg WorldConfig) *World {
	calendar := NewCalendar(cfg.Clock)
	return &World{
		Calendar: calendar,
		Zoom:     NewZoom(cfg.Zoom, calendar, cfg.Clock, cfg.Now),
		Google:   NewGoogle(cfg.Google, calendar, cfg.Clock, cfg.Now),
		clock:    cfg.Clock,
		zoomLn:   cfg.ZoomListener,
		googLn:   cfg.GoogleListener,
	}
}

// Listen opens the listeners that weren't given. From then on the addresses are known, and
// connections are queued until [World.Run].
func (w *World) Listen() error {
	for _, ln := range []*net.Listener{&w.zoomLn, &w.googLn} {
		if *ln != nil {
			continue
		}
		var err error
		if *ln, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return fmt.Errorf("listening for simulated service: %w", err)
		}
	}
	return nil
}

// Run serves until ctx is done, and returns nil then. It listens if [World.Listen] hasn't.
func (w *World) Run(ctx context.Context) error {
	if err := w.Listen(); err != nil {
		return err
	}
	servers := []*http.Server{newServer(w.Zoom), newServer(w.Google)}
	failed := make(chan error, len(servers))
	var serving sync.WaitGroup
	for i, ln := range []net.Listener{w.zoomLn, w.googLn} {
		serving.Go(func() { failed <- servers[i].Serve(ln) })
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
		err = fmt.Errorf("serving simulated services: %w", err)
	}
	for _, s := range servers {
		_ = s.Close() // nothing here is worth a graceful end
	}
	serving.Wait()
	return err
}

// Start listens and serves in the background, until ctx is done or [World.Close].
func (w *World) Start(ctx context.Context) error {
	if err := w.Listen(); err != nil {
		return err
	}
	ctx, w.stop = context.WithCancel(ctx)
	w.running.Go(func() { _ = w.Run(ctx) }) // without listeners that break, there is no error
	return nil
}

// Close ends what [World.Start] began, waits for it, and closes the listeners.
func (w *World) Close() {
	if w.stop != nil {
		w.stop()
	}
	w.running.Wait()
	for _, ln := range []net.Listener{w.zoomLn, w.googLn} {
		if ln != nil {
			_ = ln.Close() // mostly done by Run
		}
	}
}

// ZoomURL is the base of Zoom's API.
func (w *World) ZoomURL() string { return "http://" + w.zoomLn.Addr().String() + "/v2" }

// ZoomTokenURL is Zoom's token endpoint.
func (w *World) ZoomTokenURL() string { return "http://" + w.zoomLn.Addr().String() + "/oauth/token" }

// GoogleURL is the base of Google's Calendar API.
func (w *World) GoogleURL() string { return "http://" + w.googLn.Addr().String() + "/calendar/v3" }

// GoogleTokenURL is Google's token endpoint.
func (w *World) GoogleTokenURL() string { return "http://" + w.googLn.Addr().String() + "/token" }

func newServer(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
}
