package graph

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
	"golang.org/x/sync/singleflight"

	"roomkiosk/internal/calendar"
)

const (
	tokenMargin  = time.Minute     // a token is replaced so long before it ends
	unknownToken = 5 * time.Minute // life of a token that came without one; Microsoft's last over an hour
)

// tokens keeps one access token for all rooms of the app.
type tokens struct {
	conf   clientcredentials.Config
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

// drop forgets a token that Graph refused, unless it was replaced since.
func (t *tokens) drop(access string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.access == access {
		t.access, t.until = "", time.Time{}
	}
}

// fetch asks for a token and keeps it.
func (t *tokens) fetch(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, calendar.ExchangeTimeout)
	defer cancel()
	tok, err := t.conf.Token(context.WithValue(ctx, oauth2.HTTPClient, t.http))
	if err == nil && (tok.AccessToken == "" || strings.ContainsAny(tok.AccessToken, " \t\r\n\x00")) {
		err = errors.New("an answer without a proper token")
	}
	if err != nil {
		return "", t.refused(ctx, err)
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

// rolesOf reads the roles that an access token says it has: permissions that were consented to for
// the whole tenant. Nothing is verified, since nothing is granted by it: Graph decides. Clients
// aren't supposed to rely on the form of tokens, so one that isn't a JWT just has no roles.
func rolesOf(access string) []string {
	parts := strings.Split(access, ".")
	if len(parts) != 3 {
		return nil
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil
	}
	var claims struct {
		Roles []string `json:"roles"`
	}
	if json.Unmarshal(payload, &claims) != nil {
		return nil
	}
	return claims.Roles
}
