package zoom

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"roomkiosk/internal/rooms"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Secrets that must never come out again.
const (
	plantedSecret = "S3cr3t+/of=the%app"
	plantedToken  = "opaque-T0ken"
	plantedCode   = "1315-2376-2198-7926"
)

var (
	ada = rooms.Room{ID: "ada", ZoomID: "qMOLddnySIGGVycz8aX_JQ"}

	googleRef = rooms.EventRef{
		EventID: "ebrg2b87a6uu9c678qhvsiahsc_20261123T090000Z", CalendarID: "c_188@resource.calendar.google.com",
	}
	exchangeRef = rooms.EventRef{
		EventID: "AAMkAGQz+BwAX8/aT1Lcc&AAA=", ChangeKey: "DwAAABYAAABQ/N0JvB/FRqv5UT2rFfkVAAE2XqVw",
		ResourceEmail: "zroom1@example.com",
	}
	noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
)

// handClock stands still until it is moved. Its timers are real.
type handClock struct {
	mu sync.Mutex
	at time.Time
}

func (c *handClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *handClock) Timer(d time.Duration) *time.Timer { return time.NewTimer(d) }

func (c *handClock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// bubbleClock is the time of a synctest bubble.
type bubbleClock struct{}

func (bubbleClock) Now() time.Time                    { return time.Now() }
func (bubbleClock) Timer(d time.Duration) *time.Timer { return time.NewTimer(d) }

// server is a Zoom that answers what the test wants, and remembers what it was asked.
type server struct {
	mu       sync.Mutex
	token    http.HandlerFunc // nil: gives plantedToken, -1, -2, ...
	api      http.HandlerFunc // nil: 202
	ws       http.HandlerFunc // of the event stream
	asked    []asked
	tokenAsk []asked
}

type asked struct {
	method, path, contentType, auth string
	header                          http.Header
	body                            string
	at                              time.Time
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	a := asked{r.Method, r.RequestURI, r.Header.Get("Content-Type"), r.Header.Get("Authorization"), r.Header, string(body), time.Now()}
	s.mu.Lock()
	handler := s.api
	if strings.HasPrefix(r.URL.Path, "/oauth/token") {
		s.tokenAsk = append(s.tokenAsk, a)
		handler = s.token
		if handler == nil {
			handler = giveToken(fmt.Sprintf("%s-%d", plantedToken, len(s.tokenAsk)), 3600)
		}
	} else if r.URL.Path == "/ws" {
		handler = s.ws
	} else {
		s.asked = append(s.asked, a)
	}
	s.mu.Unlock()
	if handler == nil {
		handler = say(202, "")
	}
	handler(w, r)
}

func (s *server) answerAPI(h http.HandlerFunc)   { s.mu.Lock(); defer s.mu.Unlock(); s.api = h }
func (s *server) answerToken(h http.HandlerFunc) { s.mu.Lock(); defer s.mu.Unlock(); s.token = h }
func (s *server) answerWS(h http.HandlerFunc)    { s.mu.Lock(); defer s.mu.Unlock(); s.ws = h }

func (s *server) calls() []asked {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]asked(nil), s.asked...)
}

func (s *server) tokenCalls() []asked {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]asked(nil), s.tokenAsk...)
}

func giveToken(value string, seconds int) http.HandlerFunc {
	return say(200, fmt.Sprintf(`{"access_token":%q,"token_type":"bearer","expires_in":%d,"scope":"zoom_rooms:update:room_control:admin"}`, value, seconds))
}

// say answers with JSON; headers are name, value, name, value.
func say(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if body != "" {
			w.Header().Set("Content-Type", "application/json;charset=UTF-8")
		}
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// hangUp closes the connection instead of answering.
func hangUp(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// fixture is a client, the server that it talks to over real HTTP, and what it logged.
type fixture struct {
	*Client
	srv   *server
	http  *httptest.Server
	clock *handClock
	log   *lockedBuffer
	reach *reachLog
}

func newFixture(t *testing.T, edit ...func(*Config)) *fixture {
	t.Helper()
	f := &fixture{srv: &server{}, clock: &handClock{at: noon}, log: &lockedBuffer{}, reach: &reachLog{}}
	f.http = httptest.NewServer(f.srv)
	f.http.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	transport := Transport()
	cfg := config(f.http.URL, &http.Client{Transport: transport}, f.clock, f.log, f.reach)
	for _, e := range edit {
		e(&cfg)
	}
	f.Client = New(cfg)
	t.Cleanup(func() { transport.CloseIdleConnections(); f.http.Close() })
	return f
}

func config(url string, hc *http.Client, clock rooms.Clock, log io.Writer, r *reachLog) Config {
	return Config{
		AccountID: "account-1", ClientID: "client-1", ClientSecret: plantedSecret,
		APIURL: url + "/v2/", TokenURL: url + "/oauth/token",
		HTTP: hc, Clock: clock, Reach: r.add,
		Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
}

// reachLog remembers what Config.Reach was told: kinds, or "back".
type reachLog struct {
	mu    sync.Mutex
	lines []string
}

func (r *reachLog) add(f *rooms.Fault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if f == nil {
		r.lines = append(r.lines, "back")
		return
	}
	r.lines = append(r.lines, string(f.Kind))
}

func (r *reachLog) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.lines, " ")
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// faultOf finds the fault, which every error has to be.
func faultOf(t *testing.T, err error) *rooms.Fault {
	t.Helper()
	var f *rooms.Fault
	if !errors.As(err, &f) {
		t.Fatalf("error %v is no fault", err)
	}
	if f.Service != "Zoom" {
		t.Errorf("fault of service %q", f.Service)
	}
	return f
}

// checkSecrets fails if one of the planted secrets is in text.
func checkSecrets(t *testing.T, text string) {
	t.Helper()
	for _, s := range []string{plantedSecret, plantedToken, plantedCode, "S3cr3t", "eyJ", "jane.doe@example.com"} {
		if strings.Contains(text, s) {
			t.Errorf("%q came out in: %s", s, text)
		}
	}
}

// pipes is a listener without a network, for HTTP inside a synctest bubble.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	mu    sync.Mutex
	dials int
	fail  error // dialing fails with it
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.done); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

func (p *pipes) cut(err error) { p.mu.Lock(); defer p.mu.Unlock(); p.fail = err }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	p.mu.Lock()
	p.dials++
	err := p.fail
	p.mu.Unlock()
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err}
	}
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) dialed() int { p.mu.Lock(); defer p.mu.Unlock(); return p.dials }
