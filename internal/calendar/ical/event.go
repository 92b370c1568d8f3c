package ical

import (
	"errors"
	"strconv"
	"strings"

	goical "github.com/emersion/go-ical"

	"roomkiosk/internal/calendar"
)

// event is a VEVENT, read but not yet placed in time.
type event struct {
	uid        string
	start      stamp
	end        *stamp
	span       *span // DURATION; used where there is no DTEND
	rules      []rule
	except     []rule // EXRULE, which RFC 5545 dropped and old series still have
	extras     []extra
	excluded   []stamp
	slot       *stamp // RECURRENCE-ID
	andFuture  bool   // RANGE=THISANDFUTURE
	occurrence Occurrence
}

func readEvent(c *goical.Component) (*event, error) {
	e := &event{uid: value(c, "UID")}
	if len(e.uid) > maxUID {
		return nil, errors.New("a UID that is too long")
	}
	if err := e.readTimes(c); err != nil {
		return nil, err
	}
	if err := e.readRecurrence(c); err != nil {
		return nil, err
	}
	if e.uid == "" { // it is known by when it is
		e.uid = "?" + value(c, "DTSTART") + "/" + value(c, "DTEND") + value(c, "DURATION")
	}
	e.occurrence = readTexts(c)
	e.occurrence.UID = e.uid
	return e, nil
}

func (e *event) readTimes(c *goical.Component) error {
	start, err := readStamp(c, "DTSTART")
	if err != nil || start == nil {
		return errors.New("an event without a proper DTSTART")
	}
	e.start = *start
	if e.end, err = readStamp(c, "DTEND"); err != nil {
		return errors.New("an event with a DTEND that isn't a time")
	}
	if text := value(c, "DURATION"); text != "" && e.end == nil {
		length, err := parseSpan(text)
		if err != nil {
			return errors.New("an event with a DURATION that isn't one")
		}
		e.span = &length
	}
	return nil
}

// readStamp reads a time; nil: the property is missing.
func readStamp(c *goical.Component, name string) (*stamp, error) {
	p := c.Props.Get(name)
	if p == nil {
		return nil, nil //nolint:nilnil // most of these properties are optional
	}
	s, err := parseStamp(p.Value, zoneName(p))
	return &s, err
}

func (e *event) readRecurrence(c *goical.Component) (err error) {
	if e.slot, err = readStamp(c, "RECURRENCE-ID"); err != nil {
		return errors.New("an event with a RECURRENCE-ID that isn't a time")
	}
	if e.slot != nil {
		e.andFuture = strings.EqualFold(c.Props.Get("RECURRENCE-ID").Params.Get("RANGE"), "THISANDFUTURE")
		return nil // an exception has no series of its own
	}
	if e.rules, err = rules(c.Props.Values("RRULE")); err != nil {
		return err
	}
	if e.except, err = rules(c.Props.Values("EXRULE")); err != nil {
		return err
	}
	if e.extras, err = extras(c.Props.Values("RDATE")); err != nil {
		return errors.New("an event with an RDATE that isn't a time")
	}
	if e.excluded, err = stamps(c.Props.Values("EXDATE")); err != nil {
		return errors.New("an event with an EXDATE that isn't a time")
	}
	return nil
}

// rules reads all rules of a component. Their starts are taken together.
func rules(props []goical.Prop) ([]rule, error) {
	var all []rule
	for i := range props {
		r, err := parseRule(props[i].Value)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// readTexts reads what isn't about time. Nothing of it can break an event.
func readTexts(c *goical.Component) Occurrence {
	o := Occurrence{
		Summary:     text(value(c, "SUMMARY")),
		Class:       word(c, "CLASS"),
		Status:      word(c, "STATUS"),
		Transparent: word(c, "TRANSP") == "TRANSPARENT",
		BusyStatus:  word(c, "X-MICROSOFT-CDO-BUSYSTATUS"),
	}
	o.Sequence, _ = strconv.Atoi(value(c, "SEQUENCE"))
	if p := c.Props.Get("ORGANIZER"); p != nil {
		o.Organizer = person(p)
	}
	for _, p := range c.Props.Values("ATTENDEE") {
		o.Attendees = append(o.Attendees, Attendee{
			Person:   person(&p),
			PartStat: strings.ToUpper(strings.TrimSpace(p.Params.Get("PARTSTAT"))),
			CUType:   strings.ToUpper(strings.TrimSpace(p.Params.Get("CUTYPE"))),
		})
	}
	return o
}

func word(c *goical.Component, name string) string { return strings.ToUpper(value(c, name)) }

func person(p *goical.Prop) Person {
	return Person{
		Address: address(p.Value),
		Email:   calendar.Clip(strings.TrimSpace(p.Params.Get("EMAIL")), calendar.MaxText),
		Name:    calendar.Clip(strings.ToValidUTF8(unquote(p.Params.Get("CN")), "\ufffd"), calendar.MaxText),
	}
}

// address is a calendar user's address without the scheme, where that is mailto.
func address(uri string) string {
	const scheme = "mailto:"
	uri = strings.TrimSpace(uri)
	if len(uri) >= len(scheme) && strings.EqualFold(uri[:len(scheme)], scheme) {
		uri = strings.TrimSpace(uri[len(scheme):])
	}
	return calendar.Clip(uri, calendar.MaxText)
}

// unquote undoes the escapes of parameters (RFC 6868).
func unquote(s string) string {
	if !strings.Contains(s, "^") {
		return strings.TrimSpace(s)
	}
	return strings.TrimSpace(strings.NewReplacer("^n", " ", "^N", " ", "^'", `"`, "^^", "^").Replace(s))
}

// text undoes the escapes of a text (RFC 5545, section 3.3.11), and passes over those that it
// doesn't know. The library's own reader ends at a comma, which many programs don't escape.
func text(s string) string {
	if strings.Contains(s, `\`) {
		s = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\N`, "\n", `\`, "").Replace(s)
	}
	return strings.TrimSpace(calendar.Clip(strings.ToValidUTF8(s, "\ufffd"), calendar.MaxText))
}
