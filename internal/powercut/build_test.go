package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOverlayChangesTheStoreThatThereIs(t *testing.T) {
	dir := t.TempDir()
	overlay, err := overlayFor(t.Context(), dir, normal)
	if err != nil {
		t.Fatal(err)
	}
	listed, err := output(t.Context(), "go", "list", "-overlay", overlay, "-f", "{{.Dir}}", "roomkiosk/internal/store")
	if err != nil || !strings.Contains(listed, "store") {
		t.Errorf("%q, %v", listed, err)
	}
	changed, err := os.ReadFile(filepath.Join(dir, "store-NORMAL.go"))
	if err != nil || strings.Contains(string(changed), atOnce) || !strings.Contains(string(changed), `syncAtOnce = "NORMAL"`) {
		t.Errorf("it isn't changed: %v", err)
	}
}

// If the store says otherwise one day how it syncs, the trial with NORMAL must not quietly be another
// one with FULL.
func TestOverlayNeedsOnePlaceToChange(t *testing.T) {
	for name, files := range map[string][]string{
		"none":         {"package store"},
		"two":          {atOnce, atOnce},
		"two in one":   {atOnce + atOnce},
		"one, in test": {},
	} {
		dir := t.TempDir()
		write := func(file, text string) {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write("some_test.go", atOnce)
		for i, text := range files {
			write(string(rune('a'+i))+".go", text)
		}
		if _, _, err := syncing(dir); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
