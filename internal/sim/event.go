package sim

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Status is where an event stands.
type Status string

// The statuses of an event. The zero value counts as confirmed.
const (
	Confirmed Status = "confirmed"
	Tentative Status = "tentative"
	Cancelled Status = "cancelled"
)

// Visibility says who may read an event's details. The zero value is the calendar's default.
type Visibility string

// The visibilities.
const (
	Public       Visibility = "public"
	Private      Visibility = "private"
	Confidential Visibility = "confidential"
)

// Response is an attendee's answer to an invitation. The zero value counts as not answered yet.
type Response string

// The answers.
const (
	NeedsAction Response = "needsAction"
	Declined    Response = "declined"
	Maybe       Response = "tentative"
	Accepted    Response = "accepted"
)

// Kind tells what an event stands for. The zero value is an ordinary event.
type Kind string

// The kinds, in Google's words.
const (
	Ordinary        Kind = "default"
	Birthday        Kind = "birthday"
	FocusTime       Kind = "focusTime"
	FromMail        Kind = "fromGmail"
	OutOfOffice     Kind = "outOfOffice"
	WorkingLocation Kind = "workingLocation"
)

// Person is somebody with an address.
type Person struct{ Name, Email string }

// Attendee is one who is invited. Self marks the entry of the calendar that the event is on.
type Attendee struct {
	Person
	Self     bool
	Resource bool
	Response Response
}

// Event is one entry on one calendar, in no provider's words: the services render it. An occurrence
// of a series is an event of its own.
type Event struct {
	ID            string
	Series        string    // id of the series that it is an occurrence of; empty: single
	OriginalStart time.Time // the occurrence's slot, which stays when it is moved
	Rule          string    // the series' RRULE line, on any occurrence; may be empty

	Title     string
	Organizer Person

	Start, End         time.Time // timed events; End is exclusive
	StartDate, EndDate string    // all-day events, yyyy-mm-dd; EndDate is exclusive
	EndUnspecified     bool      // nobody gave an end; there is one all the same

	Visibility  Visibility
	Transparent bool // does not block
	Status      Status
	Kind        Kind
	Attendees   []Attendee

	CheckedIn        time.Time // zero: nobody has
	Created, Updated time.Time // Put fills what is zero
	Version          int       // counted up by every change; starts at 1
}

// AllDay tells whether the event has dates and not instants.
func (e Event) AllDay() bool { return e.StartDate != "" }

// Span is the event's time on a calendar in the given zone.
func (e Event) Span(zone *time.Location) (start, end time.Time) {
	if !e.AllDay() {
		return e.Start, e.End
	}
	start, _ = time.ParseInLocation(time.DateOnly, e.StartDate, zone)
	end, _ = time.ParseInLocation(time.DateOnly, e.EndDate, zone)
	return start, end
}

// DeclinedByRoom tells whether the calendar's own entry among the attendees said no.
func (e Event) DeclinedByRoom() bool {
	return slices.ContainsFunc(e.Attendees, func(a Attendee) bool {
		return a.Self && a.Response == Declined
	})
}

// ExchangeID is the event's id as EWS writes it, for an event whose ID is in Microsoft Graph's form.
func (e Event) ExchangeID() string {
	return strings.NewReplacer("-", "/", "_", "+").Replace(e.ID)
}

// ChangeKey names the event's version as Microsoft Graph does: 22 bytes in base64.
func (e Event) ChangeKey() string {
	return base64.StdEncoding.EncodeToString(e.changeKey())
}

// ExchangeChangeKey is the same version as EWS writes it: a header, then the 22 bytes.
func (e Event) ExchangeChangeKey() string {
	header := []byte{0x0f, 0, 0, 0, 0x16, 0, 0, 0}
	return base64.StdEncoding.EncodeToString(append(header, e.changeKey()...))
}

func (e Event) changeKey() []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d", e.ID, e.Version))
	return sum[:22]
}

func (e Event) clone() Event {
	e.Attendees = slices.Clone(e.Attendees)
	return e
}
