package ical

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// vtimezone is Berlin's rules as Exchange writes them, under a name of the caller's.
func vtimezone(name string, more ...string) string {
	lines := append([]string{"BEGIN:VTIMEZONE", "TZID:" + name}, more...)
	return strings.Join(append(lines,
		"BEGIN:STANDARD", "DTSTART:16010101T030000", "TZOFFSETFROM:+0200", "TZOFFSETTO:+0100", "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10", "END:STANDARD",
		"BEGIN:DAYLIGHT", "DTSTART:16010101T020000", "TZOFFSETFROM:+0100", "TZOFFSETTO:+0200", "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3", "END:DAYLIGHT",
		"END:VTIMEZONE", ""), "\r\n")
}

// TestZones: which zone a name stands for, shown by when 9 o'clock of 1 June is. The room is in
// Tokyo, so that its zone is none of the others.
func TestZones(t *testing.T) {
	const fixed = "BEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:%[1]s\r\nTZOFFSETTO:%[1]s\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
	tokyo := zoneNamed(t, "Asia/Tokyo")
	for _, tt := range []struct {
		name, tzid, defined string
		want                string // hour in UTC
		unknown             bool
	}{
		{"IANA", "Europe/Berlin", "", "07", false},
		{"IANA, with other rules", "Europe/Berlin", "BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\n" + fmt.Sprintf(fixed, "+0500"), "07", false},
		{"an older IANA name", "US/Eastern", "", "13", false},
		{"three parts", "America/Argentina/Buenos_Aires", "", "12", false},
		{"Evolution", "/freeassociation.sourceforge.net/Tzfile/Europe/Berlin", "", "07", false},
		{"Evolution, without the slash", "freeassociation.sourceforge.net/Tzfile/Europe/Berlin", "", "07", false},
		{"Olson", "/softwarestudio.org/Olson_20011030_5/America/New_York", "", "13", false},
		{"Olson, three parts", "/mozilla.org/20070129_1/America/Indiana/Indianapolis", "", "13", false},
		{"Citadel", "/citadel.org/20210210_1/UTC", "", "09", false},
		{"in quotes", `"Europe/Berlin"`, "", "07", false},
		{"Windows", "W. Europe Standard Time", "", "07", false},
		{"Windows, in capitals", "EASTERN STANDARD TIME", "", "13", false},
		{"Windows, with other rules", "W. Europe Standard Time", "BEGIN:VTIMEZONE\r\nTZID:W. Europe Standard Time\r\n" + fmt.Sprintf(fixed, "+0500"), "07", false},
		{"UTC in Windows", "UTC-11", "", "20", false},
		{"X-LIC-LOCATION", "mine", "BEGIN:VTIMEZONE\r\nTZID:mine\r\nX-LIC-LOCATION:America/New_York\r\n" + fmt.Sprintf(fixed, "+0500"), "13", false},
		{"X-LIC-LOCATION before Windows", "Tokyo Standard Time", "BEGIN:VTIMEZONE\r\nTZID:Tokyo Standard Time\r\nX-LIC-LOCATION:America/New_York\r\n" +
			fmt.Sprintf(fixed, "+0500"), "13", false},
		{"X-LIC-LOCATION that nobody knows", "mine", vtimezone("mine", "X-LIC-LOCATION:Middle/Earth"), "07", false},
		{"rules", "Customized Time Zone", vtimezone("Customized Time Zone"), "07", false},
		{"rules with a colon in the name", `"(UTC+01:00) Amsterdam, Berlin"`, vtimezone("(UTC+01:00) Amsterdam, Berlin"), "07", false},
		{"rules after the event", "tzone://Microsoft/Custom", "AFTER" + vtimezone("tzone://Microsoft/Custom"), "07", false},
		{"an offset and no rules", "half", "BEGIN:VTIMEZONE\r\nTZID:half\r\n" + fmt.Sprintf(fixed, "+0530"), "03", false},
		{"unknown", "Middle/Earth", "", "00", true},
		{"the machine's", "Local", "", "00", true},
		{"another file", "../../../etc/passwd", "", "00", true},
		{"broken rules", "mine", "BEGIN:VTIMEZONE\r\nTZID:mine\r\nBEGIN:STANDARD\r\nDTSTART:never\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n", "00", true},
		{"rules without offsets", "mine", "BEGIN:VTIMEZONE\r\nTZID:mine\r\nEND:VTIMEZONE\r\n", "00", true},
		{"rules by the second", "mine", strings.ReplaceAll(vtimezone("mine"), "YEARLY;BYDAY=-1SU", "SECONDLY"), "00", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tzid := tt.tzid
			if strings.Contains(tzid, ":") && !strings.HasPrefix(tzid, `"`) {
				tzid = `"` + tzid + `"`
			}
			event := "BEGIN:VEVENT\r\nUID:series\r\nDTSTART;TZID=" + tzid + ":20260601T090000\r\nEND:VEVENT\r\n"
			text := tt.defined + event
			if after, found := strings.CutPrefix(tt.defined, "AFTER"); found {
				text = event + after
			}
			from, to := june(tokyo)
			e := expand(t, "BEGIN:VCALENDAR\r\n"+text+"END:VCALENDAR\r\n", from, to, tokyo)
			var unknown []string
			if tt.unknown {
				unknown = []string{tt.tzid}
			}
			if len(e.Occurrences) != 1 || e.Occurrences[0].Start.Format("15") != tt.want || !slices.Equal(e.UnknownZones, unknown) || len(e.Broken) > 0 {
				t.Errorf("got %v, unknown %q, broken %v; want %s", spans(e), e.UnknownZones, e.Broken, tt.want)
			}
		})
	}
}

