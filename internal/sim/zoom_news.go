package sim

import (
	"encoding/json"
	"time"
)

// Zoom's events, as its stream and its webhooks have them.
const (
	EventCheckedIn  = "zoomroom.checked_in"
	EventCheckedOut = "zoomroom.checked_out"
	EventAlert      = "zoomroom.alert"
)

// zoomEvent is an event: https://developers.zoom.us/docs/api/rooms/events.
type zoomEvent struct {
	Event   string      `json:"event"`
	TS      int64       `json:"event_ts"` // milliseconds
	Payload zoomPayload `json:"payload"`
}

type zoomPayload struct {
	AccountID string `json:"account_id"`
	Object    any    `json:"object"`
}

// zoomRoomObject is what every event of a room begins with.
type zoomRoomObject struct {
	ID           string `json:"id"`
	RoomName     string `json:"room_name"`
	CalendarName string `json:"calendar_name"`
	Email        string `json:"email"` // of the account's owner
}

// zoomCheckObject is the object of checked_in and checked_out. A room on Google has a calendar id,
// one on Exchange a change key and a mailbox.
type zoomCheckObject struct {
	zoomRoomObject
	EventID       string `json:"event_id"`
	ChangeKey     string `json:"change_key,omitempty"`
	ResourceEmail string `json:"resource_email,omitempty"`
	CalendarID    string `json:"calendar_id,omitempty"`
	CalendarType  string `json:"calendar_type"` // "0" Google, "1" Office 365, "2" Exchange
	APIType       string `json:"api_type"`      // "0" EWS, "1" Microsoft Graph, empty: Google
}

// zoomAlertObject is the object of an alert. The documented schema also requires an alert_time, which
// the documented sample doesn't have: neither does this.
type zoomAlertObject struct {
	zoomRoomObject
	Issue     string `json:"issue"`
	AlertType int    `json:"alert_type"`
	Component int    `json:"component"`
	AlertKind int    `json:"alert_kind"`
}

const (
	alertRoomOffline = 3
	alertComputer    = 1
	alertTriggered   = 1
	alertCleared     = 2
)

func (r ZoomRoom) object() zoomRoomObject {
	return zoomRoomObject{r.ID, r.Name, r.CalendarID, "owner@example.com"}
}

// tellOf tells of a check-in or check-out, if the room has them enabled. The event is as it became.
// The caller holds the calendar's lock.
func (z *Zoom) tellOf(room ZoomRoom, method string, e Event, at time.Time) {
	if !room.CheckIn.Enabled {
		return
	}
	object := zoomCheckObject{zoomRoomObject: room.object()}
	switch {
	case room.Kind == OnGoogle:
		object.EventID, object.CalendarID, object.CalendarType = e.ID, room.CalendarID, "0"
	case room.GraphIDs:
		object.EventID, object.ChangeKey = e.ID, e.ChangeKey()
		object.ResourceEmail, object.CalendarType, object.APIType = room.CalendarID, "1", "1"
	default:
		object.EventID, object.ChangeKey = e.ExchangeID(), e.ExchangeChangeKey()
		object.ResourceEmail, object.CalendarType, object.APIType = room.CalendarID, "2", "0"
	}
	name := EventCheckedIn
	if method == MethodCheckOut {
		name = EventCheckedOut
	}
	z.publish(name, at, object)
}

// alert tells that a room lost its connection, or has it again. The caller holds the calendar's lock.
func (z *Zoom) alert(room ZoomRoom, offline bool) {
	object := zoomAlertObject{room.object(), "Zoom room is online", alertRoomOffline, alertComputer, alertCleared}
	if offline {
		object.Issue, object.AlertKind = "Zoom room is offline", alertTriggered
	}
	z.publish(EventAlert, z.calendar.instant(), object)
}

// publish sends an event to the stream and the webhook. The caller holds the calendar's lock.
func (z *Zoom) publish(name string, at time.Time, object any) {
	body, err := json.Marshal(zoomEvent{name, at.UnixMilli(), zoomPayload{z.cfg.AccountID, object}})
	if err != nil {
		return // these types have no such values
	}
	z.webhook.post(body, at)
	frames, delay := z.stream.spoil(body)
	if len(frames) == 0 {
		return
	}
	if delay <= 0 {
		z.stream.send(frames...)
		return
	}
	z.calendar.order(delay, func(time.Time) { z.stream.send(frames...) })
}
