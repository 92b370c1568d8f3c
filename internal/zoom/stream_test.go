package zoom

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"roomkiosk/internal/rooms"
)

// feed is a strict subscription: it takes one connection at a time and nothing but heartbeats.
type feed struct {
	mu      sync.Mutex
	dials   []dialed
	current *websocket.Conn
	beats   []time.Time
	wrong   []string // what came that isn't a heartbeat
	refuse  func(token string) string
	mute    bool          // reads nothing, answers nothing
	end     chan struct{} // ends mute connections
}

type dialed struct {
	at    time.Time
	token string
}

func newFeed() *feed {
	return &feed{end: make(chan struct{}), refuse: func(string) string { return "" }}
}

func (f *feed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	f.mu.Lock()
	f.dials = append(f.dials, dialed{time.Now(), q.Get("access_token")})
	if q.Get("subscriptionId") != "sub" || r.Header.Get("Authorization") != "" {
		f.wrong = append(f.wrong, r.RequestURI)
	}
	problem, mute, before := f.refuse(q.Get("access_token")), f.mute, f.current
	f.mu.Unlock()
	up := websocket.Upgrader{}
	conn, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	if problem != "" {
		_ = conn.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, `{"module":"build_connection","success":false,"content":%q,"header":{}}`, problem))
		return
	}
	if before != nil {
		_ = before.Close()
	}
	f.mu.Lock()
	f.current = conn
	f.mu.Unlock()
	f.send(`{"module":"build_connection","success":true,"content":"ok","header":{}}`)
	if mute {
		<-f.end
		return
	}
	f.receive(conn)
}

func (f *feed) receive(conn *websocket.Conn) {
	for {
		kind, raw, err := conn.ReadMessage()
		if err != nil {
			return
		}
		f.mu.Lock()
		if kind == websocket.TextMessage && string(raw) == `{"module":"heartbeat"}` {
			f.beats = append(f.beats, time.Now())
		} else {
			f.wrong = append(f.wrong, string(raw))
		}
		f.mu.Unlock()
		f.send(`{"module":"heartbeat","success":true,"content":"live","header":{}}`)
	}
}

// send sends a frame on the present connection.
func (f *feed) send(text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_ = f.current.WriteMessage(websocket.TextMessage, []byte(text))
}

// message sends an event as Zoom does, in a JSON string.
func (f *feed) message(event string) { f.send(fmt.Sprintf(`{"module":"message","content":%q}`, event)) }

func (f *feed) drop() { f.mu.Lock(); defer f.mu.Unlock(); _ = f.current.Close() }

func (f *feed) set(edit func()) { f.mu.Lock(); defer f.mu.Unlock(); edit() }

func (f *feed) dialed() []dialed { f.mu.Lock(); defer f.mu.Unlock(); return slices.Clone(f.dials) }

// newsLog remembers what Hear and Listening were told, one line each.
type newsLog struct {
	mu    sync.Mutex
	lines []string
}

func (n *newsLog) hear(news rooms.News) {
	n.add(fmt.Sprintf("%s %s %s", news.Kind, news.ZoomRoomID, strings.Join(news.EventIDs, " ")))
}

func (n *newsLog) listening(up bool) { n.add(fmt.Sprintf("up %t", up)) }

func (n *newsLog) add(line string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, strings.TrimSpace(line))
}

// take returns the lines since the last time.
func (n *newsLog) take() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	text := strings.Join(n.lines, ", ")
	n.lines = nil
	return text
}

// onStream runs test with a client that listens to a feed, in a bubble.
func onStream(t *testing.T, test func(t *testing.T, b *bubble, f *feed, n *newsLog), edit ...func(*Config)) {
	t.Helper()
	onStreamOf(t, func(*bubble, *feed) {}, test, edit...)
}

