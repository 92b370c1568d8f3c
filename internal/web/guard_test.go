package web

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"roomkiosk/internal/rooms"
)

// TestProxiesAreNoPanels: what a proxy on this machine passes on comes from loopback, and is no panel's.
func TestProxiesAreNoPanels(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*http.Request)
		want   bool
	}{
		"the browser here":     {func(*http.Request) {}, true},
		"by its IPv6 address":  {func(r *http.Request) { r.RemoteAddr, r.Host = "[::1]:5", "[::1]:8080" }, true},
		"an empty one first":   {func(r *http.Request) { r.Header["X-Forwarded-For"] = []string{"", "192.168.1.20"} }, false},
		"an empty one":         {func(r *http.Request) { r.Header["X-Forwarded-For"] = []string{""} }, false},
		"none, but its name":   {func(r *http.Request) { r.Header["Via"] = nil }, false},
		"HTTP/1.0":             {func(r *http.Request) { r.Proto, r.ProtoMinor = "HTTP/1.0", 0 }, false},
		"Forwarded":            {func(r *http.Request) { r.Header.Set("Forwarded", "for=192.168.1.20") }, false},
		"X-Forwarded-Proto":    {func(r *http.Request) { r.Header.Set("X-Forwarded-Proto", "https") }, false},
		"X-Forwarded-Anything": {func(r *http.Request) { r.Header.Set("x-forwarded-anything", "1") }, false},
		"X-Real-IP":            {func(r *http.Request) { r.Header.Set("X-Real-IP", "192.168.1.20") }, false},
		"X-Client-IP":          {func(r *http.Request) { r.Header.Set("X-Client-IP", "192.168.1.20") }, false},
		"CF-Connecting-IP":     {func(r *http.Request) { r.Header.Set("CF-Connecting-IP", "192.168.1.20") }, false},
		"True-Client-IP":       {func(r *http.Request) { r.Header.Set("True-Client-IP", "192.168.1.20") }, false},
		"by another name":      {func(r *http.Request) { r.Host = "rooms.example.com" }, false},
		"from afar":            {func(r *http.Request) { r.RemoteAddr = remote }, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "http://localhost:8080/metrics", nil)
			r.RemoteAddr = "127.0.0.1:50000"
			tt.change(r)
			if got := isPanel(r); got != tt.want {
				t.Errorf("it is a panel: %v", got)
			}
			w := httptest.NewRecorder()
			newServer(t, newDoor("ada")).ServeHTTP(w, r)
			if got := w.Code == http.StatusOK; got != tt.want {
				t.Errorf("it is answered %d", w.Code)
			}
		})
	}
}

// TestProxyLeavesPanelAlone: what comes through a proxy on this machine, in whatever amount, takes nothing
// from the panel's own allowances.
func TestProxyLeavesPanelAlone(t *testing.T) {
	s, _ := newLimited(newDoor("ada"))
	through := map[string]string{"X-Forwarded-For": "192.168.1.20"}
	tap := ask{method: "POST", path: "/rooms/ada/check-in", kind: form, body: "reservation=r1", header: through}
	tap.let(t, s)
	ask{path: "/nothing", header: through}.let(t, s)
	tap.header = nil
	if w := tap.do(s); w.Code != http.StatusSeeOther {
		t.Errorf("a tap is answered %d", w.Code)
	}
	if w := (ask{path: "/rooms/ada/panel"}).do(s); w.Code != http.StatusOK {
		t.Errorf("the panel's page is answered %d", w.Code)
	}
}

// TestLostEventsAreTold: Zoom shows nobody the answer that its events get, so the log says it; once an hour.
func TestLostEventsAreTold(t *testing.T) {
	signed := map[string]string{"Host": "Kiosk.Example.com:443", "X-Zm-Signature": "v0=1"}
	for name, tt := range map[string]struct {
		header map[string]string
		path   string
		off    bool
		want   string // in the log; empty: nothing is said
	}{
		"another name":  {signed, zoomEventsPath, false, "host=kiosk.example.com"},
		"another site":  {map[string]string{"X-Zm-Signature": "v0=1", "Origin": "https://zoom.us"}, zoomEventsPath, false, "Origin"},
		"a long name":   {map[string]string{"Host": strings.Repeat("x", 1000), "X-Zm-Signature": "v0=1"}, zoomEventsPath, false, strings.Repeat("x", maxName) + " "},
		"not signed":    {map[string]string{"Host": "evil.example"}, zoomEventsPath, false, ""},
		"another page":  {signed, "/rooms/ada/check-in", false, ""},
		"no webhook":    {signed, zoomEventsPath, true, ""},
		"nothing wrong": {map[string]string{"X-Zm-Signature": "v0=1"}, zoomEventsPath, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, _ := newLimited(newDoor("ada"))
				var log bytes.Buffer
				s.cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
				if !tt.off {
					s.cfg.ZoomEvents = http.NotFoundHandler()
				}
				for hour := range 2 {
					log.Reset()
					for range 3 {
						ask{method: "POST", path: tt.path, kind: asJSON, body: "{}", header: tt.header}.do(s)
					}
					if n := strings.Count(log.String(), "\n"); !strings.Contains(log.String(), tt.want) || n > 1 || (n == 1) != (tt.want != "") {
						t.Errorf("hour %d: it says %q, want %q", hour, log.String(), tt.want)
					}
					<-time.After(time.Hour) // of the bubble
				}
			})
		})
	}
}

func TestNotReadyByItsClock(t *testing.T) {
	d := newDoor("ada")
	d.in.Schedule, d.in.ClockDoubt = rooms.Schedule{}, rooms.ClockUnsynchronised
	w := ask{path: "/readyz"}.do(newServer(t, d))
	for _, part := range []string{"isn't known to be right", "time service", `clock = \"trusted\"`} {
		if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), part) {
			t.Errorf("%d: %q is not in %s", w.Code, part, w.Body)
		}
	}
}
