package live_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"

	"roomkiosk/internal/live"
)

const alive = `{"type":"alive"}`

// wall reads what the hub sends until the socket ends, and says that it is alive after each beat for as
// long as it is told to.
type wall struct {
	ws    *websocket.Conn
	paint chan bool // how it goes on
	ended chan struct{}
}

func openWall(t *testing.T, net pipes, topics string) *wall {
	p := &wall{ws: net.dial(t, topics), paint: make(chan bool, 1), ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		paints := true
		for {
			f, err := readFrame(p.ws) // which answers pings, too, as a browser does whose page hangs
			if err != nil {
				return
			}
			select {
			case paints = <-p.paint:
			default:
			}
			if paints && (f.Type == "hello" || f.Type == "beat") {
				_ = p.ws.WriteMessage(websocket.TextMessage, []byte(alive))
			}
		}
	}()
	return p
}

func (p *wall) close() { p.ws.Close(); <-p.ended }

// pass lets time pass in a bubble.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestPresence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := time.Now()
		// The demo's clock runs faster; beats don't.
		clock := func() time.Time { return base.Add(60 * time.Since(base)) }
		h := live.New(live.Config{Now: clock, Rate: 60})
		net, stop := serveInMemory(t, h)
		defer stop()
		check := func(when string, want live.Presence) {
			t.Helper()
			want.Since = base.Add(60 * (time.Since(base) - want.Quiet))
			if diff := cmp.Diff(want, h.Presence("panel/ada")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", when, diff)
			}
		}
		pass(46 * time.Second)
		check("nobody came", live.Presence{Quiet: 46 * time.Second, Missing: true})

		p, other := openWall(t, net, "panel/ada"), openWall(t, net, "panel/bob,board")
		pass(time.Second)
		check("it came", live.Presence{Sockets: 1, Seen: true, Quiet: time.Second})
		pass(time.Hour) // 47 s after a beat's multiple, so 2 s after one
		check("an hour later", live.Presence{Sockets: 1, Seen: true, Quiet: 2 * time.Second})

		p.paint <- false
		pass(43 * time.Second)
		check("it hangs", live.Presence{Sockets: 1, Seen: true, Quiet: 45 * time.Second})
		pass(time.Second)
		check("it has hung for three beats", live.Presence{Sockets: 1, Seen: true, Quiet: 46 * time.Second, Missing: true})
		p.paint <- true
		pass(14 * time.Second)
		check("it paints again", live.Presence{Sockets: 1, Seen: true})

		p.close()
		pass(45 * time.Second)
		check("it is closed", live.Presence{Seen: true, Quiet: 45 * time.Second})
		pass(time.Second)
		check("it is gone", live.Presence{Seen: true, Quiet: 46 * time.Second, Missing: true})
		other.close()
	})
}

// TestPageThatOnlyReadsIsMissing: a page gets three beats for its first sign of life.
func TestPageThatOnlyReadsIsMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := live.New(live.Config{})
		net, stop := serveInMemory(t, h)
		defer stop()
		pass(time.Minute)
		p := openWall(t, net, "a")
		p.paint <- false
		pass(45 * time.Second)
		if got := h.Presence("a"); got.Missing || !got.Seen {
			t.Errorf("after 45 s: %+v", got)
		}
		again := openWall(t, net, "a") // coming back is no sign of life
		again.paint <- false
		pass(time.Second)
		if got := h.Presence("a"); !got.Missing || got.Sockets != 2 {
			t.Errorf("after 46 s: %+v", got)
		}
		p.close()
		again.close()
	})
}

func TestWhatPagesMaySay(t *testing.T) {
	tests := map[string]struct {
		kind  int
		texts []string
		stays bool
	}{
		"alive":             {websocket.TextMessage, []string{alive}, true},
		"four times a beat": {websocket.TextMessage, strings.SplitAfter(strings.Repeat(alive, 4), "}")[:4], true},
		"five times a beat": {websocket.TextMessage, strings.SplitAfter(strings.Repeat(alive, 5), "}")[:5], false},
		"binary":            {websocket.BinaryMessage, []string{alive}, false},
		"nothing":           {websocket.TextMessage, []string{""}, false},
		"something else":    {websocket.TextMessage, []string{"hello"}, false},
		"more":              {websocket.TextMessage, []string{`{"type":"alive","room":"ada"}`}, false},
		"too much":          {websocket.TextMessage, []string{strings.Repeat("x", 4096)}, false},
		"too much of it":    {websocket.TextMessage, []string{alive + strings.Repeat(" ", 600)}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := live.New(live.Config{})
				net, stop := serveInMemory(t, h)
				defer stop()
				p := openWall(t, net, "a")
				p.paint <- false
				synctest.Wait()
				for round := range 3 {
					for _, text := range tt.texts {
						_ = p.ws.WriteMessage(tt.kind, []byte(text)) // the socket may have ended
					}
					synctest.Wait()
					if got := h.Stats().Sockets == 1; got != tt.stays {
						t.Errorf("round %d: the socket is there: %v, want %v", round, got, tt.stays)
					}
					pass(15 * time.Second)
				}
				p.close()
			})
		})
	}
}

// FuzzMessage: whatever a browser sends over its socket, as messages or as bare bytes, the hub gets over
// it, and takes nothing but the one message for a sign of life.
func FuzzMessage(f *testing.F) {
	f.Add(false, websocket.TextMessage, []byte(alive))
	f.Add(false, websocket.BinaryMessage, []byte(alive))
	f.Add(false, websocket.TextMessage, []byte(`{"type":"tap"}`))
	f.Add(false, websocket.PingMessage, []byte("are you there?"))
	f.Add(false, websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""))
	f.Add(true, 0, []byte("\x81\x90\x00\x00\x00\x00"+alive))
	f.Add(true, 0, []byte("\x01\x81\x00\x00\x00\x00{\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, bare bool, kind int, text []byte) {
		h := live.New(live.Config{})
		net, stop := serveInMemory(t, h)
		defer stop()
		p := openWall(t, net, "a")
		p.paint <- false
		until(t, "it watches", func() bool { return h.Presence("a").Sockets == 1 })
		if bare {
			_, _ = p.ws.NetConn().Write(text) // the hub may end it meanwhile
		} else {
			_ = p.ws.WriteMessage(kind, text) // may be none that can be sent
			if kind == websocket.TextMessage && string(text) != alive {
				until(t, "the hub ends it", func() bool { return h.Stats().Sockets == 0 })
			}
		}
		p.close()
		until(t, "the hub has forgotten it", func() bool { return h.Stats().Sockets == 0 })
	})
}
