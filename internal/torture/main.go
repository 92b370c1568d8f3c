// Command torture does to the kiosk what walls do to it in years, in minutes, and checks that it keeps
// its promises: it drives the real binary, as its users have it, against the simulated services.
//
//   - kill: kill -9 at random moments while people tap and Zoom misbehaves. No tap that was
//     acknowledged may be lost, sent although it was undone, or overtaken by a later one.
//   - damage: databases that are damaged, and disks that are full or read-only, before the start and
//     while it runs. The panel shows, and taps are taken or refused with a sentence.
//   - day: a day at speed with a real Chromium. Neither the page nor the server may grow.
//
// It needs Linux, Go with a C compiler, Chromium for the day, and root for the disks; what can't be
// done here is skipped with a reason. The exit code is 1 when a promise was broken.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "torture:", err)
		os.Exit(1)
	}
}

// errBroken: what was broken has been printed.
var errBroken = errors.New("a promise was broken")

// torture is what the trials work with.
type torture struct {
	dir    string // temporary: removed at the end
	kiosk  string // the binary
	seed   uint64
	cycles int
	speed  float64
	cases  string
	out    io.Writer
}

// trial is one way to torture.
type trial struct {
	name string
	run  func(t *torture, ctx context.Context) error
}

func trials() []trial {
	return []trial{{"kill", (*torture).kill}, {"damage", (*torture).damage}, {"day", (*torture).day}}
}

// roll is a source of chance of its own: the n-th.
func (t *torture) roll(n uint64) *rand.Rand { return rand.New(rand.NewPCG(t.seed, n)) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	t := &torture{out: stdout}
	f := flag.NewFlagSet("torture", flag.ContinueOnError)
	f.SetOutput(stderr)
	only := f.String("only", "kill,damage,day", "the `trials` to run")
	f.IntVar(&t.cycles, "cycles", 1000, "kill: how often to kill")
	f.Uint64Var(&t.seed, "seed", 0, "chance begins here; 0: anywhere. Equal seeds give the same decisions, not the same races")
	f.Float64Var(&t.speed, "speed", 240, "day: how many times as fast as real `time` passes: two days take 12 minutes at 240")
	f.StringVar(&t.cases, "case", "", "damage: only cases whose name contains this")
	f.StringVar(&t.kiosk, "kiosk", "", "the kiosk's `binary`; empty: it is built")
	if err := f.Parse(args); err != nil {
		return err
	}
	wanted, err := pick(*only)
	if err != nil {
		return err
	}
	if t.dir, err = os.MkdirTemp("", "kiosk-torture-"); err != nil {
		return fmt.Errorf("making a temporary folder: %w", err)
	}
	defer os.RemoveAll(t.dir)
	if err := t.prepare(ctx); err != nil {
		return err
	}
	var broken error
	for _, w := range wanted {
		began := time.Now()
		err := w.run(t, ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			fmt.Fprintf(stdout, "%s: FAILED: %v\n", w.name, err)
			broken = errBroken
		}
		fmt.Fprintf(stdout, "%s: %.0f s\n\n", w.name, time.Since(began).Seconds())
	}
	return broken
}

func pick(names string) ([]trial, error) {
	var wanted []trial
	for name := range strings.SplitSeq(names, ",") {
		all := trials()
		i := slices.IndexFunc(all, func(t trial) bool { return t.name == name })
		if i < 0 {
			return nil, fmt.Errorf("reading -only: there is no trial %q", name)
		}
		wanted = append(wanted, all[i])
	}
	return wanted, nil
}

// prepare makes the binary, and the folder one that another user can look into: some kiosks run as one.
func (t *torture) prepare(ctx context.Context) error {
	if t.seed == 0 {
		t.seed = rand.Uint64()
	}
	if err := os.Chmod(t.dir, 0o755); err != nil {
		return fmt.Errorf("opening the temporary folder: %w", err)
	}
	if t.kiosk != "" {
		return nil
	}
	t.kiosk = filepath.Join(t.dir, "kiosk")
	out, err := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", t.kiosk, "roomkiosk/cmd/kiosk").CombinedOutput()
	if err != nil {
		return fmt.Errorf("building the kiosk: %w\n%s", err, out)
	}
	return nil
}
