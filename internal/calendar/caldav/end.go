package caldav

import (
	"context"
	"net/http"
	"time"

	"roomkiosk/internal/rooms"
)

// maxConflicts is how often an object that somebody else changes at the same time is read again.
const maxConflicts = 4

// rightsBody asks what the user may do.
const rightsBody = `<?xml version="1.0" encoding="utf-8"?>
<D:propfind xmlns:D="DAV:"><D:prop><D:current-user-privilege-set/></D:prop></D:propfind>`

func (c *Calendar) canEnd(ctx context.Context, room rooms.Room) error {
	col, err := c.known(ctx, room)
	if err != nil {
		return err
	}
	p, _, err := c.props(ctx, col.url, rightsBody)
	if err != nil {
		return err
	}
	if yes, known := p.writable(); known && !yes {
		return c.unwritable("the user may only read")
	}
	return nil
}

func (c *Calendar) end(ctx context.Context, room rooms.Room, ref rooms.EventRef, at time.Time) error {
	col, err := c.known(ctx, room)
	if err != nil {
		return unfound(err)
	}
	path, id, err := cutEventID(ref.EventID)
	if err != nil {
		return nil //nolint:nilerr // a reservation that can't be named isn't on this calendar
	}
	for range maxConflicts {
		src, err := c.fetch(ctx, col, path)
		if kindOf(err) == rooms.FaultNotFound {
			return nil
		}
		if err != nil {
			return err
		}
		status, err := c.shorten(ctx, room, col, src, id, at)
		if err != nil || status != http.StatusPreconditionFailed {
			return err
		}
	}
	return &rooms.Fault{Service: service, Kind: rooms.FaultTrouble, Detail: "the event is being changed by somebody else"}
}

// shorten ends an occurrence of an object that was just read. 412: the object is another by now.
func (c *Calendar) shorten(ctx context.Context, room rooms.Room, col collection, src source, id string, at time.Time) (int, error) {
	o := occurrence(src.calendar, id, c.now(), room)
	if o == nil || !o.End.After(at) {
		return http.StatusOK, nil
	}
	if _, blocks := o.Reservation(col.id, col.own); !blocks {
		return http.StatusOK, nil
	}
	if src.etag == "" {
		return 0, &rooms.Fault{Service: service, Kind: rooms.FaultBadAnswer, Detail: "the server gives no ETag: its events can't be changed safely"}
	}
	e := edit{room: room, now: c.now(), target: *o}
	text, err := e.shortened(src.text, at)
	if err != nil {
		return 0, &rooms.Fault{Service: service, Kind: rooms.FaultInvalid, Err: err,
			Detail: "an event of a form that can't be shortened from here: end it in the calendar"}
	}
	ans, err := c.put(ctx, src, text)
	if err != nil {
		return 0, err
	}
	if ans.status != http.StatusForbidden {
		return ans.status, c.changed(ans)
	}
	if text, err = e.declined(src.text, col.own); err != nil {
		return 0, c.changed(ans)
	}
	again, err := c.put(ctx, src, text)
	if err != nil {
		return 0, err
	}
	return again.status, c.changed(again)
}

// put replaces an object, if it still is what was read. After an error it may have been replaced.
func (c *Calendar) put(ctx context.Context, src source, text []byte) (answer, error) {
	ans, err := c.send(ctx, request{method: http.MethodPut, url: src.url, body: string(text), ifMatch: src.etag})
	if err != nil {
		fault := *rooms.FaultOf(err)
		fault.Ambiguous = true
		return answer{}, &fault
	}
	return ans, nil
}

// changed is what came of replacing an object; nil: done, or 412.
func (c *Calendar) changed(ans answer) error {
	switch {
	case ans.status == http.StatusOK, ans.status == http.StatusCreated, ans.status == http.StatusNoContent,
		ans.status == http.StatusPreconditionFailed:
		return nil
	case ans.status == http.StatusForbidden && !ans.page(), ans.status == http.StatusMethodNotAllowed:
		return c.unwritable("the server refuses the change")
	default:
		f := c.refused(ans)
		f.Ambiguous = ans.status >= 500 || ans.status < 300
		return f
	}
}
