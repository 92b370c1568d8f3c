package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"roomkiosk/internal/sim"
)

// artefacts is where screenshots are kept.
const artefacts = "../../.artefacts/journey"

// panelSizes are the displays that the journey is pictured at.
var panelSizes = map[string][2]int64{"720x1280": {720, 1280}, "1280x800": {1280, 800}, "800x480": {800, 480}}

// newBrowser starts a browser that ends with the test. Contexts made from it are its tabs.
func newBrowser(t *testing.T) context.Context {
	t.Helper()
	profile, err := os.MkdirTemp("", "kiosk-test-browser-") //nolint:usetesting // a browser that still writes fails a test with t.TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(profile) }) // some of its processes may outlive it by a moment
	alloc, stop := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(profile),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
	)...)
	t.Cleanup(stop)
	limited, cancel := context.WithTimeout(alloc, 3*time.Minute)
	t.Cleanup(cancel)
	browser, end := chromedp.NewContext(limited)
	t.Cleanup(end)
	t.Cleanup(func() { _ = chromedp.Cancel(browser) }) // waits for it
	if err := chromedp.Run(browser); err != nil {
		t.Fatalf("starting Chromium (make test installs it): %v", err)
	}
	return browser
}

// tab is a page that somebody looks at.
type tab struct {
	t   *testing.T
	ctx context.Context
}

func open(t *testing.T, browser context.Context, url string, width, height int64) tab {
	t.Helper()
	ctx, end := chromedp.NewContext(browser)
	t.Cleanup(end)
	b := tab{t, ctx}
	b.do(chromedp.EmulateViewport(width, height), chromedp.Navigate(url), chromedp.WaitVisible("main"))
	return b
}

