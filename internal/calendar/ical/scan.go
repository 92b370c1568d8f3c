package ical

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"roomkiosk/internal/calendar"
)

// Limits of what is read. Lines of properties that aren't needed may be of any length.
const (
	maxHead  = 2 << 10  // bytes of a property's name and parameters
	maxLine  = 64 << 10 // bytes of a property, unfolded
	maxText  = 8 << 10  // bytes of a text, unfolded; what is longer is cut
	maxDepth = 8        // components within a component
	maxUID   = 1 << 10
)

// chunk is the text of one VEVENT or VTIMEZONE with the properties that are needed, unfolded, a line
// each, in a VCALENDAR of its own.
type chunk struct {
	name string
	text []byte // only valid until the next chunk is taken
	uid  string // as far as it was seen
	err  error  // why it is not to be read
}

// scanner takes a text apart into its components, so that a broken one doesn't spoil the rest, and
// leaves out descriptions, attachments, alarms and the like, which are most of a text. It goes
// through the text once and holds one component at a time.
type scanner struct {
	rest  []byte
	emit  func(chunk)
	stack []string // open components
	whole int      // VCALENDAR objects that were closed
	buf   bytes.Buffer
	now   *chunk // that is being collected
	line  []byte
}

// scan calls emit for each component of interest.
func scan(text []byte, emit func(chunk)) error {
	if len(text) > calendar.MaxAnswer {
		return fmt.Errorf("%w: more than %d bytes", calendar.ErrTooLarge, calendar.MaxAnswer)
	}
	s := scanner{rest: bytes.TrimPrefix(text, []byte("\ufeff")), emit: emit}
	for len(s.rest) > 0 {
		if err := s.next(); err != nil {
			return err
		}
	}
	if s.whole == 0 && len(s.stack) == 0 {
		return fmt.Errorf("%w: it is empty", ErrNotCalendar)
	}
	if len(s.stack) > 0 {
		return fmt.Errorf("%w: it ends in the middle", ErrNotCalendar)
	}
	return nil
}

// next handles one line with its continuations.
func (s *scanner) next() error {
	first := s.physical()
	if !bytes.ContainsAny(first, ":;") { // the name itself may be folded
		first = s.unfold(first, maxHead)
	}
	if len(bytes.TrimSpace(first)) == 0 {
		return nil
	}
	name := propertyName(first)
	switch {
	case name == "BEGIN":
		return s.begin(component(s.unfold(first, maxHead)))
	case name == "END":
		s.end(component(s.unfold(first, maxHead)))
	case len(s.stack) == 0 && s.whole == 0:
		return fmt.Errorf("%w: it doesn't begin with BEGIN:VCALENDAR", ErrNotCalendar)
	case s.now != nil && s.now.err == nil && wanted(name, s.stack):
		s.take(name, s.unfold(first, maxLine+1))
	default:
		s.unfold(first, 0)
	}
	return nil
}

// physical takes a line off the text, without its end.
func (s *scanner) physical() []byte {
	line, rest, _ := bytes.Cut(s.rest, []byte("\n"))
	s.rest = rest
	return bytes.TrimSuffix(line, []byte("\r"))
}

// unfold joins a line with those that continue it (RFC 5545, section 3.1), up to limit bytes.
func (s *scanner) unfold(first []byte, limit int) []byte {
	if !s.continues() {
		return first[:min(len(first), max(limit, 0))]
	}
	s.line = append(s.line[:0], first[:min(len(first), limit)]...)
	for s.continues() {
		more := s.physical()[1:]
		s.line = append(s.line, more[:min(len(more), limit-len(s.line))]...)
	}
	return s.line
}

func (s *scanner) continues() bool {
	return len(s.rest) > 0 && (s.rest[0] == ' ' || s.rest[0] == '\t')
}

// propertyName is what comes before the parameters, in upper case.
func propertyName(line []byte) string {
	if i := bytes.IndexAny(line, ":;"); i >= 0 {
		line = line[:i]
	}
	return strings.ToUpper(string(line))
}

// component is the value of a BEGIN or END.
func component(line []byte) string {
	_, value, _ := bytes.Cut(line, []byte(":"))
	return strings.ToUpper(string(bytes.TrimSpace(value)))
}

