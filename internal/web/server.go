// Package web is the HTTP side of the kiosk: pages, forms, JSON, websockets, health. It is the only
// importer of Echo, and derives no state of its own: it shows what a room's keeper says.
package web

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/time/rate"

	"roomkiosk/internal/live"
	"roomkiosk/internal/rooms"
	"roomkiosk/static"
	"roomkiosk/views"
)

// Keeper is what the pages need of a room's keeper. [rooms.Keeper] is one.
type Keeper interface {
	Room() rooms.Room
	Screen() rooms.Screen
	Tap(ctx context.Context, t rooms.Tap) (rooms.Action, error)
	Undo(ctx context.Context, reservation string) (rooms.Action, error)
}

// Config is what a server works with.
type Config struct {
	Keepers []Keeper // in the order of the configuration
	Hub     *live.Hub
	Assets  *static.Assets
	Build   string       // changes with every build
	Hosts   []string     // Host names to answer to, besides loopback and IP addresses of this machine
	Metrics http.Handler // nil: no metrics
	Demo    http.Handler // nil: not a demo
	// ZoomEvents takes what Zoom posts to its webhook, and sees to it that it comes from Zoom. nil: no webhook
	ZoomEvents http.Handler
	Log        *slog.Logger
	NewID      func() string    // makes references of errors
	Panels     []string         // rooms that have to have a panel, besides those where one was seen since the start
	Now        func() time.Time // of limits; nil: the machine's time

	History  History                // nil: no page of what happened
	Troubles func() []views.Trouble // of the stores, for that page; called by any request; nil: never any
}

// Server answers requests.
type Server struct {
	cfg     Config
	keepers map[string]Keeper
	hosts   hostList
	limits  *limiter
	refusal refusal
	echo    *echo.Echo

	lostEvents rate.Sometimes // see noteLostEvent
}

// New makes a server. It starts nothing.
func New(cfg Config) *Server {
	s := &Server{cfg: cfg, keepers: make(map[string]Keeper, len(cfg.Keepers)), hosts: newHostList(cfg.Hosts)}
	for _, k := range cfg.Keepers {
		s.keepers[k.Room().ID] = k
	}
	s.guard()
	s.routes()
	return s
}

// guard puts in front of everything what every request has to pass.
func (s *Server) guard() {
	s.limits, s.refusal = newLimiter(s.cfg.Now), newRefusal(s.cfg.Build, s.cfg.Assets)
	s.lostEvents.Interval = time.Hour
	s.echo = newEcho(s.handleError)
	s.echo.Pre(s.limitRate, s.catchPanics, secure, s.allowHosts, s.sameOrigin(http.NewCrossOriginProtection()), limitBody)
}

func newEcho(onError echo.HTTPErrorHandler) *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = onError
	return e
}

// ServeHTTP answers a request. HEAD is answered as GET is; net/http leaves the body out.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead {
		get := *r // net/http goes by the original
		get.Method = http.MethodGet
		r = &get
	}
	s.echo.ServeHTTP(w, r)
}

// routes is the whole of what the kiosk answers to.
func (s *Server) routes() {
	e := s.echo
	e.GET("/", s.showBoard)
	e.GET("/live", s.serveBoardLive)
	e.GET("/rooms/:room", s.showRoom)
	e.GET("/rooms/:room/panel", s.showPanel)
	e.GET("/rooms/:room/live", s.serveRoomLive)
	e.POST("/rooms/:room/check-in", s.postCheckIn, s.panelsOnly)
	e.POST("/rooms/:room/release", s.postRelease, s.panelsOnly)
	e.POST("/rooms/:room/undo", s.postUndo, s.panelsOnly)
	e.GET("/api/v1/rooms", s.listRooms)
	e.GET("/api/v1/rooms/:room", s.readRoom)
	e.POST("/api/v1/rooms/:room/check-in", s.apiCheckIn, s.panelsOnly)
	e.POST("/api/v1/rooms/:room/release", s.apiRelease, s.panelsOnly)
	e.POST("/api/v1/rooms/:room/undo", s.apiUndo, s.panelsOnly)
	if s.cfg.History != nil {
		e.GET("/rooms/:room/history", s.showHistory, s.adminsOnly)
		e.GET("/api/v1/rooms/:room/history", s.readHistory, s.adminsOnly)
	}
	e.GET("/healthz", showHealth)
	e.GET("/readyz", s.showReadiness)
	e.GET(static.Prefix+"*", echo.WrapHandler(s.cfg.Assets))
	if s.cfg.ZoomEvents != nil {
		e.POST(zoomEventsPath, echo.WrapHandler(s.cfg.ZoomEvents))
	}
	if s.cfg.Metrics != nil {
		e.GET("/metrics", echo.WrapHandler(s.cfg.Metrics), s.adminsOnly)
	}
	if s.cfg.Demo != nil {
		e.Any("/demo", echo.WrapHandler(s.cfg.Demo), s.adminsOnly)
		e.Any("/demo/*", echo.WrapHandler(s.cfg.Demo), s.adminsOnly)
	}
}

// keeper finds the room that the request's path names.
func (s *Server) keeper(c echo.Context) (Keeper, error) {
	k, ok := s.keepers[c.Param("room")]
	if !ok {
		return nil, errNoRoom
	}
	return k, nil
}
