package zoom

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"

	"roomkiosk/internal/rooms"
)

// request is one request to the REST API.
type request struct {
	method      string
	path        string // under the API's URL, escaped, with its query
	contentType string
	body        []byte
	scope       string // that it needs
	effect      bool   // it changes something, so a lost answer is ambiguous
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
	unread bool // there was a body, but it is too large or was cut off
}

func (a answer) complaint() complaint { return parseComplaint(a.body) }

func (a answer) empty() bool { return !a.unread && len(bytes.TrimSpace(a.body)) == 0 }

// page tells whether the body is a page for people. Zoom's API has none: it comes from a proxy or
// from the log-in page of a network.
func (a answer) page() bool {
	kind, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	return kind == "text/html" && bytes.HasPrefix(bytes.TrimSpace(a.body), []byte("<"))
}

// ok tells whether Zoom did or took what was asked.
func (a answer) ok() bool { return a.status >= 200 && a.status < 300 && !a.page() }

// call sends req when it is its turn, with the shared token, once more with a new token if Zoom
// refused the first one as such, and returns the answer of a success. The error is a fault. While
// Zoom as a whole is down nothing is sent.
func (c *Client) call(ctx context.Context, req request) (answer, error) {
	a, tok, fault := c.try(ctx, req)
	if fault == nil {
		return a, nil
	}
	if fault.Kind == rooms.FaultPermission {
		// A scope that IT adds reaches only tokens that are made after that.
		c.tokens.dropOld(tok)
	}
	return answer{}, fault
}

// try is call without conclusions about the token.
func (c *Client) try(ctx context.Context, req request) (answer, token, *rooms.Fault) {
	p, fault := c.breaker.enter()
	if fault != nil {
		return answer{}, token{}, fault
	}
	if err := c.line.wait(ctx, req.effect, p.opened); err != nil {
		return answer{}, token{}, c.notSent(p, err)
	}
	a, tok, fault := c.attempt(ctx, req)
	c.breaker.leave(ctx, p, a.status, fault)
	return a, tok, fault
}

// notSent is the fault of a request whose turn didn't come.
func (c *Client) notSent(p permit, err error) *rooms.Fault {
	c.breaker.abandon(p)
	if errors.Is(err, errOpened) {
		return c.breaker.refusal()
	}
	if errors.Is(err, context.Canceled) {
		return c.noAnswer(err, false)
	}
	f := newFault(rooms.FaultThrottled, "not sent in time, as this kiosk has too many requests at once")
	f.Err = err
	return f
}

// attempt gets the token and sends req. Without an answer the answer is zero.
func (c *Client) attempt(ctx context.Context, req request) (answer, token, *rooms.Fault) {
	tok, err := c.tokens.get(ctx)
	if err != nil {
		return answer{}, tok, rooms.FaultOf(err)
	}
	a, fault := c.send(ctx, req, tok)
	if fault == nil && a.refusedToken() {
		// Refused means not carried out, so sending it again is safe.
		c.tokens.drop(tok)
		if tok, err = c.tokens.get(ctx); err != nil {
			return answer{}, tok, rooms.FaultOf(err)
		}
		a, fault = c.send(ctx, req, tok)
	}
	if fault == nil && !a.ok() {
		fault = c.fault(req, a)
	}
	return a, tok, fault
}

// send sends req once. A fault means that there was no answer.
func (c *Client) send(ctx context.Context, req request, tok token) (answer, *rooms.Fault) {
	var sent delivery
	ctx = httptrace.WithClientTrace(ctx, sent.trace())
	r, err := http.NewRequestWithContext(ctx, req.method, c.api+req.path, bytes.NewReader(req.body))
	if err != nil {
		return answer{}, newFault(rooms.FaultInvalid, "the request can't be made; check api_url and zoom_room_id")
	}
	r.Header.Set("Authorization", "Bearer "+tok.value)
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "roomkiosk")
	if req.contentType != "" {
		r.Header.Set("Content-Type", req.contentType)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return answer{}, c.noAnswer(err, req.effect && sent.possible(err))
	}
	defer func() { _ = resp.Body.Close() }()
	return c.read(req, resp)
}

// read reads the answer. What an accepted request with an effect says besides is of no interest, and
// if it breaks off that doesn't undo the acceptance.
func (c *Client) read(req request, resp *http.Response) (answer, *rooms.Fault) {
	a := answer{status: resp.StatusCode, header: resp.Header}
	if req.effect && a.ok() {
		a.body, _ = io.ReadAll(io.LimitReader(resp.Body, 4<<10))
		return a, nil
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil && a.ok():
		return answer{}, c.noAnswer(err, false)
	case err != nil, len(body) > maxAnswer:
		a.unread = true
	default:
		a.body = body
	}
	return a, nil
}

// noAnswer is the fault of a request that failed under way.
func (c *Client) noAnswer(err error, ambiguous bool) *rooms.Fault {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err // without the URL, which names the room
	}
	f := newFault(rooms.FaultUnreachable, whyNoAnswer(err))
	f.Ambiguous = ambiguous
	f.Err = c.scrub.err(err)
	return f
}

// whyNoAnswer says in words of IT what is wrong with the way to Zoom.
func whyNoAnswer(err error) string {
	var (
		dns    *net.DNSError
		op     *net.OpError
		cert   *tls.CertificateVerificationError
		record tls.RecordHeaderError
		slow   net.Error
	)
	switch {
	case errors.Is(err, context.Canceled):
		return "given up before an answer came"
	case errors.As(err, &dns):
		return "the name of Zoom's server can't be resolved; check DNS"
	case errors.As(err, &cert):
		return "the server's certificate isn't trusted; check the clock, and the CA of a proxy that inspects TLS"
	case errors.As(err, &record):
		return "the server doesn't speak TLS; check the URL, and " + remedyPortal
	case errors.As(err, &op) && op.Op == "dial":
		return "no connection to Zoom's server; check network and firewall"
	case errors.As(err, &slow) && slow.Timeout():
		return "no answer in time"
	default:
		return "the connection broke before an answer came"
	}
}

// delivery watches whether a request may have reached the server.
type delivery struct {
	asked     atomic.Bool // the transport reports what it does
	connected atomic.Bool // the request was handed to a connection
}

// trace counts a request as possibly sent from the moment it has a connection: what the connection
// wrote before it broke is not known for sure. The transport starts over by itself only when
// nothing was written, so a new attempt clears the flag.
func (d *delivery) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) { d.asked.Store(true); d.connected.Store(false) },
		GotConn: func(httptrace.GotConnInfo) { d.connected.Store(true) },
	}
}

// possible tells whether the request that ended with err may have been carried out.
func (d *delivery) possible(err error) bool {
	if d.asked.Load() {
		return d.connected.Load()
	}
	// A transport that reports nothing: only its errors can prove that nothing was sent.
	var dns *net.DNSError
	var op *net.OpError
	var cert *tls.CertificateVerificationError
	dial := errors.As(err, &op) && op.Op == "dial"
	return !dial && !errors.As(err, &dns) && !errors.As(err, &cert)
}