func (s *scanner) begin(name string) error {
	switch {
	case len(s.stack) == 0 && name != "VCALENDAR":
		if s.whole > 0 {
			return nil // what follows a calendar is nobody's
		}
		return fmt.Errorf("%w: it doesn't begin with BEGIN:VCALENDAR", ErrNotCalendar)
	case name == "VEVENT" || name == "VTIMEZONE" || name == "VCALENDAR":
		s.abandon() // one of them that is open can't hold another
		s.stack = s.stack[:min(len(s.stack), 1)]
		if name == "VCALENDAR" {
			s.stack = append(s.stack[:0], name)
			return nil
		}
		s.open(name)
	case s.now != nil && observanceOf(s.now.name, name):
		fmt.Fprintf(&s.buf, "BEGIN:%s\n", name)
	}
	s.stack = append(s.stack, name)
	if len(s.stack) > maxDepth {
		s.fail("components within components without end")
		s.stack = s.stack[:maxDepth]
	}
	return nil
}

func (s *scanner) open(name string) {
	s.now = &chunk{name: name}
	s.buf.Reset()
	fmt.Fprintf(&s.buf, "BEGIN:VCALENDAR\nBEGIN:%s\n", name)
}

// end closes a component. An end that nothing began is passed over; an end of something further out
// means that what is open was never closed.
func (s *scanner) end(name string) {
	if len(s.stack) == 0 || !contains(s.stack, name) {
		return
	}
	if s.stack[len(s.stack)-1] != name {
		s.fail("a component without an end")
	}
	for s.stack[len(s.stack)-1] != name {
		s.stack = s.stack[:len(s.stack)-1]
	}
	s.stack = s.stack[:len(s.stack)-1]
	switch {
	case name == "VCALENDAR":
		s.abandon()
		s.whole++
	case s.now != nil && name == s.now.name:
		fmt.Fprintf(&s.buf, "END:%s\nEND:VCALENDAR\n", name)
		s.finish()
	case s.now != nil && observanceOf(s.now.name, name):
		fmt.Fprintf(&s.buf, "END:%s\n", name)
	}
}

func contains(stack []string, name string) bool {
	for _, open := range stack {
		if open == name {
			return true
		}
	}
	return false
}

// fail gives up the component that is being collected; the rest of it is passed over.
func (s *scanner) fail(why string) {
	if s.now != nil && s.now.err == nil {
		s.now.err = errors.New(why)
	}
}

func (s *scanner) abandon() {
	if s.now != nil {
		s.fail("a component without an end")
		s.finish()
	}
}

func (s *scanner) finish() {
	s.now.text = s.buf.Bytes()
	s.emit(*s.now)
	s.now = nil
}

// take adds a property to the component.
func (s *scanner) take(name string, line []byte) {
	head := bytes.IndexByte(line, ':')
	switch {
	case name == "UID":
		s.now.uid = strings.TrimSpace(string(line[min(len(line), head+1):]))
	case name == "SUMMARY" && len(line) > maxText:
		line = line[:maxText]
	}
	switch {
	case head < 0 || len(line) > maxLine || headLength(line) > maxHead:
		s.fail("a property that is too long, or has no value: " + name)
	case s.buf.Len() > calendar.MaxAnswer/8:
		s.fail("a component that is too large")
	default:
		s.buf.Write(bytes.ReplaceAll(line, []byte("\r"), []byte(" ")))
		s.buf.WriteByte('\n')
	}
}

// headLength is the length of name and parameters: up to the first colon outside of quotes.
func headLength(line []byte) int {
	quoted := false
	for i, c := range line {
		switch {
		case c == '"':
			quoted = !quoted
		case c == ':' && !quoted:
			return i
		}
	}
	return len(line)
}

// observanceOf tells whether a component within a component is needed, too.
func observanceOf(outer, name string) bool {
	return outer == "VTIMEZONE" && (name == "STANDARD" || name == "DAYLIGHT")
}

// wanted tells whether a property is needed where it stands: in a VEVENT, a VTIMEZONE, or one of
// its observances. Other components have properties of the same names.
func wanted(name string, stack []string) bool {
	if len(stack) < 2 {
		return false
	}
	switch stack[1] {
	case "VEVENT":
		return len(stack) == 2 && wantedOfEvent(name)
	case "VTIMEZONE":
		return wantedOfZone(name) && (len(stack) == 2 || len(stack) == 3 && observanceOf(stack[1], stack[2]))
	default:
		return false
	}
}

func wantedOfEvent(name string) bool {
	switch name {
	case "UID", "DTSTART", "DTEND", "DURATION", "RRULE", "EXRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "SEQUENCE",
		"STATUS", "CLASS", "TRANSP", "SUMMARY", "ORGANIZER", "ATTENDEE", "X-MICROSOFT-CDO-BUSYSTATUS":
		return true
	default:
		return false
	}
}

func wantedOfZone(name string) bool {
	switch name {
	case "TZID", "X-LIC-LOCATION", "DTSTART", "RRULE", "RDATE", "TZOFFSETFROM", "TZOFFSETTO":
		return true
	default:
		return false
	}
}
