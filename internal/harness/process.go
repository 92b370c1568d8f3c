// Package harness is what programs share that drive the kiosk's real binary from outside: bench, which
// measures it, and torture, which breaks it. It runs child processes and looks at them in /proc, so it
// needs Linux.
package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

const (
	stopGrace  = 5 * time.Second  // for a process that was asked to stop
	startLimit = 90 * time.Second // to the first page, or to schedules of all rooms
)

// How often to look for a page that isn't there yet.
const (
	LookOften = time.Millisecond // where the time until it is there is measured
	LookEvery = 100 * time.Millisecond
)

// Options are what a child process may be given. The zero value gives it nothing.
type Options struct {
	Out  io.Writer            // takes its stdout
	Attr *syscall.SysProcAttr // such as another user
}

// Process is a child process. It ends with its context, Stop, or Kill.
type Process struct {
	In   io.WriteCloser // its stdin
	Said *Tail          // the end of its stderr
	Gone chan struct{}  // closed when it has ended

	cmd    *exec.Cmd
	cancel context.CancelFunc
}

// Launch starts a process.
func Launch(ctx context.Context, o Options, name string, args ...string) (*Process, error) {
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // starting what its caller built is what it is for
	p := &Process{cmd: cmd, cancel: cancel, Said: &Tail{}, Gone: make(chan struct{})}
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = o.Out, p.Said, o.Attr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopGrace
	var err error
	if p.In, err = cmd.StdinPipe(); err == nil {
		err = cmd.Start()
	}
	if err != nil {
		cancel()
		return nil, fmt.Errorf("starting %s: %w", filepath.Base(name), err)
	}
	go func() {
		defer close(p.Gone)
		_ = cmd.Wait() // it is told to stop, which may look like a failure
	}()
	return p, nil
}

// PID is the process's number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Stop asks the process to stop, and waits until it has.
func (p *Process) Stop() {
	_ = p.In.Close() // helpers end with it
	p.cancel()
	<-p.Gone
}

// Kill ends the process as kill -9 does, and waits until it has ended.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // if it has ended by itself, that shows elsewhere
	<-p.Gone
	p.cancel()
}

// Ended tells whether the process has ended.
func (p *Process) Ended() bool {
	select {
	case <-p.Gone:
		return true
	default:
		return false
	}
}

// Answers waits until url is answered with 200.
func (p *Process) Answers(ctx context.Context, url string, every time.Duration) error {
	return p.AnswersWithin(ctx, startLimit, url, every)
}

// errNoAnswer is in the error of a wait that took too long.
var errNoAnswer = errors.New("no answer in time")

// AnswersWithin waits until url is answered with 200, but no longer than limit.
func (p *Process) AnswersWithin(ctx context.Context, limit time.Duration, url string, every time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errNoAnswer)
	defer cancel()
	tick := time.NewTicker(every)
	defer tick.Stop()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for !isOK(ctx, client, url) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w; stderr ends: %s", url, context.Cause(ctx), p.Said)
		case <-p.Gone:
			return fmt.Errorf("waiting for %s: the process has ended; stderr ends: %s", url, p.Said)
		case <-tick.C:
		}
	}
	return nil
}

func isOK(ctx context.Context, client *http.Client, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	res, err := client.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return err == nil && res.StatusCode == http.StatusOK
}

// FreeAddress is an address that nobody listened on a moment ago.
func FreeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("finding a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// Wait sleeps, unless the context ends.
func Wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Tail keeps the end of what was written to it.
type Tail struct {
	mu   sync.Mutex
	text []byte
}

const tailSize = 4000

// Write takes everything.
func (t *Tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if n := len(t.text); n > tailSize {
		t.text = append([]byte{}, t.text[n-tailSize:]...)
	}
	return len(p), nil
}

// String is what it kept.
func (t *Tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.text))
}
