package graph

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"roomkiosk/internal/calendar"
	"roomkiosk/internal/rooms"
)

const (
	pageSize = 100
	maxPages = 40
)

// page is an answer of calendarView.
type page struct {
	Next   string   `json:"@odata.nextLink"`
	Items  []event  `json:"value"`
	Broken []string `json:"-"` // names of the items that are not in Items
}

// decodePage refuses whatever isn't a list of events, however good its JSON: an empty object must
// not pass for an empty calendar.
func decodePage(body []byte) (page, error) {
	var p page
	err := json.Unmarshal(body, &p)
	var typed *json.UnmarshalTypeError
	if errors.As(err, &typed) {
		p, err = decodeItems(body)
	}
	if err != nil {
		return page{}, jsonError(err)
	}
	if p.Items == nil {
		return page{}, errors.New("JSON, but not a list of events")
	}
	return p, nil
}

// decodeItems reads a page item by item, at more than twice the cost, so that one that has an
// unexpected form doesn't take the others with it.
func decodeItems(body []byte) (page, error) {
	var raw struct {
		Next  string            `json:"@odata.nextLink"`
		Items []json.RawMessage `json:"value"`
	}
	if err := json.Unmarshal(body, &raw); err != nil {
		return page{}, err
	}
	p := page{Next: raw.Next}
	if raw.Items != nil {
		p.Items = []event{}
	}
	for _, item := range raw.Items {
		var e event
		if json.Unmarshal(item, &e) != nil {
			p.Broken = append(p.Broken, e.name())
			continue
		}
		p.Items = append(p.Items, e)
	}
	return p, nil
}

// listing is what the pages of one read come to.
type listing struct {
	reservations []rooms.Reservation
	items        int
	pages        int
	broken       []string          // ids of the items that could not be read; an item without one is "?"
	sum          [sha256.Size]byte // of the last page
}

// add turns a page's items into reservations.
func (l *listing) add(p page, v view) {
	l.items += len(p.Items) + len(p.Broken)
	l.broken = append(l.broken, p.Broken...)
	for i := range p.Items {
		e := &p.Items[i]
		if !e.blocks() {
			continue
		}
		r, err := e.reservation(v)
		if err != nil {
			l.broken = append(l.broken, e.name())
			continue
		}
		l.put(r, v)
	}
}

// put adds a reservation if it touches the view.
func (l *listing) put(r rooms.Reservation, v view) {
	if r.Start.Before(v.to) && (r.End.After(v.from) || r.Start.Equal(v.from)) {
		l.reservations = append(l.reservations, r)
	}
}

// unite keeps each reservation once. An event that is moved while the pages are read can be on two
// of them: the later one holds.
func (l *listing) unite() {
	seen := make(map[string]bool, len(l.reservations))
	slices.Reverse(l.reservations)
	l.reservations = slices.DeleteFunc(l.reservations, func(r rooms.Reservation) bool {
		again := seen[r.ID]
		seen[r.ID] = true
		return again
	})
	slices.Reverse(l.reservations)
}

// unreadable tells whether nothing at all could be read. One broken item costs that item; several
// and nothing else is an answer in another format, which must not pass for an empty calendar.
func (l *listing) unreadable() bool {
	return l.items > 1 && len(l.broken) == l.items
}

func (c *Calendar) read(ctx context.Context, v view) ([]rooms.Reservation, error) {
	if err := v.check(); err != nil {
		return nil, err
	}
	if !v.from.Before(v.to) {
		return nil, &rooms.Fault{Service: service, Kind: rooms.FaultInvalid, Detail: "a window that ends before it starts"}
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	known := c.memory.of(v.id)
	l, err := c.pages(ctx, v, known)
	if errors.Is(err, errUnchanged) {
		c.report(v.id, known.broken, known.broken)
		return slices.Clone(known.reservations), nil
	}
	if err != nil {
		return nil, err
	}
	c.report(v.id, known.broken, l.broken)
	c.memory.keep(v.id, remember(l, c.question(v)))
	return l.reservations, nil
}

// errUnchanged means that an answer is the same as last time.
var errUnchanged = errors.New("unchanged")

// pages reads all pages of a listing. An empty page doesn't end it, only one without a link does.
// Links are taken as they are given.
func (c *Calendar) pages(ctx context.Context, v view, known remembered) (listing, error) {
	var l listing
	seen := map[string]bool{}
	budget := int64(calendar.MaxAnswer)
	for at := c.first(v); ; {
		ans, err := c.send(ctx, request{mailbox: v.id, url: at}, budget)
		if err != nil {
			return listing{}, err
		}
		l.pages++
		l.sum = sha256.Sum256(ans.body)
		if l.pages == 1 && known.matches(c.question(v), l.sum) {
			return listing{}, errUnchanged
		}
		p, err := decodePage(ans.body)
		if err != nil {
			return listing{}, ans.bad(err)
		}
		l.add(p, v)
		if p.Next == "" {
			if l.unreadable() {
				return listing{}, ans.bad(errors.New("no item could be read"))
			}
			l.unite()
			return l, nil
		}
		if seen[p.Next] || l.pages == maxPages {
			return listing{}, ans.bad(fmt.Errorf("no end of pages after %d", l.pages))
		}
		if err := c.checkLink(p.Next); err != nil {
			return listing{}, ans.bad(err)
		}
		seen[p.Next] = true
		at = p.Next
		budget -= int64(len(ans.body))
	}
}

// first is the address of the first page: everything that touches the window. Its instants are in
// UTC, whatever is preferred for the answer.
func (c *Calendar) first(v view) string {
	return c.address("/users/"+url.PathEscape(v.id)+"/calendar/calendarView", url.Values{
		"startDateTime": {v.from.UTC().Format(time.RFC3339)},
		"endDateTime":   {v.to.UTC().Format(time.RFC3339)},
		"$select":       {eventFields},
		"$orderby":      {"start/dateTime"},
		"$top":          {strconv.Itoa(pageSize)},
	})
}

// question names everything that a listing depends on beside the answer.
func (c *Calendar) question(v view) string { return c.first(v) + " " + v.zone.String() }

// checkLink refuses the link to a page on another host: the token would go there.
func (c *Calendar) checkLink(link string) error {
	u, err := url.Parse(link)
	if err != nil || u.Scheme != c.base.Scheme || u.Host != c.base.Host || u.User != nil {
		return errors.New("the next page is on another host")
	}
	return nil
}

// report counts the items that could not be read, and logs those that are new.
func (c *Calendar) report(mailbox string, before, now []string) {
	c.dropped.Add(uint64(len(now)))
	for _, id := range now {
		if !slices.Contains(before, id) {
			c.log.Warn("calendar item not read", "calendar_id", mailbox, "event_id", id)
		}
	}
}
