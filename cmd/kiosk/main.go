// Command kiosk is a meeting-room panel: it shows a room's reservations at the door, in browsers and
// as JSON, and brings check-ins and releases to Zoom.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// Exit codes.
const (
	exitFine    = 0
	exitFailure = 1 // explained on stderr
	exitUsage   = 2
)

// gcPercent is how much garbage may pile up, in percent of what is live.
const gcPercent = 50

func main() {
	leanly()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := program{stdout: os.Stdout, stderr: os.Stderr}.main(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// leanly has garbage collected twice as often as Go does by itself: the kiosk has little to collect,
// and shares a small machine with a browser. GOGC in the environment says otherwise.
func leanly() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

// program is the command line, as a value that tests can run.
type program struct {
	stdout, stderr io.Writer
}

const usage = `kiosk shows meeting rooms at their doors and checks people in.

  kiosk serve --config FILE               run
  kiosk demo [--listen ADDR] [--speed N]  try it: three rooms on simulated services
  kiosk check --config FILE               try every credential, room and calendar
  kiosk version                           print versions

Exit codes: 0 fine, 1 a failure explained on stderr, 2 wrong usage.
`

// errUsage is wrong usage that has been explained.
var errUsage = errors.New("usage")

// errExplained is a failure that has been explained.
var errExplained = errors.New("explained")

func (p program) main(ctx context.Context, args []string) int {
	err := p.command(ctx, args)
	switch {
	case err == nil, errors.Is(err, context.Canceled) && ctx.Err() != nil, errors.Is(err, flag.ErrHelp):
		return exitFine
	case errors.Is(err, errUsage):
		return exitUsage
	case errors.Is(err, errExplained):
		return exitFailure
	default:
		fmt.Fprintln(p.stderr, "kiosk:", err)
		return exitFailure
	}
}

func (p program) command(ctx context.Context, args []string) error {
	if len(args) == 0 {
		fmt.Fprint(p.stderr, usage)
		return errUsage
	}
	name, rest := args[0], args[1:]
	switch name {
	case "serve":
		return p.serve(ctx, rest)
	case "demo":
		return p.demo(ctx, rest)
	case "check":
		return p.check(ctx, rest)
	case "version":
		return p.version(rest)
	case "help", "-h", "-help", "--help":
		fmt.Fprint(p.stdout, usage)
		return nil
	default:
		fmt.Fprintf(p.stderr, "kiosk: there is no command %q\n\n%s", name, usage)
		return errUsage
	}
}

// flags makes a command's flag set. Its parse errors have been printed.
func (p program) flags(name string) *flag.FlagSet {
	f := flag.NewFlagSet("kiosk "+name, flag.ContinueOnError)
	f.SetOutput(p.stderr)
	return f
}

// parse parses a command's arguments, of which there may be none but flags.
func (p program) parse(f *flag.FlagSet, args []string) error {
	err := f.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return err
	case err != nil:
		return errUsage
	case f.NArg() > 0:
		fmt.Fprintf(p.stderr, "%s: unexpected argument %q\n", f.Name(), f.Arg(0))
		f.Usage()
		return errUsage
	}
	return nil
}
