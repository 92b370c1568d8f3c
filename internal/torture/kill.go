package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"roomkiosk/internal/harness"
	"roomkiosk/internal/rooms"
)

const (
	killDoors    = 6
	killClients  = 4
	killWithin   = 400 * time.Millisecond // of something interesting, or of the start
	restartLimit = 5 * time.Second
	observeGap   = 50 * time.Millisecond
	shortRun     = 200 // cycles: fewer of them are for people and pipelines that wait
	settleLimit  = 30 * time.Second
)

// slaughter is the trial of kills.
type slaughter struct {
	*torture
	office *office
	place  place
	diary  *diary
	ledger *ledger
	dice   *rand.Rand
	began  time.Time
	kiosk  *harness.Process
	api    *api
}

// kill kills the kiosk at random moments, while people tap and Zoom misbehaves.
func (t *torture) kill(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	o, err := openOffice(ctx, killDoors)
	if err != nil {
		return err
	}
	defer o.close()
	p, err := o.furnish(filepath.Join(t.dir, "kill"))
	if err != nil {
		return err
	}
	longest := 24 * time.Second
	if t.cycles > shortRun {
		longest = 90 * time.Second
	}
	s := &slaughter{
		torture: t, office: o, place: p, ledger: newLedger(), dice: t.roll(1), began: time.Now(),
		diary: newDiary(o, t.roll(2), longest), api: newAPI(p.base),
	}
	o.gate.tellOf(s.ledger.stir)
	fmt.Fprintf(t.out, "kill: %d cycles, seed %d\n", t.cycles, t.seed)
	if err := s.storm(ctx); err != nil {
		return err
	}
	return s.judge(ctx)
}

// storm kills so often, while everything else goes on.
func (s *slaughter) storm(ctx context.Context) error {
	storm, stop := context.WithCancel(ctx) // the kiosk outlives it
	var around sync.WaitGroup
	defer around.Wait()
	defer stop()
	s.diary.keep(time.Now())
	if err := s.start(ctx); err != nil {
		return err
	}
	around.Go(func() { s.diary.run(storm) })
	around.Go(func() { (&weather{s.office, s.roll(3)}).run(storm) })
	around.Go(func() { s.observe(storm) })
	for n := range killClients {
		c := &client{number: n, api: newAPI(s.place.base), diary: s.diary, ledger: s.ledger, dice: s.roll(uint64(10 + n))}
		around.Go(func() { c.run(storm) })
	}
	checked := make(chan error, 1)
	checked <- nil
	for n := range s.cycles {
		if err := s.live(ctx); err != nil {
			return err
		}
		s.ledger.killed(time.Now())
		s.kiosk.Kill()
		at, copied := time.Now(), filepath.Join(s.dir, fmt.Sprintf("copy-%d", n%2))
		if err := errors.Join(<-checked, s.copyStores(copied)); err != nil {
			return err
		}
		if err := s.start(ctx); err != nil {
			return fmt.Errorf("after %d kills: %w", n+1, err)
		}
		go func() { checked <- s.check(ctx, copied, at) }()
	}
	return <-checked
}

// start starts the kiosk and waits until it answers; now and then it doesn't get that far.
func (s *slaughter) start(ctx context.Context) error {
	for s.dice.IntN(10) == 0 {
		p, err := harness.Launch(ctx, harness.Options{}, s.torture.kiosk, "serve", "--config", s.place.file)
		if err != nil {
			return err
		}
		if err := harness.Wait(ctx, time.Duration(s.dice.IntN(40))*time.Millisecond); err != nil {
			return err
		}
		s.ledger.killed(time.Now())
		p.Kill()
	}
	began := time.Now()
	p, err := harness.Launch(ctx, harness.Options{}, s.torture.kiosk, "serve", "--config", s.place.file)
	if err != nil {
		return err
	}
	s.kiosk = p
	if err := p.AnswersWithin(ctx, restartLimit, s.place.base+"/api/v1/rooms/"+s.office.doors[0].id, harness.LookOften); err != nil {
		return fmt.Errorf("restarting: %w", err)
	}
	s.ledger.restarted(time.Since(began))
	return nil
}

