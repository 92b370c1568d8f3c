package ical

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"roomkiosk/internal/calendar"
)

const good = "BEGIN:VEVENT\r\nUID:good\r\nDTSTART:20260601T090000Z\r\nSUMMARY:good\r\nEND:VEVENT\r\n"

func wrapped(components string) string {
	return "BEGIN:VCALENDAR\r\n" + components + "END:VCALENDAR\r\n"
}

// TestBrokenAlone: what is broken costs itself, and is named.
func TestBrokenAlone(t *testing.T) {
	event := func(lines string) string { return "BEGIN:VEVENT\r\nUID:bad\r\n" + lines + "END:VEVENT\r\n" }
	for name, bad := range map[string]string{
		"no start":                 event("SUMMARY:secret\r\n"),
		"not a rule":               event("DTSTART:20260601T090000Z\r\nRRULE:FREQ=SOMETIMES\r\n"),
		"an unclosed quote":        event("DTSTART;TZID=\"Europe/Berlin:20260601T090000\r\n"),
		"a parameter without end":  event("DTSTART;TZID=Europe/Berlin\r\n"),
		"a quoted one without end": event("DTSTART;TZID=\"Europe:Berlin\"\r\n"),
		"a parameter without sign": event("DTSTART;TZID:20260601T090000\r\n"),
		"a quote in a value":       event("DTSTART;TZID=Eur\"ope:20260601T090000\r\n"),
		"long parameters":          event("DTSTART;X=" + strings.Repeat("x", 4000) + ":20260601T090000Z\r\n"),
		"a long line":              event("DTSTART:20260601T090000Z\r\nEXDATE:" + strings.Repeat("20260601T090000Z,", 8000) + "\r\n"),
		"a long rule":              event("DTSTART:20260601T090000Z\r\nRRULE:FREQ=DAILY;BYDAY=" + strings.Repeat("MO,", 2000) + "MO\r\n"),
		"a long UID":               "BEGIN:VEVENT\r\nUID:bad" + strings.Repeat("d", 2000) + "\r\nDTSTART:20260601T090000Z\r\nEND:VEVENT\r\n",
		"no end":                   strings.TrimSuffix(event("DTSTART:20260601T090000Z\r\n"), "END:VEVENT\r\n"),
		"no end of an alarm":       event("DTSTART:20260601T090000Z\r\nBEGIN:VALARM\r\n"),
		"an event in an event":     "BEGIN:VEVENT\r\nUID:bad\r\nDTSTART:20260601T090000Z\r\n" + good,
		"absurd depth":             event("DTSTART:20260601T090000Z\r\n" + strings.Repeat("BEGIN:X\r\n", 100_000) + strings.Repeat("END:X\r\n", 100_000)),
		"absurd breadth":           event("DTSTART:20260601T090000Z\r\n" + strings.Repeat("ATTENDEE:mailto:a@example.com\r\n", 100_000)),
	} {
		t.Run(name, func(t *testing.T) {
			from, to := june(time.UTC)
			for _, text := range []string{bad + good, good + bad} {
				if name == "an event in an event" {
					text = bad
				}
				e := expand(t, wrapped(text), from, to, time.UTC)
				if len(e.Occurrences) != 1 || e.Occurrences[0].UID != "good" {
					t.Errorf("got %v", spans(e))
				}
				if len(e.Broken) != 1 || !strings.HasPrefix(e.Broken[0].UID, "bad") || len(e.Broken[0].UID) > 80 || strings.Contains(fmt.Sprint(e.Broken), "secret") {
					t.Errorf("broken: got %v", e.Broken)
				}
			}
		})
	}
}

