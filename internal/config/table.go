package config

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
)

// table reads the keys of one TOML table. Every reader returns the fallback where the key is missing
// or unusable; the latter becomes a problem.
type table struct {
	l       *loader
	at      *path
	name    string // how the file writes it: "room", "room.check_in"; the document is empty
	subject string // what problems begin with: `room "ada": `; may be empty
	values  map[string]any
	claimed map[string]bool // keys that somebody asked for
}

func (l *loader) table(at *path, name, subject string, values map[string]any) *table {
	return &table{l: l, at: at, name: name, subject: subject, values: values, claimed: map[string]bool{}}
}

// fail adds a problem at the key, or at the table when the key is missing or empty.
func (t *table) fail(key, reason, remedy string) {
	t.l.problems = append(t.l.problems, t.problem(key, reason, remedy))
}

// failElement is fail for one element of a list.
func (t *table) failElement(key string, i int, reason, remedy string) {
	p := t.problem(key, reason, remedy)
	p.Line = t.l.lines.of(t.at.key(key).element(i))
	t.l.problems = append(t.l.problems, p)
}

// warn is fail for what works all the same.
func (t *table) warn(key, reason, remedy string) {
	t.l.warnings = append(t.l.warnings, t.problem(key, reason, remedy))
}

func (t *table) problem(key, reason, remedy string) Problem {
	full := strings.Trim(t.name+"."+key, ".")
	return Problem{Line: t.line(key), Key: full, Reason: t.subject + reason, Remedy: remedy}
}

// line is where the key stands, or the table when it has no such key.
func (t *table) line(key string) int {
	if _, ok := t.values[key]; ok {
		return t.l.lines.of(t.at.key(key))
	}
	return t.l.lines.of(t.at)
}

// take returns the raw value of a key. ok is false where the key is missing.
func (t *table) take(key string) (value any, ok bool) {
	t.claimed[key] = true
	value, ok = t.values[key]
	return value, ok
}

// takeAs is take for values of one type; another type is a problem. Values are not repeated in it:
// a secret may have been written at the wrong place.
func takeAs[T any](t *table, key, want, remedy string) (value T, ok bool) {
	raw, ok := t.take(key)
	if !ok {
		return value, false
	}
	value, ok = raw.(T)
	if !ok {
		t.fail(key, fmt.Sprintf("%s must be %s, not %s", key, want, typeName(raw)), remedy)
	}
	return value, ok
}

// typeName calls a TOML value's type by a name for people.
func typeName(v any) string {
	switch v.(type) {
	case string:
		return "a text"
	case int64, float64:
		return "a number"
	case bool:
		return "true or false"
	case time.Time:
		return "a date"
	case map[string]any:
		return "a table"
	default:
		return "a list"
	}
}

// raw reads a text as it stands.
func (t *table) raw(key string) (string, bool) {
	return takeAs[string](t, key, "a text", "Write it in double quotes.")
}

// text reads a text without control characters. A present key must not be empty, unless the
// fallback is.
func (t *table) text(key, fallback string) string {
	s, ok := t.raw(key)
	switch {
	case !ok:
		return fallback
	case strings.ContainsFunc(s, unicode.IsControl):
		t.fail(key, key+" holds a control character", "Remove it.")
		return fallback
	case strings.TrimSpace(s) == "" && fallback != "":
		t.fail(key, key+" is empty", fmt.Sprintf("Write a value, or remove the key: the default is %q.", fallback))
		return fallback
	}
	return s
}

// required reads a text that has to be there. ok is false where it is not; that is a problem
// already.
func (t *table) required(key, remedy string) (s string, ok bool) {
	before := len(t.l.problems)
	s = t.text(key, "")
	if len(t.l.problems) > before {
		return "", false
	}
	if strings.TrimSpace(s) == "" {
		t.fail(key, key+" is missing", remedy)
		return "", false
	}
	return s, true
}

// oneOf reads a text out of a few.
func (t *table) oneOf(key string, allowed ...string) string {
	s := t.text(key, allowed[0])
	if !slices.Contains(allowed, s) {
		t.fail(key, fmt.Sprintf("%s %s is not known", key, brief(s)), "Write one of: "+strings.Join(allowed, ", ")+".")
		return allowed[0]
	}
	return s
}

// flag reads true or false; nil where the key is missing.
func (t *table) flag(key string) *bool {
	if v, ok := takeAs[bool](t, key, "true or false", "Write it without quotes."); ok {
		return &v
	}
	return nil
}

