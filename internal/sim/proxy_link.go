package sim

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	proxyChunk = 16 << 10 // bytes that travel together
	proxyLine  = 256      // chunks on their way in one direction
)

// link is a client's connection with its other half.
type link struct {
	proxy          *Proxy
	client, server net.Conn // server is nil until it is dialled
	done           chan struct{}
	over           sync.Once
	void           atomic.Bool // half-open: something has vanished
	answered       int         // bytes of answers that were passed on
}

// parcel is what travels together. It is due when the timer fires.
type parcel struct {
	bytes []byte
	due   *time.Timer
}

// carry passes one direction on: one reads, one writes, with the latency between them.
func (l *link) carry(from, to net.Conn, answer bool) {
	line := make(chan parcel, proxyLine)
	var writing sync.WaitGroup
	writing.Go(func() { l.unload(line, to, answer) })
	l.load(from, line, answer)
	close(line)
	writing.Wait()
}

// load reads until the end.
func (l *link) load(from net.Conn, line chan<- parcel, answer bool) {
	for {
		buf := make([]byte, proxyChunk)
		n, err := from.Read(buf)
		f := l.proxy.Faults()
		if f.HalfOpen && n > 0 {
			l.void.Store(true)
		}
		if n > 0 && answer && f.DropAfterRequest && !l.void.Load() {
			l.reset()
			return
		}
		if n > 0 && !l.void.Load() {
			select {
			case line <- parcel{buf[:n], time.NewTimer(f.delay())}:
			case <-l.done:
				return
			}
		}
		if errors.Is(err, io.EOF) && !l.void.Load() {
			return // the other direction may go on
		}
		if err != nil {
			l.reset()
			return
		}
	}
}

// unload writes until the line ends, and then tells the other side that it did.
func (l *link) unload(line <-chan parcel, to net.Conn, answer bool) {
	for p := range line {
		if !l.wait(p.due) || !l.write(to, p.bytes, answer) {
			l.reset()
			return
		}
	}
	if tcp, ok := to.(*net.TCPConn); ok && !l.void.Load() {
		_ = tcp.CloseWrite()
	}
}

// write sends a parcel at the speed of the network. False: the connection is over.
func (l *link) write(to net.Conn, bytes []byte, answer bool) bool {
	for len(bytes) > 0 {
		f := l.proxy.Faults()
		if l.void.Load() {
			return true
		}
		n := len(bytes)
		if f.BytesPerSecond > 0 {
			n = min(n, max(1, f.BytesPerSecond/20))
		}
		if answer && f.ResetAfter > 0 {
			n = min(n, f.ResetAfter-l.answered)
		}
		if n > 0 {
			if _, err := to.Write(bytes[:n]); err != nil {
				return false
			}
			bytes = bytes[n:]
		}
		if answer {
			l.answered += max(n, 0)
			if f.ResetAfter > 0 && l.answered >= f.ResetAfter {
				return false
			}
		}
		if f.BytesPerSecond > 0 && !l.wait(time.NewTimer(time.Duration(n)*time.Second/time.Duration(f.BytesPerSecond))) {
			return false
		}
	}
	return true
}

// wait waits for a timer. False: the connection is over.
func (l *link) wait(timer *time.Timer) bool {
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.done:
		return false
	}
}

// reset ends both connections; both sides see a reset.
func (l *link) reset() {
	l.over.Do(func() {
		close(l.done)
		for _, c := range []net.Conn{l.client, l.server} {
			if tcp, ok := c.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0)
				_ = tcp.Close()
			}
		}
	})
}

// close ends both connections after everything was passed on.
func (l *link) close() {
	l.over.Do(func() {
		close(l.done)
		_ = l.client.Close()
		_ = l.server.Close()
	})
}
