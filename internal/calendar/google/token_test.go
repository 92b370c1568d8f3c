package google

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"roomkiosk/internal/rooms"
)

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
	if tokens, queries := p.asked(); tokens != 1 || len(queries) != 20 {
		t.Errorf("%d tokens for %d requests", tokens, len(queries))
	}
}

func TestTokenIsReplacedInTime(t *testing.T) {
	for expires, steps := range map[string][]struct {
		after  time.Duration
		tokens int
	}{
		`3600`:     {{0, 1}, {58 * time.Minute, 1}, {time.Minute, 2}, {time.Minute, 2}},
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
			say(w, refusal(401, "authError"))
			return
		}
		say(w, list(""))
	}
	c := p.calendar(t)
	for _, step := range []struct {
		good            string
		tokens, queries int
		fails           bool
	}{{"Bearer secret-t1", 1, 1, false}, {"Bearer secret-t2", 2, 3, false}, {"none", 3, 5, true}, {"Bearer secret-t3", 3, 6, false}} {
		good = step.good
		_, err := readDay(context.Background(), c)
		if step.fails {
			checkFault(t, err, rooms.FaultCredentials)
		} else if err != nil {
			t.Error(err)
		}
		if tokens, queries := p.asked(); tokens != step.tokens || len(queries) != step.queries {
			t.Errorf("%s: %d tokens, %d requests", good, tokens, len(queries))
		}
	}
}

func TestTokenRefusals(t *testing.T) {
	said := func(code, description string) string {
		return fmt.Sprintf(`{"error":%q,"error_description":%q}`, code, description+" Jane")
	}
	for name, tt := range map[string]struct {
		status   int
		body     string
		delegate string
		kind     rooms.FaultKind
		detail   string
	}{
		"clock":              {400, said("invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."), "", rooms.FaultCredentials, "clock"},
		"signature":          {400, said("invalid_grant", "Invalid JWT Signature."), "", rooms.FaultCredentials, "new JSON key"},
		"account":            {400, said("invalid_grant", "Invalid grant: account not found"), "", rooms.FaultCredentials, "deleted"},
		"delegate":           {400, said("invalid_grant", "Invalid email or User ID"), "jane@example.com", rooms.FaultCredentials, "not a user of the domain"},
		"delegation":         {401, said("unauthorized_client", "Client is unauthorized"), "jane@example.com", rooms.FaultCredentials, "domain-wide delegation is missing"},
		"administrators":     {400, said("access_denied", "Requested client not authorized."), "", rooms.FaultCredentials, "administrators"},
		"client":             {401, said("invalid_client", "The OAuth client was not found."), "", rooms.FaultCredentials, "disabled"},
		"something else":     {400, said("invalid_scope", ""), "", rooms.FaultCredentials, "invalid_scope"},
		"throttled":          {429, "", "", rooms.FaultThrottled, ""},
		"trouble":            {503, "<html>Secret", "", rooms.FaultTrouble, "503"},
		"a proxy":            {403, "<html>Secret", "", rooms.FaultBadAnswer, "proxy"},
		"not found":          {404, "", "", rooms.FaultBadAnswer, "token_uri"},
		"a page":             {200, "<html>Secret", "", rooms.FaultBadAnswer, "login page"},
		"no token":           {200, "{}", "", rooms.FaultBadAnswer, "token"},
		"reason not a word":  {400, said("Secret title!", ""), "", rooms.FaultBadAnswer, ""},
		"token not a header": {200, `{"access_token":"secret-t1\nX: y"}`, "", rooms.FaultBadAnswer, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, answerWith(list("")))
			p.token = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "17")
				w.WriteHeader(tt.status)
				say(w, tt.body)
			}
			_, err := readDay(context.Background(), p.calendar(t, func(cfg *Config) { cfg.Delegate = tt.delegate }))
			fault := checkFault(t, err, tt.kind)
			if !strings.Contains(fault.Detail, tt.detail) {
				t.Errorf("detail %q lacks %q", fault.Detail, tt.detail)
			}
			if fault.Kind == rooms.FaultThrottled && fault.RetryAfter != 17*time.Second {
				t.Errorf("retry after %v", fault.RetryAfter)
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
			if r.URL.Path != "/token" {
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