// onStreamOf is onStream with a feed that prepare has changed before.
func onStreamOf(t *testing.T, prepare func(*bubble, *feed), test func(t *testing.T, b *bubble, f *feed, n *newsLog), edit ...func(*Config)) {
	t.Helper()
	n := &newsLog{}
	edit = append([]func(*Config){func(c *Config) {
		c.EventsURL, c.Hear, c.Listening = "ws://zoom.test/ws?subscriptionId=sub", n.hear, n.listening
	}}, edit...)
	inBubble(t, func(t *testing.T, b *bubble) {
		f := newFeed()
		b.srv.answerWS(f.ServeHTTP)
		b.srv.answerAPI(say(200, `{"rooms":[]}`))
		prepare(b, f)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- b.Listen(ctx) }()
		synctest.Wait()
		test(t, b, f, n)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Listen returned %v", err)
		}
		close(f.end)
		synctest.Wait()
		if len(f.wrong) > 0 {
			t.Errorf("the feed got %q", f.wrong)
		}
		checkSecrets(t, b.log.String())
		if strings.Contains(b.log.String(), "access_token=") && !strings.Contains(b.log.String(), "access_token="+hidden) {
			t.Errorf("logged %s", b.log)
		}
	}, edit...)
}

func expectNews(t *testing.T, n *newsLog, want string) {
	t.Helper()
	if got := n.take(); got != want {
		t.Errorf("heard %q, want %q", got, want)
	}
}

const checkedIn = `{"event":"zoomroom.checked_in","event_ts":1795435212000,"payload":{"account_id":"account-1","object":{"id":"abc","room_name":"Ada","event_id":"AA/b+","change_key":"DwAAABYAAAAX8/aT1LccS5Py6q2XXxmQAAAJCwcO","resource_email":"it@example.com","calendar_type":"2","api_type":"0"}}}`

func TestStreamIsHeard(t *testing.T) {
	onStream(t, func(t *testing.T, b *bubble, f *feed, n *newsLog) {
		expectNews(t, n, "up true")
		f.message(checkedIn)
		f.send(`{"module":"message","content":` + strings.ReplaceAll(checkedIn, "checked_in", "checked_out") + `}`) // not a string
		f.message(`{"event":"zoomroom.alert","payload":{"object":{"id":"abc","issue":"Zoom room is offline","alert_type":3,"alert_kind":1}}}`)
		synctest.Wait()
		expectNews(t, n, "checked_in abc AA/b+ AA-b_, checked_out abc AA/b+ AA-b_, room_offline abc")
		for _, odd := range []string{
			`{"module":"weather","content":"sunny"}`, `{"module":"message","content":"{\"event\":\"zoomroom.sensor_data\"}"}`,
			`{"module":"message","content":"nonsense"}`, `nonsense`, `{}`, `null`, `[]`, ``, `{"module":"message"}`,
			`{"module":"build_connection"}`, `{"module":"heartbeat","success":false}`,
		} {
			f.send(odd)
		}
		f.message(checkedIn)
		synctest.Wait()
		expectNews(t, n, "checked_in abc AA/b+ AA-b_")
		if got, want := b.EventCounts(), (EventCounts{News: 4, Ignored: 2, Malformed: 8}); got != want {
			t.Errorf("counts %+v, want %+v", got, want)
		}
		if len(f.dialed()) != 1 {
			t.Errorf("%d connections", len(f.dialed()))
		}
	})
}

func TestNoStream(t *testing.T) {
	for _, address := range []string{"", "https://zoom.test/ws"} {
		f := newFixture(t, func(c *Config) { c.EventsURL = address })
		if err := f.Listen(t.Context()); err != nil {
			t.Error(err)
		}
		if len(f.srv.calls())+len(f.srv.tokenCalls()) != 0 {
			t.Error("something was sent")
		}
	}
}

