package ical

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func zoneNamed(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// june is the window of most tests: June 2026 in the zone.
func june(zone *time.Location) (from, to time.Time) {
	return time.Date(2026, 6, 1, 0, 0, 0, 0, zone), time.Date(2026, 7, 1, 0, 0, 0, 0, zone)
}

func expand(t testing.TB, text string, from, to time.Time, room *time.Location) Expansion {
	t.Helper()
	c, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c.Expand(from, to, room)
}

// spans writes occurrences of 2026 as "0601T090000Z/0601T100000Z"; a summary goes in front.
func spans(e Expansion) []string {
	squeeze := strings.NewReplacer("2026-", "", "-", "", ":", "")
	var out []string
	for _, o := range e.Occurrences {
		s := squeeze.Replace(o.Start.Format(time.RFC3339)) + "/" + squeeze.Replace(o.End.Format(time.RFC3339))
		if o.AllDay {
			s += " days"
		}
		if o.Status != "" {
			s += " " + strings.ToLower(o.Status)
		}
		out = append(out, strings.TrimSpace(o.Summary+" "+s))
	}
	return out
}

// TestLengths is what makes an event as long as it is, in a room in Berlin.
func TestLengths(t *testing.T) {
	berlin := zoneNamed(t, "Europe/Berlin")
	from, to := time.Date(2026, 1, 1, 0, 0, 0, 0, berlin), time.Date(2026, 12, 31, 0, 0, 0, 0, berlin)
	for _, tt := range []struct {
		name  string
		lines []string
		want  string // "": broken
	}{
		{"DTEND", []string{"DTSTART:20260601T090000Z", "DTEND:20260601T093000Z"}, "0601T090000Z/0601T093000Z"},
		{"DTEND in another zone", []string{"DTSTART;TZID=Europe/Berlin:20260601T090000", "DTEND;TZID=America/New_York:20260601T040000"}, "0601T070000Z/0601T080000Z"},
		{"no end", []string{"DTSTART:20260601T090000Z"}, "0601T090000Z/0601T090000Z"},
		{"no end of a day", []string{"DTSTART;VALUE=DATE:20260601"}, "0531T220000Z/0601T220000Z days"},
		{"days, the end exclusive", []string{"DTSTART;VALUE=DATE:20260601", "DTEND;VALUE=DATE:20260603"}, "0531T220000Z/0602T220000Z days"},
		{"a day that ends when it begins", []string{"DTSTART;VALUE=DATE:20260601", "DTEND;VALUE=DATE:20260601"}, "0531T220000Z/0601T220000Z days"},
		{"a date without VALUE", []string{"DTSTART:20260601"}, "0531T220000Z/0601T220000Z days"},
		{"days with a DTEND that is a time", []string{"DTSTART;VALUE=DATE:20260601", "DTEND:20260602T220000Z"}, "0531T220000Z/0602T220000Z days"},
		{"a time with a DTEND that is a day", []string{"DTSTART:20260601T090000Z", "DTEND;VALUE=DATE:20260602"}, "0601T090000Z/0601T220000Z"},
		{"the short day", []string{"DTSTART;VALUE=DATE:20260329"}, "0328T230000Z/0329T220000Z days"},
		{"the long day", []string{"DTSTART;VALUE=DATE:20261025"}, "1024T220000Z/1025T230000Z days"},
		{"DURATION", []string{"DTSTART:20260601T090000Z", "DURATION:PT1H30M"}, "0601T090000Z/0601T103000Z"},
		{"DURATION of seconds", []string{"DTSTART:20260601T090000Z", "DURATION:PT90S"}, "0601T090000Z/0601T090130Z"},
		{"DURATION of a week of days", []string{"DTSTART;VALUE=DATE:20260601", "DURATION:P1W"}, "0531T220000Z/0607T220000Z days"},
		{"DURATION of days in hours", []string{"DTSTART;VALUE=DATE:20260601", "DURATION:PT48H"}, "0531T220000Z/0602T220000Z days"},
		{"a nominal day while the clocks change", []string{"DTSTART;TZID=Europe/Berlin:20260328T120000", "DURATION:P1D"}, "0328T110000Z/0329T100000Z"},
		{"24 hours while the clocks change", []string{"DTSTART;TZID=Europe/Berlin:20260328T120000", "DURATION:PT24H"}, "0328T110000Z/0329T110000Z"},
		{"days and hours", []string{"DTSTART;TZID=Europe/Berlin:20261024T120000", "DURATION:P1DT2H"}, "1024T100000Z/1025T130000Z"},
		{"DTEND wins over DURATION", []string{"DTSTART:20260601T090000Z", "DTEND:20260601T093000Z", "DURATION:PT5H"}, "0601T090000Z/0601T093000Z"},
		{"floating times are the room's", []string{"DTSTART:20260601T090000", "DTEND:20260601T100000"}, "0601T070000Z/0601T080000Z"},
		{"Z wins over TZID", []string{"DTSTART;TZID=America/New_York:20260601T090000Z"}, "0601T090000Z/0601T090000Z"},
		{"a skipped time", []string{"DTSTART;TZID=Europe/Berlin:20260329T023000", "DURATION:PT1H"}, "0329T013000Z/0329T023000Z"},
		{"a nominal day from a skipped time", []string{"DTSTART;TZID=Europe/Berlin:20260329T023000", "DURATION:P1D"}, "0329T013000Z/0330T013000Z"},
		{"a skipped time in New York", []string{"DTSTART;TZID=America/New_York:20260308T023000"}, "0308T073000Z/0308T073000Z"},
		{"a time that comes twice", []string{"DTSTART;TZID=Europe/Berlin:20261025T023000", "DURATION:PT2H"}, "1025T003000Z/1025T023000Z"},
		{"second 60", []string{"DTSTART:20260601T085960Z"}, "0601T085959Z/0601T085959Z"},
		{"lower case", []string{"dtstart:20260601t090000z", "duration:pt1h"}, "0601T090000Z/0601T100000Z"},
		{"DTEND before DTSTART", []string{"DTSTART:20260601T090000Z", "DTEND:20260601T085959Z"}, ""},
		{"days that end before", []string{"DTSTART;VALUE=DATE:20260602", "DTEND;VALUE=DATE:20260601"}, ""},
		{"DURATION backwards", []string{"DTSTART:20260601T090000Z", "DURATION:-PT1H"}, ""},
		{"DURATION of nothing", []string{"DTSTART:20260601T090000Z", "DURATION:P"}, ""},
		{"DURATION without end", []string{"DTSTART:20260601T090000Z", "DURATION:P999999999W"}, ""},
		{"DTEND far away", []string{"DTSTART:20260601T090000Z", "DTEND:29990601T090000Z"}, ""},
		{"no DTSTART", []string{"DTEND:20260601T093000Z"}, ""},
		{"no such day", []string{"DTSTART:20260231T090000Z"}, ""},
		{"no such hour", []string{"DTSTART:20260601T240000Z"}, ""},
		{"not a time", []string{"DTSTART:tomorrow"}, ""},
		{"ISO 8601", []string{"DTSTART:2026-06-01T09:00:00Z"}, ""},
		{"year 0", []string{"DTSTART:00000601T090000Z"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := expand(t, vevents(tt.lines...), from, to, berlin)
			got := strings.Join(spans(e), " ")
			if got != tt.want || (len(e.Broken) == 1) != (tt.want == "") || len(e.Broken) == 1 && e.Broken[0].UID != "series" {
				t.Errorf("got %q, broken %v, want %q", got, e.Broken, tt.want)
			}
		})
	}
}

// TestSeries is about rules, and what is added and taken away, over June 2026 in a room in Berlin.
// All are half an hour long unless they say otherwise.
func TestSeries(t *testing.T) {
	berlin := zoneNamed(t, "Europe/Berlin")
	for _, tt := range []struct {
		name  string
		lines []string
		want  string // starts, as days and times in UTC; "": broken
	}{
		{"COUNT", []string{"DTSTART:20260601T090000Z", "RRULE:FREQ=DAILY;COUNT=2"}, "01T09 02T09"},
		{"COUNT from long ago", []string{"DTSTART:20060601T090000Z", "RRULE:FREQ=YEARLY;COUNT=21"}, "01T09"},
		{"COUNT that ended", []string{"DTSTART:20060601T090000Z", "RRULE:FREQ=YEARLY;COUNT=20"}, "none"},
		{"COUNT includes what is excluded", []string{"DTSTART:20260601T090000Z", "RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20260602T090000Z"}, "01T09 03T09"},
		{"COUNT doesn't include what is added", []string{"DTSTART:20260601T090000Z", "RRULE:FREQ=DAILY;COUNT=2", "RDATE:20260601T120000Z"}, "01T09 01T12 02T09"},
		{"UNTIL in UTC is inclusive", []string{"DTSTART;TZID=Europe/Berlin:20260601T090000", "RRULE:FREQ=DAILY;UNTIL=20260603T070000Z"}, "01T07 02T07 03T07"},
		{"UNTIL in UTC, a second less", []string{"DTSTART;TZID=Europe/Berlin:20260601T090000", "RRULE:FREQ=DAILY;UNTIL=20260603T065959Z"}, "01T07 02T07"},
		{"UNTIL without Z is local", []string{"DTSTART;TZID=America/New_York:20260601T090000", "RRULE:FREQ=DAILY;UNTIL=20260603T090000"}, "01T13 02T13 03T13"},
		{"UNTIL that is a day includes it", []string{"DTSTART;TZID=America/New_York:20260601T230000", "RRULE:FREQ=DAILY;UNTIL=20260602"}, "02T03 03T03"},
		{"UNTIL of days", []string{"DTSTART;VALUE=DATE:20260602", "RRULE:FREQ=DAILY;UNTIL=20260603"}, "01T22 02T22"},
		{"UNTIL of days, as an instant", []string{"DTSTART;VALUE=DATE:20260602", "RRULE:FREQ=DAILY;UNTIL=20260603T000000Z"}, "01T22 02T22"},
		{"UNTIL before DTSTART", []string{"DTSTART:20260602T090000Z", "RRULE:FREQ=DAILY;UNTIL=20260601T090000Z"}, "none"},
		{"DTSTART that the rule doesn't make", []string{"DTSTART:20260601T090000Z", "RRULE:FREQ=WEEKLY;BYDAY=TU;COUNT=3"}, "01T09 02T09 09T09"},
		{"INTERVAL and WKST", []string{"DTSTART:20260602T090000Z", "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=MO"}, "02T09 07T09 16T09 21T09 30T09"},
		{"INTERVAL and another WKST", []string{"DTSTART:20260602T090000Z", "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU"}, "02T09 14T09 16T09 28T09 30T09"},
		{"INTERVAL from long ago", []string{"DTSTART:20160601T090000Z", "RRULE:FREQ=DAILY;INTERVAL=13"}, "02T09 15T09 28T09"},
		{"the second last Friday", []string{"DTSTART:20250530T090000Z", "RRULE:FREQ=MONTHLY;BYDAY=-2FR"}, "19T09"},
		{"plain days and ordinals", []string{"DTSTART:20260601T090000Z", "RRULE:FREQ=MONTHLY;BYDAY=1MO,FR"}, "01T09 05T09 12T09 19T09 26T09"},
		{"the last working day", []string{"DTSTART:20260130T090000Z", "RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"}, "30T09"},
		{"the 31st", []string{"DTSTART:20260131T090000Z", "RRULE:FREQ=MONTHLY"}, "none"},
		{"the last of the month", []string{"DTSTART:20260131T090000Z", "RRULE:FREQ=MONTHLY;BYMONTHDAY=-1"}, "30T09"},
		{"29 February", []string{"DTSTART:20240229T090000Z", "RRULE:FREQ=YEARLY"}, "none"},
		{"twice a day", []string{"DTSTART:20260601T090000Z", "RRULE:FREQ=DAILY;BYHOUR=9,15;COUNT=3"}, "01T09 01T15 02T09"},
		{"week 23 of the year", []string{"DTSTART:20250602T090000Z", "RRULE:FREQ=YEARLY;BYWEEKNO=23"}, "01T09"},
		{"two rules", []string{"DTSTART:20260601T090000Z", "RRULE:FREQ=DAILY;COUNT=2", "RRULE:FREQ=WEEKLY;COUNT=2"}, "01T09 02T09 08T09"},
		{"a rule with spaces and a semicolon", []string{"DTSTART:20260601T090000Z", "RRULE:freq=weekly; byday=mo, tu; count=2;"}, "01T09 02T09"},
		{"EXRULE", []string{"DTSTART:20260601T090000Z", "RRULE:FREQ=DAILY;COUNT=4", "EXRULE:FREQ=DAILY;INTERVAL=2"}, "02T09 04T09"},
		{"local time is kept", []string{"DTSTART;TZID=Europe/Berlin:20260105T090000", "RRULE:FREQ=WEEKLY;COUNT=22"}, "01T07"},
		{"EXDATE list", []string{"DTSTART:20260601T090000Z", "RRULE:FREQ=DAILY;COUNT=4", "EXDATE:20260602T090000Z,20260603T090000Z"}, "01T09 04T09"},
		{"EXDATE lines, each with its zone", []string{
			"DTSTART;TZID=Europe/Berlin:20260601T090000", "RRULE:FREQ=DAILY;COUNT=4", "EXDATE;TZID=America/New_York:20260602T030000",
			"EXDATE;TZID=Asia/Tokyo:20260603T160000",
		}, "01T07 04T07"},
		{"EXDATE of the first", []string{"DTSTART:20260601T090000Z", "RRULE:FREQ=DAILY;COUNT=2", "EXDATE:20260601T090000Z"}, "02T09"},
		{"EXDATE that is a day", []string{"DTSTART;TZID=America/New_York:20260601T230000", "RRULE:FREQ=DAILY;COUNT=3", "EXDATE;VALUE=DATE:20260602"}, "02T03 04T03"},
		{"EXDATE of days", []string{"DTSTART;VALUE=DATE:20260602", "RRULE:FREQ=DAILY;COUNT=3", "EXDATE;VALUE=DATE:20260603,20260604"}, "01T22"},
		{"EXDATE of days, as instants", []string{"DTSTART;VALUE=DATE:20260602", "RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20260602T220000Z", "EXDATE:20260604T000000"}, "01T22"},
		{"EXDATE of a second less", []string{"DTSTART:20260601T090000Z", "RRULE:FREQ=DAILY;COUNT=2", "EXDATE:20260602T085959Z"}, "01T09 02T09"},
		{"RDATE list, and lines in zones", []string{
			"DTSTART:20260601T090000Z", "RDATE:20260602T100000Z,20260603T110000Z", "RDATE;TZID=America/New_York:20260604T080000",
		}, "01T09 02T10 03T11 04T12"},
		{"RDATE that is a day", []string{"DTSTART;TZID=Europe/Berlin:20260601T090000", "RDATE;VALUE=DATE:20260603"}, "01T07 03T07"},
		{"RDATE of days", []string{"DTSTART;VALUE=DATE:20260602", "RDATE;VALUE=DATE:20260605,20260607"}, "01T22 04T22 06T22"},
		{"RDATE that the rule makes, too", []string{"DTSTART:20260601T090000Z", "RRULE:FREQ=DAILY;COUNT=2", "RDATE:20260602T090000Z"}, "01T09 02T09"},
		{"RDATE that is excluded", []string{"DTSTART:20260601T090000Z", "RDATE:20260602T090000Z", "EXDATE:20260602T090000Z"}, "01T09"},
		{"COUNT=0", []string{"DTSTART:20260601T090000Z", "RRULE:FREQ=DAILY;COUNT=0"}, ""},
		{"no FREQ", []string{"DTSTART:20260601T090000Z", "RRULE:COUNT=2"}, ""},
		{"another calendar", []string{"DTSTART:20260601T090000Z", "RRULE:RSCALE=HEBREW;FREQ=YEARLY"}, ""},
		{"Easter", []string{"DTSTART:20260601T090000Z", "RRULE:FREQ=YEARLY;BYEASTER=0"}, ""},
		{"32nd", []string{"DTSTART:20260601T090000Z", "RRULE:FREQ=MONTHLY;BYMONTHDAY=32"}, ""},
		{"tenth Monday", []string{"DTSTART:20260601T090000Z", "RRULE:FREQ=MONTHLY;BYDAY=-10MO"}, ""},
		{"EXDATE that isn't a time", []string{"DTSTART:20260601T090000Z", "RRULE:FREQ=DAILY", "EXDATE:never"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			from, to := june(berlin)
			e := expand(t, vevents(append(tt.lines, "DURATION:PT30M")...), from, to, berlin)
			var starts []string
			for _, o := range e.Occurrences {
				starts = append(starts, o.Start.Format("02T15"))
			}
			got := strings.Join(starts, " ")
			if want := strings.TrimPrefix(tt.want, "none"); got != want || (len(e.Broken) > 0) != (tt.want == "") {
				t.Errorf("got %q, broken %v, want %q", got, e.Broken, tt.want)
			}
		})
	}
}

func TestPeriods(t *testing.T) {
	from, to := june(time.UTC)
	text := vevents("DTSTART:20260601T090000Z", "DURATION:PT30M", "RDATE;VALUE=PERIOD:20260602T090000Z/PT2H,20260603T090000Z/20260603T100000Z",
		"RDATE;VALUE=PERIOD;TZID=Europe/Berlin:20260604T090000/P1D")
	want := []string{"0601T090000Z/0601T093000Z", "0602T090000Z/0602T110000Z", "0603T090000Z/0603T100000Z", "0604T070000Z/0605T070000Z"}
	if e := expand(t, text, from, to, time.UTC); !slices.Equal(spans(e), want) || len(e.Broken) > 0 {
		t.Errorf("got %v, %v, want %v", spans(e), e.Broken, want)
	}
}

// TestExceptions is about RECURRENCE-ID. The series is daily at 9 in Berlin from 1 June, called s.
func TestExceptions(t *testing.T) {
	berlin := zoneNamed(t, "Europe/Berlin")
	for _, tt := range []struct {
		name  string
		rule  string
		other []string // further events
		want  []string
	}{
		{"moved", "COUNT=2", []string{
			"--", "RECURRENCE-ID;TZID=Europe/Berlin:20260602T090000", "DTSTART;TZID=Europe/Berlin:20260605T110000", "DURATION:PT1H", "SUMMARY:x",
		}, []string{"s 0601T070000Z/0601T080000Z", "x 0605T090000Z/0605T100000Z"}},
		{"named in another zone", "COUNT=2", []string{
			"--", "RECURRENCE-ID;TZID=Asia/Tokyo:20260602T160000", "DTSTART;TZID=Asia/Tokyo:20260602T170000", "DURATION:PT1H", "SUMMARY:x",
		}, []string{"s 0601T070000Z/0601T080000Z", "x 0602T080000Z/0602T090000Z"}},
		{"named by its day", "COUNT=2", []string{
			"--", "RECURRENCE-ID;VALUE=DATE:20260602", "DTSTART:20260602T120000Z", "DURATION:PT1H", "SUMMARY:x",
		}, []string{"s 0601T070000Z/0601T080000Z", "x 0602T120000Z/0602T130000Z"}},
		{"cancelled", "COUNT=2", []string{
			"--", "RECURRENCE-ID:20260602T070000Z", "DTSTART:20260602T070000Z", "DURATION:PT1H", "SUMMARY:x", "STATUS:CANCELLED",
		}, []string{"s 0601T070000Z/0601T080000Z", "x 0602T070000Z/0602T080000Z cancelled"}},
		{"made whole days", "COUNT=2", []string{
			"--", "RECURRENCE-ID:20260602T070000Z", "DTSTART;VALUE=DATE:20260604", "SUMMARY:x",
		}, []string{"s 0601T070000Z/0601T080000Z", "x 0603T220000Z/0604T220000Z days"}},
		{"into the window from far after it", "UNTIL=20400101", []string{
			"--", "RECURRENCE-ID:20390602T070000Z", "DTSTART:20260601T120000Z", "DURATION:PT1H", "SUMMARY:x",
		}, []string{"x 0601T120000Z/0601T130000Z"}},
		{"out of the window", "COUNT=2", []string{
			"--", "RECURRENCE-ID:20260602T070000Z", "DTSTART:20300602T070000Z", "DURATION:PT1H",
		}, []string{"s 0601T070000Z/0601T080000Z"}},
		{"versions: the highest SEQUENCE", "COUNT=1", []string{
			"--", "RECURRENCE-ID:20260601T070000Z", "DTSTART:20260601T120000Z", "SUMMARY:new", "SEQUENCE:3",
			"--", "RECURRENCE-ID:20260601T070000Z", "DTSTART:20260601T130000Z", "SUMMARY:old", "SEQUENCE:2",
		}, []string{"new 0601T120000Z/0601T120000Z"}},
		{"versions: the last of the same SEQUENCE", "COUNT=1", []string{
			"--", "RECURRENCE-ID:20260601T070000Z", "DTSTART:20260601T120000Z", "SUMMARY:old",
			"--", "RECURRENCE-ID;TZID=Europe/Berlin:20260601T090000", "DTSTART:20260601T130000Z", "SUMMARY:new",
		}, []string{"new 0601T130000Z/0601T130000Z"}},
		{"of no instance", "COUNT=1", []string{
			"--", "RECURRENCE-ID:20260615T070000Z", "DTSTART:20260615T120000Z", "SUMMARY:x",
		}, []string{"s 0601T070000Z/0601T080000Z", "x 0615T120000Z/0615T120000Z"}},
		{"broken: the instance stays where it was", "COUNT=1", []string{
			"--", "RECURRENCE-ID:20260601T070000Z", "DTSTART:20260615T120000Z", "DTEND:20260615T110000Z", "SUMMARY:x",
		}, []string{"s 0601T070000Z/0601T080000Z"}},
		{"of this and all later ones", "COUNT=3", []string{
			"--", "RECURRENCE-ID;RANGE=THISANDFUTURE:20260602T070000Z", "DTSTART:20260602T090000Z", "DURATION:PT2H", "SUMMARY:x",
		}, []string{"s 0601T070000Z/0601T080000Z", "x 0602T090000Z/0602T110000Z", "x 0603T090000Z/0603T110000Z"}},
		{"of all later ones, and a single one", "COUNT=4", []string{
			"--", "RECURRENCE-ID;RANGE=THISANDFUTURE:20260602T070000Z", "DTSTART:20260603T070000Z", "DURATION:PT2H", "SUMMARY:x",
			"--", "RECURRENCE-ID:20260603T070000Z", "DTSTART:20260603T200000Z", "DURATION:PT1H", "SUMMARY:y",
		}, []string{"s 0601T070000Z/0601T080000Z", "x 0603T070000Z/0603T090000Z", "y 0603T200000Z/0603T210000Z", "x 0605T070000Z/0605T090000Z"}},
		{"of all later ones, twice", "COUNT=3", []string{
			"--", "RECURRENCE-ID;RANGE=THISANDFUTURE:20260603T070000Z", "DTSTART:20260603T110000Z", "DURATION:PT1H", "SUMMARY:y",
			"--", "RECURRENCE-ID;RANGE=THISANDFUTURE:20260602T070000Z", "DTSTART:20260602T090000Z", "DURATION:PT1H", "SUMMARY:x",
		}, []string{"s 0601T070000Z/0601T080000Z", "x 0602T090000Z/0602T100000Z", "y 0603T110000Z/0603T120000Z"}},
		{"all later ones cancelled", "COUNT=3", []string{
			"--", "RECURRENCE-ID;RANGE=THISANDFUTURE:20260602T070000Z", "DTSTART:20260602T070000Z", "STATUS:CANCELLED", "SUMMARY:x",
		}, []string{"s 0601T070000Z/0601T080000Z", "x 0602T070000Z/0602T070000Z cancelled", "x 0603T070000Z/0603T070000Z cancelled"}},
		{"all later ones moved into the window from far before it", "UNTIL=20200103", []string{
			"--", "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20200102T090000", "DTSTART;TZID=Europe/Berlin:20260602T090000", "SUMMARY:x",
		}, []string{"x 0602T070000Z/0602T070000Z", "x 0603T070000Z/0603T070000Z"}},
		{"all later ones moved into the window from far after it", "UNTIL=20400101", []string{
			"--", "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20390603T090000", "DTSTART;TZID=Europe/Berlin:20260629T090000", "SUMMARY:x",
		}, []string{"x 0629T070000Z/0629T070000Z", "x 0630T070000Z/0630T070000Z"}},
		{"excluded all the same", "COUNT=2\r\nEXDATE:20260602T070000Z", []string{
			"--", "RECURRENCE-ID:20260602T070000Z", "DTSTART:20260602T120000Z", "SUMMARY:x",
		}, []string{"s 0601T070000Z/0601T080000Z"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			start := "20260601T090000"
			if strings.HasPrefix(tt.rule, "UNTIL=2020") {
				start = "20200101T090000"
			} else if strings.HasPrefix(tt.rule, "UNTIL=2040") {
				start = "20390601T090000"
			}
			lines := []string{"DTSTART;TZID=Europe/Berlin:" + start, "DURATION:PT1H", "SUMMARY:s", "RRULE:FREQ=DAILY;" + tt.rule}
			from, to := june(berlin)
			e := expand(t, vevents(append(lines, tt.other...)...), from, to, berlin)
			if !slices.Equal(spans(e), tt.want) || len(e.Broken) > 0 != strings.HasPrefix(tt.name, "broken") {
				t.Errorf("got %q, %v, want %q", spans(e), e.Broken, tt.want)
			}
		})
	}
}

// TestExceptionsBeforeTheirSeries: the order of the text doesn't matter.
func TestExceptionsBeforeTheirSeries(t *testing.T) {
	from, to := june(time.UTC)
	e := expand(t, vevents("RECURRENCE-ID:20260602T090000Z", "DTSTART:20260602T120000Z", "--",
		"DTSTART:20260601T090000Z", "RRULE:FREQ=DAILY;COUNT=2"), from, to, time.UTC)
	if want := []string{"0601T090000Z/0601T090000Z", "0602T120000Z/0602T120000Z"}; !slices.Equal(spans(e), want) {
		t.Errorf("got %v, want %v", spans(e), want)
	}
}

func TestThisAndFutureKeepsLocalTime(t *testing.T) {
	berlin := zoneNamed(t, "Europe/Berlin")
	text := vevents("DTSTART;TZID=Europe/Berlin:20261017T090000", "RRULE:FREQ=WEEKLY;COUNT=3", "--",
		"RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20261024T090000", "DTSTART;TZID=Europe/Berlin:20261024T100000")
	e := expand(t, text, time.Date(2026, 10, 1, 0, 0, 0, 0, berlin), time.Date(2026, 12, 1, 0, 0, 0, 0, berlin), berlin)
	if want := []string{"1017T070000Z/1017T070000Z", "1024T080000Z/1024T080000Z", "1031T090000Z/1031T090000Z"}; !slices.Equal(spans(e), want) {
		t.Errorf("got %v, want %v", spans(e), want)
	}
}

func TestOrphans(t *testing.T) {
	from, to := june(time.UTC)
	e := expand(t, vevents("RECURRENCE-ID:20200602T090000Z", "DTSTART:20260602T120000Z", "--",
		"RECURRENCE-ID;RANGE=THISANDFUTURE;VALUE=DATE:20260603", "DTSTART;VALUE=DATE:20260604"), from, to, time.UTC)
	if want := []string{"0602T120000Z/0602T120000Z", "0604T000000Z/0605T000000Z days"}; !slices.Equal(spans(e), want) {
		t.Errorf("got %v, want %v", spans(e), want)
	}
}

// TestIDs: an occurrence keeps its id wherever it is moved to.
func TestIDs(t *testing.T) {
	berlin := zoneNamed(t, "Europe/Berlin")
	from, to := june(berlin)
	for _, tt := range []struct {
		name  string
		lines []string
		want  []string
	}{
		{"single", []string{"DTSTART:20260601T090000Z"}, []string{"series 0001-01-01T00:00:00Z"}},
		{"instance", []string{"DTSTART;TZID=Europe/Berlin:20260601T090000", "RRULE:FREQ=DAILY;COUNT=1"}, []string{"series/20260601T070000Z 2026-06-01T07:00:00Z"}},
		{"day", []string{"DTSTART;VALUE=DATE:20260602", "RRULE:FREQ=DAILY;COUNT=1"}, []string{"series/20260602 2026-06-01T22:00:00Z"}},
		{"moved", []string{
			"DTSTART:20260601T090000Z", "RRULE:FREQ=DAILY;COUNT=1", "--", "RECURRENCE-ID;TZID=Europe/Berlin:20260601T110000", "DTSTART:20260609T090000Z",
		}, []string{"series/20260601T090000Z 2026-06-01T09:00:00Z"}},
		{"alone", []string{"RECURRENCE-ID;TZID=Europe/Berlin:20260601T110000", "DTSTART:20260609T090000Z"}, []string{"series/20260601T090000Z 2026-06-01T09:00:00Z"}},
		{"the same UID for several events", []string{"DTSTART:20260601T090000Z", "--", "DTSTART:20260602T090000Z"}, []string{
			"series/20260601T090000Z 0001-01-01T00:00:00Z", "series/20260602T090000Z 0001-01-01T00:00:00Z",
		}},
		{"a newer version of an event", []string{"DTSTART:20260601T090000Z", "--", "DTSTART:20260602T090000Z", "SEQUENCE:1"}, []string{"series 0001-01-01T00:00:00Z"}},
		{"an older version of an event", []string{"DTSTART:20260601T090000Z", "SEQUENCE:4", "--", "DTSTART:20260602T090000Z", "SEQUENCE:1"}, []string{
			"series 0001-01-01T00:00:00Z",
		}},
		{"the same event twice", []string{"DTSTART:20260601T090000Z", "--", "DTSTART:20260601T090000Z"}, []string{"series 0001-01-01T00:00:00Z"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, o := range expand(t, vevents(tt.lines...), from, to, berlin).Occurrences {
				got = append(got, fmt.Sprint(o.ID, " ", o.RecurrenceID.Format(time.RFC3339)))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestWindow: a window takes what touches it, as [rooms.NewSchedule] does.
func TestWindow(t *testing.T) {
	for _, tt := range []struct {
		lines []string
		want  int
	}{
		{[]string{"DTSTART:20260531T230000Z", "DTEND:20260601T000000Z"}, 0},
		{[]string{"DTSTART:20260531T230000Z", "DTEND:20260601T000001Z"}, 1},
		{[]string{"DTSTART:20260601T000000Z", "DTEND:20260601T000000Z"}, 1},
		{[]string{"DTSTART:20260630T235959Z", "DTEND:20260701T000000Z"}, 1},
		{[]string{"DTSTART:20260701T000000Z", "DTEND:20260701T010000Z"}, 0},
		{[]string{"DTSTART:20250601T000000Z", "DTEND:20270701T010000Z"}, 1},
		{[]string{"DTSTART:20250601T000000Z", "DURATION:P3W", "RRULE:FREQ=MONTHLY"}, 1},
		{[]string{"DTSTART:20250520T000000Z", "DURATION:P3W", "RRULE:FREQ=MONTHLY"}, 2},
	} {
		from, to := june(time.UTC)
		if e := expand(t, vevents(tt.lines...), from, to, time.UTC); len(e.Occurrences) != tt.want {
			t.Errorf("%v: got %v, want %d", tt.lines, spans(e), tt.want)
		}
	}
}
