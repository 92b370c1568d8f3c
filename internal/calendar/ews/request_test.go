package ews

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"roomkiosk/internal/rooms"
)

const wantHead = `<?xml version="1.0" encoding="utf-8"?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"
  xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types" xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages">`

const wantFields = `
    <t:BaseShape>IdOnly</t:BaseShape>
    <t:AdditionalProperties>
     <t:FieldURI FieldURI="item:Subject"/><t:FieldURI FieldURI="item:Sensitivity"/>
     <t:FieldURI FieldURI="calendar:Start"/><t:FieldURI FieldURI="calendar:End"/>
     <t:FieldURI FieldURI="calendar:IsAllDayEvent"/><t:FieldURI FieldURI="calendar:LegacyFreeBusyStatus"/>
     <t:FieldURI FieldURI="calendar:IsMeeting"/><t:FieldURI FieldURI="calendar:IsCancelled"/>
     <t:FieldURI FieldURI="calendar:CalendarItemType"/><t:FieldURI FieldURI="calendar:MyResponseType"/>
     <t:FieldURI FieldURI="calendar:Organizer"/>
    </t:AdditionalProperties>`

func wantHeader(mailbox string) string {
	as := ""
	if mailbox != "" {
		as = `<t:ExchangeImpersonation><t:ConnectingSID><t:PrimarySmtpAddress>` + mailbox + `</t:PrimarySmtpAddress></t:ConnectingSID></t:ExchangeImpersonation>`
	}
	return `<soap:Header><t:RequestServerVersion Version="Exchange2013"/>` + as + `</soap:Header>`
}

// tidy removes the white space between elements.
func tidy(text string) string {
	parts := strings.Split(text, "<")
	for i, part := range parts {
		end := strings.LastIndex(part, ">")
		if end >= 0 && strings.TrimSpace(part[end+1:]) == "" {
			part = part[:end+1]
		}
		parts[i] = strings.Join(strings.Fields(part), " ")
	}
	return strings.Join(parts, "\n<")
}

func TestRequests(t *testing.T) {
	impersonated, delegated := `<t:DistinguishedFolderId Id="calendar"/>`,
		`<t:DistinguishedFolderId Id="calendar"><t:Mailbox><t:EmailAddress>o&#39;neill&amp;co@example.com</t:EmailAddress></t:Mailbox></t:DistinguishedFolderId>`
	find := func(folder string) string {
		return `<m:FindItem Traversal="Shallow"><m:ItemShape>` + wantFields + `</m:ItemShape>
			<m:CalendarView MaxEntriesReturned="250" StartDate="2026-10-23T22:00:00Z" EndDate="2026-10-25T23:00:00Z"/>
			<m:ParentFolderIds>` + folder + `</m:ParentFolderIds></m:FindItem>`
	}
	get := `<m:GetItem><m:ItemShape>` + wantFields + `</m:ItemShape><m:ItemIds><t:ItemId Id="AAMk/+x=&#34;&gt;"/></m:ItemIds></m:GetItem>`
	rights := func(folder string) string {
		return `<m:GetFolder><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape><t:AdditionalProperties><t:FieldURI FieldURI="folder:EffectiveRights"/>
			</t:AdditionalProperties></m:FolderShape><m:FolderIds>` + folder + `</m:FolderIds></m:GetFolder>`
	}
	room := roomIn("Europe/Berlin")
	room.CalendarID = "o'neill&co@example.com"
	from, to := days(room, "2026-10-24", 2)
	do := map[string]func(*Calendar){
		"FindItem":  func(c *Calendar) { _, _ = c.Read(context.Background(), room, from, to) },
		"GetItem":   func(c *Calendar) { _, _ = c.Lookup(context.Background(), room, rooms.EventRef{EventID: `AAMk/+x=">`}) },
		"GetFolder": func(c *Calendar) { _ = c.CanEnd(context.Background(), room) },
	}
	for _, tt := range []struct {
		impersonate bool
		want        map[string]string
	}{
		{true, map[string]string{"FindItem": find(impersonated), "GetItem": get, "GetFolder": rights(impersonated)}},
		{false, map[string]string{"FindItem": find(delegated), "GetItem": get, "GetFolder": rights(delegated)}},
	} {
		for operation, want := range tt.want {
			t.Run(fmt.Sprintf("%s/%t", operation, tt.impersonate), func(t *testing.T) {
				mailbox := ""
				if tt.impersonate {
					mailbox = "o&#39;neill&amp;co@example.com"
				}
				p := newPeer(t, func(w http.ResponseWriter, r *http.Request) {
					if action := r.Header.Get("SOAPAction"); action != `"http://schemas.microsoft.com/exchange/services/2006/messages/`+operation+`"` {
						t.Errorf("SOAPAction %s", action)
					}
					if kind := r.Header.Get("Content-Type"); kind != "text/xml; charset=utf-8" || r.Method != http.MethodPost || r.URL.Path != "/EWS/Exchange.asmx" {
						t.Errorf("%s %s with %s", r.Method, r.URL.Path, kind)
					}
					if name, word, _ := r.BasicAuth(); name != user || word != password {
						t.Errorf("signed in as %q with %q", name, word)
					}
					if _, there := r.Header["Idempotency-Key"]; there {
						t.Error("an Idempotency-Key was sent")
					}
					w.WriteHeader(http.StatusServiceUnavailable)
				})
				do[operation](p.calendar(t, func(cfg *Config) { cfg.Impersonate = tt.impersonate }))
				whole := wantHead + wantHeader(mailbox) + `<soap:Body>` + want + `</soap:Body></soap:Envelope>`
				if diff := cmp.Diff(tidy(whole), tidy(p.asked()[0])); diff != "" {
					t.Error(diff)
				}
				if err := xml.Unmarshal([]byte(p.asked()[0]), new(struct{})); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func TestVersionFallback(t *testing.T) {
	for _, refused := range []struct {
		name string
		say  func(w http.ResponseWriter)
	}{
		{"SOAP fault", func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "text/xml")
			w.WriteHeader(http.StatusInternalServerError)
			say(w, soap("ErrorInvalidServerVersion", ""))
		}},
		{"schema fault", func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "text/xml")
			w.WriteHeader(http.StatusInternalServerError)
			say(w, soap("ErrorSchemaValidation", ""))
		}},
		{"inside an answer", func(w http.ResponseWriter) { say(w, refusal200("FindItem", "ErrorInvalidServerVersion")) }},
	} {
		t.Run(refused.name, func(t *testing.T) {
			var mu sync.Mutex
			var versions []string
			p := newPeer(t, nil)
			p.api = func(w http.ResponseWriter, _ *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				asked := p.asked()
				old := strings.Contains(asked[len(asked)-1], `"Exchange2010_SP2"`)
				versions = append(versions, fmt.Sprint(old))
				if !old {
					refused.say(w)
					return
				}
				say(w, list(at10(weekly)))
			}
			c := p.calendar(t)
			for range 3 {
				if read, err := readDay(context.Background(), c); err != nil || len(read) != 1 {
					t.Fatalf("got %v, %v", read, err)
				}
			}
			if got := strings.Join(versions, " "); got != "false true true true" {
				t.Errorf("old versions: %s", got)
			}
		})
	}
}

func TestVersionThatNobodyTakes(t *testing.T) {
	p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		say(w, soap("ErrorSchemaValidation", ""))
	})
	c := p.calendar(t)
	for range 2 {
		_, err := readDay(context.Background(), c)
		checkFault(t, err, rooms.FaultInvalid)
	}
	if n := len(p.asked()); n != 4 {
		t.Errorf("%d requests: nothing was learned from two refusals", n)
	}
}

