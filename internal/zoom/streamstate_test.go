package zoom

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"roomkiosk/internal/rooms"
)

// expectStream compares what Stream tells: "up", "down", or the reason.
func expectStream(t *testing.T, c *Client, want string) {
	t.Helper()
	up, why := c.Stream()
	got := map[bool]string{true: "up", false: "down"}[up]
	if why != nil {
		got += ", " + why.Error()
		checkSecrets(t, got)
	}
	if got != want && (want == "up" || want == "down" || !strings.HasPrefix(got, "down, Zoom: ") || !strings.Contains(got, want)) {
		t.Errorf("stream is %q, want %q", got, want)
	}
}

func TestStreamTellsItsState(t *testing.T) {
	onStream(t, func(t *testing.T, b *bubble, f *feed, _ *newsLog) {
		expectStream(t, b.Client, "up")
		pass(time.Minute)
		b.srv.answerWS(say(404, ""))
		f.drop()
		pass(2 * time.Second)
		expectStream(t, b.Client, "bad_answer: the event stream's address doesn't answer as one; check events_url")
		b.srv.answerWS(hangUp)
		pass(6 * time.Minute)
		expectStream(t, b.Client, "unreachable: event stream: ")
		b.srv.answerWS(f.ServeHTTP)
		pass(time.Minute)
		expectStream(t, b.Client, "up")
		b.after(2 * time.Hour) // renewed
		expectStream(t, b.Client, "up")
		b.srv.answerToken(say(503, ""))
		pass(58 * time.Minute)
		expectStream(t, b.Client, "up") // the renewal of the token fails, the connection stays
		for range rivalAfter + 1 {
			b.srv.answerToken(nil)
			for up, _ := b.Stream(); !up; up, _ = b.Stream() {
				pass(time.Second)
			}
			f.drop()
			pass(time.Millisecond)
		}
		expectStream(t, b.Client, "make an event subscription for every kiosk")
	})
	for address, want := range map[string]string{"": "down", "https://zoom.test/ws": "events_url isn't the address"} {
		expectStream(t, newFixture(t, func(c *Config) { c.EventsURL = address }).Client, want)
	}
}

// A failure that comes again is one line, although this side's port is another one each time.
func TestStreamFailureIsSaidOnce(t *testing.T) {
	var attempts atomic.Int64
	var why atomic.Value
	onStreamOf(t, func(b *bubble, _ *feed) {
		b.stream.dialer.NetDialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			err, fails := why.Load().(error)
			if !fails {
				return b.pipes.dial(ctx, network, addr)
			}
			port := int(40000 + attempts.Add(1))
			return nil, &net.OpError{
				Op: "read", Net: "tcp", Err: fmt.Errorf("try %d: %w", port, err),
				Source: &net.TCPAddr{IP: net.IPv4(192, 168, 1, 23), Port: port}, Addr: &net.TCPAddr{IP: net.ParseIP("2001:db8::7"), Port: 443},
			}
		}
	}, func(t *testing.T, b *bubble, f *feed, _ *newsLog) {
		pass(2 * time.Minute)
		why.Store(fmt.Errorf("read: %w", syscall.ECONNRESET))
		f.drop()
		pass(time.Hour)
		said := b.log.String()
		if n := strings.Count(said, "not heard"); attempts.Load() < 50 || n != 2 { // that it ended, and that it can't be made
			t.Errorf("%d attempts, %d lines: %s", attempts.Load(), n, said)
		}
		if !strings.Contains(said, "read tcp [address]: try 40001: read: connection reset by peer") || strings.Contains(said, "192.168") || strings.Contains(said, "db8") {
			t.Errorf("logged %s", said)
		}
		why.Store(fmt.Errorf("lookup: %w", &net.DNSError{Err: "no such host", Name: "zoom.test", Server: "192.168.1.1:53"}))
		pass(time.Hour)
		said = b.log.String()
		if n := strings.Count(said, "not heard"); n != 3 || strings.Contains(said, "192.168") || !strings.Contains(said, "check DNS, and events_url") {
			t.Errorf("%d lines: %s", n, said)
		}
	})
}

// first answers with one frame, if any, and waits for the end of the connection.
func first(frame string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		up := websocket.Upgrader{}
		conn, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		if frame == "close" {
			return
		}
		if frame != "" {
			_ = conn.WriteMessage(websocket.TextMessage, []byte(frame))
		}
		_, _, _ = conn.ReadMessage()
	}
}

