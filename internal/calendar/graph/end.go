package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"roomkiosk/internal/calendar"
	"roomkiosk/internal/rooms"
)

// declineComment is what the organizer is told, in the mail that Exchange sends in the room's name.
const declineComment = "The room was released at its door."

const roleWrite = "Calendars.ReadWrite"

// End gives the room back. An event that the room's own mailbox organized is shortened, to now or, if
// it hasn't begun, to nothing at its start. To anything else the room says no, which takes it off the
// room's calendar and tells the organizer: ending the room's copy would be seen by nobody else.
func (c *Calendar) End(ctx context.Context, room rooms.Room, ref rooms.EventRef, at time.Time) error {
	v := view{id: room.CalendarID, zone: room.Zone}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	err := v.check()
	if err == nil && ref.EventID == "" {
		err = &rooms.Fault{Service: service, Kind: rooms.FaultInvalid, Detail: "the reservation has no event id"}
	}
	if err == nil {
		err = c.end(ctx, v, ref.EventID, at)
	}
	if errors.Is(err, errChanged) { // between the reading and the writing: once more is enough
		err = c.end(ctx, v, ref.EventID, at)
	}
	if errors.Is(err, errGone) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("ending a reservation of %s: %w", room.ID, err)
	}
	return nil
}

// end reads the event afresh and ends it, if there is anything left to end.
func (c *Calendar) end(ctx context.Context, v view, eventID string, at time.Time) error {
	e, err := c.fetch(ctx, v, eventID)
	if err != nil {
		return err
	}
	if !e.blocks() {
		return nil
	}
	start, end, err := e.span(v.zone)
	if err != nil {
		return bad(err)
	}
	until := at.UTC().Truncate(time.Second)
	if until.Before(start) {
		until = start
	}
	switch {
	case !end.After(until):
		return nil
	case e.IsOrganizer:
		return c.shorten(ctx, v, e, start, until)
	default:
		return c.decline(ctx, v, e)
	}
}

// moved is the body of a PATCH that moves an event.
type moved struct {
	IsAllDay *bool   `json:"isAllDay,omitempty"`
	Start    *moment `json:"start,omitempty"`
	End      moment  `json:"end"`
}

// shorten ends the event earlier, unless it was changed since it was read
// (https://learn.microsoft.com/graph/api/event-update). A whole day has to become hours first.
func (c *Calendar) shorten(ctx context.Context, v view, e event, start, until time.Time) error {
	change := moved{End: momentOf(until)}
	if e.IsAllDay {
		begin, no := momentOf(start), false
		change.IsAllDay, change.Start = &no, &begin
	}
	body, err := json.Marshal(change)
	if err != nil {
		return bad(err)
	}
	r := request{mailbox: v.id, method: http.MethodPatch, url: c.address(v.eventPath(e.ID), nil), etag: e.tag(), body: body}
	ans, err := c.send(ctx, r, calendar.MaxAnswer)
	if err != nil {
		return err
	}
	if _, err := decodeEvent(ans.body); err != nil { // a login page says 200 to everything
		return r.lost(ans.bad(err))
	}
	return nil
}

// tag is what the event's version is called in If-Match; empty: unknown.
func (e *event) tag() string {
	if e.ETag != "" || e.ChangeKey == "" {
		return e.ETag
	}
	return `W/"` + e.changeKey() + `"`
}

func momentOf(t time.Time) moment {
	return moment{t.UTC().Format("2006-01-02T15:04:05.0000000"), "UTC"}
}

// decline says no for the room (https://learn.microsoft.com/graph/api/event-decline). An organizer who
// wants no answers makes Graph refuse to send one; then the room says no in silence.
func (c *Calendar) decline(ctx context.Context, v view, e event) error {
	err := c.respond(ctx, v, e, map[string]any{"sendResponse": true, "comment": declineComment})
	if fault := rooms.FaultOf(err); fault != nil && fault.Kind == rooms.FaultInvalid {
		return c.respond(ctx, v, e, map[string]any{"sendResponse": false})
	}
	return err
}

func (c *Calendar) respond(ctx context.Context, v view, e event, response map[string]any) error {
	body, err := json.Marshal(response)
	if err != nil {
		return bad(err)
	}
	r := request{mailbox: v.id, method: http.MethodPost, url: c.address(v.eventPath(e.ID)+"/decline", nil), body: body}
	ans, err := c.send(ctx, r, calendar.MaxAnswer)
	if err == nil && ans.status != http.StatusAccepted {
		return r.lost(ans.bad(errors.New("not the answer to declining")))
	}
	return err
}

// CanEnd looks into the app's token: nothing else tells, without changing something, whether writing
// is allowed. A token with Calendars.ReadWrite allows it, one with Calendars.Read alone doesn't. Rights
// given by RBAC for Applications are in no token; without any role on calendars CanEnd therefore says
// yes, and whether that was right shows with the first End.
func (c *Calendar) CanEnd(ctx context.Context, room rooms.Room) error {
	err := view{id: room.CalendarID, zone: room.Zone}.check()
	var access string
	if err == nil {
		access, err = c.tokens.token(ctx)
	}
	if err == nil {
		err = canWrite(rolesOf(access))
	}
	if err != nil {
		return fmt.Errorf("asking whether reservations of %s can be ended: %w", room.ID, err)
	}
	return nil
}

func canWrite(roles []string) error {
	reads := slices.ContainsFunc(roles, func(role string) bool { return strings.HasPrefix(role, "Calendars.Read") })
	if !reads || slices.Contains(roles, roleWrite) {
		return nil
	}
	return &rooms.Fault{Service: service, Kind: rooms.FaultPermission,
		Detail: "the app may read calendars but not change them: its token has the role Calendars.Read without Calendars.ReadWrite; " +
			"give it the role Application Calendars.ReadWrite on the room's mailbox (RBAC for Applications) and remove the consent to Calendars.Read, " +
			"or give admin consent to Calendars.ReadWrite"}
}
