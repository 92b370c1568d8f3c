package main

import (
	"bytes"
	"context"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"

	"go.uber.org/goleak"
)

// asKiosk in the environment makes the test binary the kiosk itself, so that a test can kill it.
const asKiosk = "KIOSK_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asKiosk) != "" {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		code := program{stdout: os.Stdout, stderr: os.Stderr}.main(ctx, os.Args[1:])
		stop()
		os.Exit(code)
	}
	goleak.VerifyTestMain(m)
}

// output is what a program prints, readable while it runs.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

func TestUsage(t *testing.T) {
	for _, c := range []struct {
		args           []string
		code           int
		stdout, stderr string
	}{
		{nil, exitUsage, "", "kiosk serve --config FILE"},
		{[]string{"help"}, exitFine, "kiosk serve --config FILE", ""},
		{[]string{"-h"}, exitFine, "kiosk serve --config FILE", ""},
		{[]string{"version"}, exitFine, "SQLite 3.", ""},
		{[]string{"version", "--color"}, exitUsage, "", "-color"},
		{[]string{"dance"}, exitUsage, "", `no command "dance"`},
		{[]string{"serve", "kiosk.toml"}, exitUsage, "", `unexpected argument "kiosk.toml"`},
		{[]string{"serve", "--help"}, exitFine, "", "configuration file"},
		{[]string{"demo", "--speed", "0"}, exitUsage, "", "--speed is from 1"},
		{[]string{"demo", "--listen", "256.0.0.1:1"}, exitFailure, "", "listening on 256.0.0.1:1"},
		{[]string{"check", "--config", "/nonexistent/kiosk.toml"}, exitFailure, "", "/nonexistent/kiosk.toml"},
	} {
		var out, err output
		code := program{stdout: &out, stderr: &err}.main(t.Context(), c.args)
		if code != c.code || !strings.Contains(out.String(), c.stdout) || !strings.Contains(err.String(), c.stderr) {
			t.Errorf("kiosk %q: %d\nstdout: %s\nstderr: %s", c.args, code, out.String(), err.String())
		}
	}
}
