package google

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"

	"roomkiosk/internal/calendar"
)

const (
	tokenMargin  = time.Minute     // a token is replaced so long before it ends
	unknownToken = 5 * time.Minute // life of a token that came without one; Google's last an hour
)

// tokens keeps one access token for all rooms of the account.
type tokens struct {
	key    key
	http   *http.Client
	now    func() time.Time
	flight singleflight.Group

	mu     sync.Mutex
	access string
	until  time.Time // access is used before this instant
}

// token returns a token that should still be valid, asking for a new one if there is none. Rooms
// that ask at the same time share one request, which one of them giving up doesn't end.
func (t *tokens) token(ctx context.Context) (string, error) {
	if access := t.kept(); access != "" {
		return access, nil
	}
	result := t.flight.DoChan("", func() (any, error) {
		if access := t.kept(); access != "" {
			return access, nil
		}
		return t.fetch(context.WithoutCancel(ctx))
	})
	select {
	case <-ctx.Done():
		return "", unreachable(ctx.Err())
	case r := <-result:
		access, _ := r.Val.(string)
		return access, r.Err
	}
}

func (t *tokens) kept() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.now().Before(t.until) {
		return ""
	}
	return t.access
}

// drop forgets a token that Google refused, unless it was replaced since.
func (t *tokens) drop(access string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.access == access {
		t.access, t.until = "", time.Time{}
	}
}

// fetch asks Google for a token and keeps it.
func (t *tokens) fetch(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, calendar.ExchangeTimeout)
	defer cancel()
	// Package jwt sends its request without a context and makes text of what goes wrong on the
	// way; the tap puts the one in and takes the other out.
	tap := &tap{ctx: ctx, next: t.http.Transport}
	client := *t.http
	client.Transport = tap
	tok, err := t.key.conf.TokenSource(context.WithValue(ctx, oauth2.HTTPClient, &client)).Token()
	if err == nil && (tok.AccessToken == "" || strings.ContainsAny(tok.AccessToken, " \t\r\n\x00")) {
		err = errors.New("an answer without a proper token")
	}
	if err != nil {
		return "", t.refused(ctx, tap, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.access, t.until = tok.AccessToken, t.now().Add(life(tok))
	return t.access, nil
}

// life is how long a token can be used. It is counted on the calendar's own clock, and not as
// Expiry, which package oauth2 sets by the machine's.
func life(tok *oauth2.Token) time.Duration {
	seconds, _ := tok.Extra("expires_in").(float64)
	said := time.Duration(min(seconds, 24*3600)) * time.Second
	switch {
	case said <= 0:
		return unknownToken
	case said <= 2*tokenMargin:
		return said / 2
	default:
		return said - tokenMargin
	}
}

// tap is a transport that gives requests a context and notes what came of them.
type tap struct {
	ctx    context.Context
	next   http.RoundTripper
	failed error // of the last request; nil: it was answered
}

func (t *tap) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(r.WithContext(t.ctx))
	t.failed = err
	return resp, err
}
