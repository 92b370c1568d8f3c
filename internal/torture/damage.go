package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"roomkiosk/internal/harness"
)

const (
	damageDoors  = 2
	oldTaps      = 80 // in the journal that is damaged: several pages of it
	spareTaps    = 20 // that can still be made
	pageWithin   = 5 * time.Second
	tapWithin    = 10 * time.Second
	backWithin   = 10 * time.Second
	lookGap      = 5 * time.Millisecond
	tapGap       = 250 * time.Millisecond // of somebody who tries again; faster is taken for a flood
	damageSettle = 300 * time.Millisecond // for a wound to be noticed while the kiosk runs
)

// injury is a case: what is wrong, and what has to hold all the same.
type injury struct {
	name      string
	running   bool   // it happens while the kiosk runs, else before it starts
	journal   bool   // taps in the journal may be lost by it
	told      bool   // IT has to be told
	hidden    bool   // it can't be seen while the kiosk runs: what is written after it may be unreadable, too
	mayRefuse bool   // nothing can be written: taps may be refused, with a sentence
	disk      string // "tmpfs" or "ext4": the data folder is on a disk of its own
	fresh     bool   // without a journal and a cache of yesterday
	killed    bool   // those were left by a kiosk that was killed: in their logs, else in the files themselves
	hurt      func(ctx context.Context, dice *rand.Rand, c *ward) error
	heal      func(ctx context.Context, c *ward) error // nil: it stays
	late      bool                                     // it is healed after another start only
}

// injuries are all cases.
func injuries() []injury {
	var all []injury
	for _, file := range []string{"journal.db", "journal.db-wal", "cache.db", "cache.db-wal"} {
		for _, w := range wounds() {
			for _, running := range []bool{false, true} {
				log := strings.HasSuffix(file, "-wal")
				i := injury{
					name: fmt.Sprintf("%s: %s, %s", file, w.name, when(running)), running: running, killed: log,
					journal: strings.HasPrefix(file, "journal"), told: w.plain && !log && !running,
					hidden: w.hidden && running && strings.HasPrefix(file, "journal"),
					hurt: func(_ context.Context, dice *rand.Rand, c *ward) error {
						return w.do(dice, filepath.Join(c.place.data, file))
					},
				}
				if w.heal != nil {
					i.mayRefuse = i.journal && !running // its taps may come back, and do
					i.late = running
					i.heal = func(_ context.Context, c *ward) error { return w.heal(filepath.Join(c.place.data, file)) }
				}
				all = append(all, i)
			}
		}
	}
	return append(all, diskInjuries()...)
}

func diskInjuries() []injury {
	fill := func(_ context.Context, _ *rand.Rand, c *ward) error { return c.disk.fill() }
	free := func(_ context.Context, c *ward) error { return c.disk.free() }
	readOnly := func(ctx context.Context, _ *rand.Rand, c *ward) error { return c.disk.readOnly(ctx) }
	fail := func(ctx context.Context, _ *rand.Rand, c *ward) error { return c.disk.fail(ctx) }
	shut := func(_ context.Context, _ *rand.Rand, c *ward) error { return os.Chmod(c.place.data, 0o555) }
	open := func(_ context.Context, c *ward) error { return os.Chmod(c.place.data, 0o755) }
	return []injury{
		{name: "disk full, before the start", disk: "tmpfs", hurt: fill, heal: free, told: true},
		{name: "disk full, while it runs", disk: "tmpfs", hurt: fill, heal: free, running: true, told: true},
		{name: "disk full, before the first start", disk: "tmpfs", hurt: fill, heal: free, fresh: true, mayRefuse: true, told: true},
		{name: "disk read-only, before the start", disk: "tmpfs", hurt: readOnly, mayRefuse: true, told: true},
		{name: "disk fails and turns read-only, while it runs", disk: "ext4", hurt: fail, running: true, mayRefuse: true, told: true},
		{name: "no right to write to the folder, before the start", hurt: shut, heal: open, mayRefuse: true, told: true},
		{name: "no right to write to the folder, while it runs", hurt: shut, heal: open, running: true, mayRefuse: true},
	}
}

func when(running bool) string {
	if running {
		return "while it runs"
	}
	return "before the start"
}

// hospital is the trial of damage.
type hospital struct {
	*torture
	office *office
	killed string   // a data folder as a killed kiosk left it: all is in its logs
	old    string   // the same, as a kiosk left it that was stopped
	spare  []string // reservations that nobody checked in to
}

