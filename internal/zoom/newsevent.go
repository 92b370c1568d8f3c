package zoom

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"roomkiosk/internal/rooms"
)

// The events of rooms that matter here. They are described at developers.zoom.us/docs/api/rooms/events.
const (
	eventCheckedIn    = "zoomroom.checked_in"
	eventCheckedOut   = "zoomroom.checked_out"
	eventAlert        = "zoomroom.alert"
	eventDelayedAlert = "zoomroom.delayed_alert" // the same, 5 min later
)

// What an alert is about, and what it says about that.
const (
	alertRoomOffline = 3
	alertTriggered   = 1
	alertCleared     = 2
)

// word is a JSON string, or a number as it is written; anything else leaves it empty.
type word string

// UnmarshalJSON implements [json.Unmarshaler]. It never fails.
func (w *word) UnmarshalJSON(b []byte) error {
	var s string
	var n json.Number
	switch {
	case json.Unmarshal(b, &s) == nil:
		*w = word(s)
	case json.Unmarshal(b, &n) == nil:
		*w = word(n)
	}
	return nil
}

// event is what Zoom sends by its stream and its webhook. Names, titles and people have no field
// here: they are never decoded.
type event struct {
	Name    word  `json:"event"`
	TS      count `json:"event_ts"` // milliseconds
	Payload struct {
		Account word   `json:"account_id"`
		Object  object `json:"object"`
		Plain   word   `json:"plainToken"` // of endpoint.url_validation alone
	} `json:"payload"`
}

// object is the room of an event, with the reservation or the alert.
type object struct {
	Room          word  `json:"id"`
	EventID       word  `json:"event_id"`
	ChangeKey     word  `json:"change_key"`
	ResourceEmail word  `json:"resource_email"`
	CalendarType  word  `json:"calendar_type"` // "0" Google, "1" Office 365, "2" Exchange
	API           word  `json:"api_type"`      // "0" EWS, "1" Microsoft Graph, empty: Google
	Issue         word  `json:"issue"`
	AlertType     count `json:"alert_type"`
	AlertKind     count `json:"alert_kind"`
}

// parseEvent reads an event. ok is false for what isn't one.
func parseEvent(raw []byte) (e event, ok bool) {
	if !bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) {
		return event{}, false
	}
	err := json.Unmarshal(raw, &e)
	return e, err == nil && e.Name != ""
}

// news is what the event says about a room; ok is false when it says nothing that matters here.
func (e event) news(now time.Time) (n rooms.News, ok bool) {
	o := e.Payload.Object
	n = rooms.News{ZoomRoomID: string(o.Room), At: e.at(now)}
	switch e.Name {
	case eventCheckedIn, eventCheckedOut:
		n.Kind, n.EventIDs = rooms.NewsCheckedIn, o.eventIDs()
		if e.Name == eventCheckedOut {
			n.Kind = rooms.NewsCheckedOut
		}
		ok = o.EventID != ""
	case eventAlert, eventDelayedAlert:
		n.Kind, ok = o.alert()
	}
	if !ok || n.ZoomRoomID == "" {
		return rooms.News{}, false
	}
	return n, true
}

// at is when it happened; an event without a believable time happened now.
func (e event) at(now time.Time) time.Time {
	const year2000, year2100 = 946684800000, 4102444800000
	if e.TS.said == nil || !(*e.TS.said > year2000 && *e.TS.said < year2100) {
		return now
	}
	return time.UnixMilli(int64(*e.TS.said)).UTC()
}

// onExchange tells whether the reservation is on Exchange, by its kind or, without one,
// by what only Exchange has.
func (o object) onExchange() bool {
	switch o.CalendarType {
	case "0":
		return false
	case "1", "2":
		return true
	default:
		return o.API != "" || o.ChangeKey != "" || o.ResourceEmail != ""
	}
}

// eventIDs is the reservation's id in every form in which a calendar may name it.
func (o object) eventIDs() []string {
	id := string(o.EventID)
	ids := []string{id}
	if !o.onExchange() {
		return ids
	}
	for _, form := range []string{IDsEWS, IDsGraph} {
		if same := inForm(rooms.EventRef{EventID: id}, form).EventID; same != id {
			ids = append(ids, same)
		}
	}
	return ids
}

// alert tells whether the alert is about the room's own connection. Its type and kind say so, or
// else its text.
func (o object) alert() (kind rooms.NewsKind, ok bool) {
	issue := strings.ToLower(string(o.Issue))
	online := strings.Contains(issue, "zoom room is online")
	offline := strings.Contains(issue, "zoom room is offline")
	aboutRoom := o.AlertType.is(alertRoomOffline)
	switch {
	case aboutRoom && o.AlertKind.is(alertTriggered):
		return rooms.NewsRoomOffline, true
	case aboutRoom && o.AlertKind.is(alertCleared), online, offline && o.AlertKind.is(alertCleared):
		return rooms.NewsRoomOnline, true
	case offline:
		return rooms.NewsRoomOffline, true
	default:
		return "", false
	}
}

// is tells whether the number was said and is n.
func (n count) is(want float64) bool { return n.said != nil && *n.said == want }

// form is the form of Exchange ids that Zoom uses, by what it sent; empty: that can't be told. seen
// tells that the ids themselves show it, which proves more than the name of the API beside them.
func (o object) form() (form string, seen bool) {
	if !o.onExchange() {
		return "", false
	}
	ews := strings.ContainsAny(string(o.EventID), "/+")
	graph := strings.ContainsAny(string(o.EventID), "-_")
	switch len(decoded(string(o.ChangeKey))) {
	case len(keyHead) + keyLength:
		ews = true
	case keyLength:
		graph = true
	}
	switch {
	case ews && graph: // neither of both
		return "", false
	case ews:
		return IDsEWS, true
	case graph:
		return IDsGraph, true
	case o.API == "0":
		return IDsEWS, false
	case o.API == "1":
		return IDsGraph, false
	default:
		return "", false
	}
}

func decoded(key string) []byte {
	raw, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		return nil
	}
	return raw
}
