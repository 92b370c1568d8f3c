package web

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"roomkiosk/internal/rooms"
	"roomkiosk/views"
)

// The JSON of /api/v1. Instants are RFC 3339 in UTC, to the millisecond; null where there is none.

type roomJSON struct {
	ID           string            `json:"id"`
	Name         string            `json:"name"`
	Location     string            `json:"location"`
	Capacity     int               `json:"capacity"`
	Equipment    []string          `json:"equipment"`
	TimeZone     string            `json:"time_zone"`
	Now          *time.Time        `json:"now"`
	Status       rooms.Status      `json:"status"`
	Until        *time.Time        `json:"until"`
	Flags        []rooms.Flag      `json:"flags"`
	Current      *reservationJSON  `json:"current"`
	Next         *reservationJSON  `json:"next"`
	Reservations []reservationJSON `json:"reservations"`
	Schedule     scheduleJSON      `json:"schedule"`
	Actions      []actionJSONBody  `json:"actions"`
}

type reservationJSON struct {
	ID            string      `json:"id"`
	Title         string      `json:"title"`     // empty where the asker may not see it
	Organizer     string      `json:"organizer"` // likewise
	Private       bool        `json:"private"`
	AllDay        bool        `json:"all_day"`
	Tentative     bool        `json:"tentative"`
	Start         *time.Time  `json:"start"`
	End           *time.Time  `json:"end"`
	Phase         rooms.Phase `json:"phase"`
	CheckInOpens  *time.Time  `json:"check_in_opens"`
	CheckInCloses *time.Time  `json:"check_in_closes"`
}

type scheduleJSON struct {
	Source string     `json:"source"`
	AsOf   *time.Time `json:"as_of"`
	Error  string     `json:"error"`
}

type actionJSONBody struct {
	ID          string            `json:"id"`
	Kind        rooms.ActionKind  `json:"kind"`
	Reservation string            `json:"reservation"`
	State       rooms.ActionState `json:"state"`
	Reason      rooms.Reason      `json:"reason"`
	TappedAt    *time.Time        `json:"tapped_at"`
	Message     string            `json:"message"`
}

// listRooms answers GET /api/v1/rooms.
func (s *Server) listRooms(c echo.Context) error {
	all := make([]roomJSON, len(s.cfg.Keepers))
	for i, k := range s.cfg.Keepers {
		all[i] = roomOf(k.Screen())
	}
	return c.JSON(http.StatusOK, all)
}

// readRoom answers GET /api/v1/rooms/{room}.
func (s *Server) readRoom(c echo.Context) error {
	k, err := s.keeper(c)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, roomOf(k.Screen()))
}

func roomOf(s rooms.Screen) roomJSON {
	out := roomJSON{
		ID: s.Room.ID, Name: s.Room.Name, Location: s.Room.Location, Capacity: s.Room.Capacity,
		Equipment: nonNil(s.Room.Equipment), TimeZone: s.Room.Zone.String(), Now: instant(s.Now),
		Status: s.Status, Until: instant(s.Until), Flags: nonNil(s.Flags),
		Current: bookingJSON(s.Current), Next: bookingJSON(s.Next),
		Reservations: make([]reservationJSON, len(s.Bookings)),
		Schedule:     scheduleJSON{Source: s.Source, AsOf: instant(s.AsOf), Error: views.FaultMessage(s.Fault)},
		Actions:      make([]actionJSONBody, len(s.Actions)),
	}
	for i := range s.Bookings {
		out.Reservations[i] = *bookingJSON(&s.Bookings[i])
	}
	for i, a := range s.Actions {
		out.Actions[i] = actionJSON(a, s)
	}
	return out
}

func bookingJSON(b *rooms.Booking) *reservationJSON {
	if b == nil {
		return nil
	}
	r := &reservationJSON{
		ID: b.ID, Private: b.Private, AllDay: b.AllDay, Tentative: b.Tentative,
		Start: instant(b.Start), End: instant(b.End), Phase: b.Phase,
		CheckInOpens: instant(b.CheckInOpens), CheckInCloses: instant(b.CheckInCloses),
	}
	if !b.Private {
		r.Title, r.Organizer = b.Title, b.Organizer
	}
	return r
}

func actionJSON(a rooms.Action, s rooms.Screen) actionJSONBody {
	return actionJSONBody{
		ID: a.ID, Kind: a.Kind, Reservation: a.Reservation, State: a.State, Reason: a.Reason,
		TappedAt: instant(a.TappedAt), Message: views.ActionMessage(a, s),
	}
}

func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Millisecond)
	return &t
}

func nonNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
