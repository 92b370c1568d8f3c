package main

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"roomkiosk/internal/harness"
)

const (
	promiseBytes    = 40e3
	promiseRequests = 5
	visitLimit      = 60 * time.Second
	settleVisit     = 1500 * time.Millisecond // after the socket has shown something: for stragglers
)

// measureBrowser counts what Chromium, with nothing cached, requests to show the panel, and the bytes
// of it. The websocket counts, until it has shown the screen once.
func measureBrowser(ctx context.Context, b *bench) ([]row, error) {
	world, s, err := openOffice(ctx, 1)
	if err != nil {
		return nil, err
	}
	defer world.Close()
	k, err := b.open(ctx, s, time.Minute)
	if err != nil {
		return nil, err
	}
	defer k.Stop()
	requests, blocked, err := visit(ctx, k.panel())
	if err != nil {
		return nil, err
	}
	var bytes float64
	var list, strangers []string
	for _, r := range requests {
		bytes += r.received + r.sent
		list = append(list, fmt.Sprintf("%-10s %9s received, %9s sent  %s", r.kind, kb(r.received), kb(r.sent), r.url.Path))
		if "http://"+r.url.Host != k.base && "ws://"+r.url.Host != strings.Replace(k.base, "http", "ws", 1) {
			strangers = append(strangers, r.url.Host)
		}
	}
	n := len(requests)
	return []row{
		{
			what: "panel page in Chromium: bytes", kiosk: kb(bytes), promise: "<= " + kb(promiseBytes), verdict: verdictOf(bytes <= promiseBytes),
			notes: append([]string{"with headers, both ways, nothing cached"}, list...),
		},
		{
			what: "panel page in Chromium: requests", kiosk: fmt.Sprint(n), promise: fmt.Sprintf("<= %d", promiseRequests),
			verdict: verdictOf(n <= promiseRequests && len(strangers) == 0),
			notes:   append([]string{fmt.Sprintf("the websocket is one of them; other hosts asked: %d %v", len(strangers), strangers)}, blocked...),
		},
	}, nil
}

// request is one that a browser made, with its bytes on the wire.
type request struct {
	kind           string
	url            *url.URL
	at             int // order
	sent, received float64
}

// visit opens a page in a fresh Chromium and returns its requests in their order, and what the browser
// refused to request.
func visit(ctx context.Context, page string) (all []*request, blocked []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, visitLimit)
	defer cancel()
	ctx, end := harness.OpenBrowser(ctx)
	defer end()

	v := newVisitor()
	chromedp.ListenTarget(ctx, v.see)
	if err := chromedp.Run(ctx, network.Enable(), chromedp.Navigate(page)); err != nil {
		return nil, nil, fmt.Errorf("opening the panel in Chromium: %w", err)
	}
	select {
	case <-ctx.Done():
		return nil, nil, fmt.Errorf("waiting for the panel's websocket: %w", ctx.Err())
	case <-v.shown:
	}
	if err := harness.Wait(ctx, settleVisit); err != nil {
		return nil, nil, err
	}
	return v.seen()
}

// visitor watches what the browser requests.
type visitor struct {
	mu       sync.Mutex
	made     int // requests
	requests map[network.RequestID]*request
	sent     map[network.RequestID]float64 // bytes
	received map[network.RequestID]float64
	once     sync.Once
	shown    chan struct{} // closed when the websocket has shown something
	blocked  []string
	failed   error
}

func newVisitor() *visitor {
	return &visitor{
		requests: map[network.RequestID]*request{}, shown: make(chan struct{}),
		sent: map[network.RequestID]float64{}, received: map[network.RequestID]float64{},
	}
}

func (v *visitor) see(event any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		v.add(e.RequestID, e.Request.URL, strings.ToLower(string(e.Type)))
	case *network.EventRequestWillBeSentExtraInfo: // may come before the one above
		v.sent[e.RequestID] += headerSize(e.Headers)
	case *network.EventLoadingFinished:
		v.received[e.RequestID] += e.EncodedDataLength
	case *network.EventLoadingFailed:
		v.fail(e)
	case *network.EventWebSocketCreated:
		v.add(e.RequestID, e.URL, "websocket")
	case *network.EventWebSocketWillSendHandshakeRequest:
		v.sent[e.RequestID] += headerSize(e.Request.Headers)
	case *network.EventWebSocketHandshakeResponseReceived:
		v.received[e.RequestID] += headerSize(e.Response.Headers)
	case *network.EventWebSocketFrameReceived:
		v.received[e.RequestID] += float64(len(e.Response.PayloadData)) + frameHeader
		if strings.Contains(e.Response.PayloadData, `"type":"part"`) {
			v.once.Do(func() { close(v.shown) })
		}
	}
}

const frameHeader = 4 // bytes of a frame from a server with a medium payload (RFC 6455)

// add notes a request that goes to the network.
func (v *visitor) add(id network.RequestID, address, kind string) {
	u, err := url.Parse(address)
	if err != nil {
		v.failed = fmt.Errorf("reading the address of a request: %w", err)
		return
	}
	if u.Scheme == "data" {
		return
	}
	v.requests[id] = &request{kind: kind, url: u, at: v.made}
	v.made++
}

func headerSize(h network.Headers) float64 {
	n := 0
	for name, value := range h {
		n += len(name) + len(fmt.Sprint(value)) + len(": \r\n")
	}
	return float64(n)
}

func (v *visitor) seen() (all []*request, blocked []string, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for id, r := range v.requests {
		line := len("GET  HTTP/1.1\r\n\r\n") + len(r.url.RequestURI())
		r.sent, r.received = v.sent[id]+float64(line), v.received[id]
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b *request) int { return cmp.Compare(a.at, b.at) })
	return all, v.blocked, v.failed
}

// fail notes a request that came to nothing. One that the browser refused to make was never on the
// network, but nobody meant it to be there.
func (v *visitor) fail(e *network.EventLoadingFailed) {
	r := v.requests[e.RequestID]
	if r == nil {
		return
	}
	if e.BlockedReason == "" {
		v.failed = fmt.Errorf("loading %s in Chromium: %s", r.url, e.ErrorText)
		return
	}
	delete(v.requests, e.RequestID)
	v.blocked = append(v.blocked, fmt.Sprintf("blocked by the browser (%s): %s", e.BlockedReason, r.url))
}
