package zoom

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const hookSecret = "h00k-S3cr3t"

// sign makes a request as Zoom does.
func sign(secret, body string, at time.Time) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("v0:" + stamp + ":" + body))
	r.Header.Set("x-zm-request-timestamp", stamp)
	r.Header.Set("x-zm-signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
	return r
}

type hook struct {
	http.Handler
	clock *handClock
	news  *newsLog
	log   *lockedBuffer
	c     *Client
}

func newHook(secret string) hook {
	h := hook{clock: &handClock{at: noon}, news: &newsLog{}, log: &lockedBuffer{}}
	h.c = New(Config{AccountID: "account-1", Clock: h.clock, Hear: h.news.hear, Log: slog.New(slog.NewTextHandler(h.log, nil))})
	h.Handler = h.c.Webhook(secret)
	return h
}

func (h hook) answer(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// The signature of the documentation's form, made by another program.
func TestWebhookSignature(t *testing.T) {
	h := newHook("secret")
	h.clock.at = time.Unix(1739923528, 0)
	const body = `{"event":"endpoint.url_validation","payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"},"event_ts":1654503849680}`
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("x-zm-request-timestamp", "1739923528")
	r.Header.Set("x-zm-signature", "v0=fe941b0599da0a9b3c07834cfd5cdece9b5b8b11e8c5e82a46c7b8c9fba903ca")
	w := h.answer(r)
	if w.Code != 200 || strings.TrimSpace(w.Body.String()) != `{"encryptedToken":"72cef096bfd47c0b8664df30d07721641e4abd7e885ba432204260db477a9a3e","plainToken":"qgg8vlvZRS6UYooatFL8Aw"}` {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if got := w.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("as %s", got)
	}
}

func TestWebhook(t *testing.T) {
	edit := func(header, value string) *http.Request {
		r := sign(hookSecret, checkedIn, noon)
		r.Header.Set(header, value)
		return r
	}
	heard := "checked_in abc AA/b+ AA-b_"
	for name, tt := range map[string]struct {
		r    *http.Request
		code int
		news string
	}{
		"an event":             {sign(hookSecret, checkedIn, noon), 200, heard},
		"of no interest":       {sign(hookSecret, told("zoomroom.sensor_data", ""), noon), 200, ""},
		"almost too old":       {sign(hookSecret, checkedIn, noon.Add(-5*time.Minute)), 200, heard},
		"almost too early":     {sign(hookSecret, checkedIn, noon.Add(5*time.Minute)), 200, heard},
		"too old":              {sign(hookSecret, checkedIn, noon.Add(-5*time.Minute-time.Second)), 401, ""},
		"too early":            {sign(hookSecret, checkedIn, noon.Add(5*time.Minute+time.Second)), 401, ""},
		"another secret":       {sign("other", checkedIn, noon), 401, ""},
		"another time":         {edit("x-zm-request-timestamp", strconv.FormatInt(noon.Unix()+1, 10)), 401, ""},
		"no time":              {edit("x-zm-request-timestamp", ""), 401, ""},
		"an absurd time":       {edit("x-zm-request-timestamp", "-9223372036854775808"), 401, ""},
		"no signature":         {edit("x-zm-signature", ""), 401, ""},
		"another version":      {edit("x-zm-signature", "v1="+strings.Repeat("0", 64)), 401, ""},
		"a short signature":    {edit("x-zm-signature", "v0=00"), 401, ""},
		"no hex":               {edit("x-zm-signature", "v0="+strings.Repeat("z", 64)), 401, ""},
		"another account":      {sign(hookSecret, strings.Replace(checkedIn, "account-1", "account-2", 1), noon), 403, ""},
		"no account":           {sign(hookSecret, `{"event":"zoomroom.checked_in","payload":{}}`, noon), 403, ""},
		"no JSON":              {sign(hookSecret, "hunter2", noon), 400, ""},
		"nothing":              {sign(hookSecret, "", noon), 400, ""},
		"no event":             {sign(hookSecret, `{"payload":{"account_id":"account-1"}}`, noon), 400, ""},
		"validation, no token": {sign(hookSecret, `{"event":"endpoint.url_validation"}`, noon), 400, ""},
		"validation, unsigned": {sign("other", `{"event":"endpoint.url_validation","payload":{"plainToken":"hunter2"}}`, noon), 401, ""},
		"too large":            {sign(hookSecret, `{"event":"`+strings.Repeat("x", maxWebhook)+`"}`, noon), 413, ""},
		"by GET":               {httptest.NewRequest(http.MethodGet, "/", nil), 405, ""},
		"cut off":              {httptest.NewRequest(http.MethodPost, "/", io.MultiReader(strings.NewReader("{"), broken{})), 400, ""},
	} {
		h := newHook(hookSecret)
		w := h.answer(tt.r)
		if w.Code != tt.code {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if got := h.news.take(); got != tt.news {
			t.Errorf("%s: heard %q", name, got)
		}
		if got, want := h.c.EventCounts().Refused == 1, tt.code == 401 || tt.code == 403; got != want {
			t.Errorf("%s: refused %t", name, got)
		}
		if strings.Contains(w.Body.String(), "hunter2") || strings.Contains(w.Body.String(), "abc") {
			t.Errorf("%s: the answer repeats the body: %s", name, w.Body)
		}
	}
	if w := newHook("").answer(sign("", checkedIn, noon)); w.Code != 401 {
		t.Errorf("without a secret: %d", w.Code)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("cut off") }

// Why requests are refused is said once an hour for each cause, without anything of what is in them.
func TestWebhookRefusalsAreSaid(t *testing.T) {
	unsigned := sign(hookSecret, checkedIn, noon)
	unsigned.Header.Del("x-zm-signature")
	other := strings.Replace(checkedIn, "account-1", "account-2", 1)
	for says, r := range map[string]*http.Request{
		"compare webhook_secret":   sign("other", checkedIn, noon),
		"isn't signed":             unsigned,
		"7 min behind the clock":   sign(hookSecret, checkedIn, noon.Add(-7*time.Minute)),
		"60 min ahead of":          sign(hookSecret, checkedIn, noon.Add(time.Hour)),
		"compare account_id":       sign(hookSecret, other, noon),
		"there is no webhook_secr": sign("", checkedIn, noon),
	} {
		h := newHook(hookSecret)
		if strings.HasPrefix(says, "there is no") {
			h = newHook("")
		}
		lines := func(want int) {
			t.Helper()
			if got := strings.Count(h.log.String(), "webhook request refused"); got != want {
				t.Errorf("%s: %d lines, want %d: %s", says, got, want, h.log)
			}
		}
		h.answer(r.Clone(t.Context()))
		if !strings.Contains(h.log.String(), says) || strings.Contains(h.log.String(), "abc") || strings.Contains(h.log.String(), "account-2") {
			t.Errorf("%s: logged %s", says, h.log)
		}
		bad := sign("another", checkedIn, noon) // comes as often as somebody likes
		for range 100 {
			h.answer(bad.Clone(t.Context()))
		}
		n := strings.Count(h.log.String(), "webhook request refused")
		if n > 2 {
			t.Errorf("%s: %d lines", says, n)
		}
		h.clock.move(sayAgain - time.Second)
		h.answer(bad.Clone(t.Context()))
		lines(n)
		h.clock.move(time.Second)
		h.answer(bad.Clone(t.Context()))
		lines(n + 1)
		h.clock.move(-24 * time.Hour) // a clock that was set back doesn't silence it for a day
		h.answer(bad.Clone(t.Context()))
		lines(n + 2)
	}
}

// A request that comes twice is answered twice and heard once, as long as its time is valid.
func TestWebhookReplay(t *testing.T) {
	h := newHook(hookSecret)
	sent := noon.Add(5 * time.Minute)
	for i := range 10 {
		r := sign(hookSecret, checkedIn, sent)
		if i%2 == 1 { // the same signature, written in another way
			v := r.Header.Get("x-zm-signature")
			r.Header.Set("x-zm-signature", "v0="+strings.ToUpper(v[3:]))
		}
		if w := h.answer(r); w.Code != 200 {
			t.Errorf("after %d: %d", i, w.Code)
		}
		h.clock.move(time.Minute)
	}
	if got := h.news.take(); strings.Count(got, "checked_in") != 1 {
		t.Errorf("heard %q", got)
	}
	h.answer(sign(hookSecret, checkedIn, sent.Add(time.Second)))
	if got := h.news.take(); strings.Count(got, "checked_in") != 1 {
		t.Errorf("then heard %q", got)
	}
}

// Two at once are heard once; what is remembered is bounded, and forgotten after its time.
func TestWebhookMemory(t *testing.T) {
	h := newHook(hookSecret)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { h.answer(sign(hookSecret, checkedIn, noon)) })
	}
	wg.Wait()
	if got := h.news.take(); strings.Count(got, "checked_in") != 1 {
		t.Errorf("heard %q", got)
	}
	var s = seen{at: map[[sha256.Size]byte]time.Time{}}
	for i := range 3 * maxSeen {
		if !s.first(sha256.Sum256([]byte(strconv.Itoa(i))), noon) {
			t.Fatal(i)
		}
	}
	if len(s.at) != maxSeen || len(s.order) != maxSeen {
		t.Errorf("%d, %d remembered", len(s.at), len(s.order))
	}
	s.first(sha256.Sum256(nil), noon.Add(2*webhookWindow+time.Second))
	if len(s.at) != 1 || len(s.order) != 1 {
		t.Errorf("%d, %d remembered after a window", len(s.at), len(s.order))
	}
}

// FuzzWebhook posts any body with a correct signature.
func FuzzWebhook(f *testing.F) {
	for _, seed := range []string{
		checkedIn, told(eventAlert, `,"alert_type":3,"alert_kind":1`), `{"event":"endpoint.url_validation","payload":{"plainToken":"x"}}`,
		``, `{}`, `null`, `[]`, `{"event":1,"payload":[]}`, `{"event":"zoomroom.checked_in","payload":{"account_id":"account-1","object":{"event_id":1}}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		c, check := fuzzClient(t)
		w := httptest.NewRecorder()
		c.Webhook(hookSecret).ServeHTTP(w, sign(hookSecret, string(body), noon))
		switch w.Code {
		case 200, 400, 403, 413:
		default:
			t.Errorf("%d for %q", w.Code, body)
		}
		if len(body) > 20 && w.Code != 200 && bytes.Contains(w.Body.Bytes(), body) {
			t.Errorf("the answer repeats %q", body)
		}
		check(1)
	})
}
