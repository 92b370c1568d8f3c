package ews

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

func nowhere() time.Time { return time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC) }

// checkFault checks the kind of a fault, and that it tells nothing that it must not.
func checkFault(t *testing.T, err error, kind rooms.FaultKind) rooms.Fault {
	t.Helper()
	var fault *rooms.Fault
	if !errors.As(err, &fault) {
		t.Fatalf("got %v, which is no fault", err)
	}
	if fault.Kind != kind || fault.Service != "Exchange" {
		t.Errorf("got %+v, want %s", fault, kind)
	}
	for _, secret := range []string{"secret-", "Secret", "Jane", "Weekly", "AAMk"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%q tells %q", err, secret)
		}
	}
	return *fault
}

func backOffValue(ms string) string {
	return `<t:Value Name="Other">9</t:Value><t:Value Name="BackOffMilliseconds">` + ms + `</t:Value>`
}

// refusals of the server in front, and of Exchange by a SOAP fault.
func TestRefusedByStatus(t *testing.T) {
	const iis, page = "Microsoft-IIS/10.0", "<!DOCTYPE html><title>Secret</title>"
	for name, tt := range map[string]struct {
		status int
		server string
		body   string
		kind   rooms.FaultKind
		wait   time.Duration
		detail string // part of it
	}{
		"busy":                     {500, "", soap("ErrorServerBusy", backOffValue("297749")), rooms.FaultThrottled, 297749 * time.Millisecond, "ErrorServerBusy"},
		"busy for long":            {500, "", soap("ErrorServerBusy", backOffValue("99999999")), rooms.FaultThrottled, time.Hour, ""},
		"busy, without a time":     {500, "", soap("ErrorServerBusy", ""), rooms.FaultThrottled, 17 * time.Second, ""},
		"busy, with nonsense":      {500, "", soap("ErrorServerBusy", backOffValue("-5")), rooms.FaultThrottled, 17 * time.Second, ""},
		"busy, with white space":   {500, "", soap(" ErrorServerBusy\n", backOffValue(" 5000 ")), rooms.FaultThrottled, 17 * time.Second, ""},
		"busy in faultcode only":   {500, "", strings.Replace(soap("ErrorServerBusy", ""), `errors">ErrorServerBusy</e:ResponseCode>`, `errors"></e:ResponseCode>`, 1), rooms.FaultThrottled, 17 * time.Second, ""},
		"connections":              {500, "", soap("ErrorExceededConnectionCount", ""), rooms.FaultThrottled, 17 * time.Second, ""},
		"impersonation":            {500, "", soap("ErrorImpersonateUserDenied", ""), rooms.FaultPermission, 17 * time.Second, "ApplicationImpersonation"},
		"no such mailbox":          {500, "", soap("ErrorNonExistentMailbox", ""), rooms.FaultNotFound, 17 * time.Second, "calendar_id"},
		"second address":           {500, "", soap("ErrorNonPrimarySmtpAddress", ""), rooms.FaultNotFound, 17 * time.Second, "primary"},
		"disabled":                 {500, "", soap("ErrorAccountDisabled", ""), rooms.FaultCredentials, 17 * time.Second, "disabled"},
		"expired":                  {500, "", soap("ErrorPasswordExpired", ""), rooms.FaultCredentials, 17 * time.Second, "password"},
		"trouble":                  {500, "", soap("ErrorMailboxStoreUnavailable", ""), rooms.FaultTrouble, 17 * time.Second, ""},
		"trouble to come":          {500, "", soap("ErrorSomethingTransientOfLater", ""), rooms.FaultTrouble, 17 * time.Second, ""},
		"unknown code":             {500, "", soap("ErrorBeyondAllKnown", ""), rooms.FaultInvalid, 17 * time.Second, "ErrorBeyondAllKnown"},
		"code that isn't one":      {500, "", soap("Secret title!", ""), rooms.FaultTrouble, 17 * time.Second, ""},
		"500 without a fault":      {500, "", page, rooms.FaultTrouble, 17 * time.Second, "500"},
		"500 without anything":     {500, "", "", rooms.FaultTrouble, 17 * time.Second, ""},
		"500 with a document type": {500, "", "<!DOCTYPE x [<!ENTITY a 'b'>]>" + soap("ErrorServerBusy", ""), rooms.FaultTrouble, 17 * time.Second, ""},
		"unavailable":              {503, iis, page, rooms.FaultTrouble, 17 * time.Second, "503"},
		"too many":                 {429, "", "", rooms.FaultThrottled, 17 * time.Second, ""},
		"forbidden":                {403, iis, page, rooms.FaultPermission, 17 * time.Second, "EwsEnabled"},
		"a proxy's 403":            {403, "", page, rooms.FaultBadAnswer, 17 * time.Second, "proxy"},
		"not found":                {404, iis, page, rooms.FaultBadAnswer, 17 * time.Second, "/EWS/Exchange.asmx"},
		"login page":               {302, iis, "", rooms.FaultBadAnswer, 17 * time.Second, "redirected"},
		"moved":                    {308, iis, "", rooms.FaultBadAnswer, 17 * time.Second, "url"},
		"retry with":               {449, iis, "", rooms.FaultBadAnswer, 17 * time.Second, "url"},
		"timed out at OWA":         {440, iis, page, rooms.FaultBadAnswer, 17 * time.Second, "login page"},
		"bad request":              {400, "", page, rooms.FaultBadAnswer, 17 * time.Second, ""},
		"proxy wants a login":      {407, "", page, rooms.FaultBadAnswer, 17 * time.Second, ""},
		"no content":               {204, "", "", rooms.FaultBadAnswer, 17 * time.Second, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "/owa/auth/logon.aspx")
				w.Header().Set("Retry-After", "17")
				w.Header().Set("Server", tt.server)
				w.WriteHeader(tt.status)
				say(w, tt.body)
			})
			_, err := readDay(context.Background(), p.calendar(t))
			fault := checkFault(t, err, tt.kind)
			if !strings.Contains(fault.Detail, tt.detail) || fault.RetryAfter != tt.wait || fault.Ambiguous {
				t.Errorf("got %+v, want %v and %q", fault, tt.wait, tt.detail)
			}
			if !strings.Contains(err.Error(), "reading calendar of ada") {
				t.Errorf("error %q", err)
			}
		})
	}
}