func TestCheckStream(t *testing.T) {
	refuses := func(text string) http.HandlerFunc {
		return first(fmt.Sprintf(`{"module":"build_connection","success":false,"content":%q}`, text))
	}
	for name, tt := range map[string]struct {
		ws, token http.HandlerFunc
		kind      rooms.FaultKind
		says      string
		within    time.Duration
		tokens    int
	}{
		"well":               {ws: first(`{"module":"build_connection","success":true,"content":"ok"}`), tokens: 1},
		"wrong subscription": {ws: refuses("Invalid Subscription"), kind: rooms.FaultCredentials, says: "check events_url, and check in the Zoom App", tokens: 2},
		"refused token":      {ws: say(401, ""), kind: rooms.FaultCredentials, says: "refuses the token; check in the Zoom App", tokens: 2},
		"another server":     {ws: say(404, ""), kind: rooms.FaultBadAnswer, says: "check events_url", tokens: 1},
		"closed at once":     {ws: first("close"), kind: rooms.FaultUnreachable, says: "before Zoom confirmed the connection; check events_url", tokens: 1},
		"silent":             {ws: first(""), kind: rooms.FaultUnreachable, says: "nothing heard in time before Zoom", within: confirmWait, tokens: 1},
		"no token":           {token: say(400, `{"error":"invalid_client"}`), kind: rooms.FaultCredentials, says: "client_secret is wrong", tokens: 2},
		"hung":               {ws: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, kind: rooms.FaultUnreachable, says: "no answer in time", within: requestTimeout, tokens: 1},
	} {
		inBubble(t, func(t *testing.T, b *bubble) {
			b.srv.answerWS(tt.ws)
			b.srv.answerToken(tt.token)
			err := b.CheckStream(t.Context())
			if fault := rooms.FaultOf(err); tt.kind == "" && err != nil || tt.kind != "" && (err == nil || fault.Kind != tt.kind || !strings.Contains(err.Error(), tt.says)) {
				t.Errorf("%s: %v", name, err)
			}
			if took := time.Since(b.start); took != tt.within {
				t.Errorf("%s: took %v", name, took)
			}
			b.expect(t, tt.tokens, "")
			if n := len(b.srv.calls()); n != 0 || b.log.String() != "" {
				t.Errorf("%s: %d requests to the API, logged %s", name, n, b.log)
			}
		}, func(c *Config) { c.EventsURL = "ws://zoom.test/ws?subscriptionId=sub" })
	}
	for _, address := range []string{"", "https://zoom.test/ws"} {
		f := newFixture(t, func(c *Config) { c.EventsURL = address })
		if fault := faultOf(t, f.CheckStream(t.Context())); fault.Kind != rooms.FaultInvalid || !strings.Contains(fault.Detail, "wss://") {
			t.Errorf("%q: %v", address, fault)
		}
	}
}

// Where the stream takes tokens of the second grant alone, that one is found.
func TestCheckStreamByTheOtherGrant(t *testing.T) {
	onStreamOf(t, func(_ *bubble, f *feed) {
		f.refuse = func(token string) string {
			return map[bool]string{true: "Invalid Token"}[strings.HasSuffix(token, "-1")]
		}
	}, func(t *testing.T, b *bubble, _ *feed, _ *newsLog) {
		pass(time.Minute)
		n := len(b.srv.tokenCalls())
		b.srv.answerToken(func(w http.ResponseWriter, r *http.Request) {
			suffix := map[bool]string{true: "-1", false: "-2"}[r.ParseForm() == nil && r.Form.Get("grant_type") == "client_credentials"]
			giveToken(plantedToken+suffix, 3600)(w, r)
		})
		if err := b.CheckStream(t.Context()); err != nil {
			t.Error(err)
		}
		if got := len(b.srv.tokenCalls()) - n; got != 2 {
			t.Errorf("asked for %d tokens", got)
		}
	})
}

// Whoever gives up waiting gets a fault at once.
func TestCheckStreamGivenUp(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bubble) {
		b.srv.answerWS(first(""))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if fault := faultOf(t, b.CheckStream(ctx)); fault.Kind != rooms.FaultUnreachable || time.Since(b.start) != time.Second {
			t.Errorf("after %v: %v", time.Since(b.start), fault)
		}
	}, func(c *Config) { c.EventsURL = "ws://zoom.test/ws?subscriptionId=sub" })
}

// A check beside a running kiosk takes its connection. That one comes back within seconds, and suspects
// nobody.
func TestCheckStreamBesideAKiosk(t *testing.T) {
	onStream(t, func(t *testing.T, b *bubble, f *feed, n *newsLog) {
		n.take()
		for range 5 {
			pass(70 * time.Second)
			if err := b.CheckStream(t.Context()); err != nil {
				t.Fatal(err)
			}
			pass(3 * time.Second)
			expectNews(t, n, "up false, up true")
		}
		if err := b.CheckStream(t.Context()); err != nil { // right after the last
			t.Fatal(err)
		}
		pass(6 * time.Second)
		expectNews(t, n, "up false, up true")
		if strings.Contains(b.log.String(), "another kiosk") || len(f.dialed()) != 13 {
			t.Errorf("%d connections, logged %s", len(f.dialed()), b.log)
		}
	})
}
