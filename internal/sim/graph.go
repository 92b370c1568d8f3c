package sim

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"roomkiosk/internal/rooms"
)

// The rights of an app on calendars, in Microsoft's words.
const (
	CalendarsRead      = "Calendars.Read"
	CalendarsReadWrite = "Calendars.ReadWrite"
)

// graphAtOnce is how many requests of one app a mailbox takes at the same time
// (learn.microsoft.com/graph/throttling-limits, Outlook service limits).
const graphAtOnce = 4

// GraphConfig is the tenant with its one app, and what its Graph is like. All of it is optional.
type GraphConfig struct {
	TenantID, ClientID, ClientSecret string        // default: made-up ones
	TokenLife                        time.Duration // default one hour, real time
	PageSize                         int           // most events of a page, whatever the client asks for; 0: no such limit
	EmptyPages                       bool          // an empty page with a next link comes before every page
}

// Graph stands in for the token endpoint of Microsoft Entra ID and the calendars of Microsoft Graph
// v1.0. Every calendar of the world is a mailbox here.
type Graph struct {
	service
	cfg      GraphConfig
	calendar *Calendar

	mu       sync.Mutex
	roles    []string          // that were consented to for the whole tenant, and are in every token
	rights   map[string]string // by mailbox: given by RBAC for Applications; in no token
	defaults map[string]bool   // mailboxes that process requests as Exchange does by default
	expired  bool              // the client secret
	tokens   map[string]time.Time
	underWay map[string]int // requests by mailbox
	most     map[string]int // the most that were under way at once
}

// NewGraph returns a Graph whose app may read and write all calendars.
func NewGraph(cfg GraphConfig, calendar *Calendar, clock rooms.Clock, now func() time.Time) *Graph {
	cfg.TenantID = cmp.Or(cfg.TenantID, "8c3e2f5a-7d41-4a8b-9b0e-5f6c1d2e3a4b")
	cfg.ClientID = cmp.Or(cfg.ClientID, "1f6a7c1e-43a2-4c55-b9a7-0d9b8e7f6a5c")
	cfg.ClientSecret = cmp.Or(cfg.ClientSecret, "sim~graph~secret")
	cfg.TokenLife = cmp.Or(cfg.TokenLife, time.Hour)
	g := &Graph{
		cfg: cfg, calendar: calendar, roles: []string{CalendarsReadWrite},
		rights: map[string]string{}, defaults: map[string]bool{}, tokens: map[string]time.Time{},
		underWay: map[string]int{}, most: map[string]int{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /{tenant}/oauth2/v2.0/token", g.issueToken)
	mux.HandleFunc("GET /v1.0/users/{mailbox}/calendar/calendarView", g.allow(CalendarsRead, g.calendarView))
	mux.HandleFunc("GET /v1.0/users/{mailbox}/events/{event}", g.allow(CalendarsRead, g.getEvent))
	mux.HandleFunc("PATCH /v1.0/users/{mailbox}/events/{event}", g.allow(CalendarsReadWrite, g.patchEvent))
	mux.HandleFunc("POST /v1.0/users/{mailbox}/events/{event}/decline", g.allow(CalendarsReadWrite, g.declineEvent))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		graphError{400, "BadRequest", "Resource not found for the segment."}.write(w, r)
	})
	g.service = service{
		clock: clock, now: now, handler: mux, tokenPath: "/" + cfg.TenantID + "/oauth2/v2.0/token", refuse: refuseAsGraph,
		unauthorized: func(w http.ResponseWriter, r *http.Request) { errGraphToken.write(w, r) },
	}
	return g
}

// Consent replaces the roles that the app has for the whole tenant. They show in new tokens; none at
// all is how an app looks whose rights come from RBAC for Applications.
func (g *Graph) Consent(roles ...string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.roles = slices.Clone(roles)
}

// Allow gives the app a right on one mailbox, as RBAC for Applications does, in addition to its
// roles. An empty role takes it back.
func (g *Graph) Allow(mailbox, role string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.rights[mailbox] = role
}

// SetExchangeDefaults makes a mailbox process meeting requests as Set-CalendarProcessing has it by
// default: the organizer's name replaces the subject, and the private flag is cleared.
func (g *Graph) SetExchangeDefaults(mailbox string, on bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.defaults[mailbox] = on
}

// ExpireSecret makes the client secret run out, or good again.
func (g *Graph) ExpireSecret(expired bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.expired = expired
}

// ExpireTokens ends every token that was issued.
func (g *Graph) ExpireTokens() {
	g.mu.Lock()
	defer g.mu.Unlock()
	clear(g.tokens)
}

// SetPaging changes how lists are cut into pages; see [GraphConfig].
func (g *Graph) SetPaging(size int, emptyPages bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.cfg.PageSize, g.cfg.EmptyPages = size, emptyPages
}

// MostAtOnce is the largest number of requests for a mailbox that were under way together.
func (g *Graph) MostAtOnce(mailbox string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.most[mailbox]
}

type crowdedKey struct{}

// ServeHTTP counts the requests for each mailbox and marks those that are too many at once.
func (g *Graph) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	mailbox := mailboxOf(r.URL.Path)
	if mailbox == "" {
		g.service.ServeHTTP(w, r)
		return
	}
	g.mu.Lock()
	g.underWay[mailbox]++
	n := g.underWay[mailbox]
	g.most[mailbox] = max(g.most[mailbox], n)
	g.mu.Unlock()
	defer func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.underWay[mailbox]--
	}()
	if n > graphAtOnce {
		r = r.WithContext(context.WithValue(r.Context(), crowdedKey{}, true))
	}
	g.service.ServeHTTP(w, r)
}

func mailboxOf(path string) string {
	rest, ok := strings.CutPrefix(path, "/v1.0/users/")
	if !ok {
		return ""
	}
	mailbox, _, _ := strings.Cut(rest, "/")
	return mailbox
}

// graphRequest is a request that was let through.
type graphRequest struct {
	*http.Request
	mailbox string
	book    // the mailbox's calendar, without its events
	prefer  preferences
	plain   bool // the mailbox replaces subjects and clears private flags
}

// allow lets a request through that has a good token and the right to a mailbox that exists.
func (g *Graph) allow(right string, next func(http.ResponseWriter, graphRequest) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		in, err := g.admit(r, right)
		if err == nil {
			err = next(w, in)
		}
		if err != nil {
			asGraphError(err).write(w, r)
		}
	}
}

func (g *Graph) admit(r *http.Request, right string) (graphRequest, error) {
	mailbox := r.PathValue("mailbox")
	g.mu.Lock()
	expires, known := g.tokens[bearer(r)]
	roles := append(rolesOf(bearer(r)), g.rights[mailbox])
	plain := g.defaults[mailbox]
	g.mu.Unlock()
	about, exists := g.calendar.about(mailbox)
	switch {
	case !known || !g.now().Before(expires):
		return graphRequest{}, errGraphToken
	case r.Context().Value(crowdedKey{}) != nil:
		return graphRequest{}, errGraphCrowded
	case !slices.Contains(roles, right) && !slices.Contains(roles, CalendarsReadWrite):
		return graphRequest{}, errGraphDenied
	case !exists:
		return graphRequest{}, graphError{404, "ErrorInvalidUser", "The requested user '" + mailbox + "' is invalid."}
	}
	prefer, err := readPreferences(r.Header.Values("Prefer"))
	return graphRequest{r, mailbox, about, prefer, plain}, err
}
