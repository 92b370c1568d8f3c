package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"roomkiosk/internal/harness"
)

const pageClients = 3 // keep-alive connections at a time

// measurePage compares how many panel pages a second the kiosk answers with how many Echo answers
// when it has the same bytes at hand.
func measurePage(ctx context.Context, b *bench) ([]row, error) {
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
	file, size, err := b.keepPage(ctx, k.panel())
	if err != nil {
		return nil, err
	}
	bare, base, err := b.startBare(ctx, "echo", file)
	if err != nil {
		return nil, err
	}
	defer bare.Stop()

	var ours, theirs []float64
	for round := range b.rounds(5, 2) {
		for _, turn := range []struct {
			url  string
			into *[]float64
		}{{k.panel(), &ours}, {base + "/page", &theirs}} {
			rate, err := hammer(ctx, round, turn.url, time.Second)
			if err != nil {
				return nil, err
			}
			*turn.into = append(*turn.into, rate)
		}
	}
	a, z := harness.Median(ours), harness.Median(theirs)
	return []row{{
		what: "panel pages a second", kiosk: fmt.Sprintf("%.0f/s", a), bare: fmt.Sprintf("%.0f/s", z), ratio: timesOf(a, z),
		promise: noPromise, verdict: unpromised,
		notes: []string{fmt.Sprintf("bare: Echo answering the same %s with the same headers; %d keep-alive clients, medians of %d seconds each, in turns; more is better",
			kb(float64(size)), pageClients, len(ours))},
	}}, nil
}

// keepPage writes a page and its headers to a file for the bare Echo.
func (b *bench) keepPage(ctx context.Context, url string) (file string, size int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", 0, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", 0, fmt.Errorf("reading the panel page: %w", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return "", 0, fmt.Errorf("reading the panel page: %w", err)
	}
	res.Header.Del("Date")
	text, err := json.Marshal(map[string]any{"Header": res.Header, "Body": body})
	if err != nil {
		return "", 0, fmt.Errorf("encoding the panel page: %w", err)
	}
	file = filepath.Join(b.dir, "page.json")
	return file, len(body), os.WriteFile(file, text, 0o600)
}

// hammer requests a page for so long over a few connections and returns the rate per second.
func hammer(ctx context.Context, turn int, page string, d time.Duration) (float64, error) {
	at, err := url.Parse(page)
	if err != nil {
		return 0, err
	}
	request := fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", at.RequestURI(), at.Host)
	var answered atomic.Int64
	began := time.Now()
	g, ctx := errgroup.WithContext(ctx)
	for i := range pageClients {
		from := net.IPv4(127, 1, byte(turn), byte(i+1)) // what an address may ask in a second is limited
		g.Go(func() error { return hammerOne(ctx, from, at.Host, request, began.Add(d), &answered) })
	}
	if err := g.Wait(); err != nil {
		return 0, fmt.Errorf("requesting %s: %w", page, err)
	}
	return float64(answered.Load()) / time.Since(began).Seconds(), nil
}

// hammerOne is one client: as thin as can be, since it shares the machine with the server.
func hammerOne(ctx context.Context, from net.IP, addr, request string, until time.Time, answered *atomic.Int64) error {
	conn, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: from}}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(until.Add(10 * time.Second)); err != nil {
		return err
	}
	r := bufio.NewReader(conn)
	for time.Now().Before(until) {
		if _, err := io.WriteString(conn, request); err != nil {
			return err
		}
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, res.Body); err != nil {
			return err
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return fmt.Errorf("answered %s", res.Status)
		}
		answered.Add(1)
	}
	return nil
}
