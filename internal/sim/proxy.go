package sim

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// ProxyFaults are what is wrong with the network in front of a service. The zero value: nothing. They
// hold for connections that are open, too, but for Refuse. Durations are real time.
type ProxyFaults struct {
	Latency          time.Duration // each way
	Jitter           time.Duration // latency is up to so much more or less; order is kept
	BytesPerSecond   int           // each way, for each connection; 0: no limit
	DropAfterRequest bool          // the request gets through; when the answer comes, the connection is reset without it
	ResetAfter       int           // the connection is reset after so many bytes of answers; 0: never
	HalfOpen         bool          // everything sent vanishes. A connection on which that happened stays so
	Refuse           bool          // new connections are reset at once
}

// delay is the latency of one parcel.
func (f ProxyFaults) delay() time.Duration {
	d := f.Latency
	if f.Jitter > 0 {
		d += time.Duration(rand.Int64N(int64(2*f.Jitter))) - f.Jitter
	}
	return max(d, 0)
}

// Proxy stands for the network in front of a service: it passes TCP connections on, and loses, delays
// and breaks what it is told to.
type Proxy struct {
	upstream string // host:port
	ln       net.Listener
	faults   atomic.Pointer[ProxyFaults]
	stop     context.CancelFunc
	running  sync.WaitGroup

	mu    sync.Mutex
	links map[*link]struct{}
	shut  bool
}

// NewProxy returns a Proxy to the service at host:port. It doesn't listen yet.
func NewProxy(upstream string) *Proxy {
	p := &Proxy{upstream: upstream, links: map[*link]struct{}{}}
	p.Set(ProxyFaults{})
	return p
}

// Set replaces the faults.
func (p *Proxy) Set(f ProxyFaults) { p.faults.Store(&f) }

// Faults returns those that hold.
func (p *Proxy) Faults() ProxyFaults { return *p.faults.Load() }

// Listen opens a free port of 127.0.0.1. From then on the address is known.
func (p *Proxy) Listen() (err error) {
	if p.ln != nil {
		return nil
	}
	if p.ln, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return fmt.Errorf("listening for proxy: %w", err)
	}
	return nil
}

// Addr is the host:port to connect to.
func (p *Proxy) Addr() string { return p.ln.Addr().String() }

// Run passes connections on until ctx is done, and returns nil then. It listens if [Proxy.Listen]
// hasn't.
func (p *Proxy) Run(ctx context.Context) error {
	if err := p.Listen(); err != nil {
		return err
	}
	var open sync.WaitGroup
	defer open.Wait()
	defer p.close()
	end := context.AfterFunc(ctx, func() { _ = p.ln.Close() })
	defer end()
	for {
		conn, err := p.ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("accepting for proxy: %w", err)
		}
		open.Go(func() { p.pass(ctx, conn) })
	}
}

// Start listens and runs in the background, until ctx is done or [Proxy.Close].
func (p *Proxy) Start(ctx context.Context) error {
	if err := p.Listen(); err != nil {
		return err
	}
	ctx, p.stop = context.WithCancel(ctx)
	p.running.Go(func() { _ = p.Run(ctx) })
	return nil
}

// Close ends what [Proxy.Start] began, and waits for it.
func (p *Proxy) Close() {
	if p.stop != nil {
		p.stop()
	}
	p.running.Wait()
}

// Cut resets every connection.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.reset()
	}
}

func (p *Proxy) close() {
	p.mu.Lock()
	p.shut = true
	p.mu.Unlock()
	p.Cut()
}

// pass serves one connection.
func (p *Proxy) pass(ctx context.Context, client net.Conn) {
	l := &link{proxy: p, client: client, done: make(chan struct{})}
	if p.Faults().Refuse {
		l.reset()
		return
	}
	var err error
	if l.server, err = new(net.Dialer).DialContext(ctx, "tcp", p.upstream); err != nil || !p.keep(l) {
		l.reset()
		return
	}
	var both sync.WaitGroup
	both.Go(func() { l.carry(l.client, l.server, false) })
	both.Go(func() { l.carry(l.server, l.client, true) })
	both.Wait()
	l.close()
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
}

// keep makes the link known, so that it can be cut. False: the proxy is closing down.
func (p *Proxy) keep(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.shut {
		p.links[l] = struct{}{}
	}
	return !p.shut
}
