package config

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	tomlBlock  = regexp.MustCompile("(?ms)^ *```toml\n(.*?)^ *```$")
	secretName = regexp.MustCompile(`(?m)^(\w+)_file\s*=\s*"([^"]+)"`)
)

// snippets returns what a document shows of configurations.
func snippets(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, found := range tomlBlock.FindAllStringSubmatch(string(text), -1) {
		all = append(all, found[1])
	}
	if len(all) == 0 {
		t.Fatalf("%s has no snippets", path)
	}
	return all
}

// loadSnippet loads a configuration beside made-up secrets of all names that are in it.
func loadSnippet(t *testing.T, text string) *Config {
	t.Helper()
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, found := range secretName.FindAllStringSubmatch(text, -1) {
		secret := "made up"
		if found[1] == "credentials" {
			secret = account
		}
		file(found[2], secret)
	}
	cfg, err := Load(file("kiosk.toml", text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if len(cfg.Warnings) > 0 {
		t.Errorf("warnings: %v\n%s", cfg.Warnings, text)
	}
	return cfg
}

// whole makes a configuration of a part of one, with what every configuration has.
func whole(part string) string {
	head := "time_zone = \"Europe/Berlin\"\n"
	if strings.Contains(part, "zoom_room_id") {
		head += "[zoom]\naccount_id = \"a\"\nclient_id = \"c\"\nclient_secret_file = \"zoom-client-secret\"\n"
	}
	if !strings.Contains(part, "[[room]]") {
		part += "\n[[room]]\nid = \"ada\"\ncalendar = \"google\"\ncalendar_id = \"x\"\n"
	}
	return head + part
}

func TestReadmeLoads(t *testing.T) {
	for _, text := range snippets(t, "../../README.md") {
		loadSnippet(t, text)
	}
}

func TestCalendarsPageLoads(t *testing.T) {
	var shown []Kind
	for _, part := range snippets(t, "../../docs/calendars.md") {
		for _, c := range loadSnippet(t, whole(part)).Calendars {
			shown = append(shown, c.Kind)
		}
	}
	for _, kind := range kinds() {
		if !slices.Contains(shown, kind) {
			t.Errorf("docs/calendars.md shows no calendar of kind %s", kind)
		}
	}
}