// TestRefusedInAnswers: status 200, and a no inside.
func TestRefusedInAnswers(t *testing.T) {
	for code, tt := range map[string]struct {
		kind        rooms.FaultKind
		impersonate string // part of the detail when impersonating
		delegate    string
	}{
		"ErrorAccessDenied":               {rooms.FaultPermission, "ApplicationImpersonation", `Add-MailboxFolderPermission -Identity room:\Calendar -User (the account) -AccessRights Reviewer`},
		"ErrorImpersonateUserDenied":      {rooms.FaultPermission, "New-ManagementRoleAssignment", ""},
		"ErrorFolderNotFound":             {rooms.FaultNotFound, "", "Add-MailboxFolderPermission"},
		"ErrorNonExistentMailbox":         {rooms.FaultNotFound, "calendar_id", "calendar_id"},
		"ErrorServerBusy":                 {rooms.FaultThrottled, "", ""},
		"ErrorMailboxMoveInProgress":      {rooms.FaultTrouble, "", ""},
		"ErrorInternalServerError":        {rooms.FaultTrouble, "", ""},
		"ErrorInvalidPropertyRequest":     {rooms.FaultInvalid, "", ""},
		"":                                {rooms.FaultTrouble, "", ""},
		"Secret &amp; not a code":         {rooms.FaultTrouble, "", ""},
		strings.Repeat("SecretCode", 900): {rooms.FaultTrouble, "", ""},
	} {
		for impersonate, detail := range map[bool]string{true: tt.impersonate, false: tt.delegate} {
			t.Run(fmt.Sprintf("%.40s/%t", code, impersonate), func(t *testing.T) {
				p := newPeer(t, answerWith(refusal200("FindItem", code)))
				_, err := readDay(context.Background(), p.calendar(t, func(cfg *Config) { cfg.Impersonate = impersonate }))
				if f := checkFault(t, err, tt.kind); !strings.Contains(f.Detail, detail) {
					t.Errorf("detail %q lacks %q", f.Detail, detail)
				}
			})
		}
	}
}

