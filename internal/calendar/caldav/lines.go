package caldav

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"
)

// line is a content line of an object (RFC 5545, section 3.1), with its folds and its end as they
// are: whatever isn't changed is sent back byte by byte.
type line struct {
	raw  string
	name string // upper case; of a property, or BEGIN or END
	own  bool   // of an event: not of an alarm or another part nested in it
}

// splitLines cuts a text into content lines, whose raws joined are the text.
func splitLines(text []byte) []line {
	var lines []line
	for len(text) > 0 {
		end := lineEnd(text, 0)
		for end < len(text) && (text[end] == ' ' || text[end] == '\t') {
			end = lineEnd(text, end)
		}
		lines = append(lines, newLine(string(text[:end])))
		text = text[end:]
	}
	return lines
}

func lineEnd(text []byte, from int) int {
	if n := bytes.IndexByte(text[from:], '\n'); n >= 0 {
		return from + n + 1
	}
	return len(text)
}

func newLine(raw string) line {
	l := line{raw: raw}
	content := l.content()
	if n := strings.IndexAny(content, ";:"); n >= 0 {
		l.name = strings.ToUpper(strings.TrimSpace(content[:n]))
	}
	return l
}

func joinLines(lines []line) []byte {
	var b bytes.Buffer
	for _, l := range lines {
		b.WriteString(l.raw)
	}
	return b.Bytes()
}

var unfold = strings.NewReplacer("\r\n ", "", "\r\n\t", "", "\n ", "", "\n\t", "")

// content is the line without folds and end.
func (l line) content() string { return strings.TrimRight(unfold.Replace(l.raw), "\r\n") }

// split cuts the content into what is before the colon, name and parameters, and the value behind
// it. Colons in quoted parameters don't count.
func (l line) split() (head, value string) {
	content := l.content()
	quoted := false
	for i, b := range []byte(content) {
		switch {
		case b == '"':
			quoted = !quoted
		case b == ':' && !quoted:
			return content[:i], content[i+1:]
		}
	}
	return content, ""
}

// params are the parameters, each as written: NAME=VALUE.
func (l line) params() []string {
	head, _ := l.split()
	var params []string
	start, quoted := len(l.name), false
	for i := start; i <= len(head); i++ {
		switch {
		case i == len(head) || head[i] == ';' && !quoted:
			if i > start {
				params = append(params, head[start:i])
			}
			start = i + 1
		case head[i] == '"':
			quoted = !quoted
		}
	}
	return params
}

// param is the value of a parameter; empty: there is none of that name.
func (l line) param(name string) string {
	for _, p := range l.params() {
		if key, value, found := strings.Cut(p, "="); found && strings.EqualFold(key, name) {
			return strings.Trim(value, `"`)
		}
	}
	return ""
}

func (l line) value() string {
	_, value := l.split()
	return strings.TrimSpace(value)
}

// fold makes a line of a content, of at most 75 bytes each (RFC 5545, section 3.1).
func fold(content, newline string) line {
	const most = 75
	var b strings.Builder
	room := most
	for _, r := range content {
		if n := utf8.RuneLen(r); n > room {
			b.WriteString(newline + " ")
			room = most - 1
		}
		b.WriteRune(r)
		room -= max(utf8.RuneLen(r), 1)
	}
	b.WriteString(newline)
	return newLine(b.String())
}

// event is a VEVENT among lines.
type event struct {
	lines []line // with its BEGIN and END
	at    int    // index of its BEGIN
}

// events finds the VEVENTs of an object, and rest, the lines of it that are none of theirs. It marks
// the lines that are an event's own.
func events(lines []line) (found []event, rest []line) {
	begin, depth := 0, 0 // of the VEVENT; its own depth is 1
	for i, l := range lines {
		if depth == 0 && !l.is("BEGIN", "VEVENT") {
			rest = append(rest, l)
			continue
		}
		switch l.name {
		case "BEGIN":
			if depth == 0 {
				begin = i
			}
			depth++
		case "END":
			depth--
			if depth == 0 {
				found = append(found, event{lines[begin : i+1 : i+1], begin})
			}
		default:
			lines[i].own = depth == 1
		}
	}
	return found, rest
}

func (l line) is(name, value string) bool {
	return l.name == name && strings.EqualFold(l.value(), value)
}

// property finds the event's own property of a name.
func (e event) property(name string) (line, bool) {
	for _, l := range e.lines {
		if l.own && l.name == name {
			return l, true
		}
	}
	return line{}, false
}

// without leaves out the event's own properties of these names.
func (e event) without(names ...string) event {
	kept := make([]line, 0, len(e.lines))
	for _, l := range e.lines {
		if !l.own || !slices.Contains(names, l.name) {
			kept = append(kept, l)
		}
	}
	return event{kept, e.at}
}

// with puts a property in the place of the event's own one of that name, else behind the one that
// it should follow, else first.
func (e event) with(l line, behind string) event {
	l.own = true
	place, replaced := 1, 0
	for i, other := range e.lines {
		switch {
		case !other.own:
		case other.name == l.name:
			place, replaced = i, 1
		case other.name == behind && replaced == 0:
			place = i + 1
		}
	}
	return event{slices.Concat(e.lines[:place], []line{l}, e.lines[place+replaced:]), e.at}
}
