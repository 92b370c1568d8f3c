package graph

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"roomkiosk/internal/calendar"
	"roomkiosk/internal/rooms"
)

// eventFields are the properties that are asked for. iCalUId and seriesMasterId aren't read here;
// they make the answers in a log of the network understandable.
const eventFields = "id,changeKey,subject,start,end,isAllDay,isCancelled,organizer,sensitivity,showAs,responseStatus," +
	"type,seriesMasterId,iCalUId,isOrganizer"

// Bounds of ids, in bytes. Exchange's ids have some 150, its change keys 32 or 40.
const (
	maxEventID   = 1024
	maxChangeKey = 512
)

// event is what a kiosk needs of Graph's event resource
// (https://learn.microsoft.com/graph/api/resources/event).
type event struct {
	ETag           string    `json:"@odata.etag"`
	ID             string    `json:"id"`
	ChangeKey      string    `json:"changeKey"`
	Subject        string    `json:"subject"`
	Sensitivity    string    `json:"sensitivity"` // normal, personal, private, confidential
	ShowAs         string    `json:"showAs"`      // free, tentative, busy, oof, workingElsewhere, unknown
	Type           string    `json:"type"`        // singleInstance, occurrence, exception, seriesMaster
	IsAllDay       bool      `json:"isAllDay"`
	IsCancelled    bool      `json:"isCancelled"`
	IsOrganizer    bool      `json:"isOrganizer"` // the mailbox itself is
	Start          *moment   `json:"start"`
	End            *moment   `json:"end"`
	Organizer      recipient `json:"organizer"`
	ResponseStatus struct {
		Response string `json:"response"` // of the mailbox: none, organizer, accepted, declined, ...
	} `json:"responseStatus"`
}

// moment is a local time with the name of its zone.
type moment struct {
	DateTime string `json:"dateTime"` // 2026-11-23T09:00:00.0000000
	TimeZone string `json:"timeZone"`
}

type recipient struct {
	EmailAddress struct {
		Name    string `json:"name"`
		Address string `json:"address"`
	} `json:"emailAddress"`
}

// decodeEvent reads a single event. It refuses whatever isn't one, however good its JSON.
func decodeEvent(body []byte) (event, error) {
	var e event
	if err := json.Unmarshal(body, &e); err != nil {
		return event{}, jsonError(err)
	}
	if e.ID == "" {
		return event{}, errors.New("JSON, but not an event")
	}
	return e, nil
}

// name is what an item is called in the log.
func (e *event) name() string {
	if e.ID == "" {
		return "?"
	}
	return calendar.Clip(e.ID, 200)
}

// blocks tells whether an event takes the room. Exchange leaves cancelled meetings on the calendar
// of a room, and may leave those that the room declined.
func (e *event) blocks() bool {
	return !e.IsCancelled && e.ShowAs != "free" && e.ResponseStatus.Response != "declined"
}

// tentative: the room hasn't answered yet, because somebody has to approve, or the event itself is
// not certain.
func (e *event) tentative() bool {
	switch e.ResponseStatus.Response {
	case "tentativelyAccepted", "notResponded":
		return true
	default:
		return e.ShowAs == "tentative"
	}
}

// private hides the details of everything that isn't known to be shown: what is marked as private,
// confidential or personal, as anything that Microsoft may yet invent, and what comes without a
// mark, since only a mark that was read says that there is nothing to hide.
func (e *event) private() bool { return e.Sensitivity != "normal" }

// reservation turns an event that blocks the room into one. The ids stay in Graph's own forms.
func (e *event) reservation(v view) (rooms.Reservation, error) {
	if e.ID == "" || len(e.ID) > maxEventID {
		return rooms.Reservation{}, errors.New("an event without a proper id")
	}
	if e.Type == "seriesMaster" {
		return rooms.Reservation{}, errors.New("a whole series in place of its occurrences")
	}
	start, end, err := e.span(v.zone)
	if err != nil {
		return rooms.Reservation{}, err
	}
	r := rooms.Reservation{
		ID:        rooms.ReservationID(v.id, e.ID),
		Ref:       rooms.EventRef{EventID: e.ID, ChangeKey: e.changeKey(), ResourceEmail: v.id},
		Start:     start,
		End:       end,
		AllDay:    e.IsAllDay,
		Private:   e.private(),
		Tentative: e.tentative(),
	}
	if !r.Private {
		r.Title, r.Organizer = e.texts()
	}
	return r, nil
}

