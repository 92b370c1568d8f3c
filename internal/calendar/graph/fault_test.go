package graph

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

// refusal is Graph's error body, with everything in its texts that must not get any further.
func refusal(code string) string {
	return fmt.Sprintf(`{"error":{"code":%q,"message":"Secret title of Jane Doe, secret-t1","innerError":{"date":"2026-11-23T08:00:00","request-id":"9d0c-inner","client-request-id":"x"}}}`, code)
}

// checkFault checks the kind of a fault, and that it tells nothing that it must not.
func checkFault(t *testing.T, err error, kind rooms.FaultKind) rooms.Fault {
	t.Helper()
	var fault *rooms.Fault
	if !errors.As(err, &fault) {
		t.Fatalf("got %v, which is no fault", err)
	}
	if fault.Kind != kind || fault.Service != "Microsoft Graph" {
		t.Errorf("got %+v, want %s", fault, kind)
	}
	for _, secret := range []string{"secret-", "Secret", "Jane", "Weekly", "client_secret", ada} {
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
		"throttled":            {429, refusal("ApplicationThrottled"), rooms.FaultThrottled, "ApplicationThrottled"},
		"429 without a word":   {429, "", rooms.FaultThrottled, "429"},
		"busy, as 503":         {503, refusal("ErrorServerBusy"), rooms.FaultThrottled, ""},
		"unavailable":          {503, refusal("ServiceNotAvailable"), rooms.FaultTrouble, "503"},
		"unavailable, no word": {503, "", rooms.FaultTrouble, ""},
		"gateway timeout":      {504, refusal("UnknownError"), rooms.FaultTrouble, "504"},
		"bad gateway":          {502, "<html>Bad gateway", rooms.FaultTrouble, ""},
		"internal":             {500, refusal("InternalServerError"), rooms.FaultTrouble, ""},
		"denied":               {403, refusal("ErrorAccessDenied"), rooms.FaultPermission, "RBAC for Applications"},
		"denied by policy": {403, `{"error":{"code":"ErrorAccessDenied","message":"Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings."}}`,
			rooms.FaultPermission, "Application Access Policy"},
		"denied, otherwise":   {403, refusal("Authorization_RequestDenied"), rooms.FaultPermission, "consent to Calendars.Read"},
		"another 403":         {403, refusal("SomethingNew"), rooms.FaultPermission, "SomethingNew"},
		"no rights at all":    {401, refusal("UnknownError"), rooms.FaultPermission, "no rights on calendars yet"},
		"unauthorized":        {401, refusal("InvalidAuthenticationToken"), rooms.FaultCredentials, "same cloud"},
		"401 without a word":  {401, "", rooms.FaultCredentials, "401"},
		"no such user":        {404, refusal("ErrorInvalidUser"), rooms.FaultNotFound, "calendar_id"},
		"no such resource":    {404, refusal("Request_ResourceNotFound"), rooms.FaultNotFound, "calendar_id"},
		"no cloud mailbox":    {404, refusal("MailboxNotEnabledForRESTAPI"), rooms.FaultNotFound, "on-premises"},
		"no such item":        {404, refusal("ErrorItemNotFound"), rooms.FaultNotFound, "no longer on"},
		"bad request":         {400, refusal("ErrorInvalidParameter"), rooms.FaultInvalid, "ErrorInvalidParameter"},
		"a proxy's 403":       {403, "<html>Blocked: Secret", rooms.FaultBadAnswer, "proxy"},
		"a proxy's 404":       {404, "", rooms.FaultBadAnswer, "wrong url"},
		"proxy wants a login": {407, "", rooms.FaultBadAnswer, "407"},
		"code not a word":     {403, refusal("Secret title!"), rooms.FaultBadAnswer, ""},
		"redirect to nowhere": {302, "", rooms.FaultBadAnswer, ""},
		"no content":          {204, "", rooms.FaultBadAnswer, ""},
		"accepted":            {202, list(""), rooms.FaultBadAnswer, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "17")
				w.WriteHeader(tt.status)
				say(w, tt.body)
			})
			_, err := readDay(context.Background(), p.calendar(t))
			fault := checkFault(t, err, tt.kind)
			if !strings.Contains(fault.Detail, tt.detail) || fault.Ambiguous {
				t.Errorf("detail %q lacks %q, or %v", fault.Detail, tt.detail, fault.Ambiguous)
			}
			if fault.Kind.Temporary() && fault.RetryAfter != 17*time.Second {
				t.Errorf("retry after %v", fault.RetryAfter)
			}
			if !strings.Contains(err.Error(), "reading calendar of ada") {
				t.Errorf("error %q", err)
			}
		})
	}
}

