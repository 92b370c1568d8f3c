package zoom

import (
	"context"
	"errors"
	"time"

	"golang.org/x/time/rate"

	"roomkiosk/internal/rooms"
)

// The pace of requests to the API. A paid account may send 20 a second, all its apps together.
const (
	perSecond = 15
	burst     = 15
	spare     = 5 // of the burst, which requests without an effect leave to taps
)

// shortestTurn keeps the head of the line from spinning.
const shortestTurn = time.Millisecond

// errOpened ends the wait of those who may not send any more.
var errOpened = errors.New("the breaker opened")

// line is where requests wait for their turn: two lines, each in order, and only who is at the head
// of one looks at the limiter. Taps need one free slot, other requests wait until there are spare
// ones, so that a tap goes ahead of any number of them.
type line struct {
	clock rooms.Clock
	slots *rate.Limiter
	taps  chan struct{} // held by the head
	reads chan struct{}
}

func newLine(clock rooms.Clock) *line {
	return &line{
		clock: clock, slots: rate.NewLimiter(perSecond, burst),
		taps: make(chan struct{}, 1), reads: make(chan struct{}, 1),
	}
}

// wait returns when it is the caller's turn. It ends early with the error of ctx, or with errOpened
// when stop is closed.
func (l *line) wait(ctx context.Context, effect bool, stop <-chan struct{}) error {
	head, need := l.reads, 1+spare
	if effect {
		head, need = l.taps, 1
	}
	select {
	case head <- struct{}{}:
		defer func() { <-head }()
	case <-stop:
		return errOpened
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		now := l.clock.Now()
		missing := float64(need) - l.slots.TokensAt(now)
		if missing <= 0 && l.slots.AllowN(now, 1) {
			return stopped(stop)
		}
		turn := max(time.Duration(missing/perSecond*float64(time.Second)), shortestTurn)
		timer := l.clock.Timer(turn)
		select {
		case <-timer.C:
		case <-stop:
			timer.Stop()
			return errOpened
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
		if l.clock.Now().Sub(now) < turn {
			return stopped(stop) // the clock was set back; the time has passed all the same
		}
	}
}

func stopped(stop <-chan struct{}) error {
	select {
	case <-stop:
		return errOpened
	default:
		return nil
	}
}
