package calendar

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Limits of a conversation with a calendar.
const (
	MaxAnswer       = 8 << 20          // bytes of answers, unpacked, for one read of a room
	MaxRefusal      = 64 << 10         // bytes that are looked at of an answer that says no
	ConnectTimeout  = 3 * time.Second  // for one connection, without TLS
	ExchangeTimeout = 10 * time.Second // for one request, from the name lookup to the last byte
	maxRetryAfter   = time.Hour        // a service that asks for more is asked again all the same
	maxRedirects    = 5
)

// ErrTooLarge means that an answer is larger than it may be.
var ErrTooLarge = errors.New("answer too large")

// ErrRedirect means that an answer points at another host. Credentials don't follow there; it is
// mostly the login page of a network.
var ErrRedirect = errors.New("redirected to another host")

// Transport returns a transport for calendars with its time limits set. It goes through the proxy
// that the environment names. The caller may wrap it before it hands it to a calendar.
func Transport() *http.Transport {
	dialer := &net.Dialer{Timeout: ConnectTimeout, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           dialer.DialContext,
		ForceAttemptHTTP2:     true,
		TLSHandshakeTimeout:   ConnectTimeout,
		ResponseHeaderTimeout: ExchangeTimeout,
		IdleConnTimeout:       90 * time.Second,
		MaxIdleConnsPerHost:   4,
	}
}

// Client returns a client that goes through base's transport, nil being a [Transport] of its own,
// and refuses to be sent to another host with [ErrRedirect]. It keeps no cookies.
func Client(base *http.Client) *http.Client {
	client := &http.Client{CheckRedirect: sameHost}
	if base != nil {
		client.Transport, client.Timeout = base.Transport, base.Timeout
	}
	if client.Transport == nil {
		client.Transport = Transport()
	}
	return client
}

func sameHost(next *http.Request, via []*http.Request) error {
	first := via[0].URL
	if next.URL.Host != first.Host || next.URL.Scheme != first.Scheme {
		return ErrRedirect
	}
	if len(via) > maxRedirects {
		return fmt.Errorf("redirected more than %d times", maxRedirects)
	}
	return nil
}

// Cause strips from an error of package net/http the address that it was for, which may name a
// mailbox or hold a token.
func Cause(err error) error {
	var wrapped *url.Error
	for errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return err
}

// ReadAll reads to the end. It returns [ErrTooLarge] as soon as there are more than limit bytes.
func ReadAll(r io.Reader, limit int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(body)) > limit {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, limit)
	}
	return body, nil
}

// RetryAfter reads the header of that name, in either of its forms (RFC 9110, section 10.2.3).
// 0 means that nothing was asked for, or nothing that makes sense; the longest is an hour.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	var wait time.Duration
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		wait = at.Sub(now)
	}
	return max(0, min(wait, maxRetryAfter))
}

// CheckURL reads the address of a service: https, or http to this machine itself, without user,
// query and fragment.
func CheckURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errors.New("not a URL")
	case u.Host == "" || u.Opaque != "":
		return nil, errors.New("not a complete URL: it has no host")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("a URL with a user, a query or a fragment; only the address is wanted")
	case u.Scheme == "https", u.Scheme == "http" && loopback(u.Hostname()):
		return u, nil
	default:
		return nil, errors.New("not https (http is for this machine itself only)")
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
