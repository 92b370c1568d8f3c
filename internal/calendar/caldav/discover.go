package caldav

import (
	"context"
	"net/url"
	"path"
	"strings"

	"roomkiosk/internal/calendar"
	"roomkiosk/internal/rooms"
)

// stateBody asks what a resource is and in which state.
const stateBody = `<?xml version="1.0" encoding="utf-8"?>
<D:propfind xmlns:D="DAV:" xmlns:S="http://calendarserver.org/ns/"><D:prop>` +
	`<D:resourcetype/><S:getctag/><D:sync-token/><D:owner/>` +
	`</D:prop></D:propfind>`

// whoBody asks who the user is and where its calendars are. It goes to what is no calendar only:
// Radicale wants a user for the question, also where anybody may read.
const whoBody = `<?xml version="1.0" encoding="utf-8"?>
<D:propfind xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop>` +
	`<D:current-user-principal/><C:calendar-home-set/>` +
	`</D:prop></D:propfind>`

// listBody asks for what is needed to choose among calendars.
const listBody = `<?xml version="1.0" encoding="utf-8"?>
<D:propfind xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop>` +
	`<D:resourcetype/><D:displayname/><C:supported-calendar-component-set/>` +
	`</D:prop></D:propfind>`

// addressBody asks a principal for its addresses.
const addressBody = `<?xml version="1.0" encoding="utf-8"?>
<D:propfind xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop><C:calendar-user-address-set/></D:prop></D:propfind>`

// wellKnown is where servers say where they are (RFC 6764, section 5).
const wellKnown = "/.well-known/caldav"

// maxListed is how many calendars a fault names.
const maxListed = 10

// locate finds the calendar of a room, and says in which state it is. The room's CalendarID is the
// calendar itself; or a principal, a home of calendars, or just the server (RFC 6764, section 6).
// Then it is the only calendar there that holds events, or the only one that is called as the room.
func (c *Calendar) locate(ctx context.Context, room rooms.Room) (collection, prop, error) {
	u, err := calendar.CheckURL(room.CalendarID)
	if err != nil {
		return collection{}, prop{}, &rooms.Fault{Service: service, Kind: rooms.FaultInvalid, Detail: "the room's calendar_id is " + err.Error()}
	}
	p, ans, err := c.props(ctx, u, stateBody)
	switch kind := kindOf(err); {
	case err == nil && p.calendar():
		return c.collection(ans.url, room.CalendarID, p), p, nil
	case err == nil:
		return c.discover(ctx, room, ans.url)
	case atRoot(u) && (kind == rooms.FaultNotFound || kind == rooms.FaultBadAnswer):
		return c.discover(ctx, room, u)
	case ans.status != 0 && !ans.page() && (kind == rooms.FaultTrouble || kind == rooms.FaultBadAnswer || kind == rooms.FaultInvalid):
		// A server that stumbles over the question may still answer the query.
		return collection{url: u, id: room.CalendarID}, prop{}, nil
	default:
		return collection{}, prop{}, err
	}
}

func atRoot(u *url.URL) bool { return u.Path == "" || u.Path == "/" }

func kindOf(err error) rooms.FaultKind {
	if f := rooms.FaultOf(err); f != nil {
		return f.Kind
	}
	return ""
}

// discover goes from an address on a server to the calendar of a room.
func (c *Calendar) discover(ctx context.Context, room rooms.Room, u *url.URL) (collection, prop, error) {
	homes, err := c.homes(ctx, u)
	if kind := kindOf(err); len(homes) == 0 && (err == nil || atRoot(u) && (kind == rooms.FaultNotFound || kind == rooms.FaultBadAnswer)) {
		homes, err = c.homes(ctx, u.ResolveReference(&url.URL{Path: wellKnown}))
	}
	if err != nil {
		return collection{}, prop{}, err
	}
	if len(homes) == 0 {
		return collection{}, prop{}, &rooms.Fault{Service: service, Kind: rooms.FaultNotFound, Detail: noCalDAV}
	}
	var found []candidate
	for _, home := range homes {
		more, err := c.calendars(ctx, home)
		if err != nil {
			return collection{}, prop{}, err
		}
		found = append(found, more...)
	}
	chosen, err := choose(found, room)
	if err != nil {
		return collection{}, prop{}, err
	}
	c.log.Info("calendar of the room found", "room", room.ID, "path", chosen.url.EscapedPath())
	p, ans, err := c.props(ctx, chosen.url, stateBody)
	if err != nil {
		return collection{}, prop{}, err
	}
	return c.collection(ans.url, ans.url.String(), p), p, nil
}

