package web

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"roomkiosk/internal/live"
	"roomkiosk/static"
)

// hands is a clock that is set by hand.
type hands struct{ now time.Time }

func (h *hands) pass(d time.Duration) { h.now = h.now.Add(d) }

func newLimited(doors ...*door) (*Server, *hands) {
	clock := &hands{now: morning}
	cfg := Config{
		Hub: live.New(live.Config{}), Assets: static.Load(), Build: "b1", Log: slog.New(slog.DiscardHandler),
		NewID: func() string { return "0123456789" }, Now: func() time.Time { return clock.now },
	}
	for _, d := range doors {
		cfg.Keepers = append(cfg.Keepers, d)
	}
	s := New(cfg)
	s.limits.pause = func(context.Context) {} // TestFloodIsSlow has the real one
	return s, clock
}

// let counts how many of the same requests pass before one is refused, which has to come.
func (a ask) let(t *testing.T, h http.Handler) int {
	t.Helper()
	for n := range 50000 {
		if a.do(h).Code == http.StatusTooManyRequests {
			return n
		}
	}
	t.Fatal("it is never refused")
	return 0
}

func TestRates(t *testing.T) {
	tap := ask{method: "POST", path: "/rooms/ada/check-in", kind: form, body: "reservation=r1"}
	css := static.Load().URL("kiosk.css")
	for name, c := range map[string]struct {
		ask
		atOnce, perMinute int
	}{
		"pages":               {ask{path: "/healthz", from: remote}, 300, 3000},
		"pages, here":         {ask{path: "/healthz"}, 4000, 60000},
		"pages, by IPv6":      {ask{path: "/healthz", from: "[2001:db8::1]:5"}, 1200, 12000},
		"assets":              {ask{path: css, from: remote}, 3000, 30000},
		"unknown pages":       {ask{path: "/nothing", from: remote}, 60, 600},
		"unknown assets":      {ask{path: "/static/nothing.js", from: remote}, 74, 732},
		"unknown names":       {ask{path: "/healthz", from: remote, header: map[string]string{"Host": "evil.example"}}, 60, 600},
		"unknown rooms":       {ask{path: "/api/v1/rooms/bob", from: remote}, 60, 600},
		"wrong methods":       {ask{path: "/rooms/ada", method: "DELETE", from: remote}, 60, 600},
		"not their business":  {ask{path: "/metrics", from: remote}, 60, 600},
		"taps":                {tap, 100, 1200},
		"taps from afar":      {ask{method: "POST", path: tap.path, kind: form, body: tap.body, from: remote}, 10, 120},
		"taps from afar, API": {ask{method: "POST", path: "/api/v1/rooms/ada/release", kind: asJSON, body: "{}", from: remote}, 10, 120},
		"a unix socket":       {ask{path: "/healthz", from: "@"}, 4000, 60000},
	} {
		t.Run(name, func(t *testing.T) {
			s, clock := newLimited(newDoor("ada"))
			if n := c.let(t, s); n != c.atOnce {
				t.Errorf("%d pass at once, want %d", n, c.atOnce)
			}
			n := 0
			for range 60 { // refusals cost nothing
				clock.pass(100 * time.Millisecond)
				n += c.let(t, s)
			}
			if n *= 10; n < c.perMinute-c.perMinute/20 || n > c.perMinute+c.perMinute/20 {
				t.Errorf("%d pass in a minute, want %d", n, c.perMinute)
			}
		})
	}
}

// TestFloodLeavesOthersAlone: whoever floods is refused; others are not, nor is a panel at the same address.
func TestFloodLeavesOthersAlone(t *testing.T) {
	d := newDoor("ada")
	s, _ := newLimited(d)
	for _, from := range []string{"192.168.1.9:1", "127.0.0.9:1", "127.0.0.1:1"} {
		rubbish := ask{path: "/wp-login.php", from: from}
		rubbish.let(t, s)
		for range 5000 {
			if w := rubbish.do(s); w.Code != 429 {
				t.Fatalf("the flood is answered %d", w.Code)
			}
		}
	}
	if n := s.Refused(); n != 15003 {
		t.Errorf("%d were refused, want 15003", n)
	}
	if w := (ask{path: "/healthz", from: "192.168.1.10:1"}).do(s); w.Code != 200 {
		t.Errorf("a neighbour is answered %d", w.Code)
	}
	for i := range 20 { // two people at one panel
		w := ask{method: "POST", path: "/rooms/ada/check-in", kind: form, body: "reservation=r1"}.do(s)
		if w.Code != http.StatusSeeOther {
			t.Errorf("tap %d is answered %d", i, w.Code)
		}
	}
	if len(d.taps) != 20 {
		t.Errorf("the room was asked %d times", len(d.taps))
	}
}

