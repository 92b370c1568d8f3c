package ical

import (
	"fmt"
	"strings"
	"testing"
	"time"
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
