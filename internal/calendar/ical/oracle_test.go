package ical

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// oracle is another program's expander, as one process that answers line by line.
type oracle struct {
	t       *testing.T
	in      io.Writer
	answers *bufio.Reader
}

type oracleAnswer struct {
	Ready bool
	Found [][4]any
	Error string
}

// startOracle runs Debian's Python, which has the packages; another one that comes first in PATH
// doesn't see them.
func startOracle(t *testing.T) *oracle {
	t.Helper()
	const python = "/usr/bin/python3"
	missing := "this test compares with another expander: install the packages python3, python3-icalendar and " +
		"python3-recurring-ical-events (apt-get install -y python3-icalendar python3-recurring-ical-events)"
	cmd := exec.CommandContext(t.Context(), python, "testdata/oracle.py")
	cmd.Env = []string{"PYTHONDONTWRITEBYTECODE=1", "TZ=UTC"}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("%s: %v", missing, err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	o := &oracle{t, in, bufio.NewReader(out)}
	if line, err := o.answers.ReadString('\n'); err != nil || !strings.Contains(line, "ready") {
		_ = cmd.Wait()
		t.Fatalf("%s: %v: %s", missing, err, stderr.String())
	}
	return o
}

// plain is an occurrence in the form in which the two are compared: times as RFC 3339, days as dates.
type plain struct{ start, end, summary, status string }

func (p plain) String() string {
	return fmt.Sprintf("%s – %s %s %s", p.start, p.end, p.summary, p.status)
}

func comparePlain(a, b plain) int { return strings.Compare(a.String(), b.String()) }

func (o *oracle) expand(text string, from, to time.Time) ([]plain, error) {
	asked, err := json.Marshal(map[string]any{"ics": text, "from": from.Unix(), "to": to.Unix()})
	if err != nil {
		return nil, err
	}
	if _, err := o.in.Write(append(asked, '\n')); err != nil {
		return nil, err
	}
	line, err := o.answers.ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	var answer oracleAnswer
	if err := json.Unmarshal(line, &answer); err != nil {
		return nil, err
	}
	if answer.Error != "" {
		return nil, fmt.Errorf("the other expander: %s", answer.Error)
	}
	var all []plain
	for _, f := range answer.Found {
		all = append(all, plain{when(f[0]), when(f[1]), fmt.Sprint(f[2]), fmt.Sprint(f[3])})
	}
	slices.SortFunc(all, comparePlain)
	return all, nil
}

// difference are the lines that only one has.
func difference(theirs, ours []plain) string {
	var b strings.Builder
	for _, p := range theirs {
		if !slices.Contains(ours, p) {
			fmt.Fprintln(&b, "-", p)
		}
	}
	for _, p := range ours {
		if !slices.Contains(theirs, p) {
			fmt.Fprintln(&b, "+", p)
		}
	}
	return b.String()
}

func when(v any) string {
	if seconds, ok := v.(float64); ok {
		return time.Unix(int64(seconds), 0).UTC().Format(time.RFC3339)
	}
	return fmt.Sprint(v)
}

// expandHere is the same of this package. Days and floating times are read in UTC by both.
func expandHere(text string, from, to time.Time) ([]plain, error) {
	c, err := Parse([]byte(text))
	if err != nil {
		return nil, err
	}
	e := c.Expand(from, to, time.UTC)
	if len(e.Broken)+len(e.UnknownZones) > 0 {
		return nil, fmt.Errorf("broken: %v, unknown zones: %v", e.Broken, e.UnknownZones)
	}
	var all []plain
	for _, o := range e.Occurrences {
		p := plain{o.Start.Format(time.RFC3339), o.End.Format(time.RFC3339), o.Summary, o.Status}
		if o.AllDay {
			p.start, p.end = o.Start.Format(time.DateOnly), o.End.Format(time.DateOnly)
		}
		all = append(all, p)
	}
	slices.SortFunc(all, comparePlain)
	return all, nil
}

// drawn is a generated series. What the other expander is known to get wrong depends on it.
type drawn struct {
	text     string
	from, to time.Time
	zone     *time.Location // nil: days

	slotted []time.Time // slots, of a series with exceptions
	utc     bool        // an RDATE or RECURRENCE-ID is written in UTC
	sameDay bool        // two slots on a day, and exceptions
	nominal int         // days of DURATION
	start   time.Time   // DTSTART
	until   time.Time   // UNTIL, of series in a zone
}

const wallForm = "20060102T150405"

var oracleZones = []string{"Europe/Berlin", "America/New_York", "Pacific/Auckland", "UTC"}

// drawSeries draws a series with everything that both expanders claim to know: rules of all kinds,
// EXDATE and RDATE in lists and in other zones, exceptions moved near and far and cancelled.
func drawSeries(t *rapid.T) drawn {
	var d drawn
	if rapid.IntRange(0, 3).Draw(t, "days") > 0 {
		d.zone, _ = time.LoadLocation(rapid.SampledFrom(oracleZones).Draw(t, "zone"))
	}
	start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 900).Draw(t, "start"))
	if d.zone != nil { // half of them at night, when the clocks change
		quarters := rapid.SampledFrom([]int{15, 95}).Draw(t, "night")
		start = start.Add(time.Duration(rapid.IntRange(0, quarters).Draw(t, "quarter")) * 15 * time.Minute)
	}
	d.start = instant(start, cmp.Or(d.zone, time.UTC))
	// Windows are cut at noon in UTC: the other's are off by an hour at midnight.
	d.from = time.Date(start.Year(), start.Month(), start.Day(), 12, 0, 0, 0, time.UTC).
		AddDate(0, 0, rapid.IntRange(-30, 500).Draw(t, "window"))
	d.to = d.from.AddDate(0, 0, rapid.IntRange(1, 120).Draw(t, "length"))
	lines := []string{"BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VEVENT", "UID:series", "SUMMARY:series", d.line("DTSTART", start)}
	lines = append(lines, d.drawLength(t, start), "RRULE:"+drawRule(t, &d, start))
	lines = append(lines, d.drawDates(t, "EXDATE", start)...)
	lines = append(lines, d.drawDates(t, "RDATE", start)...)
	lines = append(lines, "END:VEVENT")
	if n := rapid.IntRange(0, 3).Draw(t, "exceptions"); n > 0 {
		slots := d.slots(lines)
		for i := range min(n, len(slots)) {
			lines = append(lines, d.drawException(t, i, rapid.SampledFrom(slots).Draw(t, "slot"))...)
		}
		d.slotted = slices.Clone(slots)
		days := slices.CompactFunc(slots, func(a, b time.Time) bool { return midnight(a).Equal(midnight(b)) })
		d.sameDay = len(days) < len(slots)
	}
	d.text = strings.Join(append(lines, "END:VCALENDAR", ""), "\r\n")
	return d
}