func TestHeartbeats(t *testing.T) {
	onStream(t, func(t *testing.T, b *bubble, f *feed, n *newsLog) {
		b.after(10*time.Minute + time.Second)
		if len(f.beats) != 20 || len(f.dialed()) != 1 {
			t.Errorf("%d heartbeats on %d connections", len(f.beats), len(f.dialed()))
		}
		for i, at := range f.beats {
			if want := time.Duration(i+1) * 30 * time.Second; at.Sub(b.start) != want {
				t.Errorf("heartbeat %d after %v", i, at.Sub(b.start))
			}
		}
		expectNews(t, n, "up true")
	})
}

// A connection whose other end is gone without a word is noticed after 75 s.
func TestHalfOpenConnection(t *testing.T) {
	onStream(t, func(t *testing.T, b *bubble, f *feed, n *newsLog) {
		b.after(70 * time.Second)
		f.set(func() { f.mute = true })
		f.drop()
		pass(3 * time.Second)
		expectNews(t, n, "up true, up false, up true")
		dials := f.dialed()
		at := dials[len(dials)-1].at
		f.set(func() { f.mute = false })
		pass(time.Until(at.Add(silenceWait - time.Second)))
		expectNews(t, n, "")
		pass(time.Second)
		expectNews(t, n, "up false")
		pass(10 * time.Second)
		expectNews(t, n, "up true")
	})
}

// A connection that Zoom never confirms is given up.
func TestUnconfirmedConnection(t *testing.T) {
	onStream(t, func(t *testing.T, b *bubble, f *feed, n *newsLog) {
		b.srv.answerWS(func(w http.ResponseWriter, r *http.Request) {
			up := websocket.Upgrader{}
			if conn, err := up.Upgrade(w, r, nil); err == nil {
				_, _, _ = conn.ReadMessage()
				_ = conn.Close()
			}
		})
		f.drop()
		pass(20 * time.Second)
		b.srv.answerWS(f.ServeHTTP)
		pass(time.Minute)
		expectNews(t, n, "up true, up false, up true")
	})
}

// Before its token ends, the connection is made anew with a new one, with next to no gap.
func TestStreamRenewsItsToken(t *testing.T) {
	onStream(t, func(t *testing.T, b *bubble, f *feed, n *newsLog) {
		b.after(3 * time.Hour)
		dials := f.dialed()
		if len(dials) != 4 {
			t.Fatalf("%d connections", len(dials))
		}
		for i, d := range dials {
			if want := time.Duration(i) * 55 * time.Minute; d.at.Sub(b.start) != want {
				t.Errorf("connection %d after %v", i, d.at.Sub(b.start))
			}
			if i > 0 && d.token == dials[i-1].token {
				t.Error("by the same token")
			}
		}
		expectNews(t, n, "up true, up false, up true, up false, up true, up false, up true")
	})
}

// As long as there is no new token, the connection is kept.
func TestRenewalOfStreamFails(t *testing.T) {
	onStream(t, func(t *testing.T, b *bubble, f *feed, n *newsLog) {
		b.srv.answerToken(say(503, ""))
		b.after(65 * time.Minute)
		f.message(checkedIn)
		synctest.Wait()
		expectNews(t, n, "up true, checked_in abc AA/b+ AA-b_")
		b.srv.answerToken(nil)
		pass(2 * time.Minute)
		expectNews(t, n, "up false, up true")
	})
}

// grants returns the grants that tokens were asked for by, in order.
func (s *server) grants() string {
	var all []string
	for _, a := range s.tokenCalls() {
		for _, g := range []string{"client_credentials", "account_credentials"} {
			if strings.Contains(a.body, g) {
				all = append(all, strings.TrimSuffix(g, "_credentials"))
			}
		}
	}
	return strings.Join(all, " ")
}

