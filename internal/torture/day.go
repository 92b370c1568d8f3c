package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/inspector"
	"github.com/chromedp/cdproto/memory"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"roomkiosk/internal/harness"
)

const (
	dayLong    = 24 * time.Hour
	growth     = 1.10             // the most that anything may be, of what it was after the first hour
	lookPer    = 6 * time.Minute  // of simulated time
	bookPer    = 30 * time.Minute // likewise: so that there are meetings at night, too
	markWindow = 30 * time.Minute // of which the median counts
)

// sample is what the page and the server hold at an instant of the simulated day.
type sample struct {
	at                     time.Duration
	heap, nodes, listeners float64 // of the page, after everything unused was collected
	resident               float64 // of the server, in bytes
}

// day runs the demo for a simulated day under a real Chromium that shows a panel.
func (t *torture) day(ctx context.Context) error {
	addr, err := harness.FreeAddress()
	if err != nil {
		return err
	}
	fmt.Fprintf(t.out, "day: %g times as fast, %s\n", t.speed, time.Duration(float64(dayLong)/t.speed).Round(time.Second))
	k, err := harness.Launch(ctx, harness.Options{}, t.kiosk, "demo", "--listen", addr, "--speed", fmt.Sprint(t.speed))
	if err != nil {
		return err
	}
	defer k.Stop()
	base := "http://" + addr
	if err := k.Answers(ctx, base+"/readyz", harness.LookEvery); err != nil {
		return err
	}
	tab, end := harness.OpenBrowser(ctx)
	defer end()
	w := &witness{}
	chromedp.ListenTarget(tab, w.see)
	if err := chromedp.Run(tab, network.Enable(), runtime.Enable(), chromedp.Navigate(base+"/rooms/ada/panel")); err != nil {
		return fmt.Errorf("opening the panel in Chromium: %w", err)
	}
	people := &passersBy{api: newAPI(base)}
	samples, err := t.watch(ctx, tab, k, people)
	if err != nil {
		return err
	}
	return t.compare(samples, w, people)
}

// watch lives through the day: people come and go, and every so often everything is weighed.
func (t *torture) watch(ctx, tab context.Context, k *harness.Process, people *passersBy) ([]sample, error) {
	began := time.Now()
	var samples []sample
	for now := time.Duration(0); now < dayLong; {
		if err := harness.Wait(ctx, time.Duration(float64(lookPer)/t.speed)); err != nil {
			return nil, err
		}
		now = time.Duration(float64(time.Since(began)) * t.speed)
		if k.Ended() {
			return nil, fmt.Errorf("the kiosk ended: %s", k.Said)
		}
		if err := people.come(ctx, now); err != nil {
			return nil, err
		}
		s, err := weigh(tab, k)
		if err != nil {
			return nil, err
		}
		s.at = now
		samples = append(samples, s)
	}
	return samples, nil
}

// weigh asks the page what it holds, and the kernel about the server.
func weigh(tab context.Context, k *harness.Process) (sample, error) {
	var s sample
	err := chromedp.Run(tab, chromedp.ActionFunc(func(ctx context.Context) error {
		for range 3 { // what one collection frees may hold something else
			if err := heapprofiler.CollectGarbage().Do(ctx); err != nil {
				return err
			}
		}
		var err error
		if s.heap, _, _, _, err = runtime.GetHeapUsage().Do(ctx); err != nil {
			return err
		}
		_, nodes, listeners, err := memory.GetDOMCounters().Do(ctx)
		s.nodes, s.listeners = float64(nodes), float64(listeners)
		return err
	}))
	if err != nil {
		return s, fmt.Errorf("weighing the page: %w", err)
	}
	s.resident, _, err = harness.Resident(k.PID())
	return s, err
}

