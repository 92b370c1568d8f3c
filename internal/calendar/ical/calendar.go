package ical

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"time"

	goical "github.com/emersion/go-ical"

	"roomkiosk/internal/calendar"
)

// ErrNotCalendar means that a text isn't iCalendar, or ends in the middle of one.
var ErrNotCalendar = errors.New("not an iCalendar text")

// Calendar is what a kiosk needs of an iCalendar text. It doesn't change once it is parsed, so it
// may be kept, expanded again for other windows, and used by several goroutines.
type Calendar struct {
	series []*series // in the order of the text
	zones  map[string]*zoneRules
	broken []Broken
}

// Broken is a component that could not be read, or not be expanded.
type Broken struct {
	UID string // as written, at most 80 characters; "?" when it has none
	Err error  // why; tells nothing of titles and people
}

// Parse reads a text of one or more VCALENDAR objects. The text isn't kept. The error is
// [calendar.ErrTooLarge] for a text over [calendar.MaxAnswer] bytes, else wraps [ErrNotCalendar];
// components that can't be read are reported by [Calendar.Expand].
func Parse(text []byte) (*Calendar, error) {
	p := parser{
		c:     &Calendar{zones: map[string]*zoneRules{}},
		byUID: map[string]*series{},
		lines: bufio.NewReaderSize(nil, 4096),
	}
	if err := scan(text, p.add); err != nil {
		return nil, err
	}
	return p.c, nil
}

type parser struct {
	c     *Calendar
	byUID map[string]*series
	lines *bufio.Reader
}

// add takes in a component. Broken time zones are passed over: that is told where they are missed.
func (p *parser) add(found chunk) {
	component, err := p.decode(found)
	if err == nil {
		err = p.keep(component)
	}
	if err != nil && found.name == "VEVENT" {
		p.c.broken = append(p.c.broken, Broken{UID: shortUID(found.uid), Err: err})
	}
}

// decode hands a component to the library. It panics on some lines that end in the middle.
func (p *parser) decode(found chunk) (component *goical.Component, err error) {
	if found.err != nil {
		return nil, found.err
	}
	defer func() {
		if recover() != nil {
			err = errors.New("a malformed property")
		}
	}()
	p.lines.Reset(bytes.NewReader(found.text))
	c, err := goical.NewDecoder(p.lines).Decode()
	if err != nil || len(c.Children) != 1 {
		return nil, errors.New("a malformed property") // the library's error may quote it
	}
	return c.Children[0], nil
}

func (p *parser) keep(c *goical.Component) error {
	if c.Name == "VTIMEZONE" {
		z, err := readZone(c)
		if err != nil {
			return fmt.Errorf("reading a time zone: %w", err)
		}
		p.c.zones[z.id] = z
		return nil
	}
	e, err := readEvent(c)
	if err != nil {
		return err
	}
	s := p.byUID[e.uid]
	if s == nil {
		s = &series{uid: e.uid}
		p.byUID[e.uid] = s
		p.c.series = append(p.c.series, s)
	}
	s.add(e)
	return nil
}

func shortUID(uid string) string {
	if uid == "" {
		return "?"
	}
	return calendar.Clip(uid, 80)
}

// Expand returns the occurrences that touch the window [from, to), by start and then id. Floating
// times, whole days and times in zones that nobody knows are read in the room's zone.
func (c *Calendar) Expand(from, to time.Time, room *time.Location) Expansion {
	steps := &budget{steps: maxTotalSteps}
	x := expander{
		from: from.UTC(),
		to:   to.UTC(),
		zones: zones{
			room: room, rules: c.zones, horizon: to.UTC().AddDate(1, 0, 0), budget: steps, found: map[string]*time.Location{},
		},
		budget: steps,
	}
	x.out.Broken = append(x.out.Broken, c.broken...)
	for _, s := range c.series {
		x.series(s)
	}
	x.out.UnknownZones = x.zones.unknown
	x.out.sort()
	return x.out
}

// Expansion is what a calendar comes to over a window.
type Expansion struct {
	Occurrences  []Occurrence
	Broken       []Broken // each component once, those that could not be parsed included
	UnknownZones []string // names of time zones in whose place the room's was taken; in order
}
