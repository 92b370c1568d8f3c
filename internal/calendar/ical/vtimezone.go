package ical

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"time"

	goical "github.com/emersion/go-ical"
)

// zoneRules is a VTIMEZONE (RFC 5545, section 3.6.5).
type zoneRules struct {
	id          string
	location    string // X-LIC-LOCATION: the IANA name that it stands for
	observances []observance
}

// observance is a STANDARD or DAYLIGHT of a VTIMEZONE: when an offset takes effect.
type observance struct {
	start    time.Time // wall time by the offset from before
	rules    []rule
	extras   []extra
	from, to time.Duration // offsets from UTC before and afterwards
}

// maxObservances bounds a zone. Those with all changes written out have a few hundred.
const maxObservances = 2000

func readZone(c *goical.Component) (*zoneRules, error) {
	z := &zoneRules{id: value(c, "TZID"), location: value(c, "X-LIC-LOCATION")}
	if z.id == "" || len(c.Children) > maxObservances {
		return nil, errors.New("not a time zone")
	}
	for _, child := range c.Children {
		o, err := readObservance(child)
		if err != nil {
			return nil, err
		}
		z.observances = append(z.observances, o)
	}
	return z, nil
}

// value is the first value of a property, trimmed.
func value(c *goical.Component, name string) string {
	if p := c.Props.Get(name); p != nil {
		return strings.TrimSpace(p.Value)
	}
	return ""
}

func readObservance(c *goical.Component) (o observance, err error) {
	start, err := parseStamp(value(c, "DTSTART"), "")
	if err != nil {
		return o, err
	}
	o.start = start.wall
	if o.from, err = parseOffset(value(c, "TZOFFSETFROM")); err != nil {
		return o, err
	}
	if o.to, err = parseOffset(value(c, "TZOFFSETTO")); err != nil {
		return o, err
	}
	if o.extras, err = extras(c.Props.Values("RDATE")); err != nil {
		return o, err
	}
	o.rules, err = rules(c.Props.Values("RRULE"))
	return o, err
}

// parseOffset reads +0100 or -033012 (section 3.3.14).
func parseOffset(text string) (time.Duration, error) {
	bad := errors.New("not an offset from UTC")
	if len(text) != 5 && len(text) != 7 || text[0] != '+' && text[0] != '-' {
		return 0, bad
	}
	hours, minutes, seconds := digits(text[1:3]), digits(text[3:5]), digits(text[5:])
	if min(hours, minutes, seconds) < 0 || hours > 23 || minutes > 59 || seconds > 59 {
		return 0, bad
	}
	d := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute + time.Duration(seconds)*time.Second
	if text[0] == '-' {
		d = -d
	}
	return d, nil
}

// change is an instant at which a zone's offset changes.
type change struct {
	at       int64 // seconds since 1970
	from, to int32 // offsets in seconds
}

// zone makes a zone out of the rules, good up to the horizon. Before the first change it has the
// offset that this one ends.
func (z *zoneRules) zone(horizon time.Time, b *budget) (*time.Location, error) {
	var all []change
	for i := range z.observances {
		onsets, err := z.observances[i].onsets(horizon, b)
		if err != nil {
			return nil, err
		}
		all = append(all, onsets...)
	}
	if len(all) == 0 {
		return nil, errors.New("a time zone without offsets")
	}
	slices.SortStableFunc(all, func(a, b change) int { return int(max(-1, min(1, a.at-b.at))) })
	all = slices.CompactFunc(all, func(a, b change) bool { return a.at == b.at })
	return time.LoadLocationFromTZData(z.id, tzif(all))
}

func (o *observance) onsets(horizon time.Time, b *budget) ([]change, error) {
	walls := []time.Time{o.start}
	for _, x := range o.extras {
		walls = append(walls, x.start.wall)
	}
	for i := range o.rules {
		r := &o.rules[i]
		w := walk{rule: r, start: o.start, lo: o.start, hi: horizon, budget: b, until: func(wall time.Time) bool {
			return r.until == nil || !o.instant(wall, !r.until.utc).After(r.until.wall)
		}}
		more, err := w.starts()
		if err != nil {
			return nil, err
		}
		walls = append(walls, more...)
	}
	all := make([]change, len(walls))
	for i, wall := range walls {
		all[i] = change{o.instant(wall, false).Unix(), int32(o.from / time.Second), int32(o.to / time.Second)}
	}
	return all, nil
}

// instant is when the clocks show that time, by the offset from before the change. An UNTIL without
// a Z is compared with what they show.
func (o *observance) instant(wall time.Time, local bool) time.Time {
	if local {
		return wall
	}
	return wall.Add(-o.from)
}

// tzif writes changes in the format of compiled zones (RFC 8536), which is the only way to make a
// [time.Location] that has rules.
func tzif(changes []change) []byte {
	offsets := []int32{changes[0].from} // the first, and used by no change: the one before them all
	for _, c := range changes {
		if !slices.Contains(offsets[1:], c.to) && len(offsets) < 256 {
			offsets = append(offsets, c.to)
		}
	}
	var b bytes.Buffer
	header := func(times, types int) {
		b.WriteString("TZif2")
		b.Write(make([]byte, 15))
		for _, n := range []int{0, 0, 0, times, types, 1} {
			_ = binary.Write(&b, binary.BigEndian, uint32(n)) // to memory
		}
	}
	header(0, 1) // a block of 32 bits that readers of this version pass over
	b.Write(make([]byte, 7))
	header(len(changes), len(offsets))
	for _, c := range changes {
		_ = binary.Write(&b, binary.BigEndian, c.at)
	}
	for _, c := range changes {
		b.WriteByte(byte(1 + max(0, slices.Index(offsets[1:], c.to))))
	}
	for _, offset := range offsets {
		_ = binary.Write(&b, binary.BigEndian, offset)
		b.Write([]byte{0, 0})
	}
	b.WriteString("\x00\n\n") // one empty abbreviation; nothing is said about later times
	return b.Bytes()
}
