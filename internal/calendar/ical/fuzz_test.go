package ical

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// FuzzParse: whatever the text, it is read and expanded in bounded time without a panic, and what
// comes of it is in order, within the window, and safe to go on with.
func FuzzParse(f *testing.F) {
	for _, d := range disagreements {
		f.Add(vevents(d.event...))
	}
	for _, seed := range []string{
		wrapped(good), wrapped(vtimezone("mine") + strings.ReplaceAll(good, "DTSTART:", "DTSTART;TZID=mine:")), "BEGIN:VCALENDAR", "", "\ufeffBEGIN:VCALENDAR\n",
		vevents("DTSTART;VALUE=DATE:20260601", "RRULE:FREQ=MONTHLY;BYDAY=-1FR,2MO;BYSETPOS=1,-1;WKST=SU", "EXRULE:FREQ=YEARLY;BYWEEKNO=-1"),
		vevents("DTSTART;TZID=W. Europe Standard Time:20260601T023000", "RDATE;VALUE=PERIOD:20260601T000000Z/P1D", "RRULE:FREQ=HOURLY;INTERVAL=7;BYHOUR=1"),
		vevents("DTSTART:20260601T000000", "RRULE:FREQ=MINUTELY;INTERVAL=100;BYSECOND=1;COUNT=1000", "ORGANIZER;CN=\"a^nb\":x", "ATTENDEE;X="),
	} {
		f.Add(seed)
	}
	paths, err := filepath.Glob("testdata/*.ics")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	zone, err := time.LoadLocation("Africa/Cairo")
	if err != nil {
		f.Fatal(err)
	}
	from := time.Date(2026, 6, 1, 0, 0, 0, 0, zone)
	to := from.AddDate(0, 0, 2)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse([]byte(text))
		if err != nil {
			return
		}
		e := c.Expand(from, to, zone)
		for i, o := range e.Occurrences {
			if o.ID == "" || !o.Start.Before(to) || o.End.Before(o.Start) || o.End.Before(from) || o.Start.Location() != time.UTC {
				t.Fatalf("got %+v", o)
			}
			if i > 0 && o.Start.Before(e.Occurrences[i-1].Start) {
				t.Fatal("not in order")
			}
		}
		for _, b := range e.Broken {
			if b.UID == "" || b.Err == nil {
				t.Fatalf("got %+v", b)
			}
		}
		e.Reservations("cal", []string{"ada@example.com"})
	})
}
