// Command powercut runs the kiosk in a virtual machine and cuts its power at random moments while
// people tap. After each cut the machine boots from the same disk, and the journal has to be sound and
// to hold every tap that was acknowledged. To show that it could tell, it does the same with a kiosk
// whose journal isn't synced at each commit; that one has to lose taps.
//
// What a cut loses is what the guest had not handed to its disk. The disk keeps what it was handed, in
// its order: a card that lies about that is not modelled.
//
// It needs Linux on amd64, Go with a C compiler, and what `scripts/need vm` installs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == guestCommand {
		beGuest(os.Args[2:])
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "powercut:", err)
		os.Exit(1)
	}
}

// leastTaps is how many taps have to be acknowledged between two cuts, on average. With fewer it
// would be chance that found a loss, or didn't.
const leastTaps = 5

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	f := flag.NewFlagSet("powercut", flag.ContinueOnError)
	f.SetOutput(stderr)
	cuts := f.Int("cuts", 200, "cut the power so often, for each kind of journal")
	vm := f.String("vm", ".bin/vm", "the `folder` that scripts/need has unpacked the kernel into")
	together := f.Bool("together", false, "run both kinds at once, each in a machine of its own")
	if err := f.Parse(args); err != nil {
		return err
	}
	if *cuts < 1 {
		return fmt.Errorf("reading -cuts: %d is too few", *cuts)
	}
	dir, err := os.MkdirTemp("", "kiosk-powercut-")
	if err != nil {
		return fmt.Errorf("making a temporary folder: %w", err)
	}
	defer os.RemoveAll(dir)
	fmt.Fprintln(stderr, "powercut: building")
	trials, err := prepare(ctx, dir, *vm)
	if err != nil {
		return err
	}
	for _, t := range trials {
		t.cuts, t.progress = *cuts, stderr
	}
	failed := runAll(ctx, trials, *together)
	printFigures(stdout, trials)
	return errors.Join(failed, verdict(trials))
}

// prepare makes what both kinds of journal are tried on: the kiosk as it is released, and one that
// leaves it to the kernel when a commit reaches the disk.
func prepare(ctx context.Context, dir, vm string) ([]*trial, error) {
	k, err := findKernel(vm)
	if err != nil {
		return nil, err
	}
	var trials []*trial
	for _, sync := range []string{full, normal} {
		t := &trial{sync: sync}
		kiosk, err := buildKiosk(ctx, dir, sync)
		if err != nil {
			return nil, err
		}
		if t.vm, err = newMachine(ctx, dir, sync, k, kiosk); err != nil {
			return nil, err
		}
		trials = append(trials, t)
	}
	return trials, nil
}

// runAll runs the trials. After one that couldn't be carried out, the rest would tell nothing.
func runAll(ctx context.Context, trials []*trial, together bool) error {
	errs := make([]error, len(trials))
	var wg sync.WaitGroup
	for i, t := range trials {
		wg.Go(func() { errs[i] = t.run(ctx) })
		if together {
			continue
		}
		if wg.Wait(); errs[i] != nil {
			break
		}
	}
	wg.Wait()
	return errors.Join(errs...)
}

func printFigures(w io.Writer, trials []*trial) {
	fmt.Fprintf(w, "%-13s %5s %18s %5s %19s %8s\n", "synchronous", "cuts", "acknowledged taps", "lost", "integrity failures", "seconds")
	for _, t := range trials {
		fmt.Fprintf(w, "%-13s %5d %18d %5d %19d %8.0f\n", t.sync, t.done, len(t.ledger.taps), t.ledger.lost(), t.unsound, t.took.Seconds())
	}
}

// verdict is an error unless nothing was lost, and would have been found if it had been.
func verdict(trials []*trial) error {
	var errs []error
	for _, t := range trials {
		taps, lost := len(t.ledger.taps), t.ledger.lost()
		switch {
		case t.done < t.cuts:
			errs = append(errs, fmt.Errorf("synchronous=%s: %d of %d cuts were made", t.sync, t.done, t.cuts))
		case taps < leastTaps*t.cuts:
			errs = append(errs, fmt.Errorf("synchronous=%s: %d taps acknowledged in %d cuts are too few to tell anything", t.sync, taps, t.cuts))
		case t.sync == full && lost > 0:
			errs = append(errs, fmt.Errorf("%d acknowledged taps were lost", lost))
		case t.sync == normal && lost == 0:
			errs = append(errs, errors.New("nothing was lost without syncing either: this test can't tell"))
		}
		if t.unsound > 0 {
			errs = append(errs, fmt.Errorf("synchronous=%s: %d databases were damaged", t.sync, t.unsound))
		}
	}
	return errors.Join(errs...)
}
