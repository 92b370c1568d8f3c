// Package config reads the kiosk's TOML file: strictly, with every problem at its line.
//
// [Load] collects all that is wrong before it gives up, so that one look at the file mends it. It
// never repeats a secret: not in a problem, and not when a [Config] is printed, logged or encoded.
package config

import (
	"os"
	"time"
	_ "time/tzdata" // zones load on a machine without its own database, too

	"roomkiosk/internal/rooms"
)

// Config is a file that was found to be sound, with defaults filled in, files read and references
// resolved.
type Config struct {
	File      string         // where it was read from
	Listen    string         // host:port; the host may be empty
	DataDir   string         // absolute, or relative to the working directory as File was
	Zone      *time.Location // of rooms that don't say otherwise; never nil
	Language  string         // BCP 47, likewise
	ClockMode ClockMode
	Hosts     []string // further Host names to answer to: lower case, without port
	Zoom      *Zoom    // nil: the kiosk works without Zoom
	Calendars []Calendar
	Rooms     []rooms.Room // at least one; each is on one of Calendars
	Warnings  []Problem    // what works, but ought to be mended
}

// ClockMode says whether the machine's clock is believed.
type ClockMode string

// The clock modes.
const (
	ClockAuto    ClockMode = "auto"    // watch for evidence that it is right
	ClockTrusted ClockMode = "trusted" // it is right
)

// Zoom is the account that the rooms belong to.
type Zoom struct {
	AccountID    string
	ClientID     string
	ClientSecret Secret
	APIURL       string // without a trailing slash
	TokenURL     string
	Body         string // "json" or "multipart"
	ExchangeIDs  string // "ews", "graph" or "auto"
	EventsURL    string // websocket; empty: no event stream

	WebhookSecret Secret // what webhook requests are signed with; zero: no webhook
}

// Kind is a kind of calendar.
type Kind string

// The kinds of calendars.
const (
	Google Kind = "google"
	Graph  Kind = "graph"
	EWS    Kind = "ews"
	CalDAV Kind = "caldav"
	ICS    Kind = "ics"
)

// Calendar is a service with the calendars of rooms. Fields that don't belong to its kind are zero.
type Calendar struct {
	Name string // what rooms call it
	Kind Kind
	Poll time.Duration // how often a room's schedule is read; at least 1 s

	URL string // google, graph, ews; without a trailing slash

	Credentials Secret // google: the service account's JSON
	Delegate    string // google: the user to impersonate; may be empty

	TenantID     string // graph
	ClientID     string // graph
	ClientSecret Secret // graph
	TokenURL     string // graph

	User        string // ews, caldav, ics; for the last two it may be empty
	Password    Secret // with User
	Auth        string // ews: "ntlm" or "basic"
	Impersonate bool   // ews
}

// Defaults of what the file leaves out. Those of rooms are with [rooms.Room].
const (
	DefaultListen   = ":8080"
	DefaultDataDir  = "/var/lib/kiosk"
	DefaultLanguage = "en"
	DefaultPoll     = 15 * time.Second

	DefaultZoomAPIURL   = "https://api.zoom.us/v2"
	DefaultZoomTokenURL = "https://zoom.us/oauth/token"
	DefaultGoogleURL    = "https://www.googleapis.com/calendar/v3"
	DefaultGraphURL     = "https://graph.microsoft.com/v1.0"
	graphTokenURL       = "https://login.microsoftonline.com/%s/oauth2/v2.0/token"
)

// Load reads the file at path. Relative names of secret files are looked for in
// $CREDENTIALS_DIRECTORY, then beside the file. Any failure is an [*Error].
func Load(path string) (*Config, error) { return LoadEnv(path, os.Getenv) }

// LoadEnv is [Load] with the environment as an argument. Of it, only CREDENTIALS_DIRECTORY is read.
func LoadEnv(path string, getenv func(string) string) (*Config, error) {
	l := &loader{file: path, getenv: getenv}
	cfg := l.load()
	if len(l.problems) > 0 {
		return nil, &Error{File: path, Problems: byLine(l.problems)}
	}
	cfg.Warnings = byLine(l.warnings)
	return cfg, nil
}
