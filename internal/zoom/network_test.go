package zoom

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"roomkiosk/internal/rooms"
)

// apiAt makes the fixture's client use another address for the API, tokens stay where they are.
func apiAt(url string) func(*Config) { return func(c *Config) { c.APIURL = url + "/v2" } }

func expectUnreachable(t *testing.T, f *fixture, ambiguous bool, says string) {
	t.Helper()
	err := f.CheckIn(t.Context(), ada, googleRef)
	got := faultOf(t, err)
	if got.Kind != rooms.FaultUnreachable || got.Ambiguous != ambiguous || !strings.Contains(got.Detail, says) {
		t.Errorf("ambiguous %t: %v", got.Ambiguous, err)
	}
	if strings.Contains(err.Error(), ada.ZoomID) || strings.Contains(err.Error(), "/v2") {
		t.Errorf("the URL is in %q", err)
	}
	if f.reach.String() != "unreachable" {
		t.Errorf("reach was told %q", f.reach)
	}
}

func TestNobodyListens(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + ln.Addr().String()
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	expectUnreachable(t, newFixture(t, apiAt(url)), false, "no connection")
}

func TestNameIsUnknown(t *testing.T) {
	unknown := &net.DNSError{Err: "no such host", Name: "zoom.invalid", IsNotFound: true}
	transport := Transport()
	inner := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if strings.HasPrefix(addr, "zoom.invalid") {
			return nil, &net.OpError{Op: "dial", Net: network, Err: unknown}
		}
		return inner(ctx, network, addr)
	}
	defer transport.CloseIdleConnections()
	f := newFixture(t, apiAt("http://zoom.invalid"), func(c *Config) { c.HTTP = &http.Client{Transport: transport} })
	expectUnreachable(t, f, false, "DNS")
}

func TestCertificateIsNotTrusted(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	srv.StartTLS()
	defer srv.Close()
	expectUnreachable(t, newFixture(t, apiAt(srv.URL)), false, "certificate")
}

func TestNotTLS(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	defer srv.Close()
	f := newFixture(t, apiAt(strings.Replace(srv.URL, "http:", "https:", 1)))
	err := f.CheckIn(t.Context(), ada, googleRef)
	if got := faultOf(t, err); got.Kind != rooms.FaultUnreachable || got.Ambiguous {
		t.Errorf("got %v", err)
	}
}

func TestConnectionDroppedAfterRequest(t *testing.T) {
	f := newFixture(t)
	f.srv.answerAPI(hangUp)
	expectUnreachable(t, f, true, "broke")
	if n := len(f.srv.calls()); n != 1 {
		t.Errorf("sent %d times", n)
	}
}

// An idle connection turns out to be dead before a byte is on its way: the transport takes another
// one by itself. When that one can't be had, nothing was sent.
func TestConnectionDroppedBeforeRequest(t *testing.T) {
	var broken, closed atomic.Bool
	f := newFixture(t, func(c *Config) {
		transport := c.HTTP.Transport.(*http.Transport)
		inner := transport.DialContext
		transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if closed.Load() {
				return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
			}
			conn, err := inner(ctx, network, addr)
			return &brittle{conn, &broken}, err
		}
	})
	if err := f.CheckIn(t.Context(), ada, googleRef); err != nil {
		t.Fatal(err)
	}
	broken.Store(true)
	closed.Store(true)
	expectUnreachable(t, f, false, "no connection")
	closed.Store(false)
	if got := faultOf(t, f.CheckIn(t.Context(), ada, googleRef)); !got.Ambiguous {
		t.Errorf("a new connection that breaks while it is written to: %v", got)
	}
	if n := len(f.srv.calls()); n != 1 {
		t.Errorf("sent %d times", n)
	}
}

// brittle is a connection that can be made to refuse writes.
type brittle struct {
	net.Conn
	broken *atomic.Bool
}

func (b *brittle) Write(p []byte) (int, error) {
	if b.broken.Load() {
		return 0, syscall.EPIPE
	}
	return b.Conn.Write(p)
}

