package graph

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"

	"roomkiosk/internal/calendar"
	"roomkiosk/internal/rooms"
)

// prefer asks for times in UTC. It is sent with every page, as it is no part of their links. No
// preference for immutable ids is ever sent.
const prefer = `outlook.timezone="UTC"`

// request is one request about a mailbox. The zero method is GET.
type request struct {
	mailbox string
	method  string
	url     string
	etag    string // for If-Match; empty: none
	body    []byte // JSON; nil: none
}

func (r request) writes() bool { return r.method != "" && r.method != http.MethodGet }

// answer is Graph's answer to a request.
type answer struct {
	status   int
	header   http.Header
	body     []byte
	clientID string // the id that the request was sent with
}

// address makes the address of a path of the API, which is escaped already.
func (c *Calendar) address(path string, query url.Values) string {
	address := c.base.String() + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	return address
}

// send sends a request and returns an answer of a status that means success. Everything else is a
// fault. A token that Graph refuses is replaced once.
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
		case ans.status == http.StatusOK, r.writes() && ans.status == http.StatusAccepted:
			c.memory.spoke(r.mailbox, "")
			return ans, nil
		default:
			return answer{}, c.refused(r, ans)
		}
	}
}

// exchange sends one request, when the mailbox takes one more, and reads its answer, whatever its
// status.
func (c *Calendar) exchange(ctx context.Context, r request, access string, limit int64) (answer, error) {
	leave, err := c.crowd.enter(ctx, r.mailbox)
	if err != nil {
		return answer{}, unreachable(err)
	}
	defer leave()
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
	ans := answer{status: resp.StatusCode, header: resp.Header, clientID: req.Header.Get("client-request-id")}
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
	method, body := http.MethodGet, io.Reader(nil)
	if r.method != "" {
		method = r.method
	}
	if r.body != nil {
		body = bytes.NewReader(r.body)
	}
	req, err := http.NewRequestWithContext(ctx, method, r.url, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+access)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "roomkiosk")
	req.Header.Set("Prefer", prefer)
	req.Header.Set("client-request-id", c.newID())
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.etag != "" {
		req.Header.Set("If-Match", r.etag)
	}
	return req, nil
}

// lost marks the fault of a request that may have been carried out all the same.
func (r request) lost(f *rooms.Fault) *rooms.Fault {
	f.Ambiguous = r.writes()
	return f
}
