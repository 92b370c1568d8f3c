package web

import (
	"container/list"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"roomkiosk/internal/live"
)

// Limits of connections, so that idle ones don't crowd out a panel. Every socket of the hub is a
// connection, too.
const (
	MaxConns           = 6000 // in all: the hub's 5,000 sockets, and browsers that load pages
	MaxConnsPerAddress = 200  // of one address: a hundred viewers behind one router, twice over
)

// Limits of the time that a client may take.
const (
	maxHeader    = 16 << 10         // bytes of a request's header
	readTimeout  = 10 * time.Second // for a request, header and body
	writeTimeout = 20 * time.Second // for an answer
	idleTimeout  = 30 * time.Second // between requests; a panel's connection is its socket, which has beats instead
)

// NewHTTPServer makes the server that h is to be served with: one whose clients can't take as long as
// they like. Its complaints about them are logged for those who look closely.
func NewHTTPServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: h, MaxHeaderBytes: maxHeader, ReadHeaderTimeout: readTimeout, ReadTimeout: readTimeout,
		WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// LimitConns makes a listener of at most total open connections, and perAddress of them from one
// address (four times as many from an IPv6 network, which is counted as one; any number from this
// machine, where the panel and a proxy live). One over the limit of its address is closed at once. When
// all are taken, whoever has most loses the newest: that may be the one that has just come, and is never
// one of this machine's own. So a flood, even from many addresses, displaces itself before a panel, which
// has two or three connections.
func LimitConns(l net.Listener, total, perAddress int) net.Listener {
	return &connLimiter{Listener: l, total: total, perAddress: perAddress, byAddr: map[netip.Addr]*list.List{}}
}

type connLimiter struct {
	net.Listener
	total, perAddress int

	mu     sync.Mutex
	open   int
	byAddr map[netip.Addr]*list.List // of *limitedConn, the newest at the back
}

// Accept waits for a connection that is let in.
func (l *connLimiter) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		mine := &limitedConn{Conn: c, limiter: l, addr: remoteOf(c)}
		tooMany := l.admit(mine)
		if tooMany != nil {
			tooMany.abort()
		}
		if tooMany != mine {
			return mine, nil
		}
	}
}

func remoteOf(c net.Conn) netip.Addr {
	if at, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		return live.Source(at.AddrPort().Addr())
	}
	return live.SourceOf(addrString(c.RemoteAddr()))
}

// admit counts the connection and returns the one that has to go for it, which may be itself; nil: none.
func (l *connLimiter) admit(c *limitedConn) *limitedConn {
	l.mu.Lock()
	defer l.mu.Unlock()
	mine := l.byAddr[c.addr]
	had := 0
	if mine != nil {
		had = mine.Len()
	}
	if !live.IsLocal(c.addr) && had >= live.Share(c.addr)*l.perAddress {
		return c
	}
	var victim *limitedConn
	if l.open >= l.total {
		greediest := l.greediest()
		if greediest == nil || !live.IsLocal(c.addr) && had >= greediest.Len() {
			return c
		}
		victim = greediest.Back().Value.(*limitedConn)
		l.forget(victim)
	}
	if mine == nil {
		mine = list.New()
		l.byAddr[c.addr] = mine
	}
	c.place = mine.PushBack(c)
	l.open++
	return victim
}

// greediest are the connections of the address that has most, this machine's own excepted; nil: there
// are no others. The limiter must be locked.
func (l *connLimiter) greediest() *list.List {
	var most *list.List
	for addr, conns := range l.byAddr {
		if !live.IsLocal(addr) && (most == nil || conns.Len() > most.Len()) {
			most = conns
		}
	}
	return most
}

// forget stops counting the connection. The limiter must be locked.
func (l *connLimiter) forget(c *limitedConn) {
	if c.place == nil {
		return // already
	}
	conns := l.byAddr[c.addr]
	conns.Remove(c.place)
	if conns.Len() == 0 {
		delete(l.byAddr, c.addr)
	}
	c.place = nil
	l.open--
}

// limitedConn is a connection that is counted.
type limitedConn struct {
	net.Conn
	limiter *connLimiter
	addr    netip.Addr
	place   *list.Element // among its address's, guarded by the limiter; nil: not counted
}

// Close closes the connection and gives its place back.
func (c *limitedConn) Close() error {
	c.limiter.mu.Lock()
	c.limiter.forget(c)
	c.limiter.mu.Unlock()
	return c.Conn.Close()
}

// SetWriteBuffer is what the hub asks of a TCP connection; others have none to set.
func (c *limitedConn) SetWriteBuffer(bytes int) error {
	if tcp, ok := c.Conn.(interface{ SetWriteBuffer(int) error }); ok {
		return tcp.SetWriteBuffer(bytes)
	}
	return nil
}

// Inner is the connection that is counted: the hub reads from it, past this one.
func (c *limitedConn) Inner() net.Conn { return c.Conn }

// abort closes the connection without a good-bye: the kernel would have to remember each for a minute.
func (c *limitedConn) abort() {
	if tcp, ok := c.Conn.(interface{ SetLinger(int) error }); ok {
		_ = tcp.SetLinger(0) // best effort
	}
	_ = c.Conn.Close() // nobody is told
}
