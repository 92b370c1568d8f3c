package sim

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"roomkiosk/internal/rooms"
)

// The ways to sign in to EWS.
const (
	EWSByNTLM  = "ntlm"
	EWSByBasic = "basic"
)

// EWSConfig is the server with its one account, and what it is like. All of it is optional.
type EWSConfig struct {
	User, Password string         // DOMAIN\user or user@example.com; default: made-up ones
	Auth           string         // EWSByNTLM (default) or EWSByBasic: the only way in
	Newest         string         // newest version that may be asked for; default: Exchange2016
	MaxItems       int            // most items of an answer, whatever the client asks for; 0: no such limit
	FindLimit      int            // more items than these in a view are an error; 0: no such limit
	RangeLimit     time.Duration  // longest view; default: two years
	OrganizerZone  *time.Location // where all-day items are midnight; default: the calendar's own zone
	RawControls    bool           // control characters in subjects come as they are, not as references
	StrictKeys     bool           // a stale change key is a conflict, even with AutoResolve
}

// EWS stands in for Exchange Web Services of a server, as far as calendars go. Every calendar of the
// world is a mailbox here.
type EWS struct {
	service
	cfg      EWSConfig
	calendar *Calendar

	mu          sync.Mutex
	impersonate bool // the account has the role ApplicationImpersonation
	shares      map[string]Role
	defaults    map[string]bool // mailboxes that process requests as Exchange does by default
	refusals    []ewsRefusal
}

// ewsRefusal is an operation that will be refused.
type ewsRefusal struct {
	operation string
	err       ewsError
	left      int
}

// NewEWS returns a server whose account may impersonate every mailbox, and has no folder shared.
func NewEWS(cfg EWSConfig, calendar *Calendar, clock rooms.Clock, now func() time.Time) *EWS {
	cfg.User = cmp.Or(cfg.User, `EXAMPLE\kiosk`)
	cfg.Password = cmp.Or(cfg.Password, "Sim-Exchange-Passwörd")
	cfg.Auth = cmp.Or(cfg.Auth, EWSByNTLM)
	cfg.Newest = cmp.Or(cfg.Newest, "Exchange2016")
	cfg.RangeLimit = cmp.Or(cfg.RangeLimit, 2*365*24*time.Hour)
	e := &EWS{
		cfg: cfg, calendar: calendar, impersonate: true,
		shares: map[string]Role{}, defaults: map[string]bool{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /EWS/Exchange.asmx", e.answer)
	mux.HandleFunc("/EWS/Exchange.asmx", func(w http.ResponseWriter, r *http.Request) {
		if e.signIn(w, r) {
			http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
		}
	})
	mux.Handle("/", http.RedirectHandler("/owa/", http.StatusFound))
	mux.HandleFunc("/owa/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte("<!DOCTYPE html><title>Outlook</title><form>User name, password</form>"))
	})
	e.service = service{
		clock: clock, now: now, handler: mux, refuse: refuseAsEWS,
		unauthorized: func(w http.ResponseWriter, _ *http.Request) { e.offer(w, "") },
	}
	return e
}

// SetImpersonation gives the account the role ApplicationImpersonation, or takes it away.
func (e *EWS) SetImpersonation(on bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.impersonate = on
}

// Share gives the account a role on the mailbox's calendar folder: [Reader] is Exchange's Reviewer,
// [Writer] its Editor. An empty role takes it back.
func (e *EWS) Share(mailbox string, role Role) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.shares[mailbox] = role
}

// SetPassword changes the password of the account. Connections that are signed in stay so.
func (e *EWS) SetPassword(password string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.cfg.Password = password
}

// SetExchangeDefaults makes a mailbox process meeting requests as Set-CalendarProcessing has it by
// default: the organizer's name replaces the subject, and the private flag is cleared.
func (e *EWS) SetExchangeDefaults(mailbox string, on bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.defaults[mailbox] = on
}

// SetLimits changes how much goes into one answer; see [EWSConfig].
func (e *EWS) SetLimits(maxItems, findLimit int, rangeLimit time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.cfg.MaxItems, e.cfg.FindLimit, e.cfg.RangeLimit = maxItems, findLimit, rangeLimit
}

// Refuse makes the next so many requests of an operation, FindItem and the like, fail with a code
// inside an answer of status 200.
func (e *EWS) Refuse(operation, code string, times int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.refusals = append(e.refusals, ewsRefusal{operation, ewsError{code: code, message: "Refused."}, times})
}

func (e *EWS) refusal(operation string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range e.refusals {
		r := &e.refusals[i]
		if r.operation == operation && r.left > 0 {
			r.left--
			return r.err
		}
	}
	return nil
}

// config is the configuration of this moment.
func (e *EWS) config() EWSConfig {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.cfg
}

// role is what the account may do with a mailbox's calendar that it doesn't impersonate.
func (e *EWS) role(mailbox string) Role {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.shares[mailbox]
}

// shared are the mailboxes whose calendar the account may see.
func (e *EWS) shared() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []string
	for mailbox, role := range e.shares {
		if role == Reader || mayWrite(role) {
			out = append(out, mailbox)
		}
	}
	slices.Sort(out)
	return out
}

func mayWrite(r Role) bool { return r == Writer || r == Owner }

// signIn tells whether a request comes from the account. If not, it was answered with 401.
func (e *EWS) signIn(w http.ResponseWriter, r *http.Request) bool {
	cfg := e.config()
	state, _ := r.Context().Value(connectionKey{}).(*connection)
	scheme, data, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch {
	case cfg.Auth == EWSByBasic:
		user, password, ok := r.BasicAuth()
		if ok && strings.EqualFold(user, cfg.User) && password == cfg.Password {
			return true
		}
	case state == nil:
	case scheme == "NTLM" || scheme == "Negotiate":
		challenge, err := state.negotiate(data, cfg.User, cfg.Password, e.now())
		if err == nil && challenge == "" {
			return true
		}
		if err == nil {
			e.offer(w, scheme+" "+challenge)
			return false
		}
	case scheme == "" && state.user() != "":
		return true
	}
	e.offer(w, "")
	return false
}

// offer answers with 401: with a challenge, or with the ways to sign in.
func (e *EWS) offer(w http.ResponseWriter, challenge string) {
	h := w.Header()
	switch {
	case challenge != "":
		h.Set("WWW-Authenticate", challenge)
	case e.config().Auth == EWSByBasic:
		h.Set("WWW-Authenticate", `Basic realm="mail.example.com"`)
	default:
		h["Www-Authenticate"] = []string{"Negotiate", "NTLM"}
	}
	h.Set("Server", "Microsoft-IIS/10.0")
	h.Set("X-FEServer", "EX01")
	w.WriteHeader(http.StatusUnauthorized)
}

// EWSURL is the address of Exchange Web Services.
func (w *World) EWSURL() string { return "http://" + w.ewsLn.Addr().String() + "/EWS/Exchange.asmx" }

// EWSCredentials are those that this Exchange takes.
func (w *World) EWSCredentials() (user, password string) {
	cfg := w.EWS.config()
	return cfg.User, cfg.Password
}
