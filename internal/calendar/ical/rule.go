package ical

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/teambition/rrule-go"
)

// rule is a recurrence rule (RFC 5545, section 3.3.10) as written.
type rule struct {
	option rrule.ROption // without start, COUNT and UNTIL, which are seen to here
	count  int           // 0: no limit
	until  *stamp
}

// Limits of rules. The texts of rules that people make are under a hundred bytes.
const (
	maxRule     = 2 << 10
	maxInterval = 1_000_000
	maxClock    = 24 * 60 // times of the day that a rule may name
)

// parseRule reads the value of an RRULE.
func parseRule(text string) (rule, error) {
	if len(text) > maxRule {
		return rule{}, errors.New("a recurrence rule that is too long")
	}
	var r rule
	var rest []string
	for part := range strings.SplitSeq(strings.ToUpper(text), ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		var err error
		switch {
		case name == "" || value == "" && strings.HasPrefix(name, "BY"):
		case name == "COUNT":
			r.count, err = parseCount(value)
		case name == "UNTIL":
			r.until, err = parseUntil(value)
		case name == "RSCALE" && value == "GREGORIAN", name == "SKIP" && value == "OMIT": // RFC 7529: as without
		case name == "BYEASTER", name == "DTSTART", name == "RSCALE", name == "SKIP":
			err = errors.New("a recurrence rule with " + name)
		default:
			rest = append(rest, name+"="+strings.ReplaceAll(value, " ", ""))
		}
		if err != nil {
			return rule{}, err
		}
	}
	option, err := rrule.StrToROption(strings.Join(rest, ";"))
	if err != nil {
		return rule{}, errors.New("not a recurrence rule")
	}
	r.option = *option
	return r, r.tidy()
}

func parseCount(text string) (int, error) {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < 1 {
		return 0, errors.New("a recurrence rule with a COUNT that isn't one")
	}
	return n, nil
}

func parseUntil(text string) (*stamp, error) {
	s, err := parseStamp(text, "")
	if err != nil {
		return nil, errors.New("a recurrence rule with an UNTIL that isn't a time")
	}
	return &s, nil
}

// tidy makes a rule safe for the library, which otherwise hangs on some, reads beyond its tables on
// others, and multiplies lists without bound.
func (r *rule) tidy() error {
	o := &r.option
	if o.Interval > maxInterval {
		return errors.New("a recurrence rule with an absurd INTERVAL")
	}
	o.Interval = max(o.Interval, 1)
	for _, list := range []*[]int{&o.Bysetpos, &o.Bymonth, &o.Bymonthday, &o.Byyearday, &o.Byweekno, &o.Byhour, &o.Byminute, &o.Bysecond} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	if max(1, len(o.Byhour))*max(1, len(o.Byminute))*max(1, len(o.Bysecond)) > maxClock {
		return errors.New("a recurrence rule with too many times a day")
	}
	if sparse(o) {
		return errors.New("a recurrence rule by the hour, minute or second with too many conditions")
	}
	if err := r.tidyDays(); err != nil {
		return err
	}
	trial := *o
	trial.Dtstart = time.Unix(0, 0).UTC() // anything but the present
	if _, err := rrule.NewRRule(trial); err != nil {
		return fmt.Errorf("a recurrence rule out of range: %w", err)
	}
	return nil
}

// sparse tells whether a rule takes small steps that mostly lead nowhere. The library would take
// them for centuries, if none of them does.
func sparse(o *rrule.ROption) bool {
	times := len(o.Byhour) + len(o.Byminute) + len(o.Bysecond)
	days := len(o.Bymonth) + len(o.Bymonthday) + len(o.Byyearday) + len(o.Byweekno)
	switch o.Freq {
	case rrule.HOURLY:
		return len(o.Bysetpos) > 0
	case rrule.MINUTELY:
		return len(o.Bysetpos)+days > 0
	case rrule.SECONDLY:
		return len(o.Bysetpos)+days+times > 0
	default:
		return false
	}
}

// tidyDays sees to BYDAY. Ordinals beyond the fifth of a month never match, and the library looks
// them up beyond its tables. With ordinals beside plain days it would take what is both; the days
// are alternatives, so plain ones are written out.
func (r *rule) tidyDays() error {
	o := &r.option
	if o.Freq > rrule.MONTHLY || len(o.Byweekday) == 0 {
		return nil
	}
	last := 53
	if o.Freq == rrule.MONTHLY || len(o.Bymonth) > 0 {
		last = 5
	}
	plain, days := 0, []rrule.Weekday{}
	for _, day := range o.Byweekday {
		switch n := day.N(); {
		case n == 0:
			plain++
			days = append(days, day)
		case n >= -last && n <= last:
			days = append(days, day)
		}
	}
	if len(days) == 0 {
		return errors.New("a recurrence rule with an absurd BYDAY")
	}
	if plain > 0 && plain < len(days) {
		days = spellOut(days, last)
	}
	o.Byweekday = days
	return nil
}

func spellOut(days []rrule.Weekday, last int) []rrule.Weekday {
	var all []rrule.Weekday
	for _, day := range days {
		if day.N() != 0 {
			all = append(all, day)
			continue
		}
		for n := 1; n <= last; n++ {
			all = append(all, day.Nth(n))
		}
	}
	return all
}

// from completes a rule with what it takes from the start (RFC 5545: "information, not contained in
// the rule ... [is] derived from DTSTART"), so that afterwards the start no longer matters to it
// except for the phase of its interval.
func (r *rule) from(start time.Time) rrule.ROption {
	o := r.option
	days := len(o.Byyearday)+len(o.Bymonthday)+len(o.Byweekday) > 0
	switch {
	case o.Freq == rrule.YEARLY && len(o.Byweekno) > 0 && !days, o.Freq == rrule.WEEKLY && !days:
		o.Byweekday = []rrule.Weekday{weekday(start)}
	case o.Freq == rrule.YEARLY && !days:
		o.Bymonthday = []int{start.Day()}
		if len(o.Bymonth) == 0 {
			o.Bymonth = []int{int(start.Month())}
		}
	case o.Freq == rrule.MONTHLY && !days:
		o.Bymonthday = []int{start.Day()}
	}
	if o.Freq < rrule.HOURLY && len(o.Byhour) == 0 {
		o.Byhour = []int{start.Hour()}
	}
	if o.Freq < rrule.MINUTELY && len(o.Byminute) == 0 {
		o.Byminute = []int{start.Minute()}
	}
	if o.Freq < rrule.SECONDLY && len(o.Bysecond) == 0 {
		o.Bysecond = []int{start.Second()}
	}
	return o
}

func weekday(t time.Time) rrule.Weekday {
	return [...]rrule.Weekday{rrule.SU, rrule.MO, rrule.TU, rrule.WE, rrule.TH, rrule.FR, rrule.SA}[t.Weekday()]
}
