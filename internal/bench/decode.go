package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/emersion/go-ical"
)

// What calendars are compared with: libraries alone, into structures with the fields that a schedule
// is made of. Each returns the number of events.

func decodeJSON(body []byte) (int, error) {
	type at struct{ DateTime, Date, TimeZone string }
	type event struct {
		ID, Summary, Subject, Status, Visibility, Sensitivity, ShowAs, ChangeKey, Transparency string
		Start, End                                                                             at
		IsAllDay, IsCancelled                                                                  bool
		Organizer                                                                              struct {
			DisplayName, Email string
			EmailAddress       struct{ Name, Address string }
		}
		ResponseStatus struct{ Response string }
		Attendees      []struct{ Email, ResponseStatus string }
	}
	var list struct{ Items, Value []event }
	if err := json.Unmarshal(body, &list); err != nil {
		return 0, fmt.Errorf("decoding JSON: %w", err)
	}
	return len(list.Items) + len(list.Value), nil
}

func decodeXML(body []byte) (int, error) {
	type item struct {
		ItemID struct {
			ID        string `xml:"Id,attr"`
			ChangeKey string `xml:",attr"`
		} `xml:"ItemId"`
		Subject, Sensitivity, Start, End, LegacyFreeBusyStatus, MyResponseType string
		IsAllDayEvent, IsCancelled                                             bool
		Organizer                                                              string `xml:"Organizer>Mailbox>Name"`
	}
	var answer struct {
		Items []item `xml:"Body>FindItemResponse>ResponseMessages>FindItemResponseMessage>RootFolder>Items>CalendarItem"`
	}
	if err := xml.Unmarshal(body, &answer); err != nil {
		return 0, fmt.Errorf("decoding XML: %w", err)
	}
	return len(answer.Items), nil
}

func decodeMultistatus(body []byte) (int, error) {
	var answer struct {
		Responses []struct {
			Href string `xml:"href"`
			ETag string `xml:"propstat>prop>getetag"`
			Data string `xml:"propstat>prop>calendar-data"`
		} `xml:"response"`
	}
	if err := xml.Unmarshal(body, &answer); err != nil {
		return 0, fmt.Errorf("decoding XML: %w", err)
	}
	events := 0
	for _, r := range answer.Responses {
		c, err := ical.NewDecoder(strings.NewReader(r.Data)).Decode()
		if err != nil {
			return 0, fmt.Errorf("decoding iCalendar: %w", err)
		}
		events += len(c.Events())
	}
	return events, nil
}

func decodeICS(body []byte) (int, error) {
	c, err := ical.NewDecoder(bytes.NewReader(body)).Decode()
	if err != nil {
		return 0, fmt.Errorf("decoding iCalendar: %w", err)
	}
	return len(c.Events()), nil
}
