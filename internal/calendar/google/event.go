package google

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"roomkiosk/internal/calendar"
	"roomkiosk/internal/rooms"
)

// eventFields are the fields of [event], for Google's fields parameter.
const eventFields = "id,status,summary,visibility,transparency,eventType,start,end,endTimeUnspecified," +
	"organizer(email,displayName),attendees(email,self,resource,responseStatus),attendeesOmitted"

// maxEventID is the longest id that Google allows (events.insert).
const maxEventID = 1024

// event is what a kiosk needs of Google's Event resource
// (https://developers.google.com/workspace/calendar/api/v3/reference/events).
type event struct {
	Kind             string     `json:"kind"`
	ETag             string     `json:"etag"`
	ID               string     `json:"id"`
	Status           string     `json:"status"` // confirmed, tentative, cancelled
	Summary          string     `json:"summary"`
	Visibility       string     `json:"visibility"`   // default, public, private, confidential
	Transparency     string     `json:"transparency"` // opaque, transparent
	EventType        string     `json:"eventType"`
	Start            *moment    `json:"start"`
	End              *moment    `json:"end"`
	EndUnspecified   bool       `json:"endTimeUnspecified"`
	Organizer        person     `json:"organizer"`
	Attendees        []attendee `json:"attendees"`
	AttendeesOmitted bool       `json:"attendeesOmitted"`
}

// moment is a date for all-day events, else a date and time.
type moment struct {
	Date     string `json:"date"`     // yyyy-mm-dd
	DateTime string `json:"dateTime"` // RFC 3339
	TimeZone string `json:"timeZone"` // IANA
}

type person struct {
	Email       string `json:"email"`
	DisplayName string `json:"displayName"`
	Self        bool   `json:"self"` // the calendar that this copy of the event is on
}

type attendee struct {
	Email          string `json:"email"`
	Self           bool   `json:"self"` // the calendar that this copy of the event is on
	Resource       bool   `json:"resource"`
	ResponseStatus string `json:"responseStatus"` // needsAction, declined, tentative, accepted
}

// decodeEvent reads the answer of events.get.
func decodeEvent(body []byte) (event, error) {
	var e event
	if err := json.Unmarshal(body, &e); err != nil {
		return event{}, jsonError(err)
	}
	if e.Kind != "calendar#event" {
		return event{}, errors.New("JSON, but not an event")
	}
	return e, nil
}

// name is what an item is called in the log.
func (e *event) name() string {
	if e.ID == "" {
		return "?"
	}
	return calendar.Clip(e.ID, 80)
}

// standing tells whether an event blocks the room.
type standing int

const (
	blocks  standing = iota
	free             // it doesn't
	unclear          // it has attendees, but the room's own answer was left out; taken as blocking
)

// standing works on cancelled items too, of which Google only promises the ids.
func (e *event) standing(calendarID string) standing {
	switch e.EventType {
	case "", "default", "fromGmail":
	default:
		return free
	}
	if e.Status == "cancelled" || e.Transparency == "transparent" {
		return free
	}
	own := e.own(calendarID)
	switch {
	case own == nil && e.AttendeesOmitted:
		return unclear
	case own != nil && own.ResponseStatus == "declined":
		return free
	default:
		return blocks
	}
}

// own finds the room among the attendees: the entry that is marked as this calendar's, else the one
// with its address, else the only resource. Of several resources none can be told to be this one.
func (e *event) own(calendarID string) *attendee {
	var byEmail, resource *attendee
	resources := 0
	for i := range e.Attendees {
		a := &e.Attendees[i]
		switch {
		case a.Self:
			return a
		case strings.EqualFold(a.Email, calendarID):
			byEmail = a
		case a.Resource:
			resource = a
			resources++
		}
	}
	if byEmail == nil && resources == 1 {
		return resource
	}
	return byEmail
}

