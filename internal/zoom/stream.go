package zoom

import (
	"context"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/oauth2/clientcredentials"

	"roomkiosk/internal/rooms"
)

// The waits between connections: a random time of 1 s to a ceiling that doubles from 2 s to a minute.
// A connection that held a minute starts it anew.
const (
	firstCeiling = 2 * time.Second
	lastCeiling  = time.Minute
	steady       = time.Minute
)

// A connection that is closed within seconds, again and again although Zoom confirmed it, was closed
// because somebody else uses the subscription, as Zoom keeps one connection of each. Whoever gives
// way tries seldom, until nothing of the kind has happened for far longer than these waits.
const (
	pushedOut      = 10 * time.Second
	rivalAfter     = 3
	firstRivalWait = time.Minute
	lastRivalWait  = 10 * time.Minute
	noRival        = 30 * time.Minute
)

// rivalRemedy says what is wrong then.
const rivalRemedy = "another kiosk seems to use the same event subscription, and each closes the other's connection; " +
	"make an event subscription for every kiosk in the Zoom App Marketplace, and put its address into events_url"

// refusedOften is how many tokens in a row the stream refuses before it is asked seldom: Zoom disables
// apps that fail too often.
const refusedOften = 4

// stream is the client of the event subscription: developers.zoom.us/docs/api/websockets. Only Listen
// touches what it remembers, besides state.
type stream struct {
	c         *Client
	url       *url.URL // nil: none, or not one of a websocket
	dialer    websocket.Dialer
	listening func(up bool)
	scrub     *scrubber
	noList    bool // the list of offline rooms is out of bounds

	// The grants that tokens can be had by. Zoom documents the first for the stream; there are accounts
	// where only the second works.
	grants   [2]*clientcredentials.Config
	grant    int
	proven   bool // it has worked
	current  token
	refusals int // tokens in a row that the stream refused

	failures int       // in a row
	rivals   int       // connections that were pushed out
	pushedAt time.Time // the last of them, or what ended while a rival was suspected
	said     string    // of the failure that was logged; empty: all is well

	state streamState
}

// ending is how a connection, or the attempt to make one, came to its end.
type ending struct {
	fault     *rooms.Fault // nil: it was time for a new token
	confirmed bool
	held      time.Duration // since it was confirmed
	remote    bool          // the connection was closed by the other side
}

func newStream(cfg Config, c *Client) *stream {
	s := &stream{c: c, listening: cfg.Listening, said: "nothing yet", scrub: newScrubber(cfg.ClientID, cfg.ClientSecret)}
	if s.listening == nil {
		s.listening = func(bool) {}
	}
	s.dialer = websocket.Dialer{
		Proxy: http.ProxyFromEnvironment, NetDialContext: dialer().DialContext, HandshakeTimeout: requestTimeout,
	}
	if u, err := url.Parse(cfg.EventsURL); err == nil && (u.Scheme == "wss" || u.Scheme == "ws") && u.Host != "" {
		s.url = u
	} else if cfg.EventsURL != "" {
		s.state.set(false, noStream())
	}
	documented := c.tokens.oauth
	documented.EndpointParams = nil // the library's own grant is client_credentials
	s.grants = [2]*clientcredentials.Config{&documented, &c.tokens.oauth}
	return s
}

// Listen keeps a connection to the event subscription, and passes what it hears to [Config.Hear]. It
// returns nil when ctx ends, and at once without an EventsURL. It must not run twice at a time.
//
// Zoom doesn't repeat what was missed: whenever [Config.Listening] is told true, schedules have to be
// read afresh. That is also so once an hour, when the connection is made anew with a new token.
func (c *Client) Listen(ctx context.Context) error {
	s := c.stream
	if s.url == nil {
		return nil
	}
	for {
		end := s.connect(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if end.fault == nil {
			continue
		}
		s.mention(end.fault)
		wait := s.pause(end)
		if s.rivals >= rivalAfter {
			s.state.set(false, newFault(rooms.FaultUnreachable, rivalRemedy))
		}
		timer := c.clock.Timer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
	}
}

// mention notes a failure, and logs it unless it is that of the attempt before. What a library says of
// it doesn't count: it differs by ports and moments.
func (s *stream) mention(f *rooms.Fault) {
	s.state.blame(f)
	if cause := string(f.Kind) + ": " + f.Detail; cause != s.said {
		s.said = cause
		s.c.log.Warn("zoom events not heard", "kind", string(f.Kind), "error", f.Error())
	}
}

// connect makes a connection and attends to it until it ends.
func (s *stream) connect(ctx context.Context) ending {
	tok, fault := s.token(ctx)
	if fault != nil {
		return ending{fault: fault}
	}
	conn, fault := s.dial(ctx, tok)
	if fault != nil {
		if fault.Kind == rooms.FaultCredentials {
			s.refused()
		}
		return ending{fault: fault}
	}
	l := newListener(s, conn, tok)
	defer l.close()
	return l.attend(ctx)
}

// pause is the time until the next attempt.
func (s *stream) pause(end ending) time.Duration {
	if end.held >= steady {
		s.failures = 0
	}
	ceiling := min(firstCeiling<<min(s.failures, 10), lastCeiling)
	s.failures++
	wait := time.Second + time.Duration(rand.Float64()*float64(ceiling-time.Second)) //nolint:gosec // not a secret
	if !end.fault.Kind.Temporary() && (end.fault.Kind != rooms.FaultCredentials || s.refusals == 0 || s.refusals >= refusedOften) {
		wait = jittered(lastProbe) // somebody has to change something first
	}
	return max(wait, s.giveWay(end), end.fault.RetryAfter)
}

// giveWay is how long to leave the subscription to somebody else; 0: there is nobody.
func (s *stream) giveWay(end ending) time.Duration {
	now := s.c.clock.Now()
	if now.Sub(s.pushedAt) > noRival {
		s.rivals = 0
	}
	closed, quickly := end.confirmed && end.remote, end.held < pushedOut
	if closed && (quickly || s.rivals >= rivalAfter) {
		s.pushedAt = now
	}
	if closed && quickly {
		s.rivals++
		if s.rivals == rivalAfter {
			s.c.log.Warn(rivalRemedy)
		}
	}
	if s.rivals < rivalAfter {
		return 0
	}
	ceiling := min(firstRivalWait<<min(s.rivals-rivalAfter, 10), lastRivalWait)
	return ceiling/2 + time.Duration(rand.Float64()*float64(ceiling/2)) //nolint:gosec // not a secret
}
