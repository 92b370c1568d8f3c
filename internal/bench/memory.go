package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"roomkiosk/internal/harness"
	"roomkiosk/internal/sim"
)

const (
	promiseIdle   = 25e6 // bytes
	promiseViewer = 1.3
	memoryPoll    = time.Second
	settleIdle    = 5 * time.Second // polls happen in it
	settleViewers = 2 * time.Second
)

// usage is what a server takes, in bytes.
type usage struct {
	idle, own float64 // own: without the pages of its files
	perViewer float64
}

// measureMemory looks at the resident memory of a kiosk with one room: at rest, and with 1,000
// viewers who were all shown a change. In turns with it, the bare server.
func measureMemory(ctx context.Context, b *bench) ([]row, error) {
	var ours, bare []usage
	for range b.rounds(3, 1) {
		u, frame, err := b.weighKiosk(ctx)
		if err != nil {
			return nil, err
		}
		ours = append(ours, u)
		if u, err = b.weighBare(ctx, frame); err != nil {
			return nil, err
		}
		bare = append(bare, u)
	}
	idle := func(u usage) float64 { return u.idle }
	perViewer := func(u usage) float64 { return u.perViewer }
	a, z := medianOf(ours, idle), medianOf(bare, idle)
	v, w := medianOf(ours, perViewer), medianOf(bare, perViewer)
	return []row{
		{
			what: "resident memory, 1 room, idle", kiosk: mb(a), bare: mb(z), ratio: timesOf(a, z),
			promise: "<= " + mb(promiseIdle), verdict: verdictOf(a <= promiseIdle),
			notes: []string{fmt.Sprintf("VmRSS with an existing database, the largest of %s with a poll every %s; %s of it isn't pages of the binary; bare: net/http with gorilla",
				settleIdle, memoryPoll, mb(medianOf(ours, func(u usage) float64 { return u.own })))},
		},
		{
			what: "resident memory per viewer", kiosk: kb(v), bare: kb(w), ratio: timesOf(v, w),
			promise: fmt.Sprintf("<= %.1f x", promiseViewer), verdict: verdictOf(v <= promiseViewer*w),
			notes: []string{fmt.Sprintf("growth over %d sockets that were all shown a change; bare: gorilla, small buffers, hand-off, one reading goroutine each; medians of %d processes each, in turns",
				viewers, len(ours))},
		},
	}, nil
}

func medianOf(all []usage, field func(usage) float64) float64 {
	values := make([]float64, len(all))
	for i, u := range all {
		values[i] = field(u)
	}
	return harness.Median(values)
}

// weighKiosk also returns the size of what viewers were shown.
func (b *bench) weighKiosk(ctx context.Context) (usage, int, error) {
	world, s, err := openOffice(ctx, 1)
	if err != nil {
		return usage{}, 0, err
	}
	defer world.Close()
	file, addr, err := b.setUpUsed(ctx, s, memoryPoll)
	if err != nil {
		return usage{}, 0, err
	}
	k, err := b.run(ctx, file, addr)
	if err != nil {
		return usage{}, 0, err
	}
	defer k.Stop()
	html, err := firstPart(ctx, k.live("ada", "viewer"))
	if err != nil {
		return usage{}, 0, err
	}
	u, err := weigh(ctx, k.Process, k.live("ada", "viewer"), func(mark string) error {
		now := time.Now().Truncate(time.Second)
		world.Calendar.Put(world.Rooms[0].CalendarID, sim.Event{ID: mark, Title: mark, Start: now, End: now.Add(time.Hour)})
		return nil
	})
	return u, len(html), err
}

func (b *bench) weighBare(ctx context.Context, size int) (usage, error) {
	p, base, err := b.startBare(ctx, "ws")
	if err != nil {
		return usage{}, err
	}
	defer p.Stop()
	return weigh(ctx, p, "ws"+strings.TrimPrefix(base, "http")+"/live", func(mark string) error {
		body := mark + strings.Repeat("x", size)
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/broadcast", strings.NewReader(body))
		if err != nil {
			return err
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return fmt.Errorf("broadcasting: %w", err)
		}
		return res.Body.Close()
	})
}

// weigh looks at a server at rest, then opens sockets, shows them all a change that has a mark in it,
// and looks again.
func weigh(ctx context.Context, p *harness.Process, url string, change func(mark string) error) (usage, error) {
	idle, own, err := heaviest(ctx, p.PID(), settleIdle)
	if err != nil {
		return usage{}, err
	}
	c, err := gather(ctx, url, viewers)
	if err != nil {
		return usage{}, err
	}
	defer c.close()
	if err := harness.Wait(ctx, settleViewers); err != nil {
		return usage{}, err
	}
	const mark = "changed0"
	all := c.expect(mark)
	if err := change(mark); err != nil {
		return usage{}, err
	}
	if _, err := await(ctx, all); err != nil {
		return usage{}, err
	}
	full, _, err := heaviest(ctx, p.PID(), settleViewers)
	return usage{idle: idle, own: own, perViewer: (full - idle) / viewers}, err
}

// heaviest is the most memory that a process has resident at any look within d.
func heaviest(ctx context.Context, pid int, d time.Duration) (all, own float64, err error) {
	for until := time.Now().Add(d); time.Now().Before(until); {
		if err := harness.Wait(ctx, 100*time.Millisecond); err != nil {
			return 0, 0, err
		}
		a, o, err := harness.Resident(pid)
		if err != nil {
			return 0, 0, err
		}
		all, own = max(all, a), max(own, o)
	}
	return all, own, nil
}
