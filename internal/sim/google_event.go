package sim

import (
	"fmt"
	"time"
)

// tagged is an answer that may bring its own entity tag; an empty one is made from its text.
type tagged interface{ tag() string }

// googleList is the Events resource.
type googleList struct {
	Kind             string        `json:"kind"`
	Summary          string        `json:"summary"`
	Updated          string        `json:"updated"`
	TimeZone         string        `json:"timeZone"`
	AccessRole       Role          `json:"accessRole"`
	DefaultReminders []any         `json:"defaultReminders"`
	NextPageToken    string        `json:"nextPageToken,omitempty"`
	NextSyncToken    string        `json:"nextSyncToken,omitempty"`
	Items            []googleEvent `json:"items"`
}

func (l googleList) tag() string { return "" }

// googleEvent is the Event resource, as far as rooms have use for it.
type googleEvent struct {
	Kind              string           `json:"kind"`
	ETag              string           `json:"etag"`
	ID                string           `json:"id"`
	Status            Status           `json:"status"`
	HTMLLink          string           `json:"htmlLink,omitempty"`
	Created           string           `json:"created,omitempty"`
	Updated           string           `json:"updated,omitempty"`
	Summary           string           `json:"summary,omitempty"`
	Creator           *googlePerson    `json:"creator,omitempty"`
	Organizer         *googlePerson    `json:"organizer,omitempty"`
	Start             *googleInstant   `json:"start,omitempty"`
	End               *googleInstant   `json:"end,omitempty"`
	EndUnspecified    bool             `json:"endTimeUnspecified,omitempty"`
	Recurrence        []string         `json:"recurrence,omitempty"`
	RecurringEventID  string           `json:"recurringEventId,omitempty"`
	OriginalStartTime *googleInstant   `json:"originalStartTime,omitempty"`
	Transparency      string           `json:"transparency,omitempty"`
	Visibility        Visibility       `json:"visibility,omitempty"`
	ICalUID           string           `json:"iCalUID,omitempty"`
	Sequence          int              `json:"sequence"`
	Attendees         []googleAttendee `json:"attendees,omitempty"`
	AttendeesOmitted  bool             `json:"attendeesOmitted,omitempty"`
	Reminders         map[string]bool  `json:"reminders,omitempty"`
	EventType         Kind             `json:"eventType,omitempty"`
}

func (e googleEvent) tag() string { return e.ETag }

type googlePerson struct {
	Email       string `json:"email,omitempty"`
	DisplayName string `json:"displayName,omitempty"`
	Self        bool   `json:"self,omitempty"`
}

type googleAttendee struct {
	Email          string   `json:"email,omitempty"`
	DisplayName    string   `json:"displayName,omitempty"`
	Organizer      bool     `json:"organizer,omitempty"`
	Self           bool     `json:"self,omitempty"`
	Resource       bool     `json:"resource,omitempty"`
	ResponseStatus Response `json:"responseStatus"`
}

type googleInstant struct {
	Date     string `json:"date,omitempty"`
	DateTime string `json:"dateTime,omitempty"`
	TimeZone string `json:"timeZone,omitempty"`
}

// renderGoogle writes an event as the asker may see it. With single false, an occurrence stands for
// its series. Of a cancelled occurrence only its place in the series is told.
func renderGoogle(e Event, in reader, zone *time.Location, maxAttendees int, single bool) googleEvent {
	out := googleEvent{
		Kind: "calendar#event", ETag: googleETag(e), ID: e.ID, Status: e.Status,
	}
	if e.Series != "" && single {
		out.RecurringEventID = e.Series
		out.OriginalStartTime = originalStart(e, zone)
		if e.Status == Cancelled {
			return out
		}
	}
	if e.Series != "" && !single {
		out.ID, out.Status = e.Series, Confirmed
		if e.Rule != "" {
			out.Recurrence = []string{e.Rule}
		}
	}
	out.Start, out.End = startAndEnd(e, zone)
	out.EndUnspecified, out.Visibility, out.ICalUID = e.EndUnspecified, e.Visibility, icalUID(e)
	out.Created, out.Updated, out.Sequence = rfc3339ms(e.Created), rfc3339ms(e.Updated), max(e.Version-1, 0)
	out.EventType = e.Kind
	if e.Transparent {
		out.Transparency = "transparent"
	}
	if in.seesDetails(e) {
		addDetails(&out, e, in, maxAttendees)
	}
	return out
}

func googleETag(e Event) string { return fmt.Sprintf(`"%d%06d"`, e.Updated.UnixMilli(), e.Version*2) }

// seesDetails tells whether more than the event's times may be told.
func (in reader) seesDetails(e Event) bool {
	switch in.role {
	case Writer, Owner:
		return true
	case Reader:
		return e.Visibility != Private && e.Visibility != Confidential
	default:
		return false
	}
}

func addDetails(out *googleEvent, e Event, in reader, maxAttendees int) {
	out.Summary = e.Title
	out.HTMLLink = "https://www.google.com/calendar/event?eid=" + out.ID
	out.Reminders = map[string]bool{"useDefault": true}
	if e.Organizer != (Person{}) {
		self := e.Organizer.Email == in.calendarID
		out.Organizer = &googlePerson{e.Organizer.Email, e.Organizer.Name, self}
		out.Creator = &googlePerson{Email: e.Organizer.Email}
	}
	for _, a := range e.Attendees {
		status := a.Response
		if status == "" {
			status = NeedsAction
		}
		out.Attendees = append(out.Attendees, googleAttendee{
			a.Email, a.Name, a.Email == e.Organizer.Email, a.Self, a.Resource, status,
		})
	}
	if maxAttendees > 0 && len(out.Attendees) > maxAttendees {
		out.AttendeesOmitted = true
		out.Attendees = onlySelf(out.Attendees)
	}
}

// onlySelf returns the participant's own entry.
func onlySelf(all []googleAttendee) []googleAttendee {
	for _, a := range all {
		if a.Self {
			return []googleAttendee{a}
		}
	}
	return nil
}

func startAndEnd(e Event, zone *time.Location) (start, end *googleInstant) {
	if e.AllDay() {
		return &googleInstant{Date: e.StartDate}, &googleInstant{Date: e.EndDate}
	}
	return instantIn(e.Start, zone), instantIn(e.End, zone)
}

func originalStart(e Event, zone *time.Location) *googleInstant {
	if e.AllDay() {
		return &googleInstant{Date: e.StartDate}
	}
	if e.OriginalStart.IsZero() {
		return instantIn(e.Start, zone)
	}
	return instantIn(e.OriginalStart, zone)
}

func instantIn(at time.Time, zone *time.Location) *googleInstant {
	return &googleInstant{DateTime: at.In(zone).Format(time.RFC3339), TimeZone: zone.String()}
}

// icalUID is the same for all occurrences of a series.
func icalUID(e Event) string {
	if e.Series != "" {
		return e.Series + "@google.com"
	}
	return e.ID + "@google.com"
}

func rfc3339ms(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z") }
