package zoom

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"roomkiosk/internal/rooms"
)

// The waits between probes while Zoom is out of reach: 30 s, doubled up to 5 min.
const (
	firstProbe = 30 * time.Second
	lastProbe  = 5 * time.Minute
)

// minRenewal keeps Run from spinning on tokens that end almost at once.
const minRenewal = 10 * time.Second

// reach remembers whether Zoom as a whole can be reached, and tells when that changes.
type reach struct {
	tell    func(*rooms.Fault)
	log     *slog.Logger
	changed chan struct{} // wakes Run

	mu      sync.Mutex
	fault   *rooms.Fault // nil: as far as known it can
	byToken bool         // the fault is one of the token endpoint's
}

func newReach(tell func(*rooms.Fault), log *slog.Logger) *reach {
	if tell == nil {
		tell = func(*rooms.Fault) {}
	}
	return &reach{tell: tell, log: log, changed: make(chan struct{}, 1)}
}

// lost notes that Zoom is out of reach, as a request for a token found out or one to the API.
func (r *reach) lost(fault *rooms.Fault, byToken bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.set(fault, byToken)
}

// still notes why the API is of no use while Zoom is out of reach anyway. That replaces what was said of
// the token endpoint, and a trouble that passes by one that somebody has to end.
func (r *reach) still(fault *rooms.Fault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fault != nil && (r.byToken || !fault.Kind.Temporary()) {
		r.set(fault, false)
	}
}

// set is lost with r.mu held.
func (r *reach) set(fault *rooms.Fault, byToken bool) {
	if r.fault != nil && r.fault.Kind == fault.Kind {
		return
	}
	r.fault, r.byToken = fault, byToken
	r.log.Warn("zoom out of reach", "kind", string(fault.Kind), "error", fault.Error())
	r.tell(fault)
	r.wake()
}

// back notes that Zoom's API answers. That the token endpoint does is not enough: it is another host,
// which firewalls and outages treat in another way.
func (r *reach) back() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fault == nil {
		return
	}
	r.fault = nil
	r.log.Info("zoom in reach again")
	r.tell(nil)
	r.wake()
}

func (r *reach) wake() {
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// now returns the present fault, and takes back a wake-up that is about it.
func (r *reach) now() *rooms.Fault {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.changed:
	default:
	}
	return r.fault
}

// ladder paces probes. It starts anew after a quiet time, not after a success: in bad networks success
// and failure alternate.
type ladder struct {
	wait time.Duration
	at   time.Time // of the last step
}

// next returns the time until the next probe after fault, by the clock's now.
func (l *ladder) next(fault *rooms.Fault, now time.Time) time.Duration {
	if quiet := now.Sub(l.at); quiet > 2*lastProbe || quiet < 0 || l.wait == 0 {
		l.wait = firstProbe
	} else {
		l.wait = min(2*l.wait, lastProbe)
	}
	if !fault.Kind.Temporary() {
		l.wait = lastProbe // somebody has to change something first
	}
	l.at = now
	return max(jittered(l.wait), fault.RetryAfter)
}

// jittered spreads d by a tenth both ways, so that the kiosks of a building don't ask in step.
func jittered(d time.Duration) time.Duration {
	return d + time.Duration((rand.Float64()-0.5)*0.2*float64(d)) //nolint:gosec // not a secret
}

// Run keeps the token fresh: it gets one at once and renews it five minutes before it ends. While
// Zoom is out of reach it asks for a token and, once there is one, the API, every 30 s to 5 min, and
// tells [Config.Reach] when the API answers. It returns nil when ctx ends.
func (c *Client) Run(ctx context.Context) error {
	var l ladder
	wait := c.tokens.renewIn()
	for c.sleep(ctx, &l, wait) {
		if wait = c.breaker.rest(); wait > 0 {
			continue // somebody has just asked; all of the kiosk's requests together are as rare as the breaker's
		}
		_, err := c.tokens.renew(ctx)
		if c.tokens.usable() && (err != nil || c.reach.now() != nil) {
			c.probe(ctx)
		}
		if ctx.Err() != nil {
			break
		}
		wait = c.nextRenewal(&l, rooms.FaultOf(err))
	}
	return nil
}

// probe asks the API for anything. What comes of it the breaker tells: any answer of Zoom's proves that
// it is in reach, also the one that this needs another scope.
func (c *Client) probe(ctx context.Context) {
	_, _, _ = c.try(ctx, request{method: http.MethodGet, path: "/rooms?page_size=1", scope: scopeList})
}

// sleep waits until it is time to ask for a token; what requests find out meanwhile moves that
// time. It returns false when ctx ends.
func (c *Client) sleep(ctx context.Context, l *ladder, wait time.Duration) bool {
	for {
		timer := c.clock.Timer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return false
		case <-timer.C:
			return true
		case <-c.reach.changed:
			timer.Stop()
			wait = c.nextRenewal(l, nil)
		}
	}
}

// nextRenewal returns the time until the next request for a token, given how the last one failed.
func (c *Client) nextRenewal(l *ladder, failed *rooms.Fault) time.Duration {
	out := c.reach.now()
	switch {
	case failed == nil && out == nil:
		return max(c.tokens.renewIn(), minRenewal)
	case out == nil: // there still is a token that works
		c.log.Warn("zoom token not renewed", "kind", string(failed.Kind), "error", failed.Error())
		return l.next(failed, c.clock.Now())
	case failed == nil:
		return l.next(out, c.clock.Now())
	default:
		return l.next(failed, c.clock.Now())
	}
}
