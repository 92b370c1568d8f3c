package zoom

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"roomkiosk/internal/rooms"
)

// FuzzErrorBody gives any body with any status to both classifications: there is always exactly one
// fault, short and printable, and the secret stays inside.
func FuzzErrorBody(f *testing.F) {
	for _, body := range []string{
		saysOfflineText, saysNoScope, saysDaily, ``, `null`, `[]`, `"x"`, `{`, `<html>`, `{"code":1e3}`,
		`{"reason":"Invalid client_id or client_secret","error":"invalid_client"}`, `{"error":{"code":124}}`,
		`{"code":"124","message":{"a":1}}`, `{"code":99999999999999999999,"message":"` + plantedSecret + `"}`,
		`{"error":{"error":{"error":{"message":"deep"}}}}`, "{\"message\":\"\u202e\x00\"}",
	} {
		for _, status := range []int{200, 302, 400, 401, 404, 429, 500} {
			f.Add(status, "application/json", body)
		}
	}
	c := New(Config{ClientID: "client-1", ClientSecret: plantedSecret, Clock: &handClock{at: noon}})
	f.Fuzz(func(t *testing.T, status int, contentType, body string) {
		status = 200 + (status%400+400)%400
		a := answer{status: status, header: http.Header{"Content-Type": {contentType}}, body: []byte(body)}
		if !a.ok() {
			checkFault(t, c.fault(request{scope: scopeControl, effect: true}, a), body)
		}
		checkFault(t, c.tokenRefusal(a), body)
	})
}

func checkFault(t *testing.T, f *rooms.Fault, body string) {
	t.Helper()
	text := f.Error()
	if f.Service != "Zoom" || f.Kind == "" || f.Detail == "" {
		t.Fatalf("fault %+v", f)
	}
	if !utf8.ValidString(text) || utf8.RuneCountInString(text) > 1500 {
		t.Errorf("text %q", text)
	}
	if i := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
		t.Errorf("%q is not printable at %d, of %q", text, i, body)
	}
	if strings.Contains(text, plantedSecret) {
		t.Errorf("the secret came out of %q", body)
	}
	if f.RetryAfter < 0 || f.RetryAfter > maxRetryAfter {
		t.Errorf("retry after %v", f.RetryAfter)
	}
}

// fuzzClient is a client, and a check of what it passed on: at most so many news, each of which names
// its room, and its reservation if it is about one.
func fuzzClient(t *testing.T) (c *Client, check func(most int)) {
	var heard []rooms.News
	c = New(Config{AccountID: "account-1", Clock: &handClock{at: noon}, Hear: func(n rooms.News) { heard = append(heard, n) }})
	return c, func(most int) {
		if len(heard) > most {
			t.Errorf("heard %d", len(heard))
		}
		for _, n := range heard {
			about := n.Kind == rooms.NewsCheckedIn || n.Kind == rooms.NewsCheckedOut
			if n.ZoomRoomID == "" || n.Kind == "" || n.At.IsZero() || about != (len(n.EventIDs) > 0) || slices.Contains(n.EventIDs, "") {
				t.Errorf("heard %+v", n)
			}
		}
	}
}

// FuzzStreamFrame reads any frame on a confirmed connection.
func FuzzStreamFrame(f *testing.F) {
	for _, content := range []string{checkedIn, told(eventAlert, `,"alert_type":3,"alert_kind":2`), told(eventCheckedOut, `,"event_id":"x"`), `x`, ``} {
		f.Add(fmt.Appendf(nil, `{"module":"message","content":%q}`, content))
		f.Add(fmt.Appendf(nil, `{"module":"message","content":%s}`, content))
	}
	for _, seed := range []string{
		`{"module":"build_connection","success":true,"content":"x"}`, `{"module":"build_connection","success":false,"content":{}}`,
		`{"module":"heartbeat"}`, `{"module":1}`, `{}`, `null`, ``, `{"module":"message","content":null}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, check := fuzzClient(t)
		clock := alarm{clock: c.clock}
		l := &listener{s: c.stream, silence: clock, beat: clock, renewal: clock, list: clock}
		if fault := l.take(t.Context(), raw); fault != nil {
			checkFault(t, fault, string(raw))
		}
		for _, a := range []*alarm{&l.silence, &l.beat, &l.renewal, &l.list} {
			a.stop()
		}
		check(1)
	})
}

// Whatever the headers say, the wait is none or of use; what they say in one of their forms, it is.
func TestRetryAfterProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := http.Header{}
		h.Set("Retry-After", rapid.String().Draw(t, "retry"))
		h.Set("X-RateLimit-Reset", rapid.String().Draw(t, "reset"))
		if d := retryAfter(h, noon); d < 0 || d > maxRetryAfter {
			t.Fatalf("%v", d)
		}
		want := time.Duration(rapid.IntRange(0, 3600).Draw(t, "seconds")) * time.Second
		zone := time.FixedZone("", rapid.IntRange(-12, 14).Draw(t, "zone")*3600)
		at := noon.Add(want)
		for _, v := range []string{at.In(zone).Format(time.RFC3339), at.Format(http.TimeFormat)} {
			h.Set("Retry-After", v)
			if d := retryAfter(h, noon); d != want {
				t.Fatalf("%s: %v, want %v", v, d, want)
			}
		}
	})
}

// Any JSON that could stand in a profile gives windows of at most a day, or none.
func TestProfileProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Float64().Draw(t, "value")
		raw, _ := json.Marshal(n)
		var c count
		if err := json.Unmarshal(raw, &c); err != nil {
			t.Fatal(err)
		}
		d := c.window()
		if (d != nil) != (n >= 0 && n <= 86400) {
			t.Fatalf("%v: %v", n, d)
		}
		if d != nil && (*d < 0 || *d > maxWindow) {
			t.Fatalf("%v: %v", n, *d)
		}
	})
}
