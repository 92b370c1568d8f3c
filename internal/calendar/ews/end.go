package ews

import (
	"context"
	"errors"
	"fmt"
	"time"

	"roomkiosk/internal/rooms"
)

// End ends the reservation at an instant, to the second: what was written into the room's own
// calendar is shortened, though not to before its start; a meeting that somebody else organizes is
// declined for the room. A reservation that is over, or no longer on the calendar, is left alone.
func (c *Calendar) End(ctx context.Context, room rooms.Room, ref rooms.EventRef, at time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	v := view{mailbox: room.CalendarID, zone: room.Zone}
	err := c.end(ctx, v, ref.EventID, at)
	if isConflict(err) {
		err = c.end(ctx, v, ref.EventID, at) // somebody edited it meanwhile
	}
	if err != nil {
		return fmt.Errorf("ending a reservation of %s: %w", room.ID, err)
	}
	return nil
}

func (c *Calendar) end(ctx context.Context, v view, id string, at time.Time) error {
	r, it, err := c.lookup(ctx, v, id)
	if isGone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	until := at.UTC().Truncate(time.Second)
	if until.Before(r.Start) {
		until = r.Start
	}
	if !r.End.After(until) {
		return nil
	}
	change := decline(it.ID)
	if it.own() {
		change = shorten(it.ID, r, until)
	}
	_, err = c.call(ctx, v.mailbox, change, maxWritten)
	if isGone(err) {
		return nil
	}
	return err
}

// maxWritten bounds the answer to a change, in bytes: ids, and not much else.
const maxWritten = 1 << 20

// CanEnd asks Exchange what the account may do with the room's calendar.
func (c *Calendar) CanEnd(ctx context.Context, room rooms.Room) error {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if err := c.canEnd(ctx, view{mailbox: room.CalendarID, zone: room.Zone}); err != nil {
		return fmt.Errorf("asking for rights on the calendar of %s: %w", room.ID, err)
	}
	return nil
}

func (c *Calendar) canEnd(ctx context.Context, v view) error {
	if err := v.check(); err != nil {
		return err
	}
	m, err := c.call(ctx, v.mailbox, getRights(), maxWritten)
	if err != nil {
		return err
	}
	if m.Rights == nil {
		return bad(errors.New("an answer without rights"))
	}
	if !yes(m.Rights.Modify) && !yes(m.Rights.Create) {
		return &rooms.Fault{Service: service, Kind: rooms.FaultPermission,
			Detail: "the account may read the room's calendar, not change it: " + c.grant("Editor")}
	}
	return nil
}