// compare sets the end of the day against its first hour, and prints both.
func (t *torture) compare(samples []sample, w *witness, people *passersBy) error {
	broken := false
	fmt.Fprintf(t.out, "  %-22s %12s %12s %8s\n", "", "after 1 h", "after 24 h", "")
	for _, f := range []struct {
		name string
		of   func(sample) float64
	}{
		{"page: heap, bytes", func(s sample) float64 { return s.heap }},
		{"page: nodes", func(s sample) float64 { return s.nodes }},
		{"page: listeners", func(s sample) float64 { return s.listeners }},
		{"server: resident, bytes", func(s sample) float64 { return s.resident }},
	} {
		first, last := medianIn(samples, time.Hour, f.of), medianIn(samples, dayLong-markWindow, f.of)
		verdict := "ok"
		if last > first*growth {
			verdict, broken = "GREW", true
		}
		fmt.Fprintf(t.out, "  %-22s %12.0f %12.0f %7.2fx %s\n", f.name, first, last, last/first, verdict)
	}
	frames, failed := w.seen()
	fmt.Fprintf(t.out, "  %d changes shown, %d meetings booked, %d check-ins, %d releases\n", frames, people.booked, people.checkedIn, people.released)
	for _, f := range failed {
		fmt.Fprintf(t.out, "  the page failed: %s\n", f)
	}
	if broken || len(failed) > 0 || frames == 0 {
		return errBroken
	}
	return nil
}

// medianIn is the median over the window that begins at an instant, or over what there is nearest to
// it.
func medianIn(samples []sample, from time.Duration, of func(sample) float64) float64 {
	var values []float64
	for _, s := range samples {
		if s.at >= from && s.at <= from+markWindow {
			values = append(values, of(s))
		}
	}
	if values == nil {
		values = append(values, of(samples[len(samples)-1]))
	}
	return harness.Median(values)
}

// witness watches the page.
type witness struct {
	mu     sync.Mutex
	frames int
	failed []string
}

func (w *witness) see(event any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := event.(type) {
	case *network.EventWebSocketFrameReceived:
		if strings.Contains(e.Response.PayloadData, `"type":"part"`) {
			w.frames++
		}
	case *runtime.EventExceptionThrown:
		w.failed = append(w.failed, e.ExceptionDetails.Error())
	case *inspector.EventTargetCrashed:
		w.failed = append(w.failed, "it crashed")
	}
}

func (w *witness) seen() (frames int, failed []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.frames, slices.Clone(w.failed)
}

// passersBy book rooms, check in and leave early.
type passersBy struct {
	api                         *api
	next                        time.Duration // when a room is booked again
	booked, checkedIn, released int
	turn                        int
}

func (p *passersBy) come(ctx context.Context, now time.Duration) error {
	p.turn++
	if now >= p.next {
		p.next = now + bookPer
		if err := p.book(ctx, "ada", "grace"); err != nil {
			return err
		}
	}
	for _, id := range []string{"ada", "grace"} {
		room, err := p.api.room(ctx, id)
		if err != nil {
			return err
		}
		for _, r := range room.Reservations {
			switch {
			case r.Phase == "check_in_open" && p.turn%3 != 0:
				p.tap(ctx, id, doCheckIn, r.ID, &p.checkedIn)
			case r.Phase == "checked_in" && p.turn%4 == 0:
				p.tap(ctx, id, doRelease, r.ID, &p.released)
			}
		}
	}
	return nil
}

func (p *passersBy) tap(ctx context.Context, room, do, reservation string, taken *int) {
	if status, _, _ := p.api.press(ctx, room, do, reservation); status == http.StatusAccepted {
		*taken++
	}
}

// book has the demo put a short meeting on each of the rooms' calendars.
func (p *passersBy) book(ctx context.Context, rooms ...string) error {
	for _, id := range rooms {
		form := strings.NewReader(url.Values{"do": {"book:" + id}}.Encode())
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.api.base+"/demo", form)
		if err != nil {
			return fmt.Errorf("booking %s: %w", id, err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		res, err := p.api.client.Do(req)
		if err != nil {
			return fmt.Errorf("booking %s: %w", id, err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK { // after its redirect
			return fmt.Errorf("booking %s: answered %s", id, res.Status)
		}
		p.booked++
	}
	return nil
}
