package main

import (
	"fmt"
	"net/http"

	"roomkiosk/internal/calendar"
	"roomkiosk/internal/calendar/google"
	"roomkiosk/internal/config"
	"roomkiosk/internal/rooms"
	"roomkiosk/internal/zoom"
)

// newZoom makes the client of the configured Zoom account.
func newZoom(z *config.Zoom, in surroundings, m *metrics, memory zoom.Memory, reach func(*rooms.Fault)) *zoom.Client {
	return zoom.New(zoom.Config{
		AccountID: z.AccountID, ClientID: z.ClientID, ClientSecret: z.ClientSecret.Reveal(),
		APIURL: z.APIURL, TokenURL: z.TokenURL, Body: z.Body,
		ExchangeIDs: z.ExchangeIDs, Memory: memory,
		HTTP:  &http.Client{Transport: m.count("zoom", zoom.Transport())},
		Clock: in.clock, Log: in.log, Reach: reach,
	})
}

// newCalendars makes a client of every configured calendar, by name.
func newCalendars(all []config.Calendar, in surroundings, m *metrics) (map[string]rooms.Calendar, error) {
	out := make(map[string]rooms.Calendar, len(all))
	for _, c := range all {
		if c.Kind != config.Google {
			return nil, fmt.Errorf("calendar %q is of kind %s, and this version of the kiosk reads Google calendars only", c.Name, c.Kind)
		}
		client, err := google.New(google.Config{
			Name: c.Name, CredentialsJSON: []byte(c.Credentials.Reveal()), Delegate: c.Delegate, URL: c.URL,
			HTTP: &http.Client{Transport: m.count(c.Name, calendar.Transport())},
			Now:  in.clock.Now, Log: in.log,
		})
		if err != nil {
			return nil, fmt.Errorf("calendar %q: %w", c.Name, err)
		}
		out[c.Name] = client
	}
	return out, nil
}
