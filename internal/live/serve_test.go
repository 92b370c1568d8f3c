package live_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gorilla/websocket"

	"roomkiosk/internal/live"
)

// serveOnly serves a hub that the test runs, or doesn't.
func serveOnly(t *testing.T, h *live.Hub) string {
	t.Helper()
	s := httptest.NewServer(watching(h))
	t.Cleanup(s.Close)
	return "ws" + strings.TrimPrefix(s.URL, "http") + "/?a"
}

func TestOrigins(t *testing.T) {
	tests := map[string]struct {
		host    string
		origins []string
		want    int
	}{
		"none: not a browser":           {"kiosk.lan:8080", nil, 101},
		"same":                          {"kiosk.lan:8080", []string{"http://kiosk.lan:8080"}, 101},
		"same, behind TLS":              {"kiosk.lan", []string{"https://kiosk.lan"}, 101},
		"same, in capitals":             {"KIOSK.lan", []string{"http://kiosk.LAN"}, 101},
		"same, by address":              {"[::1]:8080", []string{"http://[::1]:8080"}, 101},
		"another host":                  {"kiosk.lan:8080", []string{"http://evil.example"}, 403},
		"another port":                  {"kiosk.lan:8080", []string{"http://kiosk.lan:8081"}, 403},
		"no port":                       {"kiosk.lan:8080", []string{"http://kiosk.lan"}, 403},
		"a name that begins alike":      {"kiosk.lan", []string{"http://kiosk.lan.evil.example"}, 403},
		"a name that ends alike":        {"kiosk.lan", []string{"http://evil-kiosk.lan"}, 403},
		"a user that looks like it":     {"kiosk.lan", []string{"http://kiosk.lan@evil.example"}, 403},
		"sandboxed frame":               {"kiosk.lan", []string{"null"}, 403},
		"empty":                         {"kiosk.lan", []string{""}, 403},
		"not a URL":                     {"kiosk.lan", []string{"http://kiosk.lan:%zz"}, 403},
		"two":                           {"kiosk.lan", []string{"http://kiosk.lan", "http://evil.example"}, 403},
		"file":                          {"kiosk.lan", []string{"file://"}, 403},
		"rebound name: the Host list's": {"evil.example:8080", []string{"http://evil.example:8080"}, 101},
	}
	h := live.New(live.Config{})
	url := serve(t, h)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			header := http.Header{"Host": {tt.host}}
			if tt.origins != nil {
				header["Origin"] = tt.origins
			}
			ws, res, err := websocket.DefaultDialer.Dial(url, header)
			if res == nil {
				t.Fatal(err)
			}
			if err == nil {
				ws.Close()
			}
			res.Body.Close()
			if res.StatusCode != tt.want {
				t.Errorf("answered %d, want %d", res.StatusCode, tt.want)
			}
		})
	}
	until(t, "all have left", func() bool { return h.Stats().Sockets == 0 })
}

// from makes every request come from that address, with a number in it if it has a place for one.
func from(addr string, next http.Handler) http.Handler {
	var n atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RemoteAddr = addr
		if strings.Contains(addr, "%x") {
			r.RemoteAddr = fmt.Sprintf(addr, n.Add(1))
		}
		next.ServeHTTP(w, r)
	})
}

func TestLimits(t *testing.T) {
	tests := map[string]struct {
		addr string
		cfg  live.Config
		open int // sockets that are let in
		want int // what the next one hears
	}{
		"in all":                    {"127.0.0.1:1", live.Config{MaxSockets: 3}, 3, 503},
		"per address":               {"10.0.0.7:1", live.Config{MaxPerAddress: 2}, 2, 429},
		"per IPv6 network":          {"[2001:db8::%x]:1", live.Config{MaxPerAddress: 2}, 8, 429},
		"per wire":                  {"[fe80::%x%%eth0]:1", live.Config{MaxPerAddress: 2}, 8, 429},
		"loopback is a proxy":       {"127.0.0.1:1", live.Config{MaxPerAddress: 2}, 5, 101},
		"so is IPv6's":              {"[::1]:1", live.Config{MaxPerAddress: 2}, 5, 101},
		"so is a unix socket":       {"@", live.Config{MaxPerAddress: 2}, 5, 101},
		"in all, before by address": {"10.0.0.7:1", live.Config{MaxSockets: 2, MaxPerAddress: 2}, 2, 503},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := live.New(tt.cfg)
			stop := run(t, h)
			s := httptest.NewServer(from(tt.addr, watching(h)))
			defer s.Close()
			defer stop()
			url := "ws" + strings.TrimPrefix(s.URL, "http")
			var open []*websocket.Conn
			for range tt.open {
				open = append(open, dial(t, url))
			}
			checkRefusal(t, h, url, tt.want)
			open[0].Close()
			defer func() { // else the good-byes wait for answers
				for _, ws := range open {
					ws.Close()
				}
			}()
			until(t, "there is room again", func() bool {
				ws, res, err := websocket.DefaultDialer.Dial(url, nil)
				if err != nil {
					return false
				}
				res.Body.Close()
				ws.Close()
				return true
			})
		})
	}
}