// line writes a property whose value is a time of the series.
func (d *drawn) line(name string, walls ...time.Time) string {
	form, head := wallForm, name
	switch d.zone {
	case nil:
		form, head = "20060102", name+";VALUE=DATE"
	case time.UTC:
		form += "Z"
	default:
		head = name + ";TZID=" + d.zone.String()
	}
	values := make([]string, len(walls))
	for i, wall := range walls {
		values[i] = wall.Format(form)
	}
	return head + ":" + strings.Join(values, ",")
}

func (d *drawn) drawLength(t *rapid.T, start time.Time) string {
	if d.zone == nil {
		return d.line("DTEND", start.AddDate(0, 0, rapid.IntRange(1, 4).Draw(t, "days long")))
	}
	minutes := rapid.IntRange(0, 300).Draw(t, "minutes long")
	switch rapid.IntRange(0, 3).Draw(t, "duration") {
	case 0:
		d.nominal = rapid.IntRange(1, 2).Draw(t, "nominal days")
		return fmt.Sprintf("DURATION:P%dDT%dM", d.nominal, minutes)
	case 1:
		return fmt.Sprintf("DURATION:PT%dH%dM", minutes/60, minutes%60)
	}
	// By instants: the clocks may change in between.
	return "DTEND:" + instant(start, d.zone).Add(time.Duration(minutes)*time.Minute).UTC().Format(wallForm+"Z")
}

func drawRule(t *rapid.T, d *drawn, start time.Time) string {
	frequencies := []string{"DAILY", "WEEKLY", "WEEKLY", "MONTHLY", "YEARLY"}
	if d.zone != nil {
		frequencies = append(frequencies, "HOURLY")
	}
	freq := rapid.SampledFrom(frequencies).Draw(t, "freq")
	parts := []string{"FREQ=" + freq}
	n := rapid.IntRange(1, 4).Draw(t, "interval")
	if freq == "HOURLY" {
		n = rapid.IntRange(5, 50).Draw(t, "hours")
	}
	if n > 1 {
		parts = append(parts, fmt.Sprintf("INTERVAL=%d", n))
	}
	parts = append(parts, drawBy(t, freq, start)...)
	switch rapid.IntRange(0, 2).Draw(t, "end") {
	case 1:
		parts = append(parts, fmt.Sprintf("COUNT=%d", rapid.IntRange(1, 60).Draw(t, "count")))
	case 2:
		until := start.AddDate(0, 0, rapid.IntRange(0, 500).Draw(t, "until"))
		if d.zone == nil {
			parts = append(parts, "UNTIL="+until.Format("20060102"))
		} else {
			d.until = instant(until, d.zone)
			parts = append(parts, "UNTIL="+d.until.Format(wallForm+"Z"))
		}
	}
	if !slices.Contains(parts, "WKST=MO") && rapid.IntRange(0, 3).Draw(t, "week start") == 0 {
		parts = append(parts, "WKST="+rapid.SampledFrom([]string{"MO", "SU", "SA"}).Draw(t, "first day"))
	}
	return strings.Join(parts, ";")
}

