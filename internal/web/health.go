package web

import (
	"encoding/json"
	"net/http"

	"github.com/labstack/echo/v4"

	"roomkiosk/internal/rooms"
	"roomkiosk/views"
)

// showHealth answers GET /healthz.
func showHealth(c echo.Context) error { return c.String(http.StatusOK, "ok\n") }

// unready is what GET /readyz answers while a room has no schedule.
type unready struct {
	problem
	Rooms map[string]string `json:"rooms"` // why, by room
}

// showReadiness answers GET /readyz.
func (s *Server) showReadiness(c echo.Context) error {
	why := map[string]string{}
	for _, k := range s.cfg.Keepers {
		if reason := unreadyReason(k.Screen()); reason != "" {
			why[k.Room().ID] = reason
		}
	}
	if len(why) == 0 {
		return c.String(http.StatusOK, "ready\n")
	}
	c.Response().Header().Set("Content-Type", "application/problem+json")
	c.Response().WriteHeader(http.StatusServiceUnavailable)
	return json.NewEncoder(c.Response()).Encode(unready{
		problem: problem{
			Status: http.StatusServiceUnavailable, Code: "unready",
			Title: "Not every room has a schedule", Detail: "Run kiosk check; it says what to do.",
		},
		Rooms: why,
	})
}

func unreadyReason(s rooms.Screen) string {
	switch {
	case s.Status != rooms.Unknown:
		return ""
	case s.Has(rooms.FlagClockUntrusted):
		return "The machine's clock can't be right."
	case s.Fault != nil:
		return views.FaultMessage(s.Fault)
	default:
		return "The calendar has not been read yet."
	}
}
