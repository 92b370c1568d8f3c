package ews

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"roomkiosk/internal/calendar"
	"roomkiosk/internal/rooms"
)

// TestOnlyHTTP1: NTLM signs in connections, which HTTP/2 shares among requests.
func TestOnlyHTTP1(t *testing.T) {
	var proto atomic.Value
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proto.Store(r.Proto)
		say(w, list())
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	used := server.Client() // has spoken HTTP/2 already
	resp, err := used.Get(server.URL)
	if err != nil || resp.ProtoMajor != 2 {
		t.Fatalf("got %v, %v", resp, err)
	}
	_ = resp.Body.Close()
	used.CloseIdleConnections()
	for _, auth := range []string{Basic, NTLM} {
		c, err := New(Config{Name: "onprem", URL: server.URL + "/EWS/Exchange.asmx", User: user, Password: password, Auth: auth, HTTP: used, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := readDay(context.Background(), c); err != nil || proto.Load() != "HTTP/1.1" {
			t.Errorf("got %v by %v", err, proto.Load())
		}
	}
}

// TestLinesAtOnce: four requests are under way at the same time, and no more, each on its own
// connection. One at a time stays on one.
func TestLinesAtOnce(t *testing.T) {
	var mu sync.Mutex
	underWay, most := 0, 0
	connections := map[string]bool{}
	full := make(chan struct{})
	p := newPeer(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		underWay++
		most = max(most, underWay)
		connections[r.RemoteAddr] = true
		if underWay == maxLines {
			close(full)
		}
		mu.Unlock()
		<-full
		mu.Lock()
		underWay--
		mu.Unlock()
		say(w, list())
	})
	c := p.calendar(t)
	var all sync.WaitGroup
	for range maxLines {
		all.Go(func() {
			if _, err := readDay(context.Background(), c); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if most != maxLines || len(connections) != maxLines {
		t.Errorf("%d at once on %d connections", most, len(connections))
	}
	full = make(chan struct{})
	close(full)
	clear(connections)
	for range 5 {
		if _, err := readDay(context.Background(), c); err != nil {
			t.Fatal(err)
		}
	}
	if len(connections) != 1 {
		t.Errorf("%d connections for one request at a time", len(connections))
	}
}

// counted is a transport that the calendar knows nothing about.
type counted struct {
	next http.RoundTripper
	n    *atomic.Int32
}

func (c counted) RoundTrip(r *http.Request) (*http.Response, error) {
	c.n.Add(1)
	return c.next.RoundTrip(r)
}

func TestWrappedTransports(t *testing.T) {
	var n atomic.Int32
	p := newPeer(t, answerWith(list()))
	transport := calendar.Transport()
	defer transport.CloseIdleConnections()
	for name, edit := range map[string]func(*Config){
		"handed over": func(cfg *Config) { cfg.HTTP = &http.Client{Transport: counted{transport, &n}} },
		"put around":  func(cfg *Config) { cfg.Wrap = func(rt http.RoundTripper) http.RoundTripper { return counted{rt, &n} } },
		"of its own": func(cfg *Config) {
			cfg.HTTP, cfg.Wrap = nil, func(rt http.RoundTripper) http.RoundTripper { return counted{rt, &n} }
		},
	} {
		n.Store(0)
		if _, err := readDay(context.Background(), p.calendar(t, edit)); err != nil || n.Load() != 1 {
			t.Errorf("%s: %v, %d requests", name, err, n.Load())
		}
	}
}

// TestClosedWhileIdle: servers close connections that were kept open; what only reads is sent again.
func TestClosedWhileIdle(t *testing.T) {
	var conns sync.Map
	var n atomic.Int32
	p := &peer{}
	p.api = func(w http.ResponseWriter, _ *http.Request) {
		if n.Add(1) == 2 { // the connection is in use again already, from the client's point of view
			conns.Range(func(_, c any) bool { _ = c.(net.Conn).Close(); return true })
			return
		}
		say(w, list())
	}
	p.Server = httptest.NewUnstartedServer(http.HandlerFunc(p.serve))
	p.Config.ConnState = func(c net.Conn, s http.ConnState) {
		if s == http.StateNew {
			conns.Store(c, c)
		}
	}
	p.Start()
	t.Cleanup(p.Close)
	c := p.calendar(t)
	for range 2 {
		if _, err := readDay(context.Background(), c); err != nil {
			t.Error(err)
		}
	}
	if n.Load() != 3 {
		t.Errorf("%d requests", n.Load())
	}
	n.Store(1)
	at := time.Date(2026, 11, 23, 9, 20, 0, 0, time.UTC)
	_, err := c.call(context.Background(), ada, shorten(itemID{"a", "b"}, rooms.Reservation{}, at), maxWritten)
	if f := checkFault(t, err, rooms.FaultUnreachable); !f.Ambiguous || n.Load() != 2 {
		t.Errorf("got %+v after %d requests: what changes something is sent once", f, n.Load()-1)
	}
}
