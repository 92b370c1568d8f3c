package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"roomkiosk/internal/harness"
)

// shownWithin is how long to wait for a crowd before something must be wrong.
const shownWithin = time.Minute

// crowd are browsers, as static/live.js makes them: they come back with its jitter, and panels say that
// they are alive.
type crowd struct {
	cancel context.CancelFunc
	all    sync.WaitGroup
	mu     sync.Mutex
	seats  []*seat
}

// seat is one of them, and what it shows.
type seat struct {
	topic, url string
	panel      bool
	first      time.Time // first screen of its connection; zero: not connected
	rev        uint64
	html       [sha256.Size]byte
}

// gather opens all browsers.
func gather(ctx context.Context, addr string, o options) *crowd {
	ctx, cancel := context.WithCancel(ctx)
	c := &crowd{cancel: cancel}
	for i := range o.panels {
		view := [2]string{"panel", "viewer"}[i%2]
		room := fmt.Sprintf("room-%d", i/2%o.rooms)
		s := &seat{
			topic: view + "/" + room, panel: view == "panel",
			url: fmt.Sprintf("ws://%s/rooms/%s/live?view=%s", addr, room, view),
		}
		c.seats = append(c.seats, s)
		c.all.Go(func() { c.browse(ctx, s) })
	}
	return c
}

func (c *crowd) leave() { c.cancel(); c.all.Wait() }

// browse watches until the context ends. The waits are those of static/live.js.
func (c *crowd) browse(ctx context.Context, s *seat) {
	lost := time.Now()
	for ctx.Err() == nil {
		if since := c.watch(ctx, s); !since.IsZero() {
			now := time.Now()
			if lost = lost.Add(2 * now.Sub(since)); lost.After(now) {
				lost = now
			}
		}
		longest := min(30*time.Second, max(500*time.Millisecond, time.Since(lost)/2))
		if harness.Wait(ctx, rand.N(longest)) != nil {
			return
		}
	}
}

// watch keeps a connection for as long as it lasts, and returns since when; zero: it came to none.
func (c *crowd) watch(ctx context.Context, s *seat) (since time.Time) {
	d := websocket.Dialer{NetDialContext: (&net.Dialer{}).DialContext, HandshakeTimeout: 10 * time.Second, ReadBufferSize: 1024, WriteBufferSize: 256}
	ws, res, err := d.DialContext(ctx, s.url, nil)
	if err != nil {
		return since
	}
	res.Body.Close()
	defer ws.Close()
	defer context.AfterFunc(ctx, func() { ws.Close() })()
	defer c.note(func() { s.first = time.Time{} })
	for {
		var f struct {
			Type, HTML string
			Rev        uint64
		}
		_, text, err := ws.ReadMessage()
		if err != nil || json.Unmarshal(text, &f) != nil {
			return since
		}
		switch f.Type {
		case "hello":
			since = time.Now()
		case "part":
			c.note(func() { s.show(f.Rev, f.HTML) })
			continue
		}
		if s.panel && ws.WriteMessage(websocket.TextMessage, []byte(`{"type":"alive"}`)) != nil {
			return since
		}
	}
}

func (c *crowd) note(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
}

// show notes a screen, if it is one with the room's meetings on it.
func (s *seat) show(rev uint64, html string) {
	s.rev, s.html = rev, sha256.Sum256([]byte(html))
	if s.first.IsZero() && strings.Contains(html, "Meeting ") {
		s.first = time.Now()
	}
}

// shown waits until every browser was shown its screen after an instant.
func (c *crowd) shown(ctx context.Context, after time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, shownWithin)
	defer cancel()
	for {
		missing := 0
		c.note(func() {
			for _, s := range c.seats {
				if !s.first.After(after) {
					missing++
				}
			}
		})
		if missing == 0 {
			return nil
		}
		if err := harness.Wait(ctx, 10*time.Millisecond); err != nil {
			return fmt.Errorf("waiting for %d of %d browsers to be shown their screen: %w", missing, len(c.seats), err)
		}
	}
}

// since is how long after an instant each was shown its screen.
func (c *crowd) since(at time.Time) []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []time.Duration
	for _, s := range c.seats {
		out = append(out, s.first.Sub(at))
	}
	return out
}

// agree checks that all who watch the same see the same.
func (c *crowd) agree() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	newest := map[string]*seat{}
	for _, s := range c.seats {
		if n := newest[s.topic]; n == nil || s.rev > n.rev {
			newest[s.topic] = s
		}
	}
	for _, s := range c.seats {
		if n := newest[s.topic]; s.rev != n.rev || s.html != n.html {
			return fmt.Errorf("comparing screens: one of %s shows revision %d, another %d", s.topic, s.rev, n.rev)
		}
	}
	return nil
}
