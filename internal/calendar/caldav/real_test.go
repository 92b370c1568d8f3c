package caldav_test

import (
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"roomkiosk/internal/calendar"
	"roomkiosk/internal/calendar/caldav"
	"roomkiosk/internal/rooms"
)

const single = `BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//EN
BEGIN:VTIMEZONE
TZID:Office
BEGIN:DAYLIGHT
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
UID:single
DTSTAMP:20261101T000000Z
DTSTART;TZID=Office:20261123T090000
DURATION:PT1H
SUMMARY:Kick-off
X-ODD;X-P="a;b:c":kept as it is
BEGIN:VALARM
ACTION:DISPLAY
DESCRIPTION:soon
TRIGGER:-PT5M
END:VALARM
END:VEVENT
END:VCALENDAR
`

const series = `BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//EN
BEGIN:VEVENT
UID:series
DTSTAMP:20261101T000000Z
DTSTART;TZID=Europe/Berlin:20261019T110000
DTEND;TZID=Europe/Berlin:20261019T120000
RRULE:FREQ=DAILY
EXDATE;TZID=Europe/Berlin:20261121T110000
SUMMARY:Stand-up
SEQUENCE:4
X-ODD:kept
END:VEVENT
BEGIN:VEVENT
UID:series
DTSTAMP:20261101T000000Z
RECURRENCE-ID;TZID=Europe/Berlin:20261124T110000
DTSTART;TZID=Europe/Berlin:20261124T150000
DTEND;TZID=Europe/Berlin:20261124T160000
SUMMARY:Stand-up\, late
END:VEVENT
END:VCALENDAR
`

func berlin(t *testing.T) *time.Location {
	t.Helper()
	z, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// day is the first of the two days that are read.
func day(t *testing.T) time.Time {
	t.Helper()
	return time.Date(2026, 11, 23, 0, 0, 0, 0, berlin(t))
}

// kiosk is a calendar and what it is asked about.
type kiosk struct {
	*caldav.Calendar
	recorder *recorder
	room     rooms.Room
	now      time.Time
}

func newKiosk(t *testing.T, url, user, password string) *kiosk {
	t.Helper()
	transport := calendar.Transport()
	t.Cleanup(transport.CloseIdleConnections)
	k := &kiosk{recorder: &recorder{next: transport}, now: day(t).Add(9*time.Hour + 30*time.Minute)}
	k.room = rooms.Room{ID: "ada", Name: "Ada Lovelace", Zone: berlin(t), CalendarID: url}
	c, err := caldav.New(caldav.Config{
		Name: "dav", User: user, Password: password, HTTP: &http.Client{Transport: k.recorder},
		Now: func() time.Time { return k.now }, Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	k.Calendar = c
	return k
}

func (k *kiosk) read(t *testing.T) []rooms.Reservation {
	t.Helper()
	all, err := k.Read(t.Context(), k.room, day(t), day(t).AddDate(0, 0, 2))
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(all, func(a, b rooms.Reservation) int { return a.Start.Compare(b.Start) })
	return all
}

func brief(all []rooms.Reservation, zone *time.Location) string {
	var out []string
	for _, r := range all {
		out = append(out, r.Start.In(zone).Format("2 15:04-")+r.End.In(zone).Format("15:04 ")+r.Title)
	}
	return strings.Join(out, "; ")
}

func TestReadAndSkip(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		cal := s.calendar(t, "ada", "Ada")
		s.put(t, cal, "single.ics", single)
		s.put(t, cal, "series.ics", series)
		k := newKiosk(t, s.url+cal, "", "")
		want := "23 09:00-10:00 Kick-off; 23 11:00-12:00 Stand-up; 24 15:00-16:00 Stand-up, late"
		if got := brief(k.read(t), k.room.Zone); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		k.recorder.take()
		if got := brief(k.read(t), k.room.Zone); got != want {
			t.Errorf("unchanged: got %s", got)
		}
		if got := k.recorder.take(); got != "PROPFIND 207" {
			t.Errorf("unchanged: sent %s", got)
		}
		next, err := k.Read(t.Context(), k.room, day(t).AddDate(0, 0, 1), day(t).AddDate(0, 0, 3))
		if got := brief(next, k.room.Zone); err != nil || got != "24 15:00-16:00 Stand-up, late; 25 11:00-12:00 Stand-up" {
			t.Errorf("the day after: got %s, %v", got, err)
		}
		if got := k.recorder.take(); got != "PROPFIND 207" {
			t.Errorf("unchanged, the day after: sent %s", got)
		}
		s.put(t, cal, "single.ics", strings.Replace(single, "Kick-off", "Moved on", 1))
		if got := brief(k.read(t), k.room.Zone); !strings.HasPrefix(got, "23 09:00-10:00 Moved on") {
			t.Errorf("changed: got %s", got)
		}
		if got := k.recorder.take(); got != "PROPFIND 207, REPORT 207" {
			t.Errorf("changed: sent %s", got)
		}
		for _, r := range k.read(t) {
			found, err := k.Lookup(t.Context(), k.room, r.Ref)
			if err != nil || found != r {
				t.Errorf("looked up %+v, %v, listed %+v", found, err, r)
			}
		}
	})
}
