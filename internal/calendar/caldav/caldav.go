// Package caldav reads rooms from CalDAV servers (RFC 4791), and ends reservations there. Servers
// differ most in how they expand series, so they are never asked to: objects come as they are and
// are expanded here.
package caldav

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"roomkiosk/internal/calendar"
	"roomkiosk/internal/rooms"
)

// service is the name of the other side in faults.
const service = "CalDAV"

// readTimeout bounds one read or look-up, all requests of it.
const readTimeout = 20 * time.Second

// Config is what a calendar needs.
type Config struct {
	Name     string           // as configured; for the log
	User     string           // may be empty: the server asks nobody
	Password string           // of the user
	HTTP     *http.Client     // its transport is used; nil: calendar.Transport
	Now      func() time.Time // must not be nil
	Log      *slog.Logger     // nil: nothing is logged
}

// Calendar is an account at any number of CalDAV servers that can read, and end, the reservations of
// any number of rooms. A room's CalendarID is the URL of its calendar, or one from which that can be
// found: see locate. It is safe for concurrent use.
//
// The EventID of its references is the path of the object on the server, as the server escapes it,
// then "#", then the id of the occurrence in the object (see package ical). The rest of a reference
// but its CalendarID is empty: nothing of it goes stale with an edit.
type Calendar struct {
	name    string
	http    *http.Client
	auth    *calendar.Auth
	now     func() time.Time
	log     *slog.Logger
	memory  memory
	dropped atomic.Uint64
}

var (
	_ rooms.Calendar = (*Calendar)(nil)
	_ rooms.Ender    = (*Calendar)(nil)
)

// New returns a calendar. It sends nothing.
func New(cfg Config) (*Calendar, error) {
	if cfg.Now == nil {
		return nil, fmt.Errorf("starting calendar %s: no clock", cfg.Name)
	}
	if cfg.User == "" && cfg.Password != "" {
		return nil, fmt.Errorf("starting calendar %s: a password without a user", cfg.Name)
	}
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	client := calendar.Client(cfg.HTTP)
	a := &calendar.Auth{User: cfg.User, Password: cfg.Password, Next: client.Transport}
	client.Transport = a
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Calendar{name: cfg.Name, http: client, auth: a, now: cfg.Now, log: log.With("calendar", cfg.Name)}, nil
}

// Dropped counts the objects and events that servers sent and that could not be read. Each of them
// was left out of its schedule, and is counted again with every read that found the calendar changed.
func (c *Calendar) Dropped() uint64 { return c.dropped.Load() }

// Read returns what blocks the room and touches [from, to), with instants in UTC. It leaves out what
// is cancelled, declined by the room or transparent. An object that can't be read is left out,
// logged and counted; an answer that can't be read is a fault of kind [rooms.FaultBadAnswer].
//
// An unchanged calendar costs one small request: see memory.
func (c *Calendar) Read(ctx context.Context, room rooms.Room, from, to time.Time) ([]rooms.Reservation, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	reservations, err := c.read(ctx, room, from, to)
	if err != nil {
		return nil, fmt.Errorf("reading calendar of %s: %w", room.ID, err)
	}
	return reservations, nil
}

// Lookup reads one occurrence afresh. One that would not be part of a schedule any more (deleted,
// cancelled, declined by the room, made transparent, or moved by more than a year) is a fault of kind
// [rooms.FaultNotFound].
func (c *Calendar) Lookup(ctx context.Context, room rooms.Room, ref rooms.EventRef) (rooms.Reservation, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	r, err := c.lookup(ctx, room, ref)
	if err != nil {
		return rooms.Reservation{}, fmt.Errorf("looking up a reservation of %s: %w", room.ID, err)
	}
	return r, nil
}

// End shortens the event to end at an instant, but not before its start; see [rooms.Ender]. Of a
// series it is the occurrence alone that ends. Everything else in the object stays as it is, byte by
// byte. What was changed meanwhile is read again first. Where the server doesn't let the room change
// the meetings of others, the room declines.
func (c *Calendar) End(ctx context.Context, room rooms.Room, ref rooms.EventRef, at time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if err := c.end(ctx, room, ref, at); err != nil {
		return fmt.Errorf("ending a reservation of %s: %w", room.ID, err)
	}
	return nil
}

// CanEnd asks for the user's privileges on the room's calendar (RFC 3744, section 5.5): to change
// what is in it takes write-content, or write or all, which contain it. A server that doesn't tell
// gets the benefit of the doubt: what it refuses then, it refuses at the door and with a reason,
// whereas a button that is missing for no reason can't be mended by anybody.
func (c *Calendar) CanEnd(ctx context.Context, room rooms.Room) error {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if err := c.canEnd(ctx, room); err != nil {
		return fmt.Errorf("asking for the rights on the calendar of %s: %w", room.ID, err)
	}
	return nil
}

// check finds rooms that can't be asked about.
func check(room rooms.Room) error {
	switch {
	case room.CalendarID == "":
		return &rooms.Fault{Service: service, Kind: rooms.FaultInvalid, Detail: "the room has no calendar_id"}
	case room.Zone == nil:
		return &rooms.Fault{Service: service, Kind: rooms.FaultInvalid, Detail: "the room has no time zone"}
	}
	return nil
}
