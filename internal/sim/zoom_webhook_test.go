package sim_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"roomkiosk/internal/sim"
)

const hookSecret = "hook-secret"

// hook is an endpoint for webhooks. It checks every signature.
type hook struct {
	t      *testing.T
	url    string
	answer atomic.Int64  // status; 0: none, ever
	events chan hookPost // that came
}

type hookPost struct{ stamp, brief string }

func newHook(t *testing.T) *hook {
	h := &hook{t: t, events: make(chan hookPost, 100)}
	h.answer.Store(204)
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	h.url = server.URL + "/zoom"
	return h
}

func hexMAC(text string) string {
	mac := hmac.New(sha256.New, []byte(hookSecret))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	stamp := r.Header.Get("x-zm-request-timestamp")
	if want := "v0=" + hexMAC("v0:"+stamp+":"+string(body)); r.Header.Get("x-zm-signature") != want {
		h.t.Errorf("signature %s, want %s", r.Header.Get("x-zm-signature"), want)
	}
	if r.Method != "POST" || r.URL.Path != "/zoom" || r.Header.Get("Content-Type") != "application/json" {
		h.t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
	}
	var event map[string]any
	if err := json.Unmarshal(body, &event); err != nil {
		h.t.Errorf("body %s: %v", body, err)
		return
	}
	h.events <- hookPost{stamp, brief(event)}
	if status := int(h.answer.Load()); status != 0 {
		w.WriteHeader(status)
		return
	}
	<-r.Context().Done()
}

// next is the next event that is posted. A repetition is ordered only once the attempt before has failed,
// so what is due has to be looked for until then.
func (h *hook) next(b *bench) hookPost {
	h.t.Helper()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		select {
		case e := <-h.events:
			return e
		case <-look.C:
			b.Calendar.Settle()
		}
	}
	h.t.Fatal("no event was posted")
	return hookPost{}
}

// hush tells that nothing is posted for a while.
func (h *hook) hush() {
	h.t.Helper()
	select {
	case e := <-h.events:
		h.t.Errorf("unexpectedly posted: %v", e)
	case <-time.After(deaf):
	}
}

func TestWebhookTellsEverythingOnce(t *testing.T) {
	h := newHook(t)
	cfg := account
	cfg.WebhookURL, cfg.WebhookSecret = h.url, hookSecret
	b := newBench(t, cfg, sim.GoogleConfig{})
	b.meeting("m1", 0, 30)
	b.Zoom.SetStreamFaults(sim.StreamFaults{Duplicate: true, LoseEvery: 1}) // which is not the webhook's
	b.Zoom.CheckInRoom(adaZoom, "m1")
	if got := h.next(b); got != (hookPost{fmt.Sprint(morning.Unix()), "zoomroom.checked_in m1"}) {
		t.Errorf("got %v", got)
	}
	b.Zoom.SetOffline(adaZoom, true)
	if got := h.next(b); got.brief != "zoomroom.alert 1" {
		t.Errorf("got %v", got)
	}
	b.clock.move(2 * time.Hour)
	b.Calendar.Settle()
	h.hush()
	b.Zoom.SetWebhook("", "")
	b.Zoom.SetOffline(adaZoom, false)
	h.hush()
}

func TestWebhookIsRepeated(t *testing.T) {
	for name, c := range map[string]struct {
		status int64
		times  []time.Duration // from the event on
	}{
		"taken":       {200, []time.Duration{0}},
		"refused":     {401, []time.Duration{0}},
		"redirected":  {307, []time.Duration{0}},
		"server down": {503, []time.Duration{0, 5 * time.Minute, 20 * time.Minute, 60 * time.Minute}},
		"no answer":   {0, []time.Duration{0, 5 * time.Minute, 20 * time.Minute, 60 * time.Minute}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHook(t)
			h.answer.Store(c.status)
			cfg := account
			cfg.WebhookURL, cfg.WebhookSecret, cfg.WebhookTimeout = h.url, hookSecret, time.Minute
			if c.status == 0 {
				cfg.WebhookTimeout = time.Second // enough for the request to arrive
			}
			b := newBench(t, cfg, sim.GoogleConfig{})
			b.Zoom.SetOffline(adaZoom, true)
			for _, at := range c.times {
				b.clock.move(morning.Add(at).Sub(b.clock.Now()))
				if got := h.next(b); got != (hookPost{fmt.Sprint(morning.Add(at).Unix()), "zoomroom.alert 1"}) {
					t.Fatalf("got %v, want at %v", got, at)
				}
			}
			if c.status == 0 {
				return // nothing tells when the last one is given up
			}
			b.clock.move(24 * time.Hour)
			b.Calendar.Settle()
			h.hush()
		})
	}
}

func TestWebhookValidation(t *testing.T) {
	for name, c := range map[string]struct {
		status  int
		answer  string // PLAIN and MAC are what they should be
		problem string
	}{
		"right":     {200, `{"plainToken":"PLAIN","encryptedToken":"MAC"}`, ""},
		"204":       {204, ``, "answered 204"},
		"not JSON":  {200, `ok`, "not JSON"},
		"echo":      {200, `{"plainToken":"PLAIN"}`, "wrong encryptedToken"},
		"other":     {200, `{"plainToken":"x","encryptedToken":"MAC"}`, "another plainToken"},
		"uppercase": {200, `{"plainToken":"PLAIN","encryptedToken":"mac"}`, "wrong encryptedToken"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var in struct {
					Event   string
					TS      int64 `json:"event_ts"`
					Payload struct{ PlainToken string }
				}
				body, _ := io.ReadAll(r.Body)
				stamp := r.Header.Get("x-zm-request-timestamp")
				if json.Unmarshal(body, &in) != nil || in.Event != "endpoint.url_validation" || in.TS != morning.UnixMilli() ||
					r.Header.Get("x-zm-signature") != "v0="+hexMAC("v0:"+stamp+":"+string(body)) {
					t.Errorf("asked %s with %v", body, r.Header)
				}
				mac := hexMAC(in.Payload.PlainToken)
				w.WriteHeader(c.status)
				if c.status == 200 {
					_, _ = io.WriteString(w, strings.NewReplacer("PLAIN", in.Payload.PlainToken, "MAC", mac, "mac", strings.ToUpper(mac)).Replace(c.answer))
				}
			}))
			defer server.Close()
			b := newBench(t, account, sim.GoogleConfig{})
			b.Zoom.SetWebhook(server.URL, hookSecret)
			err := b.Zoom.ValidateWebhook(t.Context())
			if c.problem == "" && err != nil || c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem)) {
				t.Errorf("got %v, want %q", err, c.problem)
			}
		})
	}
}

func TestWebhookValidationWithoutAnAnswer(t *testing.T) {
	gone := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-gone }))
	defer server.Close()
	defer close(gone)
	cfg := account
	cfg.WebhookURL, cfg.WebhookSecret, cfg.WebhookTimeout = server.URL, hookSecret, 20*time.Millisecond
	b := newBench(t, cfg, sim.GoogleConfig{})
	if err := b.Zoom.ValidateWebhook(t.Context()); err == nil {
		t.Error("nobody answered, and no error")
	}
}
