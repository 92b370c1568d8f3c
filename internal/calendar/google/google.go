// Package google reads rooms from Google Calendar (API v3,
// https://developers.google.com/workspace/calendar/api/v3/reference) with a service account. It is
// written over net/http: Google's own client would more than double the binary for a few requests.
package google

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"roomkiosk/internal/calendar"
	"roomkiosk/internal/rooms"
)

// The scopes are all that is needed: events, not the list of calendars, their sharing or settings.
const (
	readScope  = "https://www.googleapis.com/auth/calendar.events.readonly"
	writeScope = "https://www.googleapis.com/auth/calendar.events" // covers reading
)

// service is the name of the other side in faults.
const service = "Google Calendar"

// readTimeout bounds one read or look-up: all pages, and a token if one is needed.
const readTimeout = 20 * time.Second

// Config is what a calendar needs.
type Config struct {
	Name            string           // as configured; for the log
	CredentialsJSON []byte           // key of a service account, as downloaded from Google
	Delegate        string           // user to impersonate, with domain-wide delegation; may be empty
	URL             string           // of the API: https://www.googleapis.com/calendar/v3
	Write           bool             // ask Google for the right to change events, which End needs
	HTTP            *http.Client     // its transport is used; nil: calendar.Transport
	Now             func() time.Time // must not be nil
	Log             *slog.Logger     // nil: nothing is logged
}

// Calendar is an account at Google Calendar that can read any number of rooms, and end their
// reservations if it may write. It is safe for concurrent use.
type Calendar struct {
	base    string // of the API, without a slash at the end
	http    *http.Client
	write   bool
	tokens  *tokens
	account string // address of the service account, for remedies
	project string // that the service account belongs to, likewise; may be empty
	now     func() time.Time
	log     *slog.Logger
	memory  memory
	dropped atomic.Uint64
}

// New reads the key and returns a calendar. It sends nothing. Its errors are sentences for IT and
// contain nothing of the key.
func New(cfg Config) (*Calendar, error) {
	base, err := calendar.CheckURL(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("reading the url of calendar %s: %w", cfg.Name, err)
	}
	if cfg.Now == nil {
		return nil, fmt.Errorf("starting calendar %s: no clock", cfg.Name)
	}
	key, err := readKey(cfg.CredentialsJSON, cfg.Delegate, scopeFor(cfg.Write))
	if err != nil {
		return nil, fmt.Errorf("reading the credentials of calendar %s: %w", cfg.Name, err)
	}
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	client := calendar.Client(cfg.HTTP)
	return &Calendar{
		base:    strings.TrimRight(base.String(), "/"),
		http:    client,
		write:   cfg.Write,
		tokens:  &tokens{key: key, http: client, now: cfg.Now},
		account: key.conf.Email,
		project: key.project,
		now:     cfg.Now,
		log:     log.With("calendar", cfg.Name),
	}, nil
}

func scopeFor(write bool) string {
	if write {
		return writeScope
	}
	return readScope
}

// Dropped counts the items that Google sent and that could not be read. Each of them was left out
// of its schedule, and is counted again with every read.
func (c *Calendar) Dropped() uint64 { return c.dropped.Load() }

// Read returns what blocks the room and touches [from, to), with instants in UTC. It leaves out what
// is cancelled, declined by the room, transparent, or of a type that doesn't book rooms. An item
// that can't be read is left out, logged and counted; an answer that can't be read is a fault of
// kind [rooms.FaultBadAnswer].
//
// An unchanged calendar costs a conditional request: see memory.
func (c *Calendar) Read(ctx context.Context, room rooms.Room, from, to time.Time) ([]rooms.Reservation, error) {
	reservations, err := c.read(ctx, view{room.CalendarID, room.Zone, from, to})
	if err != nil {
		return nil, fmt.Errorf("reading calendar of %s: %w", room.ID, err)
	}
	return reservations, nil
}

// Lookup reads one event afresh. One that would not be part of a schedule any more (deleted,
// cancelled, declined by the room, made transparent) is a fault of kind [rooms.FaultNotFound]. Google
// answers alike when it took away the right to read the calendar.
func (c *Calendar) Lookup(ctx context.Context, room rooms.Room, ref rooms.EventRef) (rooms.Reservation, error) {
	r, err := c.lookup(ctx, view{id: room.CalendarID, zone: room.Zone}, ref.EventID)
	if err != nil {
		return rooms.Reservation{}, fmt.Errorf("looking up a reservation of %s: %w", room.ID, err)
	}
	return r, nil
}

// view is what is asked for: the calendar of a room, seen in the room's zone, between two instants.
type view struct {
	id       string
	zone     *time.Location
	from, to time.Time
}

// check finds requests that Google would refuse anyway, or, without a calendar's id, understand as
// something else.
func (v view) check() error {
	switch {
	case v.id == "":
		return &rooms.Fault{Service: service, Kind: rooms.FaultInvalid, Detail: "the room has no calendar_id"}
	case v.zone == nil:
		return &rooms.Fault{Service: service, Kind: rooms.FaultInvalid, Detail: "the room has no time zone"}
	default:
		return nil
	}
}

// eventPath is the address of one event, with a query that asks for it as seen in the room's zone.
func (v view) eventPath(eventID, fields string) string {
	query := url.Values{"fields": {fields}}
	setZone(query, v.zone)
	return v.path() + "/" + url.PathEscape(eventID) + "?" + query.Encode()
}

// path is the address of the calendar's events, relative to the API.
func (v view) path() string {
	return "/calendars/" + url.PathEscape(v.id) + "/events"
}

func (c *Calendar) lookup(ctx context.Context, v view, eventID string) (rooms.Reservation, error) {
	if err := v.check(); err != nil {
		return rooms.Reservation{}, err
	}
	if eventID == "" {
		return rooms.Reservation{}, gone("the reservation has no event id")
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	ans, err := c.get(ctx, v.eventPath(eventID, "kind,"+eventFields), "", calendar.MaxAnswer)
	if err != nil {
		return rooms.Reservation{}, err
	}
	e, err := decodeEvent(ans.body)
	if err != nil {
		return rooms.Reservation{}, ans.bad(err)
	}
	if e.ID != eventID {
		return rooms.Reservation{}, ans.bad(errors.New("another event than the one asked for"))
	}
	if e.standing(v.id) == free {
		return rooms.Reservation{}, gone("the event is cancelled, declined by the room, or no longer blocks it")
	}
	r, err := e.reservation(v)
	if err != nil {
		return rooms.Reservation{}, ans.bad(err)
	}
	return r, nil
}