func TestSignIn(t *testing.T) {
	for name, tt := range map[string]struct {
		auth   string
		offers []string
		detail string
	}{
		"wrong password":        {Basic, []string{`Basic realm="x"`}, "locked"},
		"nothing offered":       {Basic, nil, "locked"},
		"Basic is off":          {Basic, []string{"Negotiate", "NTLM"}, `write auth = "ntlm"`},
		"NTLM is off":           {NTLM, []string{`Basic realm="x"`}, `write auth = "basic"`},
		"something else is on":  {NTLM, []string{"Bearer"}, "neither NTLM nor Basic"},
		"NTLM without an end":   {NTLM, []string{"Negotiate", "NTLM"}, "locked"},
		"a challenge too short": {NTLM, []string{"NTLM AAAA"}, "locked"},
		"not base64":            {NTLM, []string{"NTLM ***"}, "locked"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Www-Authenticate"] = tt.offers
				w.WriteHeader(http.StatusUnauthorized)
			})
			_, err := readDay(context.Background(), p.calendar(t, func(cfg *Config) { cfg.Auth = tt.auth }))
			if f := checkFault(t, err, rooms.FaultCredentials); !strings.Contains(f.Detail, tt.detail) {
				t.Errorf("detail %q lacks %q", f.Detail, tt.detail)
			}
		})
	}
}

// TestConnectionThatBreaksWhileSigningIn must not pass for a wrong password.
func TestConnectionThatBreaksWhileSigningIn(t *testing.T) {
	p := newPeer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("WWW-Authenticate", "NTLM")
		w.WriteHeader(http.StatusUnauthorized)
	})
	_, err := readDay(context.Background(), p.calendar(t, func(cfg *Config) { cfg.Auth = NTLM }))
	checkFault(t, err, rooms.FaultUnreachable)
}

func TestBadAnswers(t *testing.T) {
	cut := list(at10(weekly))
	bomb := `<!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>`
	for name, body := range map[string]string{
		"nothing":                  "",
		"a page":                   "<!DOCTYPE html><title>Welcome, Jane</title>",
		"well-formed XHTML":        `<html xmlns="http://www.w3.org/1999/xhtml"><body/></html>`,
		"an empty envelope":        `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body/></s:Envelope>`,
		"no body":                  `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"/>`,
		"another namespace":        strings.ReplaceAll(list(), "http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"),
		"messages of another kind": strings.ReplaceAll(list(), "2006/messages", "2007/messages"),
		"an answer to GetItem":     oneItem(at10(weekly)),
		"no response message":      strings.NewReplacer(`<m:FindItemResponseMessage ResponseClass="Success">`, "", "</m:FindItemResponseMessage>", "").Replace(responded("FindItem", "Success", "")),
		"two response messages":    strings.Replace(list(), "</m:FindItemResponseMessage>", `</m:FindItemResponseMessage><m:FindItemResponseMessage ResponseClass="Success"/>`, 1),
		"no folder":                responded("FindItem", "Success", "<m:ResponseCode>NoError</m:ResponseCode>"),
		"no items":                 responded("FindItem", "Success", `<m:ResponseCode>NoError</m:ResponseCode><m:RootFolder TotalItemsInView="0" IncludesLastItemInRange="true"/>`),
		"cut":                      cut[:len(cut)*2/3],
		"a document type":          strings.Replace(list(), "<s:Envelope", bomb+"<s:Envelope", 1),
		"an entity":                strings.Replace(list(at10(weekly)), "Weekly", "&lol;", 1),
		"another encoding":         strings.Replace(list(), "utf-8", "utf-16", 1),
		"no item is readable":      list(timed("a", "", ""), timed("b", "", ""), timed("c", "", "")),
		"too large":                list() + strings.Repeat(" ", calendar.MaxAnswer),
		"deep":                     strings.Repeat("<a>", 100_000),
		"JSON":                     "{}",
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, answerWith(body))
			read, err := readDay(context.Background(), p.calendar(t))
			if f := checkFault(t, err, rooms.FaultBadAnswer); f.Ambiguous {
				t.Error("nothing was changed")
			}
			if read != nil {
				t.Errorf("got %v", read)
			}
		})
	}
}