// drawBy draws the parts of a rule that the series' start meets.
func drawBy(t *rapid.T, freq string, start time.Time) []string {
	code := strings.ToUpper(start.Weekday().String()[:2])
	other := rapid.SampledFrom([]string{"MO", "TU", "WE", "TH", "FR", "SA", "SU"}).Draw(t, "another day")
	nth := (start.Day()-1)/7 + 1
	last := start.AddDate(0, 0, 7).Month() != start.Month()
	month := int(start.Month())
	choice := rapid.IntRange(0, 5).Draw(t, "by")
	switch {
	case choice == 0 || freq == "HOURLY" && choice < 4:
		return nil
	case freq == "HOURLY":
		return []string{"BYDAY=" + code + "," + other}
	case choice == 5 && start.Hour()+start.Minute() > 0 && (freq == "DAILY" || freq == "WEEKLY"):
		return []string{fmt.Sprintf("BYHOUR=%d,%d", start.Hour(), (start.Hour()+5)%24)}
	case freq == "DAILY" && choice < 3:
		return []string{fmt.Sprintf("BYMONTH=%d,%d", month, month%12+1)}
	case freq == "DAILY" || freq == "WEEKLY":
		return []string{"BYDAY=" + code + "," + other}
	case freq == "MONTHLY" && choice == 1:
		return []string{fmt.Sprintf("BYMONTHDAY=%d,-1", start.Day())}
	case freq == "MONTHLY" && choice == 2 && last:
		return []string{"BYDAY=-1" + code}
	case freq == "MONTHLY" && choice < 5:
		return []string{fmt.Sprintf("BYDAY=%d%s", nth, code)}
	case freq == "MONTHLY":
		return []string{"BYDAY=" + code, fmt.Sprintf("BYSETPOS=%d,-1", nth)}
	case choice == 1:
		return []string{fmt.Sprintf("BYMONTH=%d;BYDAY=%d%s", month, nth, code)}
	case choice == 2:
		return []string{fmt.Sprintf("BYYEARDAY=%d,-1", start.YearDay())}
	case choice == 3:
		return []string{fmt.Sprintf("BYMONTH=%d,%d", month, month%12+1), fmt.Sprintf("BYMONTHDAY=%d", start.Day())}
	default:
		_, week := start.ISOWeek()
		return []string{fmt.Sprintf("BYWEEKNO=%d", week), "BYDAY=" + code, "WKST=MO"}
	}
}

// drawDates draws EXDATE and RDATE lines, some of them in UTC: exclusions mostly of starts that the
// series has, additions of any.
func (d *drawn) drawDates(t *rapid.T, name string, start time.Time) []string {
	var lines []string
	for range rapid.IntRange(0, 2).Draw(t, name) {
		var walls []time.Time
		for range rapid.IntRange(1, 3).Draw(t, "values") {
			wall := start.AddDate(0, 0, 7*rapid.IntRange(0, 60).Draw(t, "weeks"))
			if name == "RDATE" && d.zone != nil {
				wall = wall.Add(24*time.Hour + 15*time.Minute)
			}
			walls = append(walls, wall)
		}
		written := *d
		if d.zone != nil && rapid.Bool().Draw(t, "in UTC") {
			written.zone = time.UTC
			d.utc = d.utc || name == "RDATE"
			for i := range walls {
				walls[i] = instant(walls[i], d.zone)
			}
		}
		lines = append(lines, written.line(name, walls...))
	}
	return lines
}

// slots are those of the series that exceptions can be made from, as the wall shows them.
func (d *drawn) slots(lines []string) []time.Time {
	text := strings.Join(append(slices.Clone(lines), "END:VCALENDAR", ""), "\r\n")
	c, err := Parse([]byte(text))
	if err != nil {
		return nil
	}
	var walls []time.Time
	for _, o := range c.Expand(d.from.AddDate(0, 0, -40), d.to.AddDate(0, 0, 40), time.UTC).Occurrences {
		walls = append(walls, asWall(o.Start, cmp.Or(d.zone, time.UTC)))
	}
	return walls
}

