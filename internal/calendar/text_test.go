package calendar

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestDate(t *testing.T) {
	for _, tt := range []struct{ name, zone, date, want string }{
		{"plain", "Europe/Berlin", "2026-11-23", "2026-11-22T23:00:00Z"},
		{"before the short day", "Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z"},
		{"after the short day", "Europe/Berlin", "2026-03-30", "2026-03-29T22:00:00Z"},
		{"before the long day", "Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z"},
		{"after the long day", "Europe/Berlin", "2026-10-26", "2026-10-25T23:00:00Z"},
		{"far east", "Pacific/Auckland", "2026-11-23", "2026-11-22T11:00:00Z"},
		{"far west", "Pacific/Honolulu", "2026-11-23", "2026-11-23T10:00:00Z"},
		{"half an hour", "Asia/Kolkata", "2026-11-23", "2026-11-22T18:30:00Z"},
		{"no midnight: the clocks went from 0 to 1", "Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00Z"},
		{"leap day", "UTC", "2028-02-29", "2028-02-29T00:00:00Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Date(tt.date, zone(t, tt.zone))
			if err != nil || got.Format(time.RFC3339) != tt.want {
				t.Errorf("got %v, %v, want %s", got, err, tt.want)
			}
		})
	}
}

func TestDateRefuses(t *testing.T) {
	for _, text := range []string{"", "2026-2-3", "2026-02-30", "2026-11-23T00:00:00Z", "23.11.2026", strings.Repeat("9", 5000)} {
		if got, err := Date(text, time.UTC); err == nil || len(err.Error()) > 100 {
			t.Errorf("%.40q: got %v, %v", text, got, err)
		}
	}
}

func TestClip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "text")
		n := rapid.IntRange(0, 40).Draw(t, "characters")
		got := Clip(s, n)
		if !strings.HasPrefix(s, got) || utf8.RuneCountInString(got) != min(n, utf8.RuneCountInString(s)) {
			t.Fatalf("got %q", got)
		}
	})
}
