package ews

import (
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"time"

	"roomkiosk/internal/calendar"
	"roomkiosk/internal/rooms"
)

// maxItemID is the longest id that is taken over. Exchange's own stay under 512 characters.
const maxItemID = 1024

// item is what a kiosk needs of Exchange's CalendarItem
// (https://learn.microsoft.com/exchange/client-developer/web-service-reference/calendaritem). All of
// it may be missing.
type item struct {
	XMLName     xml.Name
	ID          itemID    `xml:"ItemId"`
	Subject     string    `xml:"Subject"`
	Sensitivity string    `xml:"Sensitivity"` // Normal, Personal, Private, Confidential
	Start       string    `xml:"Start"`       // UTC
	End         string    `xml:"End"`
	AllDay      string    `xml:"IsAllDayEvent"`
	FreeBusy    string    `xml:"LegacyFreeBusyStatus"` // Free, Tentative, Busy, OOF, WorkingElsewhere, NoData
	Meeting     string    `xml:"IsMeeting"`
	Cancelled   string    `xml:"IsCancelled"`
	Type        string    `xml:"CalendarItemType"` // Single, Occurrence, Exception, RecurringMaster
	Response    string    `xml:"MyResponseType"`   // Unknown, Organizer, Tentative, Accept, Decline, NoResponseReceived
	Organizer   organizer `xml:"Organizer>Mailbox"`
}

type itemID struct {
	ID        string `xml:"Id,attr"`
	ChangeKey string `xml:"ChangeKey,attr"`
}

type organizer struct {
	Name    string `xml:"Name"`
	Address string `xml:"EmailAddress"`
}

// name is what an item is called in the log.
func (it *item) name() string {
	if it.ID.ID == "" {
		return "?"
	}
	return calendar.Clip(it.ID.ID, 200)
}

// blocks tells whether an item blocks the room.
func (it *item) blocks() bool {
	return !yes(it.Cancelled) && it.Response != "Decline" && it.FreeBusy != "Free" && it.Type != "RecurringMaster"
}

// own tells whether the room itself organizes the item: it was written into the room's calendar. A
// server that doesn't say whether there are others to tell is taken to mean that there are.
func (it *item) own() bool {
	switch it.Response {
	case "Organizer":
		return true
	case "", "Unknown":
		return it.Meeting != "" && !yes(it.Meeting)
	default:
		return false
	}
}

// reservation turns an item that blocks the room into one.
func (it *item) reservation(v view) (rooms.Reservation, error) {
	switch {
	case it.XMLName.Local != "CalendarItem":
		return rooms.Reservation{}, errors.New("an item that isn't a calendar item")
	case it.ID.ID == "" || len(it.ID.ID) > maxItemID || len(it.ID.ChangeKey) > maxItemID:
		return rooms.Reservation{}, errors.New("an item without a proper id")
	}
	start, end, err := it.span(v.zone)
	if err != nil {
		return rooms.Reservation{}, err
	}
	r := rooms.Reservation{
		ID:        rooms.ReservationID(v.mailbox, it.ID.ID),
		Ref:       rooms.EventRef{EventID: it.ID.ID, ChangeKey: it.ID.ChangeKey, ResourceEmail: v.mailbox},
		Start:     start,
		End:       end,
		AllDay:    yes(it.AllDay),
		Private:   it.private(),
		Tentative: it.FreeBusy == "Tentative" || it.Response == "Tentative" || it.Response == "NoResponseReceived",
	}
	if !r.Private {
		r.Title, r.Organizer = it.texts()
	}
	return r, nil
}

// private hides the details of everything that isn't known to be shown: what is marked as private,
// confidential or personal, and what comes without a mark, since only a mark that was read says that
// there is nothing to hide.
func (it *item) private() bool { return it.Sensitivity != "Normal" }

// texts are the title and the organizer as they go on a door. Room mailboxes put the organizer's name
// in place of the subject unless told otherwise (Set-CalendarProcessing, AddOrganizerToSubject); it
// is shown once then, as what it is. A room that organizes for itself is not named on its own door.
func (it *item) texts() (title, by string) {
	title = calendar.Clip(it.Subject, calendar.MaxText)
	if it.own() {
		return title, ""
	}
	if sameName(it.Subject, it.Organizer.Name) {
		title = ""
	}
	return title, calendar.Clip(it.Organizer.name(), calendar.MaxText)
}

// sameName compares two names as people read them: Exchange adds a space to those it puts in place
// of subjects.
func sameName(a, b string) bool {
	return strings.EqualFold(strings.Join(strings.Fields(a), " "), strings.Join(strings.Fields(b), " "))
}

// name is the display name; without one, the address up to the @. An address of Exchange's own kind
// (/o=...) tells nobody anything and gives an empty name.
func (o organizer) name() string {
	name, address := strings.TrimSpace(o.Name), o.Address
	if name != "" && (!strings.Contains(name, "@") || strings.Contains(name, " ")) {
		return name
	}
	if name != "" {
		address = name
	}
	local, _, isMail := strings.Cut(address, "@")
	if !isMail || strings.HasPrefix(local, "/") {
		return ""
	}
	return local
}

// span is the item's time, in UTC.
func (it *item) span(zone *time.Location) (start, end time.Time, err error) {
	if start, err = moment(it.Start); err != nil {
		return start, end, fmt.Errorf("reading the start: %w", err)
	}
	if end, err = moment(it.End); err != nil {
		return start, end, fmt.Errorf("reading the end: %w", err)
	}
	if end.Before(start) {
		return start, end, errors.New("an item that ends before it starts")
	}
	if yes(it.AllDay) {
		start, end = roomDays(start, end, zone)
	}
	return start, end, nil
}

// roomDays moves the times of an all-day item to the room's days. They come as midnight in the zone
// of whoever made the item, so the next midnight of the room, at most half a day away, begins the day
// that was meant. It is at least one day.
func roomDays(start, end time.Time, zone *time.Location) (first, last time.Time) {
	first, last = nearestDay(start, zone), nearestDay(end, zone)
	if !last.After(first) {
		last = rooms.DayStart(first, zone, 1)
	}
	return first.UTC(), last.UTC()
}

func nearestDay(t time.Time, zone *time.Location) time.Time {
	before, after := rooms.DayStart(t, zone, 0), rooms.DayStart(t, zone, 1)
	if t.Sub(before) < after.Sub(t) {
		return before
	}
	return after
}

// moment reads an xs:dateTime. Exchange gives UTC; without an offset it is meant to be. The host's
// zone plays no part, which rules out time.Parse.
func moment(text string) (time.Time, error) {
	text = strings.TrimSpace(text)
	t, err := time.ParseInLocation(time.RFC3339, text, time.UTC)
	if err != nil {
		t, err = time.ParseInLocation("2006-01-02T15:04:05", text, time.UTC)
	}
	if err != nil {
		return time.Time{}, errors.New("not a time")
	}
	t = t.UTC()
	if y := t.Year(); y < 1 || y > 9998 {
		return t, errors.New("a time out of range")
	}
	return t, nil
}

// yes reads an xs:boolean.
func yes(text string) bool {
	switch strings.TrimSpace(text) {
	case "true", "1":
		return true
	default:
		return false
	}
}
