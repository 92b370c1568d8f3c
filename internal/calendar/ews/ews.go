// Package ews reads rooms from an Exchange server through Exchange Web Services
// (https://learn.microsoft.com/exchange/client-developer/web-service-reference/ews-reference-for-exchange),
// and ends reservations there. It is for servers of one's own: Exchange Online has Microsoft Graph.
package ews

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"roomkiosk/internal/calendar"
	"roomkiosk/internal/rooms"
)

// service is the name of the other side in faults.
const service = "Exchange"

// readTimeout bounds one read, look-up or end: all its requests, and the wait for a connection.
const readTimeout = 20 * time.Second

// The ways to sign in.
const (
	NTLM  = "ntlm"
	Basic = "basic"
)

// Config is what a calendar needs.
type Config struct {
	Name        string // as configured; for the log
	URL         string // of the service: https://mail.example.com/EWS/Exchange.asmx
	User        string // DOMAIN\user, or user@example.com
	Password    string
	Auth        string // NTLM or Basic; empty: NTLM
	Impersonate bool   // act as the rooms (role ApplicationImpersonation); else their calendars are shared with the user

	// HTTP brings the transport; nil: calendar.Transport. NTLM signs in connections, not requests,
	// so a *http.Transport is only a model: every connection gets a copy of its own, of HTTP/1.1. Any
	// other transport is used as it is, by one request at a time.
	HTTP *http.Client
	Wrap func(http.RoundTripper) http.RoundTripper // put around the transport of every connection; nil: nothing

	Now func() time.Time // must not be nil
	Log *slog.Logger     // nil: nothing is logged
}

// Calendar is an account at an Exchange server that can read any number of rooms. It is safe for
// concurrent use.
type Calendar struct {
	url         string
	user        string
	password    string
	auth        string
	impersonate bool
	lines       *lines
	now         func() time.Time
	log         *slog.Logger
	old         atomic.Bool // the server is too old for the version that is asked for first
	broken      known
	memory      memory
	dropped     atomic.Uint64
}

var (
	_ rooms.Calendar = (*Calendar)(nil)
	_ rooms.Ender    = (*Calendar)(nil)
)

// New returns a calendar. It sends nothing. Its errors are sentences for IT without the password.
func New(cfg Config) (*Calendar, error) {
	address, err := calendar.CheckURL(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("reading the url of calendar %s: %w", cfg.Name, err)
	}
	if online(address.Hostname()) {
		return nil, fmt.Errorf("reading the url of calendar %s: %s is Exchange Online, where Exchange Web Services are switched off: "+
			`write kind = "graph" instead`, cfg.Name, address.Hostname())
	}
	if cfg.Now == nil {
		return nil, fmt.Errorf("starting calendar %s: no clock", cfg.Name)
	}
	if err := checkAccount(&cfg); err != nil {
		return nil, fmt.Errorf("reading the account of calendar %s: %w", cfg.Name, err)
	}
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Calendar{
		url:         address.String(),
		user:        cfg.User,
		password:    cfg.Password,
		auth:        cfg.Auth,
		impersonate: cfg.Impersonate,
		lines:       newLines(cfg),
		now:         cfg.Now,
		log:         log.With("calendar", cfg.Name),
	}, nil
}

// online tells whether a host is Microsoft's own Exchange, in any of its clouds.
func online(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	for _, domain := range []string{"office365.com", "outlook.com", "office.com", "office365.us", "outlook.cn", "office.de"} {
		if host == domain || strings.HasSuffix(host, "."+domain) {
			return true
		}
	}
	return false
}

func checkAccount(cfg *Config) error {
	switch {
	case cfg.User == "" || cfg.Password == "":
		return errors.New("a user and a password are needed")
	case strings.Contains(cfg.User, ":"):
		return errors.New(`the user has a colon; write DOMAIN\user or user@example.com`)
	}
	switch cfg.Auth {
	case NTLM, Basic:
	case "":
		cfg.Auth = NTLM
	default:
		return fmt.Errorf("auth is %q, not %q or %q", cfg.Auth, NTLM, Basic)
	}
	return nil
}

// Dropped counts the items that Exchange sent and that could not be read. Each of them was left out
// of its schedule, and is counted again with every read.
func (c *Calendar) Dropped() uint64 { return c.dropped.Load() }

// Read returns what blocks the room and touches [from, to), with instants in UTC. It leaves out what
// is cancelled, declined by the room, or marked as free. An item that can't be read is left out,
// logged and counted; an answer that can't be read is a fault of kind [rooms.FaultBadAnswer].
func (c *Calendar) Read(ctx context.Context, room rooms.Room, from, to time.Time) ([]rooms.Reservation, error) {
	reservations, err := c.read(ctx, view{room.CalendarID, room.Zone, from, to})
	if err != nil {
		return nil, fmt.Errorf("reading calendar of %s: %w", room.ID, err)
	}
	return reservations, nil
}

// Lookup reads one event afresh, with its current change key. One that would not be part of a
// schedule any more (deleted, cancelled, declined by the room, made free) is a fault of kind
// [rooms.FaultNotFound].
func (c *Calendar) Lookup(ctx context.Context, room rooms.Room, ref rooms.EventRef) (rooms.Reservation, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	v := view{mailbox: room.CalendarID, zone: room.Zone}
	r, _, err := c.lookup(ctx, v, ref.EventID)
	if err != nil {
		return rooms.Reservation{}, fmt.Errorf("looking up a reservation of %s: %w", room.ID, err)
	}
	return r, nil
}

// lookup returns the reservation and the item that it was made of.
func (c *Calendar) lookup(ctx context.Context, v view, id string) (rooms.Reservation, item, error) {
	if err := v.check(); err != nil {
		return rooms.Reservation{}, item{}, err
	}
	if id == "" {
		return rooms.Reservation{}, item{}, gone("the reservation has no event id")
	}
	m, err := c.call(ctx, v.mailbox, getItem(id), calendar.MaxAnswer)
	if err != nil {
		return rooms.Reservation{}, item{}, err
	}
	if m.Items == nil || len(m.Items.All) != 1 {
		return rooms.Reservation{}, item{}, bad(errors.New("not the one item that was asked for"))
	}
	it := m.Items.All[0]
	if it.ID.ID != id {
		return rooms.Reservation{}, item{}, bad(errors.New("another item than the one asked for"))
	}
	if !it.blocks() {
		return rooms.Reservation{}, item{}, gone("the event is cancelled, declined by the room, or no longer blocks it")
	}
	r, err := it.reservation(v)
	if err != nil {
		return rooms.Reservation{}, item{}, bad(err)
	}
	return r, it, nil
}

// view is what is asked for: the calendar of a room, seen in the room's zone, between two instants.
type view struct {
	mailbox  string
	zone     *time.Location
	from, to time.Time
}

// check finds requests that can't be made.
func (v view) check() error {
	switch {
	case v.mailbox == "":
		return &rooms.Fault{Service: service, Kind: rooms.FaultInvalid, Detail: "the room has no calendar_id: it is the address of the room's mailbox"}
	case v.zone == nil:
		return &rooms.Fault{Service: service, Kind: rooms.FaultInvalid, Detail: "the room has no time zone"}
	default:
		return nil
	}
}
