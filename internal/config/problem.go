package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with the file.
type Problem struct {
	Line   int    // from 1; 0: it is about the file as a whole
	Key    string // "room.check_in.opens_before"; empty: about no key
	Reason string // what is wrong, without a full stop
	Remedy string // what to do: whole sentences
}

// At returns the problem as one line of text, as compilers write it: "kiosk.toml:12: ...".
func (p Problem) At(file string) string {
	where := file
	if p.Line > 0 {
		where = fmt.Sprintf("%s:%d", file, p.Line)
	}
	return strings.TrimSpace(fmt.Sprintf("%s: %s. %s", where, p.Reason, p.Remedy))
}

// Error is everything that is wrong with a file.
type Error struct {
	File     string
	Problems []Problem // by line; never empty
}

// Error returns one line per problem.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.At(e.File)
	}
	return strings.Join(lines, "\n")
}

func byLine(problems []Problem) []Problem {
	slices.SortStableFunc(problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	return problems
}
