package zoom

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"roomkiosk/internal/rooms"
)

func TestTokenRequest(t *testing.T) {
	f := newFixture(t)
	if err := f.CheckToken(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := f.srv.tokenCalls()[0]
	if got.method != "POST" || got.path != "/oauth/token" || got.contentType != "application/x-www-form-urlencoded" {
		t.Errorf("asked by %s %s, %s", got.method, got.path, got.contentType)
	}
	form, err := url.ParseQuery(got.body)
	if err != nil || len(form) != 2 || form.Get("grant_type") != "account_credentials" || form.Get("account_id") != "account-1" {
		t.Errorf("form %q", got.body)
	}
	r := http.Request{Header: got.header}
	id, secret, ok := r.BasicAuth()
	if !ok || id != "client-1" || secret != plantedSecret {
		t.Error("the header doesn't hold the credentials")
	}
}

func TestOneTokenForAll(t *testing.T) {
	f := newFixture(t)
	gate := make(chan struct{})
	f.srv.answerToken(func(w http.ResponseWriter, r *http.Request) {
		<-gate
		giveToken("shared-token", 3600)(w, r)
	})
	var wg sync.WaitGroup
	errs := make(chan error, burst)
	for range burst {
		wg.Go(func() { errs <- f.CheckIn(t.Context(), ada, googleRef) })
	}
	close(gate)
	wg.Wait()
	for range burst {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	if n, calls := len(f.srv.tokenCalls()), len(f.srv.calls()); n != 1 || calls != burst {
		t.Errorf("%d token requests for %d requests", n, calls)
	}
}

// A token of one hour by the client's clock is used for an hour, whatever the machine's clock says.
func TestTokenEndsByTheClock(t *testing.T) {
	f := newFixture(t)
	for _, step := range []struct {
		move   time.Duration
		tokens int
	}{{0, 1}, {54 * time.Minute, 1}, {5 * time.Minute, 1}, {40 * time.Second, 2}, {59 * time.Minute, 2}, {2 * time.Minute, 3}} {
		f.clock.move(step.move)
		if err := f.CheckIn(t.Context(), ada, googleRef); err != nil {
			t.Fatal(err)
		}
		if n := len(f.srv.tokenCalls()); n != step.tokens {
			t.Errorf("after another %v: %d tokens, want %d", step.move, n, step.tokens)
		}
	}
}

func TestLifeOfToken(t *testing.T) {
	for _, tt := range []struct {
		in   any
		want time.Duration
	}{
		{3599.0, 3599 * time.Second}, {"1800", 30 * time.Minute}, {nil, time.Hour}, {0.0, time.Hour},
		{-5.0, time.Hour}, {1e9, time.Hour}, {"soon", time.Hour}, {"NaN", time.Hour},
	} {
		if got := lifeOf(tt.in); got != tt.want {
			t.Errorf("lifeOf(%v) = %v, want %v", tt.in, got, tt.want)
		}
	}
}

// refuseToken refuses every token but good.
func refuseToken(status int, body, good string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if good != "" && r.Header.Get("Authorization") == "Bearer "+good {
			w.WriteHeader(202)
			return
		}
		say(status, body)(w, r)
	}
}

func TestRefusedTokenIsReplacedOnce(t *testing.T) {
	const second = plantedToken + "-2"
	for _, tt := range []struct {
		name   string
		status int
		body   string
		good   string
		kind   rooms.FaultKind
	}{
		{"401 with 124", 401, `{"code":124,"message":"Invalid access token."}`, second, ""},
		{"400 with 124", 400, `{"code":124,"message":"Access token is expired."}`, second, ""},
		{"401 alone", 401, "", second, ""},
		{"401 for good", 401, `{"code":124,"message":"Invalid access token."}`, "", rooms.FaultCredentials},
		{"124 for good", 400, `{"code":124,"message":"Invalid access token."}`, "", rooms.FaultCredentials},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			f.srv.answerAPI(refuseToken(tt.status, tt.body, tt.good))
			err := f.Release(t.Context(), ada, googleRef)
			if n, m := len(f.srv.calls()), len(f.srv.tokenCalls()); n != 2 || m != 2 {
				t.Errorf("%d requests with %d tokens", n, m)
			}
			if calls := f.srv.calls(); calls[0].body != calls[1].body {
				t.Errorf("repeated as %q", calls[1].body)
			}
			if tt.kind == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if got := faultOf(t, err); got.Kind != tt.kind || got.Ambiguous || !strings.Contains(got.Detail, "activated") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// Many requests whose one token is refused get one new token between them.
func TestRefusedTokenIsReplacedOnceForAll(t *testing.T) {
	f := newFixture(t)
	if err := f.CheckToken(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.srv.answerAPI(refuseToken(401, "", plantedToken+"-2"))
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if err := f.CheckIn(t.Context(), ada, googleRef); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := len(f.srv.tokenCalls()); n != 2 {
		t.Errorf("%d tokens", n)
	}
}

var tokenAnswers = []struct {
	name   string
	answer http.HandlerFunc
	kind   rooms.FaultKind
	after  time.Duration
	says   string
}{
	{"wrong secret", say(400, `{"reason":"Invalid client_id or client_secret","error":"invalid_client"}`), rooms.FaultCredentials, 0, "client_id or client_secret is wrong"},
	{"wrong secret, 401", say(401, `{"error":"invalid_client"}`), rooms.FaultCredentials, 0, "client_id or client_secret is wrong"},
	{"wrong secret by code", say(400, `{"code":4702,"message":"Invalid client."}`), rooms.FaultCredentials, 0, "client_id or client_secret is wrong"},
	{"nothing sent", say(400, `{"code":4706,"message":"Missing."}`), rooms.FaultCredentials, 0, "missing"},
	{"wrong grant", say(400, `{"reason":"unsupported grant type","error":"unsupported_grant_type"}`), rooms.FaultCredentials, 0, "Server-to-Server"},
	{"wrong grant by code", say(400, `{"errorCode":4705,"errorMessage":"x"}`), rooms.FaultCredentials, 0, "Server-to-Server"},
	{"app disabled", say(400, `{"reason":"The app has been disabled","error":"invalid_request"}`), rooms.FaultCredentials, 0, "activate it"},
	{"app disabled by admin", say(403, `{"code":"4738","message":"x"}`), rooms.FaultCredentials, 0, "administrator"},
	{"owner gone", say(400, `{"code":4735,"message":"x"}`), rooms.FaultCredentials, 0, "owner"},
	{"revoked", say(400, `{"code":4741,"message":"x"}`), rooms.FaultCredentials, 0, "revoked"},
	{"no account", say(400, `{"reason":"Invalid account_id","error":"invalid_request"}`), rooms.FaultCredentials, 0, "account_id is wrong"},
	{"says nothing", say(400, `{"reason":"Bad Request","error":"invalid_request"}`), rooms.FaultCredentials, 0, "compare account_id"},
	{"empty", say(400, ""), rooms.FaultCredentials, 0, "HTTP 400"},
	{"error on a 200", say(200, `{"error":"invalid_client","reason":"x"}`), rooms.FaultCredentials, 0, "client_id or client_secret"},
	{"error as an object", say(400, `{"error":{"code":4717,"message":"App is disabled"}}`), rooms.FaultCredentials, 0, "activate it"},
	{"page", say(400, "<html>", "Content-Type", "text/html"), rooms.FaultBadAnswer, 0, "token_url"},
	{"page on a 200", say(200, "<html>log in", "Content-Type", "text/html"), rooms.FaultBadAnswer, 0, "log-in page"},
	{"not JSON", say(200, `{"access_token":`), rooms.FaultBadAnswer, 0, "malformed"},
	{"no token in it", say(200, `{}`), rooms.FaultBadAnswer, 0, "malformed"},
	{"too large", say(200, strings.Repeat(" ", 2<<20)+"{}"), rooms.FaultBadAnswer, 0, "malformed"},
	{"throttled", say(429, "", "Retry-After", "9"), rooms.FaultThrottled, 9 * time.Second, "rate limit"},
	{"down", say(503, "<html>", "Content-Type", "text/html"), rooms.FaultTrouble, 0, "problem"},
	{"redirect", say(302, "", "Location", "http://portal.example.net/"), rooms.FaultBadAnswer, 0, "portal.example.net"},
	{"wrong address", say(404, `{"code":2300,"message":"not recognized"}`), rooms.FaultInvalid, 0, "token_url"},
	{"dropped", hangUp, rooms.FaultUnreachable, 0, "broke"},
}

func TestTokenAnswers(t *testing.T) {
	for _, tt := range tokenAnswers {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			f.srv.answerToken(tt.answer)
			err := f.CheckIn(t.Context(), ada, googleRef)
			got := faultOf(t, err)
			if got.Kind != tt.kind || got.RetryAfter != tt.after || got.Ambiguous {
				t.Errorf("got %v after %v, ambiguous %t", got.Kind, got.RetryAfter, got.Ambiguous)
			}
			if !strings.Contains(got.Detail, tt.says) {
				t.Errorf("detail %q lacks %q", got.Detail, tt.says)
			}
			if n := len(f.srv.tokenCalls()); n != 1 {
				t.Errorf("asked %d times", n)
			}
			if len(f.srv.calls()) != 0 {
				t.Error("the request was sent without a token")
			}
			if f.reach.String() != string(tt.kind) {
				t.Errorf("reach was told %q", f.reach)
			}
			checkSecrets(t, err.Error()+f.log.String())
		})
	}
}

// Wrong credentials answer for the requests of the next seconds: a thousand rooms don't each ask.
func TestRefusedCredentialsAreNotTriedByEveryRoom(t *testing.T) {
	f := newFixture(t)
	f.srv.answerToken(say(400, `{"error":"invalid_client"}`))
	for range 5 {
		if got := faultOf(t, f.CheckIn(t.Context(), ada, googleRef)); got.Kind != rooms.FaultCredentials {
			t.Fatal(got)
		}
	}
	if n := len(f.srv.tokenCalls()); n != 1 {
		t.Errorf("asked %d times", n)
	}
	f.srv.answerToken(nil)
	f.clock.move(11 * time.Second)
	if err := f.CheckIn(t.Context(), ada, googleRef); err != nil {
		t.Error(err)
	}
	if got := f.reach.String(); got != "credentials back" {
		t.Errorf("reach was told %q", got)
	}
}

// A scope that IT adds is in the next token; an old token is therefore not used again.
func TestMissingScopeMakesWayForNewToken(t *testing.T) {
	f := newFixture(t)
	f.srv.answerAPI(refuseToken(400, saysNoScope, plantedToken+"-2"))
	if got := faultOf(t, f.CheckIn(t.Context(), ada, googleRef)); got.Kind != rooms.FaultPermission {
		t.Fatal(got)
	}
	_ = f.CheckIn(t.Context(), ada, googleRef)
	if n := len(f.srv.tokenCalls()); n != 1 {
		t.Errorf("a young token was replaced: %d", n)
	}
	f.clock.move(2 * time.Minute)
	_ = f.CheckIn(t.Context(), ada, googleRef)
	if err := f.CheckIn(t.Context(), ada, googleRef); err != nil {
		t.Error(err)
	}
}
