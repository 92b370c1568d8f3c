package caldav

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"roomkiosk/internal/calendar/ical"
	"roomkiosk/internal/rooms"
)

// An occurrence is looked for around now, where reservations that people can tap are; and should it
// have been moved, so far away.
const (
	near = 3 * 24 * time.Hour
	far  = 400 * 24 * time.Hour
)

// eventID names an occurrence; see [Calendar].
func eventID(path, occurrence string) string { return path + "#" + occurrence }

// cutEventID is the reverse of eventID. An escaped path holds no "#".
func cutEventID(id string) (path, occurrence string, err error) {
	path, occurrence, found := strings.Cut(id, "#")
	if !found || occurrence == "" || !strings.HasPrefix(path, "/") {
		return "", "", gone("the reservation has no event id of this kind of calendar")
	}
	return path, occurrence, nil
}

// source is an object as it is on the server right now.
type source struct {
	url      *url.URL
	etag     string
	text     []byte
	calendar *ical.Calendar
}

func (c *Calendar) lookup(ctx context.Context, room rooms.Room, ref rooms.EventRef) (rooms.Reservation, error) {
	col, err := c.known(ctx, room)
	if err != nil {
		return rooms.Reservation{}, unfound(err)
	}
	path, id, err := cutEventID(ref.EventID)
	if err != nil {
		return rooms.Reservation{}, err
	}
	src, err := c.fetch(ctx, col, path)
	if err != nil {
		return rooms.Reservation{}, err
	}
	o := occurrence(src.calendar, id, c.now(), room)
	if o == nil {
		return rooms.Reservation{}, gone("the event no longer takes place")
	}
	r, blocks := o.Reservation(col.id, col.own)
	if !blocks {
		return rooms.Reservation{}, gone("the event is cancelled, declined by the room, or no longer blocks it")
	}
	r.Ref.EventID = ref.EventID
	return r, nil
}

// known returns the room's calendar, without asking the server for one that was found before.
func (c *Calendar) known(ctx context.Context, room rooms.Room) (collection, error) {
	if err := check(room); err != nil {
		return collection{}, err
	}
	if known := c.memory.of(room); known.collection != nil {
		return *known.collection, nil
	}
	col, _, err := c.locate(ctx, room)
	if err != nil {
		return collection{}, err
	}
	if col.own, err = c.addresses(ctx, col); err != nil {
		return collection{}, err
	}
	col.asked = true
	c.memory.keep(room, remembered{collection: &col})
	return col, nil
}

// fetch reads an object of a collection.
func (c *Calendar) fetch(ctx context.Context, col collection, path string) (source, error) {
	u := resolve(col.url, path)
	if u == nil {
		return source{}, gone("the reservation has no event id of this kind of calendar")
	}
	ans, err := c.send(ctx, request{method: http.MethodGet, url: u})
	if err != nil {
		return source{}, err
	}
	switch ans.status {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusGone:
		return source{}, c.missing(ctx, col)
	default:
		return source{}, c.refused(ans)
	}
	cal, err := ical.Parse(ans.body)
	if err != nil {
		return source{}, ans.bad(errors.New("not an event"))
	}
	return source{url: ans.url, etag: ans.header.Get("ETag"), text: ans.body, calendar: cal}, nil
}

// missing is the fault of an object that isn't there: it is gone, if the calendar that it was in
// still is there. Servers say the same when a calendar is no longer shared, and proxies say it about
// everything.
func (c *Calendar) missing(ctx context.Context, col collection) error {
	p, ans, err := c.props(ctx, col.url, stateBody)
	if err != nil {
		return unfound(err)
	}
	if !p.calendar() {
		return ans.bad(errors.New("the room's calendar is none any more"))
	}
	return gone("the event is not on the calendar any more")
}

// occurrence finds the one with an id; nil: there is none.
func occurrence(cal *ical.Calendar, id string, now time.Time, room rooms.Room) *ical.Occurrence {
	for _, margin := range []time.Duration{near, far} {
		x := cal.Expand(now.Add(-margin), now.Add(margin), room.Zone)
		for i := range x.Occurrences {
			if x.Occurrences[i].ID == id {
				return &x.Occurrences[i]
			}
		}
	}
	return nil
}
