package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/labstack/echo/v4"

	"roomkiosk/internal/rooms"
	"roomkiosk/views"
)

// problem is an answer that says no: a sentence for people, and RFC 9457 for programs.
type problem struct {
	Title     string `json:"title"`  // what happened
	Status    int    `json:"status"` // of HTTP
	Detail    string `json:"detail"` // what to do
	Code      string `json:"code,omitempty"`
	Reference string `json:"reference,omitempty"` // finds it in the log
}

func (p *problem) Error() string { return p.Title }

var (
	errNoRoom = &problem{
		Status: http.StatusNotFound, Code: "no_room",
		Title: "There is no such room here", Detail: "Check the address, or pick the room from the list of all rooms.",
	}
	errNoReservation = &problem{
		Status: http.StatusNotFound, Code: "no_reservation",
		Title: "That reservation isn't on the room's calendar", Detail: "It may have been moved or cancelled. Look at the panel again.",
	}
	errNoPage = &problem{
		Status: http.StatusNotFound, Code: "no_page",
		Title: "There is no such page", Detail: "Check the address, or go to the list of all rooms.",
	}
	errNotPanel = &problem{
		Status: http.StatusForbidden, Code: "not_panel",
		Title: "Only the panel at the door can do that", Detail: "Go to the room and tap there. This page shows the room, read-only.",
	}
	errNotAdmin = &problem{
		Status: http.StatusForbidden, Code: "not_admin",
		Title: "This is for administrators", Detail: "Open it on the kiosk itself.",
	}
	errWrongHost = &problem{
		Status: http.StatusMisdirectedRequest, Code: "wrong_host",
		Title: "The kiosk doesn't answer to this name", Detail: "Use its IP address, or have IT add the name to \"hosts\" in kiosk.toml.",
	}
	errCrossOrigin = &problem{
		Status: http.StatusForbidden, Code: "cross_origin",
		Title: "The request came from another site", Detail: "Open the kiosk's own page and try there.",
	}
	errTooLarge = &problem{
		Status: http.StatusRequestEntityTooLarge, Code: "too_large",
		Title: "The request is too large", Detail: "Send only the id of the reservation.",
	}
	errTooMany = &problem{
		Status: http.StatusTooManyRequests, Code: "too_many",
		Title: "Too many requests from this address", Detail: "Wait a moment, then try again.",
	}
	errNotStored = &problem{
		Status: http.StatusServiceUnavailable, Code: "not_stored",
		Title: "The tap could not be stored", Detail: "Nothing was changed. Try again in a moment; if it stays so, tell IT that the kiosk's disk needs a look.",
	}
	errInternal = &problem{
		Status: http.StatusInternalServerError, Code: "internal",
		Title: "Something went wrong in the kiosk", Detail: "Try again. If it stays so, tell IT the reference.",
	}
)

// malformed says what is wrong with a request.
func malformed(detail string) *problem {
	return &problem{Status: http.StatusBadRequest, Code: "malformed", Title: "The request can't be understood", Detail: detail}
}

// problemOf turns any error into an answer. What is not known to be harmless becomes an internal
// error with a reference, whose cause goes to the log only.
func (s *Server) problemOf(err error, r *http.Request) *problem {
	var known *problem
	var refused *rooms.RefusedError
	var tooLarge *http.MaxBytesError
	var fromEcho *echo.HTTPError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &refused):
		title, detail := views.RefusalMessage(refused.Refusal)
		return &problem{Status: http.StatusConflict, Code: string(refused.Refusal), Title: title, Detail: detail}
	case errors.Is(err, rooms.ErrNotFound):
		return errNoReservation
	case errors.Is(err, rooms.ErrNotStored):
		return errNotStored
	case errors.As(err, &tooLarge):
		return errTooLarge
	case errors.As(err, &fromEcho) && fromEcho.Code == http.StatusNotFound:
		return errNoPage
	case errors.As(err, &fromEcho) && fromEcho.Code < http.StatusInternalServerError:
		return &problem{Status: fromEcho.Code, Title: http.StatusText(fromEcho.Code), Detail: "Check the address and the method."}
	}
	p := *errInternal
	p.Reference = s.cfg.NewID()[:8]
	s.cfg.Log.Error("request failed", "reference", p.Reference, "method", r.Method, "path", r.URL.Path, "error", err)
	return &p
}

// handleError answers a request that failed.
func (s *Server) handleError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	p := s.problemOf(err, c.Request())
	if wantsJSON(c.Request()) {
		sendProblem(c, p)
		return
	}
	page := views.NewProblem(p.Title, p.Detail, p.Reference, s.cfg.Build, s.cfg.Assets)
	if err := render(c, p.Status, views.ErrorPage(page)); err != nil {
		s.cfg.Log.Error("error page not rendered", "error", err)
	}
}

func sendProblem(c echo.Context, p *problem) {
	c.Response().Header().Set("Content-Type", "application/problem+json")
	c.Response().WriteHeader(p.Status)
	_ = json.NewEncoder(c.Response()).Encode(p) // a peer that is gone needs no answer
}

// wantsJSON tells programs and scripts from people.
func wantsJSON(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	return strings.HasPrefix(r.URL.Path, "/api/") || strings.Contains(accept, "application/json") ||
		strings.Contains(accept, "application/problem+json")
}

// catchPanics keeps a broken page from taking the kiosk with it.
func (s *Server) catchPanics(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			if v := recover(); v != nil {
				s.cfg.Log.Error("panic in a request", "value", v, "stack", string(debug.Stack()))
				err = errors.New("panic")
			}
		}()
		return next(c)
	}
}
