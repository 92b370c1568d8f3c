package live_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"roomkiosk/internal/live"
)

func TestMain(m *testing.M) {
	if serveForMemory() {
		return
	}
	goleak.VerifyTestMain(m)
}

// frame is any frame, as a page sees it.
type frame struct {
	Type  string  `json:"type"`
	Now   int64   `json:"now"`
	Rate  float64 `json:"rate"`
	Build string  `json:"build"`
	Beat  int64   `json:"beat"`
	ID    string  `json:"id"`
	Rev   uint64  `json:"rev"`
	HTML  string  `json:"html"`
}

// watching serves the hub; the topics are the comma-separated query.
func watching(h *live.Hub) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var topics []string
		if r.URL.RawQuery != "" {
			topics = strings.Split(r.URL.RawQuery, ",")
		}
		_ = h.Serve(w, r, topics) // refusals are seen by the client
	})
}

// run runs the hub and returns what stops it, which waits.
func run(t *testing.T, h *live.Hub) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- h.Run(ctx) }()
	return sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("running the hub: %v", err)
		}
	})
}

// serve serves the hub over TCP until the test ends, and returns its ws address.
func serve(t *testing.T, h *live.Hub) string {
	t.Helper()
	stop := run(t, h)
	s := httptest.NewServer(watching(h))
	t.Cleanup(func() { stop(); s.Close() })
	return "ws" + strings.TrimPrefix(s.URL, "http") + "/?"
}

// dial opens a socket that the test closes.
func dial(t *testing.T, url string) *websocket.Conn {
	t.Helper()
	ws, res, err := websocket.DefaultDialer.Dial(url, nil)
	if err != nil {
		t.Fatalf("dialing: %v", err)
	}
	res.Body.Close()
	t.Cleanup(func() { ws.Close() })
	return ws
}

// read returns the next frame.
func read(t *testing.T, ws *websocket.Conn) frame {
	t.Helper()
	if err := ws.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	f, err := readFrame(ws)
	if err != nil {
		t.Fatalf("reading a frame: %v", err)
	}
	return f
}

func readFrame(ws *websocket.Conn) (frame, error) {
	var f frame
	_, data, err := ws.ReadMessage()
	if err == nil {
		err = json.Unmarshal(data, &f)
	}
	return f, err
}

// until waits for a condition that something else brings about.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// pipes is a network of unbuffered pipes, for tests in a bubble of synctest: a peer that doesn't read
// stops its writer at the first byte.
type pipes struct{ dialed chan net.Conn }

func (m pipes) Accept() (net.Conn, error) {
	c, ok := <-m.dialed
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (m pipes) Close() error   { return nil }
func (m pipes) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "unix"} }

// serveInMemory serves the hub in a bubble. The test calls stop before it returns.
func serveInMemory(t *testing.T, h *live.Hub) (m pipes, stop func()) {
	t.Helper()
	m = pipes{dialed: make(chan net.Conn)}
	s := &http.Server{Handler: watching(h)}
	go func() { _ = s.Serve(m) }()
	stopHub := run(t, h)
	return m, sync.OnceFunc(func() { stopHub(); close(m.dialed); s.Close() })
}

// dial opens a socket that watches the topics, separated by commas.
func (m pipes) dial(t *testing.T, topics string) *websocket.Conn {
	t.Helper()
	d := websocket.Dialer{NetDial: func(string, string) (net.Conn, error) {
		here, there := net.Pipe()
		m.dialed <- there
		return here, nil
	}}
	ws, res, err := d.Dial("ws://kiosk/?"+topics, nil)
	if err != nil {
		t.Fatalf("dialing: %v", err)
	}
	res.Body.Close()
	return ws
}
