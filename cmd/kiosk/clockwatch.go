package main

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"roomkiosk/internal/config"
	"roomkiosk/internal/rooms"
)

// clockEvery is how often the clock is looked at: a screen is wrong for so long after it was set.
const clockEvery = time.Second

// Where systemd-timesyncd says what it knows. A service in a sandbox can look there, while the
// kernel's own word (adjtimex) is kept from it.
const (
	timesyncDir = "/run/systemd/timesync"
	syncedFile  = "synchronized" // there once the time is known, and touched with each correction
)

// timesyncd asks systemd-timesyncd.
func timesyncd() rooms.TimeSync { return timesyncdIn(timesyncDir) }

func timesyncdIn(dir string) rooms.TimeSync {
	_, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return rooms.TimeSync{}
	}
	said := rooms.TimeSync{Watched: true}
	if f, err := os.Stat(filepath.Join(dir, syncedFile)); err == nil {
		said.At = f.ModTime()
	}
	return said
}

// clockwatch gathers the evidence about the clock, and says what to think of it. It is safe for
// concurrent use.
type clockwatch struct {
	clock rooms.Clock
	sync  func() rooms.TimeSync

	mu    sync.Mutex
	watch *rooms.ClockWatch
	last  time.Time // of the last look, by the machine's monotonic clock, which nobody can set
	doubt rooms.ClockDoubt
}

func newClockwatch(clock rooms.Clock, sync func() rooms.TimeSync, declared bool, stored time.Time) *clockwatch {
	return &clockwatch{clock: clock, sync: sync, watch: rooms.NewClockWatch(declared, stored), last: time.Now()}
}

// look judges the clock now.
func (c *clockwatch) look() (doubt rooms.ClockDoubt, stepped bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now, real := c.clock.Now(), time.Now()
	c.doubt, stepped = c.watch.Look(now, real.Sub(c.last), c.sync())
	c.last = real
	return c.doubt, stepped
}

// believed returns what was thought of the clock at the last look.
func (c *clockwatch) believed() rooms.ClockDoubt {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.doubt
}

// run tells whenever the opinion of the clock changes, or it was set, until the context ends.
func (c *clockwatch) run(ctx context.Context, tell func(rooms.ClockDoubt)) {
	tick := time.NewTicker(clockEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		before := c.believed()
		if doubt, stepped := c.look(); stepped || doubt != before {
			tell(doubt)
		}
	}
}

// dated takes the Date of every answer that comes through a transport as evidence.
func (c *clockwatch) dated(service string, next http.RoundTripper) http.RoundTripper {
	return promhttp.RoundTripperFunc(func(r *http.Request) (*http.Response, error) {
		answer, err := next.RoundTrip(r)
		if err != nil {
			return answer, err
		}
		if date, err := http.ParseTime(answer.Header.Get("Date")); err == nil {
			c.mu.Lock()
			c.watch.Answered(service, date, c.clock.Now())
			c.mu.Unlock()
		}
		return answer, nil
	})
}

// knowClock makes what watches the clock, and asks it once.
func (k *kiosk) knowClock(stored time.Time) {
	// A demo's clock isn't the machine's: nothing speaks for or against it.
	declared := k.cfg.ClockMode == config.ClockTrusted || k.in.rate != 1
	sync := k.in.timeSync
	if sync == nil {
		sync = timesyncd
	}
	k.clock = newClockwatch(k.in.clock, sync, declared, stored)
	k.clock.look()
}

// watchClock tells the keepers what to think of the clock until the context ends. A demo's clock runs at
// another pace than the machine's: there is nothing to compare it with.
func (k *kiosk) watchClock(ctx context.Context) {
	if k.in.rate == 1 {
		k.clock.run(ctx, k.tellClock)
	}
}

// steady is a clock that nobody can set, where the kiosk's own one is the machine's.
func (k *kiosk) steady() func() time.Duration {
	if k.in.rate != 1 {
		return nil
	}
	start := time.Now()
	return func() time.Duration { return time.Since(start) }
}
