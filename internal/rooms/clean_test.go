package rooms

import (
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestCleanText(t *testing.T) {
	for in, want := range map[string]string{
		"Weekly":                    "Weekly",
		"  two\tlines\r\nof  it ":   "two lines of it",
		"<b>bold</b>":               "<b>bold</b>", // escaping is the views' business
		"evil\u202egnp.exe":         "evilgnp.exe",
		"a\x00b\x1bc":               "a b c",
		"👩\u200d💻 pairing":          "👩\u200d💻 pairing", // joiners make one emoji of two
		"اجتماع الفريق":             "اجتماع الفريق",
		"\xff\xfe broken":           "broken",
		"\u200b\u200b":              "",
		strings.Repeat("x", 10000):  strings.Repeat("x", maxText-1) + "…",
		strings.Repeat("a b ", 100): strings.Repeat("a b ", 100)[:maxText-1] + "…",
	} {
		if got := cleanText(in); got != want {
			t.Errorf("cleanText(%.40q) = %q, want %q", in, got, want)
		}
	}
}

func TestCleanTextAlwaysIsSafe(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := cleanText(rapid.String().Draw(t, "text"))
		if !utf8.ValidString(s) || utf8.RuneCountInString(s) > maxText || s != strings.TrimSpace(s) || cleanText(s) != s {
			t.Fatalf("%q", s)
		}
		for _, r := range s {
			if unicode.IsControl(r) || reorders(r) {
				t.Fatalf("%q in %q", r, s)
			}
		}
	})
}

func TestNewScheduleKeepsNothingOfPrivateOnes(t *testing.T) {
	from := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	s := NewSchedule("g", from, from.Add(48*time.Hour), from, []Reservation{
		{ID: "b", Start: from.Add(2 * time.Hour), End: from.Add(3 * time.Hour), Title: "Layoffs", Organizer: "Eve", Private: true},
		{ID: "a", Start: from.Add(time.Hour), End: from.Add(2 * time.Hour), Title: "Weekly"},
		{ID: "a", Start: from.Add(5 * time.Hour), End: from.Add(6 * time.Hour)},
		{ID: "backwards", Start: from.Add(2 * time.Hour), End: from.Add(time.Hour)},
		{ID: "yesterday", Start: from.Add(-2 * time.Hour), End: from},
		{ID: "over midnight", Start: from.Add(-2 * time.Hour), End: from.Add(time.Minute)},
		{ID: "nothing", Start: from, End: from},
	})
	var ids []string
	for _, r := range s.Reservations {
		ids = append(ids, r.ID)
		if r.Private && (r.Title != "" || r.Organizer != "") {
			t.Errorf("a private reservation kept %q by %q", r.Title, r.Organizer)
		}
	}
	if got := strings.Join(ids, ","); got != "over midnight,nothing,a,b" {
		t.Errorf("kept %s", got)
	}
}
