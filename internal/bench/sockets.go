package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/sync/errgroup"
)

const dialAtOnce = 16

// socket is a client's websocket.
type socket struct{ *websocket.Conn }

func dial(ctx context.Context, url string) (socket, error) {
	dialer := websocket.Dialer{HandshakeTimeout: 10 * time.Second, ReadBufferSize: 4096, WriteBufferPool: &sync.Pool{}}
	ws, res, err := dialer.DialContext(ctx, url, nil)
	if err != nil {
		return socket{}, fmt.Errorf("opening a websocket: %w", err)
	}
	res.Body.Close()
	return socket{ws}, nil
}

// dialAll opens n websockets. Those that are open have to be closed also when it fails.
func dialAll(ctx context.Context, url string, n int) ([]socket, error) {
	all := make([]socket, 0, n)
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(dialAtOnce)
	for range n {
		g.Go(func() error {
			s, err := dial(ctx, url)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, s)
			return nil
		})
	}
	return all, g.Wait()
}

func closeAll(all []socket) {
	for _, s := range all {
		s.Close()
	}
}

// part is a frame that shows something; others have another type.
type part struct {
	Type string `json:"type"`
	HTML string `json:"html"`
}

// shows reads frames until one shows what is wanted, and returns when it was read.
func (s socket) shows(wanted func(html string) bool, limit time.Duration) (time.Time, error) {
	if err := s.SetReadDeadline(time.Now().Add(limit)); err != nil {
		return time.Time{}, err
	}
	for {
		p, at, err := s.next()
		if err != nil {
			return time.Time{}, err
		}
		if p.Type == "part" && wanted(p.HTML) {
			return at, nil
		}
	}
}

// next reads a frame, and tells when its last byte was there.
func (s socket) next() (part, time.Time, error) {
	var p part
	_, text, err := s.ReadMessage()
	at := time.Now()
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	if err != nil {
		return p, at, fmt.Errorf("reading a frame: %w", err)
	}
	return p, at, nil
}

// firstPart is what a room's websocket shows at first.
func firstPart(ctx context.Context, url string) (string, error) {
	s, err := dial(ctx, url)
	if err != nil {
		return "", err
	}
	defer s.Close()
	var html string
	_, err = s.shows(func(h string) bool { html = h; return true }, 10*time.Second)
	return html, err
}

// crowd is clients that read whatever comes and tell when each of them has got a frame that has a
// mark in it.
type crowd struct {
	sockets []socket
	readers sync.WaitGroup
	wanted  atomic.Pointer[wanted]
}

// wanted is a mark, which one frame has.
type wanted struct {
	mark []byte
	left atomic.Int64   // sockets that have not had it
	all  chan time.Time // when the last one had it
}

// gather opens n websockets that read until they are closed.
func gather(ctx context.Context, url string, n int) (*crowd, error) {
	all, err := dialAll(ctx, url, n)
	if err != nil {
		closeAll(all)
		return nil, err
	}
	c := &crowd{sockets: all}
	for _, s := range c.sockets {
		c.readers.Go(func() { c.read(s) })
	}
	return c, nil
}

func (c *crowd) read(s socket) {
	var text bytes.Buffer // used again: what clients throw away would be swept up at everybody's expense
	for {
		_, r, err := s.NextReader()
		if err != nil {
			return
		}
		text.Reset()
		if _, err := text.ReadFrom(r); err != nil {
			return
		}
		if w := c.wanted.Load(); w != nil && bytes.Contains(text.Bytes(), w.mark) && w.left.Add(-1) == 0 {
			w.all <- time.Now()
		}
	}
}

// expect makes the crowd look for a mark from now on.
func (c *crowd) expect(mark string) <-chan time.Time {
	w := &wanted{mark: []byte(mark), all: make(chan time.Time, 1)}
	w.left.Store(int64(len(c.sockets)))
	c.wanted.Store(w)
	return w.all
}

var errNotAll = errors.New("not every websocket got the frame")

// await waits for what expect returned.
func await(ctx context.Context, all <-chan time.Time) (time.Time, error) {
	timeout := time.NewTimer(20 * time.Second)
	defer timeout.Stop()
	select {
	case <-ctx.Done():
		return time.Time{}, ctx.Err()
	case <-timeout.C:
		return time.Time{}, errNotAll
	case at := <-all:
		return at, nil
	}
}

func (c *crowd) close() {
	closeAll(c.sockets)
	c.readers.Wait()
}