// The documented grant comes first; where the token endpoint or the stream refuses it, the other.
func TestGrants(t *testing.T) {
	onStream(t, func(t *testing.T, b *bubble, _ *feed, _ *newsLog) {
		b.after(56 * time.Minute)
		if got := b.srv.grants(); got != "client account client" { // the second is the API's
			t.Errorf("asked by %s", got)
		}
	})
	notClient := func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err == nil && r.Form.Get("grant_type") == "client_credentials" {
			say(400, `{"reason":"unsupported grant type","error":"unsupported_grant_type"}`)(w, r)
			return
		}
		giveToken(fmt.Sprint(plantedToken, time.Now().UnixNano()), 3600)(w, r)
	}
	onStreamOf(t, func(b *bubble, _ *feed) { b.srv.answerToken(notClient) }, func(t *testing.T, b *bubble, _ *feed, n *newsLog) {
		expectNews(t, n, "up true")
		b.after(2 * time.Hour)
		if got := b.srv.grants(); strings.Count(got, "client") != 1 || !strings.HasPrefix(got, "client account account") {
			t.Errorf("asked by %s", got)
		}
	})
	account := map[string]bool{} // tokens by that grant
	give := func(w http.ResponseWriter, r *http.Request) {
		tok := fmt.Sprint(plantedToken, time.Now().UnixNano())
		account[tok] = r.ParseForm() == nil && r.Form.Get("grant_type") == "account_credentials"
		giveToken(tok, 3600)(w, r)
	}
	onStreamOf(t, func(b *bubble, f *feed) {
		b.srv.answerToken(give)
		f.refuse = func(token string) string { return map[bool]string{false: "Invalid Token"}[account[token]] }
	}, func(t *testing.T, b *bubble, _ *feed, n *newsLog) {
		b.after(2 * time.Hour)
		expectNews(t, n, "up true, up false, up true, up false, up true")
		if got := b.srv.grants(); strings.Count(got, "client") != 1 {
			t.Errorf("asked by %s", got)
		}
	})
}

// A token that is refused is dropped, and another one comes; after some it becomes rare.
func TestRefusedTokenOfStream(t *testing.T) {
	onStream(t, func(t *testing.T, b *bubble, f *feed, n *newsLog) {
		f.set(func() { f.refuse = func(string) string { return "Invalid Token" } })
		f.drop()
		pass(3 * time.Hour)
		expectNews(t, n, "up true, up false")
		if got := b.srv.grants(); !strings.HasPrefix(got, "client account client account client") {
			t.Errorf("asked by %s", got)
		}
		if n := len(b.srv.tokenCalls()); n < 20 || n > 60 {
			t.Errorf("asked for %d tokens in three hours", n)
		}
		if !strings.Contains(b.log.String(), "Invalid Token") {
			t.Errorf("logged %s", b.log)
		}
		seen := map[string]bool{}
		for i, d := range f.dialed() {
			if i > 1 && seen[d.token] {
				t.Error("a refused token was used again")
			}
			seen[d.token] = true
		}
		f.set(func() { f.refuse = func(string) string { return "" } })
		pass(6 * time.Minute)
		expectNews(t, n, "up true")
	})
}

// Whatever happens on the way, the waits grow from seconds to a minute and start anew after a
// connection that held.
func TestReconnecting(t *testing.T) {
	onStream(t, func(t *testing.T, b *bubble, f *feed, n *newsLog) {
		pass(2 * time.Minute)
		b.srv.answerWS(func(w http.ResponseWriter, r *http.Request) {
			f.set(func() { f.dials = append(f.dials, dialed{at: time.Now()}) })
			hangUp(w, r)
		})
		f.drop()
		pass(2 * time.Hour)
		dials := f.dialed()
		last := dials[1].at
		if first := last.Sub(b.start) - 2*time.Minute; first < time.Second || first > 2*time.Second {
			t.Errorf("first after %v", first)
		}
		var longest time.Duration
		for i, d := range dials[2:] {
			gap := d.at.Sub(last)
			if gap < time.Second || gap > min(firstCeiling<<min(i+1, 6), lastCeiling) {
				t.Errorf("attempt %d after %v", i, gap)
			}
			longest, last = max(longest, gap), d.at
		}
		if longest < 40*time.Second || len(dials) < 150 || len(dials) > 350 {
			t.Errorf("%d attempts, the longest wait %v", len(dials), longest)
		}
		b.srv.answerWS(f.ServeHTTP)
		pass(3 * time.Minute)
		f.drop()
		pass(2 * time.Second)
		expectNews(t, n, "up true, up false, up true, up false, up true")
		if lines := strings.Count(b.log.String(), "not heard"); lines > 4 {
			t.Errorf("%d lines in the log", lines)
		}
	})
}

