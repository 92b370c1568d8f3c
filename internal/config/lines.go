package config

import (
	"sort"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// path names a value in a document. The document itself is the path with an empty id.
type path struct {
	id string // keys quoted, elements of arrays by number: `."room"[1]."check_in"`
	up *path  // what it is in
}

func (p *path) key(name string) *path { return &path{id: p.id + "." + strconv.Quote(name), up: p} }
func (p *path) element(i int) *path   { return &path{id: p.id + "[" + strconv.Itoa(i) + "]", up: p} }

// lineIndex knows the line at which each value of a document is named: the line of its key, of its
// table's header, or of the element itself. The TOML library tells positions of syntax errors only.
type lineIndex map[string]int // by a path's id

// of returns the line of p, or of the nearest thing around it; 0 when nothing around it is known.
func (x lineIndex) of(p *path) int {
	for ; p != nil; p = p.up {
		if line, ok := x[p.id]; ok {
			return line
		}
	}
	return 0
}

// maxDepth bounds the nesting that is indexed; our own tables are three deep.
const maxDepth = 32

// indexLines reads text, which has to be valid TOML (1.0 or 1.1). For other text the lines are
// meaningless, but it ends all the same.
func indexLines(text string) lineIndex {
	s := &scanner{text: text, lines: lineIndex{}, elements: map[string]int{}}
	for i := range len(text) {
		if text[i] == '\n' {
			s.newlines = append(s.newlines, i)
		}
	}
	s.pos = len(text) - len(strings.TrimPrefix(text, "\ufeff"))
	s.document()
	return s.lines
}

// scanner walks over TOML text and notes where keys are. It understands just enough to tell keys,
// values, headers and comments apart.
type scanner struct {
	text     string
	pos      int
	newlines []int // offsets
	lines    lineIndex
	elements map[string]int // of arrays that are made of [[headers]]
	depth    int
}

func (s *scanner) document() {
	table := &path{}
	for s.skipBlank(); !s.done(); s.skipBlank() {
		before := s.pos
		if s.at("[") {
			table = s.header()
		} else {
			s.pair(table)
		}
		if s.pos == before {
			s.pos++ // not TOML
		}
	}
}

// header reads [a.b] or [[a.b]] and returns the path of the table that it opens.
func (s *scanner) header() *path {
	line, list := s.line(), s.at("[[")
	s.pos++
	if list {
		s.pos++
	}
	keys := s.keys()
	for s.at("]") {
		s.pos++
	}
	p := &path{}
	for i, key := range keys {
		p = p.key(key)
		last := i == len(keys)-1
		s.note(p, line)
		switch n := s.elements[p.id]; {
		case last && list:
			s.elements[p.id]++
			p = p.element(n)
			s.note(p, line)
		case n > 0:
			p = p.element(n - 1)
		case last:
			s.lines[p.id] = line // [a] may come after [a.b], which has named it already
		}
	}
	return p
}

// pair reads key = value inside the table at p.
func (s *scanner) pair(p *path) {
	line := s.line()
	for _, key := range s.keys() {
		p = p.key(key)
		s.note(p, line)
	}
	if s.at("=") {
		s.pos++
		s.value(p)
	}
}

func (s *scanner) value(p *path) {
	s.skipSpace()
	switch {
	case s.at(`"""`), s.at(`'''`):
		s.multiLine()
	case s.at(`"`), s.at(`'`):
		s.quoted()
	case s.at("["):
		s.list(p)
	case s.at("{"):
		s.inline(p)
	default:
		s.bare()
	}
}

func (s *scanner) list(p *path) {
	if !s.descend() {
		return
	}
	defer func() { s.depth-- }()
	i := 0
	for s.pos++; ; {
		s.skipBlank()
		switch {
		case s.done():
			return
		case s.at("]"):
			s.pos++
			return
		case s.at(","):
			s.pos++
		default:
			s.note(p.element(i), s.line())
			s.value(p.element(i))
			i++
		}
	}
}

func (s *scanner) inline(p *path) {
	if !s.descend() {
		return
	}
	defer func() { s.depth-- }()
	for s.pos++; ; {
		s.skipBlank()
		before := s.pos
		switch {
		case s.done():
			return
		case s.at("}"):
			s.pos++
			return
		case s.at(","):
			s.pos++
		default:
			s.pair(p)
		}
		if s.pos == before {
			s.pos++ // not TOML
		}
	}
}

// descend counts the nesting. Past the bound it gives up on the rest of the text.
func (s *scanner) descend() bool {
	if s.depth == maxDepth {
		s.pos = len(s.text)
		return false
	}
	s.depth++
	return true
}

// keys reads a dotted key.
func (s *scanner) keys() []string {
	var keys []string
	for len(keys) < maxDepth {
		s.skipSpace()
		if s.at(`"`) || s.at(`'`) {
			start := s.pos
			s.quoted()
			keys = append(keys, unquote(s.text[start:s.pos]))
		} else {
			start := s.pos
			s.pos += span(s.text[s.pos:], " \t\r\n.=[]{},#\"'")
			keys = append(keys, s.text[start:s.pos])
		}
		s.skipSpace()
		if !s.at(".") {
			break
		}
		s.pos++
	}
	return keys
}

// unquote leaves the rules of escapes to the TOML library.
func unquote(raw string) string {
	var v struct{ K string }
	if _, err := toml.Decode("k="+raw, &v); err != nil {
		return raw
	}
	return v.K
}

// quoted passes a string that is on one line.
func (s *scanner) quoted() {
	quote := s.text[s.pos]
	for s.pos++; !s.done() && s.text[s.pos] != '\n'; s.pos++ {
		switch {
		case s.text[s.pos] == quote:
			s.pos++
			return
		case s.text[s.pos] == '\\' && quote == '"':
			s.pos++
		}
	}
	s.pos = min(s.pos, len(s.text))
}

// multiLine passes a string in three quotes. Up to two quotes can stand right before the closing
// three.
func (s *scanner) multiLine() {
	fence := s.text[s.pos : s.pos+3]
	for s.pos += 3; !s.done(); s.pos++ {
		switch {
		case s.at(fence):
			s.pos += 3
			for i := 0; i < 2 && s.at(fence[:1]); i++ {
				s.pos++
			}
			return
		case s.at(`\`) && fence == `"""`:
			s.pos++
		}
	}
	s.pos = min(s.pos, len(s.text))
}

// bare passes a number, a date or a boolean: at least one byte.
func (s *scanner) bare() {
	if !s.done() {
		s.pos += max(1, span(s.text[s.pos:], ",]}#\n"))
	}
}

func (s *scanner) skipSpace() {
	for s.at(" ") || s.at("\t") {
		s.pos++
	}
}

// skipBlank passes white space, line ends and comments.
func (s *scanner) skipBlank() {
	for !s.done() {
		switch s.text[s.pos] {
		case ' ', '\t', '\r', '\n':
			s.pos++
		case '#':
			s.pos += span(s.text[s.pos:], "\n")
		default:
			return
		}
	}
}

// span is the length of text up to the first of the stops.
func span(text, stops string) int {
	if i := strings.IndexAny(text, stops); i >= 0 {
		return i
	}
	return len(text)
}

func (s *scanner) at(prefix string) bool { return strings.HasPrefix(s.text[s.pos:], prefix) }
func (s *scanner) done() bool            { return s.pos >= len(s.text) }
func (s *scanner) line() int             { return 1 + sort.SearchInts(s.newlines, s.pos) }

// note keeps the first line at which p is named.
func (s *scanner) note(p *path, line int) {
	if _, known := s.lines[p.id]; !known {
		s.lines[p.id] = line
	}
}
