package calendar

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/icholy/digest"
)

// Auth is a transport that answers what a server asks for: Digest (RFC 7616) where it is offered,
// else Basic (RFC 7617). It sends nothing before it was asked, and from then on what was asked for.
// It is for one service, whose addresses are https or this machine itself; see [CheckURL].
type Auth struct {
	User, Password string // without a user it does nothing
	Next           http.RoundTripper

	mu        sync.Mutex
	basic     bool
	challenge *digest.Challenge // of the last refusal; nil: none, or Basic
	count     int               // how often the challenge was answered
}

// RoundTrip sends a request with what the server wanted the last time, and once more if it now wants
// something else: another method, or a new nonce.
func (a *Auth) RoundTrip(req *http.Request) (*http.Response, error) {
	if a.User == "" {
		return a.Next.RoundTrip(req)
	}
	first, sent, err := a.authorized(req, false)
	if err != nil {
		return nil, err
	}
	resp, err := a.Next.RoundTrip(first)
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	if !a.learn(resp.Header, sent) {
		return resp, nil
	}
	// The connection can only be used again when the refusal was read.
	_, _ = io.CopyN(io.Discard, resp.Body, MaxRefusal)
	_ = resp.Body.Close()
	second, _, err := a.authorized(req, true)
	if err != nil {
		return nil, err
	}
	return a.Next.RoundTrip(second)
}

// authorized is a copy of a request with the header that the server is known to want, and that
// header. again: the body was sent before.
func (a *Auth) authorized(req *http.Request, again bool) (*http.Request, string, error) {
	out := req.Clone(req.Context())
	if again && req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return nil, "", err
		}
		out.Body = body
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.basic:
		out.SetBasicAuth(a.User, a.Password)
	case a.challenge != nil:
		a.count++
		credentials, err := digest.Digest(a.challenge, digest.Options{
			Method: req.Method, URI: req.URL.RequestURI(), GetBody: req.GetBody, Count: a.count,
			Username: a.User, Password: a.Password,
		})
		if err != nil {
			return nil, "", errors.New("the server wants a form of Digest that is not known here")
		}
		out.Header.Set("Authorization", credentials.String())
	}
	return out, out.Header.Get("Authorization"), nil
}

// learn takes over what a refusal asks for. It tells whether that may help: whether it is something
// else than what was refused.
func (a *Auth) learn(h http.Header, sent string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c, err := digest.FindChallenge(h); err == nil {
		if before, err := digest.ParseCredentials(sent); err == nil && before.Nonce == c.Nonce {
			return false
		}
		// Few servers say which of the two it was, an old nonce or a wrong password.
		a.challenge, a.count, a.basic = c, 0, false
		return true
	}
	if !offersBasic(h) || strings.HasPrefix(sent, "Basic ") {
		return false
	}
	a.challenge, a.basic = nil, true
	return true
}

// Insist sends Basic from now on, to a server that shows everybody something and asks nobody.
// It tells whether that is new.
func (a *Auth) Insist() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.User == "" || a.basic || a.challenge != nil {
		return false
	}
	a.basic = true
	return true
}

func offersBasic(h http.Header) bool {
	for _, offer := range h.Values("WWW-Authenticate") {
		scheme, _, _ := strings.Cut(strings.TrimSpace(offer), " ")
		if strings.EqualFold(scheme, "Basic") {
			return true
		}
	}
	return false
}
