package zoom

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"roomkiosk/internal/rooms"
)

const (
	tokenLife   = time.Hour        // when Zoom doesn't say
	renewAhead  = 5 * time.Minute  // Run renews a token so long before it ends
	tokenMargin = 30 * time.Second // and from then on it isn't used any more
	refusalHeld = 10 * time.Second // a refusal of the credentials answers for further requests
	youngToken  = time.Minute      // younger tokens have every scope that the app has
)

// token is an access token by the client's clock.
type token struct {
	value   string
	scopes  []string // empty when Zoom doesn't say
	made    time.Time
	renewAt time.Time
	endsAt  time.Time // not used from here on
}

// tokens holds the one token of the account. At most one request for a token is under way; whoever
// needs it waits for that one.
type tokens struct {
	oauth clientcredentials.Config
	http  *http.Client
	c     *Client

	mu        sync.Mutex
	current   token
	flight    *flight
	refusal   *rooms.Fault
	refusedAt time.Time
}

// flight is a request for a token that is under way. It belongs to nobody in particular: it ends
// early only when all who wait for it have left.
type flight struct {
	done    chan struct{}
	cancel  context.CancelFunc
	waiters int   // under tokens.mu
	tok     token // valid once done is closed
	fault   *rooms.Fault
}

func newTokens(cfg Config, c *Client) *tokens {
	hc := *c.http
	hc.Transport = basicAuth{id: cfg.ClientID, secret: cfg.ClientSecret, next: hc.Transport}
	return &tokens{c: c, http: &hc, oauth: clientcredentials.Config{
		ClientID:     cfg.ClientID,
		ClientSecret: cfg.ClientSecret,
		TokenURL:     cfg.TokenURL,
		AuthStyle:    oauth2.AuthStyleInHeader, // never probed: a probe sends the secret in the form
		EndpointParams: url.Values{
			"grant_type": {"account_credentials"},
			"account_id": {cfg.AccountID},
		},
	}}
}

// basicAuth signs token requests as Zoom documents it, base64(client_id:client_secret). The library
// escapes both for a form first, as RFC 6749 has it, which changes a secret with a + or / in it.
type basicAuth struct {
	id, secret string
	next       http.RoundTripper
}

func (b basicAuth) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.SetBasicAuth(b.id, b.secret)
	return b.next.RoundTrip(r)
}

// get returns a token that hasn't ended. While there is one nobody waits, not even when it is due
// for renewal: that is Run's business.
func (t *tokens) get(ctx context.Context) (token, error) {
	now := t.c.clock.Now()
	t.mu.Lock()
	if t.current.value != "" && now.Before(t.current.endsAt) {
		defer t.mu.Unlock()
		return t.current, nil
	}
	if age := now.Sub(t.refusedAt); t.refusal != nil && age >= 0 && age < refusalHeld {
		defer t.mu.Unlock()
		return token{}, t.refusal
	}
	return t.join(ctx)
}

// renew returns a token that is newer than the call.
func (t *tokens) renew(ctx context.Context) (token, error) {
	t.mu.Lock()
	return t.join(ctx)
}

// drop forgets tok, unless somebody has replaced it already.
func (t *tokens) drop(tok token) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current.value == tok.value {
		t.current = token{}
	}
}

// dropOld forgets tok if it may be from before a change of the app's scopes.
func (t *tokens) dropOld(tok token) {
	if t.c.clock.Now().Sub(tok.made) > youngToken {
		t.drop(tok)
	}
}

// renewIn returns the time until the token is due for renewal; 0 without a token.
func (t *tokens) renewIn() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current.value == "" {
		return 0
	}
	return max(t.current.renewAt.Sub(t.c.clock.Now()), 0)
}

// usable tells whether there is a token that hasn't ended.
func (t *tokens) usable() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.current.value != "" && t.c.clock.Now().Before(t.current.endsAt)
}

// join waits for the flight, and starts it if there is none. It is called with t.mu held, and
// unlocks it.
func (t *tokens) join(ctx context.Context) (token, error) {
	f := t.flight
	if f == nil {
		f = t.launch(ctx)
	}
	f.waiters++
	t.mu.Unlock()
	select {
	case <-f.done:
		if f.fault != nil {
			return token{}, f.fault
		}
		return f.tok, nil
	case <-ctx.Done():
		t.leave(f)
		return token{}, t.c.noAnswer(ctx.Err(), false)
	}
}

func (t *tokens) leave(f *flight) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if f.waiters--; f.waiters == 0 {
		f.cancel()
		if t.flight == f {
			t.flight = nil
		}
	}
}

// launch starts a flight; t.mu is held.
func (t *tokens) launch(ctx context.Context) *flight {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f := &flight{done: make(chan struct{}), cancel: cancel}
	t.flight = f
	go func() {
		defer close(f.done)
		defer cancel()
		f.tok, f.fault = t.fetch(ctx)
		t.land(f)
		if ctx.Err() == nil {
			t.report(f.fault)
		}
	}()
	return f
}

// land stores the outcome of a flight.
func (t *tokens) land(f *flight) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.flight == f {
		t.flight = nil
	}
	switch {
	case f.fault == nil:
		t.current, t.refusal = f.tok, nil
	case f.fault.Kind == rooms.FaultCredentials:
		t.refusal, t.refusedAt = f.fault, t.c.clock.Now()
	}
}

// report tells what the outcome says about Zoom as a whole: with a token at hand, trouble of the token
// endpoint alone is none yet. That there is a token again is no news either, until the API takes it.
func (t *tokens) report(fault *rooms.Fault) {
	if fault != nil && !t.usable() {
		t.c.reach.lost(fault, true)
	}
}

// fetch asks Zoom for a token, once.
func (t *tokens) fetch(ctx context.Context) (token, *rooms.Fault) {
	return t.fetchFor(ctx, &t.oauth, t.c.scrub)
}

// fetchFor asks for a token by any grant, and makes it known to scrub as a secret.
func (t *tokens) fetchFor(ctx context.Context, grant *clientcredentials.Config, scrub *scrubber) (token, *rooms.Fault) {
	made := t.c.clock.Now()
	ctx = context.WithValue(ctx, oauth2.HTTPClient, t.http)
	got, err := grant.Token(ctx)
	if err != nil {
		return token{}, t.c.tokenFault(err)
	}
	scrub.learn(got.AccessToken)
	life := lifeOf(got.Extra("expires_in"))
	scopes, _ := got.Extra("scope").(string)
	return token{
		value:   got.AccessToken,
		scopes:  strings.Fields(scopes),
		made:    made,
		renewAt: made.Add(max(life-renewAhead, life/2)),
		endsAt:  made.Add(max(life-tokenMargin, life*9/10)),
	}, nil
}

// lifeOf reads expires_in, in seconds. The library computes an expiry by the machine's clock; the
// client has its own.
func lifeOf(expiresIn any) time.Duration {
	seconds := 0.0
	switch v := expiresIn.(type) {
	case float64:
		seconds = v
	case string:
		seconds, _ = strconv.ParseFloat(v, 64)
	}
	if !(seconds > 0 && seconds <= 24*3600) {
		return tokenLife
	}
	return time.Duration(seconds * float64(time.Second))
}
