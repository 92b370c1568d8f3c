package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"roomkiosk/internal/rooms"
)

const (
	cutAfter  = 300 * time.Millisecond // the first acknowledgement of a boot, at least
	cutWithin = 3 * time.Second        // and at most
	patience  = 5 * time.Minute        // for a boot, on a machine that has other things to do
	oldFolder = "kiosk"
	newEvery  = 10               // cuts, one is made where the databases are new
	outage    = 15 * time.Minute // on the guest's clock, from one boot to the next: longer than its reservations
)

// trial cuts the power of one machine again and again.
type trial struct {
	sync     string // full or normal
	vm       machine
	cuts     int
	progress io.Writer

	clock   time.Time // the guest's, at its last boot
	ledger  ledger
	done    int // cuts that were made
	unsound int // databases that were found damaged
	took    time.Duration
}

// run makes the cuts, and a last look at what is on the disk.
func (t *trial) run(ctx context.Context) error {
	began := time.Now()
	defer func() { t.took = time.Since(began) }()
	t.clock = began.Add(-outage)
	if err := t.boot(ctx, orders{do: toInstall, folder: oldFolder}); err != nil {
		return err
	}
	for t.done < t.cuts {
		before := len(t.ledger.taps)
		if err := t.boot(ctx, orders{do: toTap, folder: t.folder(), since: t.clock}); err != nil {
			return err
		}
		t.done++
		fmt.Fprintf(t.progress, "powercut: %s %d of %d: %d taps acknowledged before it; of all before, %d lost\n",
			t.sync, t.done, t.cuts, len(t.ledger.taps)-before, t.ledger.lost())
	}
	return t.boot(ctx, orders{do: toLook, folder: oldFolder})
}

// folder is where the kiosk keeps its databases: mostly where they are already, now and then in a
// place where it has to make them.
func (t *trial) folder() string {
	if t.done%newEvery == newEvery-1 {
		return fmt.Sprintf("new-%d", t.done)
	}
	return oldFolder
}

// boot powers the machine on, hears what its disk holds, lets the guest carry out its orders, and cuts
// the power.
func (t *trial) boot(ctx context.Context, o orders) error {
	t.clock = t.clock.Add(outage)
	p, err := t.vm.powerOn(ctx, t.clock, o)
	if err == nil {
		defer p.Kill()
		if err = t.watch(ctx, p, o); err != nil {
			err = p.failed(err)
		}
	}
	if err != nil {
		return fmt.Errorf("synchronous=%s, after %d cuts: %w", t.sync, t.done, err)
	}
	return nil
}

// watch hears what the guest tells, and cuts its power when it is time.
func (t *trial) watch(ctx context.Context, p *powered, o orders) error {
	var held []tap
	late := time.After(patience)
	var now <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-late:
			return fmt.Errorf("waiting for the guest: nothing came of it within %v", patience)
		case <-now:
			return t.cut(p)
		case line, ok := <-p.lines:
			if !ok {
				return errors.New("the machine went off by itself")
			}
			word, rest, _ := strings.Cut(line, " ")
			switch word {
			case toldHeld:
				h, err := tapOf(rest)
				if err != nil {
					return err
				}
				held = append(held, h)
			case toldChecked:
				t.ledger.compare(held, o.do == toLook)
			case toldDone:
				return nil
			case toldAcknowledged:
				if err := t.acknowledged(rest); err != nil {
					return err
				}
				if now == nil {
					late, now = nil, time.After(cutAfter+rand.N(cutWithin-cutAfter))
				}
			default:
				if err := t.told(word, rest); err != nil {
					return err
				}
			}
		}
	}
}

// told takes note of what is bad news.
func (t *trial) told(word, rest string) error {
	switch word {
	case toldUnsound:
		t.unsound++
		fmt.Fprintf(t.progress, "powercut: %s after %d cuts: damaged: %s\n", t.sync, t.done, rest)
		return nil
	case toldFault:
		return fmt.Errorf("the guest says: %s", rest)
	default:
		return fmt.Errorf("the guest says what nobody understands: %s %s", word, rest)
	}
}

func (t *trial) acknowledged(text string) error {
	a, err := tapOf(text)
	if err == nil {
		t.ledger.acknowledge(a)
	}
	return err
}

// cut cuts the power. What was acknowledged until then counts, heard or not yet heard.
func (t *trial) cut(p *powered) error {
	p.Kill()
	for line := range p.lines {
		if text, ok := strings.CutPrefix(line, toldAcknowledged+" "); ok {
			if err := t.acknowledged(text); err != nil {
				return err
			}
		}
	}
	return nil
}

// tapOf reads "ID KIND STATE".
func tapOf(text string) (tap, error) {
	f := strings.Fields(text)
	if len(f) != 3 {
		return tap{}, fmt.Errorf("reading what the guest says: %q is no tap", text)
	}
	return tap{id: f[0], kind: rooms.ActionKind(f[1]), state: rooms.ActionState(f[2])}, nil
}
