package zoom

import (
	"context"
	"fmt"
	"sync"

	"roomkiosk/internal/rooms"
)

// streamState is what is known of the event stream at a moment.
type streamState struct {
	mu  sync.Mutex
	up  bool
	why *rooms.Fault
}

func (s *streamState) set(up bool, why *rooms.Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.up, s.why = up, why
}

// blame notes why the stream is down, if it is.
func (s *streamState) blame(why *rooms.Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.up {
		s.why = why
	}
}

// Stream tells whether [Client.Listen] hears events now and, if not, why: the last failure, with what to
// do about it in words of IT. why is nil while the stream is up, before the first attempt ended, for the
// moment in which the connection is made anew, and without an EventsURL.
func (c *Client) Stream() (up bool, why *rooms.Fault) {
	s := &c.stream.state
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.up, s.why
}

func noStream() *rooms.Fault {
	return newFault(rooms.FaultInvalid, "events_url isn't the address of an event subscription; "+
		"copy it (wss://...) from the app's page in the Zoom App Marketplace")
}

// CheckStream connects to the event subscription, waits until Zoom confirms that, and closes the
// connection at once. The error is a fault that says what to do: the address, the subscription or the
// app may be wrong.
//
// Zoom keeps one connection of each subscription: for a moment this one takes the place of a running
// kiosk's, which comes back by itself after some seconds, reads its calendars, and doesn't take a single
// such loss for another kiosk on its subscription.
func (c *Client) CheckStream(ctx context.Context) error {
	s := c.stream.unused()
	fault := noStream()
	if s.url != nil {
		fault = s.prove(ctx)
	}
	if fault != nil && s.refusals == 1 {
		fault = s.prove(ctx) // by a token of the other grant
	}
	if fault != nil {
		return fmt.Errorf("connecting to zoom's event stream: %w", fault)
	}
	return nil
}

// unused is the same stream as if nothing had happened yet, without anybody who hears it.
func (s *stream) unused() *stream {
	return &stream{c: s.c, url: s.url, dialer: s.dialer, grants: s.grants, scrub: s.scrub, noList: true}
}

// prove makes a connection and ends it when it is confirmed.
func (s *stream) prove(ctx context.Context) *rooms.Fault {
	proving, enough := context.WithCancel(ctx)
	defer enough()
	confirmed := false
	s.listening = func(up bool) {
		confirmed = confirmed || up
		enough()
	}
	end := s.connect(proving)
	switch {
	case confirmed:
		return nil
	case end.fault == nil: // the caller gave up
		return s.c.noAnswer(ctx.Err(), false)
	default:
		return end.fault
	}
}