// TestWarning: what isn't a success is not taken for one, whatever it is called.
func TestWarning(t *testing.T) {
	p := newPeer(t, answerWith(strings.Replace(list(at10(weekly)), `ResponseClass="Success"`, `ResponseClass="Warning"`, 1)))
	_, err := readDay(context.Background(), p.calendar(t))
	checkFault(t, err, rooms.FaultInvalid)
}

func TestWebPageIsCalledOne(t *testing.T) {
	p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		say(w, "<!DOCTYPE html><title>Outlook</title>")
	})
	_, err := readDay(context.Background(), p.calendar(t))
	if f := checkFault(t, err, rooms.FaultBadAnswer); !strings.Contains(f.Detail, "wrong url") {
		t.Errorf("detail %q", f.Detail)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("followed") }))
	defer elsewhere.Close()
	for _, auth := range []string{Basic, NTLM} {
		for _, status := range []int{http.StatusFound, http.StatusTemporaryRedirect} {
			p := newPeer(t, http.RedirectHandler(elsewhere.URL, status).ServeHTTP)
			_, err := readDay(context.Background(), p.calendar(t, func(cfg *Config) { cfg.Auth = auth }))
			checkFault(t, err, rooms.FaultBadAnswer)
		}
	}
}

func TestNoNetwork(t *testing.T) {
	p := newPeer(t, answerWith(list()))
	c := p.calendar(t)
	p.Close()
	_, err := readDay(context.Background(), c)
	if f := checkFault(t, err, rooms.FaultUnreachable); f.Ambiguous {
		t.Error("nothing was changed")
	}
}

func TestConnectionThatBreaks(t *testing.T) {
	p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		say(w, ewsHead)
	})
	_, err := readDay(context.Background(), p.calendar(t))
	checkFault(t, err, rooms.FaultUnreachable)
	p.api = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	_, err = readDay(context.Background(), p.calendar(t))
	checkFault(t, err, rooms.FaultUnreachable)
}

func TestSlowServerIsCutByTheCaller(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	p := newPeer(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		select {
		case <-r.Context().Done():
		case <-over:
		}
	})
	defer close(over)
	_, err := readDay(ctx, p.calendar(t))
	if checkFault(t, err, rooms.FaultUnreachable); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
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
		Name: "onprem", URL: "https://mail.example.com/EWS/Exchange.asmx", User: user, Password: password, Auth: Basic,
		HTTP: &http.Client{Transport: f}, Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSlowServerIsCutAfterTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := bubbleCalendar(t, func(r *http.Request) (*http.Response, error) {
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

func TestManySlowPartsAreCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := bubbleCalendar(t, func(r *http.Request) (*http.Response, error) {
			select {
			case <-time.After(6 * time.Second):
				return reply(partly(false))
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

// TestWaitingForALine: who gives up while others are being served gets a fault, and nobody's turn.
func TestWaitingForALine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		c := bubbleCalendar(t, func(*http.Request) (*http.Response, error) {
			<-release
			return reply(list())
		})
		first := make(chan error)
		go func() { _, err := readDay(context.Background(), c); first <- err }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err := readDay(ctx, c)
		checkFault(t, err, rooms.FaultUnreachable)
		close(release)
		if err := <-first; err != nil {
			t.Error(err)
		}
		if _, err := readDay(context.Background(), c); err != nil {
			t.Error(err)
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
