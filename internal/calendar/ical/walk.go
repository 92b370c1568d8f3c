package ical

import (
	"errors"
	"time"

	"github.com/teambition/rrule-go"
)

// Limits of an expansion. The library can't be interrupted, so what it did is charged afterwards, in
// days that it looked at, or hours, minutes and seconds for rules by those.
const (
	maxInstances  = 5000       // of a series in a window
	maxSteps      = 500_000    // of a rule
	maxTotalSteps = 20_000_000 // of all rules of a calendar
)

// errEndless means that a rule makes too much work, or too many instances.
var errEndless = errors.New("a recurrence rule without end or sense")

// budget is the work that is left.
type budget struct{ steps int }

func (b *budget) spend(steps int) error {
	if b.steps -= steps; b.steps < 0 {
		return errEndless
	}
	return nil
}

// walk goes through the starts that a rule makes, as the wall shows them: rules are about dates and
// clocks, and only what comes of them is turned into instants.
type walk struct {
	rule   *rule
	start  time.Time            // the series' DTSTART, which is its first instance whether it matches or not
	lo, hi time.Time            // starts in [lo, hi) are wanted
	until  func(time.Time) bool // tells whether a start is within the rule's UNTIL
	budget *budget
}

// starts returns the starts in order; the series' own is among them only if the rule makes it.
func (w *walk) starts() ([]time.Time, error) {
	if err := w.budget.spend(1); err != nil {
		return nil, err
	}
	o := w.rule.from(w.start)
	o.Dtstart = w.anchor(&o)
	if !reachable(&o) {
		return nil, errEndless
	}
	ages := agesUntil(w.hi)
	o.Dtstart = o.Dtstart.AddDate(ages, 0, 0)
	o.Until = endOfTime() // that the window ends is seen here, and what was looked at to find out
	r, err := rrule.NewRRule(o)
	if err != nil {
		return nil, errors.New("a recurrence rule out of range")
	}
	return w.collect(&o, r.Iterator(), ages)
}

// agesUntil is a number of years by which to move a rule into the future and its starts back. The
// library searches for a next start up to the year 9999, which takes long for rules that make none
// (30 February). Close to its end it takes a twentieth. The calendar repeats every 400 years, days
// of the week included.
func agesUntil(hi time.Time) int { return (9990 - hi.Year()) / 400 * 400 }

func endOfTime() time.Time { return time.Date(rrule.MAXYEAR, 12, 31, 23, 59, 59, 0, time.UTC) }

func (w *walk) collect(o *rrule.ROption, next rrule.Next, ages int) ([]time.Time, error) {
	var found []time.Time
	last, spent := o.Dtstart, 0
	for n := 0; w.rule.count == 0 || n < w.rule.count; {
		t, ok := next()
		if !ok {
			t = endOfTime()
		}
		cost := steps(o, last, t)
		spent += cost
		if err := w.budget.spend(cost); err != nil || spent > maxSteps {
			return nil, errEndless
		}
		last = t
		t = t.AddDate(-ages, 0, 0)
		if !ok || !t.Before(w.hi) || !w.until(t) {
			break
		}
		if t.Before(w.start) {
			continue
		}
		if n == 0 && !t.Equal(w.start) {
			if n++; n == w.rule.count { // the series' own start counts
				break
			}
		}
		n++
		if t.Before(w.lo) {
			continue
		}
		if found = append(found, t); len(found) > maxInstances {
			return nil, errEndless
		}
	}
	return found, nil
}

// steps is about how much the library looked at between two starts.
func steps(o *rrule.ROption, from, to time.Time) int {
	return 1 + int(min(maxSteps, seconds(from, to)/(unitOf(o.Freq)*int64(o.Interval))))
}

// anchor is where to begin: at the beginning of the year, month, week, day, hour or minute that the
// start is in, so that BYSETPOS counts whole ones. Rules without COUNT begin as late before lo as
// the phase of their interval allows, however old the series is.
func (w *walk) anchor(o *rrule.ROption) time.Time {
	y, m, d := w.start.Date()
	midnight := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	far := w.lo
	if w.rule.count > 0 || far.Before(w.start) {
		far = w.start
	}
	switch o.Freq {
	case rrule.YEARLY:
		return time.Date(y+jump(far.Year()-1-y, o.Interval), 1, 1, 0, 0, 0, 0, time.UTC)
	case rrule.MONTHLY:
		months := (far.Year()-y)*12 + int(far.Month()-m) - 1
		return time.Date(y, m+time.Month(jump(months, o.Interval)), 1, 0, 0, 0, 0, time.UTC)
	case rrule.WEEKLY:
		back := (int(w.start.Weekday()) + 6 - o.Wkst.Day()) % 7
		return midnight.AddDate(0, 0, -back+7*jump(int(seconds(midnight, far)/(7*24*60*60))-1, o.Interval))
	case rrule.DAILY:
		return midnight.AddDate(0, 0, jump(int(seconds(midnight, far)/(24*60*60))-1, o.Interval))
	default:
		unit := unitOf(o.Freq)
		first := w.start.Truncate(time.Duration(unit) * time.Second)
		units := max(0, seconds(first, far)/unit-1)
		units -= units % int64(o.Interval)
		return time.Unix(first.Unix()+units*unit, 0).UTC()
	}
}

// jump is the largest multiple of the interval that isn't beyond n; 0 for negative ones.
func jump(n, interval int) int {
	return max(0, n) / interval * interval
}

// seconds are those between two times, which may be further apart than a [time.Duration] can hold.
func seconds(from, to time.Time) int64 { return to.Unix() - from.Unix() }

// unitOf is the step of a rule, in seconds; days for those by longer ones.
func unitOf(f rrule.Frequency) int64 {
	switch f {
	case rrule.SECONDLY:
		return 1
	case rrule.MINUTELY:
		return 60
	case rrule.HOURLY:
		return 60 * 60
	default:
		return 24 * 60 * 60
	}
}

// reachable tells whether a rule by the hour or minute ever meets the times that it names: every
// second hour from 9 is never 12. The library would look for it without end.
func reachable(o *rrule.ROption) bool {
	hours, minutes := o.Byhour, o.Byminute
	switch {
	case o.Freq == rrule.HOURLY && len(hours) > 0:
		return meets(o.Dtstart.Hour(), o.Interval, 24, hours)
	case o.Freq == rrule.MINUTELY && len(hours)+len(minutes) > 0:
		if len(hours) == 0 {
			hours = upTo(24)
		}
		if len(minutes) == 0 {
			minutes = upTo(60)
		}
		var times []int
		for _, h := range hours {
			for _, m := range minutes {
				times = append(times, h*60+m)
			}
		}
		return meets(o.Dtstart.Hour()*60+o.Dtstart.Minute(), o.Interval, 24*60, times)
	default:
		return true
	}
}

func meets(first, interval, day int, times []int) bool {
	step := gcd(interval, day)
	for _, t := range times {
		if (t-first)%step == 0 {
			return true
		}
	}
	return false
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func upTo(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}
