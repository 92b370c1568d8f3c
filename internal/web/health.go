package web

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"roomkiosk/internal/live"
	"roomkiosk/internal/rooms"
	"roomkiosk/views"
)

// showHealth answers GET /healthz.
func showHealth(c echo.Context) error { return c.String(http.StatusOK, "ok\n") }

// unready is what GET /readyz answers while a room has no schedule.
type unready struct {
	problem
	Rooms  map[string]string `json:"rooms"`            // why, by room
	Panels map[string]string `json:"panels,omitempty"` // what is missing, by room
}

// Panel is the page on the wall of a room.
type Panel struct {
	Room rooms.Room
	live.Presence
}

// Panels lists the panels that there should be, in the order of the configuration: those that
// [Config] names, and those that were seen since the start.
func (s *Server) Panels() []Panel {
	var all []Panel
	for _, k := range s.cfg.Keepers {
		p := Panel{Room: k.Room(), Presence: s.cfg.Hub.Presence(topic(k.Room().ID, panel))}
		if p.Seen || slices.Contains(s.cfg.Panels, p.Room.ID) {
			all = append(all, p)
		}
	}
	return all
}

// fault says what is wrong with a panel; empty: nothing.
func (p Panel) fault(now time.Time) string {
	if !p.Missing {
		return ""
	}
	form := "15:04"
	since, today := p.Since.In(p.Room.Zone), now.In(p.Room.Zone)
	if since.YearDay() != today.YearDay() || since.Year() != today.Year() {
		form = "2006-01-02 15:04"
	}
	return "no panel since " + since.Format(form)
}

// showReadiness answers GET /readyz. A panel that is missing is told of, but people can still be served.
func (s *Server) showReadiness(c echo.Context) error {
	why, missing := map[string]string{}, map[string]string{}
	said := "ready\n"
	for _, k := range s.cfg.Keepers {
		if reason := unreadyReason(k.Screen()); reason != "" {
			why[k.Room().ID] = reason
		}
	}
	for _, p := range s.Panels() {
		if fault := p.fault(s.keepers[p.Room.ID].Screen().Now); fault != "" {
			missing[p.Room.ID] = fault
			said += p.Room.ID + ": " + fault + "\n"
		}
	}
	if len(why) == 0 {
		return c.String(http.StatusOK, said)
	}
	c.Response().Header().Set("Content-Type", "application/problem+json")
	c.Response().WriteHeader(http.StatusServiceUnavailable)
	return json.NewEncoder(c.Response()).Encode(unready{
		problem: problem{
			Status: http.StatusServiceUnavailable, Code: "unready",
			Title: "Not every room has a schedule", Detail: "Run kiosk check; it says what to do.",
		},
		Rooms: why, Panels: missing,
	})
}

const clockUnknown = "The machine's clock isn't known to be right. Give it a time service (systemd-timesyncd, chrony) and " +
	"see that it reaches its server; where the clock is right without one, set clock = \"trusted\" in kiosk.toml."

func unreadyReason(s rooms.Screen) string {
	switch {
	case s.Status != rooms.Unknown:
		return ""
	case s.Has(rooms.FlagClockUntrusted):
		return clockUnknown
	case s.Fault != nil:
		return views.FaultMessage(s.Fault)
	default:
		return "The calendar has not been read yet."
	}
}
