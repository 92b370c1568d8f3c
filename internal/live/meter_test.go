package live_test

import (
	"bytes"
	"io"
	"testing"
	"testing/synctest"

	"github.com/gorilla/websocket"

	"roomkiosk/internal/live"
)

// TestTalkativePeersAreDropped: what costs its sender nothing is bounded by the beat, whatever it is made
// of; who says little stays for good.
func TestTalkativePeersAreDropped(t *testing.T) {
	ping, pong := "\x89\x80\x00\x00\x00\x00", "\x8a\x80\x00\x00\x00\x00"
	long := "\x89\xfd\x00\x00\x00\x00" + string(make([]byte, 125))
	piece := "\x00\x80\x00\x00\x00\x00"
	for name, tt := range map[string]struct {
		before, frame string
		often         int // a beat
		stays         bool
	}{
		"pings":        {"", ping, 1000, false},
		"pongs":        {"", pong, 1000, false},
		"long pings":   {"", long, 10, false},
		"empty pieces": {"\x01\x80\x00\x00\x00\x00", piece, 1000, false},
		"a few pings":  {"", ping, 60, true},
		"a few pongs":  {"", pong, 60, true},
		"few pieces":   {"\x01\x80\x00\x00\x00\x00", piece, 60, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := live.New(live.Config{})
				net, stop := serveInMemory(t, h)
				defer stop()
				p := openWall(t, net, "a")
				p.paint <- false
				synctest.Wait()
				raw := p.ws.NetConn()
				_, _ = io.WriteString(raw, tt.before)
				for beat := range 5 {
					_, err := raw.Write(bytes.Repeat([]byte(tt.frame), tt.often)) // in one go: pongs come between
					synctest.Wait()
					if stays := err == nil && h.Stats().Sockets == 1; stays != tt.stays {
						t.Fatalf("beat %d: it stays: %v, want %v (%v)", beat, stays, tt.stays, err)
					}
					if !tt.stays {
						break
					}
					pass(live.DefaultBeat)
				}
				p.close()
			})
		})
	}
}

// TestPingsAreAnswered: the meter takes nothing from a peer that asks as often as it may.
func TestPingsAreAnswered(t *testing.T) {
	ws := dial(t, serve(t, live.New(live.Config{}))+"a")
	read(t, ws)
	heard := make(chan string, 1)
	ws.SetPongHandler(func(text string) error { heard <- text; return io.EOF })
	if err := ws.WriteMessage(websocket.PingMessage, []byte("there?")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := ws.ReadMessage(); err == nil {
		t.Error("a page was told something instead")
	}
	if got := <-heard; got != "there?" {
		t.Errorf("heard %q", got)
	}
}
