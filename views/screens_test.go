package views

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"github.com/chromedp/chromedp"

	"roomkiosk/internal/rooms"
	"roomkiosk/static"
)

// display is what a page is looked at on.
type display struct {
	name          string
	width, height int64
	perMM         float64 // pixels per millimetre of glass; 0: not a panel
}

// Panels, with the pitch that their makers state.
var panels = []display{
	{"720x1280", 720, 1280, 1 / 0.121},
	{"1280x720", 1280, 720, 1 / 0.121},
	{"800x480", 800, 480, 1 / 0.193},
	{"1280x800", 1280, 800, 1 / 0.170},
	{"1920x1200", 1920, 1200, 1 / 0.113},
	{"800x1280", 800, 1280, 1 / 0.170},
}

var browsers = []display{{"phone", 390, 844, 0}, {"laptop", 1440, 900, 0}}

//go:embed testdata/audit.js
var audit string

// TestScreens looks at every sample on every display, and keeps pictures in .artefacts/screens.
// The environment's ONLY selects them by a part of "display/sample".
func TestScreens(t *testing.T) {
	site := newSite(t)
	tab := newTab(t)
	for _, d := range panels {
		for _, s := range Samples() {
			look(t, tab, site, d, "panel", s.Name, s.Screen.Now)
		}
		for _, s := range Samples() {
			if s.Name == "awaiting-check-in" || s.Name == "check-in-offline" {
				cut := d
				cut.perMM *= 0.84 // the band takes its room from everything else
				look(t, tab, site, cut, "cut", s.Name, s.Screen.Now)
			}
		}
	}
	for _, d := range browsers {
		for _, s := range Samples() {
			look(t, tab, site, d, "viewer", s.Name, s.Screen.Now)
		}
		for _, page := range []string{"board", "error", "setup", "history", "history-older", "history-none"} {
			look(t, tab, site, d, page, page, time.Time{})
		}
	}
}

func look(t *testing.T, tab context.Context, site string, d display, view, name string, now time.Time) {
	key := d.name + "/" + name
	if !strings.Contains(key, os.Getenv("ONLY")) {
		return
	}
	state := ""
	if view == "cut" {
		view, state = "panel", cut
	}
	var wrong []string
	var picture []byte
	err := chromedp.Run(tab,
		chromedp.EmulateViewport(d.width, d.height),
		chromedp.Navigate(site+"/looks/"+view+"/"+name),
		chromedp.Evaluate(countdowns(now)+unfold+state, nil),
		chromedp.Evaluate(fmt.Sprintf("(%s)(%f)", strings.TrimSpace(audit), d.perMM), &wrong),
		chromedp.CaptureScreenshot(&picture),
	)
	if err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	for _, w := range wrong {
		t.Errorf("%s: %s", key, w)
	}
	if state != "" {
		name += "-cut"
	}
	file := filepath.Join("..", ".artefacts", "screens", name+"."+d.name+".png")
	if err := os.WriteFile(file, picture, 0o600); err != nil {
		t.Fatal(err)
	}
}

// unfold shows what is folded away.
const unfold = `for (const d of document.querySelectorAll("details")) d.open = true;`

// cut is what static/live.js does when the connection is lost.
const cut = `document.body.classList.add("is-cut");
	document.getElementById("link").textContent = document.getElementById("link").dataset.text.replace("{time}", "14:05");
	document.getElementById("link").hidden = false;`

// countdowns shows what is left at an instant, as static/live.js does.
func countdowns(now time.Time) string {
	return `for (const e of document.querySelectorAll("[data-countdown]")) {
		const d = e.dataset, s = Math.ceil((Date.parse(d.countdown) - ` + fmt.Sprint(now.UnixMilli()) + `) / 1000), m = Math.ceil(s / 60);
		e.textContent = s <= 0 ? d.past : s < 60 ? d.seconds.replace("{n}", s) : m < 60 ? d.minutes.replace("{n}", m)
			: d.hours.replace("{h}", Math.floor(m / 60)).replace("{n}", m % 60);
	}`
}

