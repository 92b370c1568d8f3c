package rooms

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"
	"time"
)

// EventRef is what Zoom's events API needs to name a reservation. Which fields are set depends on
// the kind of calendar: Google has EventID and CalendarID; Exchange has EventID, ChangeKey and
// ResourceEmail.
type EventRef struct {
	EventID       string `json:"event_id"`
	ChangeKey     string `json:"change_key,omitempty"` // a version: goes stale with every edit
	ResourceEmail string `json:"resource_email,omitempty"`
	CalendarID    string `json:"calendar_id,omitempty"`
}

// Reservation is one occurrence on a room's calendar that blocks the room. Calendars drop what does
// not block it: cancelled, declined by the room, or marked as free.
type Reservation struct {
	ID        string    `json:"id"` // see ReservationID
	Ref       EventRef  `json:"ref"`
	Start     time.Time `json:"start"` // inclusive
	End       time.Time `json:"end"`   // exclusive; may equal Start
	AllDay    bool      `json:"all_day,omitempty"`
	Title     string    `json:"title,omitempty"`     // empty when private or not told
	Organizer string    `json:"organizer,omitempty"` // display name; empty when private or not told
	Private   bool      `json:"private,omitempty"`
	Tentative bool      `json:"tentative,omitempty"` // the room has not confirmed it yet; it blocks all the same
}

// ReservationID makes the id of a reservation out of the ids that its calendar gives: stable while
// the reservation is on the calendar, safe in a URL, telling nothing about the event.
func ReservationID(calendarID, eventID string) string {
	sum := sha256.Sum256([]byte(calendarID + "\x00" + eventID))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:10]))
}

// Schedule is the reservations of a room over a window, as they were read.
type Schedule struct {
	Source       string        `json:"source"` // where it was read: calendar and the room's id there
	From         time.Time     `json:"from"`   // the window is [From, To)
	To           time.Time     `json:"to"`
	AsOf         time.Time     `json:"as_of"`        // when it was asked for; zero: never read
	Reservations []Reservation `json:"reservations"` // those that touch the window, by start, end, id
}