// TestRulesOfZones compares zones made of rules with IANA's, every six hours of some years.
func TestRulesOfZones(t *testing.T) {
	const newYork = "BEGIN:VTIMEZONE\r\nTZID:mine\r\n" +
		"BEGIN:DAYLIGHT\r\nDTSTART:19870405T020000\r\nTZOFFSETFROM:-0500\r\nTZOFFSETTO:-0400\r\nRRULE:FREQ=YEARLY;BYMONTH=4;BYDAY=1SU;UNTIL=20060402T070000Z\r\nEND:DAYLIGHT\r\n" +
		"BEGIN:STANDARD\r\nDTSTART:19671029T020000\r\nTZOFFSETFROM:-0400\r\nTZOFFSETTO:-0500\r\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU;UNTIL=20061029T060000Z\r\nEND:STANDARD\r\n" +
		"BEGIN:DAYLIGHT\r\nDTSTART:20070311T020000\r\nTZOFFSETFROM:-0500\r\nTZOFFSETTO:-0400\r\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU\r\nEND:DAYLIGHT\r\n" +
		"BEGIN:STANDARD\r\nDTSTART:20071104T020000\r\nTZOFFSETFROM:-0400\r\nTZOFFSETTO:-0500\r\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
	const dates = "BEGIN:VTIMEZONE\r\nTZID:mine\r\n" +
		"BEGIN:STANDARD\r\nDTSTART:20181028T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nRDATE:20191027T030000,20201025T030000\r\nEND:STANDARD\r\n" +
		"BEGIN:DAYLIGHT\r\nDTSTART:20180325T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nRDATE:20190331T020000\r\nRDATE:20200329T020000\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\n"
	for _, tt := range []struct {
		name, text, like string
		from, to         int // years
	}{
		{"as Exchange writes them", vtimezone("mine"), "Europe/Berlin", 1997, 2030},
		{"that changed", newYork, "America/New_York", 1990, 2030},
		{"that changed, with local ends", strings.NewReplacer("UNTIL=20060402T070000Z", "UNTIL=20060402T020000",
			"UNTIL=20061029T060000Z", "UNTIL=20061029T020000").Replace(newYork), "America/New_York", 1990, 2030},
		{"written out as dates", dates, "Europe/Berlin", 2018, 2020},
		{"before the first", dates, "Etc/GMT-1", 2010, 2017},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Parse([]byte("BEGIN:VCALENDAR\r\n" + tt.text + "END:VCALENDAR\r\n"))
			if err != nil {
				t.Fatal(err)
			}
			end := time.Date(tt.to, 12, 31, 0, 0, 0, 0, time.UTC)
			zone, err := c.zones["mine"].zone(end, &budget{steps: maxTotalSteps})
			if err != nil {
				t.Fatal(err)
			}
			like := zoneNamed(t, tt.like)
			for at := time.Date(tt.from, 1, 1, 0, 0, 0, 0, time.UTC); at.Before(end); at = at.Add(6 * time.Hour) {
				for _, at := range []time.Time{at, at.Add(time.Hour), at.Add(time.Hour - time.Second)} {
					if got, want := offset(at, zone), offset(at, like); got != want {
						t.Fatalf("at %s: got %v, want %v", at, got, want)
					}
				}
			}
		})
	}
}

// TestWindowsZones: every name of the table is one that this program knows, and the ones that
// meeting rooms have are there.
func TestWindowsZones(t *testing.T) {
	n := 0
	for line := range strings.Lines(windowsZones) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		windows, iana, found := strings.Cut(strings.TrimSpace(line), "\t")
		if _, ok := load(iana); !found || !ok || windowsZone(windows) != iana {
			t.Errorf("%q is of no use", line)
		}
		n++
	}
	if n != 139 {
		t.Errorf("got %d zones, want 139", n)
	}
	for windows, iana := range map[string]string{
		"GMT Standard Time": "Europe/London", "Romance Standard Time": "Europe/Paris", "Pacific Standard Time": "America/Los_Angeles",
		"AUS Eastern Standard Time": "Australia/Sydney", "India Standard Time": "Asia/Calcutta", "UTC": "Etc/UTC", "Middle-earth Standard Time": "",
	} {
		if got := windowsZone(windows); got != iana {
			t.Errorf("%s: got %q, want %q", windows, got, iana)
		}
	}
}

// TestInstant compares with all offsets of a zone: of those instants at which the clock shows a
// time, the first is meant.
func TestInstant(t *testing.T) {
	for _, name := range []string{"Europe/Berlin", "America/New_York", "Pacific/Auckland", "Australia/Lord_Howe", "Africa/Cairo", "Pacific/Apia", "UTC"} {
		zone := zoneNamed(t, name)
		for wall := time.Date(2011, 1, 1, 0, 0, 0, 0, time.UTC); wall.Year() < 2013; wall = wall.Add(15 * time.Minute) {
			var want time.Time
			for shift := 14 * time.Hour; shift >= -14*time.Hour; shift -= 15 * time.Minute {
				if at := wall.Add(-shift); asWall(at, zone).Equal(wall) && want.IsZero() {
					want = at
				}
			}
			got := instant(wall, zone)
			if !want.IsZero() && !got.Equal(want) {
				t.Fatalf("%s in %s: got %v, want %v", wall, name, got, want)
			}
			if want.IsZero() && asWall(got, zone).Sub(wall) <= 0 {
				t.Fatalf("%s doesn't exist in %s: got %v, want it later", wall, name, got)
			}
		}
	}
}
