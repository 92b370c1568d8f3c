package sim_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"roomkiosk/internal/sim"
)

// wire is a proxy in front of a server that counts requests and answers with 1,000 bytes.
type wire struct {
	*sim.Proxy
	t        *testing.T
	requests atomic.Int64
	client   *http.Client
}

func newWire(t *testing.T) *wire {
	w := &wire{t: t, client: &http.Client{Transport: &http.Transport{}}}
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.requests.Add(1)
		_, _ = io.WriteString(out, strings.Repeat("x", 1000))
	}))
	w.Proxy = sim.NewProxy(server.Listener.Addr().String())
	if err := w.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	t.Cleanup(w.Close)
	t.Cleanup(w.client.CloseIdleConnections)
	return w
}

// ask does a request. POST: a client never repeats it by itself.
func (w *wire) ask(timeout time.Duration) (bytes int, took time.Duration, err error) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "POST", "http://"+w.Addr(), strings.NewReader("tap"))
	if err != nil {
		w.t.Fatal(err)
	}
	start := time.Now()
	resp, err := w.client.Do(req)
	if err != nil {
		return 0, time.Since(start), err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return len(body), time.Since(start), err
}

func (w *wire) works() {
	w.t.Helper()
	if n, _, err := w.ask(10 * time.Second); err != nil || n != 1000 {
		w.t.Fatalf("%d bytes, %v", n, err)
	}
}

func TestProxyPassesOn(t *testing.T) {
	w := newWire(t)
	for range 10 {
		w.works()
	}
	if n := w.requests.Load(); n != 10 {
		t.Errorf("%d requests arrived", n)
	}
}

func TestProxyPassesOnWhatComesAfterTheEnd(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	go func() {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		all, _ := io.ReadAll(conn) // to the client's end
		_, _ = conn.Write([]byte(strings.Repeat(string(all), 100_000)))
		_ = conn.Close()
	}()
	p := sim.NewProxy(ln.Addr().String())
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	conn, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = conn.Write([]byte("hello"))
	_ = conn.(*net.TCPConn).CloseWrite()
	if got, err := io.ReadAll(conn); err != nil || len(got) != 500_000 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestProxyLatency(t *testing.T) {
	w := newWire(t)
	w.works()
	w.Set(sim.ProxyFaults{Latency: 60 * time.Millisecond, Jitter: 20 * time.Millisecond})
	if _, took, err := w.ask(10 * time.Second); err != nil || took < 80*time.Millisecond {
		t.Errorf("took %v, %v", took, err)
	}
}

func TestProxyBandwidth(t *testing.T) {
	w := newWire(t)
	w.Set(sim.ProxyFaults{BytesPerSecond: 5000})
	// Answer and headers are more than 1,000 bytes.
	if n, took, err := w.ask(10 * time.Second); err != nil || n != 1000 || took < 200*time.Millisecond {
		t.Errorf("%d bytes, took %v, %v", n, took, err)
	}
}

func TestProxyDropsAfterTheRequest(t *testing.T) {
	w := newWire(t)
	w.works()
	w.Set(sim.ProxyFaults{DropAfterRequest: true})
	if _, _, err := w.ask(10 * time.Second); !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.EOF) {
		t.Errorf("got %v", err)
	}
	if n := w.requests.Load(); n != 2 {
		t.Errorf("%d requests were carried out", n)
	}
	w.Set(sim.ProxyFaults{})
	w.works()
}

func TestProxyHalfOpen(t *testing.T) {
	w := newWire(t)
	w.works()
	w.Set(sim.ProxyFaults{HalfOpen: true})
	for range 2 { // over the connection that was there, and over a new one
		if _, _, err := w.ask(deaf); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	}
	w.Set(sim.ProxyFaults{})
	if n := w.requests.Load(); n != 1 {
		t.Errorf("%d requests arrived", n)
	}
	w.works()
}

func TestProxyHalfOpenStaysSo(t *testing.T) {
	w := newWire(t)
	conn, err := net.Dial("tcp", w.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	ask := func() error {
		_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		_ = conn.SetReadDeadline(time.Now().Add(deaf))
		_, err := conn.Read(make([]byte, 1))
		return err
	}
	w.Set(sim.ProxyFaults{HalfOpen: true})
	_ = ask()
	w.Set(sim.ProxyFaults{})
	if err := ask(); !timedOut(err) {
		t.Errorf("what comes after something that vanished was answered: %v", err)
	}
}

func TestProxyRefusesAndCuts(t *testing.T) {
	w := newWire(t)
	w.works()
	w.Set(sim.ProxyFaults{Refuse: true})
	w.works() // over the connection that is there
	w.Cut()
	if _, _, err := w.ask(10 * time.Second); err == nil {
		t.Error("a new connection was let through")
	}
	w.Set(sim.ProxyFaults{})
	w.works()
}

func TestProxyResetsInTheMiddle(t *testing.T) {
	w := newWire(t)
	w.Set(sim.ProxyFaults{ResetAfter: 500})
	if n, _, err := w.ask(10 * time.Second); err == nil || n >= 500 {
		t.Errorf("%d bytes of the answer's body, %v", n, err)
	}
	if n := w.requests.Load(); n != 1 {
		t.Errorf("%d requests were carried out", n)
	}
}

func TestProxyEndsWithItsContext(t *testing.T) {
	w := newWire(t)
	w.works()
	w.Set(sim.ProxyFaults{HalfOpen: true})
	_, _, _ = w.ask(deaf)
	w.Close()
	if _, err := net.Dial("tcp", w.Addr()); err == nil {
		t.Error("still listening")
	}
}

// bubble is testing/synctest's clock.
type bubble struct{}

func (bubble) Now() time.Time                    { return time.Now() }
func (bubble) Timer(d time.Duration) *time.Timer { return time.NewTimer(d) }
func forecast(t *testing.T, seed uint64) (out []string) {
	synctest.Test(t, func(t *testing.T) {
		p := sim.NewProxy("127.0.0.1:1")
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Hour)
		defer cancel()
		start := time.Now()
		calm := time.Duration(0)
		fine, since := true, start
		w := sim.NewWeather(sim.WeatherConfig{Clock: bubble{}, Seed: seed, Tell: func(f sim.ProxyFaults) {
			if p.Faults() != f {
				t.Errorf("told %+v, is %+v", f, p.Faults())
			}
			if fine {
				calm += time.Since(since)
			}
			fine, since = f == sim.ProxyFaults{}, time.Now()
			out = append(out, time.Since(start).String()+fmt.Sprintf(" %+v", f))
		}}, p)
		if err := w.Run(ctx); err != nil {
			t.Error(err)
		}
		if p.Faults() != (sim.ProxyFaults{}) {
			t.Errorf("left with %+v", p.Faults())
		}
		if calm < 6*time.Hour || calm > 9*time.Hour {
			t.Errorf("calm for %v of 10 h", calm)
		}
	})
	return out
}

func TestWeather(t *testing.T) {
	one, again, other := forecast(t, 1), forecast(t, 1), forecast(t, 2)
	if strings.Join(one, "\n") == strings.Join(other, "\n") {
		t.Error("every seed makes the same weather")
	}
	if !slices.Equal(one, again) {
		t.Errorf("the same seed makes\n%s\nand\n%s", strings.Join(one, "\n"), strings.Join(again, "\n"))
	}
	for _, name := range []string{"Refuse:true", "HalfOpen:true", "DropAfterRequest:true", "BytesPerSecond:1000"} {
		if !strings.Contains(strings.Join(one, "\n"), name) {
			t.Errorf("there was never %s in 10 h", name)
		}
	}
}