// changeKey is the version without the wrapping that it has as an entity tag. Without one, or with
// one that can't be, the event blocks the room all the same.
func (e *event) changeKey() string {
	key := e.ChangeKey
	if key == "" {
		key = e.ETag
	}
	if _, quoted, ok := strings.Cut(key, `"`); ok { // without quotes, W/ is base64 like the rest
		key = strings.TrimSuffix(quoted, `"`)
	}
	if len(key) > maxChangeKey {
		return ""
	}
	return key
}

// texts are the title and the organizer as they go on a door.
//
// By default Exchange replaces the subject of what a room is invited to by the organizer's name
// (Set-CalendarProcessing, AddOrganizerToSubject). Such a name is shown once, as the organizer: as a
// title it would tell people that the meeting is about Jane Doe. A room that organizes for itself is
// not named on its own door.
func (e *event) texts() (title, organizer string) {
	title = calendar.Clip(e.Subject, calendar.MaxText)
	if e.IsOrganizer {
		return title, ""
	}
	if sameName(e.Subject, e.Organizer.EmailAddress.Name) {
		title = ""
	}
	return title, calendar.Clip(e.Organizer.name(), calendar.MaxText)
}

// sameName compares two names as people read them: Exchange adds a space to those it puts in place
// of subjects.
func sameName(a, b string) bool {
	return strings.EqualFold(strings.Join(strings.Fields(a), " "), strings.Join(strings.Fields(b), " "))
}

// name is the display name; without one, the address up to the @, which is how people mostly know
// each other by. Exchange's inner addresses (/O=.../CN=...) tell nobody anything.
func (r recipient) name() string {
	name, address := strings.TrimSpace(r.EmailAddress.Name), r.EmailAddress.Address
	if name != "" && !strings.EqualFold(name, address) {
		return name
	}
	local, _, isMail := strings.Cut(address, "@")
	if !isMail || strings.HasPrefix(local, "/") {
		return ""
	}
	return local
}

// span is the event's time, in UTC. All-day events are days in the room's zone; one without days
// counts as one day.
func (e *event) span(zone *time.Location) (start, end time.Time, err error) {
	if e.Start == nil || e.End == nil {
		return start, end, errors.New("an event without a start or an end")
	}
	read := moment.instant
	if e.IsAllDay {
		read = func(m moment) (time.Time, error) { return m.day(zone) }
	}
	if start, err = read(*e.Start); err != nil {
		return start, end, fmt.Errorf("reading the start: %w", err)
	}
	if end, err = read(*e.End); err != nil {
		return start, end, fmt.Errorf("reading the end: %w", err)
	}
	if e.IsAllDay && end.Equal(start) {
		end = rooms.DayStart(start, zone, 1).UTC()
	}
	if end.Before(start) {
		return start, end, errors.New("an event that ends before it starts")
	}
	return start, end, nil
}

// instant reads a moment in its own zone, which is UTC as asked for, unless something on the way
// lost the preference. The host's zone plays no part.
func (m moment) instant() (time.Time, error) {
	zone := time.UTC
	switch m.TimeZone {
	case "", "UTC", "tzone://Microsoft/Utc":
	case "Local":
		return time.Time{}, errors.New("not a zone")
	default:
		named, err := time.LoadLocation(m.TimeZone)
		if err != nil {
			return time.Time{}, errors.New("not a known zone")
		}
		zone = named
	}
	return within(time.ParseInLocation("2006-01-02T15:04:05", strings.TrimSuffix(m.DateTime, "Z"), zone))
}

// day reads a moment as a date: midnight of that date in whatever zone, which is the room's day of
// that date. What isn't midnight is a day of some other zone, given as its instant: it counts as the
// room's day that begins the nearest.
func (m moment) day(zone *time.Location) (time.Time, error) {
	date, clock, _ := strings.Cut(m.DateTime, "T")
	if strings.Trim(clock, "0:.Z") == "" {
		return within(calendar.Date(date, zone))
	}
	at, err := m.instant()
	if err != nil {
		return time.Time{}, err
	}
	return within(calendar.Date(at.Add(12*time.Hour).In(zone).Format(time.DateOnly), zone))
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
