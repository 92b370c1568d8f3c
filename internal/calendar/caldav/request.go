package caldav

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"roomkiosk/internal/calendar"
	"roomkiosk/internal/rooms"
)

const (
	userAgent    = "roomkiosk"
	maxRedirects = 5
)

// request is what is asked of a server.
type request struct {
	method  string
	url     *url.URL
	depth   string // of PROPFIND and REPORT
	body    string
	ifMatch string // of PUT
	limit   int64  // bytes of the answer that are read; 0: calendar.MaxAnswer
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
	url    *url.URL // that answered, after redirects
}

// send sends a request and returns its answer, whatever its status. Redirects are followed with the
// method and the body that package net/http would take away, and only on the same host.
func (c *Calendar) send(ctx context.Context, r request) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, calendar.ExchangeTimeout)
	defer cancel()
	for range maxRedirects + 1 {
		ans, err := c.exchange(ctx, r)
		if err != nil || ans.status/100 != 3 {
			return ans, err
		}
		if r.url, err = redirected(ans); err != nil {
			return answer{}, unanswered(err)
		}
	}
	return answer{}, unanswered(fmt.Errorf("%w: more than %d times", errRedirects, maxRedirects))
}

// errRedirects means that the server's redirects lead to no answer.
var errRedirects = errors.New("redirected in vain")

// redirected is where an answer points to.
func redirected(ans answer) (*url.URL, error) {
	switch ans.status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil, fmt.Errorf("%w: status %d", errRedirects, ans.status)
	}
	to, err := ans.url.Parse(ans.header.Get("Location"))
	if err != nil || ans.header.Get("Location") == "" {
		return nil, fmt.Errorf("%w: to nowhere", errRedirects)
	}
	if to.Scheme != ans.url.Scheme || to.Host != ans.url.Host {
		return nil, calendar.ErrRedirect
	}
	return &url.URL{Scheme: to.Scheme, Host: to.Host, Path: to.Path, RawPath: to.RawPath}, nil
}

// exchange sends one request and reads its answer.
func (c *Calendar) exchange(ctx context.Context, r request) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, r.method, r.url.String(), strings.NewReader(r.body))
	if err != nil {
		return answer{}, &rooms.Fault{Service: service, Kind: rooms.FaultInvalid, Detail: "no address can be made of the URL"}
	}
	r.head(req.Header)
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{}, unanswered(err)
	}
	defer func() { _ = resp.Body.Close() }()
	ans := answer{status: resp.StatusCode, header: resp.Header, url: r.url}
	if ans.status/100 != 2 {
		// What a refusal says beyond its status is of use, but not needed.
		ans.body, _ = calendar.ReadAll(resp.Body, calendar.MaxRefusal)
		return ans, nil
	}
	limit := r.limit
	if limit == 0 {
		limit = calendar.MaxAnswer
	}
	ans.body, err = calendar.ReadAll(resp.Body, limit)
	if errors.Is(err, calendar.ErrTooLarge) {
		return answer{}, &rooms.Fault{Service: service, Kind: rooms.FaultBadAnswer, Detail: "an answer of more than 8 MB", Err: err}
	}
	if err != nil {
		return answer{}, unanswered(err)
	}
	return ans, nil
}

func (r request) head(h http.Header) {
	h.Set("User-Agent", userAgent)
	switch r.method {
	case "PROPFIND", "REPORT":
		h.Set("Depth", r.depth)
		h.Set("Content-Type", "application/xml; charset=utf-8")
		h.Set("Accept", "application/xml, text/xml")
	case http.MethodGet:
		h.Set("Accept", "text/calendar")
		// Servers that compress may change the ETag with it, and then refuse it in If-Match.
		h.Set("Accept-Encoding", "identity")
	case http.MethodPut:
		h.Set("Content-Type", "text/calendar; charset=utf-8")
		h.Set("If-Match", r.ifMatch)
	}
}

// multi sends a PROPFIND or a REPORT and returns the responses of its multistatus. Every other
// answer is a fault.
func (c *Calendar) multi(ctx context.Context, r request) ([]response, answer, error) {
	ans, err := c.send(ctx, r)
	if err != nil {
		return nil, answer{}, err
	}
	if ans.status != http.StatusMultiStatus {
		return nil, ans, c.refused(ans)
	}
	all, err := readMultistatus(ans.body)
	if err != nil {
		return nil, ans, ans.bad(err)
	}
	return all, ans, nil
}

// props asks for properties of one resource.
func (c *Calendar) props(ctx context.Context, u *url.URL, body string) (prop, answer, error) {
	all, ans, err := c.multi(ctx, request{method: "PROPFIND", url: u, depth: "0", body: body})
	if err != nil {
		return prop{}, ans, err
	}
	for _, r := range all {
		if code := r.code(); code != 0 && code/100 != 2 {
			continue
		}
		// Some servers name the resource by another address than the one that was asked for.
		if len(all) == 1 || samePath(resolve(ans.url, r.Href), ans.url) {
			return r.found(), ans, nil
		}
	}
	return prop{}, ans, ans.bad(errors.New("a multistatus about something else"))
}

// resolve makes an address of an href, on the host that it came from whatever host it names: servers
// behind a proxy often don't know their own, and credentials go nowhere else. nil: it is none.
func resolve(base *url.URL, href string) *url.URL {
	href = strings.TrimSpace(href)
	to, err := url.Parse(href)
	if err != nil && strings.HasPrefix(href, "/") {
		to, err = &url.URL{Path: href}, nil // with characters that ought to be escaped
	}
	if err != nil || href == "" || to.Opaque != "" {
		return nil
	}
	if to.Host != "" && to.Path == "" {
		to.Path = "/"
	}
	to = base.ResolveReference(&url.URL{Path: to.Path, RawPath: to.RawPath})
	return &url.URL{Scheme: base.Scheme, Host: base.Host, Path: to.Path, RawPath: to.RawPath}
}

// samePath tells whether two addresses on one host mean the same, however they are escaped.
func samePath(a, b *url.URL) bool {
	return a != nil && b != nil && strings.TrimRight(a.Path, "/") == strings.TrimRight(b.Path, "/")
}
