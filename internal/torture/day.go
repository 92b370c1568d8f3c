package main

import (
	"context"
	"fmt"
	"math"
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
	growth     = 1.10             // the most that anything may be, of what it was a day before
	lookPer    = 6 * time.Minute  // of simulated time
	lookMost   = 2 * time.Second  // but no less often than this, in real time
	bookPer    = 30 * time.Minute // likewise: so that there are meetings at night, too
	markWindow = 30 * time.Minute // of which the median counts, from each of these on:
	firstMark  = 25 * time.Hour   // the first hour of the second day: the first day fills the calendars
	lastMark   = 49 * time.Hour   // the same time of the next day, so that as much is on them
	dayEnd     = lastMark + markWindow

	freshWithin = 20 * time.Second // a page that is opened shows something
)

// held is what a page holds, after everything unused was collected.
type held struct {
	heap, nodes, listeners float64
	elements               float64 // in the document; nodes are those that were taken out of it, too
}

// sample is what there is at an instant of the simulated day.
type sample struct {
	at       time.Duration
	page     held
	fresh    held    // another browser's page that was opened just before, and shows the same; zero outside of the windows
	resident float64 // of the server, in bytes
}

// day runs the demo under a real Chromium that shows a panel, for a simulated day that counts and one
// before it: memory grows with what is on the calendars, and they are empty at first.
func (t *torture) day(ctx context.Context) error {
	addr, err := harness.FreeAddress()
	if err != nil {
		return err
	}
	fmt.Fprintf(t.out, "day: %g times as fast, %s\n", t.speed, time.Duration(float64(dayEnd)/t.speed).Round(time.Second))
	k, err := harness.Launch(ctx, harness.Options{}, t.kiosk, "demo", "--listen", addr, "--speed", fmt.Sprint(t.speed))
	if err != nil {
		return err
	}
	defer k.Stop()
	base := "http://" + addr
	if err := k.Answers(ctx, base+"/readyz", harness.LookEvery); err != nil {
		return err
	}
	w := &witness{}
	tab, end, err := openPanel(ctx, base, w.see)
	if err != nil {
		return err
	}
	defer end()
	people := &passersBy{api: newAPI(base)}
	samples, err := t.watch(ctx, tab, k, people, base)
	if err != nil {
		return err
	}
	return t.compare(samples, w, people)
}

// openPanel shows ada's panel in a browser of its own.
func openPanel(ctx context.Context, base string, see func(any)) (tab context.Context, end func(), err error) {
	tab, end = harness.OpenBrowser(ctx)
	chromedp.ListenTarget(tab, see)
	err = chromedp.Run(tab, network.Enable(), runtime.Enable(), chromedp.Navigate(base+"/rooms/ada/panel"))
	if err != nil {
		end()
		return nil, nil, fmt.Errorf("opening the panel in Chromium: %w", err)
	}
	return tab, end, nil
}

// watch lives through the day: people come and go, and every so often everything is weighed.
func (t *torture) watch(ctx, tab context.Context, k *harness.Process, people *passersBy, base string) ([]sample, error) {
	began := time.Now()
	var samples []sample
	for now := time.Duration(0); now < dayEnd; {
		if err := harness.Wait(ctx, min(time.Duration(float64(lookPer)/t.speed), lookMost)); err != nil {
			return nil, err
		}
		now = time.Duration(float64(time.Since(began)) * t.speed)
		if k.Ended() {
			return nil, fmt.Errorf("the kiosk ended: %s", k.Said)
		}
		if err := people.come(ctx, now); err != nil {
			return nil, err
		}
		s := sample{at: now}
		var err error
		if s.page, err = weigh(tab); err != nil {
			return nil, err
		}
		if s.resident, _, err = harness.Resident(k.PID()); err != nil {
			return nil, err
		}
		if inWindow(now, firstMark) || inWindow(now, lastMark) {
			if s.fresh, err = weighFresh(ctx, base); err != nil {
				return nil, err
			}
		}
		samples = append(samples, s)
	}
	return samples, nil
}

