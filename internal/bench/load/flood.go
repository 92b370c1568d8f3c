package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"roomkiosk/internal/harness"
)

// tapping is how taps fared.
type tapping struct {
	took   []time.Duration
	failed int
}

func (t tapping) String() string {
	if len(t.took) == 0 {
		return fmt.Sprintf("none was taken, %d failed", t.failed)
	}
	return fmt.Sprintf("%d taken, %d failed; median %.1f ms, p99 %.1f ms, longest %.1f ms", len(t.took), t.failed,
		ms(harness.Median(t.took)), ms(harness.Quantile(t.took, 0.99)), ms(harness.Quantile(t.took, 1)))
}

// tapAll taps evenly over a time. Each room's panel has an address of its own, as on a wall.
func tapAll(ctx context.Context, addr string, targets []target, over time.Duration) (t tapping) {
	var mu sync.Mutex
	var all sync.WaitGroup
	defer all.Wait()
	clients := map[string]*http.Client{}
	for i, to := range targets {
		client := clients[to.room]
		if client == nil {
			client = clientFrom(netip.AddrFrom4([4]byte{127, 0, byte(1 + len(clients)/250), byte(1 + len(clients)%250)}))
			clients[to.room] = client
			defer client.CloseIdleConnections()
		}
		all.Go(func() {
			if harness.Wait(ctx, over*time.Duration(i)/time.Duration(len(targets))) != nil {
				return
			}
			from := time.Now()
			ok := tap(ctx, client, addr, to)
			mu.Lock()
			defer mu.Unlock()
			if ok {
				t.took = append(t.took, time.Since(from))
			} else {
				t.failed++
			}
		})
	}
	all.Wait()
	return t
}

func clientFrom(from netip.Addr) *http.Client {
	d := &net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))}
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DialContext: d.DialContext}}
}

func tap(ctx context.Context, client *http.Client, addr string, to target) bool {
	form := strings.NewReader(url.Values{"reservation": {to.reservation}}.Encode())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/rooms/"+to.room+"/check-in", form)
	if err != nil {
		return false
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	res, err := client.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return err == nil && res.StatusCode == http.StatusAccepted
}

// flooding is how rubbish fared.
type flooding struct {
	lasted  time.Duration
	answers map[int]int // by status; 0: the connection was closed
}

func (f flooding) total() (n int) {
	for _, c := range f.answers {
		n += c
	}
	return n
}

func (f flooding) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d requests, %.0f a second", f.total(), float64(f.total())/f.lasted.Seconds())
	for _, status := range slices.Sorted(maps.Keys(f.answers)) {
		fmt.Fprintf(&b, "; %d answered %d", f.answers[status], status)
	}
	return b.String()
}

// What comes in, in turns: unknown pages, foreign names, forms that can't be read, no HTTP at all.
var rubbish = []string{
	"GET /wp-login.php HTTP/1.1\r\nHost: localhost\r\n\r\n",
	"GET /rooms/nowhere HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n",
	"POST /rooms/room-0/release HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\n%zz",
	"GET /rooms/room-0/live?view=admin HTTP/1.1\r\nHost: localhost\r\n\r\n",
	"DELETE /api/v1/rooms HTTP/1.1\r\nHost: localhost\r\n\r\n",
}

const nonsense = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 /\r\n\r\n" // one in a hundred: somebody tries TLS

// flood sends so much rubbish a second, or as much as the server takes, until it is stopped.
func flood(ctx context.Context, addr string, perSecond, connections int) (stop func() flooding) {
	ctx, cancel := context.WithCancel(ctx)
	from := time.Now()
	f := flooding{answers: map[int]int{}}
	var mu sync.Mutex
	var all sync.WaitGroup
	every := time.Duration(connections) * time.Second / time.Duration(max(1, perSecond))
	for n := range connections {
		first := from.Add(every * time.Duration(n) / time.Duration(connections))
		all.Go(func() {
			counts := floodFrom(ctx, addr, n, first, every)
			mu.Lock()
			defer mu.Unlock()
			for status, c := range counts {
				f.answers[status] += c
			}
		})
	}
	return func() flooding {
		cancel()
		all.Wait()
		f.lasted = time.Since(from)
		return f
	}
}

// floodFrom sends rubbish over one connection at a time, a request every so often.
func floodFrom(ctx context.Context, addr string, n int, next time.Time, every time.Duration) map[int]int {
	counts := map[int]int{}
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}}
	var conn net.Conn
	var answers *bufio.Reader
	for i := n; harness.Wait(ctx, time.Until(next)) == nil; i++ {
		next = next.Add(every)
		if conn == nil {
			var err error
			if conn, err = dialer.DialContext(ctx, "tcp", addr); err != nil {
				counts[0]++
				continue
			}
			answers = bufio.NewReader(conn)
		}
		text := rubbish[i%len(rubbish)]
		if i%100 == 0 {
			text = nonsense
		}
		status, open := exchange(conn, answers, text)
		counts[status]++
		if !open {
			conn.Close()
			conn = nil
		}
	}
	if conn != nil {
		conn.Close()
	}
	return counts
}

// exchange sends a request and reads the answer. open tells whether the connection can be used again.
func exchange(conn net.Conn, answers *bufio.Reader, text string) (status int, open bool) {
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return 0, false
	}
	if _, err := io.WriteString(conn, text); err != nil {
		return 0, false
	}
	res, err := http.ReadResponse(answers, nil)
	if err != nil {
		return 0, false
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return res.StatusCode, err == nil && !res.Close
}
