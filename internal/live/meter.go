package live

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
)

// bytesPerBeat is how much a page may send between two heartbeats. It says that it is alive in 22 bytes
// and answers a ping with 6, and no frame has less.
const bytesPerBeat = 1024

var errTalkative = errors.New("the page says too much")

// metered is a connection that ends when its peer sends more than that. Messages have limits of their
// own, but pings, pongs and empty pieces of a message would cost their sender nothing.
type metered struct {
	net.Conn
	in   io.Reader // what is read from; see [conn.read] about depth
	hub  *Hub
	beat uint64 // the heartbeat since which it is counted
	sent int
}

// Read is called by the socket's reader only.
func (m *metered) Read(p []byte) (int, error) {
	n, err := m.in.Read(p)
	if beat := m.hub.beatNo.Load(); beat != m.beat {
		m.beat, m.sent = beat, 0
	}
	if m.sent += n; m.sent > bytesPerBeat {
		return 0, errTalkative
	}
	return n, err
}

// meter makes the connection that is taken over a metered one. A connection around another, through which
// reading only passes, may have a method Inner that returns that one.
type meter struct {
	http.ResponseWriter
	hub *Hub
}

// Hijack implements [http.Hijacker].
func (m meter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := http.NewResponseController(m.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	// Without it the kernel would take megabytes for a peer that reads nothing.
	if s, ok := c.(interface{ SetWriteBuffer(int) error }); ok {
		_ = s.SetWriteBuffer(sendBuffer) // best effort
	}
	in := c
	if outer, ok := c.(interface{ Inner() net.Conn }); ok {
		in = outer.Inner()
	}
	return &metered{Conn: c, in: in, hub: m.hub, beat: m.hub.beatNo.Load()}, rw, nil
}
