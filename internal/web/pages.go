package web

import (
	"bytes"
	"net/http"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"roomkiosk/internal/rooms"
	"roomkiosk/views"
)

// render renders a page whole, then sends it: half a page is worse than an error.
func render(c echo.Context, status int, page templ.Component) error {
	var b bytes.Buffer
	if err := page.Render(c.Request().Context(), &b); err != nil {
		return err
	}
	return c.HTMLBlob(status, b.Bytes())
}

// showBoard answers GET /: all rooms, or the room where there is only one.
func (s *Server) showBoard(c echo.Context) error {
	if len(s.cfg.Keepers) == 1 {
		return s.show(c, s.cfg.Keepers[0], viewer)
	}
	screens := make([]rooms.Screen, len(s.cfg.Keepers))
	for i, k := range s.cfg.Keepers {
		screens[i] = k.Screen()
	}
	return render(c, http.StatusOK, views.BoardPage(views.NewBoard(screens, optionsFor(card, s.cfg.Build, s.cfg.Assets))))
}

// showRoom answers GET /rooms/{room}.
func (s *Server) showRoom(c echo.Context) error {
	k, err := s.keeper(c)
	if err != nil {
		return err
	}
	return s.show(c, k, viewer)
}

// showPanel answers GET /rooms/{room}/panel. Where taps would be refused, the panel is read-only.
func (s *Server) showPanel(c echo.Context) error {
	k, err := s.keeper(c)
	if err != nil {
		return err
	}
	return s.show(c, k, panelVariant(c))
}

func panelVariant(c echo.Context) variant {
	if isPanel(c.Request()) {
		return panel
	}
	return readOnly
}

func (s *Server) show(c echo.Context, k Keeper, v variant) error {
	room := views.NewRoom(k.Screen(), optionsFor(v, s.cfg.Build, s.cfg.Assets))
	return render(c, http.StatusOK, views.RoomPage(room))
}

// serveRoomLive answers GET /rooms/{room}/live?view=panel|viewer.
func (s *Server) serveRoomLive(c echo.Context) error {
	k, err := s.keeper(c)
	if err != nil {
		return err
	}
	v := viewer
	switch c.QueryParam("view") {
	case "panel":
		v = panelVariant(c)
	case "viewer", "":
	default:
		return malformed("view is panel or viewer.")
	}
	return s.serveLive(c, []string{topic(k.Room().ID, v)})
}

// serveBoardLive answers GET /live.
func (s *Server) serveBoardLive(c echo.Context) error {
	topics := make([]string, len(s.cfg.Keepers))
	for i, k := range s.cfg.Keepers {
		topics[i] = topic(k.Room().ID, card)
	}
	return s.serveLive(c, topics)
}

// serveLive hands the connection over to the hub and returns: net/http's buffers are freed then.
func (s *Server) serveLive(c echo.Context, topics []string) error {
	serve := s.cfg.Hub.Serve
	if isPanel(c.Request()) {
		serve = s.cfg.Hub.ServePanel
	}
	if err := serve(c.Response().Writer, c.Request(), topics); err != nil {
		s.cfg.Log.Debug("websocket refused", "error", err) // answered already
	}
	c.Response().Committed = true
	return nil
}
