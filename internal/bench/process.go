package main

import (
	"bytes"
	"context"
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
	lookOften  = time.Millisecond // for a page that isn't there yet, where that is timed
	lookEvery  = 100 * time.Millisecond
)

// build builds the binaries, the kiosk's as it is released.
func (b *bench) build(ctx context.Context) error {
	b.kiosk, b.bare = filepath.Join(b.dir, "kiosk"), filepath.Join(b.dir, "bare")
	for binary, pkg := range map[string]string{b.kiosk: "roomkiosk/cmd/kiosk", b.bare: "roomkiosk/internal/bench/bare"} {
		out, err := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, pkg).CombinedOutput()
		if err != nil {
			return fmt.Errorf("building %s: %w\n%s", pkg, err, out)
		}
		forget(ctx, binary)
	}
	return nil
}

// forget makes the kernel read a file anew, as after a boot. It keeps a file that was just written in
// large pieces, and counts those as resident in whoever touches a byte of them.
func forget(ctx context.Context, file string) {
	// Where dd can't, the figures are a little too high.
	_ = exec.CommandContext(ctx, "dd", "of="+file, "oflag=nocache", "conv=notrunc,fdatasync", "count=0", "status=none").Run()
}

// process is a child process. It ends with its context, or stop.
type process struct {
	cmd    *exec.Cmd
	cancel context.CancelFunc
	in     io.WriteCloser
	said   *tail // the end of its stderr
	gone   chan struct{}
}

// launch starts a process. Its stdout goes to out, unless that is nil.
func launch(ctx context.Context, out io.Writer, name string, args ...string) (*process, error) {
	ctx, cancel := context.WithCancel(ctx)
	p := &process{cmd: exec.CommandContext(ctx, name, args...), cancel: cancel, said: &tail{}, gone: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = out, p.said
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = stopGrace
	var err error
	if p.in, err = p.cmd.StdinPipe(); err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		cancel()
		return nil, fmt.Errorf("starting %s: %w", filepath.Base(name), err)
	}
	go func() {
		defer close(p.gone)
		_ = p.cmd.Wait() // it is told to stop, which may look like a failure
	}()
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// stop asks the process to stop, and waits until it has.
func (p *process) stop() {
	_ = p.in.Close() // helpers end with it
	p.cancel()
	<-p.gone
}

// answers waits until url is answered with 200.
func (p *process) answers(ctx context.Context, url string, every time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	tick := time.NewTicker(every)
	defer tick.Stop()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for !isOK(ctx, client, url) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w; stderr ends: %s", url, ctx.Err(), p.said)
		case <-p.gone:
			return fmt.Errorf("waiting for %s: the process has ended; stderr ends: %s", url, p.said)
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

// startBare starts the bare server in one of its modes and returns its base URL.
func (b *bench) startBare(ctx context.Context, mode ...string) (*process, string, error) {
	addr, err := freeAddress()
	if err != nil {
		return nil, "", err
	}
	p, err := launch(ctx, nil, b.bare, append([]string{addr}, mode...)...)
	if err != nil {
		return nil, "", err
	}
	if err := p.answers(ctx, "http://"+addr+"/page", lookOften); err != nil {
		p.stop()
		return nil, "", err
	}
	return p, "http://" + addr, nil
}

// freeAddress is an address that nobody listened on a moment ago.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("finding a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// tail keeps the end of what was written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailSize = 2000

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if n := len(t.text); n > tailSize {
		t.text = append([]byte{}, t.text[n-tailSize:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.text))
}
