package google

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"roomkiosk/internal/calendar"
	"roomkiosk/internal/rooms"
)

// refusal is Google's error body, with everything in its texts that must not get any further.
func refusal(status int, reason string) string {
	return fmt.Sprintf(`{"error":{"errors":[{"domain":"global","reason":%q,"message":"Secret title of Jane Doe"}],"code":%d,"message":"secret-t1"}}`,
		reason, status)
}

// checkFault checks the kind of a fault, and that it tells nothing that it must not.
func checkFault(t *testing.T, err error, kind rooms.FaultKind) rooms.Fault {
	t.Helper()
	var fault *rooms.Fault
	if !errors.As(err, &fault) {
		t.Fatalf("got %v, which is no fault", err)
	}
	if fault.Kind != kind || fault.Service != "Google Calendar" || fault.Ambiguous {
		t.Errorf("got %+v, want %s", fault, kind)
	}
	for _, secret := range []string{"secret-", "Secret", "Jane", "Weekly", "PRIVATE", "assertion"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%q tells %q", err, secret)
		}
	}
	return *fault
}

func TestRefusals(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		body   string
		kind   rooms.FaultKind
		detail string // part of it
	}{
		"rate, as 403":        {403, refusal(403, "rateLimitExceeded"), rooms.FaultThrottled, "rateLimitExceeded"},
		"user rate, as 403":   {403, refusal(403, "userRateLimitExceeded"), rooms.FaultThrottled, ""},
		"quota, as 403":       {403, refusal(403, "quotaExceeded"), rooms.FaultThrottled, ""},
		"rate, as 429":        {429, refusal(429, "rateLimitExceeded"), rooms.FaultThrottled, ""},
		"429 without a word":  {429, "", rooms.FaultThrottled, ""},
		"forbidden":           {403, refusal(403, "forbidden"), rooms.FaultPermission, "with " + account},
		"another 403":         {403, refusal(403, "requiredAccessLevel"), rooms.FaultPermission, "share"},
		"scope":               {403, refusal(403, "insufficientPermissions"), rooms.FaultPermission, readScope},
		"scope, newer form":   {403, `{"error":{"code":403,"status":"PERMISSION_DENIED","details":[{"reason":"ACCESS_TOKEN_SCOPE_INSUFFICIENT"}]}}`, rooms.FaultPermission, readScope},
		"API is off":          {403, refusal(403, "accessNotConfigured"), rooms.FaultPermission, "enable the Google Calendar API in the Google Cloud project project-1"},
		"no such calendar":    {404, refusal(404, "notFound"), rooms.FaultNotFound, "shared with " + account},
		"gone":                {410, refusal(410, "fullSyncRequired"), rooms.FaultNotFound, ""},
		"bad request":         {400, refusal(400, "timeRangeEmpty"), rooms.FaultInvalid, "timeRangeEmpty"},
		"unauthorized":        {401, refusal(401, "authError"), rooms.FaultCredentials, account},
		"backend":             {500, refusal(500, "backendError"), rooms.FaultTrouble, "500"},
		"backend, as 403":     {403, refusal(403, "backendError"), rooms.FaultTrouble, ""},
		"bad gateway":         {502, "<html>Bad gateway", rooms.FaultTrouble, ""},
		"unavailable":         {503, "", rooms.FaultTrouble, ""},
		"a proxy's 403":       {403, "<html>Blocked: Secret", rooms.FaultBadAnswer, "proxy"},
		"a proxy's 404":       {404, "", rooms.FaultBadAnswer, "wrong url"},
		"proxy wants a login": {407, "", rooms.FaultBadAnswer, "407"},
		"reason not a word":   {403, refusal(403, "Secret title!"), rooms.FaultBadAnswer, ""},
		"redirect to nowhere": {302, "", rooms.FaultBadAnswer, ""},
		"no content":          {204, "", rooms.FaultBadAnswer, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "17")
				w.WriteHeader(tt.status)
				say(w, tt.body)
			})
			_, err := readDay(context.Background(), p.calendar(t))
			fault := checkFault(t, err, tt.kind)
			if !strings.Contains(fault.Detail, tt.detail) {
				t.Errorf("detail %q lacks %q", fault.Detail, tt.detail)
			}
			if fault.Kind == rooms.FaultThrottled && fault.RetryAfter != 17*time.Second {
				t.Errorf("retry after %v", fault.RetryAfter)
			}
			if !strings.Contains(err.Error(), "reading calendar of ada") {
				t.Errorf("error %q", err)
			}
		})
	}
}

func TestDelegateIsAskedFor(t *testing.T) {
	p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		say(w, refusal(404, "notFound"))
	})
	c := p.calendar(t, func(cfg *Config) { cfg.Delegate = "jane.roe@example.com" })
	_, err := readDay(context.Background(), c)
	if f := checkFault(t, err, rooms.FaultNotFound); !strings.HasSuffix(f.Detail, "shared with the delegate") {
		t.Errorf("detail %q", f.Detail)
	}
}

