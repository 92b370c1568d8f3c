package sim

import (
	"cmp"
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"roomkiosk/internal/rooms"
)

// The provider that a Zoom Room's calendar is connected to.
const (
	OnGoogle   = "google"
	OnExchange = "exchange"
)

// ZoomRoom is a Zoom Room of the account.
type ZoomRoom struct {
	ID                string
	Name              string
	Kind              string // OnGoogle or OnExchange
	CalendarID        string // the room's calendar; for Exchange its mailbox
	Capacity          int
	LocationID        string
	Passcode          string // secrets that the profile shows
	ActivationCode    string
	UnderConstruction bool
	CheckIn           ZoomCheckIn
	GraphIDs          bool // Exchange: event ids and change keys in Microsoft Graph's form, not in EWS's
}

// ZoomCheckIn is the room's part of "Room Check-In and Check-Out".
type ZoomCheckIn struct {
	Enabled      bool
	OpensBefore  time.Duration // before the start; in whole seconds
	ReleaseAfter time.Duration // after the start; in whole seconds
	AutoRelease  bool          // no-shows are cancelled at that instant, as Zoom does
}

// ZoomConfig is the account and what its Zoom is like. Only the credentials are required.
type ZoomConfig struct {
	AccountID, ClientID, ClientSecret string
	Scopes                            []string      // of every token; nil: the granular ones that a kiosk needs
	TokenLife                         time.Duration // default one hour, real time
	EffectDelay                       time.Duration // from a 202 to its effect; default 300 ms, negative: none
	Multipart                         bool          // events are taken as multipart/form-data only, not as JSON
	CheckChangeKeys                   bool          // a stale change key is an invalid parameter

	SubscriptionID      string        // of the event stream; default "sub_sim"
	NoClientCredentials bool          // the grant that is documented for the event stream isn't taken
	WebhookURL          string        // where events are posted to; empty: nowhere
	WebhookSecret       string        // the secret token that signs them
	WebhookTimeout      time.Duration // for an answer, real time; default 3 s
}

// Zoom stands in for Zoom's token endpoint, the Rooms API, the event stream and the webhooks.
type Zoom struct {
	service
	cfg      ZoomConfig
	calendar *Calendar
	stream   stream
	webhook  webhook

	mu      sync.Mutex
	rooms   []ZoomRoom
	offline map[string]bool
	tokens  map[string]zoomToken
}

type zoomToken struct {
	expires time.Time
	scopes  []string
}

// The scopes of the operations here, granular first.
var (
	scopeControl  = [2]string{"zoom_rooms:update:room_control:admin", "room:write:admin"}
	scopeListRoom = [2]string{"zoom_rooms:read:list_rooms:admin", "room:read:admin"}
	scopeReadRoom = [2]string{"zoom_rooms:read:room:admin", "room:read:admin"}
)

// NewZoom returns a Zoom without rooms. Tokens follow now, everything else follows the clock.
func NewZoom(cfg ZoomConfig, calendar *Calendar, clock rooms.Clock, now func() time.Time) *Zoom {
	if cfg.Scopes == nil {
		cfg.Scopes = []string{scopeControl[0], scopeListRoom[0], scopeReadRoom[0]}
	}
	cfg.TokenLife = cmp.Or(cfg.TokenLife, time.Hour)
	cfg.EffectDelay = cmp.Or(cfg.EffectDelay, 300*time.Millisecond)
	cfg.SubscriptionID = cmp.Or(cfg.SubscriptionID, "sub_sim")
	cfg.WebhookTimeout = cmp.Or(cfg.WebhookTimeout, 3*time.Second)
	z := &Zoom{cfg: cfg, calendar: calendar, offline: map[string]bool{}, tokens: map[string]zoomToken{}}
	z.webhook = webhook{url: cfg.WebhookURL, secret: cfg.WebhookSecret, wake: make(chan struct{}, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /oauth/token", z.issueToken)
	mux.HandleFunc("GET /v2/rooms", z.allow(scopeListRoom, z.listRooms))
	mux.HandleFunc("GET /v2/rooms/{id}", z.allow(scopeReadRoom, z.showRoom))
	mux.HandleFunc("PATCH /v2/rooms/{id}/events", z.allow(scopeControl, z.control))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		zoomError(w, http.StatusNotFound, 2300, "This API endpoint is not recognized.")
	})
	z.service = service{
		clock: clock, now: now, handler: mux, tokenPath: "/oauth/token", refuse: refuseAsZoom,
		socketPath: streamPath, socket: z.serveStream,
		unauthorized: func(w http.ResponseWriter, _ *http.Request) {
			zoomError(w, http.StatusUnauthorized, 124, "Invalid access token.")
		},
	}
	calendar.follow(z.nextNoShow)
	return z
}

