package caldav

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"roomkiosk/internal/calendar/ical"
	"roomkiosk/internal/rooms"
)

func room(t *testing.T) rooms.Room {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return rooms.Room{ID: "ada", Name: "Ada Lovelace", Zone: zone, CalendarID: "https://dav.example.com/ada/"}
}

func object1(events ...string) []byte {
	return []byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + strings.ReplaceAll(strings.Join(events, ""), "\n", "\r\n") + "END:VCALENDAR\r\n")
}

func vevent(lines ...string) string {
	return "BEGIN:VEVENT\nUID:u\nDTSTAMP:20260101T000000Z\n" + strings.Join(lines, "\n") + "\nEND:VEVENT\n"
}

// at is a time of 23 November 2026 in Berlin.
func at(t *testing.T, clock string) time.Time {
	t.Helper()
	found, err := time.ParseInLocation("2006-01-02 15:04:05", "2026-11-23 "+clock, room(t).Zone)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// editAt makes an edit of the one occurrence that is on at an instant.
func editAt(t *testing.T, text []byte, now time.Time) edit {
	t.Helper()
	cal, err := ical.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	x := cal.Expand(now, now.Add(time.Second), room(t).Zone)
	if len(x.Occurrences) != 1 {
		t.Fatalf("%d occurrences of\n%s", len(x.Occurrences), text)
	}
	return edit{room: room(t), now: now, target: x.Occurrences[0]}
}

func TestShortened(t *testing.T) {
	daily := vevent("DTSTART;TZID=Europe/Berlin:20261101T090000", "DTEND;TZID=Europe/Berlin:20261101T100000", "RRULE:FREQ=DAILY")
	for name, tt := range map[string]struct {
		text      []byte
		want, not []string // lines of the result
		at        string   // default 09:30:00
	}{
		"in UTC": {
			text: object1(vevent("DTSTART:20261123T080000Z", "DTEND:20261123T090000Z")),
			want: []string{"DTSTART:20261123T080000Z", "DTEND:20261123T083000Z", "SEQUENCE:1"},
		},
		"floating": {
			text: object1(vevent("DTSTART:20261123T090000", "DTEND:20261123T100000", "SEQUENCE:7")),
			want: []string{"DTSTART:20261123T090000", "DTEND:20261123T093000", "SEQUENCE:8"}, not: []string{"SEQUENCE:7"},
		},
		"end in another zone": {
			text: object1(vevent("DTSTART;TZID=Europe/London:20261123T080000", "DTEND;TZID=Europe/Berlin:20261123T100000")),
			want: []string{"DTEND;TZID=Europe/London:20261123T083000"}, not: []string{"DTEND;TZID=Europe/Berlin:20261123T100000"},
		},
		"a zone of Windows": {
			text: object1(vevent("DTSTART;TZID=W. Europe Standard Time:20261123T090000", "DURATION:PT1H")),
			want: []string{"DTEND;TZID=W. Europe Standard Time:20261123T093000"}, not: []string{"DURATION:PT1H"},
		},
		"at its start": {
			text: object1(vevent("DTSTART:20261123T080000Z", "DTEND:20261123T090000Z")), at: "09:00:00",
			want: []string{"DTSTART:20261123T080000Z"}, not: []string{"DTEND:20261123T080000Z"},
		},
		"a day": {
			text: object1(vevent("DTSTART;VALUE=DATE:20261123", "DTEND;VALUE=DATE:20261124", "X-MICROSOFT-CDO-ALLDAYEVENT:TRUE")),
			want: []string{"DTSTART:20261122T230000Z", "DTEND:20261123T083000Z"}, not: []string{"X-MICROSOFT-CDO-ALLDAYEVENT:TRUE"},
		},
		"days": {
			text: object1(vevent("DTSTART;VALUE=DATE:20261120", "DURATION:P5D")),
			want: []string{"DTSTART:20261119T230000Z", "DTEND:20261123T083000Z"},
		},
		"of a series": {
			text: object1(daily),
			want: []string{"RRULE:FREQ=DAILY", "RECURRENCE-ID;TZID=Europe/Berlin:20261123T090000",
				"DTSTART;TZID=Europe/Berlin:20261123T090000", "DTEND;TZID=Europe/Berlin:20261123T093000",
				"DTSTART;TZID=Europe/Berlin:20261101T090000", "DTEND;TZID=Europe/Berlin:20261101T100000"},
		},
		"of a series in UTC over a change of the clocks": {
			text: object1(vevent("DTSTART:20261001T080000Z", "DTEND:20261001T090000Z", "RRULE:FREQ=DAILY")),
			want: []string{"RECURRENCE-ID:20261123T080000Z", "DTEND:20261123T083000Z"},
		},
		"of a series over a change of the clocks": {
			text: object1(vevent("DTSTART;TZID=Europe/Berlin:20260601T090000", "DURATION:PT1H", "RRULE:FREQ=DAILY")),
			want: []string{"RECURRENCE-ID;TZID=Europe/Berlin:20261123T090000", "DURATION:PT1H"},
		},
		"of a floating series": {
			text: object1(vevent("DTSTART:20261101T090000", "DTEND:20261101T100000", "RRULE:FREQ=WEEKLY;BYDAY=MO")),
			want: []string{"RECURRENCE-ID:20261123T090000", "DTEND:20261123T093000"},
		},
		"of a series of days": {
			text: object1(vevent("DTSTART;VALUE=DATE:20261101", "RRULE:FREQ=DAILY")),
			want: []string{"RECURRENCE-ID;VALUE=DATE:20261123", "DTSTART:20261122T230000Z", "DTEND:20261123T083000Z", "DTSTART;VALUE=DATE:20261101"},
		},
		"of dates": {
			text: object1(vevent("DTSTART:20261101T080000Z", "DTEND:20261101T090000Z", "RDATE:20261110T080000Z,20261123T080000Z")),
			want: []string{"RECURRENCE-ID:20261123T080000Z", "DTEND:20261123T083000Z", "RDATE:20261110T080000Z,20261123T080000Z"},
		},
		"an exception": {
			text: object1(daily, vevent("RECURRENCE-ID;TZID=Europe/Berlin:20261123T090000", "DTSTART:20261123T080500Z", "DTEND:20261123T093000Z", "SEQUENCE:3")),
			want: []string{"DTSTART:20261123T080500Z", "DTEND:20261123T083000Z", "SEQUENCE:4"}, not: []string{"SEQUENCE:1"},
		},
		"an exception without its series": {
			text: object1(vevent("RECURRENCE-ID:20261123T080000Z", "DTSTART:20261123T080500Z", "DTEND:20261123T093000Z")),
			want: []string{"RECURRENCE-ID:20261123T080000Z", "DTEND:20261123T083000Z"},
		},
		"after a change of all that follow": {
			text: object1(daily, vevent("RECURRENCE-ID;TZID=Europe/Berlin;RANGE=THISANDFUTURE:20261120T090000",
				"DTSTART;TZID=Europe/Berlin:20261120T091500", "DTEND;TZID=Europe/Berlin:20261120T101500", "SUMMARY:later")),
			want: []string{"RECURRENCE-ID;TZID=Europe/Berlin:20261123T090000", "DTSTART;TZID=Europe/Berlin:20261123T091500",
				"DTEND;TZID=Europe/Berlin:20261123T093000", "RECURRENCE-ID;TZID=Europe/Berlin;RANGE=THISANDFUTURE:20261120T090000"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			clock := tt.at
			if clock == "" {
				clock = "09:30:00"
			}
			now := at(t, clock)
			got, err := editAt(t, tt.text, now).shortened(tt.text, now.Add(600*time.Millisecond))
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.ReplaceAll(string(got), "\r\n ", ""), "\r\n")
			for _, line := range tt.want {
				if !slices.Contains(lines, line) {
					t.Errorf("no %s in\n%s", line, got)
				}
			}
			for _, line := range tt.not {
				if slices.Contains(lines, line) {
					t.Errorf("%s in\n%s", line, got)
				}
			}
			if clock != "09:30:00" {
				return
			}
			if again := editAt(t, got, now.Add(-time.Second)); !again.target.End.Equal(now) {
				t.Errorf("it ends at %v", again.target.End)
			}
		})
	}
}

