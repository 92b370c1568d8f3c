package web

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"

	"github.com/labstack/echo/v4"

	"roomkiosk/internal/rooms"
)

// maxID is the length of the longest id of a reservation that is looked at.
const maxID = 128

// doing is what a route asks of a room's keeper.
type doing func(c echo.Context, k Keeper, reservation, origin string) (rooms.Action, error)

func tapping(kind rooms.ActionKind) doing {
	return func(c echo.Context, k Keeper, reservation, origin string) (rooms.Action, error) {
		return k.Tap(c.Request().Context(), rooms.Tap{Kind: kind, Reservation: reservation, Origin: origin})
	}
}

func undoing(c echo.Context, k Keeper, reservation, _ string) (rooms.Action, error) {
	return k.Undo(c.Request().Context(), reservation)
}

// postCheckIn answers POST /rooms/{room}/check-in.
func (s *Server) postCheckIn(c echo.Context) error { return s.postTap(c, tapping(rooms.CheckIn)) }

// postRelease answers POST /rooms/{room}/release.
func (s *Server) postRelease(c echo.Context) error { return s.postTap(c, tapping(rooms.Release)) }

// postUndo answers POST /rooms/{room}/undo.
func (s *Server) postUndo(c echo.Context) error { return s.postTap(c, undoing) }

// apiCheckIn answers POST /api/v1/rooms/{room}/check-in.
func (s *Server) apiCheckIn(c echo.Context) error { return s.apiTap(c, tapping(rooms.CheckIn)) }

// apiRelease answers POST /api/v1/rooms/{room}/release.
func (s *Server) apiRelease(c echo.Context) error { return s.apiTap(c, tapping(rooms.Release)) }

// apiUndo answers POST /api/v1/rooms/{room}/undo.
func (s *Server) apiUndo(c echo.Context) error { return s.apiTap(c, undoing) }

// postTap takes a form. A browser is sent back to the panel; a script gets the action.
func (s *Server) postTap(c echo.Context, do doing) error {
	if err := c.Request().ParseForm(); err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return errTooLarge
		}
		return malformed("Send a form with the field reservation.")
	}
	k, a, err := s.tap(c, c.Request().PostForm.Get("reservation"), "panel", do)
	if err != nil {
		return err
	}
	if wantsJSON(c.Request()) {
		return c.JSON(http.StatusAccepted, actionJSON(a, k.Screen()))
	}
	return c.Redirect(http.StatusSeeOther, "/rooms/"+k.Room().ID+"/panel")
}

// apiTap takes {"reservation": "..."}.
func (s *Server) apiTap(c echo.Context, do doing) error {
	kind, _, err := mime.ParseMediaType(c.Request().Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return malformed(`Send {"reservation": "..."} with Content-Type: application/json.`)
	}
	var body struct {
		Reservation string `json:"reservation"`
	}
	if err := decodeOne(c.Request().Body, &body); err != nil {
		return err
	}
	k, a, err := s.tap(c, body.Reservation, "api", do)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusAccepted, actionJSON(a, k.Screen()))
}

// decodeOne reads exactly one JSON value, of exactly that shape.
func decodeOne(r io.Reader, into any) error {
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		_, err = d.Token()
	}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.Is(err, io.EOF) && d.InputOffset() > 0:
		return nil
	case errors.As(err, &tooLarge):
		return errTooLarge
	default:
		return malformed(`Send {"reservation": "..."} and nothing else.`)
	}
}

func (s *Server) tap(c echo.Context, reservation, origin string, do doing) (Keeper, rooms.Action, error) {
	k, err := s.keeper(c)
	if err != nil {
		return nil, rooms.Action{}, err
	}
	if reservation == "" || len(reservation) > maxID {
		return nil, rooms.Action{}, malformed("Name the reservation by its id.")
	}
	a, err := do(c, k, reservation, origin)
	return k, a, err
}