func checkRefusal(t *testing.T, h *live.Hub, url string, want int) {
	t.Helper()
	ws, res, err := websocket.DefaultDialer.Dial(url, nil)
	if err == nil {
		defer ws.Close()
	}
	if res == nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != want {
		t.Fatalf("answered %d, want %d", res.StatusCode, want)
	}
	if want == 101 {
		return
	}
	var problem struct {
		Title, Detail string
		Status        int
	}
	err = json.NewDecoder(res.Body).Decode(&problem)
	if err != nil || problem.Status != want || problem.Title == "" || problem.Detail == "" {
		t.Errorf("the problem is %+v, %v", problem, err)
	}
	if res.Header.Get("Retry-After") == "" {
		t.Error("it doesn't say when to come back")
	}
	if n := h.Stats().Refused; n != 1 {
		t.Errorf("counted %d refusals", n)
	}
}

// TestPanelsHaveTheirPlaces: however many others watch, from however many addresses, a panel gets in.
func TestPanelsHaveTheirPlaces(t *testing.T) {
	h := live.New(live.Config{MaxSockets: 200})
	stop := run(t, h)
	others := httptest.NewServer(from("[2001:db8:%x::]:1", watching(h)))
	defer others.Close()
	panels := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = h.ServePanel(w, r, []string{"a"}) // refusals are seen by the client
	}))
	defer panels.Close()
	defer stop()
	var all []*websocket.Conn
	defer func() { // else the good-byes wait for answers
		for _, ws := range all {
			ws.Close()
		}
	}()
	for i, most := range []int{198, 200} {
		url := "ws" + strings.TrimPrefix([]string{others.URL, panels.URL}[i], "http")
		for len(all) < most {
			all = append(all, dial(t, url))
		}
		_, res, err := websocket.DefaultDialer.Dial(url, nil)
		if err == nil || res == nil {
			t.Fatalf("with %d open there is room, %v", most, err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("with %d open it answers %d", most, res.StatusCode)
		}
	}
}

func TestWhoIsCountedAsWhom(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.7:80":             "192.0.2.7",
		"[::ffff:192.0.2.7]:80":    "192.0.2.7",
		"[2001:db8:1:2:3::4]:80":   "2001:db8:1:2::",
		"[2001:db8:1:2::]:80":      "2001:db8:1:2::",
		"[2001:db8:1:2::%eth0]:80": "2001:db8:1:2::",
		"[fe80::1%eth0]:80":        "fe80::%eth0",
		"[fe80:7::1%eth0]:80":      "fe80::%eth0",
		"[febf::9%wlan0]:80":       "fe80::%wlan0",
		"[::1]:80":                 "::1",
		"127.0.0.9:80":             "127.0.0.9",
	} {
		if got := live.SourceOf(in); got.String() != want {
			t.Errorf("%s is counted as %s, want %s", in, got, want)
		}
	}
	for in, want := range map[string]bool{"@": true, "127.0.0.9:80": true, "[::1]:80": true, "10.0.0.7:80": false, "[fe80::1%eth0]:80": false} {
		if got := live.IsLocal(live.SourceOf(in)); got != want {
			t.Errorf("%s is this machine: %v", in, got)
		}
	}
}

func TestNoHandshake(t *testing.T) {
	h := live.New(live.Config{MaxSockets: 1})
	for range 3 { // a failed one takes no place
		w := httptest.NewRecorder()
		err := h.Serve(w, httptest.NewRequest("GET", "/rooms/ada/live", nil), []string{"a"})
		var handshake websocket.HandshakeError
		if !errors.As(err, &handshake) || w.Code != http.StatusBadRequest {
			t.Errorf("answered %d and returned %v", w.Code, err)
		}
		if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
			t.Errorf("answered with %q", got)
		}
	}
	if n := h.Stats().Refused; n != 0 {
		t.Errorf("counted %d refusals", n)
	}
}

func TestNoHostIsNobodysOrigin(t *testing.T) {
	r := httptest.NewRequest("GET", "/rooms/ada/live", nil)
	r.Host = ""
	for name, value := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
		"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Origin": "null",
	} {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	if err := live.New(live.Config{}).Serve(w, r, nil); err == nil || w.Code != http.StatusForbidden {
		t.Errorf("answered %d and returned %v", w.Code, err)
	}
}
