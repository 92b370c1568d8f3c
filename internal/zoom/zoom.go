package zoom

import (
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"roomkiosk/internal/rooms"
)

// Limits of one request.
const (
	connectTimeout = 3 * time.Second
	requestTimeout = 8 * time.Second // from the first byte to the last of the answer
	maxAnswer      = 1 << 20         // bytes
)

// The bodies that PATCH /rooms/{id}/events can be sent with.
const (
	BodyJSON      = "json"      // as Zoom documents it
	BodyMultipart = "multipart" // as older descriptions of the API have it
)

// Config is what a [Client] needs.
type Config struct {
	AccountID    string
	ClientID     string
	ClientSecret string

	APIURL   string // ends in /v2
	TokenURL string
	Body     string // BodyJSON (also when empty) or BodyMultipart

	ExchangeIDs string // IDsEWS, IDsGraph or IDsAuto (also when empty)
	Memory      Memory // keeps what IDsAuto finds out; nil: only while the client lives

	// HTTP sends the requests; nil is a client on [Transport]. Its transport may be instrumented.
	// A zero Timeout becomes 8 s. Its redirect policy is not used: redirects are never followed.
	HTTP *http.Client

	Clock rooms.Clock  // never nil; decides when tokens end and paces Run
	Log   *slog.Logger // nil logs nothing

	// Reach is told when Zoom as a whole gets out of reach (the fault), when the kind of that fault
	// changes, and when Zoom is back (nil). It is called in order, on the goroutine that found out,
	// and must neither block nor call the client. nil tells nobody.
	Reach func(fault *rooms.Fault)

	// EventsURL is the address of the app's websocket subscription (wss://...); empty: none.
	EventsURL string
	// Hear is told what Zoom tells by itself, one after the other, on the goroutine of [Client.Listen]
	// or of a request to the webhook. It must neither block nor call the client. nil tells nobody.
	Hear func(rooms.News)
	// Listening is told true when the subscription is connected and confirmed, and false when it is
	// lost. There is no replay of what was missed between. It must not block. nil tells nobody.
	Listening func(up bool)
}

// Client talks to Zoom for one account. It is safe for concurrent use and implements
// [rooms.Events].
type Client struct {
	api       string
	multipart bool
	http      *http.Client
	clock     rooms.Clock
	log       *slog.Logger
	tokens    *tokens
	reach     *reach
	breaker   *breaker
	line      *line
	scrub     *scrubber
	exchange  *exchange
	account   string
	desk      *newsDesk
	stream    *stream
}

var _ rooms.Events = (*Client)(nil)

// New returns a client. It sends nothing and starts nothing; see [Client.Run].
func New(cfg Config) *Client {
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	c := &Client{
		api:       strings.TrimRight(cfg.APIURL, "/"),
		multipart: cfg.Body == BodyMultipart,
		http:      httpClient(cfg.HTTP),
		clock:     cfg.Clock,
		log:       log,
		reach:     newReach(cfg.Reach, log),
		scrub:     newScrubber(cfg.ClientID, cfg.ClientSecret),
		account:   cfg.AccountID,
		desk:      newNewsDesk(cfg.Hear),
		exchange:  newExchange(cfg.ExchangeIDs, cfg.Memory, log),
	}
	c.breaker = newBreaker(cfg.Clock, c.reach)
	c.line = newLine(cfg.Clock)
	c.tokens = newTokens(cfg, c)
	c.stream = newStream(cfg, c)
	return c
}

// Transport returns a transport with the limits that suit Zoom: 3 s to connect and 3 s for TLS. It
// speaks HTTP/1.1 only: there, a request without an answer takes its dead connection with it, while
// HTTP/2 would send the next requests into the same hole.
func Transport() *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer().DialContext,
		TLSHandshakeTimeout:    connectTimeout,
		MaxIdleConnsPerHost:    4,
		IdleConnTimeout:        45 * time.Second, // less than the usual minute of load balancers
		MaxResponseHeaderBytes: 64 << 10,
		Protocols:              &protocols,
	}
}

func dialer() *net.Dialer { return &net.Dialer{Timeout: connectTimeout, KeepAlive: 30 * time.Second} }

// httpClient returns a copy of given that follows no redirect. A redirect of the API would lead a
// token to another host, or turn a PATCH into a GET; in practice it is the log-in page of a network.
func httpClient(given *http.Client) *http.Client {
	hc := &http.Client{Timeout: requestTimeout}
	if given != nil {
		hc.Transport = given.Transport
		if given.Timeout > 0 {
			hc.Timeout = given.Timeout
		}
	}
	if hc.Transport == nil {
		hc.Transport = Transport()
	}
	hc.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return hc
}
