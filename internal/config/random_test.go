package config

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// parseText is LoadEnv for a text that stands in place of the file.
func parseText(file, text string) (*Config, *loader) {
	l := &loader{file: file, getenv: noEnv, private: true}
	return l.parse(text), l
}

// checkSound tells whether the outcome keeps the promises of Load, whatever the text.
func checkSound(t rapid.TB, text string, cfg *Config, l *loader) {
	t.Helper()
	end := 1 + strings.Count(text, "\n")
	for _, p := range slices.Concat(l.problems, l.warnings) {
		if p.Line < 0 || p.Line > end || p.Reason == "" || p.Remedy == "" || strings.ContainsAny(p.At("f"), "\n\x00") {
			t.Errorf("problem %+v in a text of %d lines", p, end)
		}
	}
	if len(l.problems) > 0 {
		return
	}
	if cfg.Zone == nil || len(cfg.Rooms) == 0 || len(cfg.Calendars) == 0 || !validListen(cfg.Listen) || cfg.DataDir == "" {
		t.Errorf("incomplete: %+v", cfg)
	}
	names, ids := map[string]bool{}, map[string]bool{}
	for _, c := range cfg.Calendars {
		if names[c.Name] || c.Name == "" || c.Kind == "" || c.Poll < 1e9 || (!c.Password.IsZero() && c.User == "") {
			t.Errorf("calendar %+v", c)
		}
		names[c.Name] = true
	}
	for _, r := range cfg.Rooms {
		if ids[r.ID] || !roomID.MatchString(r.ID) || r.Zone == nil || r.Language == "" || !names[r.Calendar] ||
			r.CalendarID == "" || r.StaleAfter < 90e9 || (r.ZoomID != "" && cfg.Zoom == nil) {
			t.Errorf("room %+v", r)
		}
		ids[r.ID] = true
	}
}

func FuzzLoad(f *testing.F) {
	file := place(f, design)
	f.Add(design)
	f.Add("time_zone='UTC'\ncalendar=[{name='i',kind='ics'}]\n[[room]]\nid='a'\ncalendar='i'\ncalendar_id='https://a/b'\ncheck_in.required=false")
	for _, c := range broken {
		f.Add(c.edit[1])
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<14 {
			return
		}
		cfg, l := parseText(file, text)
		checkSound(t, text, cfg, l)
	})
}

// However a sound file is damaged, the outcome is sound: complete, or refused with lines.
func TestDamagedFiles(t *testing.T) {
	file := place(t, design)
	lines := strings.SplitAfter(design, "\n")
	pieces := slices.Concat(lines, strings.SplitAfter(design, " "), []string{`"`, "'", "[", "]", "{", "}", "=", ".", "\\", "\n", "#", "\"\"\"", "1", "true", "\u202e", "\x00"})
	rapid.Check(t, func(rt *rapid.T) {
		text := design
		for range rapid.IntRange(1, 4).Draw(rt, "damages") {
			from := rapid.IntRange(0, len(text)).Draw(rt, "from")
			to := min(len(text), from+rapid.IntRange(0, 60).Draw(rt, "length"))
			text = text[:from] + rapid.SampledFrom(append(pieces, "")).Draw(rt, "piece") + text[to:]
		}
		cfg, l := parseText(file, text)
		checkSound(rt, text, cfg, l)
	})
}

// Lines that say nothing move a problem by as many lines as stand before it, and change nothing else.
func TestLinesFollowTheText(t *testing.T) {
	file := place(t, design)
	for _, name := range []string{"empty", "lines", "user.json"} {
		write(t, filepath.Join(filepath.Dir(file), name), "\n", 0o600)
	}
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(broken)), func(name string) bool {
		text := edited(t, broken[name].edit)
		_, l := parseText(file, text)
		return len(l.lines) == 0 || strings.Contains(text, `"""`) // not TOML, or a new line could be part of a text
	})
	rapid.Check(t, func(rt *rapid.T) {
		text := edited(t, broken[rapid.SampledFrom(names).Draw(rt, "broken")].edit)
		_, before := parseText(file, text)
		moved, out := map[int]int{0: 0}, []string{}
		for i, line := range strings.Split(text, "\n") {
			for range rapid.IntRange(0, 2).Draw(rt, "lines") {
				out = append(out, rapid.SampledFrom([]string{"", "\t# [x]", "#\"\"\"", "  # a = '"}).Draw(rt, "line"))
			}
			out = append(out, line)
			moved[i+1] = len(out)
		}
		_, after := parseText(file, strings.Join(out, "\n"))
		if len(before.problems) != len(after.problems) {
			rt.Fatalf("%d problems became %d", len(before.problems), len(after.problems))
		}
		for i, p := range before.problems {
			q := after.problems[i]
			if p.Line = moved[p.Line]; p != q && !strings.Contains(p.Reason, "taken by line") {
				rt.Errorf("want %+v\ngot  %+v", p, q)
			}
		}
	})
}
