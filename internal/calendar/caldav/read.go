package caldav

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"roomkiosk/internal/calendar"
	"roomkiosk/internal/calendar/ical"
	"roomkiosk/internal/rooms"
)

// queryBody asks for the events that touch a window (RFC 4791, section 7.8), without having series
// expanded.
const queryBody = `<?xml version="1.0" encoding="utf-8"?>
<C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop><D:getetag/><C:calendar-data/></D:prop>` +
	`<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:time-range start="%s" end="%s"/>` +
	`</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>`

const utcLayout = "20060102T150405Z"

func (c *Calendar) read(ctx context.Context, room rooms.Room, from, to time.Time) ([]rooms.Reservation, error) {
	if err := check(room); err != nil {
		return nil, err
	}
	if !from.Before(to) {
		return nil, &rooms.Fault{Service: service, Kind: rooms.FaultInvalid, Detail: "a window that ends before it starts"}
	}
	known := c.memory.of(room)
	col, token, err := c.open(ctx, room, known)
	if err != nil {
		return nil, err
	}
	if !known.answers(token, from, to, c.now()) {
		next, err := c.query(ctx, col, from.Add(-marginBefore), to.Add(marginAfter))
		if err != nil {
			return nil, err
		}
		next.token = token
		broken := next.show(from, to, room.Zone)
		next.broken = append(next.broken, broken...)
		c.report(room, known, next)
		c.memory.keep(room, next)
		return slices.Clone(next.shown.reservations), nil
	}
	if !known.shown.answers(from, to, room.Zone) {
		known.show(from, to, room.Zone)
		c.memory.keep(room, known)
	}
	return slices.Clone(known.shown.reservations), nil
}

// open returns the room's calendar and the token of its state; empty: a whole read is needed.
func (c *Calendar) open(ctx context.Context, room rooms.Room, known remembered) (collection, string, error) {
	if known.collection == nil {
		col, p, err := c.locate(ctx, room)
		return col, p.token(), err
	}
	p, _, err := c.props(ctx, known.collection.url, stateBody)
	switch kindOf(err) {
	case "", rooms.FaultTrouble, rooms.FaultBadAnswer, rooms.FaultInvalid, rooms.FaultPermission:
		// Without tags, the query has the last word.
		return *known.collection, p.token(), nil
	case rooms.FaultNotFound:
		col, p, err := c.locate(ctx, room)
		return col, p.token(), err
	default:
		return collection{}, "", err
	}
}

// query reads the objects that touch a window.
func (c *Calendar) query(ctx context.Context, col collection, from, to time.Time) (remembered, error) {
	if !col.asked {
		own, err := c.addresses(ctx, col)
		if err != nil {
			return remembered{}, err
		}
		col.own, col.asked = own, true
	}
	body := fmt.Sprintf(queryBody, from.UTC().Format(utcLayout), to.UTC().Format(utcLayout))
	all, ans, err := c.multi(ctx, request{method: "REPORT", url: col.url, depth: "1", body: body})
	if err != nil {
		return remembered{}, err
	}
	next := remembered{collection: &col, from: from, to: to, at: c.now()}
	for _, r := range all {
		if err := next.take(r, ans); err != nil {
			return remembered{}, ans.bad(err)
		}
	}
	if len(next.broken) > 1 && len(next.objects) == 0 {
		// One broken object costs that object; several and nothing else are another format, which
		// must not pass for an empty calendar.
		return remembered{}, ans.bad(errors.New("no object could be read"))
	}
	return next, nil
}

// take adds what a response is about. An error means that the answer isn't whole.
func (r *remembered) take(resp response, ans answer) error {
	u := resolve(ans.url, resp.Href)
	p := resp.found()
	code := resp.code()
	switch {
	case code == 507: // RFC 5323, section 5.3, and RFC 6578, section 3.6
		return errors.New("the server cuts its list of events off")
	case code != 0 && code/100 != 2 && samePath(u, ans.url):
		return fmt.Errorf("the server can't list the calendar: status %d", code)
	case code == 404 || code == 410, u != nil && p.Data == nil && samePath(u, ans.url):
		return nil // deleted while the list was made; or the collection itself
	case u == nil:
		r.broken = append(r.broken, "?")
		return nil
	case code != 0 && code/100 != 2, p.Data == nil:
		r.broken = append(r.broken, name(u.EscapedPath()))
		return nil
	}
	cal, err := ical.Parse([]byte(*p.Data))
	if err != nil {
		r.broken = append(r.broken, name(u.EscapedPath()))
		return nil
	}
	r.objects = append(r.objects, object{u.EscapedPath(), cal})
	return nil
}

// name is what an object is called in the log: the end of its path.
func name(path string) string {
	const most = 80
	if len(path) > most {
		path = path[len(path)-most:]
	}
	return path
}

// show expands the objects over a window. It returns the names of those that can't be.
func (r *remembered) show(from, to time.Time, zone *time.Location) (broken []string) {
	r.shown = shown{from: from, to: to, zone: zone}
	r.zones = nil
	seen := map[string]bool{}
	for _, o := range r.objects {
		x := o.calendar.Expand(from, to, zone)
		for i := range x.Occurrences {
			reservation, blocks := x.Occurrences[i].Reservation(r.collection.id, r.collection.own)
			if !blocks || seen[reservation.ID] {
				continue
			}
			seen[reservation.ID] = true
			reservation.Ref.EventID = eventID(o.path, x.Occurrences[i].ID)
			r.shown.reservations = append(r.shown.reservations, reservation)
		}
		r.zones = append(r.zones, x.UnknownZones...)
		if len(x.Broken) > 0 {
			broken = append(broken, name(o.path))
		}
	}
	slices.Sort(r.zones)
	r.zones = slices.Compact(r.zones)
	return broken
}

// report counts what could not be read, and logs what is new of it.
func (c *Calendar) report(room rooms.Room, before, now remembered) {
	c.dropped.Add(uint64(len(now.broken)))
	for _, name := range now.broken {
		if !slices.Contains(before.broken, name) {
			c.log.Warn("calendar object not read", "room", room.ID, "object", name)
		}
	}
	for _, zone := range now.zones {
		if !slices.Contains(before.zones, zone) {
			c.log.Warn("time zone not known, the room's taken", "room", room.ID, "zone", calendar.Clip(zone, 80))
		}
	}
}
