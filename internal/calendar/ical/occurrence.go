package ical

import (
	"time"

	"roomkiosk/internal/rooms"
)

// Occurrence is one event, or one instance of a series with its exception applied. Texts are
// unescaped and clipped to [calendar.MaxText]; words such as Status are in upper case.
type Occurrence struct {
	ID           string    // stable while it is on the calendar: the UID, and for an instance its original slot
	UID          string    // as written
	RecurrenceID time.Time // instant of the original slot, in UTC; zero: not part of a series
	Start        time.Time // UTC
	End          time.Time // UTC, exclusive; may equal Start
	AllDay       bool      // whole days of the room's zone
	Sequence     int
	Summary      string
	Organizer    Person
	Class        string // PUBLIC, PRIVATE, CONFIDENTIAL, others; empty: PUBLIC
	Status       string // TENTATIVE, CONFIRMED, CANCELLED; empty: CONFIRMED
	Transparent  bool   // TRANSP:TRANSPARENT
	BusyStatus   string // X-MICROSOFT-CDO-BUSYSTATUS: FREE, TENTATIVE, BUSY, OOF, WORKINGELSEWHERE; mostly empty
	Attendees    []Attendee
}

// Person is a calendar user.
type Person struct {
	Address string // of mail where it was a mailto:, else the URI as written
	Email   string // the EMAIL parameter (RFC 7986), where Address isn't one of mail
	Name    string // the CN parameter
}

// Attendee is somebody, or something, that is invited.
type Attendee struct {
	Person
	PartStat string // NEEDS-ACTION, ACCEPTED, DECLINED, TENTATIVE, DELEGATED; empty: NEEDS-ACTION
	CUType   string // INDIVIDUAL, GROUP, RESOURCE, ROOM, UNKNOWN; empty: INDIVIDUAL
}

// Reservations returns the occurrences that block the room. See [Occurrence.Reservation].
func (e *Expansion) Reservations(calendarID string, own []string) []rooms.Reservation {
	_, _ = calendarID, own
	return nil
}

// Reservation turns an occurrence into a reservation; false: it doesn't block the room, being
// cancelled, free, or declined by the room. The room is the attendee with one of its own addresses,
// else the only ROOM or RESOURCE among them. The reference's EventID is the occurrence's ID.
// Private ones come without texts.
func (o *Occurrence) Reservation(calendarID string, own []string) (rooms.Reservation, bool) {
	_, _ = calendarID, own
	return rooms.Reservation{}, false
}