// Two kiosks on one subscription don't fight for it for long, and say what is wrong.
func TestRivals(t *testing.T) {
	onStream(t, func(t *testing.T, b *bubble, f *feed, n *newsLog) {
		n.take()
		for range 200 { // the other kiosk takes it back after 3 s, always
			for at := len(f.dialed()); len(f.dialed()) == at && time.Since(b.start) < 6*time.Hour; {
				pass(time.Second)
			}
			pass(3 * time.Second)
			f.drop()
			if time.Since(b.start) >= 6*time.Hour {
				break
			}
		}
		if n := len(f.dialed()); n < 36 || n > 80 {
			t.Errorf("%d connections in six hours", n)
		}
		if n := strings.Count(b.log.String(), "event subscription for every kiosk"); n != 1 {
			t.Errorf("%d warnings: %s", n, b.log)
		}
		pass(40 * time.Minute) // the other one is gone
		f.drop()
		at := len(f.dialed())
		pass(3 * time.Second)
		if len(f.dialed()) != at+1 {
			t.Error("still gives way")
		}
	})
}

// A frame that is too large ends the connection, and no more.
func TestFrameTooLarge(t *testing.T) {
	onStream(t, func(t *testing.T, _ *bubble, f *feed, n *newsLog) {
		f.send(`{"module":"message","content":"` + strings.Repeat("x", maxFrame) + `"}`)
		pass(3 * time.Second)
		expectNews(t, n, "up true, up false, up true")
	})
}

// The answer to the handshake decides what to do.
func TestHandshakeRefused(t *testing.T) {
	for _, tt := range []struct {
		answer http.HandlerFunc
		kind   string
		wait   time.Duration // at least
	}{
		{say(401, ""), "credentials", 0}, {say(403, ""), "credentials", 0}, {say(503, "", "Retry-After", "900"), "trouble", 900 * time.Second},
		{say(429, "", "Retry-After", "120"), "throttled", 120 * time.Second}, {say(200, "<html>"), "bad_answer", 0},
		{say(404, ""), "bad_answer", 0}, {say(302, "", "Location", "https://portal.example.net/"), "bad_answer", 0},
	} {
		onStream(t, func(t *testing.T, b *bubble, f *feed, n *newsLog) {
			pass(2 * time.Minute)
			var at []time.Time
			b.srv.answerWS(func(w http.ResponseWriter, r *http.Request) {
				f.set(func() { at = append(at, time.Now()) })
				tt.answer(w, r)
			})
			f.drop()
			pass(20 * time.Minute)
			if !strings.Contains(b.log.String(), "kind="+tt.kind) {
				t.Errorf("%s: logged %s", tt.kind, b.log)
			}
			if len(at) < 2 || at[1].Sub(at[0]) < tt.wait {
				t.Errorf("%s: attempts at %v", tt.kind, at)
			}
			n.take()
		})
	}
}

// The end of Listen doesn't wait for a peer that says nothing.
func TestListenEndsAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bubble) {
		gone := make(chan struct{})
		b.srv.answerWS(func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				panic(err)
			}
			_, _ = conn.Read(make([]byte, 1))
			close(gone)
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- b.Listen(ctx) }()
		synctest.Wait()
		cancel()
		if err := <-ended; err != nil || time.Since(b.start) != 0 {
			t.Errorf("ended after %v: %v", time.Since(b.start), err)
		}
		<-gone
	}, func(c *Config) { c.EventsURL = "ws://zoom.test/ws?subscriptionId=sub" })
}
