package ical

import (
	"cmp"
	"strings"
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
	var all []rooms.Reservation
	for i := range e.Occurrences {
		if r, blocks := e.Occurrences[i].Reservation(calendarID, own); blocks {
			all = append(all, r)
		}
	}
	return all
}

// Reservation turns an occurrence into a reservation; false: it doesn't block the room, being
// cancelled, free, or declined by the room. The room is the attendee with one of its own addresses,
// else the only ROOM or RESOURCE among them. The reference's EventID is the occurrence's ID.
// Private ones come without texts.
func (o *Occurrence) Reservation(calendarID string, own []string) (rooms.Reservation, bool) {
	answer := ""
	if room := o.room(own); room != nil {
		answer = cmp.Or(room.PartStat, "NEEDS-ACTION")
	}
	if o.Status == "CANCELLED" || o.Transparent || o.BusyStatus == "FREE" || answer == "DECLINED" {
		return rooms.Reservation{}, false
	}
	r := rooms.Reservation{
		ID:        rooms.ReservationID(calendarID, o.ID),
		Ref:       rooms.EventRef{EventID: o.ID, CalendarID: calendarID},
		Start:     o.Start,
		End:       o.End,
		AllDay:    o.AllDay,
		Private:   o.Class != "" && o.Class != "PUBLIC", // unknown classes count as PRIVATE (RFC 5545, section 3.8.1.3)
		Tentative: o.Status == "TENTATIVE" || o.BusyStatus == "TENTATIVE" || answer == "NEEDS-ACTION" || answer == "TENTATIVE",
	}
	if !r.Private {
		r.Title, r.Organizer = o.Summary, o.Organizer.shown()
	}
	return r, true
}

// room finds the room among the attendees; nil: it isn't there. Of several resources none can be
// told to be this one.
func (o *Occurrence) room(own []string) *Attendee {
	var resource *Attendee
	resources := 0
	for i := range o.Attendees {
		a := &o.Attendees[i]
		if a.is(own) {
			return a
		}
		if a.CUType == "ROOM" || a.CUType == "RESOURCE" {
			resource = a
			resources++
		}
	}
	if resources == 1 {
		return resource
	}
	return nil
}

// is tells whether a calendar user has one of the addresses, with or without mailto.
func (p *Person) is(addresses []string) bool {
	for _, own := range addresses {
		own = address(own)
		if own != "" && (strings.EqualFold(own, p.Address) || strings.EqualFold(own, p.Email)) {
			return true
		}
	}
	return false
}

// shown is the name; without one, the address of mail up to the @.
func (p *Person) shown() string {
	if p.Name != "" {
		return p.Name
	}
	for _, address := range []string{p.Email, p.Address} {
		if local, _, mail := strings.Cut(address, "@"); mail && !strings.Contains(local, "/") {
			return local
		}
	}
	return ""
}
