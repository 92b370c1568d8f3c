package zoom

import (
	"context"
	"errors"
	"net"
	"net/http"

	"github.com/gorilla/websocket"

	"roomkiosk/internal/rooms"
)

// maxFrame bounds what Zoom may send at once, in bytes; its events have about one thousand.
const maxFrame = 64 << 10

// token returns a token for a new connection: the one at hand, if it isn't due soon.
func (s *stream) token(ctx context.Context) (token, *rooms.Fault) {
	now := s.c.clock.Now()
	if s.current.value != "" && !now.Before(s.current.made) && now.Add(renewAhead).Before(s.current.renewAt) {
		return s.current, nil
	}
	tok, fault := s.fetch(ctx)
	if fault != nil && refusesGrant(fault) {
		s.grant = 1 - s.grant
		tok, fault = s.fetch(ctx)
	}
	if fault != nil {
		return token{}, fault
	}
	s.current = tok
	return tok, nil
}

// fetch gets a token by the present grant.
func (s *stream) fetch(ctx context.Context) (token, *rooms.Fault) {
	return s.c.tokens.fetchFor(ctx, s.grants[s.grant], s.scrub)
}

func refusesGrant(f *rooms.Fault) bool {
	return f.Kind == rooms.FaultCredentials || f.Kind == rooms.FaultInvalid
}

// refused notes that the stream didn't take the token. The next one is by the other grant, unless
// this one has worked before: then the token just ended.
func (s *stream) refused() {
	s.current = token{}
	s.refusals++
	if !s.proven {
		s.grant = 1 - s.grant
	}
	s.proven = false
}

// accepted notes that the stream took the token.
func (s *stream) accepted() {
	if s.said != "" { // a connection that is merely made anew isn't worth a line
		s.c.log.Info("zoom events heard")
	}
	s.proven, s.refusals, s.said = true, 0, ""
}

// dial opens a connection. The token goes into the query: Zoom doesn't look at headers.
func (s *stream) dial(ctx context.Context, tok token) (*websocket.Conn, *rooms.Fault) {
	u := *s.url
	q := u.Query()
	q.Set("access_token", tok.value)
	u.RawQuery = q.Encode()

	d, open := s.dialer, s.dialer.NetDialContext
	var stops []func() bool
	d.NetDialContext = func(timed context.Context, network, addr string) (net.Conn, error) {
		conn, err := open(timed, network, addr)
		if err == nil { // the library waits for the answer without an eye on the context
			stops = append(stops, context.AfterFunc(ctx, func() { _ = conn.Close() }))
		}
		return conn, err
	}
	conn, resp, err := d.DialContext(ctx, u.String(), http.Header{"User-Agent": {"roomkiosk"}})
	for _, stop := range stops {
		stop()
	}
	if resp != nil {
		_ = resp.Body.Close() // all of it that matters was read
	}
	if err != nil {
		return nil, s.dialFault(resp, err)
	}
	conn.SetReadLimit(maxFrame)
	return conn, nil
}

// dialFault classifies a connection that wasn't made.
func (s *stream) dialFault(resp *http.Response, err error) *rooms.Fault {
	if resp == nil || !errors.Is(err, websocket.ErrBadHandshake) {
		detail := "event stream: " + whyNoAnswer(err)
		if errors.As(err, new(*net.DNSError)) {
			detail += ", and events_url"
		}
		f := newFault(rooms.FaultUnreachable, detail)
		f.Err = s.scrub.errNowhere(err)
		return f
	}
	a := answer{status: resp.StatusCode, header: resp.Header}
	switch {
	case a.status == http.StatusUnauthorized, a.status == http.StatusForbidden:
		return newFault(rooms.FaultCredentials, "the event stream refuses the token; "+remedyAppActive)
	case a.status == http.StatusTooManyRequests, a.status >= 500, a.status == http.StatusRequestTimeout,
		a.status == http.StatusProxyAuthRequired, a.status >= 300 && a.status < 400:
		return s.c.fault(request{}, a)
	default:
		return newFault(rooms.FaultBadAnswer, "the event stream's address doesn't answer as one; check events_url, and "+remedyPortal)
	}
}
