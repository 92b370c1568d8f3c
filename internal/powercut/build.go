package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// When the journal's commits reach the disk, as SQLite calls it.
const (
	full   = "FULL"   // at once: the kiosk as it is
	normal = "NORMAL" // some time later
)

// atOnce is where the store says that the journal's commits reach the disk at once.
const atOnce = `syncAtOnce = "` + full + `"`

// buildKiosk builds the kiosk as it is released, or one whose journal syncs otherwise. The source tree
// stays as it is.
func buildKiosk(ctx context.Context, dir, sync string) (string, error) {
	binary := filepath.Join(dir, "kiosk-"+sync)
	args := []string{"build", "-trimpath", "-ldflags", "-s -w", "-o", binary}
	if sync != full {
		overlay, err := overlayFor(ctx, dir, sync)
		if err != nil {
			return "", err
		}
		args = append(args, "-overlay", overlay)
	}
	if _, err := output(ctx, "go", append(args, "roomkiosk/cmd/kiosk")...); err != nil {
		return "", fmt.Errorf("building the kiosk: %w", err)
	}
	return binary, nil
}

// overlayFor writes a changed copy of the store's source, and returns the file that tells the
// compiler to take it.
func overlayFor(ctx context.Context, dir, sync string) (string, error) {
	store, err := output(ctx, "go", "list", "-f", "{{.Dir}}", "roomkiosk/internal/store")
	if err != nil {
		return "", fmt.Errorf("finding the store's source: %w", err)
	}
	original, text, err := syncing(strings.TrimSpace(store))
	if err != nil {
		return "", err
	}
	changed := filepath.Join(dir, "store-"+sync+".go")
	if err := os.WriteFile(changed, bytes.Replace(text, []byte(atOnce), []byte(`syncAtOnce = "`+sync+`"`), 1), 0o600); err != nil {
		return "", fmt.Errorf("writing the changed store: %w", err)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{original: changed}})
	if err != nil {
		return "", fmt.Errorf("encoding the overlay: %w", err)
	}
	file := filepath.Join(dir, "overlay-"+sync+".json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		return "", fmt.Errorf("writing the overlay: %w", err)
	}
	return file, nil
}

// syncing finds the file of the store that says when commits are synced. There has to be one.
func syncing(store string) (path string, text []byte, err error) {
	files, err := filepath.Glob(filepath.Join(store, "*.go"))
	if err != nil {
		return "", nil, fmt.Errorf("listing the store's source: %w", err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			return "", nil, fmt.Errorf("reading the store's source: %w", err)
		}
		switch n := bytes.Count(source, []byte(atOnce)); {
		case n == 0:
		case n > 1 || path != "":
			return "", nil, fmt.Errorf("changing the store: it says %s more than once", atOnce)
		default:
			path, text = file, source
		}
	}
	if path == "" {
		return "", nil, fmt.Errorf("changing the store: no file of %s says %s", store, atOnce)
	}
	return path, text, nil
}

// output runs a command and returns what it printed. Its error says what the command said.
func output(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return "", fmt.Errorf("running %s: %w\n%s", name, err, bytes.TrimSpace(exit.Stderr))
	}
	if err != nil {
		return "", fmt.Errorf("running %s: %w", name, err)
	}
	return string(out), nil
}