// TestFloodIsSlow: on a connection that floods, a few requests a second are refused, whatever is sent.
func TestFloodIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := newLimited(newDoor("ada"))
		s.limits.pause = pause
		ask{path: "/nothing", from: "10.0.0.7:1"}.let(t, s)
		g, stop := serveSlow(t, s)
		before := s.Refused()
		here, _ := g.dial("10.0.0.7:2")
		go func() {
			for err := error(nil); err == nil; {
				_, err = io.WriteString(here, "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n")
			}
		}()
		go func() { _, _ = io.Copy(io.Discard, here) }() // ends with the connection
		<-time.After(10 * time.Second)                   // of the bubble
		if n := s.Refused() - before; n < 39 || n > 42 {
			t.Errorf("%d were refused in ten seconds, want four a second", n)
		}
		here.Close()
		stop()
	})
}

func TestRefusal(t *testing.T) {
	s, clock := newLimited(newDoor("ada"))
	rubbish := ask{path: "/nothing", from: remote}
	rubbish.let(t, s)
	page := ask{path: "/rooms/ada", from: remote}.do(s)
	if page.Code != 429 || !strings.Contains(page.Body.String(), errTooMany.Title) || page.Header().Get("Content-Security-Policy") == "" {
		t.Errorf("%d %v\n%s", page.Code, page.Header(), page.Body)
	}
	wait, err := strconv.Atoi(page.Header().Get("Retry-After"))
	if err != nil || wait < 1 || wait > 5 || page.Header().Get("Refresh") != fmt.Sprint(wait) {
		t.Errorf("come back after %d s, %v: %v", wait, err, page.Header())
	}
	api := ask{path: "/api/v1/rooms/ada", from: remote}.do(s)
	checkProblem(t, api)
	if api.Header().Get("Retry-After") == "" || api.Header().Get("Refresh") != "" {
		t.Errorf("%v", api.Header())
	}
	for from, want := range map[string]int{
		"192.168.1.20:7": 429, "[::ffff:192.168.1.20]:7": 429, "192.168.1.21:7": 200,
	} {
		if w := (ask{path: "/healthz", from: from}).do(s); w.Code != want {
			t.Errorf("%s is answered %d, want %d", from, w.Code, want)
		}
	}
	clock.pass(time.Duration(wait) * time.Second)
	if w := (ask{path: "/rooms/ada", from: remote}).do(s); w.Code != 200 {
		t.Errorf("after that time it is answered %d", w.Code)
	}
	clock.pass(-time.Hour) // a wall clock that is set
	if w := (ask{path: "/rooms/ada", from: remote}).do(s); w.Code != 200 {
		t.Errorf("an hour earlier it is answered %d", w.Code)
	}
}

// TestCallersAreForgotten: however many addresses ask, the memory for them is bounded. The idlest one goes.
func TestCallersAreForgotten(t *testing.T) {
	l := newLimiter(func() time.Time { return morning })
	addr := func(i int) asker {
		return asker{addr: netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})}
	}
	busy := asker{addr: netip.MustParseAddr("192.168.1.9")}
	for l.take(busy, costPlain, false) == 0 {
	}
	before := heap()
	const callers = 100_000
	for i := range callers {
		l.take(addr(i), costPlain, false)
		l.take(addr(i), costTap, true)
		if i%1000 == 0 && l.take(busy, costPlain, false) == 0 {
			t.Fatal("one that goes on asking is forgotten")
		}
	}
	grown := heap() - before
	t.Logf("%d callers, %d of them remembered in %d KB", callers, l.recent.Len(), grown>>10)
	if l.recent.Len() != maxCallers || len(l.callers) != maxCallers {
		t.Errorf("%d, %d are remembered, want %d", l.recent.Len(), len(l.callers), maxCallers)
	}
	if grown > 4<<20 {
		t.Errorf("they take %d bytes", grown)
	}
	if _, known := l.callers[addr(callers-1)]; !known {
		t.Error("the newest is forgotten")
	}
	runtime.KeepAlive(l)
}

func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse)
}

func BenchmarkRefusal(b *testing.B) {
	l := newLimiter(nil)
	who := asker{addr: netip.MustParseAddr("192.168.1.9")}
	for b.Loop() {
		l.take(who, costPlain, false)
	}
}
