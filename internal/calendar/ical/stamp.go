package ical

import (
	"errors"
	"strconv"
	"strings"
	"time"

	goical "github.com/emersion/go-ical"
)

// stamp is a DATE or DATE-TIME as written, before it is known which zone its name stands for.
type stamp struct {
	wall time.Time // what the calendar and the clock show, as if it were UTC
	date bool      // a whole day; wall is its midnight
	utc  bool      // written with a Z
	zone string    // TZID; empty: floating, or UTC
}

// parseStamp reads a value by its form (RFC 5545, sections 3.3.4 and 3.3.5): what VALUE says may be
// wrong. A Z overrides a TZID, which is what most programs do with the two together.
func parseStamp(text, zone string) (stamp, error) {
	text = strings.TrimSpace(text)
	s := stamp{zone: zone}
	switch len(text) {
	case len("20060102"):
		s.date, s.zone = true, ""
		text += "T000000"
	case len("20060102T150405Z"):
		if text[15] != 'Z' && text[15] != 'z' {
			return stamp{}, errors.New("not a time")
		}
		s.utc, s.zone = true, ""
		text = text[:15]
	case len("20060102T150405"):
	default:
		return stamp{}, errors.New("not a time")
	}
	var err error
	s.wall, err = parseWall(text)
	return s, err
}

// parseWall reads 20060102T150405. A second 60 is taken for 59, as section 3.3.12 asks for.
func parseWall(text string) (time.Time, error) {
	if text[8] != 'T' && text[8] != 't' {
		return time.Time{}, errors.New("not a time")
	}
	year, month, day := digits(text[:4]), digits(text[4:6]), digits(text[6:8])
	hour, minute, second := digits(text[9:11]), digits(text[11:13]), digits(text[13:])
	if second == 60 {
		second = 59
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	y, m, d := t.Date()
	switch {
	case min(year, month, day, hour, minute, second) < 0, hour > 23, minute > 59, second > 59,
		y != year || int(m) != month || d != day:
		return time.Time{}, errors.New("not a time")
	case year < 1 || year > 9000: // can be written in RFC 3339, with room for a series
		return time.Time{}, errors.New("a time out of range")
	}
	return t, nil
}

// digits reads a number that has no sign; -1: it isn't one.
func digits(text string) int {
	n := 0
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return -1
		}
		n = n*10 + int(text[i]-'0')
	}
	return n
}

// span is a length of time as written: days that are counted on the calendar, then exact time
// (RFC 5545, section 3.3.6).
type span struct {
	days  int
	exact time.Duration
}

// maxSpan bounds the length of an event.
const maxSpan = 20 * 366 * 24 * time.Hour

// rough is about how long a span is.
func (s span) rough() time.Duration { return time.Duration(s.days)*24*time.Hour + s.exact }

// parseSpan reads a DURATION. Those that go backwards are refused.
func parseSpan(text string) (span, error) {
	bad := errors.New("not a duration")
	text, ok := strings.CutPrefix(strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(text)), "+"), "P")
	if !ok || text == "" {
		return span{}, bad
	}
	var s span
	clock := false
	for text != "" {
		if text[0] == 'T' && !clock {
			clock, text = true, text[1:]
		}
		i := strings.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' })
		if i < 1 || i > 9 {
			return span{}, bad
		}
		n, _ := strconv.Atoi(text[:i])
		if !s.add(n, text[i], clock) {
			return span{}, bad
		}
		text = text[i+1:]
	}
	return s, nil
}

// add adds n of a unit; false: no such unit here, or far too much of it.
func (s *span) add(n int, unit byte, clock bool) bool {
	switch {
	case unit == 'W' && !clock:
		s.days += 7 * n
	case unit == 'D' && !clock:
		s.days += n
	case unit == 'H' && clock:
		s.exact += time.Duration(n) * time.Hour
	case unit == 'M' && clock:
		s.exact += time.Duration(n) * time.Minute
	case unit == 'S' && clock:
		s.exact += time.Duration(n) * time.Second
	default:
		return false
	}
	limit := int(maxSpan / (24 * time.Hour))
	return s.days <= limit && s.exact >= 0 && s.exact <= maxSpan
}

// extra is a value of RDATE: a further start, and for a PERIOD its own end.
type extra struct {
	start stamp
	end   *stamp
	span  *span
}

// stamps reads the values of all properties of that name, each with its own TZID.
func stamps(props []goical.Prop) ([]stamp, error) {
	var all []stamp
	for i := range props {
		for value := range strings.SplitSeq(props[i].Value, ",") {
			if strings.TrimSpace(value) == "" {
				continue
			}
			s, err := parseStamp(value, zoneName(&props[i]))
			if err != nil {
				return nil, err
			}
			all = append(all, s)
		}
	}
	return all, nil
}

// extras reads RDATE properties: DATE, DATE-TIME and PERIOD (RFC 5545, section 3.8.5.2).
func extras(props []goical.Prop) ([]extra, error) {
	var all []extra
	for i := range props {
		for value := range strings.SplitSeq(props[i].Value, ",") {
			if strings.TrimSpace(value) == "" {
				continue
			}
			x, err := parseExtra(value, zoneName(&props[i]))
			if err != nil {
				return nil, err
			}
			all = append(all, x)
		}
	}
	return all, nil
}

func parseExtra(text, zone string) (extra, error) {
	begin, end, period := strings.Cut(text, "/")
	start, err := parseStamp(begin, zone)
	if err != nil || !period {
		return extra{start: start}, err
	}
	if s, err := parseSpan(end); err == nil {
		return extra{start: start, span: &s}, nil
	}
	stop, err := parseStamp(end, zone)
	return extra{start: start, end: &stop}, err
}

func zoneName(p *goical.Prop) string {
	return strings.TrimSpace(p.Params.Get(goical.PropTimezoneID))
}