func (d *drawn) drawException(t *rapid.T, i int, slot time.Time) []string {
	moved := slot.AddDate(0, 0, rapid.SampledFrom([]int{0, 0, 1, -1, 40, -400, 400}).Draw(t, "days moved"))
	name := d.line("RECURRENCE-ID", slot)
	if d.zone != nil {
		moved = moved.Add(time.Duration(rapid.IntRange(-8, 8).Draw(t, "moved")) * 15 * time.Minute)
		if rapid.Bool().Draw(t, "in UTC") {
			name = "RECURRENCE-ID:" + instant(slot, d.zone).Format(wallForm+"Z")
			d.utc = true
		}
	}
	lines := []string{"BEGIN:VEVENT", "UID:series", fmt.Sprintf("SUMMARY:exception %d", i), name, d.line("DTSTART", moved)}
	if d.zone == nil {
		lines = append(lines, d.line("DTEND", moved.AddDate(0, 0, 2)))
	} else {
		lines = append(lines, "DURATION:PT45M")
	}
	lines = append(lines, fmt.Sprintf("SEQUENCE:%d", i))
	if rapid.IntRange(0, 4).Draw(t, "cancelled") == 0 {
		lines = append(lines, "STATUS:CANCELLED")
	}
	return append(lines, "END:VEVENT")
}

// wrong is something that the other expander gets wrong, with the section of RFC 5545 that says so.
type wrong struct {
	what, section string
	applies       func(d drawn, ours, theirs []plain) bool
}

// knownWrong is why some series aren't compared. [TestDisagreements] has a case of each.
var knownWrong = []wrong{
	{"an exception replaces all instances of that day", "3.8.4.4", func(d drawn, _, _ []plain) bool { return d.sameDay }},
	{"a slot is compared with an exception's by the dates as written, in whatever zones", "3.8.4.4", func(d drawn, _, _ []plain) bool {
		return d.utc && slices.ContainsFunc(d.slotted, func(slot time.Time) bool {
			return !midnight(instant(slot, d.zone)).Equal(midnight(slot))
		})
	}},
	{"of a time that comes twice, the second is taken", "3.3.5", func(d drawn, ours, theirs []plain) bool {
		return d.zone != nil && (twice(d.start, d.zone) || slices.ContainsFunc(append(ours, theirs...), func(p plain) bool {
			at, _ := time.Parse(time.RFC3339, p.start)
			return twice(at, d.zone)
		}))
	}},
	{"days of a DURATION are counted as 24 hours", "3.3.6", func(d drawn, ours, _ []plain) bool {
		return d.nominal > 0 && slices.ContainsFunc(ours, func(p plain) bool {
			start, _ := time.Parse(time.RFC3339, p.start)
			end, _ := time.Parse(time.RFC3339, p.end)
			return offset(start, d.zone) != offset(end, d.zone)
		})
	}},
	{"UNTIL is compared as if the zone had the offset that it has at DTSTART", "3.3.10", func(d drawn, ours, _ []plain) bool {
		return !d.until.IsZero() && offset(d.start, d.zone) != offset(d.until, d.zone) &&
			slices.ContainsFunc(ours, func(p plain) bool {
				at, _ := time.Parse(time.RFC3339, p.start)
				return !at.After(d.until) && at.Add(time.Hour).After(d.until)
			})
	}},
}

// twice tells whether a clock in the zone shows that time twice.
func twice(at time.Time, zone *time.Location) bool {
	return offset(at, zone) > offset(at.Add(time.Hour), zone) || offset(at, zone) < offset(at.Add(-time.Hour), zone)
}

func TestAgreesWithAnotherExpander(t *testing.T) {
	other := startOracle(t)
	series, found, skipped := 0, 0, map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		for range 10 {
			d := drawSeries(t)
			theirs, failed := other.expand(d.text, d.from, d.to)
			ours, err := expandHere(d.text, d.from, d.to)
			if err != nil {
				t.Fatalf("%v\n%s", err, d.text)
			}
			if i := slices.IndexFunc(knownWrong, func(w wrong) bool { return w.applies(d, ours, theirs) }); i >= 0 {
				skipped[knownWrong[i].what]++
				continue
			}
			if failed != nil {
				t.Fatalf("%v\n%s", failed, d.text)
			}
			series, found = series+1, found+len(ours)
			if !slices.Equal(ours, theirs) {
				t.Fatalf("from %s to %s, there (-) and here (+):\n%s\n%s", d.from, d.to, difference(theirs, ours), d.text)
			}
		}
	})
	if !testing.Short() && (series < 500 || found < series) {
		t.Errorf("compared %d series with %d occurrences, want more", series, found)
	}
	t.Logf("%d series, %d occurrences; not compared: %v", series, found, skipped)
}