// TestRequestIDIsLogged: once for each new kind of refusal, and again after it went well.
func TestRequestIDIsLogged(t *testing.T) {
	status, code := 0, ""
	p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("request-id", "7a1b-header")
		if code == "ErrorAccessDenied" {
			w.Header().Set("request-id", "<Secret>")
		}
		if status != 0 {
			w.WriteHeader(status)
			say(w, refusal(code))
			return
		}
		say(w, list(""))
	})
	c := p.calendar(t, func(cfg *Config) { cfg.NewID = func() string { return "own-id" } })
	for _, step := range []struct {
		status int
		code   string
		lines  int
		last   string
	}{
		{503, "ServiceNotAvailable", 1, `"request_id":"7a1b-header","client_request_id":"own-id"`},
		{503, "ServiceNotAvailable", 1, `"status":503,"code":"ServiceNotAvailable"`},
		{403, "ErrorAccessDenied", 2, `"request_id":"9d0c-inner"`},
		{403, "ErrorAccessDenied", 2, `"calendar_id":"` + ada + `"`},
		{0, "", 2, ""},
		{403, "ErrorAccessDenied", 3, ""},
	} {
		status, code = step.status, step.code
		_, _ = readDay(context.Background(), c)
		log := strings.Split(strings.TrimSpace(p.log.String()), "\n")
		if len(log) != step.lines || !strings.Contains(log[len(log)-1], step.last) || strings.Contains(p.log.String(), "Secret") {
			t.Errorf("%+v: %s", step, p.log.String())
		}
	}
}

func TestBadAnswers(t *testing.T) {
	for name, body := range map[string]string{
		"nothing":             "",
		"an empty object":     "{}",
		"null":                "null",
		"a number":            "7",
		"an error inside 200": refusal("ErrorAccessDenied"),
		"an event":            at10(weekly),
		"no list":             `{"value":null}`,
		"cut":                 list("", at10(weekly))[:80],
		"more than one":       list("") + list(""),
		"items of one object": `{"value":{}}`,
		"a link of no text":   `{"value":[],"@odata.nextLink":7}`,
		"no item is readable": list("", `{"id":"a"}`, `{"id":"b"}`, `{"id":"c","subject":"Secret"}`),
		"a page":              "<!DOCTYPE html><title>Welcome, Jane</title>",
		"too large":           `{"value":[]}` + strings.Repeat(" ", calendar.MaxAnswer),
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
	p := newPeer(t, nil)
	p.api = func(w http.ResponseWriter, _ *http.Request) {
		n++
		say(w, list(fmt.Sprint(p.URL, "/p", n))+strings.Repeat(" ", 3<<20))
	}
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
		say(w, `{"value":[`)
	})
	_, err := readDay(context.Background(), p.calendar(t))
	checkFault(t, err, rooms.FaultUnreachable)

	p.api = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	_, err = readDay(context.Background(), p.calendar(t))
	checkFault(t, err, rooms.FaultUnreachable)
}

func TestSlowServerIsCutByTheCaller(t *testing.T) {
	for _, slow := range []string{"/token", "/v1.0"} {
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
	header := http.Header{"Content-Type": {"application/json"}}
	return &http.Response{StatusCode: http.StatusOK, Header: header, Body: io.NopCloser(strings.NewReader(body))}, nil
}

func isToken(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/oauth2/v2.0/token") }

func bubbleCalendar(t *testing.T, f transportFunc) *Calendar {
	t.Helper()
	c, err := New(Config{
		Name: "exchange", TenantID: tenant, ClientID: client, ClientSecret: "secret-value",
		URL: "https://graph.microsoft.com/v1.0", HTTP: &http.Client{Transport: f}, Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSlowServerIsCutAfterTenSeconds(t *testing.T) {
	for _, slowToken := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			c := bubbleCalendar(t, func(r *http.Request) (*http.Response, error) {
				if isToken(r) != slowToken {
					return reply(`{"access_token":"secret-t1","expires_in":3600}`)
				}
				<-r.Context().Done()
				return nil, r.Context().Err()
			})
			start := time.Now()
			_, err := readDay(context.Background(), c)
			checkFault(t, err, rooms.FaultUnreachable)
			if took := time.Since(start); took != calendar.ExchangeTimeout {
				t.Errorf("took %v", took)
			}
		})
	}
}

func TestManySlowPagesAreCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		c := bubbleCalendar(t, func(r *http.Request) (*http.Response, error) {
			if isToken(r) {
				return reply(`{"access_token":"secret-t1","expires_in":3600}`)
			}
			n++
			select {
			case <-time.After(6 * time.Second):
				return reply(list(fmt.Sprint("https://graph.microsoft.com/p", n)))
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
