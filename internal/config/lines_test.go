package config

import (
	"maps"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
	"github.com/google/go-cmp/cmp"
)

func TestIndexLines(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want lineIndex
	}{
		"keys":            {"a = 1\n\n# b = 2\n  b = 2 # c = 3\nc=3", lineIndex{`."a"`: 1, `."b"`: 4, `."c"`: 5}},
		"carriage return": {"\ufeffa = 1\r\nb = 2\r\n", lineIndex{`."a"`: 1, `."b"`: 2}},
		"table":           {"\n[a]\nb = 1\n[ c . 'd' ] # [x]\ne = 1", lineIndex{`."a"`: 2, `."a"."b"`: 3, `."c"`: 4, `."c"."d"`: 4, `."c"."d"."e"`: 5}},
		"super-table later": {"[a.b]\nx = 1\n[a]\ny = 1", lineIndex{
			`."a"`: 3, `."a"."b"`: 1, `."a"."b"."x"`: 2, `."a"."y"`: 4,
		}},
		"tables in a list": {"[[r]]\na = 1\n[r.c]\nx = 1\n[[r]]\n\na = 1\n[r.c]\nx = 1\n[[r.s]]\n[[r.s]]\nz = 1", lineIndex{
			`."r"`: 1, `."r"[0]`: 1, `."r"[0]."a"`: 2, `."r"[0]."c"`: 3, `."r"[0]."c"."x"`: 4,
			`."r"[1]`: 5, `."r"[1]."a"`: 7, `."r"[1]."c"`: 8, `."r"[1]."c"."x"`: 9,
			`."r"[1]."s"`: 10, `."r"[1]."s"[0]`: 10, `."r"[1]."s"[1]`: 11, `."r"[1]."s"[1]."z"`: 12,
		}},
		"dotted":      {"a.b = 1\na . \"c.d\" = 2", lineIndex{`."a"`: 1, `."a"."b"`: 1, `."a"."c.d"`: 2}},
		"quoted keys": {"\"a\\u0062\" = 1\n'c\\d' = 1\n\"\" = 1\n\"x # y\" = 1\n\"= [\" = 1", lineIndex{`."ab"`: 1, `."c\\d"`: 2, `.""`: 3, `."x # y"`: 4, `."= ["`: 5}},
		"inline":      {"a = {b = 1, c = {d = [1,\n2]}}\ne = {}", lineIndex{`."a"`: 1, `."a"."b"`: 1, `."a"."c"`: 1, `."a"."c"."d"`: 1, `."a"."c"."d"[0]`: 1, `."a"."c"."d"[1]`: 2, `."e"`: 3}},
		"list": {"a = [ # ]\n  'x', # ,\n  \"]\",\n]\nb = [{c = 1},\n{c = 2}]", lineIndex{
			`."a"`: 1, `."a"[0]`: 2, `."a"[1]`: 3, `."b"`: 5, `."b"[0]`: 5, `."b"[0]."c"`: 5, `."b"[1]`: 6, `."b"[1]."c"`: 6,
		}},
		"long texts": {"a = \"\"\"\nx = 1\n[y]\n\\\"\"\" \"\"\nz = 1 \\\"\"\"\"\"\"\nb = '''\nx = 1 \\''''\nc = 1", lineIndex{`."a"`: 1, `."b"`: 6, `."c"`: 8}},
		"texts":      {"a = \"\\\"\\\\\" # x\nb = 'x\\' # '\nc = \"#\"\nd = '='", lineIndex{`."a"`: 1, `."b"`: 2, `."c"`: 3, `."d"`: 4}},
		"bare": {"a = 1979-05-27 07:32:00 # x\nb = -inf\nc = 1e5\nd = [true,false,]", lineIndex{
			`."a"`: 1, `."b"`: 2, `."c"`: 3, `."d"`: 4, `."d"[0]`: 4, `."d"[1]`: 4,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, indexLines(c.text)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if _, err := toml.Decode(c.text, new(map[string]any)); err != nil {
				t.Fatalf("the sample is not TOML: %v", err)
			}
			checkIndex(t, c.text)
		})
	}
}

// checkIndex compares the index with the values that the TOML library finds: both name the same.
func checkIndex(t *testing.T, text string) {
	t.Helper()
	var values map[string]any
	if _, err := toml.Decode(text, &values); err != nil {
		return // nothing to compare with
	}
	want := map[string]bool{}
	pathsOf(&path{}, values, want)
	got := indexLines(text)
	for id := range want {
		if got[id] < 1 {
			t.Errorf("%s has no line in\n%s", id, text)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(got)) {
		if !want[id] {
			t.Errorf("%s has a line, but no value in\n%s", id, text)
		}
	}
}

func pathsOf(p *path, v any, into map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			into[p.key(key).id] = true
			pathsOf(p.key(key), value, into)
		}
	case []any:
		for i, value := range v {
			into[p.element(i).id] = true
			pathsOf(p.element(i), value, into)
		}
	case []map[string]any:
		for i, value := range v {
			into[p.element(i).id] = true
			pathsOf(p.element(i), value, into)
		}
	}
}

// Any text ends, and what is valid is indexed whole.
func FuzzIndexLines(f *testing.F) {
	f.Add(design)
	f.Add("a = {b = [{c = \"\"\"x\n\"\"\"}]}\n[[d]]\n[d.'e']\n\"f\\u0067\".h = 1")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<12 || !utf8.ValidString(text) {
			return // the library passes over a UTF-16 byte order mark
		}
		for id, line := range indexLines(text) {
			if line < 1 {
				t.Errorf("%s is at line %d", id, line)
			}
		}
		checkIndex(t, text)
	})
}
