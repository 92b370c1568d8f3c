package ews

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"strings"

	"roomkiosk/internal/calendar"
	"roomkiosk/internal/rooms"
)

// errUnchanged means that an answer is the one that the request knows already.
var errUnchanged = errors.New("unchanged")

// answer is the server's answer to a request.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// call carries out an operation on a room's mailbox, and returns the message that says how it went
// well. Everything else is a fault, or errUnchanged. A server that is too old for the request is
// asked again in an older form, which is remembered.
func (c *Calendar) call(ctx context.Context, mailbox string, r request, limit int64) (message, error) {
	old := c.old.Load()
	m, err := c.ask(ctx, mailbox, r, old, limit)
	if old || !refusesVersion(err) {
		return m, err
	}
	m, again := c.ask(ctx, mailbox, r, true, limit)
	if again != nil {
		return message{}, again
	}
	c.old.Store(true)
	c.log.Info("talking to Exchange in an older form", "version", oldVersion)
	return m, nil
}

func (c *Calendar) ask(ctx context.Context, mailbox string, r request, old bool, limit int64) (message, error) {
	form := version
	if old {
		form = oldVersion
	}
	ans, err := c.exchange(ctx, r, r.envelope(mailbox, c.impersonate, form), limit)
	if err != nil {
		return message{}, err
	}
	if ans.status != http.StatusOK {
		return message{}, c.refused(ans, r)
	}
	sum := sha256.Sum256(ans.body)
	if r.known.has(sum) {
		return message{}, errUnchanged
	}
	m, err := decode(ans.body, r.operation)
	if err != nil {
		f := ans.bad(err)
		f.Ambiguous = r.write // a login page says 200 to everything
		return message{}, f
	}
	m.size, m.sum = len(ans.body), sum
	if m.Class != "Success" {
		return message{}, c.declined(m.refusal(), ans, r)
	}
	return m, nil
}

// exchange sends one request and reads its answer, whatever its status.
func (c *Calendar) exchange(ctx context.Context, r request, body string, limit int64) (answer, error) {
	line, err := c.lines.take(ctx)
	if err != nil {
		return answer{}, unreachable(err, false)
	}
	defer c.lines.give(line)
	ctx, cancel := context.WithTimeout(ctx, calendar.ExchangeTimeout)
	defer cancel()
	req, err := c.newRequest(ctx, r, body)
	if err != nil {
		return answer{}, &rooms.Fault{Service: service, Kind: rooms.FaultInvalid, Detail: "no request can be made", Err: calendar.Cause(err)}
	}
	resp, err := line.client.Do(req)
	if err != nil {
		return answer{}, unreachable(calendar.Cause(err), r.write)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode == http.StatusUnauthorized && line.tap.failed != nil {
		return answer{}, unreachable(calendar.Cause(line.tap.failed), r.write)
	}
	return readAnswer(resp, r, limit)
}

func (c *Calendar) newRequest(ctx context.Context, r request, body string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	// For Basic this is what is sent; for NTLM it is where package ntlmssp takes the account from.
	req.SetBasicAuth(c.user, c.password)
	req.Header.Set("Content-Type", "text/xml; charset=utf-8")
	req.Header.Set("Accept", "text/xml")
	req.Header.Set("User-Agent", "roomkiosk")
	req.Header.Set("SOAPAction", `"`+nsMessages+"/"+r.operation+`"`)
	if !r.write {
		// A key without a value isn't sent. It tells package http that it may repeat the request when
		// the server closed a connection that was kept open.
		req.Header["Idempotency-Key"] = nil
	}
	return req, nil
}

func readAnswer(resp *http.Response, r request, limit int64) (answer, error) {
	ans := answer{status: resp.StatusCode, header: resp.Header}
	var err error
	if ans.status != http.StatusOK {
		// What a refusal says beyond its status is of use, but not needed.
		ans.body, _ = calendar.ReadAll(resp.Body, calendar.MaxRefusal)
		return ans, nil
	}
	ans.body, err = calendar.ReadAll(resp.Body, limit)
	if errors.Is(err, calendar.ErrTooLarge) {
		return answer{}, &rooms.Fault{Service: service, Kind: rooms.FaultBadAnswer, Detail: "an answer of more than 8 MB", Ambiguous: r.write, Err: err}
	}
	if err != nil {
		return answer{}, unreachable(calendar.Cause(err), r.write)
	}
	return ans, nil
}
