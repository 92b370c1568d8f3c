package caldav

import (
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"roomkiosk/internal/calendar/ical"
	"roomkiosk/internal/rooms"
)

// witnessed is how far around an edited occurrence its neighbours are checked to be what they were.
const witnessed = 40 * 24 * time.Hour

// edit changes one occurrence of an object, as text: what it doesn't change stays as it is. What
// comes out is only used when package ical reads just the wanted change in it.
type edit struct {
	room   rooms.Room
	now    time.Time
	target ical.Occurrence
}

// errForm means that no edit of an object has just the wanted effect.
var errForm = errors.New("the event can't be told apart from others of its object")

// shortened returns the object with the occurrence ending at an instant, in whole seconds, or at its
// start if that is later.
func (e edit) shortened(text []byte, at time.Time) ([]byte, error) {
	end := at.UTC().Truncate(time.Second)
	if end.Before(e.target.Start) {
		end = e.target.Start
	}
	change := func(p *parts, ev event) event { return e.revised(p, e.ending(p, ev, end)) }
	return e.first(text, change, func(o *ical.Occurrence) bool {
		return o != nil && o.Start.Equal(e.target.Start) && o.End.Equal(end)
	})
}

// declined returns the object with the room's answer to the invitation being no.
func (e edit) declined(text []byte, own []string) ([]byte, error) {
	change := func(p *parts, ev event) event { return e.stamped(p, declining(p, ev, own)) }
	return e.first(text, change, func(o *ical.Occurrence) bool {
		if o == nil {
			return false
		}
		_, blocks := o.Reservation(e.room.CalendarID, own)
		return !blocks
	})
}

// first returns the first of the possible edits with the wanted effect.
func (e edit) first(text []byte, change func(*parts, event) event, wanted func(*ical.Occurrence) bool) ([]byte, error) {
	p := takeApart(text, e.room.Zone)
	before, _ := e.read(text)
	try := func(edited []byte) bool {
		after, target := e.read(edited)
		return wanted(target) && reflect.DeepEqual(before, after)
	}
	for _, ev := range e.candidates(p) {
		if edited := p.replace(ev, change(p, ev)); try(edited) {
			return edited, nil
		}
	}
	if base, ok := e.base(p); ok && !e.target.RecurrenceID.IsZero() {
		if edited := p.insert(base, change(p, e.instance(p, base))); try(edited) {
			return edited, nil
		}
	}
	return nil, errForm
}

// read expands an object around the occurrence: its neighbours, and the occurrence itself, nil if it
// isn't there.
func (e edit) read(text []byte) (others []ical.Occurrence, target *ical.Occurrence) {
	cal, err := ical.Parse(text)
	if err != nil {
		return nil, nil
	}
	x := cal.Expand(e.target.Start.Add(-witnessed), e.target.End.Add(witnessed), e.room.Zone)
	for _, o := range x.Occurrences {
		if o.ID == e.target.ID {
			target = &o
		} else {
			others = append(others, o)
		}
	}
	return others, target
}

// candidates are the events of an object that can be the occurrence itself: the single event, or the
// exception of its series at about that time.
func (e edit) candidates(p *parts) []event {
	var out []event
	for _, ev := range p.events {
		if uid, _ := ev.property("UID"); uid.value() != e.target.UID {
			continue
		}
		slot, exception := ev.property("RECURRENCE-ID")
		single := e.target.RecurrenceID.IsZero()
		if single && !exception || !single && exception && about(slot, e.target.RecurrenceID) {
			out = append(out, ev)
		}
	}
	return out
}

// about tells whether a time is within two days of an instant, whatever its zone.
func about(l line, at time.Time) bool {
	value := l.value()
	day, err := time.ParseInLocation("20060102", value[:min(len(value), 8)], time.UTC)
	return err == nil && day.Sub(at).Abs() <= 48*time.Hour
}

