package live

import (
	"io"
	"time"

	"github.com/gorilla/websocket"
)

// alive is all that a page may say: it has painted since the last beat. A page whose script hangs, or
// that can't draw any more, keeps its connection, because a browser answers pings by itself.
const alive = `{"type":"alive"}`

const (
	saysPerBeat = 4 // a page says so once a beat, and after its hello; more is an attack
	missedBeats = 3 // so many without a word, and a page is missing
)

// Presence is what a hub knows of those who show a topic.
type Presence struct {
	Sockets int           // that watch now; a page that hangs may be one of them
	Seen    bool          // somebody has watched since the hub was made
	Quiet   time.Duration // since the last sign of life; before there was one, since the first socket or, without one, the hub
	Since   time.Time     // the instant at which Quiet began, by the hub's clock
	Missing bool          // quiet for more than three beats
}

// Presence tells whether a topic's pages are alive. It doesn't depend on the wall clock, which may be
// set; only Since is told by it.
func (h *Hub) Presence(name string) Presence {
	p, last := h.heardOf(name)
	p.Quiet = time.Since(last)
	p.Since = h.cfg.Now().Add(-time.Duration(float64(p.Quiet) * h.cfg.Rate))
	p.Missing = p.Quiet > missedBeats*h.cfg.Beat
	return p
}

func (h *Hub) heardOf(name string) (p Presence, last time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.topics[name]
	if t == nil || t.heard.IsZero() {
		return Presence{}, h.made
	}
	return Presence{Sockets: len(t.watchers), Seen: true}, t.heard
}

// hears takes a message of the page. It returns false when the socket shall end because of it.
func (c *conn) hears(kind int, r io.Reader) bool {
	if kind != websocket.TextMessage {
		return false
	}
	said, err := io.ReadAll(r)
	return err == nil && string(said) == alive && c.isAlive()
}

// isAlive notes a sign of life. It returns false when there are too many of them.
func (c *conn) isAlive() bool {
	h := c.hub
	now := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	if beat := h.beatNo.Load(); c.saidIn != beat {
		c.saidIn, c.said = beat, 0
	}
	if c.said++; c.said > saysPerBeat {
		return false
	}
	for i := range c.watches {
		c.watches[i].topic.heard = now
	}
	return true
}
