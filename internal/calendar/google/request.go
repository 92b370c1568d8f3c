package google

import (
	"context"
	"errors"
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

// get sends a request and returns an answer that is 200, or 304 if etag isn't empty. Everything
// else is a fault. A token that Google refuses is replaced once.
func (c *Calendar) get(ctx context.Context, path, etag string, limit int64) (answer, error) {
	for again := false; ; again = true {
		access, err := c.tokens.token(ctx)
		if err != nil {
			return answer{}, err
		}
		ans, err := c.exchange(ctx, path, access, etag, limit)
		switch {
		case err != nil:
			return answer{}, err
		case ans.status == http.StatusUnauthorized && !again:
			c.tokens.drop(access)
		case ans.status == http.StatusOK, ans.status == http.StatusNotModified && etag != "":
			return ans, nil
		default:
			return answer{}, c.refused(ans)
		}
	}
}

// exchange sends one request and reads its answer, whatever its status.
func (c *Calendar) exchange(ctx context.Context, path, access, etag string, limit int64) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, calendar.ExchangeTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return answer{}, &rooms.Fault{Service: service, Kind: rooms.FaultInvalid, Detail: "no address can be made of the ids", Err: calendar.Cause(err)}
	}
	req.Header.Set("Authorization", "Bearer "+access)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", userAgent)
	if etag != "" {
		req.Header.Set("If-None-Match", etag)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{}, unanswered(err)
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
		return answer{}, &rooms.Fault{Service: service, Kind: rooms.FaultBadAnswer, Detail: "an answer of more than 8 MB", Err: err}
	}
	if err != nil {
		return answer{}, unreachable(calendar.Cause(err))
	}
	return ans, nil
}
