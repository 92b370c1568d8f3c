package google

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"

	"roomkiosk/internal/calendar"
	"roomkiosk/internal/rooms"
)

// userAgent holds the word gzip because Google compresses only for clients that say so here too.
const userAgent = "roomkiosk (gzip)"

// answer is Google's answer to a request.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// request is one request to the API: a PATCH if it has a body, else a GET.
type request struct {
	path string // escaped, with its query
	etag string // for If-Match or If-None-Match; empty: none
	body []byte // JSON; nil: none
}

func (r request) writes() bool { return r.body != nil }

// lost marks the fault of a request that may have been carried out all the same.
func (r request) lost(f *rooms.Fault) *rooms.Fault {
	f.Ambiguous = r.writes()
	return f
}

func (c *Calendar) get(ctx context.Context, path, etag string, limit int64) (answer, error) {
	return c.send(ctx, request{path: path, etag: etag}, limit)
}

// send sends a request and returns an answer that is 200, or 304 to a GET with an etag. Everything
// else is a fault. A token that Google refuses is replaced once.
func (c *Calendar) send(ctx context.Context, r request, limit int64) (answer, error) {
	for again := false; ; again = true {
		access, err := c.tokens.token(ctx)
		if err != nil {
			return answer{}, err
		}
		ans, err := c.exchange(ctx, r, access, limit)
		switch {
		case err != nil:
			return answer{}, err
		case ans.status == http.StatusUnauthorized && !again:
			c.tokens.drop(access)
		case ans.status == http.StatusOK, ans.status == http.StatusNotModified && r.etag != "" && !r.writes():
			return ans, nil
		default:
			f := c.refused(ans)
			f.Ambiguous = r.writes() && (f.Kind == rooms.FaultTrouble || f.Kind == rooms.FaultBadAnswer) && f.Err == nil
			return answer{}, f
		}
	}
}

// exchange sends one request and reads its answer, whatever its status.
func (c *Calendar) exchange(ctx context.Context, r request, access string, limit int64) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, calendar.ExchangeTimeout)
	defer cancel()
	req, err := c.prepare(ctx, r, access)
	if err != nil {
		return answer{}, &rooms.Fault{Service: service, Kind: rooms.FaultInvalid, Detail: "no address can be made of the ids", Err: calendar.Cause(err)}
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{}, r.lost(unanswered(err))
	}
	defer func() { _ = resp.Body.Close() }()
	ans := answer{status: resp.StatusCode, header: resp.Header}
	if ans.status != http.StatusOK {
		// What a refusal says beyond its status is of use, but not needed.
		ans.body, _ = calendar.ReadAll(resp.Body, calendar.MaxRefusal)
		return ans, nil
	}
	ans.body, err = calendar.ReadAll(resp.Body, limit)
	if errors.Is(err, calendar.ErrTooLarge) {
		return answer{}, r.lost(&rooms.Fault{Service: service, Kind: rooms.FaultBadAnswer, Detail: "an answer of more than 8 MB", Err: err})
	}
	if err != nil {
		return answer{}, r.lost(unreachable(calendar.Cause(err)))
	}
	return ans, nil
}

func (c *Calendar) prepare(ctx context.Context, r request, access string) (*http.Request, error) {
	method, condition, body := http.MethodGet, "If-None-Match", io.Reader(nil)
	if r.writes() {
		method, condition, body = http.MethodPatch, "If-Match", bytes.NewReader(r.body)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+r.path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+access)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", userAgent)
	if r.writes() {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.etag != "" {
		req.Header.Set(condition, r.etag)
	}
	return req, nil
}