// damage damages what the kiosk stores, in every way, and looks whether it lives on.
func (t *torture) damage(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	o, err := openOffice(ctx, damageDoors)
	if err != nil {
		return err
	}
	defer o.close()
	h := &hospital{torture: t, office: o}
	if err := h.admit(ctx); err != nil {
		return fmt.Errorf("making a data folder to damage: %w", err)
	}
	fmt.Fprintf(t.out, "damage: seed %d\n", t.seed)
	counts := map[string]int{}
	for n, i := range injuries() {
		if !strings.Contains(i.name, t.cases) {
			continue
		}
		verdict := h.treat(ctx, n, i)
		counts[verdict]++
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	fmt.Fprintf(t.out, "  %d hold, %d don't, %d skipped\n", counts["ok"], counts["FAIL"], counts["skip"])
	if counts["FAIL"] > 0 {
		return errBroken
	}
	return nil
}

// admit makes the data folders: a kiosk takes taps and is killed, and then one runs and is stopped.
func (h *hospital) admit(ctx context.Context) error {
	p, err := h.office.furnish(filepath.Join(h.dir, "damage-old"))
	if err != nil {
		return err
	}
	h.old, h.killed = p.data, filepath.Join(h.dir, "damage-killed")
	now := time.Now().Truncate(time.Second)
	d := h.office.doors[0]
	for n := range oldTaps + spareTaps {
		h.office.meet(d, fmt.Sprintf("meeting%05d", n), now.Add(-time.Minute), now.Add(6*time.Hour))
	}
	k, err := h.runOld(ctx, p)
	if err != nil {
		return err
	}
	err = h.fillJournal(ctx, newAPI(p.base))
	k.Kill()
	if err == nil {
		err = errors.Join(os.Mkdir(h.killed, 0o755), copyFolder(h.old, h.killed))
	}
	if err != nil {
		return err
	}
	if k, err = h.runOld(ctx, p); err == nil {
		k.Stop()
	}
	return err
}

func (h *hospital) runOld(ctx context.Context, p place) (*harness.Process, error) {
	k, err := harness.Launch(ctx, harness.Options{}, h.kiosk, "serve", "--config", p.file)
	if err != nil {
		return nil, err
	}
	if err := k.Answers(ctx, p.base+"/readyz", harness.LookEvery); err != nil {
		k.Kill()
		return nil, err
	}
	return k, nil
}

// fillJournal makes the old taps, and waits until Zoom has taken them.
func (h *hospital) fillJournal(ctx context.Context, a *api) error {
	d := h.office.doors[0].id
	room, err := a.room(ctx, d)
	if err != nil {
		return err
	}
	for n, r := range room.Reservations {
		if n >= oldTaps {
			h.spare = append(h.spare, r.ID)
			continue
		}
		if status, _, why := a.press(ctx, d, doCheckIn, r.ID); status != http.StatusAccepted {
			return fmt.Errorf("tapping: answered %d: %s", status, why.Title)
		}
	}
	return until(ctx, backWithin, harness.LookEvery, func() error {
		room, err := a.room(ctx, d)
		if err != nil {
			return err
		}
		for _, x := range room.Actions {
			if x.State != "accepted" && x.State != "confirmed" {
				return fmt.Errorf("waiting for taps to reach Zoom: %s", x.State)
			}
		}
		return nil
	})
}

// until tries something every so often until it succeeds, and returns its last error when that takes too
// long.
func until(ctx context.Context, limit, every time.Duration, try func() error) error {
	deadline := time.Now().Add(limit)
	for {
		err := try()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		if err := harness.Wait(ctx, every); err != nil {
			return err
		}
	}
}

// treat carries a case out, prints how it went, and returns ok, FAIL or skip.
func (h *hospital) treat(ctx context.Context, n int, i injury) string {
	c, err := h.bed(ctx, n, i)
	if err == nil {
		defer c.leave()
		err = c.treatment(ctx)
	}
	switch {
	case errors.Is(err, errNoDisk), errors.Is(err, errUnhurt), errors.Is(err, fs.ErrNotExist):
		fmt.Fprintf(h.out, "  skip  %-60s %v\n", i.name, err)
		return "skip"
	case err != nil:
		c.fail("%v", err)
	}
	if len(c.broken) == 0 {
		fmt.Fprintf(h.out, "  ok    %-60s %s\n", i.name, strings.Join(c.notes, ", "))
		return "ok"
	}
	fmt.Fprintf(h.out, "  FAIL  %-60s %s\n", i.name, strings.Join(c.notes, ", "))
	for _, b := range c.broken {
		fmt.Fprintf(h.out, "        - %s\n", b)
	}
	for _, line := range c.complaints() {
		fmt.Fprintf(h.out, "          %s\n", line)
	}
	return "FAIL"
}