// newSite serves the samples, under a policy that forbids everything inline. Their scripts are left
// out: there is no socket to be live with.
func newSite(t *testing.T) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Join("..", ".artefacts", "screens"), 0o750); err != nil {
		t.Fatal(err)
	}
	assets := static.Load()
	mux := http.NewServeMux()
	mux.Handle(static.Prefix, assets)
	mux.HandleFunc("/looks/{view}/{name}", func(w http.ResponseWriter, r *http.Request) {
		var b bytes.Buffer
		if err := lookPage(r.PathValue("view"), r.PathValue("name"), assets).Render(r.Context(), &b); err != nil {
			t.Errorf("rendering %s: %v", r.URL.Path, err)
		}
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src data:; frame-ancestors 'none'")
		_, _ = w.Write(b.Bytes())
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

func lookPage(view, name string, assets *static.Assets) templ.Component {
	o := Options{Panel: view == "panel", ShowTitles: true, Build: "test", Assets: assets}
	still := func(p *Page) { p.Scripts, p.Refresh = nil, "" }
	switch view {
	case "board":
		b := NewBoard(boardSample(), o)
		still(&b.Page)
		return BoardPage(b)
	case "error":
		return ErrorPage(problemSample(assets))
	case "history", "history-older", "history-none":
		return HistoryPage(historySamples(assets)[view])
	case "setup":
		s := setupSample(assets)
		still(&s.Page)
		return SetupFaultPage(s)
	}
	for _, s := range Samples() {
		if s.Name == name {
			o.ReadOnly = s.ReadOnly
			r := NewRoom(s.Screen, o)
			still(&r.Page)
			return RoomPage(r)
		}
	}
	return templ.NopComponent
}

// boardSample is a building in which everything happens at once.
func boardSample() []rooms.Screen {
	names := []string{"Ada Lovelace", "Grace Hopper", "Alan Turing", "Sofja Kowalewskaja", "Emmy Noether", "Katherine Johnson", "Marie Curie", "Rosalind Franklin"}
	var screens []rooms.Screen
	for _, s := range Samples() {
		if i := len(screens); i < 3*len(names) {
			s.Screen.Room.ID, s.Screen.Room.Name = fmt.Sprintf("room%d", i), names[i%len(names)]
			screens = append(screens, s.Screen)
		}
	}
	return screens
}

// historySamples are the history's page as it mostly is, a part of it further down, and without a history.
func historySamples(a *static.Assets) map[string]History {
	s, p := HistorySample()
	older, none := p, Past{Unread: true}
	older.Before, older.Older = instant("10:15"), ""
	older.Happenings = p.Happenings[13:20]
	return map[string]History{
		"history":       NewHistory(s, p, "test", a),
		"history-older": NewHistory(s, older, "test", a),
		"history-none":  NewHistory(Samples()[0].Screen, none, "test", a),
	}
}

func problemSample(a *static.Assets) Problem {
	return NewProblem("There is no such room", "Check the address, or choose a room from the list.", "7f3a91c2", "test", a)
}

func setupSample(a *static.Assets) Setup {
	return NewSetup("/etc/kiosk/kiosk.toml", []SetupFault{
		{Line: 4, Reason: `unknown time zone "Europe/Berln"`, Remedy: "Use an IANA name, such as Europe/Berlin."},
		{Line: 31, Reason: `room "ada" is on calendar "gogle", which is not configured`, Remedy: "Name one of: google, exchange."},
		{Reason: "no Zoom account_id", Remedy: "Copy it from the server-to-server OAuth app in the Zoom App Marketplace."},
	}, "test", a)
}

func newTab(t *testing.T) context.Context {
	t.Helper()
	profile, err := os.MkdirTemp("", "kiosk-views-") //nolint:usetesting // a browser that still writes fails a test with t.TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(profile) })
	alloc, stop := chromedp.NewExecAllocator(context.Background(),
		chromedp.NoFirstRun, chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(profile),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("hide-scrollbars", false))
	t.Cleanup(stop)
	tab, closeTab := chromedp.NewContext(alloc)
	t.Cleanup(closeTab)
	tab, cancel := context.WithTimeout(tab, 5*time.Minute)
	t.Cleanup(cancel)
	if err := chromedp.Run(tab); err != nil {
		t.Fatalf("starting Chromium (install the package chromium): %v", err)
	}
	return tab
}
