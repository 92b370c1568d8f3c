package live

import (
	"net/netip"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// conn is a socket. A reader lives as long as it does; a writer only while there is something to
// write, and there is never more than one.
type conn struct {
	hub     *Hub
	ws      *websocket.Conn
	addr    netip.Addr
	watches []watch // never changes its length: topics point into it

	// Guarded by the hub: how often it said that it is alive, since which heartbeat.
	said   int
	saidIn uint64

	mu          sync.Mutex
	writing     bool                       // a writer runs
	ended       bool                       // nothing is to be written any more, except bye
	bye         *websocket.PreparedMessage // may be nil
	first, last *watch                     // those with something new, in the order in which it came
}

// watch is a conn's interest in a topic.
type watch struct {
	conn  *conn
	topic *topic
	at    int // its place among the topic's watchers; guarded by the hub

	// Guarded by the conn.
	fresh *state // to be written; nil: nothing new
	next  *watch // with something new
}

// join makes the admitted socket watch the topics and starts its pumps. It returns false, and gives
// the place back, when the hub has closed meanwhile.
func (h *Hub) join(ws *websocket.Conn, addr netip.Addr, topics []string) bool {
	greeting := text(hello{
		Type: "hello", Now: h.cfg.Now().UnixMilli(), Rate: h.cfg.Rate,
		Build: h.cfg.Build, Beat: h.cfg.Beat.Milliseconds(),
	})
	c := &conn{hub: h, ws: ws, addr: addr, writing: true, watches: make([]watch, len(topics)+1)}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		h.release(addr)
		return false
	}
	h.conns[c] = struct{}{}
	h.watch(c, 0, h.beats)
	for i, name := range topics {
		h.watch(c, i+1, h.topic(name))
	}
	h.pumps.Add(2)
	go c.read()
	go c.greet(greeting)
	return true
}

// watch adds the conn's i-th watch to a topic, and shows it the latest state. The hub must be locked.
func (h *Hub) watch(c *conn, i int, t *topic) {
	w := &c.watches[i]
	*w = watch{conn: c, topic: t, at: len(t.watchers)}
	t.watchers = append(t.watchers, w)
	if t.heard.IsZero() {
		t.heard = time.Now() // a page gets as long for its first sign of life as for every other
	}
	if t.latest != nil && t != h.beats {
		c.mark(w, t.latest)
	}
}

// leave forgets the conn and closes its socket.
func (h *Hub) leave(c *conn) {
	c.end(nil)
	c.ws.Close()
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.conns, c)
	h.release(c.addr)
	for i := range c.watches {
		c.watches[i].topic.remove(&c.watches[i])
	}
}

// remove takes the watch off the topic, in constant time.
func (t *topic) remove(w *watch) {
	end := len(t.watchers) - 1
	other := t.watchers[end]
	t.watchers[w.at], other.at = other, w.at
	t.watchers[end] = nil
	t.watchers = t.watchers[:end]
}

// mark notes that the watch has something new, and sees to it that somebody writes it.
func (c *conn) mark(w *watch, s *state) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return
	}
	known := w.fresh != nil
	w.fresh = s
	if known {
		return
	}
	if c.first == nil {
		c.first = w
	} else {
		c.last.next = w
	}
	c.last = w
	c.wake()
}

// end makes bye the last thing that the conn says. nil: it has said its last already.
func (c *conn) end(bye *websocket.PreparedMessage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended, c.bye, c.first, c.last = true, bye, nil, nil
	if bye != nil {
		c.wake()
	}
}

// wake starts the writer where none runs. The conn must be locked. Its reader still counts among the
// pumps then, so that nobody can be done waiting for them.
func (c *conn) wake() {
	if !c.writing {
		c.writing = true
		c.hub.pumps.Add(1)
		go c.write()
	}
}

// take returns what is to be written next, and whether there is anything: if not, the writer is done.
func (c *conn) take() (state, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if bye := c.bye; bye != nil {
		c.bye = nil
		return state{frame: bye}, true
	}
	w := c.first
	if w == nil {
		c.writing = false
		return state{}, false
	}
	s := *w.fresh
	c.first = w.next
	w.fresh, w.next = nil, nil
	return s, true
}
