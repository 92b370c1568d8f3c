// Package graph reads rooms on Exchange Online through Microsoft Graph v1.0
// (https://learn.microsoft.com/graph/api/resources/calendar) as an app of its own, with a client
// secret. It is written over net/http: Microsoft's client would add megabytes to the binary and
// minutes to its build for four requests.
//
// It asks for calendarView, which holds the occurrences of series as events of their own, and never
// for its delta, which leaves out their subject and sensitivity. Ids are Graph's default ones and
// never immutable ones: only those can be told to Zoom.
package graph

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
	"golang.org/x/oauth2/microsoft"

	"roomkiosk/internal/calendar"
	"roomkiosk/internal/rooms"
)

// service is the name of the other side in faults.
const service = "Microsoft Graph"

// readTimeout bounds one read, look-up or end: all requests, and a token if one is needed.
const readTimeout = 20 * time.Second

// Config is what a calendar needs.
type Config struct {
	Name         string           // as configured; for the log
	TenantID     string           // directory (tenant) id, or a verified domain
	ClientID     string           // application (client) id
	ClientSecret string           // the value of a client secret, not its id
	URL          string           // of the API: https://graph.microsoft.com/v1.0
	TokenURL     string           // empty: the tenant's at login.microsoftonline.com
	HTTP         *http.Client     // its transport is used; nil: calendar.Transport
	Now          func() time.Time // must not be nil
	NewID        func() string    // names a request for Microsoft's support; nil: random UUIDs
	Log          *slog.Logger     // nil: nothing is logged
}

// Calendar is an app at Microsoft Graph that can read any number of room mailboxes. It is safe for
// concurrent use.
type Calendar struct {
	base    *url.URL // of the API, without a slash at the end
	http    *http.Client
	tokens  *tokens
	now     func() time.Time
	newID   func() string
	log     *slog.Logger
	crowd   crowd
	memory  memory
	dropped atomic.Uint64
}

// New checks the configuration and returns a calendar. It sends nothing. Its errors are sentences
// for IT and contain nothing of the secret.
func New(cfg Config) (*Calendar, error) {
	base, err := calendar.CheckURL(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("reading the url of calendar %s: %w", cfg.Name, err)
	}
	if cfg.Now == nil {
		return nil, fmt.Errorf("starting calendar %s: no clock", cfg.Name)
	}
	credentials, err := readCredentials(cfg, base)
	if err != nil {
		return nil, fmt.Errorf("reading the credentials of calendar %s: %w", cfg.Name, err)
	}
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	newID := cfg.NewID
	if newID == nil {
		newID = newUUID
	}
	base.Path, base.RawPath = strings.TrimRight(base.Path, "/"), ""
	client := calendar.Client(cfg.HTTP)
	return &Calendar{
		base:   base,
		http:   client,
		tokens: &tokens{conf: credentials, http: client, now: cfg.Now},
		now:    cfg.Now,
		newID:  newID,
		log:    log.With("calendar", cfg.Name),
	}, nil
}

// tenants are ids and domains; what isn't one would change the address that the secret is sent to.
var tenants = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]{0,253}$`)

// readCredentials says where and how tokens are asked for.
func readCredentials(cfg Config, base *url.URL) (clientcredentials.Config, error) {
	conf := clientcredentials.Config{
		ClientID: strings.TrimSpace(cfg.ClientID), ClientSecret: strings.TrimSpace(cfg.ClientSecret), TokenURL: cfg.TokenURL,
		Scopes: []string{base.Scheme + "://" + base.Host + "/.default"}, AuthStyle: oauth2.AuthStyleInParams,
	}
	switch {
	case conf.ClientID == "":
		return conf, errors.New("client_id is missing: the application (client) id of the app registration")
	case conf.ClientSecret == "":
		return conf, errors.New("the client secret is empty")
	case conf.TokenURL != "":
		if _, err := calendar.CheckURL(conf.TokenURL); err != nil {
			return conf, fmt.Errorf("token_url is %w", err)
		}
		return conf, nil
	}
	switch tenant := strings.TrimSpace(cfg.TenantID); {
	case tenant == "":
		return conf, errors.New("tenant_id is missing: the directory (tenant) id of the app registration")
	case tenant == "common" || tenant == "organizations" || tenant == "consumers":
		return conf, errors.New("tenant_id has to name one tenant: an app without a user can't sign in to " + tenant)
	case !tenants.MatchString(tenant):
		return conf, errors.New("tenant_id is neither an id nor a domain")
	default:
		conf.TokenURL = microsoft.AzureADEndpoint(tenant).TokenURL
		return conf, nil
	}
}

// newUUID makes a random id of a request (RFC 9562, version 4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	text := hex.EncodeToString(b[:])
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}

// Dropped counts the items that Graph sent and that could not be read. Each of them was left out of
// its schedule, and is counted again with every read.
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

// Lookup reads one event afresh. One that would not be part of a schedule any more (deleted,
// cancelled, declined by the room, made free) is a fault of kind [rooms.FaultNotFound].
func (c *Calendar) Lookup(ctx context.Context, room rooms.Room, ref rooms.EventRef) (rooms.Reservation, error) {
	r, err := c.lookup(ctx, view{id: room.CalendarID, zone: room.Zone}, ref.EventID)
	if err != nil {
		return rooms.Reservation{}, fmt.Errorf("looking up a reservation of %s: %w", room.ID, err)
	}
	return r, nil
}

// view is what is asked for: the mailbox of a room, seen in the room's zone, between two instants.
type view struct {
	id       string
	zone     *time.Location
	from, to time.Time
}

// check finds requests that Graph would refuse anyway, or, without a mailbox, understand as
// something else.
func (v view) check() error {
	switch {
	case v.id == "":
		return &rooms.Fault{Service: service, Kind: rooms.FaultInvalid, Detail: "the room has no calendar_id: the address of its mailbox"}
	case v.zone == nil:
		return &rooms.Fault{Service: service, Kind: rooms.FaultInvalid, Detail: "the room has no time zone"}
	default:
		return nil
	}
}

// eventPath is the address of an event of the mailbox, relative to the API.
func (v view) eventPath(id string) string {
	return "/users/" + url.PathEscape(v.id) + "/events/" + url.PathEscape(id)
}

func (c *Calendar) lookup(ctx context.Context, v view, eventID string) (rooms.Reservation, error) {
	if err := v.check(); err != nil {
		return rooms.Reservation{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	e, err := c.fetch(ctx, v, eventID)
	if err != nil {
		return rooms.Reservation{}, err
	}
	if !e.blocks() {
		return rooms.Reservation{}, gone("the event is cancelled, declined by the room, or no longer blocks it")
	}
	r, err := e.reservation(v)
	if err != nil {
		return rooms.Reservation{}, bad(err)
	}
	return r, nil
}

// fetch reads one event.
func (c *Calendar) fetch(ctx context.Context, v view, eventID string) (event, error) {
	if eventID == "" {
		return event{}, gone("the reservation has no event id")
	}
	ans, err := c.send(ctx, request{mailbox: v.id, url: c.address(v.eventPath(eventID), url.Values{"$select": {eventFields}})}, calendar.MaxAnswer)
	if err != nil {
		return event{}, err
	}
	e, err := decodeEvent(ans.body)
	if err != nil {
		return event{}, ans.bad(err)
	}
	if e.ID != eventID {
		return event{}, ans.bad(errors.New("another event than the one asked for"))
	}
	return e, nil
}
