package config

import (
	"errors"
	"regexp"
	"strings"

	"github.com/BurntSushi/toml"
)

// syntaxAdvice turns what the TOML library says into what a person can use. The library's own
// messages are not repeated: they quote the file, where secrets may stand.
var syntaxAdvice = []struct{ says, reason, remedy string }{
	{"top-level item to end", "something follows the end of a value", inQuotes},
	{"expected value but", "the value is not valid", inQuotes},
	{"nteger", "a number is not valid", inQuotes},
	{"float", "a number is not valid", inQuotes},
	{"digit but", "a number is not valid", inQuotes},
	{"out of range", "a number is too large", "Write a smaller one."},
	{"datetime", "a date is not valid", inQuotes},
	{"escape", "a backslash in double quotes means something else", singleQuotes},
	{"hexadecimal digits", "a backslash in double quotes means something else", singleQuotes},
	{"cannot contain newlines", "a text ends before its closing quote", "Close it on the same line."},
	{"separator '='", "a key has no value", keyValue},
	{"expected '.' or '='", "a key has no value", keyValue},
	{"key name appears blank", "a value has no key", keyValue},
	{"end table name", "the name of a table is not closed", brackets},
	{"table array name", "the name of a table is not closed", brackets},
	{"table names cannot be empty", "a table has no name", brackets},
	{"inline table terminator", "a table in braces is not closed", "Close it with }."},
	{"array terminator", "a list is not closed", "Put commas between its values and close it with ]."},
	{"unexpected EOF", "the file ends in the middle of something", "Close the quote or bracket that is open."},
	{"UTF-8", "the text is not UTF-8", "Save the file as UTF-8."},
	{"control characters", "there is a control character", "Remove it."},
}

const (
	inQuotes     = "Put texts in double quotes, and each key on its own line."
	singleQuotes = `Write the text in single quotes, as in 'DOMAIN\user'.`
	keyValue     = `Write it as key = "value".`
	brackets     = "Write it as [table] or [[table]]."
)

var quotedKey = regexp.MustCompile(`^Key '(.*)'`)

// syntaxProblem says what keeps the file from being TOML.
func syntaxProblem(err error) Problem {
	var parse toml.ParseError
	if !errors.As(err, &parse) {
		return Problem{Reason: "the file is not valid TOML", Remedy: "See https://toml.io."}
	}
	line := parse.Position.Line
	if strings.Contains(parse.Message, "table") && strings.HasSuffix(parse.Message, `got '\n' instead`) {
		line-- // the library has already stepped over the line's end
	}
	p := Problem{Line: line, Reason: "this is not valid TOML", Remedy: "See https://toml.io."}
	if m := quotedKey.FindStringSubmatch(parse.Message); m != nil {
		p.Key = m[1]
		p.Reason, p.Remedy = duplicate(m[1])
		return p
	}
	for _, a := range syntaxAdvice {
		if strings.Contains(parse.Message, a.says) {
			p.Reason, p.Remedy = a.reason, a.remedy
			break
		}
	}
	return p
}

// duplicate explains a key that stands twice. The usual cause are single brackets.
func duplicate(key string) (reason, remedy string) {
	if key == "room" || key == "calendar" {
		return key + " is written twice as a single table", "Head each of them with [[" + key + "]]."
	}
	return key + " is written twice", "Remove one of them."
}
