// Command load measures how the kiosk takes a crowd: all browsers coming back at once after it was
// killed, and taps during a flood of rubbish. It runs the real binary, with rooms on a feed of its own,
// and real sockets:
//
//	go run ./internal/bench/load -panels 1000 -rooms 100 -rubbish 10000
//
// It needs Linux and Go with a C compiler. All of it shares the machine's CPUs, so a latency is an upper
// bound. It reports; the exit code is 1 when something couldn't be measured.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"roomkiosk/internal/harness"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	o, err := parse(os.Args[1:], os.Stderr)
	if err == nil {
		_, err = measure(ctx, o, os.Stdout)
	}
	stop()
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

// options are what is wanted.
type options struct {
	panels, rooms int           // browsers, half of them panels, and the rooms that they watch
	rubbish       int           // requests a second
	connections   int           // that it comes over
	lasting       time.Duration // how long it comes
	down          time.Duration // how long the server is gone
}

func parse(args []string, stderr io.Writer) (o options, err error) {
	f := flag.NewFlagSet("load", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.IntVar(&o.panels, "panels", 1000, "browsers, every other one a panel, the others viewers")
	f.IntVar(&o.rooms, "rooms", 100, "rooms that they watch")
	f.IntVar(&o.rubbish, "rubbish", 10000, "requests a second that make no sense")
	f.IntVar(&o.connections, "connections", 200, "connections that it comes over; one address has no more, unless it is this machine's")
	f.DurationVar(&o.lasting, "lasting", 10*time.Second, "how long rubbish comes")
	f.DurationVar(&o.down, "down", 2*time.Second, "how long the server is gone; systemd starts it again after 2 s")
	err = f.Parse(args)
	return o, err
}

// figures are what was measured.
type figures struct {
	back       []time.Duration // after the server's first page until a browser showed its screen
	calm, loud tapping
	flood      flooding
	calmMemory float64 // resident bytes, with all browsers there
	loudMemory float64 // after the flood
}

// measure starts a kiosk with a crowd, kills it, starts it again, and floods it.
func measure(ctx context.Context, o options, out io.Writer) (figures, error) {
	dir, err := os.MkdirTemp("", "kiosk-load-")
	if err != nil {
		return figures{}, fmt.Errorf("making a temporary folder: %w", err)
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "kiosk")
	if text, err := exec.CommandContext(ctx, "go", "build", "-o", binary, "roomkiosk/cmd/kiosk").CombinedOutput(); err != nil {
		return figures{}, fmt.Errorf("building the kiosk: %w\n%s", err, text)
	}
	calendar := openFeed()
	defer calendar.Close()
	k, err := setUp(dir, binary, calendar.URL, o.rooms)
	if err != nil {
		return figures{}, err
	}
	fmt.Fprintf(out, "%s, %s/%s, %d CPUs: %d browsers, %d rooms\n\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), o.panels, o.rooms)
	if err := k.start(ctx); err != nil {
		return figures{}, err
	}
	defer func() { k.Kill() }()
	c := gather(ctx, k.addr, o)
	defer c.leave()
	var f figures
	if err := f.restart(ctx, k, c, o, out); err != nil {
		return f, err
	}
	return f, f.flooded(ctx, k, o, out)
}

// restart kills the kiosk and waits until everybody is back.
func (f *figures) restart(ctx context.Context, k *kiosk, c *crowd, o options, out io.Writer) error {
	if err := c.shown(ctx, time.Time{}); err != nil {
		return err
	}
	k.Kill()
	killed := time.Now()
	if err := harness.Wait(ctx, o.down); err != nil {
		return err
	}
	if err := k.start(ctx); err != nil {
		return err
	}
	if err := c.shown(ctx, killed); err != nil {
		return err
	}
	f.back = c.since(k.began)
	if err := c.agree(); err != nil {
		return err
	}
	fmt.Fprintf(out, "killed, and started again after %v: first page %.0f ms after the start\n", o.down, ms(k.took))
	fmt.Fprintf(out, "  browsers that show the newest screen of their room: %d of %d\n", len(f.back), o.panels)
	fmt.Fprintf(out, "  after the server's start: median %.2f s, p99 %.2f s, last %.2f s (promised: 5 s)\n\n",
		harness.Median(f.back).Seconds(), harness.Quantile(f.back, 0.99).Seconds(), harness.Quantile(f.back, 1).Seconds())
	return nil
}

// flooded compares taps without rubbish with taps in the midst of it.
func (f *figures) flooded(ctx context.Context, k *kiosk, o options, out io.Writer) error {
	targets, err := k.targets(ctx)
	if err != nil {
		return err
	}
	half := len(targets) / 2
	if f.calmMemory, _, err = harness.Resident(k.PID()); err != nil {
		return err
	}
	f.calm = tapAll(ctx, k.addr, targets[:half], o.lasting)
	stop := flood(ctx, k.addr, o.rubbish, o.connections)
	f.loud = tapAll(ctx, k.addr, targets[half:], o.lasting)
	f.flood = stop()
	if f.loudMemory, _, err = harness.Resident(k.PID()); err != nil {
		return err
	}
	fmt.Fprintf(out, "taps, each of its own, on the disk before the answer\n")
	fmt.Fprintf(out, "  without rubbish: %v\n  with rubbish:    %v (promised: p99 100 ms)\n", f.calm, f.loud)
	fmt.Fprintf(out, "rubbish from 127.0.0.9, %d a second wanted over %d connections: %v\n", o.rubbish, o.connections, f.flood)
	fmt.Fprintf(out, "resident memory of the server: %.1f MB before, %.1f MB after\n", f.calmMemory/1e6, f.loudMemory/1e6)
	return ctx.Err()
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
