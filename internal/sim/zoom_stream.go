package sim

import (
	"context"
	"net/http"
	"sync"

	"github.com/gorilla/websocket"
)

const streamPath = "/ws"

// stream is Zoom's WebSocket subscription: one connection, and no memory of what it missed.
type stream struct {
	spoiler

	mu      sync.Mutex
	open    map[*listener]struct{}
	current *listener     // the one that is told; nil: none
	changed chan struct{} // closed when current changes
	shut    bool
	serving sync.WaitGroup
}

// serveStream answers GET /ws?subscriptionId=…&access_token=…. As with Zoom, every connection is
// upgraded, the first frame tells whether it will do, and the Authorization header counts for nothing.
// A connection outlives its token.
func (z *Zoom) serveStream(w http.ResponseWriter, r *http.Request) {
	if z.stream.now().Refuse || !z.stream.enter() {
		panic(http.ErrAbortHandler)
	}
	defer z.stream.serving.Done()
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	ws, err := up.Upgrade(w, r, nil)
	if err != nil {
		return // it was answered
	}
	l := newListener(ws, &z.stream.spoiler, z.now)
	problem := z.judgeListener(r)
	l.offer(buildFrame(problem))
	if problem != "" {
		l.bye()
	}
	if !z.stream.admit(l, problem == "") {
		l.cut()
		return
	}
	z.stream.serving.Go(l.send)
	l.receive()
	z.stream.leave(l)
}

// judgeListener says why a connection won't do; empty: it will. How Zoom words a wrong subscription
// isn't documented.
func (z *Zoom) judgeListener(r *http.Request) string {
	q := r.URL.Query()
	z.mu.Lock()
	token, known := z.tokens[q.Get("access_token")]
	z.mu.Unlock()
	switch {
	case q.Get("access_token") == "":
		return "token is empty"
	case !known || q.Has("revoked") || !z.now().Before(token.expires):
		return "Invalid Token"
	case q.Get("subscriptionId") != z.cfg.SubscriptionID:
		return "Invalid Subscription"
	default:
		return ""
	}
}

// DropStream cuts the connections to the event stream, as a network does: without a close frame.
func (z *Zoom) DropStream() {
	z.stream.mu.Lock()
	defer z.stream.mu.Unlock()
	for l := range z.stream.open {
		l.cut()
	}
	z.stream.tell(nil)
}

// Streaming tells whether somebody is connected to the event stream.
func (z *Zoom) Streaming() bool {
	z.stream.mu.Lock()
	defer z.stream.mu.Unlock()
	return z.stream.current != nil
}

// WaitStreaming waits until somebody is connected to the event stream.
func (z *Zoom) WaitStreaming(ctx context.Context) error {
	for {
		z.stream.mu.Lock()
		on := z.stream.current != nil
		if z.stream.changed == nil {
			z.stream.changed = make(chan struct{})
		}
		changed := z.stream.changed
		z.stream.mu.Unlock()
		if on {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// SetStreamFaults decides what is wrong with the event stream from now on. What [StreamFaults.Swap]
// holds back is sent when it ends.
func (z *Zoom) SetStreamFaults(f StreamFaults) { z.stream.send(z.stream.set(f)...) }

// StreamFaults returns what is wrong with the event stream now.
func (z *Zoom) StreamFaults() StreamFaults { return z.stream.now() }

// send tells whoever is connected. What nobody hears is lost.
func (s *stream) send(frames ...frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range frames {
		if s.current != nil {
			s.current.offer(f)
		}
	}
}

// enter counts a request in. False: the stream is closing down.
func (s *stream) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.shut {
		s.serving.Add(1)
	}
	return !s.shut
}

// admit makes a connection known, so that it can be cut. One that will do takes the subscription over,
// and the one before is told goodbye. False: the stream is closing down.
func (s *stream) admit(l *listener, good bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shut {
		return false
	}
	if s.open == nil {
		s.open = map[*listener]struct{}{}
	}
	s.open[l] = struct{}{}
	if !good {
		return true
	}
	if s.current != nil {
		s.current.bye()
	}
	s.tell(l)
	return true
}

// leave forgets a connection that has ended.
func (s *stream) leave(l *listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.cut()
	delete(s.open, l)
	if s.current == l {
		s.tell(nil)
	}
}

// tell makes l the one that is told. The caller holds the lock.
func (s *stream) tell(l *listener) {
	s.current = l
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// close cuts every connection and waits for those who serve them.
func (s *stream) close() {
	s.mu.Lock()
	s.shut = true
	for l := range s.open {
		l.cut()
	}
	s.mu.Unlock()
	s.serving.Wait()
}