func TestBadAnswers(t *testing.T) {
	for name, body := range map[string]string{
		"nothing":             "",
		"an empty object":     "{}",
		"null":                "null",
		"a number":            "7",
		"an error inside 200": refusal(403, "forbidden"),
		"another kind":        `{"kind":"calendar#calendarList","items":[]}`,
		"an event":            at10(weekly),
		"cut":                 list("", at10(weekly))[:80],
		"more than one":       list("") + list(""),
		"items of one object": `{"kind":"calendar#events","items":{}}`,
		"no item is readable": list("", `{"id":"a"}`, `{"id":"b"}`, `{"id":"c","summary":"Secret"}`),
		"a page":              "<!DOCTYPE html><title>Welcome, Jane</title>",
		"too large":           `{"kind":"calendar#events","items":[]}` + strings.Repeat(" ", calendar.MaxAnswer),
		"deep":                strings.Repeat("[", 100_000),
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, answerWith(body))
			read, err := readDay(context.Background(), p.calendar(t))
			checkFault(t, err, rooms.FaultBadAnswer)
			if read != nil {
				t.Errorf("got %v", read)
			}
		})
	}
}

func TestPagesTogetherAreLimited(t *testing.T) {
	n := 0
	p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
		n++
		say(w, list(fmt.Sprint("p", n))+strings.Repeat(" ", 3<<20))
	})
	_, err := readDay(context.Background(), p.calendar(t))
	if f := checkFault(t, err, rooms.FaultBadAnswer); !errors.Is(err, calendar.ErrTooLarge) || n != 3 {
		t.Errorf("got %v after %d pages", f, n)
	}
}

func TestWebPageIsCalledOne(t *testing.T) {
	p := newPeer(t, answerWith("<!DOCTYPE html><title>Guest network</title>"))
	_, err := readDay(context.Background(), p.calendar(t))
	if f := checkFault(t, err, rooms.FaultBadAnswer); !strings.Contains(f.Detail, "web page") {
		t.Errorf("detail %q", f.Detail)
	}
}

func TestRedirectToAnotherHostIsNotFollowed(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("followed") }))
	defer elsewhere.Close()
	p := newPeer(t, http.RedirectHandler(elsewhere.URL, http.StatusFound).ServeHTTP)
	_, err := readDay(context.Background(), p.calendar(t))
	checkFault(t, err, rooms.FaultBadAnswer)

	p = newPeer(t, answerWith(list("")))
	p.token = http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect).ServeHTTP
	_, err = readDay(context.Background(), p.calendar(t))
	checkFault(t, err, rooms.FaultBadAnswer)
}

func TestNoNetwork(t *testing.T) {
	p := newPeer(t, answerWith(list("")))
	c := p.calendar(t)
	p.Close()
	_, err := readDay(context.Background(), c)
	checkFault(t, err, rooms.FaultUnreachable)
}

func TestConnectionThatBreaks(t *testing.T) {
	p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		say(w, `{"kind":"calendar#events","items":[`)
	})
	_, err := readDay(context.Background(), p.calendar(t))
	checkFault(t, err, rooms.FaultUnreachable)

	p.api = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	_, err = readDay(context.Background(), p.calendar(t))
	checkFault(t, err, rooms.FaultUnreachable)
}

func TestSlowServerIsCutByTheCaller(t *testing.T) {
	for _, slow := range []string{"/token", "/calendar"} {
		t.Run(slow, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			over := make(chan struct{})
			hang := func(_ http.ResponseWriter, r *http.Request) {
				cancel()
				select {
				case <-r.Context().Done():
				case <-over:
				}
			}
			p := newPeer(t, hang)
			if slow == "/token" {
				p.token = hang
			}
			defer close(over)
			_, err := readDay(ctx, p.calendar(t))
			if checkFault(t, err, rooms.FaultUnreachable); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// transportFunc answers without a network, for tests in which time passes by itself.
type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func reply(body string) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

func bubbleCalendar(t *testing.T, f transportFunc) *Calendar {
	t.Helper()
	c, err := New(Config{
		Name: "google", CredentialsJSON: credentials("https://oauth2.googleapis.com/token"),
		URL: "https://www.googleapis.com/calendar/v3", HTTP: &http.Client{Transport: f}, Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSlowServerIsCutAfterTenSeconds(t *testing.T) {
	for _, slow := range []string{"/token", "/calendar"} {
		synctest.Test(t, func(t *testing.T) {
			c := bubbleCalendar(t, func(r *http.Request) (*http.Response, error) {
				if !strings.HasPrefix(r.URL.Path, slow) {
					return reply(`{"access_token":"secret-t1","expires_in":3600}`)
				}
				<-r.Context().Done()
				return nil, r.Context().Err()
			})
			start := time.Now()
			_, err := readDay(context.Background(), c)
			checkFault(t, err, rooms.FaultUnreachable)
			if took := time.Since(start); took != calendar.ExchangeTimeout {
				t.Errorf("%s took %v", slow, took)
			}
		})
	}
}

func TestManySlowPagesAreCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		c := bubbleCalendar(t, func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == "/token" {
				return reply(`{"access_token":"secret-t1","expires_in":3600}`)
			}
			n++
			select {
			case <-time.After(6 * time.Second):
				return reply(list(fmt.Sprint("p", n)))
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
		})
		start := time.Now()
		_, err := readDay(context.Background(), c)
		checkFault(t, err, rooms.FaultUnreachable)
		if took := time.Since(start); took != readTimeout {
			t.Errorf("took %v", took)
		}
	})
}

func TestFaultsAreNotLoggedHere(t *testing.T) {
	p := newPeer(t, answerWith("{}"))
	_, err := readDay(context.Background(), p.calendar(t))
	checkFault(t, err, rooms.FaultBadAnswer)
	if p.log.Len() > 0 {
		t.Errorf("log: %s", p.log.String())
	}
}