// TestTolerated: what many programs write although it is wrong, or odd.
func TestTolerated(t *testing.T) {
	for name, text := range map[string]string{
		"line feeds":                     strings.ReplaceAll(wrapped(good), "\r\n", "\n"),
		"a byte order mark":              "\ufeff" + wrapped(good),
		"blank lines":                    "\r\n\r\n" + strings.ReplaceAll(wrapped(good), "\r\n", "\r\n\r\n") + "\r\n",
		"no last line end":               strings.TrimSpace(wrapped(good)),
		"lower case":                     strings.ToLower(wrapped(strings.ReplaceAll(good, "good", "good"))),
		"folded everywhere":              fold(wrapped(good), 1),
		"folded with tabs":               strings.ReplaceAll(wrapped(good), "DTSTART", "DTST\r\n\tART"),
		"a description badly folded":     strings.ReplaceAll(wrapped(good), "SUMMARY", "DESCRIPTION:first\r\nsecond line\r\nSUMMARY"),
		"an unknown property broken":     strings.ReplaceAll(wrapped(good), "SUMMARY", "X-A;B\r\nX-C;=\"\r\nSUMMARY"),
		"a description of megabytes":     strings.ReplaceAll(wrapped(good), "SUMMARY", "DESCRIPTION:"+strings.Repeat("x", 4<<20)+"\r\nSUMMARY"),
		"an alarm":                       strings.ReplaceAll(wrapped(good), "END:VEVENT", "BEGIN:VALARM\r\nUID:alarm\r\nDURATION:x\r\nSUMMARY:alarm\r\nEND:VALARM\r\nEND:VEVENT"),
		"a to-do":                        wrapped("BEGIN:VTODO\r\nUID:todo\r\nDTSTART:20260601T090000Z\r\nEND:VTODO\r\n" + good),
		"an end that nothing began":      wrapped("END:VALARM\r\n" + good),
		"two calendars":                  wrapped("") + wrapped(good),
		"a calendar that isn't closed":   "BEGIN:VCALENDAR\r\n" + wrapped(good),
		"something after it":             wrapped(good) + "\x00\r\n</pre>BEGIN:X\r\nBEGIN:X\r\n",
		"broken rules of a time zone":    wrapped("BEGIN:VTIMEZONE\r\nTZID:x\r\nBEGIN:STANDARD\r\nEND:VTIMEZONE\r\n" + good),
		"absurd depth outside of events": wrapped(strings.Repeat("BEGIN:X\r\n", 100_000) + strings.Repeat("END:X\r\n", 100_000) + good),
	} {
		t.Run(name, func(t *testing.T) {
			from, to := june(time.UTC)
			e := expand(t, text, from, to, time.UTC)
			if !slices.Equal(spans(e), []string{"good 0601T090000Z/0601T090000Z"}) || len(e.Broken) > 0 {
				t.Errorf("got %v, broken %v", spans(e), e.Broken)
			}
		})
	}
}

// fold breaks lines after so many bytes, in the middle of characters, too.
func fold(text string, n int) string {
	var b strings.Builder
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\r\n"), "\r\n") {
		for len(line) > n {
			b.WriteString(line[:n] + "\r\n ")
			line = line[n:]
		}
		b.WriteString(line + "\r\n")
	}
	return b.String()
}

func TestFolded(t *testing.T) {
	from, to := june(time.UTC)
	text := wrapped("BEGIN:VEVENT\r\nUID:folded\r\nDTSTART;TZID=Europe/Berlin:20260601T090000\r\nSUMMARY:Übergröße 👋 \\, \\nx\r\nEND:VEVENT\r\n")
	for n := 1; n < 30; n++ {
		e := expand(t, fold(text, n), from, to, time.UTC)
		if len(e.Occurrences) != 1 || e.Occurrences[0].Summary != "Übergröße 👋 , \nx" {
			t.Errorf("after %d bytes: got %v, %v", n, spans(e), e.Broken)
		}
	}
}

// TestNotCalendars: what isn't a whole calendar must not pass for an empty one.
func TestNotCalendars(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":               "",
		"a mark":                "\ufeff",
		"white space":           " \r\n\t\r\n",
		"HTML":                  "<!DOCTYPE html>\n<html><head><title>Sign in</title>\n",
		"JSON":                  `{"error": "no"}`,
		"a sentence":            "Not found",
		"a card":                "BEGIN:VCARD\r\nFN:x\r\nEND:VCARD\r\n",
		"an event alone":        good,
		"no begin":              strings.TrimPrefix(wrapped(good), "BEGIN:VCALENDAR\r\n"),
		"cut off":               strings.TrimSuffix(wrapped(good), "END:VCALENDAR\r\n"),
		"cut off in an event":   wrapped(good)[:60],
		"cut off in the second": wrapped(good) + wrapped(good)[:60],
		"bytes":                 "\x00\xff\xfe\x01",
	} {
		if c, err := Parse([]byte(text)); !errors.Is(err, ErrNotCalendar) {
			t.Errorf("%s: got %v, %v", name, c, err)
		}
	}
	if _, err := Parse(make([]byte, calendar.MaxAnswer+1)); !errors.Is(err, calendar.ErrTooLarge) {
		t.Errorf("too large: got %v", err)
	}
	if c, err := Parse([]byte(wrapped(""))); err != nil {
		t.Errorf("empty: got %v, %v", c, err)
	}
}

// TestEventsWithoutUID are known by when they are.
func TestEventsWithoutUID(t *testing.T) {
	from, to := june(time.UTC)
	one := "BEGIN:VEVENT\r\nDTSTART:20260601T090000Z\r\nEND:VEVENT\r\n"
	e := expand(t, wrapped(one+strings.ReplaceAll(one, "0601", "0602")+"BEGIN:VEVENT\r\nEND:VEVENT\r\n"), from, to, time.UTC)
	if len(e.Occurrences) != 2 || e.Occurrences[0].ID == e.Occurrences[1].ID || len(e.Broken) != 1 || e.Broken[0].UID != "?" {
		t.Errorf("got %+v", e)
	}
}
