package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"roomkiosk/internal/rooms"
	"roomkiosk/internal/sim"
)

// request is a check-in or release that arrived at Zoom.
type request struct {
	at     time.Time
	kind   rooms.ActionKind
	event  string
	status int // 0: the connection was closed without an answer, or there is none yet
}

// gate stands before Zoom's stand-in and keeps a log of what arrives, however it is answered: the
// stand-in's own log forgets.
type gate struct {
	zoom     http.Handler
	listener net.Listener
	server   *http.Server

	mu      sync.Mutex
	log     []*request
	arrived func() // told of every request; nil: nobody
}

func openGate(zoom http.Handler) (*gate, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("opening the gate: %w", err)
	}
	g := &gate{zoom: zoom, listener: listener}
	g.server = &http.Server{Handler: g, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = g.server.Serve(listener) }() // ends with close
	return g, nil
}

func (g *gate) url() string { return "http://" + g.listener.Addr().String() }

func (g *gate) close() { _ = g.server.Close() }

// ServeHTTP logs the request and passes it on.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // it never arrived as a whole
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	entry := g.note(r, body)
	answer := &watched{ResponseWriter: w, status: http.StatusOK}
	g.zoom.ServeHTTP(answer, r) // panics where the connection is to be closed
	if entry != nil {
		g.mu.Lock()
		entry.status = answer.status
		g.mu.Unlock()
		g.tell()
	}
}

// note logs a check-in or a release; anything else is nil.
func (g *gate) note(r *http.Request, body []byte) *request {
	kind, event := readEvent(r, body)
	if kind == "" {
		return nil
	}
	entry := &request{at: time.Now(), kind: kind, event: event}
	g.mu.Lock()
	g.log = append(g.log, entry)
	g.mu.Unlock()
	g.tell()
	return entry
}

func readEvent(r *http.Request, body []byte) (kind rooms.ActionKind, event string) {
	var sent struct {
		Method string
		Params struct {
			EventID string `json:"event_id"`
		}
	}
	if r.Method != http.MethodPatch || json.Unmarshal(body, &sent) != nil {
		return "", ""
	}
	kinds := map[string]rooms.ActionKind{sim.MethodCheckIn: rooms.CheckIn, sim.MethodCheckOut: rooms.Release}
	return kinds[sent.Method], sent.Params.EventID
}

// tellOf has somebody told of every request and every answer.
func (g *gate) tellOf(arrived func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.arrived = arrived
}

func (g *gate) tell() {
	g.mu.Lock()
	arrived := g.arrived
	g.mu.Unlock()
	if arrived != nil {
		arrived()
	}
}

// requests are all that arrived, in order.
func (g *gate) requests() []request {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := make([]request, len(g.log))
	for i, r := range g.log {
		out[i] = *r
	}
	slices.SortStableFunc(out, func(a, b request) int { return a.at.Compare(b.at) })
	return out
}

// watched remembers the status of an answer.
type watched struct {
	http.ResponseWriter
	status int
}

func (w *watched) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}