// AddRoom adds a Zoom Room, online, or replaces the one with its id.
func (z *Zoom) AddRoom(r ZoomRoom) {
	z.mu.Lock()
	z.rooms = slices.DeleteFunc(z.rooms, func(other ZoomRoom) bool { return other.ID == r.ID })
	z.rooms = append(z.rooms, r)
	z.mu.Unlock()
	z.calendar.reconsider()
}

// SetOffline connects a room to Zoom or disconnects it. Zoom raises an alert, or clears it.
func (z *Zoom) SetOffline(roomID string, offline bool) {
	defer z.calendar.lock()()
	z.mu.Lock()
	before := z.offline[roomID]
	z.offline[roomID] = offline
	z.mu.Unlock()
	if room, ok := z.room(roomID); ok && before != offline {
		z.alert(room, offline)
	}
}

// Offline tells whether a room is disconnected.
func (z *Zoom) Offline(roomID string) bool {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.offline[roomID]
}

// SetUnderConstruction takes a room out of service, or back.
func (z *Zoom) SetUnderConstruction(roomID string, on bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	for i := range z.rooms {
		if z.rooms[i].ID == roomID {
			z.rooms[i].UnderConstruction = on
		}
	}
}

// SetScopes decides what tokens issued from now on may do.
func (z *Zoom) SetScopes(scopes ...string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.cfg.Scopes = scopes
}

// ExpireTokens ends every token that was issued.
func (z *Zoom) ExpireTokens() {
	z.mu.Lock()
	defer z.mu.Unlock()
	for token, t := range z.tokens {
		t.expires = time.Time{}
		z.tokens[token] = t
	}
}

func (z *Zoom) room(id string) (ZoomRoom, bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	i := slices.IndexFunc(z.rooms, func(r ZoomRoom) bool { return r.ID == id })
	if i < 0 {
		return ZoomRoom{}, false
	}
	return z.rooms[i], true
}

// The grants of the token endpoint: server-to-server OAuth, and what is documented for the event
// stream.
const (
	grantAccount = "account_credentials"
	grantClient  = "client_credentials"
)

// issueToken answers POST /oauth/token. What a token of [grantClient] may do beyond the event stream
// isn't documented: here, nothing.
func (z *Zoom) issueToken(w http.ResponseWriter, r *http.Request) {
	status, kind, reason := z.judgeTokenRequest(r)
	if kind != "" {
		writeJSON(w, status, map[string]string{"reason": reason, "error": kind})
		return
	}
	token := zoomToken{expires: z.now().Add(z.cfg.TokenLife)}
	name := "sim." + rand.Text()
	z.mu.Lock()
	z.forgetTokens()
	if r.PostForm.Get("grant_type") == grantAccount {
		token.scopes = z.cfg.Scopes
	}
	z.tokens[name] = token
	z.mu.Unlock()
	writeJSON(w, http.StatusOK, map[string]any{
		"access_token": name,
		"token_type":   "bearer",
		"expires_in":   int(z.cfg.TokenLife.Seconds()),
		"scope":        strings.Join(token.scopes, " "),
		"api_url":      "http://" + r.Host,
	})
}