// reservation turns an event that blocks the room into one.
func (e *event) reservation(v view) (rooms.Reservation, error) {
	if e.ID == "" || len(e.ID) > maxEventID {
		return rooms.Reservation{}, errors.New("an event without a proper id")
	}
	start, end, err := e.span(v.zone)
	if err != nil {
		return rooms.Reservation{}, err
	}
	r := rooms.Reservation{
		ID:        rooms.ReservationID(v.id, e.ID),
		Ref:       rooms.EventRef{EventID: e.ID, CalendarID: v.id},
		Start:     start,
		End:       end,
		AllDay:    e.Start.Date != "",
		Private:   e.private(),
		Tentative: e.tentative(v.id),
	}
	if !r.Private {
		r.Title = calendar.Clip(e.Summary, calendar.MaxText)
		r.Organizer = calendar.Clip(e.Organizer.name(), calendar.MaxText)
	}
	return r, nil
}

// private hides the details of everything that isn't known to be shown, including visibilities that
// Google may yet invent.
func (e *event) private() bool {
	switch e.Visibility {
	case "", "default", "public":
		return false
	default:
		return true
	}
}

// tentative: the room hasn't answered yet, because somebody has to approve, or the event itself is
// not certain.
func (e *event) tentative(calendarID string) bool {
	if e.Status == "tentative" {
		return true
	}
	own := e.own(calendarID)
	return own != nil && (own.ResponseStatus == "needsAction" || own.ResponseStatus == "tentative")
}

// name is the display name; without one, the address up to the @, which is how people mostly know
// each other by. The addresses of calendars themselves, as organizers of what was booked at the
// room's own calendar, tell nobody anything and give an empty name.
func (p person) name() string {
	if name := strings.TrimSpace(p.DisplayName); name != "" {
		return name
	}
	local, domain, _ := strings.Cut(p.Email, "@")
	if strings.HasSuffix(domain, "calendar.google.com") {
		return ""
	}
	return local
}

// span is the event's time, in UTC. All-day events are days in the room's zone; one without days
// counts as one day. A timed event whose end nobody gave has no length unless Google made one up.
func (e *event) span(zone *time.Location) (start, end time.Time, err error) {
	if e.Start == nil {
		return start, end, errors.New("an event without a start")
	}
	if start, err = e.Start.in(zone); err != nil {
		return start, end, fmt.Errorf("reading the start: %w", err)
	}
	switch {
	case e.End != nil:
		if end, err = e.End.in(zone); err != nil {
			return start, end, fmt.Errorf("reading the end: %w", err)
		}
	case e.EndUnspecified:
		end = start
	default:
		return start, end, errors.New("an event without an end")
	}
	if e.Start.Date != "" && end.Equal(start) {
		end = rooms.DayStart(start, zone, 1).UTC()
	}
	if end.Before(start) {
		return start, end, errors.New("an event that ends before it starts")
	}
	return start, end, nil
}

// in reads a moment. Google's date-times have their offset; one without is in its own zone, else in
// the room's. The host's zone plays no part, which rules out time.Parse.
func (m moment) in(zone *time.Location) (time.Time, error) {
	if m.Date != "" {
		return within(calendar.Date(m.Date, zone))
	}
	t, err := time.ParseInLocation(time.RFC3339, m.DateTime, time.UTC)
	if err == nil {
		return within(t, nil)
	}
	if m.TimeZone != "" && m.TimeZone != "Local" {
		if own, err := time.LoadLocation(m.TimeZone); err == nil {
			zone = own
		}
	}
	return within(time.ParseInLocation("2006-01-02T15:04:05", m.DateTime, zone))
}

// within refuses years that can't be written in RFC 3339 again.
func within(t time.Time, err error) (time.Time, error) {
	t = t.UTC()
	if err != nil {
		return t, errors.New("not a time")
	}
	if y := t.Year(); y < 1 || y > 9998 {
		return t, errors.New("a time out of range")
	}
	return t, nil
}