func (b tab) do(actions ...chromedp.Action) {
	b.t.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// text is what the page shows of the elements.
func (b tab) text(selector string) string {
	b.t.Helper()
	var text string
	b.do(chromedp.Evaluate(`[...document.querySelectorAll("`+selector+`")].filter(e => e.checkVisibility()).map(e => e.innerText).join(" ")`, &text))
	return text
}

// shows waits until the elements show the text.
func (b tab) shows(selector, text string) {
	b.t.Helper()
	eventually(b.t, text+" in "+selector, func() bool { return strings.Contains(b.text(selector), text) })
}

// picture keeps what the page looks like, at every size.
func (b tab) picture(name string) {
	b.t.Helper()
	if err := os.MkdirAll(artefacts, 0o750); err != nil {
		b.t.Fatal(err)
	}
	for size, px := range panelSizes {
		var png []byte
		b.do(chromedp.EmulateViewport(px[0], px[1]), chromedp.CaptureScreenshot(&png))
		if err := os.WriteFile(filepath.Join(artefacts, name+"."+size+".png"), png, 0o600); err != nil {
			b.t.Fatal(err)
		}
	}
}

// press taps a button as a finger does: down, up, where it is.
func (b tab) press(button string) {
	b.t.Helper()
	b.do(chromedp.WaitReady("body:not(.is-resting)"), chromedp.WaitVisible(button), chromedp.Click(button))
}

// An attendee checks in and releases at the door. Everybody sees it, Zoom is told once, and the
// calendar has the shortened event.
func TestJourneyAtTheDoor(t *testing.T) {
	r := newRig(t)
	r.meet("e1", "Weekly <i>&amp;</i>", -1, 44)
	private := r.meet("e2", "Layoffs", 44, 74)
	private.Visibility = sim.Private
	r.Calendar.Put(adaCalendar, private)
	url, _ := r.serving(t)
	id := current(t, url)
	browser := newBrowser(t)
	panel := open(t, browser, url+"/rooms/ada/panel", 1280, 800)
	viewer := open(t, browser, url+"/rooms/ada", 1024, 768)
	for _, b := range []tab{panel, viewer} {
		b.shows("h2", "Booked")
		b.shows("main", "Weekly <i>&amp;</i>")
		b.shows("main", "Private meeting")
	}
	panel.picture("1-booked")

	r.Zoom.Faults().Set("slow", sim.Fault{Method: http.MethodPatch, SlowAnswer: time.Second})
	panel.press("#check-in-" + id)
	panel.shows("h2", "In use") // long before Zoom has answered
	viewer.shows("h2", "In use")
	panel.picture("2-checked-in")
	eventually(t, "zoom to have the check-in", func() bool { return len(r.taps()) == 1 })
	r.Zoom.Faults().ClearAll()

	panel.press("#release-" + id)
	panel.shows("button", "Undo")
	viewer.shows("h2", "In use")
	panel.picture("3-releasing")
	panel.press("#undo-" + id)
	panel.shows("button", "Release")
	if got := r.taps(); len(got) != 1 {
		t.Errorf("after an undone release zoom has received %q", got)
	}

	panel.press("#release-" + id)
	panel.shows("h2", "Free")
	viewer.shows("h2", "Free")
	eventually(t, "the calendar to have the shortened event", func() bool {
		e, _ := r.Calendar.Event(adaCalendar, "e1")
		return !e.End.After(time.Now())
	})
	panel.picture("4-released")
	if got, want := r.taps(), []string{"zoomroom.check_in e1", "zoomroom.check_out e1"}; !slices.Equal(got, want) {
		t.Errorf("zoom received %q, want %q", got, want)
	}
	checkBodies(t, r)
	if got := panel.text("button"); strings.Contains(got, "Check in") {
		t.Errorf("still offered: %s", got)
	}
}

// A double tap on Check In must not release the room with its second half, although Release comes to
// stand under the same finger.
func TestJourneyOfADoubleTap(t *testing.T) {
	r := newRig(t)
	r.meet("e1", "Weekly", -1, 44)
	url, _ := r.serving(t)
	id := current(t, url)
	panel := open(t, newBrowser(t), url+"/rooms/ada/panel", 720, 1280)
	panel.press("#check-in-" + id)
	panel.shows("button", "Release")
	panel.do(chromedp.Click("#release-" + id)) // within a few hundred milliseconds
	panel.do(chromedp.WaitReady("body:not(.is-resting)"))
	s := roomAt(t, url)
	if s.Status != "in_use" || len(s.Actions) != 1 {
		t.Errorf("after a double tap: %+v", s)
	}
}

// checkBodies holds the requests against Zoom's documentation, to the letter.
func checkBodies(t *testing.T, r rig) {
	t.Helper()
	for _, q := range r.Zoom.Requests() {
		if q.Method != http.MethodPatch {
			continue
		}
		params, _ := q.Body["params"].(map[string]any)
		if q.Path != "/v2/rooms/"+adaZoom+"/events" || q.Header.Get("Content-Type") != "application/json" ||
			len(q.Body) != 2 || len(params) != 2 || params["event_id"] != "e1" || params["calendar_id"] != adaCalendar {
			t.Errorf("%s %s %v", q.Path, q.Header, q.Body)
		}
	}
}

// The panel without scripts: real forms, and the page comes back by itself.
func TestJourneyWithoutScripts(t *testing.T) {
	r := newRig(t)
	r.meet("e1", "Weekly", -1, 44)
	url, _ := r.serving(t)
	id := current(t, url)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	answer, err := client.Post(url+"/rooms/ada/check-in", "application/x-www-form-urlencoded", strings.NewReader("reservation="+id))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusSeeOther || answer.Header.Get("Location") != "/rooms/ada/panel" {
		t.Fatalf("%d to %q", answer.StatusCode, answer.Header.Get("Location"))
	}
	page, _ := get(t, url+"/rooms/ada/panel")
	if !strings.Contains(string(page), "In use") || !strings.Contains(string(page), `<noscript><meta http-equiv="refresh"`) {
		t.Errorf("%s", page)
	}
}

// The kiosk goes away: the panel says since when. It comes back: the panel follows, by itself.
func TestJourneyThroughARestart(t *testing.T) {
	r := newRig(t)
	r.meet("e1", "Weekly", -1, 44)
	browser := newBrowser(t)
	kiosk, log := r.process(t)
	url := addressIn(t, log, "msg=serving listen=")
	current(t, url)
	panel := open(t, browser, url+"/rooms/ada/panel", 1280, 800)
	panel.shows("h2", "Booked")
	if err := kiosk.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = kiosk.Wait() // it was killed
	panel.shows("#link", "Not connected since")
	panel.picture("5-cut-off")
	panel.press("button")
	panel.shows("#notice", "did not get through")

	r.write(t, "kiosk.toml", strings.Replace(r.toml(), "127.0.0.1:0", strings.TrimPrefix(url, "http://"), 1))
	r.serving(t)
	eventually(t, "the panel to be connected", func() bool { return panel.text("#link") == "" })
	r.Calendar.End(adaCalendar, "e1", time.Now())
	panel.shows("h2", "Free")
	if got := r.taps(); len(got) != 0 {
		t.Errorf("a tap that was called lost reached zoom: %q", got)
	}
}

func TestDemoShowsItsRooms(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	out := &output{}
	done := make(chan int)
	go func() {
		done <- program{stdout: out, stderr: io.Discard}.main(ctx, []string{"demo", "--listen", "127.0.0.1:0", "--speed", "60"})
	}()
	defer func() {
		stop()
		if code := <-done; code != exitFine {
			t.Errorf("the demo ended with %d", code)
		}
		http.DefaultClient.CloseIdleConnections()
	}()
	url := strings.TrimSuffix(addressIn(t, out, "All rooms   http://"), "/")
	for _, path := range []string{"/", "/rooms/ada/panel", "/rooms/grace", "/rooms/alan", "/demo"} {
		eventually(t, path, func() bool { _, status := get(t, url+path); return status == http.StatusOK })
	}
	page, _ := get(t, url+"/")
	for _, name := range []string{"Ada Lovelace", "Grace Hopper", "Alan Turing"} {
		if !strings.Contains(string(page), name) {
			t.Errorf("%s is not on the board", name)
		}
	}
	// A quarter of an hour passes in as many seconds. Nobody checks in, so the simulated Zoom releases
	// rooms, and the next meetings come up: the door says something else before long.
	says := func() string {
		s := roomAt(t, url)
		if s.Current == nil {
			return s.Status
		}
		return s.Status + " " + s.Current.ID
	}
	eventually(t, "the schedule", func() bool { return says() != "unknown" })
	first := says()
	eventually(t, "the day to pass", func() bool { return says() != first })
}