// weighFresh weighs a page that has just been opened.
func weighFresh(ctx context.Context, base string) (held, error) {
	shown := make(chan struct{}, 1)
	tab, end, err := openPanel(ctx, base, func(event any) {
		if isUpdate(event) {
			select {
			case shown <- struct{}{}:
			default:
			}
		}
	})
	if err != nil {
		return held{}, err
	}
	defer end()
	select {
	case <-shown:
	case <-time.After(freshWithin):
		return held{}, fmt.Errorf("a fresh page showed nothing within %s", freshWithin)
	case <-ctx.Done():
		return held{}, ctx.Err()
	}
	return weigh(tab)
}

// weigh asks a page what it holds.
func weigh(tab context.Context) (held, error) {
	var h held
	err := chromedp.Run(tab, chromedp.ActionFunc(func(ctx context.Context) error {
		for range 3 { // what one collection frees may hold something else
			if err := heapprofiler.CollectGarbage().Do(ctx); err != nil {
				return err
			}
		}
		var err error
		if h.heap, _, _, _, err = runtime.GetHeapUsage().Do(ctx); err != nil {
			return err
		}
		_, nodes, listeners, err := memory.GetDOMCounters().Do(ctx)
		h.nodes, h.listeners = float64(nodes), float64(listeners)
		return err
	}), chromedp.Evaluate("document.getElementsByTagName('*').length", &h.elements))
	if err != nil {
		return h, fmt.Errorf("weighing the page: %w", err)
	}
	return h, nil
}

// compare sets the end of the day against its beginning, and prints both.
//
// What a page holds depends on how full the day is that it shows. So it is measured by that: its heap
// and its elements by those of a page that was opened at that moment, its nodes by its elements.
func (t *torture) compare(samples []sample, w *witness, people *passersBy) error {
	broken := false
	fmt.Fprintf(t.out, "  %-22s %12s %12s\n", "", "after 25 h", "after 49 h")
	line := func(name string, of func(sample) float64, measure string, by func(sample) float64) {
		first, last := medianIn(samples, firstMark, of), medianIn(samples, lastMark, of)
		byFirst, byLast := medianIn(samples, firstMark, by), medianIn(samples, lastMark, by)
		ratio, verdict := last/first/(byLast/byFirst), "ok"
		if !(ratio <= growth) { // nor is it NaN
			verdict, broken = "GREW", true
		}
		if measure != "" {
			measure = fmt.Sprintf("   (%s: %.0f, %.0f)", measure, byFirst, byLast)
		}
		fmt.Fprintf(t.out, "  %-22s %12.0f %12.0f %7.2fx %s%s\n", name, first, last, ratio, verdict, measure)
	}
	one := func(sample) float64 { return 1 }
	elements := func(s sample) float64 { return s.page.elements }
	line("page: heap, bytes", func(s sample) float64 { return s.page.heap }, "opened just then", func(s sample) float64 { return s.fresh.heap })
	line("page: elements", elements, "opened just then", func(s sample) float64 { return s.fresh.elements })
	line("page: nodes", func(s sample) float64 { return s.page.nodes }, "elements", elements)
	line("page: listeners", func(s sample) float64 { return s.page.listeners }, "", one)
	line("server: resident, bytes", func(s sample) float64 { return s.resident }, "", one)
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

func inWindow(at, from time.Duration) bool { return at >= from && at <= from+markWindow }

// medianIn is the median over the window that begins at an instant. Without a sample in it there is
// none: NaN, which is within no limit.
func medianIn(samples []sample, from time.Duration, of func(sample) float64) float64 {
	var values []float64
	for _, s := range samples {
		if inWindow(s.at, from) {
			values = append(values, of(s))
		}
	}
	if values == nil {
		return math.NaN()
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
		if isUpdate(event) {
			w.frames++
		}
	case *runtime.EventExceptionThrown:
		w.failed = append(w.failed, e.ExceptionDetails.Error())
	case *inspector.EventTargetCrashed:
		w.failed = append(w.failed, "it crashed")
	}
}

// isUpdate tells whether the page was sent something to show.
func isUpdate(event any) bool {
	e, ok := event.(*network.EventWebSocketFrameReceived)
	return ok && strings.Contains(e.Response.PayloadData, `"type":"part"`)
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
