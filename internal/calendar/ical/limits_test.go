package ical

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestRulesThatAreTooMuch: whatever a rule says, it takes little time and memory, and costs its own
// event at most.
func TestRulesThatAreTooMuch(t *testing.T) {
	all := func(n int) string { return strings.Trim(strings.Join(strings.Fields(fmt.Sprint(upTo(n))), ","), "[]") }
	for _, tt := range []struct {
		rule   string
		broken bool
		want   int // occurrences on 1 and 2 June
	}{
		{"FREQ=SECONDLY", true, 0},
		{"FREQ=MINUTELY", true, 0},
		{"FREQ=HOURLY", false, 49},
		{"FREQ=SECONDLY;COUNT=3", false, 3},
		{"FREQ=MINUTELY;INTERVAL=90;COUNT=4", false, 4},
		{"FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10", false, 13},
		{"FREQ=SECONDLY;COUNT=2000000000", true, 0},
		{"FREQ=DAILY;COUNT=2000000000", false, 3},
		{"FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", true, 0},
		{"FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30", true, 0},
		{"FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30", true, 0},
		{"FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", false, 1},
		{"FREQ=WEEKLY;BYMONTH=2;BYMONTHDAY=30", false, 1},
		{"FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30", false, 1},
		{"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", false, 1},
		{"FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6", false, 1},
		{"FREQ=YEARLY;BYYEARDAY=366;INTERVAL=4;BYMONTH=1", false, 1},
		{"FREQ=DAILY;BYSETPOS=300", false, 1},
		{"FREQ=HOURLY;INTERVAL=24;BYHOUR=3", true, 0},
		{"FREQ=HOURLY;INTERVAL=2;BYHOUR=0", true, 0},
		{"FREQ=MINUTELY;INTERVAL=1440;BYMINUTE=1", true, 0},
		{"FREQ=MINUTELY;INTERVAL=1440;BYHOUR=10", true, 0},
		{"FREQ=SECONDLY;INTERVAL=86400;BYHOUR=3", true, 0},
		{"FREQ=SECONDLY;INTERVAL=86400", false, 3},
		{"FREQ=YEARLY;INTERVAL=1000000", false, 1},
		{"FREQ=YEARLY;INTERVAL=9223372036854775807", true, 0},
		{"FREQ=WEEKLY;INTERVAL=99999999999999999999", true, 0},
		{"FREQ=DAILY;INTERVAL=-1", false, 3},
		{"FREQ=DAILY;INTERVAL=0", false, 3},
		{"FREQ=MONTHLY;BYDAY=53MO", true, 0},
		{"FREQ=MONTHLY;BYDAY=-53MO", true, 0},
		{"FREQ=YEARLY;BYDAY=53MO,-53MO", false, 1},
		{"FREQ=YEARLY;BYDAY=99999999999MO", true, 0},
		{"FREQ=DAILY;BYHOUR=" + all(24) + ";BYMINUTE=" + all(60), true, 0},
		{"FREQ=DAILY;BYHOUR=" + all(24) + ";BYMINUTE=" + all(60) + ";BYSECOND=" + all(60), true, 0},
		{"FREQ=DAILY;BYHOUR=" + strings.Repeat("9,", 500) + "9;BYMINUTE=" + strings.Repeat("0,", 300) + "0", false, 3},
	} {
		name := tt.rule[:min(len(tt.rule), 60)]
		t.Run(name, func(t *testing.T) {
			from := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
			text := vevents("DTSTART:20260601T090000Z", "RRULE:"+tt.rule)
			e := expand(t, text, from, from.Add(57*time.Hour+time.Second), time.UTC)
			if len(e.Occurrences) != tt.want || (len(e.Broken) > 0) != tt.broken {
				t.Errorf("got %d occurrences, broken %v; want %d", len(e.Occurrences), e.Broken, tt.want)
			}
		})
	}
}

// TestOldRules: a rule that began long ago takes no longer than a new one, and says the same.
func TestOldRules(t *testing.T) {
	from := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct{ start, rule, want string }{
		{"00010101T090000Z", "FREQ=DAILY", "0601T090000Z/0601T090000Z"},
		{"00010101T090000Z", "FREQ=HOURLY;INTERVAL=24", "0601T090000Z/0601T090000Z"},
		{"19000101T090000Z", "FREQ=MINUTELY;INTERVAL=1440", "0601T090000Z/0601T090000Z"},
		{"19000101T090000Z", "FREQ=SECONDLY;INTERVAL=86400", "0601T090000Z/0601T090000Z"},
		{"16010101T090000Z", "FREQ=WEEKLY", "0601T090000Z/0601T090000Z"},
		{"00010601T090000Z", "FREQ=YEARLY", "0601T090000Z/0601T090000Z"},
		{"00010101T090000Z", "FREQ=MONTHLY", "0601T090000Z/0601T090000Z"},
	} {
		b := &budget{steps: 5000}
		x := expander{from: from, to: from.Add(24 * time.Hour), budget: b, zones: zones{room: time.UTC, budget: b, found: map[string]*time.Location{}}}
		c, err := Parse([]byte(vevents("DTSTART:"+tt.start, "RRULE:"+tt.rule)))
		if err != nil {
			t.Fatal(err)
		}
		x.series(c.series[0])
		if got := spans(x.out); len(got) != 1 || got[0] != tt.want || len(x.out.Broken) > 0 {
			t.Errorf("%s from %s: got %v, %v, with %d steps left", tt.rule, tt.start, got, x.out.Broken, b.steps)
		}
	}
}