// live waits for the moment to kill: mostly soon after something interesting, the sooner the likelier,
// else at any time.
func (s *slaughter) live(ctx context.Context) error {
	chance := s.dice.Float64()
	d := time.Duration(chance * float64(killWithin))
	if s.dice.IntN(3) > 0 {
		d = time.Duration(chance * chance * chance * float64(killWithin))
		select {
		case <-s.ledger.stirred: // it may have been a moment ago: then this is the time at all
		default:
		}
		select {
		case <-s.ledger.stirred:
		case <-time.After(killWithin):
		case <-ctx.Done():
		}
	}
	return harness.Wait(ctx, d)
}

// observe asks for the rooms, one after the other, until the context ends.
func (s *slaughter) observe(ctx context.Context) {
	for n := 0; harness.Wait(ctx, observeGap) == nil; n++ {
		s.look(ctx, s.office.doors[n%len(s.office.doors)])
	}
}

func (s *slaughter) look(ctx context.Context, d door) {
	if room, err := s.api.room(ctx, d.id); err == nil { // else it is dead
		s.ledger.saw(room.Actions)
	}
}

func (s *slaughter) copyStores(to string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	return errors.Join(
		copyDatabase(filepath.Join(s.place.data, "journal.db"), filepath.Join(to, "journal.db")),
		copyDatabase(filepath.Join(s.place.data, "cache.db"), filepath.Join(to, "cache.db")),
	)
}

// check looks at what a killed kiosk left behind.
func (s *slaughter) check(ctx context.Context, dir string, at time.Time) error {
	for _, name := range []string{"journal.db", "cache.db"} {
		said, err := integrity(ctx, filepath.Join(dir, name))
		if err != nil || said != "ok" {
			return fmt.Errorf("after a kill, %s: %s: %w", name, said, errors.Join(errBroken, err))
		}
	}
	rows, err := readJournal(ctx, filepath.Join(dir, "journal.db"))
	if err != nil {
		return err
	}
	e := s.ledger.evidence(at)
	e.rows = rows
	if broken := e.kept(); len(broken) > 0 {
		e.requests, e.events = s.office.gate.requests(), s.diary.truths()
		e.printFindings(s.out, broken, s.began)
		return fmt.Errorf("%d taps lost: %w", len(broken), errBroken)
	}
	return nil
}

// judge gives the kiosk the time that it needs, and looks at everything.
func (s *slaughter) judge(ctx context.Context) error {
	limit := s.diary.last().Add(settleLimit)
	for {
		for _, d := range s.office.doors {
			s.look(ctx, d)
		}
		if s.atRest() || time.Now().After(limit) {
			break
		}
		if err := harness.Wait(ctx, harness.LookEvery); err != nil {
			return err
		}
	}
	s.kiosk.Kill()
	final := filepath.Join(s.dir, "final")
	if err := s.copyStores(final); err != nil {
		return err
	}
	if err := s.check(ctx, final, time.Now()); err != nil {
		return err
	}
	e := s.ledger.evidence(time.Now())
	var err error
	if e.rows, err = readJournal(ctx, filepath.Join(final, "journal.db")); err != nil {
		return err
	}
	e.requests, e.events = s.office.gate.requests(), s.diary.truths()
	s.print(e)
	if broken := e.settled(); len(broken) > 0 {
		e.printFindings(s.out, broken, s.began)
		return fmt.Errorf("%d findings: %w", len(broken), errBroken)
	}
	return nil
}

// atRest tells whether nothing that was shown last is under way any more.
func (s *slaughter) atRest() bool {
	for _, a := range s.ledger.evidence(time.Now()).shown {
		if a.state.Open() {
			return false
		}
	}
	return true
}

func (s *slaughter) print(e *evidence) {
	e.figures().table(s.out)
	took := s.ledger.took
	fmt.Fprintf(s.out, "  kills                %6d   (integrity_check was ok after each)\n", len(e.kills))
	fmt.Fprintf(s.out, "  restart              p50 %s, p99 %s, worst %s, of %d\n",
		ms(harness.Quantile(took, 0.5)), ms(harness.Quantile(took, 0.99)), ms(harness.Quantile(took, 1)), len(took))
	var why []string
	for _, r := range e.rows {
		if r.state == rooms.Failed {
			why = append(why, r.reason)
		}
	}
	fmt.Fprintf(s.out, "  reasons of failures  %s\n", strings.Join(tally(why), ", "))
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", d.Seconds()*1000) }