func TestRequestsThatAreNotSent(t *testing.T) {
	p := newPeer(t, answerWith(list()))
	c := p.calendar(t)
	room := roomIn("Europe/Berlin")
	from, to := days(room, "2026-11-23", 1)
	noID, noZone := room, room
	noID.CalendarID, noZone.Zone = "", nil
	for name, read := range map[string]func() error{
		"no calendar id":   func() error { _, err := c.Read(context.Background(), noID, from, to); return err },
		"no zone":          func() error { _, err := c.Read(context.Background(), noZone, from, to); return err },
		"no window":        func() error { _, err := c.Read(context.Background(), room, from, from); return err },
		"backwards window": func() error { _, err := c.Read(context.Background(), room, to, from); return err },
		"nowhere to look":  func() error { _, err := c.Lookup(context.Background(), noID, rooms.EventRef{EventID: "x"}); return err },
		"nowhere to end":   func() error { return c.End(context.Background(), noID, rooms.EventRef{EventID: "x"}, from) },
		"nowhere to ask":   func() error { return c.CanEnd(context.Background(), noID) },
	} {
		t.Run(name, func(t *testing.T) { checkFault(t, read(), rooms.FaultInvalid) })
	}
	_, err := c.Lookup(context.Background(), room, rooms.EventRef{})
	checkFault(t, err, rooms.FaultNotFound)
	if n := len(p.asked()); n > 0 {
		t.Errorf("%d requests", n)
	}
}

func TestNew(t *testing.T) {
	good := Config{Name: "onprem", URL: "https://mail.example.com/EWS/Exchange.asmx", User: user, Password: "secret-word", Now: nowhere}
	for name, tt := range map[string]struct {
		edit func(*Config)
		want string // part of the error; empty: none
	}{
		"good":               {func(*Config) {}, ""},
		"Basic":              {func(c *Config) { c.Auth = Basic }, ""},
		"no user":            {func(c *Config) { c.User = "" }, "user"},
		"no password":        {func(c *Config) { c.Password = "" }, "password"},
		"user with a colon":  {func(c *Config) { c.User = "a:b" }, "colon"},
		"another auth":       {func(c *Config) { c.Auth = "kerberos" }, "kerberos"},
		"no clock":           {func(c *Config) { c.Now = nil }, "clock"},
		"plain http":         {func(c *Config) { c.URL = "http://mail.example.com/EWS/Exchange.asmx" }, "https"},
		"loopback":           {func(c *Config) { c.URL = "http://127.0.0.1/EWS/Exchange.asmx" }, ""},
		"no URL":             {func(c *Config) { c.URL = "" }, "host"},
		"Exchange Online":    {func(c *Config) { c.URL = "https://outlook.office365.com/EWS/Exchange.asmx" }, `kind = "graph"`},
		"another name of it": {func(c *Config) { c.URL = "https://Outlook.Office365.com.:443/EWS/Exchange.asmx" }, `kind = "graph"`},
		"outlook.com":        {func(c *Config) { c.URL = "https://eur01.outlook.com/ews" }, `kind = "graph"`},
		"national clouds":    {func(c *Config) { c.URL = "https://partner.outlook.cn/EWS/Exchange.asmx" }, `kind = "graph"`},
		"only like it":       {func(c *Config) { c.URL = "https://myoutlook.com/EWS/Exchange.asmx" }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := good
			tt.edit(&cfg)
			c, err := New(cfg)
			if tt.want == "" && (err != nil || c == nil) {
				t.Errorf("got %v", err)
			}
			if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "onprem")) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "secret-word") {
				t.Errorf("%v tells the password", err)
			}
		})
	}
}
