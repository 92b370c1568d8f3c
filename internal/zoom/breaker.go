package zoom

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"

	"roomkiosk/internal/rooms"
)

// The breaker opens after so many failures in a row. It stays open for 15 s, then 30 s and at most a
// minute, or as long as Zoom asked for, up to 5 min.
const (
	tripAfter  = 5
	firstPause = 15 * time.Second
	lastPause  = time.Minute
	maxPause   = 5 * time.Minute
	probeGrace = time.Second // to wait while one request finds out for all
)

// errNoVerdict ends a permit whose request says nothing about Zoom as a whole.
var errNoVerdict = errors.New("no verdict")

// breaker keeps the requests of all rooms away from a Zoom that is down. It speaks for [reach], too:
// while it is open Zoom is out of reach, and only an answer of the API brings Zoom back.
//
// gobreaker counts, and lets one request through to probe. It reads the machine's time, though, so
// its own pause is next to nothing: the pauses are kept here, by the client's clock.
type breaker struct {
	clock rooms.Clock
	reach *reach

	mu     sync.Mutex
	gate   *gobreaker.TwoStepCircuitBreaker[struct{}]
	cause  *rooms.Fault  // the last failure that counted
	pause  time.Duration // of the ladder; 0: the breaker is closed
	held   time.Duration // how long it is open for
	until  time.Time     // when that is over
	opened chan struct{} // closed when it opens
}

// permit lets one request through. It has to be given back: see breaker.leave.
type permit struct {
	done   func(error)
	opened <-chan struct{} // closed when the request may not be sent any more
}

func newBreaker(clock rooms.Clock, r *reach) *breaker {
	b := &breaker{clock: clock, reach: r, opened: make(chan struct{})}
	b.gate = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		Timeout:       time.Nanosecond,
		ReadyToTrip:   func(n gobreaker.Counts) bool { return n.ConsecutiveFailures >= tripAfter },
		IsExcluded:    func(err error) bool { return errors.Is(err, errNoVerdict) },
		OnStateChange: func(_ string, _, to gobreaker.State) { b.turn(to) },
	})
	return b
}

// turn follows the gate. It runs within its calls, with b.mu held.
func (b *breaker) turn(to gobreaker.State) {
	switch to {
	case gobreaker.StateOpen:
		b.pause = min(max(2*b.pause, firstPause), lastPause)
		b.held = max(b.pause, min(b.cause.RetryAfter, maxPause))
		b.until = b.clock.Now().Add(b.held)
		close(b.opened)
		b.reach.lost(b.cause, false)
	case gobreaker.StateHalfOpen:
		b.opened = make(chan struct{})
	case gobreaker.StateClosed:
		b.pause = 0
	}
}

// enter lets a request through, or says why not.
func (b *breaker) enter() (permit, *rooms.Fault) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left() > 0 {
		return permit{}, b.refuse()
	}
	done, err := b.gate.Allow()
	if err != nil {
		return permit{}, b.refuse()
	}
	return permit{done: done, opened: b.opened}, nil
}

// rest is for how long nothing will be sent; 0: the next request may try.
func (b *breaker) rest() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.left()
}

// left is rest with b.mu held. A clock that was set back doesn't hold it.
func (b *breaker) left() time.Duration {
	left := b.until.Sub(b.clock.Now())
	if b.pause == 0 || left > b.held {
		return 0
	}
	return max(left, 0)
}

// refuse is the fault of a request that wasn't sent. b.mu is held.
func (b *breaker) refuse() *rooms.Fault {
	kind := rooms.FaultUnreachable
	if b.cause.Kind == rooms.FaultTrouble {
		kind = rooms.FaultTrouble
	}
	f := newFault(kind, "not sent, as Zoom failed several times in a row: "+b.cause.Detail)
	f.RetryAfter = max(b.left(), probeGrace)
	return f
}

// abandon gives a permit back whose request wasn't sent.
func (b *breaker) abandon(p permit) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p.done(errNoVerdict)
}

// refusal is the fault of a request that wasn't sent because the breaker opened meanwhile.
func (b *breaker) refusal() *rooms.Fault {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.refuse()
}

// leave gives a permit back with what its request came to. status is 0 without an answer of the API:
// what the token endpoint answered is known to reach already.
func (b *breaker) leave(ctx context.Context, p permit, status int, fault *rooms.Fault) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case fault == nil || answered(fault):
		b.until = time.Time{} // also after a late answer, when the breaker is open
		p.done(nil)
		if fault != nil && fault.Kind == rooms.FaultCredentials && status != 0 {
			b.reach.still(fault)
		} else if status != 0 {
			b.reach.back()
		}
	case errors.Is(ctx.Err(), context.Canceled), fault == b.cause, aboutRequest(status, fault):
		p.done(errNoVerdict) // many that waited for one token share its one fault
	default:
		b.cause = fault
		p.done(fault)
		if fault.Kind == rooms.FaultUnreachable {
			b.reach.lost(fault, false)
		} else {
			b.reach.still(fault)
		}
	}
}

// answered tells whether the fault is one that only a Zoom that works can give.
func answered(f *rooms.Fault) bool {
	switch f.Kind {
	case rooms.FaultUnreachable, rooms.FaultTrouble, rooms.FaultBadAnswer:
		return false
	default:
		return true
	}
}

// aboutRequest tells whether a refusal that doesn't look like Zoom's may be about this one request.
func aboutRequest(status int, f *rooms.Fault) bool {
	return f.Kind == rooms.FaultBadAnswer && status >= http.StatusBadRequest
}
