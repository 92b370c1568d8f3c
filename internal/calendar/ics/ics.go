// Package ics reads rooms from calendars that are published as a file: feeds of iCalendar text
// (RFC 5545) at a URL, which often is the only secret that protects it. They can only be read.
package ics

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"roomkiosk/internal/calendar"
	"roomkiosk/internal/calendar/ical"
	"roomkiosk/internal/rooms"
)

// service is the name of the other side in faults.
const service = "Calendar feed"

// An occurrence is looked for around now, where reservations that people can tap are; and should it
// have been moved, so far away.
const (
	near = 3 * 24 * time.Hour
	far  = 400 * 24 * time.Hour
)

// Config is what a calendar needs.
type Config struct {
	Name     string           // as configured; for the log
	User     string           // may be empty: the feed's URL is all it takes
	Password string           // of the user
	HTTP     *http.Client     // its transport is used; nil: calendar.Transport
	Now      func() time.Time // must not be nil
	Log      *slog.Logger     // nil: nothing is logged
}

// Calendar reads the feeds of any number of rooms. A room's CalendarID is the URL of its feed:
// https, or webcal, which means the same. It is safe for concurrent use.
//
// The EventID of its references is the id of the occurrence (see package ical). Their CalendarID is
// empty: nothing outside can be told about a feed by its URL, and it may be a secret.
type Calendar struct {
	http    *http.Client
	user    string
	now     func() time.Time
	log     *slog.Logger
	memory  memory
	dropped atomic.Uint64
}

var _ rooms.Calendar = (*Calendar)(nil)

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
	client.Transport = &calendar.Auth{User: cfg.User, Password: cfg.Password, Next: client.Transport}
	return &Calendar{http: client, user: cfg.User, now: cfg.Now, log: log.With("calendar", cfg.Name)}, nil
}

// Dropped counts the events of feeds that could not be read. Each of them was left out of its
// schedule, and is counted again with every version of its feed.
func (c *Calendar) Dropped() uint64 { return c.dropped.Load() }

// Read returns what blocks the room and touches [from, to), with instants in UTC. It leaves out what
// is cancelled, declined by the room or transparent. An event that can't be read is left out, logged
// and counted; a feed that can't be read is a fault of kind [rooms.FaultBadAnswer].
//
// An unchanged feed costs a conditional request: see memory.
func (c *Calendar) Read(ctx context.Context, room rooms.Room, from, to time.Time) ([]rooms.Reservation, error) {
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
	r, err := c.lookup(ctx, room, ref)
	if err != nil {
		return rooms.Reservation{}, fmt.Errorf("looking up a reservation of %s: %w", room.ID, err)
	}
	return r, nil
}

func (c *Calendar) read(ctx context.Context, room rooms.Room, from, to time.Time) ([]rooms.Reservation, error) {
	if !from.Before(to) {
		return nil, &rooms.Fault{Service: service, Kind: rooms.FaultInvalid, Detail: "a window that ends before it starts"}
	}
	feed, err := c.feed(ctx, room)
	if err != nil {
		return nil, err
	}
	if feed.shown.answers(from, to, room.Zone) {
		return slices.Clone(feed.shown.reservations), nil
	}
	x := feed.calendar.Expand(from, to, room.Zone)
	c.report(room, &feed, x)
	feed.shown = shown{from: from, to: to, zone: room.Zone, reservations: reservations(x, room)}
	c.memory.keep(room.CalendarID, feed)
	return slices.Clone(feed.shown.reservations), nil
}

// reservations keeps the first of several occurrences with one id.
func reservations(x ical.Expansion, room rooms.Room) []rooms.Reservation {
	all := x.Reservations(room.CalendarID, nil)
	seen := make(map[string]bool, len(all))
	all = slices.DeleteFunc(all, func(r rooms.Reservation) bool {
		again := seen[r.ID]
		seen[r.ID] = true
		return again
	})
	for i := range all {
		all[i].Ref.CalendarID = ""
	}
	return all
}

// report counts and logs what is new of what could not be read.
func (c *Calendar) report(room rooms.Room, feed *remembered, x ical.Expansion) {
	for _, b := range x.Broken {
		if !slices.Contains(feed.broken, b.UID) {
			feed.broken = append(feed.broken, b.UID)
			c.dropped.Add(1)
			c.log.Warn("calendar event not read", "room", room.ID, "uid", b.UID, "error", b.Err)
		}
	}
	for _, zone := range x.UnknownZones {
		if !slices.Contains(feed.zones, zone) {
			feed.zones = append(feed.zones, zone)
			c.log.Warn("time zone not known, the room's taken", "room", room.ID, "zone", calendar.Clip(zone, 80))
		}
	}
}

func (c *Calendar) lookup(ctx context.Context, room rooms.Room, ref rooms.EventRef) (rooms.Reservation, error) {
	feed, err := c.feed(ctx, room)
	if err != nil {
		return rooms.Reservation{}, unfound(err)
	}
	for _, margin := range []time.Duration{near, far} {
		x := feed.calendar.Expand(c.now().Add(-margin), c.now().Add(margin), room.Zone)
		for i := range x.Occurrences {
			if x.Occurrences[i].ID != ref.EventID {
				continue
			}
			r, blocks := x.Occurrences[i].Reservation(room.CalendarID, nil)
			if !blocks {
				return rooms.Reservation{}, gone("the event is cancelled, declined by the room, or no longer blocks it")
			}
			r.Ref.CalendarID = ""
			return r, nil
		}
	}
	return rooms.Reservation{}, gone("the event is not in the feed any more")
}
