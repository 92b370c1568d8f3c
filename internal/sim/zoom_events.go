package sim

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
)

// The methods of the events API that this Zoom carries out.
const (
	MethodCheckIn  = "zoomroom.check_in"
	MethodCheckOut = "zoomroom.check_out"
)

const (
	saysOffline = "Zoom Room is offline. Please ensure that the Zoom Room is online before checking in or checking out."
	saysInvalid = "Invalid parameters."
)

// controlRequest is the body of PATCH /v2/rooms/{id}/events.
type controlRequest struct {
	Method string        `json:"method"`
	Params controlParams `json:"params"`
}

type controlParams struct {
	EventID       string `json:"event_id"`
	ChangeKey     string `json:"change_key"`
	ResourceEmail string `json:"resource_email"`
	CalendarID    string `json:"calendar_id"`
}

var (
	errContentType = errors.New("unsupported content type")
	errNotJSON     = errors.New("not a JSON object")
	errParams      = errors.New("invalid parameters")
)

// control answers PATCH /v2/rooms/{id}/events. A 202 takes effect a little later.
func (z *Zoom) control(w http.ResponseWriter, r *http.Request) {
	req, err := z.readControl(r)
	switch {
	case errors.Is(err, errContentType):
		zoomError(w, http.StatusUnsupportedMediaType, 300, "Unsupported Content Type")
		return
	case errors.Is(err, errNotJSON):
		zoomError(w, http.StatusBadRequest, 300, "Request Body should be a valid JSON object.")
		return
	}
	room, ok := z.room(r.PathValue("id"))
	if !ok {
		zoomNoRoom(w, r)
		return
	}
	event, ok := z.find(room, req)
	if err != nil || !ok || r.URL.RawQuery != "" {
		zoomError(w, http.StatusBadRequest, 300, saysInvalid)
		return
	}
	if z.Offline(room.ID) {
		zoomError(w, http.StatusBadRequest, 300, saysOffline)
		return
	}
	z.order(room, req.Method, event)
	w.WriteHeader(http.StatusAccepted)
}

// readControl reads the body in the one form that is taken. Unknown names are refused.
func (z *Zoom) readControl(r *http.Request) (controlRequest, error) {
	kind, param, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return controlRequest{}, errContentType
	}
	var req controlRequest
	switch {
	case kind == "application/json" && !z.cfg.Multipart:
		err = strictJSON(r.Body, &req)
	case kind == "multipart/form-data" && z.cfg.Multipart:
		req, err = readControlForm(r.Body, param["boundary"])
	default:
		return controlRequest{}, errContentType
	}
	return req, err
}

func readControlForm(body io.Reader, boundary string) (controlRequest, error) {
	fields, err := readMultipart(body, boundary)
	if err != nil {
		return controlRequest{}, errParams
	}
	req := controlRequest{Method: fields["method"]}
	delete(fields, "method")
	err = strictJSON(strings.NewReader(fields["params"]), &req.Params)
	delete(fields, "params")
	if err != nil || len(fields) > 0 {
		return controlRequest{}, errParams
	}
	return req, nil
}

// strictJSON decodes one JSON object of known names. The error is errNotJSON or errParams.
func strictJSON(body io.Reader, into any) error {
	raw, err := io.ReadAll(body)
	var object map[string]json.RawMessage
	if err != nil || json.Unmarshal(raw, &object) != nil || object == nil {
		return errNotJSON
	}
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.DisallowUnknownFields()
	if dec.Decode(into) != nil {
		return errParams
	}
	return nil
}

// find returns the event that a request names. False: its method or parameters are not what the
// room's kind of calendar needs, or the room's calendar has no such event.
func (z *Zoom) find(room ZoomRoom, req controlRequest) (Event, bool) {
	p := req.Params
	if req.Method != MethodCheckIn && req.Method != MethodCheckOut || p.EventID == "" {
		return Event{}, false
	}
	switch room.Kind {
	case OnGoogle:
		e, ok := z.calendar.Event(room.CalendarID, p.EventID)
		return e, ok && p.CalendarID == room.CalendarID && e.Status != Cancelled
	case OnExchange:
		if p.ChangeKey == "" || p.ResourceEmail != room.CalendarID {
			return Event{}, false
		}
		return z.findExchange(room, p)
	default:
		return Event{}, false
	}
}

func (z *Zoom) findExchange(room ZoomRoom, p controlParams) (Event, bool) {
	for _, e := range z.calendar.Events(room.CalendarID) {
		id, key := e.ExchangeID(), e.ExchangeChangeKey()
		if room.GraphIDs {
			id, key = e.ID, e.ChangeKey()
		}
		if id == p.EventID {
			return e, e.Status != Cancelled && (!z.cfg.CheckChangeKeys || key == p.ChangeKey)
		}
	}
	return Event{}, false
}

// order makes an accepted request take effect after the delay.
func (z *Zoom) order(room ZoomRoom, method string, e Event) {
	z.calendar.after(max(z.cfg.EffectDelay, 0), func(at time.Time) { z.effect(room, method, e.ID, at) })
}

// effect carries a method out: a check-in is noted, a check-out ends the event. Zoom tells of it. What
// was so already, or has been cancelled meanwhile, stays as it is, and nobody hears of it; the real
// Zoom may repeat itself. The caller holds the calendar's lock.
func (z *Zoom) effect(room ZoomRoom, method, eventID string, at time.Time) {
	e, ok := z.calendar.book(room.CalendarID).events[eventID]
	if !ok || e.Status == Cancelled {
		return
	}
	after := *e
	switch {
	case method == MethodCheckOut:
		after.shorten(at)
	case e.CheckedIn.IsZero():
		after.CheckedIn = at
	}
	if after.End.Equal(e.End) && after.CheckedIn.Equal(e.CheckedIn) {
		return
	}
	z.calendar.change(room.CalendarID, eventID, func(e *Event) { e.End, e.CheckedIn = after.End, after.CheckedIn })
	z.tellOf(room, method, *e, at)
}

// CheckInRoom checks an event of the room's calendar in, as somebody does on Zoom's own display. False:
// there is no such room, it is offline, or its calendar has no such event.
func (z *Zoom) CheckInRoom(roomID, eventID string) bool {
	return z.inRoom(roomID, MethodCheckIn, eventID)
}

// CheckOutRoom checks an event out, likewise.
func (z *Zoom) CheckOutRoom(roomID, eventID string) bool {
	return z.inRoom(roomID, MethodCheckOut, eventID)
}

func (z *Zoom) inRoom(roomID, method, eventID string) bool {
	defer z.calendar.lock()()
	room, ok := z.room(roomID)
	if !ok || z.Offline(roomID) {
		return false
	}
	e, ok := z.calendar.book(room.CalendarID).events[eventID]
	if !ok || e.Status == Cancelled {
		return false
	}
	z.effect(room, method, eventID, z.calendar.instant())
	return true
}
