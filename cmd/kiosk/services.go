package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"roomkiosk/internal/calendar"
	"roomkiosk/internal/calendar/caldav"
	"roomkiosk/internal/calendar/ews"
	"roomkiosk/internal/calendar/google"
	"roomkiosk/internal/calendar/graph"
	"roomkiosk/internal/calendar/ics"
	"roomkiosk/internal/config"
	"roomkiosk/internal/rooms"
	"roomkiosk/internal/zoom"
)

// observer watches the requests to a service that go through a transport.
type observer func(service string, next http.RoundTripper) http.RoundTripper

// zoomTells is who is told what Zoom's client finds out. None of them blocks; all may be nil.
type zoomTells struct {
	reach     func(*rooms.Fault)
	hear      func(rooms.News)
	listening func(bool)
}

// newZoom makes the client of the configured Zoom account.
func newZoom(z *config.Zoom, in surroundings, watch observer, memory zoom.Memory, tells zoomTells) *zoom.Client {
	return zoom.New(zoom.Config{
		AccountID: z.AccountID, ClientID: z.ClientID, ClientSecret: z.ClientSecret.Reveal(),
		APIURL: z.APIURL, TokenURL: z.TokenURL, Body: z.Body,
		ExchangeIDs: z.ExchangeIDs, Memory: memory,
		HTTP:  &http.Client{Transport: watch("zoom", zoom.Transport())},
		Clock: in.clock, Log: in.log,
		EventsURL: z.EventsURL, Reach: tells.reach, Hear: tells.hear, Listening: tells.listening,
	})
}

// namedByZoom tells whether Zoom's events API has a way to name an event of such a calendar.
func namedByZoom(k config.Kind) bool {
	return k == config.Google || k == config.Graph || k == config.EWS
}

// newCalendars makes a client of every configured calendar, by name.
func newCalendars(cfg *config.Config, in surroundings, m *metrics, watch observer) (map[string]rooms.Calendar, error) {
	out := make(map[string]rooms.Calendar, len(cfg.Calendars))
	for _, c := range cfg.Calendars {
		client, err := newCalendar(c, releasesItself(cfg, c.Name), in.clock.Now, in.log, watch)
		if err != nil {
			return nil, fmt.Errorf("calendar %q: %w", c.Name, err)
		}
		out[c.Name] = client
		m.countDropped(c.Name, client)
	}
	return out, nil
}

// releasesItself tells whether the calendar has rooms that Zoom doesn't release.
func releasesItself(cfg *config.Config, name string) bool {
	return slices.ContainsFunc(cfg.Rooms, func(r rooms.Room) bool {
		return r.Calendar == name && (cfg.Zoom == nil || r.ZoomID == "")
	})
}

func newCalendar(c config.Calendar, write bool, now func() time.Time, log *slog.Logger, watch observer) (rooms.Calendar, error) {
	plain := calendar.Transport()
	counted := &http.Client{Transport: watch(c.Name, plain)}
	switch c.Kind {
	case config.Google:
		return google.New(google.Config{
			Name: c.Name, CredentialsJSON: []byte(c.Credentials.Reveal()), Delegate: c.Delegate, URL: c.URL, Write: write,
			HTTP: counted, Now: now, Log: log,
		})
	case config.Graph:
		return graph.New(graph.Config{
			Name: c.Name, TenantID: c.TenantID, ClientID: c.ClientID, ClientSecret: c.ClientSecret.Reveal(),
			URL: c.URL, TokenURL: c.TokenURL, HTTP: counted, Now: now, Log: log,
		})
	case config.EWS:
		return ews.New(ews.Config{
			Name: c.Name, URL: c.URL, User: c.User, Password: c.Password.Reveal(), Auth: c.Auth, Impersonate: c.Impersonate,
			HTTP: &http.Client{Transport: plain}, // NTLM signs in connections, so it has to see them
			Wrap: func(next http.RoundTripper) http.RoundTripper { return watch(c.Name, next) },
			Now:  now, Log: log,
		})
	case config.CalDAV:
		return caldav.New(caldav.Config{
			Name: c.Name, User: c.User, Password: c.Password.Reveal(), HTTP: counted, Now: now, Log: log,
		})
	case config.ICS:
		return ics.New(ics.Config{
			Name: c.Name, User: c.User, Password: c.Password.Reveal(), HTTP: counted, Now: now, Log: log,
		})
	default:
		return nil, fmt.Errorf("kind %q is not known", c.Kind)
	}
}