// A clock that is behind doesn't end an event before it starts.
func TestShortenedBeforeStart(t *testing.T) {
	text := object1(vevent("DTSTART:20261123T080000Z", "DTEND:20261123T090000Z"))
	e := editAt(t, text, at(t, "09:30:00"))
	got, err := e.shortened(text, at(t, "08:59:00"))
	if err != nil {
		t.Fatal(err)
	}
	if again := editAt(t, got, at(t, "09:00:00")); !again.target.End.Equal(e.target.Start) {
		t.Errorf("it ends at %v", again.target.End)
	}
}

// The first instance of a change for all that follow can't be ended without ending the others.
func TestShortenedRefuses(t *testing.T) {
	text := object1(vevent("DTSTART:20261101T080000Z", "DTEND:20261101T090000Z", "RRULE:FREQ=DAILY"),
		vevent("RECURRENCE-ID;RANGE=THISANDFUTURE:20261123T080000Z", "DTSTART:20261123T080000Z", "DTEND:20261123T091500Z"))
	now := at(t, "09:30:00")
	if got, err := editAt(t, text, now).shortened(text, now); err == nil {
		t.Errorf("got\n%s", got)
	}
}

// What isn't changed stays, byte by byte: odd folds, lower case, lone line feeds, what nobody knows.
func TestShortenedKeepsBytes(t *testing.T) {
	before := "begin:vcalendar\nX-WR-CALNAME:Ada\nBEGIN:VTIMEZONE\nTZID:X\nBEGIN:STANDARD\nDTSTART:19700101T000000\n" +
		"TZOFFSETFROM:+0100\nTZOFFSETTO:+0100\nEND:STANDARD\nEND:VTIMEZONE\nBEGIN:VTODO\nUID:todo\nDTSTART:20261123T080000Z\nEND:VTODO\n" +
		"BEGIN:VEVENT\nuid:u\nSUMMARY:fol\n ded\n\t twice: \xc3\xa9\nBEGIN:VALARM\nUID:a\nSEQUENCE:3\nDTEND:20261123T090000Z\nEND:VALARM\n" +
		"dtstart;tzid=\"X\":20261123T090000\nDTEND;TZID=X:20261123T100000\n"
	after := "X-EVIL;A=\"BEGIN:VEVENT\":x\nATTACH:\n  long\nEND:VEVENT\nend:vcalendar\n"
	text := []byte(before + after)
	now := at(t, "09:30:00")
	got, err := editAt(t, text, now).shortened(text, now)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.NewReplacer(
		"uid:u\n", "uid:u\nDTSTAMP:20261123T083000Z\nLAST-MODIFIED:20261123T083000Z\nSEQUENCE:1\n",
		"DTEND;TZID=X:20261123T100000\n", "DTEND;tzid=\"X\":20261123T093000\n",
	).Replace(string(text))
	lines := func(s string) []string { l := strings.SplitAfter(s, "\n"); slices.Sort(l); return l }
	if !slices.Equal(lines(string(got)), lines(want)) || bytes.Contains(got, []byte("\r")) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestDeclined(t *testing.T) {
	guests := []string{
		"ORGANIZER:mailto:jane@example.com", `ATTENDEE;CN="Jane: boss";PARTSTAT=ACCEPTED:mailto:jane@example.com`,
		"ATTENDEE;CUTYPE=ROOM;PARTSTAT=ACCEPTED;CN=Ada:mailto:Ada@example.com",
	}
	single := object1(vevent(append([]string{"DTSTART:20261123T080000Z", "DTEND:20261123T090000Z", "SEQUENCE:2"}, guests...)...))
	daily := object1(vevent(append([]string{"DTSTART:20261101T080000Z", "DTEND:20261101T090000Z", "RRULE:FREQ=DAILY"}, guests...)...))
	now := at(t, "09:30:00")
	for name, tt := range map[string]struct {
		text   []byte
		own    []string
		events int
	}{
		"by its type":    {single, nil, 1},
		"by its address": {single, []string{"ada@example.com"}, 1},
		"of a series":    {daily, nil, 2},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := editAt(t, tt.text, now).declined(tt.text, tt.own)
			if err != nil {
				t.Fatal(err)
			}
			text := strings.ReplaceAll(string(got), "\r\n ", "")
			if strings.Count(text, "ATTENDEE;PARTSTAT=DECLINED;CUTYPE=ROOM;CN=Ada:mailto:Ada@example.com\r\n") != 1 ||
				strings.Count(text, "BEGIN:VEVENT") != tt.events || strings.Contains(text, "SEQUENCE:3") {
				t.Errorf("got\n%s", got)
			}
		})
	}
	plain := object1(vevent("DTSTART:20261123T080000Z", "DTEND:20261123T090000Z"))
	if got, err := editAt(t, plain, now).declined(plain, nil); err == nil {
		t.Errorf("nobody was invited: got\n%s", got)
	}
}

func TestLines(t *testing.T) {
	for _, text := range []string{"", "A:b", "A:b\r\n c\r\n", "\n\n", " x\n y", "A\n", "A;B=\"c:d;e\";F=g:h:i\n", "\r\n"} {
		lines := splitLines([]byte(text))
		if got := string(joinLines(lines)); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
	l := newLine("attendee;CN=\"a;b:c\";\r\n X=1:mailto:x\r\n")
	if l.name != "ATTENDEE" || l.param("cn") != "a;b:c" || l.param("X") != "1" || l.value() != "mailto:x" {
		t.Errorf("got %+v: %q, %q", l, l.params(), l.value())
	}
	long := "DESCRIPTION:" + strings.Repeat("é", 200)
	folded := fold(long, "\r\n")
	if folded.content() != long {
		t.Errorf("got %q", folded.raw)
	}
	for _, part := range strings.Split(folded.raw, "\r\n") {
		if len(part) > 75 {
			t.Errorf("%d bytes in a line", len(part))
		}
	}
}
