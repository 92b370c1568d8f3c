package live_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"roomkiosk/internal/live"
	"roomkiosk/static"
)

// site is a small kiosk around a hub: one page, its assets, its socket, one form. It can be taken down
// and brought up again at the same address.
type site struct {
	t      *testing.T
	addr   string
	assets *static.Assets
	main   atomic.Value // string: the page's <main>
	build  string       // of the page; the hub's is in its Config
	view   string
	topics []string // of the socket
	quiet  bool     // no heartbeats
	tap    http.HandlerFunc
	loads  atomic.Int64 // of the page

	hub  *live.Hub
	down func()
}

func newSite(t *testing.T, main string) *site {
	s := &site{t: t, addr: "127.0.0.1:0", assets: static.Load(), view: "viewer", topics: []string{"screen"}}
	s.main.Store(main)
	s.tap = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }
	t.Cleanup(func() {
		if s.down != nil {
			s.down()
		}
	})
	return s
}

// up brings the site up with a new hub.
func (s *site) up(cfg live.Config) {
	s.t.Helper()
	l, err := net.Listen("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.addr = l.Addr().String()
	s.hub = live.New(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	var loops sync.WaitGroup
	loops.Go(func() {
		if s.quiet {
			<-ctx.Done()
		}
		_ = s.hub.Run(ctx)
	})
	server := &http.Server{Handler: s.routes()}
	loops.Go(func() { _ = server.Serve(l) })
	s.down = sync.OnceFunc(func() { cancel(); server.Close(); loops.Wait() })
}

func (s *site) url(path string) string {
	return (&url.URL{Scheme: "http", Host: s.addr, Path: path}).String()
}

// policy is as strict as the kiosk's.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func (s *site) routes() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /{$}", s.page)
	m.HandleFunc("GET /live", func(w http.ResponseWriter, r *http.Request) { _ = s.hub.Serve(w, r, s.topics) })
	m.HandleFunc("POST /check-in", func(w http.ResponseWriter, r *http.Request) { s.tap(w, r) })
	m.Handle(static.Prefix, s.assets)
	return m
}

func (s *site) page(w http.ResponseWriter, _ *http.Request) {
	s.loads.Add(1)
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, `<!DOCTYPE html>
<html lang="en" data-build="%s">
<head><title>Ada</title><link rel="icon" href="data:,">
<script src="%s" defer></script><script src="%s" defer></script></head>
<body data-live="/live?view=%s" data-view="%s">
<div id="link" data-text="Not connected since {time}." hidden></div>
<div id="notice" data-unreachable="Did not get through." hidden></div>
%s</body></html>`, s.build, s.assets.URL("idiomorph.js"), s.assets.URL("live.js"), s.view, s.view, s.main.Load())
}

// show publishes the page's main part.
func (s *site) show(main string) { s.hub.Publish("screen", "screen", []byte(main)) }

// screen is a main part around some content.
func screen(content string) string { return `<main id="screen">` + content + `</main>` }

// form is a tap's.
const form = `<form id="f" data-tap method="post" action="/check-in"><input type="hidden" name="reservation" value="r 1&amp;2">` +
	`<button id="b">Check in</button></form>`

// minutes is a clock at which a minute passes whenever somebody looks, from midnight on. On a page that
// shows it beats can be counted.
func minutes() func() time.Time {
	var n atomic.Int64
	return func() time.Time { return time.Date(2026, 11, 23, 0, int(n.Add(1)), 0, 0, time.UTC) }
}

// stands is the rate of a clock that a page sees move by frames only.
const stands = 1e-9
