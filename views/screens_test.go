package views

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"roomkiosk/static"
)

// size is a display: its pixels and how many of them are a millimetre of glass.
type size struct {
	name          string
	width, height int64
	perMM         float64
}

func sizes() []size {
	return []size{
		{"720x1280", 720, 1280, 1 / 0.121},
		{"1280x800", 1280, 800, 1 / 0.170},
		{"800x480", 800, 480, 1 / 0.193},
		{"1280x720", 1280, 720, 1 / 0.121},
		{"1920x1200", 1920, 1200, 1 / 0.113},
	}
}

func TestScreens(t *testing.T) {
	assets := static.Load()
	only := os.Getenv("ONLY")
	samples := map[string]Sample{}
	mux := http.NewServeMux()
	mux.Handle(static.Prefix, assets)
	mux.HandleFunc("/rooms/{view}/{name}", func(w http.ResponseWriter, r *http.Request) {
		s := samples[r.PathValue("name")]
		o := Options{Panel: r.PathValue("view") == "panel", ReadOnly: s.ReadOnly, ShowTitles: true, Build: "b", Assets: assets}
		m := NewRoom(s.Screen, o)
		m.Page.Scripts = nil
		m.Page.Refresh = ""
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src data:")
		var b bytes.Buffer
		if err := RoomPage(m).Render(r.Context(), &b); err != nil {
			t.Error(err)
		}
		_, _ = w.Write(b.Bytes())
	})
	for _, s := range Samples() {
		samples[s.Name] = s
	}
	srv := httptest.NewServer(mux)
	defer srv.Close()
	ctx := browser(t)
	out := filepath.Join("..", ".artefacts", "screens")
	if err := os.MkdirAll(out, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, z := range sizes() {
		for _, s := range Samples() {
			key := z.name + "/" + s.Name
			if only != "" && !strings.Contains(key, only) {
				continue
			}
			var png []byte
			err := chromedp.Run(ctx,
				chromedp.EmulateViewport(z.width, z.height),
				chromedp.Navigate(srv.URL+"/rooms/panel/"+s.Name),
				chromedp.Evaluate(fillCountdowns(s.Screen.Now), nil),
				chromedp.CaptureScreenshot(&png),
			)
			if err != nil {
				t.Fatal(key, err)
			}
			if err := os.WriteFile(filepath.Join(out, s.Name+"."+z.name+".png"), png, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func fillCountdowns(now time.Time) string {
	return `(() => { const now = Date.parse("` + now.UTC().Format(time.RFC3339) + `");
	for (const e of document.querySelectorAll("[data-countdown]")) {
		const s = Math.ceil((Date.parse(e.dataset.countdown) - now) / 1000), m = Math.ceil(s / 60), d = e.dataset;
		e.textContent = s <= 0 ? d.past : s < 60 ? d.seconds.replace("{n}", s) : m < 60 ? d.minutes.replace("{n}", m)
			: d.hours.replace("{h}", Math.floor(m / 60)).replace("{n}", m % 60);
	} })()`
}

func browser(t *testing.T) context.Context {
	t.Helper()
	options := append([]chromedp.ExecAllocatorOption{}, chromedp.NoFirstRun, chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("hide-scrollbars", false), chromedp.UserDataDir(t.TempDir()))
	alloc, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	ctx, cancelTime := context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancelTime)
	return ctx
}
