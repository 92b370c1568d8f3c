//go:build linux && !race

package web

import (
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// elsewhere makes every connection come from another machine.
type elsewhere struct {
	net.Listener
	seen atomic.Int64
}

func (l *elsewhere) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.seen.Add(1)
	return &faked{Conn: c, from: net.TCPAddrFromAddrPort(mustParse("10.0.0.7:1"))}, nil
}

// TestIdleConnectionsAreCheap: 8,000 connections from one address, each of which has asked for something
// and then stays, cost less than 5 MB, and don't keep a panel out.
func TestIdleConnectionsAreCheap(t *testing.T) {
	const conns = 8000
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, _ := newLimited(newDoor("ada"))
	server := NewHTTPServer(s, slog.New(slog.DiscardHandler))
	var idle atomic.Int64
	server.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateIdle {
			idle.Add(1)
		}
	}
	from := &elsewhere{Listener: tcp}
	go func() { _ = server.Serve(LimitConns(from, MaxConns, MaxConnsPerAddress)) }()
	defer server.Close()
	var open [conns]int
	before := heap()
	for i := range open {
		open[i] = connect(t, tcp.Addr().(*net.TCPAddr).Port)
	}
	defer func() {
		for _, fd := range open {
			syscall.Close(fd)
		}
	}()
	until(t, func() bool { return from.seen.Load() == conns && idle.Load() == MaxConnsPerAddress })
	grown := heap() - before
	t.Logf("%d connections from one address: %d are kept, in %d KB (%d bytes each)", conns, idle.Load(), grown>>10, grown/MaxConnsPerAddress)
	if grown > 5<<20 {
		t.Errorf("they cost %d bytes", grown)
	}
}

// connect makes a connection that takes no memory of this process, and asks for something.
func connect(t *testing.T, port int) int {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Connect(fd, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	_, _ = syscall.Write(fd, []byte("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")) // may be closed already
	return fd
}

// until waits for a condition that something else brings about.
func until(t *testing.T, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(30 * time.Second)
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("waited in vain")
		}
	}
}

// TestSocketsAtRestHaveSmallStacks: the reader of a socket fits into the smallest stack that there is, 2 KB,
// with the layers that the kiosk puts between it and its connection.
func TestSocketsAtRestHaveSmallStacks(t *testing.T) {
	const sockets = 500
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, _ := newLimited(newDoor("ada"))
	server := NewHTTPServer(s, slog.New(slog.DiscardHandler))
	go func() { _ = server.Serve(LimitConns(tcp, MaxConns, MaxConnsPerAddress)) }()
	defer server.Close()
	before := stacks()
	for range sockets {
		ws, res, err := websocket.DefaultDialer.Dial("ws://"+tcp.Addr().String()+"/rooms/ada/live", nil)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		defer ws.Close()
	}
	each := 0
	until(t, func() bool { each = (stacks() - before) / sockets; return each < 3<<10 })
	t.Logf("the stack of a socket at rest takes %d bytes", each)
}

// stacks is how many bytes all stacks take.
func stacks() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.StackInuse)
}
