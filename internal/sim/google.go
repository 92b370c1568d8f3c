package sim

import (
	"cmp"
	"crypto/rsa"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"roomkiosk/internal/rooms"
)

// Role is what somebody may see of a calendar.
type Role string

// The roles, in Google's words.
const (
	FreeBusyReader Role = "freeBusyReader" // times only
	Reader         Role = "reader"         // details, but not of private events
	Writer         Role = "writer"         // everything
	Owner          Role = "owner"
)

// GoogleConfig is what this Google is like. All of it is optional.
type GoogleConfig struct {
	TokenLife  time.Duration // default one hour, real time
	PageSize   int           // most events of a page, whatever the client asks for; 0: no such limit
	EmptyPages bool          // an empty page with a next page token comes before every page
}

// Google stands in for Google's token endpoint and its Calendar API v3, as far as
// events are read, moved and declined.
type Google struct {
	service
	cfg      GoogleConfig
	calendar *Calendar

	mu       sync.Mutex
	accounts map[string]account         // by e-mail
	shares   map[string]map[string]Role // calendar id, then principal
	tokens   map[string]googleToken
}

// account is a service account.
type account struct {
	key       *rsa.PublicKey
	keyID     string
	delegates map[string]bool // users that it may act for
}

type googleToken struct {
	principal string // who it acts for
	scopes    []string
	expires   time.Time
}

// NewGoogle returns a Google without accounts and shares.
func NewGoogle(cfg GoogleConfig, calendar *Calendar, clock rooms.Clock, now func() time.Time) *Google {
	cfg.TokenLife = cmp.Or(cfg.TokenLife, time.Hour)
	g := &Google{
		cfg: cfg, calendar: calendar,
		accounts: map[string]account{}, shares: map[string]map[string]Role{}, tokens: map[string]googleToken{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", g.issueToken)
	mux.HandleFunc("GET /calendar/v3/calendars/{calendar}/events", g.allow(g.listEvents))
	mux.HandleFunc("GET /calendar/v3/calendars/{calendar}/events/{event}", g.allow(g.getEvent))
	mux.HandleFunc("PATCH /calendar/v3/calendars/{calendar}/events/{event}", g.allow(g.patchEvent))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		googleError{404, "global", "notFound", "Not Found", ""}.write(w)
	})
	g.service = service{
		clock: clock, now: now, handler: mux, tokenPath: "/token", refuse: refuseAsGoogle,
		unauthorized: func(w http.ResponseWriter, _ *http.Request) { errInvalidCredentials.write(w) },
	}
	return g
}

// Share lets a service account, or a user that one acts for, see a calendar.
func (g *Google) Share(calendarID, principal string, role Role) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shares[calendarID] == nil {
		g.shares[calendarID] = map[string]Role{}
	}
	g.shares[calendarID][principal] = role
}

// Unshare takes that back.
func (g *Google) Unshare(calendarID, principal string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.shares[calendarID], principal)
}

// ExpireTokens ends every token that was issued.
func (g *Google) ExpireTokens() {
	g.mu.Lock()
	defer g.mu.Unlock()
	clear(g.tokens)
}

// SetPaging changes how lists are cut into pages; see [GoogleConfig].
func (g *Google) SetPaging(size int, emptyPages bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.cfg.PageSize, g.cfg.EmptyPages = size, emptyPages
}

func (g *Google) paging() (size int, emptyPages bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.cfg.PageSize, g.cfg.EmptyPages
}

// reader is a request that was let through, with what it may see.
type reader struct {
	*http.Request
	calendarID string
	role       Role
	maySend    bool // the token's scope covers writing
	book            // the calendar, without its events
}

// allow lets a request through that has a good token and a share of the calendar. No access looks
// like no calendar.
func (g *Google) allow(next func(http.ResponseWriter, reader) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		in, err := g.admit(r)
		if err == nil {
			err = next(w, in)
		}
		if err != nil {
			asGoogleError(err).write(w)
		}
	}
}

func (g *Google) admit(r *http.Request) (reader, error) {
	if r.Header.Get("Authorization") == "" {
		return reader{}, googleError{401, "global", "required", "Login Required.", "Authorization"}
	}
	id := r.PathValue("calendar")
	g.mu.Lock()
	token, known := g.tokens[bearer(r)]
	role := g.shares[id][token.principal]
	g.mu.Unlock()
	switch {
	case !known || !g.now().Before(token.expires):
		return reader{}, errInvalidCredentials
	case !mayRead(token.scopes):
		return reader{}, googleError{403, "global", "insufficientPermissions", "Request had insufficient authentication scopes.", ""}
	}
	about, exists := g.calendar.about(id)
	if role == "" || !exists {
		return reader{}, errNotFound
	}
	return reader{r, id, role, coversWriting(token.scopes), about}, nil
}

// mayRead tells whether one of the scopes covers reading events.
func mayRead(scopes []string) bool {
	for _, s := range scopes {
		switch strings.TrimPrefix(s, scopePrefix) {
		case "calendar", "calendar.readonly", "calendar.events", "calendar.events.readonly":
			return true
		}
	}
	return false
}

// coversWriting tells whether one of the scopes covers changing events.
func coversWriting(scopes []string) bool {
	return slices.Contains(scopes, scopePrefix+"calendar") || slices.Contains(scopes, scopePrefix+"calendar.events")
}

const scopePrefix = "https://www.googleapis.com/auth/"
