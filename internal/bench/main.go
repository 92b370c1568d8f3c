// Command bench measures what the kiosk promises, and prints one table. Beside each figure stands
// what the bare thing (the libraries alone, on the same machine, in the same minutes) takes for it, so
// that a row says as much on a busy laptop as on an idle server.
//
// It needs Linux, Go with a C compiler, and Chromium for the row about the browser. It reports; it
// isn't a test: the exit code is 0 whatever was missed, and 1 when something couldn't be measured.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 3 && os.Args[1] == helping {
		beHelper(os.Args[2], os.Args[3:])
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// errIncomplete: what failed is in the table.
var errIncomplete = errors.New("not everything could be measured")

// measurement measures one thing, or what can be seen on one occasion.
type measurement struct {
	name string // what -only matches
	run  func(ctx context.Context, b *bench) ([]row, error)
}

// measurements are in the order of the table.
func measurements() []measurement {
	return []measurement{
		{"tap", measureTap},
		{"fanout", measureFanOut},
		{"page", measurePage},
		{"memory", measureMemory},
		{"start", measureStart},
		{"browser", measureBrowser},
		{"size", measureSize},
		{"fleet", measureFleet},
		{"writes", measureWrites},
		{"glass", measureGlass},
		{"calendars", measureCalendars},
	}
}

// bench is what measurements work with.
type bench struct {
	dir   string // temporary: removed at the end
	kiosk string // the binary as it is released
	bare  string // the binary of ./bare
	quick bool
}

// rounds is how often to repeat something.
func (b *bench) rounds(full, quick int) int {
	if b.quick {
		return quick
	}
	return full
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	only := f.String("only", "", "measure only what matches the `regexp`: tap, fanout, page, memory, start, browser, size, fleet, writes, glass, calendars")
	quick := f.Bool("quick", false, "fewer rounds: a look, not a measurement")
	if err := f.Parse(args); err != nil {
		return err
	}
	wanted, err := regexp.Compile(*only)
	if err != nil {
		return fmt.Errorf("reading -only: %w", err)
	}
	dir, err := os.MkdirTemp("", "kiosk-bench-")
	if err != nil {
		return fmt.Errorf("making a temporary folder: %w", err)
	}
	defer os.RemoveAll(dir)
	b := &bench{dir: dir, quick: *quick}
	fmt.Fprintln(stderr, "bench: building")
	if err := b.build(ctx); err != nil {
		return err
	}
	printMachine(stdout, dir)
	return b.measure(ctx, wanted, stdout, stderr)
}

// measure carries out what is wanted and prints the table.
func (b *bench) measure(ctx context.Context, wanted *regexp.Regexp, stdout, stderr io.Writer) error {
	var rows []row
	var failed error
	start := time.Now()
	for _, m := range measurements() {
		if !wanted.MatchString(m.name) {
			continue
		}
		began := time.Now()
		fmt.Fprintf(stderr, "bench: %-8s", m.name)
		got, err := m.run(ctx, b)
		fmt.Fprintf(stderr, "%5.1f s\n", time.Since(began).Seconds())
		if err != nil {
			got, failed = []row{{what: m.name, notes: []string{"not measured: " + err.Error()}, verdict: failure}}, errIncomplete
		}
		rows = append(rows, got...)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if rows == nil {
		return fmt.Errorf("reading -only: nothing is called %s", wanted)
	}
	printTable(stdout, rows)
	fmt.Fprintf(stdout, "\nMeasured in %.0f s.\n", time.Since(start).Seconds())
	return failed
}