// homes are the collections that hold the calendars of the user, as an address or the principal that
// it names tells; none is no error.
func (c *Calendar) homes(ctx context.Context, u *url.URL) ([]*url.URL, error) {
	p, ans, err := c.props(ctx, u, whoBody)
	if err == nil && p.Principal != nil && p.Principal.Unauthenticated != nil && c.auth.Insist() {
		p, ans, err = c.props(ctx, u, whoBody)
	}
	if err != nil {
		return nil, err
	}
	if p.HomeSet == nil && p.Principal != nil && len(p.Principal.Href) > 0 {
		u, err := onHost(ans.url, p.Principal.Href[0])
		if err != nil {
			return nil, err
		}
		if p, ans, err = c.props(ctx, u, whoBody); err != nil {
			return nil, err
		}
	}
	if p.HomeSet == nil {
		return nil, nil
	}
	var homes []*url.URL
	for _, href := range p.HomeSet.Href {
		u, err := onHost(ans.url, href)
		if err != nil {
			return nil, err
		}
		homes = append(homes, u)
	}
	return homes, nil
}

// onHost resolves an href that leads on. One to another host isn't followed.
func onHost(base *url.URL, href string) (*url.URL, error) {
	u := resolve(base, href)
	if u == nil {
		return nil, &rooms.Fault{Service: service, Kind: rooms.FaultBadAnswer, Detail: "the server names an address that is none"}
	}
	if to, err := url.Parse(strings.TrimSpace(href)); err == nil && to.Host != "" && to.Host != base.Host {
		return nil, &rooms.Fault{Service: service, Kind: rooms.FaultBadAnswer, Err: calendar.ErrRedirect,
			Detail: "the server keeps its calendars on another host: put the URL of the room's calendar there into calendar_id"}
	}
	return u, nil
}

// candidate is a calendar that may be the room's.
type candidate struct {
	url  *url.URL
	name string
}

// calendars lists the calendars in a home that hold events.
func (c *Calendar) calendars(ctx context.Context, home *url.URL) ([]candidate, error) {
	all, ans, err := c.multi(ctx, request{method: "PROPFIND", url: home, depth: "1", body: listBody})
	if err != nil {
		return nil, err
	}
	var found []candidate
	for _, r := range all {
		p, u := r.found(), resolve(ans.url, r.Href)
		if u != nil && p.calendar() && p.events() {
			found = append(found, candidate{u, strings.TrimSpace(p.DisplayName)})
		}
	}
	return found, nil
}

// choose takes the only calendar, or the only one that is called as the room.
func choose(found []candidate, room rooms.Room) (candidate, error) {
	if len(found) == 1 {
		return found[0], nil
	}
	var named []candidate
	for _, f := range found {
		last := path.Base(strings.TrimRight(f.url.Path, "/"))
		if strings.EqualFold(f.name, room.Name) || strings.EqualFold(last, room.ID) || strings.EqualFold(last, room.Name) {
			named = append(named, f)
		}
	}
	if len(named) == 1 {
		return named[0], nil
	}
	if len(found) == 0 {
		return candidate{}, &rooms.Fault{Service: service, Kind: rooms.FaultNotFound, Detail: "the user has no calendar here; share the room's with it"}
	}
	var urls []string
	for _, f := range found[:min(len(found), maxListed)] {
		urls = append(urls, f.url.String())
	}
	if len(found) > maxListed {
		urls = append(urls, "and others")
	}
	return candidate{}, &rooms.Fault{Service: service, Kind: rooms.FaultNotFound,
		Detail: "several calendars; put the URL of the room's into calendar_id: " + strings.Join(urls, ", ")}
}

// collection describes a calendar that was found.
func (c *Calendar) collection(u *url.URL, id string, p prop) collection {
	col := collection{url: u, id: id}
	if p.Owner != nil && len(p.Owner.Href) > 0 {
		col.owner = resolve(u, p.Owner.Href[0])
	}
	return col
}

// addresses asks for those of the calendar's owner, by which the room is known among attendees.
// Not every server and not every user may ask; then the room is told by its type.
func (c *Calendar) addresses(ctx context.Context, col collection) ([]string, error) {
	if col.owner == nil {
		return nil, nil
	}
	p, _, err := c.props(ctx, col.owner, addressBody)
	if f := rooms.FaultOf(err); f != nil {
		switch f.Kind {
		case rooms.FaultUnreachable, rooms.FaultThrottled, rooms.FaultCredentials:
			return nil, err
		default:
			return nil, nil
		}
	}
	var own []string
	if p.Addresses != nil {
		for _, href := range p.Addresses.Href {
			href = strings.TrimSpace(href)
			if len(href) > len("mailto:") && strings.EqualFold(href[:len("mailto:")], "mailto:") {
				href = href[len("mailto:"):]
			}
			own = append(own, href)
		}
	}
	return own, nil
}
