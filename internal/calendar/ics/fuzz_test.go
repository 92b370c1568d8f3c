package ics

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"roomkiosk/internal/rooms"
)

func FuzzFeed(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte("\xef\xbb\xbf<html>"))
	f.Add([]byte("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:u\r\nDTSTART;VALUE=DATE:20261123\r\nRRULE:FREQ=SECONDLY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"))
	f.Add([]byte("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:u\nRECURRENCE-ID;RANGE=THISANDFUTURE:20261123T080000Z\nDTSTART:20261123T080000Z\nDURATION:P9999W\nEND:VEVENT\nEND:VCALENDAR\n"))
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		f.Fatal(err)
	}
	day := time.Date(2026, 11, 23, 0, 0, 0, 0, zone)
	room := rooms.Room{ID: "ada", Zone: zone, CalendarID: "https://example.com/a.ics"}
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := New(Config{Name: "feed", Now: func() time.Time { return day }, HTTP: &http.Client{Transport: served(body)}})
		if err != nil {
			t.Fatal(err)
		}
		all, err := c.Read(t.Context(), room, day, day.AddDate(0, 0, 2))
		var fault *rooms.Fault
		if err != nil && (!errors.As(err, &fault) || len(all) > 0) {
			t.Fatalf("got %v, %v", all, err)
		}
		for i, r := range all {
			if r.End.Before(r.Start) || !r.Start.Before(day.AddDate(0, 0, 2)) || r.Private && r.Title+r.Organizer != "" {
				t.Fatalf("got %+v", r)
			}
			if i >= 3 {
				continue
			}
			found, err := c.Lookup(t.Context(), room, r.Ref)
			if err != nil || found != r {
				t.Fatalf("looked up %+v, %v, listed %+v", found, err, r)
			}
		}
	})
}

// served is a transport that answers everything with these bytes.
type served []byte

func (s served) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(s)), Request: r}, nil
}
