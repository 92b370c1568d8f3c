package ics

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"roomkiosk/internal/calendar"
	"roomkiosk/internal/calendar/ical"
	"roomkiosk/internal/rooms"
)

const userAgent = "roomkiosk"

// feedURL reads the address of a feed. Unlike that of other services it may have a query, which
// often is its key. Errors don't quote it.
func feedURL(text string) (string, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil {
		return "", errors.New("not a URL")
	}
	switch strings.ToLower(u.Scheme) {
	case "webcal", "webcals":
		u.Scheme = "https"
	}
	address := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, Opaque: u.Opaque, User: u.User, Fragment: u.Fragment}
	if _, err := calendar.CheckURL(address.String()); err != nil {
		return "", err
	}
	return u.String(), nil
}

// feed returns the room's feed as it is now.
func (c *Calendar) feed(ctx context.Context, room rooms.Room) (remembered, error) {
	switch {
	case room.CalendarID == "":
		return remembered{}, &rooms.Fault{Service: service, Kind: rooms.FaultInvalid, Detail: "the room has no calendar_id"}
	case room.Zone == nil:
		return remembered{}, &rooms.Fault{Service: service, Kind: rooms.FaultInvalid, Detail: "the room has no time zone"}
	}
	address, err := feedURL(room.CalendarID)
	if err != nil {
		return remembered{}, &rooms.Fault{Service: service, Kind: rooms.FaultInvalid, Detail: "the room's calendar_id is " + err.Error()}
	}
	known := c.memory.of(room.CalendarID)
	conditional := known.current(c.now()) && (known.etag != "" || known.modified != "")
	ans, err := c.get(ctx, address, known, conditional)
	if err != nil {
		return remembered{}, err
	}
	if ans.status == http.StatusNotModified {
		return known, nil
	}
	next, err := c.parse(ans, known)
	if err != nil {
		return remembered{}, err
	}
	c.memory.keep(room.CalendarID, next)
	return next, nil
}

// parse reads a whole feed, unless it is the one that is known.
func (c *Calendar) parse(ans answer, known remembered) (remembered, error) {
	next := remembered{sum: sha256.Sum256(ans.body)}
	if known.calendar != nil && known.sum == next.sum {
		next = known
	} else {
		cal, err := ical.Parse(ans.body)
		if err != nil {
			return remembered{}, ans.bad(errors.New("not a calendar, or cut off"))
		}
		next.calendar = cal
	}
	next.etag, next.modified, next.at = ans.header.Get("ETag"), ans.header.Get("Last-Modified"), c.now()
	return next, nil
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// get returns an answer that is 200, or 304 if the request was conditional. Everything else is a
// fault.
func (c *Calendar) get(ctx context.Context, address string, known remembered, conditional bool) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, calendar.ExchangeTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return answer{}, &rooms.Fault{Service: service, Kind: rooms.FaultInvalid, Detail: "the room's calendar_id is not a URL"}
	}
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("Accept", "text/calendar, */*;q=0.1")
	if conditional && known.etag != "" {
		req.Header.Set("If-None-Match", known.etag)
	}
	if conditional && known.modified != "" {
		req.Header.Set("If-Modified-Since", known.modified)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{}, unanswered(err)
	}
	defer func() { _ = resp.Body.Close() }()
	ans := answer{status: resp.StatusCode, header: resp.Header}
	switch {
	case ans.status == http.StatusNotModified && conditional:
		return ans, nil
	case ans.status != http.StatusOK:
		// What a refusal says is of no use; the connection is, once it is read.
		ans.body, _ = calendar.ReadAll(resp.Body, calendar.MaxRefusal)
		return answer{}, c.refused(ans)
	}
	ans.body, err = calendar.ReadAll(resp.Body, calendar.MaxAnswer)
	switch {
	case errors.Is(err, calendar.ErrTooLarge):
		return answer{}, &rooms.Fault{Service: service, Kind: rooms.FaultBadAnswer, Detail: "a feed of more than 8 MB", Err: err}
	case err != nil:
		return answer{}, unanswered(err)
	case ans.page():
		return answer{}, ans.bad(errors.New("not a calendar"))
	}
	return ans, nil
}

// page tells whether the answer is a web page, whatever it calls itself: feeds come with all sorts of
// types.
func (a answer) page() bool {
	start := bytes.TrimLeft(bytes.TrimPrefix(a.body, []byte("\xef\xbb\xbf")), " \t\r\n")
	if len(start) > 0 {
		return start[0] == '<'
	}
	return strings.Contains(a.header.Get("Content-Type"), "text/html")
}