// The answer breaks off within its head, and within its body.
func TestAnswerBreaksOff(t *testing.T) {
	for _, tt := range []struct {
		raw       string
		kind      rooms.FaultKind
		ambiguous bool
	}{
		{"HTTP/1.1 20", rooms.FaultUnreachable, true},
		{"nonsense\r\n\r\n", rooms.FaultUnreachable, true},
		{"HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\n\r\n{", "", false},
		{"HTTP/1.1 400 Bad Request\r\nContent-Length: 100\r\n\r\n{\"code\":300", rooms.FaultBadAnswer, false},
		{"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 100\r\n\r\n{", rooms.FaultTrouble, true},
	} {
		f := newFixture(t)
		f.srv.answerAPI(raw(tt.raw))
		err := f.CheckIn(t.Context(), ada, googleRef)
		if tt.kind == "" {
			if err != nil {
				t.Errorf("%q: %v", tt.raw, err)
			}
			continue
		}
		if got := faultOf(t, err); got.Kind != tt.kind || got.Ambiguous != tt.ambiguous {
			t.Errorf("%q: ambiguous %t: %v", tt.raw, got.Ambiguous, err)
		}
	}
	f := newFixture(t)
	f.srv.answerAPI(raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"))
	_, err := f.Profile(t.Context(), ada)
	if got := faultOf(t, err); got.Kind != rooms.FaultUnreachable {
		t.Errorf("a profile that broke off: %v", err)
	}
}

// raw writes bytes and closes the connection.
func raw(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, buf, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer func() { _ = conn.Close() }()
		_, _ = buf.WriteString(text)
		_ = buf.Flush()
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	var visited bool
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visited = true }))
	defer other.Close()
	follow := func(c *Config) { c.HTTP.CheckRedirect = func(*http.Request, []*http.Request) error { return nil } }
	for _, status := range []int{301, 302, 303, 307, 308} {
		f := newFixture(t, follow)
		f.srv.answerAPI(say(status, "", "Location", other.URL+"/v2/rooms"))
		err := f.CheckIn(t.Context(), ada, googleRef)
		if got := faultOf(t, err); got.Kind != rooms.FaultBadAnswer || got.Ambiguous || !strings.Contains(got.Detail, "127.0.0.1") {
			t.Errorf("%d: %v", status, err)
		}
	}
	if visited {
		t.Error("a redirect was followed")
	}
}

func TestNoAnswerInTime(t *testing.T) {
	f := newFixture(t, func(c *Config) { c.HTTP.Timeout = 50 * time.Millisecond })
	f.srv.answerAPI(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	expectUnreachable(t, f, true, "in time")
}

// A tap that is given up says nothing about Zoom.
func TestGivenUp(t *testing.T) {
	f := newFixture(t)
	ctx, cancel := context.WithCancel(t.Context())
	f.srv.answerAPI(func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() })
	err := f.CheckIn(ctx, ada, googleRef)
	if got := faultOf(t, err); got.Kind != rooms.FaultUnreachable || !got.Ambiguous || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if f.reach.String() != "" {
		t.Errorf("reach was told %q", f.reach)
	}
}

// roundTripper is a transport that tells httptrace nothing.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestSilentTransport(t *testing.T) {
	for _, tt := range []struct {
		err       error
		ambiguous bool
	}{
		{&net.OpError{Op: "dial", Err: errors.New("refused")}, false},
		{&net.DNSError{Err: "no such host"}, false},
		{&tls.CertificateVerificationError{Err: errors.New("expired")}, false},
		{&net.OpError{Op: "read", Err: errors.New("reset")}, true},
		{io.ErrUnexpectedEOF, true},
	} {
		f := newFixture(t, func(c *Config) {
			inner := c.HTTP.Transport
			c.HTTP = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				if strings.HasPrefix(r.URL.Path, "/oauth") {
					return inner.RoundTrip(r)
				}
				return nil, tt.err
			})}
		})
		if got := faultOf(t, f.CheckIn(t.Context(), ada, googleRef)); got.Ambiguous != tt.ambiguous || got.Kind != rooms.FaultUnreachable {
			t.Errorf("%v: ambiguous %t, %s", tt.err, got.Ambiguous, got.Kind)
		}
	}
}

// A proxy that refuses to connect: nothing was sent, and its password stays hidden.
func TestProxyRefuses(t *testing.T) {
	proxy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := proxy.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
			_, _ = io.WriteString(conn, "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
		}
	}()
	f := newFixture(t, apiAt("https://api.zoom.invalid"), func(c *Config) {
		transport := c.HTTP.Transport.(*http.Transport)
		transport.Proxy = func(r *http.Request) (*url.URL, error) {
			if r.URL.Hostname() != "api.zoom.invalid" {
				return nil, nil //nolint:nilnil // what net/http wants for "no proxy"
			}
			return url.Parse("http://user:S3cr3t-proxy@" + proxy.Addr().String())
		}
	})
	fault := faultOf(t, f.CheckIn(t.Context(), ada, googleRef))
	if fault.Kind != rooms.FaultUnreachable || fault.Ambiguous {
		t.Errorf("ambiguous %t: %v", fault.Ambiguous, fault)
	}
	checkSecrets(t, fault.Error()+f.log.String())
	_ = proxy.Close()
	<-done
}
