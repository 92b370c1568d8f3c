package ews

import (
	"context"
	"net/http"
	"sync"

	"github.com/Azure/go-ntlmssp"

	"roomkiosk/internal/calendar"
)

// maxLines is how many requests are under way at once.
const maxLines = 4

// lines are the connections to the server. NTLM signs in a connection with three requests that must
// all go over it, so each line has a transport with at most one connection, and serves one request
// at a time. The line that was used last is used next: it is the likeliest to be signed in still.
type lines struct {
	slots chan struct{} // one for each line that is in use
	open  func() *line

	mu   sync.Mutex
	idle []*line
}

// line is one connection, kept open between requests.
type line struct {
	client *http.Client
	tap    *tap
}

func newLines(cfg Config) *lines {
	most, model := maxLines, http.RoundTripper(calendar.Transport())
	if cfg.HTTP != nil && cfg.HTTP.Transport != nil {
		model = cfg.HTTP.Transport
	}
	if _, ok := model.(*http.Transport); !ok {
		most = 1
	}
	return &lines{
		slots: make(chan struct{}, most),
		open:  func() *line { return newLine(cfg, model) },
	}
}

func newLine(cfg Config, model http.RoundTripper) *line {
	tap := &tap{next: single(model)}
	if cfg.Wrap != nil {
		tap.next = cfg.Wrap(tap.next)
	}
	client := &http.Client{Transport: tap, CheckRedirect: stay}
	if cfg.HTTP != nil {
		client.Timeout = cfg.HTTP.Timeout
	}
	if cfg.Auth == NTLM {
		client.Transport = ntlmssp.Negotiator{RoundTripper: tap}
	}
	return &line{client, tap}
}

// stay keeps redirects from being followed: they lead to a login page, and would turn the request
// into one without a body.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// single copies a transport, for one connection of HTTP/1.1.
func single(model http.RoundTripper) http.RoundTripper {
	t, ok := model.(*http.Transport)
	if !ok {
		return model
	}
	t = t.Clone()
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	t.ForceAttemptHTTP2, t.TLSNextProto, t.HTTP2 = false, nil, nil
	if t.TLSClientConfig != nil {
		t.TLSClientConfig.NextProtos = nil // the model may have offered HTTP/2 before
	}
	t.MaxConnsPerHost, t.MaxIdleConnsPerHost = 1, 1
	return t
}

// take waits for a line. It has to be given back.
func (l *lines) take(ctx context.Context) (*line, error) {
	select {
	case l.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if last := len(l.idle) - 1; last >= 0 {
		used := l.idle[last]
		l.idle = l.idle[:last]
		return used, nil
	}
	return l.open(), nil
}

func (l *lines) give(used *line) {
	l.mu.Lock()
	l.idle = append(l.idle, used)
	l.mu.Unlock()
	<-l.slots
}

// tap is a transport that notes what came of its last request. Package ntlmssp answers with the
// server's first refusal when the connection breaks while signing in; that must not pass for a wrong
// password.
type tap struct {
	next   http.RoundTripper
	failed error // nil: the request was answered
}

func (t *tap) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(r)
	t.failed = err
	return resp, err
}
