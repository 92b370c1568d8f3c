package google

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"roomkiosk/internal/calendar"
	"roomkiosk/internal/rooms"
)

const (
	pageSize = 250
	maxPages = 40
)

// page is an answer of events.list.
type page struct {
	Kind   string   `json:"kind"`
	Next   string   `json:"nextPageToken"`
	Items  []event  `json:"items"`
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
	if p.Kind != "calendar#events" {
		return page{}, errors.New("JSON, but not a list of events")
	}
	return p, nil
}

// decodeItems reads a page item by item, at more than twice the cost, so that one that has an
// unexpected form doesn't take the others with it.
func decodeItems(body []byte) (page, error) {
	var raw struct {
		Kind  string            `json:"kind"`
		Next  string            `json:"nextPageToken"`
		Items []json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal(body, &raw); err != nil {
		return page{}, err
	}
	p := page{Kind: raw.Kind, Next: raw.Next}
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
	broken       []string // ids of the items that could not be read; an item without one is "?"
	hidden       bool     // the room's answer to some invitation was left out
	etag         string   // of a listing of a single page; else empty
}

// add turns a page's items into reservations.
func (l *listing) add(p page, v view) {
	l.items += len(p.Items) + len(p.Broken)
	l.broken = append(l.broken, p.Broken...)
	for i := range p.Items {
		e := &p.Items[i]
		standing := e.standing(v.id)
		if standing == free {
			continue
		}
		r, err := e.reservation(v)
		if err != nil {
			l.broken = append(l.broken, e.name())
			continue
		}
		l.hidden = l.hidden || standing == unclear
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
	query := v.query(known.everybody)
	request := query.Encode()
	l, err := c.pages(ctx, v, query, known.etagFor(request, c.now()))
	if err == nil && l.hidden && !known.everybody {
		c.log.Info("reading all attendees: the room's own answer is left out otherwise", "calendar_id", v.id)
		known.everybody = true
		query = v.query(true)
		request = query.Encode()
		l, err = c.pages(ctx, v, query, "")
	}
	if errors.Is(err, errNotModified) {
		return slices.Clone(known.reservations), nil
	}
	if err != nil {
		return nil, err
	}
	c.report(v.id, known.broken, l.broken)
	c.memory.keep(v.id, known.next(l, request, c.now()))
	return l.reservations, nil
}

// errNotModified means that a conditional request found nothing new.
var errNotModified = errors.New("not modified")

// pages reads all pages of a listing, and leaves the last page's token in the query. An empty page
// doesn't end a listing, only one without a token does.
func (c *Calendar) pages(ctx context.Context, v view, query url.Values, etag string) (listing, error) {
	var l listing
	seen := map[string]bool{}
	budget := int64(calendar.MaxAnswer)
	for n := 1; ; n++ {
		ans, err := c.get(ctx, v.path()+"?"+query.Encode(), etag, budget)
		if err != nil {
			return listing{}, err
		}
		if ans.status == http.StatusNotModified {
			return listing{}, errNotModified
		}
		p, err := decodePage(ans.body)
		if err != nil {
			return listing{}, ans.bad(err)
		}
		l.add(p, v)
		if p.Next == "" {
			if n == 1 {
				l.etag = ans.header.Get("ETag")
			}
			if l.unreadable() {
				return listing{}, ans.bad(errors.New("no item could be read"))
			}
			l.unite()
			return l, nil
		}
		if seen[p.Next] || n == maxPages {
			return listing{}, ans.bad(fmt.Errorf("no end of pages after %d", n))
		}
		seen[p.Next] = true
		query.Set("pageToken", p.Next)
		budget -= int64(len(ans.body))
		etag = ""
	}
}

// query asks for what can block the room. Unless everybody is wanted, Google leaves out the
// attendees of events with more than one, except for the calendar's own entry: that is all that is
// needed of them.
func (v view) query(everybody bool) url.Values {
	q := url.Values{
		"singleEvents": {"true"},
		"orderBy":      {"startTime"},
		"showDeleted":  {"false"},
		"eventTypes":   {"default", "fromGmail"},
		"maxResults":   {strconv.Itoa(pageSize)},
		"timeMin":      {v.from.In(v.zone).Format(time.RFC3339)},
		"timeMax":      {v.to.In(v.zone).Format(time.RFC3339)},
		"fields":       {"kind,nextPageToken,items(" + eventFields + ")"},
	}
	if !everybody {
		q.Set("maxAttendees", "1")
	}
	setZone(q, v.zone)
	return q
}

// setZone asks for times in the zone, if it has a name that means something to Google.
func setZone(q url.Values, zone *time.Location) {
	if name := zone.String(); name != "" && name != "Local" {
		q.Set("timeZone", name)
	}
}

// report counts the items that could not be read, and logs those that are new.
func (c *Calendar) report(calendarID string, before, now []string) {
	c.dropped.Add(uint64(len(now)))
	for _, id := range now {
		if !slices.Contains(before, id) {
			c.log.Warn("calendar item not read", "calendar_id", calendarID, "event_id", id)
		}
	}
}
