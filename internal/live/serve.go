package live

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"

	"github.com/gorilla/websocket"
)

// Why a socket is refused before its handshake.
var (
	ErrFull   = errors.New("too many sockets")                   // 503
	ErrGreedy = errors.New("too many sockets from this address") // 429
	ErrClosed = errors.New("the server is stopping")             // 503
)

// Serve makes the request a websocket that watches the topics, and returns at once: the handler that
// called it should do so too, which frees the memory that net/http keeps for a request. When Serve
// returns an error it has answered the request with it: ErrFull, ErrGreedy, ErrClosed, or one of a
// failed handshake, of which a foreign Origin (403) is one.
//
// The Origin, where there is one, must name the Host that was asked. That doesn't help against a
// rebound DNS name, where both are the attacker's: a list of allowed Hosts has to stand in front.
func (h *Hub) Serve(w http.ResponseWriter, r *http.Request, topics []string) error {
	return h.serve(w, r, topics, h.cfg.MaxSockets-h.cfg.MaxSockets/keptOf)
}

// ServePanel is [Hub.Serve] for a panel. A hundredth of all places is kept for them: however many others
// come, the door has its own.
func (h *Hub) ServePanel(w http.ResponseWriter, r *http.Request, topics []string) error {
	return h.serve(w, r, topics, h.cfg.MaxSockets)
}

const keptOf = 100

func (h *Hub) serve(w http.ResponseWriter, r *http.Request, topics []string, most int) error {
	addr := SourceOf(r.RemoteAddr)
	if err := h.admit(addr, most); err != nil {
		refuse(w, err)
		return err
	}
	ws, err := h.upgrader.Upgrade(meter{w, h}, r, nil)
	if err != nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.release(addr)
		return fmt.Errorf("upgrading to a websocket: %w", err)
	}
	if !h.join(ws, addr, topics) {
		ws.Close()
		return ErrClosed
	}
	return nil
}

func newUpgrader() websocket.Upgrader {
	return websocket.Upgrader{
		HandshakeTimeout: writeWait,
		ReadBufferSize:   readLimit,
		WriteBufferPool:  &sync.Pool{}, // else every socket has a buffer of its own, which prepared frames don't use
		CheckOrigin:      sameOrigin,
		Error: func(w http.ResponseWriter, _ *http.Request, status int, reason error) {
			problem(w, status, reason.Error())
		},
	}
}

// sameOrigin tells whether the request comes from a page of the host that it asks. Only browsers send
// an Origin, and they always do.
func sameOrigin(r *http.Request) bool {
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		return true
	}
	u, err := url.Parse(origins[0])
	return err == nil && len(origins) == 1 && u.Host != "" && strings.EqualFold(u.Host, r.Host)
}

// admit takes a place for a socket, which release gives back, unless there are as many as most. This
// machine has no limit by itself: behind a proxy on it all viewers look alike.
func (h *Hub) admit(addr netip.Addr, most int) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return ErrClosed
	case h.admitted >= most:
		h.counts.refused++
		return ErrFull
	case !IsLocal(addr) && h.addresses[addr] >= Share(addr)*h.cfg.MaxPerAddress:
		h.counts.refused++
		return ErrGreedy
	}
	h.admitted++
	if !IsLocal(addr) {
		h.addresses[addr]++
	}
	return nil
}

// release gives a place back. The hub must be locked.
func (h *Hub) release(addr netip.Addr) {
	h.admitted--
	if IsLocal(addr) {
		return
	}
	if h.addresses[addr]--; h.addresses[addr] == 0 {
		delete(h.addresses, addr)
	}
}

// refuse answers with what admit said. Pages come back by themselves, with jitter.
func refuse(w http.ResponseWriter, err error) {
	status := http.StatusServiceUnavailable
	if errors.Is(err, ErrGreedy) {
		status = http.StatusTooManyRequests
	}
	w.Header().Set("Retry-After", "30")
	problem(w, status, err.Error())
}

// problem answers as RFC 9457 has it.
func problem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{ // a peer that is gone needs no answer
		"title": http.StatusText(status), "status": status, "detail": detail,
	})
}
