package live_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/memory"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// newBrowser starts a Chromium with an empty profile.
func newBrowser(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("the browser tests need Chromium: install the package chromium (apt-get install chromium)")
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(path),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.WSURLReadTimeout(time.Minute),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true),
	)
	t.Cleanup(cancel)
	browser, closeBrowser := chromedp.NewContext(ctx)
	if err := chromedp.Run(browser); err != nil {
		t.Fatalf("starting %s: %v", path, err)
	}
	t.Cleanup(func() {
		if err := chromedp.Cancel(browser); err != nil {
			t.Errorf("closing the browser: %v", err)
		}
		closeBrowser()
	})
	return browser
}

// tab is a page that is open in the browser.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu     sync.Mutex
	faults []string // exceptions, and what the content security policy blocked
}

// open opens the address in a new tab. The test fails when the page's scripts throw, or do what the
// policy forbids.
func open(t *testing.T, browser context.Context, url string) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser)
	p := &tab{t: t, ctx: ctx}
	chromedp.ListenTarget(ctx, p.listen)
	t.Cleanup(func() {
		cancel()
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, fault := range p.faults {
			t.Errorf("in the page: %s", fault)
		}
	})
	// The tab lives as long as the context of the first run, so that must not be a shorter one.
	if err := chromedp.Run(ctx); err != nil {
		t.Fatalf("opening a tab: %v", err)
	}
	// In a tab at the back timers would be slow, and on the wall the page isn't at the back.
	p.run(page.BringToFront(), chromedp.Navigate(url))
	p.is("document.visibilityState", "visible")
	return p
}

func (p *tab) listen(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		p.faults = append(p.faults, e.ExceptionDetails.Error())
	case *log.EventEntryAdded:
		if e.Entry.Source == log.SourceSecurity || strings.Contains(e.Entry.Text, "Security Policy") {
			p.faults = append(p.faults, e.Entry.Text)
		}
	}
}

func (p *tab) run(actions ...chromedp.Action) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, time.Minute)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		p.t.Fatalf("driving the browser: %v", err)
	}
}

// value is what the expression is in the page, as JSON.
func (p *tab) value(expression string) string {
	p.t.Helper()
	var v []byte
	p.run(chromedp.Evaluate(expression, &v))
	return string(v)
}

// do runs a script in the page.
func (p *tab) do(script string) {
	p.t.Helper()
	p.run(chromedp.Evaluate("{"+script+"};0", nil))
}

// is waits until the expression has that value in the page.
func (p *tab) is(expression string, want any) {
	p.t.Helper()
	j, err := json.Marshal(want)
	if err != nil {
		p.t.Fatal(err)
	}
	var got string
	ctx, cancel := context.WithTimeout(p.ctx, 30*time.Second)
	defer cancel()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		// A page that is just reloading has no value.
		var v []byte
		err := chromedp.Run(ctx, chromedp.Evaluate(expression, &v))
		if err == nil {
			got = string(v)
		}
		if got == string(j) {
			return
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			p.t.Fatalf("%s is %s (%v), want %s", expression, got, err, j)
		}
	}
}

// usage is what a page holds after everything unused was collected.
type usage struct {
	heap             float64 // bytes, of JavaScript
	nodes, listeners int64
}

func (p *tab) usage() (u usage) {
	p.t.Helper()
	p.run(chromedp.ActionFunc(func(ctx context.Context) error {
		for range 3 { // what one collection frees may hold something else
			if err := heapprofiler.CollectGarbage().Do(ctx); err != nil {
				return err
			}
		}
		var err error
		if u.heap, _, _, _, err = runtime.GetHeapUsage().Do(ctx); err != nil {
			return err
		}
		_, u.nodes, u.listeners, err = memory.GetDOMCounters().Do(ctx)
		return err
	}))
	return u
}

// text is an expression for the text of the first element that fits.
func text(selector string) string {
	return fmt.Sprintf("document.querySelector(%q)?.textContent", selector)
}

const isCut = "document.body.classList.contains('is-cut') && !document.getElementById('link').hidden"

// isResting tells whether the page takes no other tap yet.
const isResting = "document.body.classList.contains('is-resting')"