// seats reads a whole number that is not negative; 0 where the key is missing.
func (t *table) seats(key string) int {
	n, ok := takeAs[int64](t, key, "a whole number", "Write it without quotes.")
	if ok && (n < 0 || n > math.MaxInt32) {
		t.fail(key, fmt.Sprintf("%s cannot be %d", key, n), "Write a whole number from 0.")
		return 0
	}
	return int(n)
}

// words reads a list of texts. What isn't one is a problem and empty in the result.
func (t *table) words(key string) []string {
	list, ok := takeAs[[]any](t, key, "a list of texts", `Write it as ["one", "two"].`)
	if !ok {
		return nil
	}
	words := make([]string, len(list))
	for i, v := range list {
		s, isText := v.(string)
		if !isText || strings.TrimSpace(s) == "" || strings.ContainsFunc(s, unicode.IsControl) {
			t.failElement(key, i, key+" holds something that is not a text", `Write it as ["one", "two"].`)
			continue
		}
		words[i] = s
	}
	return words
}

// maxDuration is more than any duration here can sensibly be; it catches wrong units.
const maxDuration = 24 * time.Hour

// duration reads a Go duration of at least the minimum; nil where the key is missing or wrong.
func (t *table) duration(key string, minimum time.Duration) *time.Duration {
	const remedy = `Write a number with its unit, such as "90s", "10m" or "1h".`
	s, ok := takeAs[string](t, key, "a duration", remedy)
	if !ok {
		return nil
	}
	d, err := time.ParseDuration(s)
	switch {
	case err != nil:
		t.fail(key, fmt.Sprintf("%s %s is not a duration", key, brief(s)), remedy)
	case d < 0 && minimum == 0:
		t.fail(key, fmt.Sprintf("%s %s is negative", key, brief(s)), "Write 0s or more.")
	case d < minimum:
		t.fail(key, fmt.Sprintf("%s %s is too short", key, brief(s)), fmt.Sprintf("Write %v or more.", minimum))
	case d > maxDuration:
		t.fail(key, fmt.Sprintf("%s %s is too long", key, brief(s)), "Write 24h or less.")
	default:
		return &d
	}
	return nil
}

// tables reads [[key]], however it is written. There has to be at least one; remedy is for when there
// is none. named makes the tables' subjects out of their values and their number, from 1.
func (t *table) tables(key, remedy string, named func(values map[string]any, number int) string) []*table {
	raw, _ := t.take(key)
	var list []any
	switch v := raw.(type) {
	case nil:
	case []map[string]any:
		for _, m := range v {
			list = append(list, m)
		}
	case []any:
		list = v
	case map[string]any:
		t.fail(key, key+" is a single table", "Head it with [["+key+"]], in double brackets.")
		return nil
	default:
		t.fail(key, fmt.Sprintf("%s must be tables, not %s", key, typeName(raw)), "Head each with [["+key+"]].")
		return nil
	}
	if len(list) == 0 {
		t.fail(key, "no "+key+" is configured", remedy)
	}
	var all []*table
	for i, v := range list {
		values, isTable := v.(map[string]any)
		if !isTable {
			t.fail(key, fmt.Sprintf("%s must be tables, not a list with %s", key, typeName(v)), "Head each with [["+key+"]].")
			continue
		}
		all = append(all, t.l.table(t.at.key(key).element(i), key, named(values, i+1), values))
	}
	return all
}

// table reads [key]; nil where it is missing. subject is that of the new table.
func (t *table) table(key, subject string) *table {
	raw, ok := t.take(key)
	if !ok {
		return nil
	}
	values, ok := raw.(map[string]any)
	if !ok {
		t.fail(key, fmt.Sprintf("%s must be a single table, not %s", key, typeName(raw)),
			"Head it with ["+strings.Trim(t.name+"."+key, ".")+"], in single brackets.")
		return nil
	}
	return t.l.table(t.at.key(key), strings.Trim(t.name+"."+key, "."), subject, values)
}

// unclaimed returns the keys that nobody asked for, sorted.
func (t *table) unclaimed() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(t.values)), func(key string) bool { return t.claimed[key] })
}

// brief quotes a text of the file for a problem, cut to a readable length.
func brief(s string) string {
	const limit = 60
	if r := []rune(s); len(r) > limit {
		s = string(r[:limit]) + "…"
	}
	return fmt.Sprintf("%q", s)
}
