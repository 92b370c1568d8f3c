package sim

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
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
	Graph  GraphConfig
	EWS    EWSConfig
	CalDAV CalDAVConfig

	ZoomListener, GoogleListener, GraphListener, EWSListener, CalDAVListener net.Listener // nil: a free port of 127.0.0.1
}

// World is a Zoom and the calendar services, which share one calendar, reachable over HTTP.
type World struct {
	Calendar *Calendar
	Zoom     *Zoom
	Google   *Google
	Graph    *Graph
	EWS      *EWS
	CalDAV   *CalDAV
	Rooms    []DemoRoom // of a demo world

	clock   rooms.Clock
	zone    *time.Location // of a demo world
	zoomLn  net.Listener
	googLn  net.Listener
	graphLn net.Listener
	ewsLn   net.Listener
	davLn   net.Listener
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
		Graph:    NewGraph(cfg.Graph, calendar, cfg.Clock, cfg.Now),
		EWS:      NewEWS(cfg.EWS, calendar, cfg.Clock, cfg.Now),
		CalDAV:   NewCalDAV(cfg.CalDAV, calendar, cfg.Clock, cfg.Now),
		clock:    cfg.Clock,
		zoomLn:   cfg.ZoomListener,
		googLn:   cfg.GoogleListener,
		graphLn:  cfg.GraphListener,
		ewsLn:    cfg.EWSListener,
		davLn:    cfg.CalDAVListener,
	}
}

// door is a service with its listener, which may not be open yet.
type door struct {
	service  http.Handler
	listener *net.Listener
}

// doors are the services of the world, one a line.
func (w *World) doors() []door {
	return []door{
		{w.Zoom, &w.zoomLn},
		{w.Google, &w.googLn},
		{w.Graph, &w.graphLn},
		{w.EWS, &w.ewsLn},
		{w.CalDAV, &w.davLn},
	}
}

// Listen opens the listeners that weren't given. From then on the addresses are known, and
// connections are queued until [World.Run].
func (w *World) Listen() error {
	for _, d := range w.doors() {
		if *d.listener != nil {
			continue
		}
		var err error
		if *d.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
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
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	doors := w.doors()
	servers := make([]*http.Server, len(doors))
	failed := make(chan error, len(doors))
	var serving sync.WaitGroup
	for i, d := range doors {
		servers[i] = newServer(d.service)
		serving.Go(func() { failed <- servers[i].Serve(*d.listener) })
	}
	serving.Go(func() { w.Zoom.run(ctx) })
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
		err = fmt.Errorf("serving simulated services: %w", err)
	}
	cancel()
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
	for _, d := range w.doors() {
		if ln := *d.listener; ln != nil {
			_ = ln.Close() // mostly done by Run
		}
	}
}

// ZoomURL is the base of Zoom's API.
func (w *World) ZoomURL() string { return "http://" + w.zoomLn.Addr().String() + "/v2" }

// ZoomEventsURL is Zoom's event stream, with its subscription and without a token.
func (w *World) ZoomEventsURL() string {
	return "ws://" + w.zoomLn.Addr().String() + streamPath + "?subscriptionId=" + url.QueryEscape(w.Zoom.cfg.SubscriptionID)
}

// ZoomTokenURL is Zoom's token endpoint.
func (w *World) ZoomTokenURL() string { return "http://" + w.zoomLn.Addr().String() + "/oauth/token" }

// GoogleURL is the base of Google's Calendar API.
func (w *World) GoogleURL() string { return "http://" + w.googLn.Addr().String() + "/calendar/v3" }

// GoogleTokenURL is Google's token endpoint.
func (w *World) GoogleTokenURL() string { return "http://" + w.googLn.Addr().String() + "/token" }

// CalDAVURL is the collection of a calendar.
func (w *World) CalDAVURL(calendarID string) string {
	return "http://" + w.davLn.Addr().String() + davPath + url.PathEscape(calendarID) + "/"
}

// FeedURL is the ICS feed of a calendar.
func (w *World) FeedURL(calendarID string) string {
	return "http://" + w.davLn.Addr().String() + feedPath + url.PathEscape(calendarID) + ".ics"
}

// GraphURL is the base of Microsoft Graph.
func (w *World) GraphURL() string { return "http://" + w.graphLn.Addr().String() + "/v1.0" }

// GraphTokenURL is the token endpoint of Graph's tenant.
func (w *World) GraphTokenURL() string {
	return "http://" + w.graphLn.Addr().String() + "/" + w.Graph.cfg.TenantID + "/oauth2/v2.0/token"
}

// GraphCredentials are those that this Graph takes.
func (w *World) GraphCredentials() (tenantID, clientID, clientSecret string) {
	return w.Graph.cfg.TenantID, w.Graph.cfg.ClientID, w.Graph.cfg.ClientSecret
}

func newServer(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ConnContext: withConnection}
}
