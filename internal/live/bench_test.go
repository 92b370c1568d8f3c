package live_test

import (
	"cmp"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"roomkiosk/internal/live"
)

// frameSize is the size of a panel's part on the wire, more or less.
const frameSize = 8 << 10

// crowd is a number of sockets, of which each waits for a frame of a known size.
type crowd struct {
	conns []net.Conn
	start []chan int // bytes to wait for
	got   sync.WaitGroup
}

// gather opens n sockets at the server, which greets each with that many bytes.
func gather(b *testing.B, server string, n, greeting int) *crowd {
	b.Helper()
	c := &crowd{}
	for range n {
		conn, err := net.Dial("tcp", server)
		if err != nil {
			b.Fatal(err)
		}
		fmt.Fprint(conn, "GET /?a HTTP/1.1\r\nHost: kiosk\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
		start := make(chan int, 1)
		c.conns, c.start = append(c.conns, conn), append(c.start, start)
		go c.receive(conn, start)
	}
	c.expect(len("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: \r\n\r\n") + 28 + greeting)
	c.got.Wait()
	b.Cleanup(c.disperse)
	return c
}

func (c *crowd) receive(conn net.Conn, start chan int) {
	buf := make([]byte, 2*frameSize)
	for n := range start {
		if _, err := io.ReadFull(conn, buf[:n]); err != nil {
			panic(err)
		}
		c.got.Done()
	}
}

// expect makes everybody wait for n bytes.
func (c *crowd) expect(n int) {
	c.got.Add(len(c.conns))
	for _, s := range c.start {
		s <- n
	}
}

func (c *crowd) disperse() {
	for i := range c.conns {
		close(c.start[i])
		c.conns[i].Close()
	}
}

// broadcast is the time from a change to its last receiver.
func (c *crowd) broadcast(bytes int, change func()) time.Duration {
	c.expect(bytes)
	start := time.Now()
	change()
	c.got.Wait()
	return time.Since(start)
}

// BenchmarkBroadcast compares the hub with a loop that writes the same bytes to as many connections and
// does nothing else, by medians. With few receivers the making of the frame is most of it; with many they
// compete with the hub's writers for this process's threads, as they don't elsewhere. The promise is held by
// "make bench", whose receivers have a process of their own.
func BenchmarkBroadcast(b *testing.B) {
	for _, sockets := range []int{10, 100, 1000} {
		b.Run(fmt.Sprint(sockets), func(b *testing.B) { compareBroadcasts(b, sockets) })
	}
}

func compareBroadcasts(b *testing.B, sockets int) {
	hub := live.New(live.Config{})
	server := httptest.NewServer(watching(hub))
	defer server.Close()
	// The part below has 10 digits; the hello depends on nothing but the digits of the time.
	const hello = 2 + len(`{"type":"hello","now":1700000000000,"rate":1,"build":"","beat":15000}`)
	ours := gather(b, server.Listener.Addr().String(), sockets, hello)

	var direct []*websocket.Conn
	var mu sync.Mutex
	loop := httptest.NewServer(keep(&mu, &direct))
	defer loop.Close()
	bare := gather(b, loop.Listener.Addr().String(), sockets, 0)

	var hubTimes, bareTimes []time.Duration
	rev := 0
	for b.Loop() {
		rev++
		html := fmt.Sprintf("%010d", rev) + strings.Repeat("x", frameSize)
		payload := fmt.Appendf(nil, `{"type":"part","id":"screen","rev":%d,"html":"%s"}`, rev, html)
		bytes := 4 + len(payload)
		hubTimes = append(hubTimes, ours.broadcast(bytes, func() { hub.Publish("a", "screen", []byte(html)) }))
		bareTimes = append(bareTimes, bare.broadcast(bytes, func() { writeAll(direct, payload) }))
	}
	ratio := float64(median(hubTimes)) / float64(median(bareTimes))
	b.ReportMetric(float64(median(hubTimes).Microseconds()), "hub-µs")
	b.ReportMetric(float64(median(bareTimes).Microseconds()), "bare-µs")
	b.ReportMetric(ratio, "ratio")
}

// keep upgrades and keeps the connections.
func keep(mu *sync.Mutex, conns *[]*websocket.Conn) http.Handler {
	u := websocket.Upgrader{ReadBufferSize: 512, WriteBufferPool: &sync.Pool{}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := u.Upgrade(w, r, nil)
		if err != nil {
			panic(err)
		}
		mu.Lock()
		defer mu.Unlock()
		*conns = append(*conns, ws)
	})
}

func writeAll(conns []*websocket.Conn, payload []byte) {
	m, err := websocket.NewPreparedMessage(websocket.TextMessage, payload)
	if err != nil {
		panic(err)
	}
	for _, c := range conns {
		if err := c.WritePreparedMessage(m); err != nil {
			panic(err)
		}
	}
}

func median[T cmp.Ordered](d []T) T {
	s := slices.Clone(d)
	slices.Sort(s)
	return s[len(s)/2]
}

// BenchmarkPublish is what a change costs the caller while nobody watches, somebody does, and nothing
// has changed.
func BenchmarkPublish(b *testing.B) {
	html := []byte(strings.Repeat("x", frameSize))
	b.Run("same", func(b *testing.B) {
		hub := live.New(live.Config{})
		b.ReportAllocs()
		for b.Loop() {
			hub.Publish("a", "screen", html)
		}
	})
	b.Run("changed", func(b *testing.B) {
		hub := live.New(live.Config{})
		b.ReportAllocs()
		for b.Loop() {
			html[0]++
			hub.Publish("a", "screen", html)
		}
	})
}