// TestManyRulesThatAreTooMuch: together, too, they take little time. Other events are not affected.
func TestManyRulesThatAreTooMuch(t *testing.T) {
	var text strings.Builder
	for i := range 40_000 {
		fmt.Fprintf(&text, "BEGIN:VEVENT\r\nUID:%d\r\nDTSTART:20000101T000000Z\r\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30\r\nEND:VEVENT\r\n", i)
	}
	from, to := june(time.UTC)
	began := time.Now()
	e := expand(t, wrapped(text.String()+good), from, to, time.UTC)
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
	if len(e.Occurrences) != 1 || e.Occurrences[0].UID != "good" || len(e.Broken) < 10_000 {
		t.Errorf("got %v, %d broken", spans(e), len(e.Broken))
	}
}

// TestLongLists: as many exclusions as a text can hold are looked up, not searched.
func TestLongLists(t *testing.T) {
	var text strings.Builder
	text.WriteString("BEGIN:VEVENT\r\nUID:long\r\nDTSTART:20260601T090000Z\r\nRRULE:FREQ=DAILY\r\n")
	for i := range 3000 {
		day := time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC).AddDate(0, 0, 1+i)
		fmt.Fprintf(&text, "EXDATE:%s\r\nRDATE:%s\r\n", day.Format("20060102T150405Z"), day.Format("20060102T150405Z"))
	}
	text.WriteString("END:VEVENT\r\n")
	from, to := june(time.UTC)
	if e := expand(t, wrapped(text.String()), from, to, time.UTC); len(e.Occurrences) != 1 || len(e.Broken) > 0 {
		t.Errorf("got %v, %v", spans(e), e.Broken)
	}
}

// TestAnyRule: no rule hangs, panics or makes a start outside of what was asked for, and where it
// begins doesn't matter to what it makes later.
func TestAnyRule(t *testing.T) {
	numbers := func(t *rapid.T, name string, from, to int) string {
		return strings.Trim(strings.ReplaceAll(fmt.Sprint(rapid.SliceOfN(rapid.IntRange(from, to), 1, 3).Draw(t, name)), " ", ","), "[]")
	}
	rapid.Check(t, func(t *rapid.T) {
		parts := []string{"FREQ=" + rapid.SampledFrom([]string{"SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"}).Draw(t, "freq")}
		parts = append(parts, fmt.Sprint("INTERVAL=", rapid.OneOf(rapid.IntRange(1, 5), rapid.IntRange(1, 2_000_000)).Draw(t, "interval")))
		for _, by := range []struct {
			name     string
			from, to int
		}{
			{"BYMONTH", 1, 12}, {"BYMONTHDAY", -31, 31}, {"BYYEARDAY", -366, 366}, {"BYWEEKNO", -53, 53}, {"BYSETPOS", -366, 366}, {"BYHOUR", 0, 23},
			{"BYMINUTE", 0, 59}, {"BYSECOND", 0, 60},
		} {
			if rapid.IntRange(0, 3).Draw(t, by.name) == 0 {
				parts = append(parts, by.name+"="+numbers(t, "numbers", by.from, by.to))
			}
		}
		if rapid.IntRange(0, 2).Draw(t, "BYDAY") == 0 {
			parts = append(parts, "BYDAY="+strings.Join(rapid.SliceOfN(rapid.StringMatching(`(-?[1-6]?|-?5[0-4])(MO|TU|WE|TH|FR|SA|SU)`), 1, 4).Draw(t, "days"), ","))
		}
		parts = append(parts, "WKST="+rapid.SampledFrom([]string{"MO", "TU", "WE", "SU"}).Draw(t, "first day"))
		r, err := parseRule(strings.Join(parts, ";"))
		if err != nil {
			return
		}
		start := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 1<<28).Draw(t, "start")) * time.Second)
		lo := start.Add(time.Duration(rapid.IntRange(0, 1<<27).Draw(t, "from")) * time.Second)
		w := walk{rule: &r, start: start, lo: lo, hi: lo.AddDate(0, 2, 0), budget: &budget{steps: maxTotalSteps}, until: func(time.Time) bool { return true }}
		late, err := w.starts()
		if err != nil {
			return
		}
		for i, at := range late {
			if at.Before(lo) || !at.Before(w.hi) || at.Before(start) || i > 0 && !at.After(late[i-1]) {
				t.Fatalf("%v: got %v", parts, late)
			}
		}
		w.lo = start
		all, err := w.starts()
		if err != nil {
			return
		}
		all = slices.DeleteFunc(all, func(at time.Time) bool { return at.Before(lo) })
		if !slices.Equal(all, late) {
			t.Fatalf("%v from %v: from the start %v, from later on %v", parts, start, all, late)
		}
	})
}