// judgeTokenRequest says what is wrong with a token request; an empty kind: nothing.
func (z *Zoom) judgeTokenRequest(r *http.Request) (status int, kind, reason string) {
	id, secret, ok := r.BasicAuth()
	form := r.Header.Get("Content-Type")
	grant := func() string { return r.PostForm.Get("grant_type") }
	switch {
	case r.URL.RawQuery != "":
		return 400, "invalid_request", "Bad Request"
	case !strings.HasPrefix(form, "application/x-www-form-urlencoded"):
		return 400, "invalid_request", "Bad Request"
	case r.ParseForm() != nil || !onlyFields(r.PostForm, "grant_type", "account_id"):
		return 400, "invalid_request", "Bad Request"
	case !ok || id != z.cfg.ClientID || secret != z.cfg.ClientSecret:
		return 400, "invalid_client", "Invalid client_id or client_secret"
	case grant() == grantClient && !z.cfg.NoClientCredentials && !r.PostForm.Has("account_id"):
		return 0, "", ""
	case grant() != grantAccount:
		return 400, "unsupported_grant_type", "unsupported grant type"
	case r.PostForm.Get("account_id") != z.cfg.AccountID:
		return 400, "invalid_request", "Bad Request"
	default:
		return 0, "", ""
	}
}

// onlyFields tells whether the form has each of these fields at most once, and no other.
func onlyFields(form url.Values, names ...string) bool {
	for name, values := range form {
		if !slices.Contains(names, name) || len(values) != 1 {
			return false
		}
	}
	return true
}

// forgetTokens drops those that have long expired.
func (z *Zoom) forgetTokens() {
	for token, t := range z.tokens {
		if !t.expires.IsZero() && t.expires.Add(time.Hour).Before(z.now()) {
			delete(z.tokens, token)
		}
	}
}

// allow lets a request with a good token of one of the scopes through.
func (z *Zoom) allow(scopes [2]string, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		z.mu.Lock()
		token, known := z.tokens[bearer(r)]
		z.mu.Unlock()
		switch {
		case !known:
			zoomError(w, http.StatusUnauthorized, 124, "Invalid access token.")
		case !z.now().Before(token.expires):
			zoomError(w, http.StatusUnauthorized, 124, "Access token is expired.")
		case !slices.ContainsFunc(scopes[:], func(s string) bool { return slices.Contains(token.scopes, s) }):
			zoomError(w, http.StatusBadRequest, 4711,
				"Invalid access token, does not contain scopes:["+scopes[0]+"].")
		default:
			next(w, r)
		}
	}
}

// nextNoShow is the rule that releases rooms: an event that nobody checked in to in time is
// cancelled, unless it was only put there later.
func (z *Zoom) nextNoShow() (first time.Time, do func(time.Time)) {
	z.mu.Lock()
	defer z.mu.Unlock()
	for _, r := range z.rooms {
		if !r.CheckIn.Enabled || !r.CheckIn.AutoRelease {
			continue
		}
		for _, e := range z.calendar.book(r.CalendarID).events {
			at := e.Start.Add(r.CheckIn.ReleaseAfter)
			if e.awaitsCheckIn() && at.After(e.Created) && at.Before(e.End) && (do == nil || at.Before(first)) {
				first, do = at, func(time.Time) {
					z.calendar.change(r.CalendarID, e.ID, func(e *Event) { e.Status = Cancelled })
				}
			}
		}
	}
	return first, do
}

// awaitsCheckIn tells whether the event is one that people have to check in to, and haven't.
func (e *Event) awaitsCheckIn() bool {
	return !e.AllDay() && !e.Transparent && e.Status != Cancelled && e.Kind == Ordinary &&
		e.CheckedIn.IsZero() && !e.DeclinedByRoom()
}

// zoomError answers with Zoom's error body.
func zoomError(w http.ResponseWriter, status, code int, message string) {
	writeJSON(w, status, map[string]any{"code": code, "message": message})
}

// refuseAsZoom answers with a status that a fault asked for.
func refuseAsZoom(w http.ResponseWriter, status int) {
	message := http.StatusText(status)
	if status == http.StatusTooManyRequests {
		message = "You have reached the maximum per-second rate limit for this API. Try again later."
	}
	zoomError(w, status, status, message)
}

// seconds renders a duration as the API counts it.
func seconds(d time.Duration) int { return int(d / time.Second) }

// pageSize reads a page_size parameter. False: it is not one.
func pageSize(text string, fallback, most int) (int, bool) {
	if text == "" {
		return fallback, true
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 1 && n <= most
}
