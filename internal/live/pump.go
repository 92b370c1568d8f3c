package live

import (
	"errors"
	"net"
	"time"

	"github.com/gorilla/websocket"
)

// The limits of a socket.
const (
	writeWait  = 10 * time.Second // to hand a frame to the kernel; longer: the socket is dropped
	closeWait  = 2 * time.Second  // for all good-byes together, when the hub stops
	readLimit  = 512              // bytes of a message; what pages may say is shorter
	sendBuffer = 64 * 1024        // bytes that the kernel keeps for a socket: a slow one shall skip frames, not hoard them
)

// silence is how long a peer may leave pings unanswered: two of them, and the time to write the second.
func silence(beat time.Duration) time.Duration { return 2*beat + writeWait }

// read serves the control frames of the peer until the socket ends. Pages have nothing to say here
// (taps are POSTs) but that they are alive: any other message ends the socket, too. Most of what a socket
// at rest costs is the stack of this: one more call deep, or some variables more (two defers), and it
// would be twice as large.
func (c *conn) read() {
	for more := c.listen() == nil; more; {
		kind, r, err := c.ws.NextReader()
		more = err == nil && c.hears(kind, r)
	}
	c.hub.leave(c) // however it ends, this reader is the one who clears up
	c.hub.pumps.Done()
}

// listen prepares for reading.
func (c *conn) listen() error {
	c.ws.SetReadLimit(readLimit)
	c.ws.SetPongHandler(func(string) error { return c.expectPong() })
	return c.expectPong()
}

// expectPong gives the peer until then to show a sign of life.
func (c *conn) expectPong() error {
	return c.ws.SetReadDeadline(time.Now().Add(silence(c.hub.cfg.Beat)))
}

// greet is the first writer of a socket.
func (c *conn) greet(hello *websocket.PreparedMessage) {
	if c.send(hello) {
		c.write()
		return
	}
	c.hub.pumps.Done()
}

// write writes what is new until nothing is.
func (c *conn) write() {
	defer c.hub.pumps.Done()
	for {
		s, ok := c.take()
		if !ok || !c.send(s.frame) || s.then != nil && !c.send(s.then) {
			return
		}
	}
}

// send hands a frame to the kernel. When that fails the socket is closed, the reader notices, and no
// writer starts again: the failed one never says that it is done.
func (c *conn) send(m *websocket.PreparedMessage) bool {
	err := c.ws.SetWriteDeadline(time.Now().Add(writeWait))
	if err == nil {
		err = c.ws.WritePreparedMessage(m)
	}
	if err == nil {
		return true
	}
	var failure net.Error
	if errors.As(err, &failure) && failure.Timeout() {
		c.hub.count(func(n *counts) { n.dropped++ })
	}
	c.ws.Close()
	return false
}
