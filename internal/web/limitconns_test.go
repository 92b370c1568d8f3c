package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"roomkiosk/internal/live"
	"roomkiosk/internal/rooms"
)

// faked is a connection that says that it comes from elsewhere.
type faked struct {
	net.Conn
	from net.Addr
	shut atomic.Bool
}

func (c *faked) RemoteAddr() net.Addr { return c.from }
func (c *faked) Close() error         { c.shut.Store(true); return c.Conn.Close() }

// gate is a listener whose connections the test makes.
type gate struct{ dialed chan net.Conn }

func newGate() gate { return gate{make(chan net.Conn)} }

func (g gate) Accept() (net.Conn, error) {
	c, ok := <-g.dialed
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (g gate) Close() error   { close(g.dialed); return nil }
func (g gate) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "unix"} }

// dial connects from an address, and returns both ends.
func (g gate) dial(from string) (here net.Conn, there *faked) {
	here, other := net.Pipe()
	there = &faked{Conn: other, from: net.TCPAddrFromAddrPort(mustParse(from))}
	g.dialed <- there
	return here, there
}

func TestLimitConns(t *testing.T) {
	const a, b, c, here, v6, alsoV6 = "10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1", "127.0.0.1:1", "[2001:db8::1]:1", "[2001:db8::2]:1"
	many := func(from string, n int) []string { return strings.Split(strings.Repeat(from+" ", n-1)+from, " ") }
	for name, tt := range map[string]struct {
		before []string // are open
		next   string
		in     bool
		loses  int // index of the one that is closed for it; -1: none
	}{
		"one more":                              {many(a, 3), a, true, -1},
		"too many of an address":                {many(a, 4), a, false, -1},
		"another address":                       {many(a, 4), b, true, -1},
		"any number from here":                  {many(here, 9), here, true, -1},
		"all are taken, the newcomer has fewer": {append(many(a, 4), append(many(b, 3), many(here, 3)...)...), b, true, 3},
		"all are taken, from here":              {append(many(a, 4), append(many(b, 3), many(here, 3)...)...), here, true, 3},
		"all are taken, a stranger":             {append(many(b, 3), append(many(a, 4), many(here, 3)...)...), c, true, 6},
		"all are taken, the greediest":          {append(many(a, 3), append(many(b, 3), many(here, 4)...)...), b, false, -1},
		"all are taken from here":               {many(here, 10), a, false, -1},
		"all are taken from here, by another":   {many(here, 10), here, false, -1},
		"an IPv6 network":                       {many(v6, 9), alsoV6, true, -1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGate()
				l := LimitConns(g, 10, 4)
				accepted := make(chan net.Conn, 20)
				go func() {
					defer close(accepted)
					for {
						c, err := l.Accept()
						if err != nil {
							return
						}
						accepted <- c
					}
				}()
				var open []*faked
				for _, from := range tt.before {
					_, there := g.dial(from)
					open = append(open, there)
				}
				_, next := g.dial(tt.next)
				synctest.Wait()
				if in := !next.shut.Load(); in != tt.in {
					t.Errorf("let in: %v, want %v", in, tt.in)
				}
				for i, c := range open {
					if shut := c.shut.Load(); shut != (i == tt.loses) {
						t.Errorf("connection %d is closed: %v", i, shut)
					}
				}
				if err := l.Close(); err != nil {
					t.Error(err)
				}
				for c := range accepted {
					c.Close()
					c.Close() // gives its place back once
				}
				if limiter := l.(*connLimiter); limiter.open != 0 || len(limiter.byAddr) != 0 {
					t.Errorf("%d are counted when all are closed, of %d addresses", limiter.open, len(limiter.byAddr))
				}
			})
		})
	}
}

// serveSlow serves a kiosk in a bubble, with the server, limits and timeouts that it has on the wall.
func serveSlow(t *testing.T, s *Server) (g gate, stop func()) {
	t.Helper()
	g = newGate()
	server := NewHTTPServer(s, slog.New(slog.DiscardHandler))
	done := make(chan error, 1)
	go func() { done <- server.Serve(LimitConns(g, MaxConns, MaxConnsPerAddress)) }()
	return g, func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
		<-time.After(time.Second) // of the bubble: who is just waiting for the time ends, too
	}
}

// TestSlowClients: a client that doesn't go on is dropped, whatever it is slow with.
func TestSlowClients(t *testing.T) {
	const request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
	const post = "POST /rooms/ada/check-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: " + form + "\r\nContent-Length: 14\r\n\r\nreser"
	for name, tt := range map[string]struct {
		says  string        // at once
		drips string        // a byte of it a second, over and over
		reads bool          // the answer
		after time.Duration // it is closed
	}{
		"says nothing":         {"", "", true, readTimeout},
		"half a header":        {request[:len(request)-2], "", true, readTimeout},
		"a dripping header":    {request[:len(request)-2], "X-A: b\r\n", true, readTimeout},
		"half a body":          {post, "", true, readTimeout},
		"reads no page":        {request, "", false, writeTimeout},
		"says nothing further": {request, "", true, idleTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, _ := newLimited(newDoor("ada"))
				g, stop := serveSlow(t, s)
				here, there := g.dial("10.0.0.7:1")
				start := time.Now()
				if _, err := io.WriteString(here, tt.says); err != nil {
					t.Fatal(err)
				}
				if tt.reads {
					go func() { _, _ = io.Copy(io.Discard, here) }() // ends with the connection
				}
				go func() {
					for i := 0; tt.drips != ""; i++ {
						<-time.After(time.Second)
						if _, err := here.Write([]byte{tt.drips[i%len(tt.drips)]}); err != nil {
							return
						}
					}
				}()
				for !there.shut.Load() && time.Since(start) < time.Hour {
					<-time.After(time.Second) // of the bubble
				}
				// net/http waits half a second for the peer to take what it was told last.
				if took := time.Since(start); took < tt.after || took > tt.after+2*time.Second {
					t.Errorf("it was dropped after %v, want %v", took, tt.after)
				}
				stop()
				here.Close()
			})
		})
	}
}

