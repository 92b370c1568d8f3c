package google

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"roomkiosk/internal/calendar"
	"roomkiosk/internal/rooms"
)

// endFields are the fields that End needs. The attendees are read whole, to be sent back as they are.
const endFields = "kind,etag,id,status,transparency,eventType,start,end,endTimeUnspecified," +
	"organizer(email,self),attendees,attendeesOmitted"

// End gives the room back. What the room's own calendar organizes is shortened, to now or, if it
// hasn't begun, to nothing at its start. To anything else the room says no: only the organizer may
// move it, and what an attendee's calendar changes is seen by nobody else. Google sends no mail.
func (c *Calendar) End(ctx context.Context, room rooms.Room, ref rooms.EventRef, at time.Time) error {
	v := view{id: room.CalendarID, zone: room.Zone}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	err := c.writable(v)
	if err == nil && ref.EventID == "" {
		err = &rooms.Fault{Service: service, Kind: rooms.FaultInvalid, Detail: "the reservation has no event id"}
	}
	if err == nil {
		err = c.end(ctx, v, ref.EventID, at)
	}
	if errors.Is(err, errChanged) { // between the reading and the writing: once more is enough
		err = c.end(ctx, v, ref.EventID, at)
	}
	if fault := rooms.FaultOf(err); fault != nil && fault.Kind == rooms.FaultNotFound {
		_, err = c.role(ctx, v) // an event that is gone looks like a calendar that is no longer shared
	}
	if err != nil {
		return fmt.Errorf("ending a reservation of %s: %w", room.ID, err)
	}
	return nil
}

// writable refuses what Google would refuse anyway.
func (c *Calendar) writable(v view) error {
	if err := v.check(); err != nil {
		return err
	}
	if !c.write {
		return &rooms.Fault{Service: service, Kind: rooms.FaultPermission,
			Detail: "the kiosk asks Google for reading only, as every room of this calendar is released by Zoom"}
	}
	return nil
}

// end reads the event afresh and ends it, if there is anything left to end.
func (c *Calendar) end(ctx context.Context, v view, eventID string, at time.Time) error {
	ans, err := c.get(ctx, v.eventPath(eventID, endFields), "", calendar.MaxAnswer)
	if err != nil {
		return err
	}
	e, err := decodeEvent(ans.body)
	if err == nil && e.ID != eventID {
		err = errors.New("another event than the one asked for")
	}
	if err != nil {
		return ans.bad(err)
	}
	if e.standing(v.id) == free {
		return nil
	}
	start, end, err := e.span(v.zone)
	if err != nil {
		return ans.bad(err)
	}
	until := at.UTC().Truncate(time.Second)
	if until.Before(start) {
		until = start
	}
	if !end.After(until) {
		return nil
	}
	change, err := e.release(v, ans.body, start, until)
	if err != nil {
		return ans.bad(err)
	}
	return c.patch(ctx, v, e, change)
}

// change is the body of a PATCH.
type change struct {
	Start     *movedTo `json:"start,omitempty"`
	End       *movedTo `json:"end,omitempty"`
	Attendees []any    `json:"attendees,omitempty"`
	// Omitted tells Google that only the room's own answer is sent, and the other attendees stay.
	Omitted bool `json:"attendeesOmitted,omitempty"`
}

// movedTo has a date that is always null, which clears that of a whole day.
type movedTo struct {
	Date     *string `json:"date"`
	DateTime string  `json:"dateTime"`
}

func moved(t time.Time) *movedTo { return &movedTo{DateTime: t.UTC().Format(time.RFC3339)} }

// release makes the change that gives the room back. body is the answer that the event was read from.
func (e *event) release(v view, body []byte, start, until time.Time) (change, error) {
	own := e.own(v.id)
	switch {
	case !e.organizedBy(v.id) && own != nil:
		return e.decline(own, body)
	case e.Start.Date != "": // both ends of an event are of one form
		return change{Start: moved(start), End: moved(until)}, nil
	default:
		return change{End: moved(until)}, nil
	}
}

func (e *event) organizedBy(calendarID string) bool {
	return e.Organizer.Self || strings.EqualFold(e.Organizer.Email, calendarID)
}

// decline says no for the room. A PATCH replaces the whole list of attendees, so the others go back
// with all that Google told of them, or, if it left some out, nobody but the room
// (https://developers.google.com/workspace/calendar/api/v3/reference/events, attendeesOmitted).
func (e *event) decline(own *attendee, body []byte) (change, error) {
	var read struct {
		Attendees []map[string]any `json:"attendees"`
	}
	if err := json.Unmarshal(body, &read); err != nil {
		return change{}, jsonError(err)
	}
	out := change{Omitted: e.AttendeesOmitted}
	for i, a := range read.Attendees {
		isOwn := &e.Attendees[i] == own
		if isOwn {
			a["responseStatus"] = "declined"
		}
		if isOwn || !e.AttendeesOmitted {
			out.Attendees = append(out.Attendees, a)
		}
	}
	return out, nil
}

// patch changes the event unless it was changed since it was read
// (https://developers.google.com/workspace/calendar/api/guides/version-resources).
func (c *Calendar) patch(ctx context.Context, v view, e event, to change) error {
	body, err := json.Marshal(to)
	if err != nil {
		return &rooms.Fault{Service: service, Kind: rooms.FaultInvalid, Err: err}
	}
	query := url.Values{"sendUpdates": {"none"}, "fields": {"kind,id"}}
	r := request{path: v.path() + "/" + url.PathEscape(e.ID) + "?" + query.Encode(), etag: e.ETag, body: body}
	ans, err := c.send(ctx, r, calendar.MaxAnswer)
	if err != nil {
		return err
	}
	if _, err := decodeEvent(ans.body); err != nil { // a login page says 200 to everything
		return r.lost(ans.bad(err))
	}
	return nil
}

// CanEnd asks for the role that the calendar is shared with. Whether a meeting of somebody else can
// be declined shows with the first End.
func (c *Calendar) CanEnd(ctx context.Context, room rooms.Room) error {
	v := view{id: room.CalendarID, zone: room.Zone}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	err := c.writable(v)
	var role string
	if err == nil {
		role, err = c.role(ctx, v)
	}
	if err == nil && role != "writer" && role != "owner" {
		err = &rooms.Fault{Service: service, Kind: rooms.FaultPermission,
			Detail: "the kiosk may read the room's calendar but not change it: " + c.mayNotWrite()}
	}
	if err != nil {
		return fmt.Errorf("asking whether reservations of %s can be ended: %w", room.ID, err)
	}
	return nil
}

// role is what the account may do with the calendar: none, freeBusyReader, reader, writer or owner.
func (c *Calendar) role(ctx context.Context, v view) (string, error) {
	query := url.Values{"maxResults": {"1"}, "fields": {"kind,accessRole"}}
	ans, err := c.get(ctx, v.path()+"?"+query.Encode(), "", calendar.MaxAnswer)
	if err != nil {
		return "", err
	}
	var list struct {
		Kind string `json:"kind"`
		Role string `json:"accessRole"`
	}
	if err := json.Unmarshal(ans.body, &list); err != nil {
		return "", ans.bad(jsonError(err))
	}
	if list.Kind != "calendar#events" || list.Role == "" {
		return "", ans.bad(errors.New("JSON, but not a list of events with a role"))
	}
	return list.Role, nil
}
