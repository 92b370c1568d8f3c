package ical

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// disagreements are series that the other expander gets wrong, each with the section of RFC 5545
// that says what is right. Those of [knownWrong] are here; the others aren't generated at random.
var disagreements = []struct {
	name, section string
	event         []string // lines of the VEVENT, and of further ones
	ours, theirs  []string // starts, and ends where it is about them
}{
	{
		"an exception replaces all instances of that day", "3.8.4.4: RECURRENCE-ID identifies a specific instance",
		[]string{
			"DTSTART:20260601T090000Z", "DTEND:20260601T100000Z", "RRULE:FREQ=DAILY;COUNT=1;BYHOUR=9", "RDATE:20260601T150000Z", "--",
			"RECURRENCE-ID:20260601T090000Z", "DTSTART:20260602T150000Z", "DTEND:20260602T160000Z",
		},
		[]string{"0601T150000Z", "0602T150000Z"},
		[]string{"0601T090000Z", "0602T150000Z"},
	},
	{
		"a slot is compared with an exception's by the dates as written, in whatever zones", "3.8.4.4: the value is that of DTSTART before the exception",
		[]string{
			"DTSTART;TZID=Pacific/Auckland:20260601T090000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=1", "--",
			"RECURRENCE-ID:20260531T210000Z", "DTSTART:20260603T210000Z", "DURATION:PT1H",
		},
		[]string{"0603T210000Z"},
		[]string{"0531T210000Z", "0603T210000Z"},
	},
	{
		"of a time that comes twice, the second is taken", "3.3.5: it refers to the first occurrence",
		[]string{"DTSTART;TZID=Europe/Berlin:20261018T023000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=2"},
		[]string{"1018T003000Z", "1025T003000Z"},
		[]string{"1018T003000Z", "1025T013000Z"},
	},
	{
		"days of a DURATION are counted as 24 hours", "3.3.6: the length of days depends on their position in the calendar",
		[]string{"DTSTART;TZID=Europe/Berlin:20261024T120000", "DURATION:P1D"},
		[]string{"1024T100000Z/1025T110000Z"},
		[]string{"1024T100000Z/1025T100000Z"},
	},
	{
		"UNTIL is compared as if the zone had the offset that it has at DTSTART", "3.3.10: UNTIL is inclusive",
		[]string{"DTSTART;TZID=Europe/Berlin:20260322T010000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;UNTIL=20260404T230000Z"},
		[]string{"0322T000000Z", "0329T000000Z", "0404T230000Z"},
		[]string{"0322T000000Z", "0329T000000Z"},
	},
	{
		"DTSTART doesn't count where the rule doesn't make it", "3.3.10: DTSTART always counts as the first occurrence",
		[]string{"DTSTART:20260601T090000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;BYDAY=TU;COUNT=2"},
		[]string{"0601T090000Z", "0602T090000Z"},
		[]string{"0601T090000Z", "0602T090000Z", "0609T090000Z"},
	},
	{
		"a week without its first days is counted by BYSETPOS", "3.3.10: the nth occurrence within the set of the interval",
		[]string{"DTSTART:20260603T090000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;BYDAY=MO,WE,FR;BYSETPOS=2;COUNT=2"},
		[]string{"0603T090000Z", "0610T090000Z"},
		[]string{"0603T090000Z", "0605T090000Z", "0610T090000Z"},
	},
	{
		"BYWEEKNO alone is the whole week", "3.3.10: what the rule doesn't say is taken from DTSTART",
		[]string{"DTSTART:20260602T090000Z", "DURATION:PT1H", "RRULE:FREQ=YEARLY;BYWEEKNO=23;UNTIL=20260630T000000Z"},
		[]string{"0602T090000Z"},
		[]string{"0602T090000Z", "0603T090000Z", "0604T090000Z", "0605T090000Z", "0606T090000Z", "0607T090000Z"},
	},
	{
		"plain days beside ordinals have to be both", "3.3.10: BYDAY is a list of days",
		[]string{"DTSTART:20260601T090000Z", "DURATION:PT1H", "RRULE:FREQ=MONTHLY;BYDAY=1MO,FR;UNTIL=20260612T090000Z"},
		[]string{"0601T090000Z", "0605T090000Z", "0612T090000Z"},
		[]string{"0601T090000Z"},
	},
	{
		"an event of days without an end has no length", "3.6.1: it ends at the end of that day",
		[]string{"DTSTART;VALUE=DATE:20260601"},
		[]string{"0601/0602"},
		[]string{"0601/0601"},
	},
	{
		"RANGE isn't known", "3.8.4.4: the effective range is from that instance on",
		[]string{
			"DTSTART:20260601T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=3", "--",
			"RECURRENCE-ID;RANGE=THISANDFUTURE:20260602T090000Z", "DTSTART:20260602T100000Z", "DURATION:PT1H",
		},
		[]string{"0601T090000Z", "0602T100000Z", "0603T100000Z"},
		[]string{"0601T090000Z", "0602T100000Z", "0603T090000Z"},
	},
	{
		"an exception shows though its instance is excluded", "3.8.5.1: EXDATE takes it out of the series",
		[]string{
			"DTSTART:20260601T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=2", "EXDATE:20260602T090000Z", "--",
			"RECURRENCE-ID:20260602T090000Z", "DTSTART:20260602T100000Z", "DURATION:PT1H",
		},
		[]string{"0601T090000Z"},
		[]string{"0601T090000Z", "0602T100000Z"},
	},
}

func TestDisagreements(t *testing.T) {
	other := startOracle(t)
	from, to := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC), time.Date(2026, 12, 31, 12, 0, 0, 0, time.UTC)
	for _, tt := range disagreements {
		t.Run(tt.name, func(t *testing.T) {
			text := vevents(tt.event...)
			ours, err := expandHere(text, from, to)
			if err != nil {
				t.Fatal(err)
			}
			theirs, err := other.expand(text, from, to)
			if err != nil {
				t.Fatal(err)
			}
			if got := short(ours, tt.ours); !slices.Equal(got, tt.ours) {
				t.Errorf("here: got %v, want %v by section %s", got, tt.ours, tt.section)
			}
			if got := short(theirs, tt.theirs); !slices.Equal(got, tt.theirs) {
				t.Errorf("there: got %v, want %v; if it has learned it, compare such series at random, too", got, tt.theirs)
			}
		})
	}
	for _, w := range knownWrong {
		if !slices.ContainsFunc(disagreements, func(d struct {
			name, section string
			event         []string
			ours, theirs  []string
		}) bool {
			return d.name == w.what && strings.HasPrefix(d.section, w.section)
		}) {
			t.Errorf("no case of %q", w.what)
		}
	}
}

// short writes occurrences of 2026 like those wanted: with their ends if those have any.
func short(all []plain, like []string) []string {
	var out []string
	squeeze := strings.NewReplacer("2026-", "", "-", "", ":", "")
	for _, p := range all {
		s := squeeze.Replace(p.start)
		if len(like) > 0 && strings.Contains(like[0], "/") {
			s += "/" + squeeze.Replace(p.end)
		}
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

// vevents writes a calendar of events with the UID "series"; "--" begins the next one.
func vevents(lines ...string) string {
	all := []string{"BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VEVENT", "UID:series"}
	for _, line := range lines {
		if line == "--" {
			all = append(all, "END:VEVENT", "BEGIN:VEVENT", "UID:series")
			continue
		}
		all = append(all, line)
	}
	return strings.Join(append(all, "END:VEVENT", "END:VCALENDAR", ""), "\r\n")
}