// TestSocketThatIsNeverRead: it is dropped, and costs a frame meanwhile, however much is shown.
func TestSocketThatIsNeverRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := newLimited(newDoor("ada"))
		g, stop := serveSlow(t, s)
		d := websocket.Dialer{NetDial: func(string, string) (net.Conn, error) { here, _ := g.dial("10.0.0.7:1"); return here, nil }}
		ws, res, err := d.Dial("ws://localhost/rooms/ada/live", nil)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		synctest.Wait()
		before := heap()
		for range 100 { // ten seconds
			s.cfg.Hub.Publish("viewer/ada", "screen", []byte(time.Now().String()+strings.Repeat("x", 64<<10)))
			<-time.After(100 * time.Millisecond)
		}
		if grown := heap() - before; grown > 1<<20 {
			t.Errorf("100 frames of 64 KB that nobody took hold %d bytes", grown)
		}
		synctest.Wait()
		if got := s.cfg.Hub.Stats(); got.Sockets != 0 || got.Dropped != 1 {
			t.Errorf("after ten seconds: %+v", got)
		}
		stop()
		ws.Close()
	})
}

// TestPanelsSocketHasItsPlace: others, also those behind a proxy on this machine, may take all places of
// sockets but those that are kept for panels.
func TestPanelsSocketHasItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := newLimited(newDoor("ada"))
		s.cfg.Hub = live.New(live.Config{MaxSockets: 100})
		g, stop := serveSlow(t, s)
		var open []*websocket.Conn
		dial := func(from string, header http.Header) int {
			d := websocket.Dialer{NetDial: func(string, string) (net.Conn, error) { here, _ := g.dial(from); return here, nil }}
			ws, res, err := d.Dial("ws://localhost/rooms/ada/live?view=panel", header)
			if err == nil {
				open = append(open, ws)
			}
			if res == nil {
				t.Fatal(err)
			}
			res.Body.Close()
			return res.StatusCode
		}
		for i := range 99 {
			if got := dial(fmt.Sprintf("10.0.0.%d:1", i), nil); got != http.StatusSwitchingProtocols {
				t.Fatalf("viewer %d is answered %d", i, got)
			}
		}
		for _, tt := range []struct {
			from   string
			header http.Header
			want   int
		}{
			{"10.0.1.1:1", nil, http.StatusServiceUnavailable},
			{"127.0.0.1:1", http.Header{"X-Forwarded-For": {"10.0.1.1"}}, http.StatusServiceUnavailable},
			{"127.0.0.1:1", nil, http.StatusSwitchingProtocols},
		} {
			if got := dial(tt.from, tt.header); got != tt.want {
				t.Errorf("%s %v is answered %d, want %d", tt.from, tt.header, got, tt.want)
			}
		}
		for _, ws := range open {
			ws.Close()
		}
		stop()
	})
}

// TestSocketsTellPanels: what a panel says on its socket shows in /readyz, through all the layers.
func TestSocketsTellPanels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ada, bob := newDoor("ada"), newDoor("bob")
		s, _ := newLimited(ada, bob, newDoor("grace"))
		s.cfg.Panels = []string{"bob"}
		s.cfg.Hub = live.New(live.Config{Now: func() time.Time { return morning }})
		ctx, stopHub := context.WithCancel(t.Context())
		hub := make(chan error)
		go func() { hub <- s.cfg.Hub.Run(ctx) }()
		g, stop := serveSlow(t, s)
		ready := func() string { w := ask{path: "/readyz"}.do(s); return w.Result().Status + " " + w.Body.String() }
		check := func(want string) {
			t.Helper()
			if got := ready(); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		}
		check("200 OK ready\n")
		d := websocket.Dialer{NetDial: func(string, string) (net.Conn, error) { here, _ := g.dial("127.0.0.1:1"); return here, nil }}
		ws, res, err := d.Dial("ws://localhost/rooms/ada/live?view=panel", nil)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		go func() {
			for err := error(nil); err == nil; { // answers pings, too
				_, _, err = ws.ReadMessage()
			}
		}()
		<-time.After(46 * time.Second)
		check("200 OK ready\nada: no panel since 09:02\nbob: no panel since 09:02\n")
		if err := ws.WriteMessage(websocket.TextMessage, []byte(`{"type":"alive"}`)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		check("200 OK ready\nbob: no panel since 09:02\n")
		<-time.After(24 * time.Hour)
		check("200 OK ready\nada: no panel since 2026-11-22 09:03\nbob: no panel since 2026-11-22 09:02\n")
		bob.in.Schedule = rooms.Schedule{}
		if got := ready(); !strings.Contains(got, `"panels":{"ada":"no panel since 2026-11-22 09:03"`) || !strings.HasPrefix(got, "503") {
			t.Errorf("%s", got)
		}
		stopHub()
		if err := <-hub; err != nil {
			t.Error(err)
		}
		stop()
		ws.Close()
	})
}

func mustParse(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }
