package graph

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"roomkiosk/internal/rooms"
)

func TestNewRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		edit func(*Config)
		want string
	}{
		"no url":              {func(c *Config) { c.URL = "" }, "url of calendar exchange"},
		"http":                {func(c *Config) { c.URL = "http://graph.microsoft.com/v1.0" }, "https"},
		"no clock":            {func(c *Config) { c.Now = nil }, "no clock"},
		"no tenant":           {func(c *Config) { c.TenantID = " " }, "tenant_id is missing"},
		"everybody's tenant":  {func(c *Config) { c.TenantID = "common" }, "one tenant"},
		"tenant with a slash": {func(c *Config) { c.TenantID = "x/../evil" }, "neither"},
		"no client":           {func(c *Config) { c.ClientID = "" }, "client_id is missing"},
		"no secret":           {func(c *Config) { c.ClientSecret = "\n" }, "secret is empty"},
		"bad token url":       {func(c *Config) { c.TokenURL = "http://login.example.com" }, "token_url"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := Config{Name: "exchange", TenantID: tenant, ClientID: client, ClientSecret: "secret-value", URL: "https://graph.microsoft.com/v1.0", Now: time.Now}
			tt.edit(&cfg)
			_, err := New(cfg)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret-value") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestTokenRequest: the form that Microsoft documents, at the tenant's own address.
func TestTokenRequest(t *testing.T) {
	var form []string
	c := bubbleCalendar(t, func(r *http.Request) (*http.Response, error) {
		if r.URL.Host != "login.microsoftonline.com" {
			return reply(list(""))
		}
		if r.URL.Path != "/"+tenant+"/oauth2/v2.0/token" || r.Header.Get("Authorization") != "" || r.ParseForm() != nil {
			t.Errorf("request to %s, %v", r.URL, r.Header)
		}
		for name := range r.PostForm {
			form = append(form, name+"="+r.PostForm.Get(name))
		}
		return reply(`{"access_token":"secret-t1","expires_in":3600}`)
	})
	if _, err := readDay(context.Background(), c); err != nil {
		t.Fatal(err)
	}
	slices.Sort(form)
	want := []string{"client_id=" + client, "client_secret=secret-value", "grant_type=client_credentials", "scope=https://graph.microsoft.com/.default"}
	if !slices.Equal(form, want) {
		t.Errorf("got %q", form)
	}
}

func TestTokenIsShared(t *testing.T) {
	p := newPeer(t, answerWith(list("")))
	c := p.calendar(t)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := readDay(context.Background(), c); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if tokens, requests := p.asked(); tokens != 1 || len(requests) != 20 {
		t.Errorf("%d tokens for %d requests", tokens, len(requests))
	}
}

func TestTokenIsReplacedInTime(t *testing.T) {
	for expires, steps := range map[string][]struct {
		after  time.Duration
		tokens int
	}{
		`3599`:     {{0, 1}, {58*time.Minute + 58*time.Second, 1}, {time.Second, 2}, {time.Minute, 2}},
		`60`:       {{0, 1}, {29 * time.Second, 1}, {time.Second, 2}},
		`null`:     {{0, 1}, {4 * time.Minute, 1}, {time.Minute, 2}},
		`-5`:       {{0, 1}, {4 * time.Minute, 1}},
		`99999999`: {{0, 1}, {23 * time.Hour, 1}, {time.Hour, 2}},
	} {
		t.Run(expires, func(t *testing.T) {
			now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
			p := newPeer(t, answerWith(list("")))
			p.token = answerWith(`{"access_token":"secret-t","expires_in":` + expires + `}`)
			c := p.calendar(t, func(cfg *Config) { cfg.Now = func() time.Time { return now } })
			for _, step := range steps {
				now = now.Add(step.after)
				if _, err := readDay(context.Background(), c); err != nil {
					t.Fatal(err)
				}
				if tokens, _ := p.asked(); tokens != step.tokens {
					t.Errorf("after %v: %d tokens, want %d", step.after, tokens, step.tokens)
				}
			}
		})
	}
}

func TestRevokedTokenIsReplacedOnce(t *testing.T) {
	p := newPeer(t, nil)
	good := "Bearer secret-t1"
	p.api = func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != good {
			w.WriteHeader(http.StatusUnauthorized)
			say(w, refusal("InvalidAuthenticationToken"))
			return
		}
		say(w, list(""))
	}
	c := p.calendar(t)
	for _, step := range []struct {
		good             string
		tokens, requests int
		fails            bool
	}{{"Bearer secret-t1", 1, 1, false}, {"Bearer secret-t2", 2, 3, false}, {"none", 3, 5, true}, {"Bearer secret-t3", 3, 6, false}} {
		good = step.good
		_, err := readDay(context.Background(), c)
		if step.fails {
			checkFault(t, err, rooms.FaultCredentials)
		} else if err != nil {
			t.Error(err)
		}
		if tokens, requests := p.asked(); tokens != step.tokens || len(requests) != step.requests {
			t.Errorf("%s: %d tokens, %d requests", good, tokens, len(requests))
		}
	}
}

func TestTokenRefusals(t *testing.T) {
	said := func(kind string, code int) string {
		return fmt.Sprintf(`{"error":%q,"error_description":"AADSTS%d: about Jane and secret-value","error_codes":[%d],"trace_id":"x"}`, kind, code, code)
	}
	for name, tt := range map[string]struct {
		status int
		body   string
		kind   rooms.FaultKind
		detail string
	}{
		"wrong secret":       {401, said("invalid_client", 7000215), rooms.FaultCredentials, "AADSTS7000215: the client secret is wrong"},
		"expired secret":     {401, said("invalid_client", 7000222), rooms.FaultCredentials, "AADSTS7000222: the client secret has expired"},
		"no secret":          {401, said("invalid_client", 7000216), rooms.FaultCredentials, "missing"},
		"unknown app":        {400, said("unauthorized_client", 700016), rooms.FaultCredentials, "client_id and tenant_id"},
		"unknown tenant":     {400, said("invalid_request", 90002), rooms.FaultCredentials, "check tenant_id"},
		"another cloud":      {400, said("invalid_resource", 500011), rooms.FaultCredentials, "same cloud"},
		"conditional access": {400, said("access_denied", 53003), rooms.FaultCredentials, "Conditional Access"},
		"no list of codes":   {401, `{"error":"invalid_client","error_description":"AADSTS7000222: expired"}`, rooms.FaultCredentials, "AADSTS7000222"},
		"no code":            {401, `{"error":"invalid_client"}`, rooms.FaultCredentials, "wrong or has expired"},
		"no code, app":       {400, `{"error":"unauthorized_client"}`, rooms.FaultCredentials, "doesn't know this app"},
		"something else":     {400, said("invalid_something", 50), rooms.FaultCredentials, "AADSTS50"},
		"as a success":       {200, said("invalid_client", 7000215), rooms.FaultCredentials, "AADSTS7000215"},
		"throttled":          {429, "", rooms.FaultThrottled, ""},
		"trouble":            {503, "<html>Secret", rooms.FaultTrouble, "503"},
		"trouble, as 400":    {400, said("temporarily_unavailable", 90033), rooms.FaultTrouble, "AADSTS90033"},
		"a proxy":            {403, "<html>Secret", rooms.FaultBadAnswer, "proxy"},
		"not found":          {404, "", rooms.FaultBadAnswer, "token_url"},
		"a page":             {200, "<html>Secret", rooms.FaultBadAnswer, "login page"},
		"no token":           {200, "{}", rooms.FaultBadAnswer, "token"},
		"reason not a word":  {400, said("Secret title!", 1), rooms.FaultBadAnswer, ""},
		"token not a header": {200, `{"access_token":"secret-t1\nX: y"}`, rooms.FaultBadAnswer, ""},
		"endless":            {200, strings.Repeat("x", 9<<20), rooms.FaultBadAnswer, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, answerWith(list("")))
			p.token = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "17")
				w.WriteHeader(tt.status)
				say(w, tt.body)
			}
			_, err := readDay(context.Background(), p.calendar(t))
			fault := checkFault(t, err, tt.kind)
			if !strings.Contains(fault.Detail, tt.detail) {
				t.Errorf("detail %q lacks %q", fault.Detail, tt.detail)
			}
			if fault.Kind == rooms.FaultThrottled && fault.RetryAfter != 17*time.Second {
				t.Errorf("retry after %v", fault.RetryAfter)
			}
			if p.log.Len() > 0 {
				t.Errorf("log: %s", p.log.String())
			}
		})
	}
}

// TestRoomThatGivesUpKeepsNoOtherFromItsToken: two rooms wait for one token, and the one that asked
// first is cancelled.
func TestRoomThatGivesUpKeepsNoOtherFromItsToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tokens := 0
		c := bubbleCalendar(t, func(r *http.Request) (*http.Response, error) {
			if !isToken(r) {
				return reply(list(""))
			}
			tokens++
			select {
			case <-time.After(5 * time.Second):
				return reply(`{"access_token":"secret-t1","expires_in":3600}`)
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
		})
		hasty, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		var first, second error
		var both sync.WaitGroup
		both.Go(func() { _, first = readDay(hasty, c) })
		synctest.Wait()
		both.Go(func() { _, second = readDay(context.Background(), c) })
		both.Wait()
		checkFault(t, first, rooms.FaultUnreachable)
		if second != nil || tokens != 1 {
			t.Errorf("got %v after %d requests for a token", second, tokens)
		}
	})
}

func TestCanEnd(t *testing.T) {
	jwt := func(claims string) string {
		return "aGVhZA." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2ln"
	}
	for name, tt := range map[string]struct {
		token string
		can   bool
	}{
		"may write":             {jwt(`{"roles":["User.Read.All","Calendars.ReadWrite"]}`), true},
		"may only read":         {jwt(`{"roles":["Calendars.Read"]}`), false},
		"may only read little":  {jwt(`{"roles":["Calendars.ReadBasic.All"]}`), false},
		"both":                  {jwt(`{"roles":["Calendars.Read","Calendars.ReadWrite"]}`), true},
		"RBAC for Applications": {jwt(`{"aud":"https://graph.microsoft.com"}`), true},
		"other roles only":      {jwt(`{"roles":["User.Read.All"]}`), true},
		"not a JWT":             {"opaque", true},
		"not base64":            {"a.*.c", true},
		"roles of another kind": {jwt(`{"roles":"Calendars.Read"}`), true},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, func(http.ResponseWriter, *http.Request) { t.Error("Graph was asked") })
			p.token = answerWith(`{"access_token":"` + tt.token + `","expires_in":3600}`)
			err := p.calendar(t).CanEnd(context.Background(), roomIn("Europe/Berlin"))
			if tt.can {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if f := checkFault(t, err, rooms.FaultPermission); !strings.Contains(f.Detail, "Application Calendars.ReadWrite") {
				t.Errorf("detail %q", f.Detail)
			}
		})
	}
	p := newPeer(t, nil)
	c := p.calendar(t)
	p.Close()
	checkFault(t, c.CanEnd(context.Background(), roomIn("Europe/Berlin")), rooms.FaultUnreachable)
}
