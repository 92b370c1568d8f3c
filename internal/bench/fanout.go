package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"roomkiosk/internal/harness"
	"roomkiosk/internal/live"
)

const (
	viewers      = 1000
	promiseFan   = 1.25
	settleFanOut = 20 * time.Millisecond // between broadcasts
)

// measureFanOut compares the hub with a loop over gorilla's connections: from the change until the
// last of 1,000 sockets has read the frame, of the same bytes. Both servers are in this process; the
// clients of each have a process of their own, so that they don't share its scheduler and collector.
func measureFanOut(ctx context.Context, b *bench) ([]row, error) {
	html, err := b.realPart(ctx)
	if err != nil {
		return nil, err
	}
	hub := live.New(live.Config{Beat: time.Hour})
	ours, err := serveCrowd(ctx, func(w http.ResponseWriter, r *http.Request) {
		_ = hub.Serve(w, r, []string{"panel"}) // the client hears of it
	})
	if err != nil {
		return nil, err
	}
	defer ours.close()
	loop := &loop{}
	bare, err := serveCrowd(ctx, loop.join)
	if err != nil {
		return nil, err
	}
	defer bare.close()

	var a, z []time.Duration
	for n := range b.rounds(60, 15) {
		mark := fmt.Sprintf("change%06d", n)
		took, err := ours.broadcast(ctx, mark, func() { hub.Publish("panel", "screen", []byte(mark+html)) })
		if err != nil {
			return nil, err
		}
		a = append(a, took)
		frame, err := frameOf(n+1, mark+html)
		if err != nil {
			return nil, err
		}
		if took, err = bare.broadcast(ctx, mark, func() { loop.write(frame) }); err != nil {
			return nil, err
		}
		z = append(z, took)
	}
	return []row{fanOutRow(a, z, len(html))}, nil
}

// frameOf is the frame that the hub makes of a part.
func frameOf(rev int, html string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(struct {
		Type string `json:"type"`
		ID   string `json:"id"`
		Rev  int    `json:"rev"`
		HTML string `json:"html"`
	}{"part", "screen", rev, html})
	return bytes.TrimSpace(b.Bytes()), err
}

func fanOutRow(ours, bare []time.Duration, size int) row {
	a, z := harness.Median(ours), harness.Median(bare)
	return row{
		what: "change to the last of 1,000 sockets", kiosk: ms(a), bare: ms(z), ratio: timesOf(a.Seconds(), z.Seconds()),
		promise: fmt.Sprintf("<= %.2f x", promiseFan), verdict: verdictOf(a.Seconds() <= promiseFan*z.Seconds()),
		notes: []string{fmt.Sprintf("bare: gorilla, one loop of WritePreparedMessage; medians of %d broadcasts each, in turns, of %s",
			len(ours), kb(float64(size)))},
	}
}

// realPart is what a panel is shown.
func (b *bench) realPart(ctx context.Context) (string, error) {
	world, s, err := openOffice(ctx, 1)
	if err != nil {
		return "", err
	}
	defer world.Close()
	k, err := b.open(ctx, s, time.Minute)
	if err != nil {
		return "", err
	}
	defer k.Stop()
	return firstPart(ctx, k.live("ada", "panel"))
}

// audience is a server with its clients.
type audience struct {
	*remoteCrowd
	server *http.Server
	served chan struct{}
}

// serveCrowd serves websockets, and opens as many as there are viewers.
func serveCrowd(ctx context.Context, handle http.HandlerFunc) (*audience, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening: %w", err)
	}
	a := &audience{server: &http.Server{Handler: handle, ReadHeaderTimeout: 10 * time.Second}, served: make(chan struct{})}
	go func() {
		defer close(a.served)
		if err := a.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			panic(err) // a listener of ours doesn't break
		}
	}()
	if a.remoteCrowd, err = launchCrowd(ctx, "ws://"+listener.Addr().String()+"/", viewers); err != nil {
		a.server.Close()
		return nil, err
	}
	return a, harness.Wait(ctx, 200*time.Millisecond) // for the last greetings
}

func (a *audience) close() {
	a.Stop()
	a.server.Close()
	<-a.served
}

// broadcast times a change until everybody has seen it.
func (a *audience) broadcast(ctx context.Context, mark string, change func()) (time.Duration, error) {
	if err := harness.Wait(ctx, settleFanOut); err != nil {
		return 0, err
	}
	if err := a.expect(mark); err != nil {
		return 0, err
	}
	began := time.Now()
	change()
	at, err := a.await()
	return at.Sub(began), err
}

// loop is the bare broadcast.
type loop struct {
	upgrader websocket.Upgrader
	mu       sync.Mutex
	all      []*websocket.Conn
}

func (l *loop) join(w http.ResponseWriter, r *http.Request) {
	ws, err := l.upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // the client hears of it
	}
	l.mu.Lock()
	l.all = append(l.all, ws)
	l.mu.Unlock()
	go func() {
		defer ws.Close()
		_, _, _ = ws.NextReader() // clients say nothing: it returns when they go
	}()
}

func (l *loop) write(text []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	frame, err := websocket.NewPreparedMessage(websocket.TextMessage, text)
	if err != nil {
		panic(err) // it only writes to memory
	}
	for _, ws := range l.all {
		_ = ws.WritePreparedMessage(frame) // who doesn't get it is missed by the crowd
	}
}
