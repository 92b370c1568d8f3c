package ews

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"":                          "",
		"plain":                     "plain",
		"a&#x1F;b":                  "ab",
		"a&#31;b&#x1f;c&#x001F;d":   "abcd",
		"&#0;&#x0;&#8;&#xB;&#xC;":   "",
		"&#9;&#10;&#13;&#x20;":      "&#9;&#10;&#13;&#x20;",
		"\t\r\n \x00\x01\x08\x0b":   "\t\r\n ",
		"\x0c\x0e\x1f end":          " end",
		"&#xD83D;&#xDC4B;":          "",
		"&#xFFFE;&#xFFFF;\uffff":    "",
		"\ufffe\ufffd\uffef":        "\ufffd\uffef",
		"&#x10FFFF;&#x110000;":      "&#x10FFFF;",
		"&amp;&lt;&quot;&foo;":      "&amp;&lt;&quot;&foo;",
		"&#;&#x;&#xZZ;&#12a;& &":    "&#;&#x;&#xZZ;&#12a;& &",
		"&#X1F;":                    "&#X1F;", // no reference at all
		"&#99999999999999;":         "&#99999999999999;",
		"a\xffb\xc3":                "a\ufffdb\ufffd",
		"<!-- a --><![CDATA[ b ]]>": "<!-- a --><![CDATA[ b ]]>",
		"&#x1F;":                    "",
		"&#x1F":                     "&#x1F",
	} {
		got, err := clean([]byte(in))
		if err != nil || string(got) != want {
			t.Errorf("%q: got %q, %v, want %q", in, got, err, want)
		}
	}
	for _, in := range []string{"<!DOCTYPE x>", "<a/><!doctype y>", "<!ENTITY x 'y'>", "<!-- --><!DOCTYPE x>", "<!"} {
		if _, err := clean([]byte(in)); !errors.Is(err, errDTD) {
			t.Errorf("%q: got %v", in, err)
		}
	}
}

// TestCleanKeepsWhatIsValid: text without anything invalid is the same memory afterwards; with it, the
// rest stays.
func TestCleanKeepsWhatIsValid(t *testing.T) {
	piece := rapid.SampledFrom([]string{"a", "ü", "👋", "&amp;", "&#233;", "&#x1F44B;", "\n", "\uFFFD", "&", "&#", ";", "<b>", "</b>"})
	rubbish := rapid.SampledFrom([]string{"&#x1F;", "&#0;", "\x0b", "\x00", "&#xFFFF;", "\uffff", "&#xD800;"})
	rapid.Check(t, func(t *rapid.T) {
		var valid, dirty strings.Builder
		for range rapid.IntRange(0, 20).Draw(t, "pieces") {
			p := piece.Draw(t, "piece")
			valid.WriteString(p + " ")
			dirty.WriteString(p + " ")
			if rapid.Bool().Draw(t, "spoil") {
				dirty.WriteString(rubbish.Draw(t, "rubbish"))
			}
		}
		got, err := clean([]byte(dirty.String()))
		if err != nil || string(got) != valid.String() || !utf8.Valid(got) {
			t.Fatalf("%q: got %q, %v", dirty.String(), got, err)
		}
		again, err := clean(got)
		if err != nil || len(got) > 0 && &again[0] != &got[0] {
			t.Fatalf("%q was copied: %v", got, err)
		}
	})
}