// base is the event that the occurrence is an instance of: of the series, or of its last change for
// all that follow.
func (e edit) base(p *parts) (event, bool) {
	var base event
	var from time.Time
	found := false
	for _, ev := range p.events {
		if uid, _ := ev.property("UID"); uid.value() != e.target.UID {
			continue
		}
		slot, exception := ev.property("RECURRENCE-ID")
		if !exception && !found {
			base, found = ev, true
		}
		if !strings.EqualFold(slot.param("RANGE"), "THISANDFUTURE") {
			continue
		}
		if at, ok := p.instant(slot, slot.value()); ok && !at.After(e.target.RecurrenceID) && at.After(from) {
			base, from, found = ev, at, true
		}
	}
	return base, found
}

// instance makes an exception of a series that is what the occurrence is without one.
func (e edit) instance(p *parts, base event) event {
	start, ok := base.property("DTSTART")
	if !ok {
		return base
	}
	slot, exception := base.property("RECURRENCE-ID")
	if !exception {
		slot = start
	}
	ev := base.without("RRULE", "EXRULE", "RDATE", "EXDATE", "DURATION", "RECURRENCE-ID")
	id := p.like("RECURRENCE-ID", slot, e.target.RecurrenceID)
	if exception {
		id = fold(withoutParam(id, "RANGE"), p.newline)
	}
	ev = ev.with(id, "UID")
	ev = ev.with(p.like("DTSTART", start, e.target.Start), "RECURRENCE-ID")
	if !e.target.End.Equal(e.target.Start) {
		ev = ev.with(p.like("DTEND", start, e.target.End), "DTSTART")
	}
	return ev
}

// ending makes an event end at an instant. A whole day becomes a time: days can't end in between.
func (e edit) ending(p *parts, ev event, end time.Time) event {
	start, ok := ev.property("DTSTART")
	if !ok {
		return ev
	}
	ev = ev.without("DURATION")
	if start.date() {
		start = p.utc("DTSTART", e.target.Start)
		ev = ev.without("X-MICROSOFT-CDO-ALLDAYEVENT").with(start, "")
	}
	if end.Equal(e.target.Start) {
		return ev.without("DTEND") // and so lasts no time (RFC 5545, section 3.6.1)
	}
	return ev.with(p.like("DTEND", start, end), "DTSTART")
}

// revised marks an event as another revision of itself.
func (e edit) revised(p *parts, ev event) event {
	sequence, _ := ev.property("SEQUENCE")
	n, _ := strconv.Atoi(sequence.value())
	return e.stamped(p, ev.with(fold("SEQUENCE:"+strconv.Itoa(max(n, 0)+1), p.newline), "DTSTAMP"))
}

func (e edit) stamped(p *parts, ev event) event {
	return ev.with(p.utc("DTSTAMP", e.now), "UID").with(p.utc("LAST-MODIFIED", e.now), "DTSTAMP")
}

// declining sets the room's answer to the invitation.
func declining(p *parts, ev event, own []string) event {
	attendees, resources := []int(nil), []int(nil)
	for i, l := range ev.lines {
		if !l.own || l.name != "ATTENDEE" {
			continue
		}
		if slices.ContainsFunc(own, func(a string) bool { return strings.EqualFold(a, address(l)) }) {
			attendees = append(attendees, i)
		}
		if kind := strings.ToUpper(l.param("CUTYPE")); kind == "ROOM" || kind == "RESOURCE" {
			resources = append(resources, i)
		}
	}
	if len(attendees) == 0 && len(resources) == 1 {
		attendees = resources
	}
	lines := slices.Clone(ev.lines)
	for _, i := range attendees {
		head, rest, _ := strings.Cut(withoutParam(lines[i], "PARTSTAT"), "ATTENDEE")
		lines[i] = fold(head+"ATTENDEE;PARTSTAT=DECLINED"+rest, p.newline)
		lines[i].own = true
	}
	return event{lines, ev.at}
}

// address is whom an attendee is.
func address(l line) string {
	value := l.value()
	if len(value) > len("mailto:") && strings.EqualFold(value[:len("mailto:")], "mailto:") {
		return value[len("mailto:"):]
	}
	return value
}

// withoutParam is the content of a line that has one parameter less.
func withoutParam(l line, name string) string {
	_, value := l.split()
	head := l.name
	for _, p := range l.params() {
		if key, _, _ := strings.Cut(p, "="); !strings.EqualFold(key, name) {
			head += ";" + p
		}
	}
	return head + ":" + value
}
