package rooms

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxText bounds titles and names, in characters: more can't be shown on any panel.
const maxText = 300

// NewSchedule makes a schedule of what a calendar returned: in order, each reservation once, with
// texts that are safe to show, and nothing known about private ones but their times. What is
// private is dropped here so that it reaches neither memory, disk nor screen.
func NewSchedule(source string, from, to, asOf time.Time, read []Reservation) Schedule {
	s := Schedule{Source: source, From: from, To: to, AsOf: asOf, Reservations: make([]Reservation, 0, len(read))}
	seen := make(map[string]bool, len(read))
	for _, r := range read {
		if seen[r.ID] || r.End.Before(r.Start) || !touches(r, from, to) {
			continue
		}
		seen[r.ID] = true
		if r.Private {
			r.Title, r.Organizer = "", ""
		}
		r.Title, r.Organizer = cleanText(r.Title), cleanText(r.Organizer)
		r.Start, r.End = r.Start.UTC(), r.End.UTC()
		s.Reservations = append(s.Reservations, r)
	}
	slices.SortFunc(s.Reservations, byStart)
	return s
}

func touches(r Reservation, from, to time.Time) bool {
	return r.Start.Before(to) && (r.End.After(from) || r.Start.Equal(from))
}

func byStart(a, b Reservation) int {
	if c := a.Start.Compare(b.Start); c != 0 {
		return c
	}
	if c := a.End.Compare(b.End); c != 0 {
		return c
	}
	return strings.Compare(a.ID, b.ID)
}

// cleanText makes a text of unknown origin safe to show on one line: control characters become
// spaces, characters that reorder or hide their neighbours go, runs of spaces become one.
func cleanText(s string) string {
	var b strings.Builder
	n, space := 0, false
	for _, r := range s {
		switch {
		case unicode.IsSpace(r) || unicode.IsControl(r) || r == utf8.RuneError:
			space = n > 0
			continue
		case reorders(r):
			continue
		}
		if space {
			b.WriteByte(' ')
			n, space = n+1, false
		}
		b.WriteRune(r)
		if n++; n > maxText {
			return clip(b.String())
		}
	}
	return b.String()
}

// clip shortens a text that is longer than it may be, and says so.
func clip(s string) string {
	runes := []rune(s)
	return strings.TrimRight(string(runes[:maxText-1]), " ") + "…"
}

// reorders tells whether a character changes the direction of the text around it, or is invisible.
// Joiners stay: emoji and several scripts need them.
func reorders(r rune) bool {
	switch {
	case r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069', // embeddings, overrides, isolates
		r == '\u200e', r == '\u200f', r == '\u061c', // marks
		r == '\u200b', r == '\u2060', r == '\ufeff', r == '\u00ad': // zero width, soft hyphen
		return true
	default:
		return false
	}
}
