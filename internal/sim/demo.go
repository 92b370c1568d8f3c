package sim

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"
	"time"

	"roomkiosk/internal/rooms"
)

const (
	demoRequests = 200            // that each service of a demo remembers: it runs for days, and its page shows a few
	daysAhead    = 2              // days that are planned beyond today
	keepPast     = 48 * time.Hour // how long events are kept after their end
)

// DemoRoom is a room of the demo, with what a configuration needs to know of it.
type DemoRoom struct {
	ID         string
	Name       string
	Location   string
	Capacity   int
	Equipment  []string
	ZoomID     string // empty: it has no Zoom Room
	Kind       string // of its calendar, in the configuration's words: google, graph, caldav
	CalendarID string // on the shared calendar; see CalDAVURL
}

func demoRooms() []DemoRoom {
	return []DemoRoom{
		{
			ID: "ada", Name: "Ada Lovelace", Location: "Building A / Floor 2", Capacity: 8,
			Equipment: []string{"display", "whiteboard"},
			ZoomID:    "qMOLddnySIGGVycz8aX_JQ", Kind: "google", CalendarID: "c_1884a1f0c2e6ada0@resource.calendar.google.com",
		},
		{
			ID: "grace", Name: "Grace Hopper", Location: "Building A / Floor 2", Capacity: 4,
			Equipment: []string{"display"},
			ZoomID:    "Gh7RkTz0Q1eVwbM5nXcU2A", Kind: "graph", CalendarID: "grace.hopper@rooms.example.com",
		},
		{
			ID: "alan", Name: "Alan Turing", Location: "Building B / Ground floor", Capacity: 14,
			Equipment: []string{"two displays", "whiteboard", "hearing loop"},
			Kind:      "caldav", CalendarID: "alan.turing@rooms.example.com",
		},
	}
}

// DemoWorld returns a world with three rooms in the midst of a working day: whatever the time is, Ada
// has a meeting that awaits its check-in, Grace is free, and in Alan one starts soon. Beyond the next
// few hours the days follow from their date alone. The world doesn't listen yet.
//
// The clock may run fast; now is real time, for tokens. Working hours are in zone.
func DemoWorld(clock rooms.Clock, now func() time.Time, zone *time.Location) *World {
	w := NewWorld(WorldConfig{Clock: clock, Now: now, Zoom: ZoomConfig{
		AccountID: "DemoAccount", ClientID: "demo-client", ClientSecret: "demo-secret",
	}})
	w.Rooms, w.zone = demoRooms(), zone
	for _, s := range []*service{&w.Zoom.service, &w.Google.service, &w.Graph.service, &w.EWS.service, &w.CalDAV.service} {
		s.log.most = demoRequests
	}
	for _, r := range w.Rooms {
		w.Calendar.Open(r.CalendarID, r.Name, zone)
		if r.ZoomID == "" {
			continue
		}
		kind := OnGoogle
		if r.Kind == "graph" {
			kind = OnExchange
		}
		w.Zoom.AddRoom(ZoomRoom{
			ID: r.ZoomID, Name: r.Name, Kind: kind, CalendarID: r.CalendarID, Capacity: r.Capacity,
			LocationID: "49D7a0xPQvGQ2DCMZgSe7w", Passcode: "864213", ActivationCode: "1315-2376-2198-7926",
			CheckIn: ZoomCheckIn{
				Enabled: true, AutoRelease: true,
				OpensBefore: rooms.DefaultOpensBefore, ReleaseAfter: rooms.DefaultClosesAfter,
			},
		})
	}
	start := clock.Now()
	today := midnight(start, zone)
	w.openDay(start)
	for day := range daysAhead {
		w.planDay(today.AddDate(0, 0, day+1))
	}
	w.Calendar.follow(w.keepPlanning(today))
	return w
}

// ZoomCredentials are those that this Zoom takes.
func (w *World) ZoomCredentials() (accountID, clientID, clientSecret string) {
	return w.Zoom.cfg.AccountID, w.Zoom.cfg.ClientID, w.Zoom.cfg.ClientSecret
}

// GoogleCredentials makes a service account that the demo's calendars are shared with, and returns
// its key file. The world must listen already: the file names its address.
func (w *World) GoogleCredentials() ([]byte, error) {
	robot, err := w.Google.NewServiceAccount(w.GoogleTokenURL())
	if err != nil {
		return nil, err
	}
	for _, r := range w.Rooms {
		w.Google.Share(r.CalendarID, robot.Email, Writer)
	}
	return robot.JSON, nil
}

// keepPlanning is the rule that, at every midnight, plans one more day and forgets old events. It
// begins with the first midnight after today.
func (w *World) keepPlanning(today time.Time) rule {
	return func() (time.Time, func(time.Time)) {
		next := today.AddDate(0, 0, 1)
		return next, func(at time.Time) {
			today = next
			for _, e := range w.dayEvents(today.AddDate(0, 0, daysAhead)) {
				w.Calendar.put(e.calendarID, e.Event)
			}
			w.Calendar.forget(at.Add(-keepPast))
		}
	}
}

// planDay puts a day's events on the calendars.
func (w *World) planDay(day time.Time) {
	for _, e := range w.dayEvents(day) {
		w.Calendar.Put(e.calendarID, e.Event)
	}
}

// openDay puts the day of now on the calendars, with the opening scene around now.
func (w *World) openDay(now time.Time) {
	scene := w.scene(now)
	from, to := now.Add(-2*time.Hour), now.Add(4*time.Hour)
	for _, e := range w.dayEvents(midnight(now, w.zone)) {
		if e.AllDay() || !e.Start.Before(to) || !e.End.After(from) {
			scene = append(scene, e)
		}
	}
	for _, e := range scene {
		if !e.AllDay() && e.Start.Before(now.Add(-10*time.Minute)) {
			e.CheckedIn = e.Start // somebody came
		}
		w.Calendar.Put(e.calendarID, e.Event)
	}
}

// placed is an event with the calendar that it belongs on.
type placed struct {
	calendarID string
	Event
}

// midnight is the beginning of the day of at.
func midnight(at time.Time, zone *time.Location) time.Time {
	y, m, d := at.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, zone)
}

// eventID makes an id as Google does: 26 characters of base32hex.
func eventID(parts ...any) string {
	sum := sha256.Sum256(fmt.Append(nil, parts...))
	return strings.ToLower(base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:]))[:26]
}

// instanceID names an occurrence of a series by its slot.
func instanceID(series string, start time.Time) string {
	return series + "_" + start.UTC().Format("20060102T150405Z")
}

// forget drops events that ended before the instant. The caller holds the lock.
func (c *Calendar) forget(before time.Time) {
	for _, b := range c.books {
		for id, e := range b.events {
			if _, end := e.Span(b.zone); end.Before(before) {
				delete(b.events, id)
			}
		}
	}
}
