package sim_test

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"roomkiosk/internal/sim"
)

const (
	ewsNS  = `xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types" xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"`
	asRoom = `<t:ExchangeImpersonation><t:ConnectingSID><t:PrimarySmtpAddress>` + mailbox + `</t:PrimarySmtpAddress></t:ConnectingSID></t:ExchangeImpersonation>`
	shape  = `<m:ItemShape><t:BaseShape>IdOnly</t:BaseShape><t:AdditionalProperties><t:FieldURI FieldURI="item:Subject"/><t:FieldURI FieldURI="calendar:End"/><t:FieldURI FieldURI="calendar:Start"/></t:AdditionalProperties></m:ItemShape>`
	view   = `<m:CalendarView MaxEntriesReturned="100" StartDate="2026-11-23T00:00:00Z" EndDate="2026-11-24T00:00:00Z"/>`
	folder = `<m:ParentFolderIds><t:DistinguishedFolderId Id="calendar"/></m:ParentFolderIds>`
	find   = `<m:FindItem Traversal="Shallow">` + shape + view + folder + `</m:FindItem>`
)

// exchange is a world with one room on its Exchange, which takes Basic.
type exchange struct {
	*sim.World
	t *testing.T
}

func newExchange(t *testing.T, cfg sim.EWSConfig) exchange {
	t.Helper()
	cfg.Auth = sim.EWSByBasic
	clock := &handClock{now: morning}
	w := sim.NewWorld(sim.WorldConfig{Clock: clock, Now: clock.Now, EWS: cfg})
	if err := w.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	w.Calendar.Open(mailbox, "Grace Hopper", berlin)
	w.Calendar.Put(mailbox, sim.Event{
		ID: "AAMk-x_y=", Title: "Weekly", Organizer: sim.Person{Name: "Jane Doe", Email: "jane@example.com"}, Start: morning, End: morning.Add(time.Hour),
	})
	return exchange{w, t}
}

// post sends an operation under headers and returns the status and the body.
func (x exchange) post(headers, operation string) reply {
	x.t.Helper()
	user, password := x.EWSCredentials()
	body := `<soap:Envelope ` + ewsNS + `><soap:Header><t:RequestServerVersion Version="Exchange2013"/>` + headers + `</soap:Header><soap:Body>` + operation + `</soap:Body></soap:Envelope>`
	req, err := http.NewRequest(http.MethodPost, x.EWSURL(), strings.NewReader(body))
	if err != nil {
		x.t.Fatal(err)
	}
	req.SetBasicAuth(user, password)
	b := &bench{t: x.t}
	return b.must(http.MethodPost, x.EWSURL(), body, "Authorization", req.Header.Get("Authorization"), "Content-Type", "text/xml; charset=utf-8")
}

func TestEWSAnswersInTheOrderOfTheSchema(t *testing.T) {
	x := newExchange(t, sim.EWSConfig{})
	r := x.post(asRoom, find)
	want := fmt.Sprintf(`<t:CalendarItem><t:ItemId Id="AAMk/x+y=" ChangeKey="%s"/><t:Subject>Weekly</t:Subject><t:Start>2026-11-23T08:00:30Z</t:Start><t:End>2026-11-23T09:00:30Z</t:End></t:CalendarItem>`,
		x.Calendar.Events(mailbox)[0].ExchangeChangeKey())
	if r.status != 200 || !strings.Contains(r.body, want) || !strings.Contains(r.body, `TotalItemsInView="1" IncludesLastItemInRange="true"`) {
		t.Errorf("got %d %s", r.status, r.body)
	}
	if err := xml.Unmarshal([]byte(r.body), new(struct{})); err != nil {
		t.Error(err)
	}
	logged := x.EWS.Requests()[0]
	if text, _ := logged.Body["xml"].(string); !strings.Contains(text, "<m:FindItem") {
		t.Errorf("logged %v", logged.Body)
	}
}

// TestEWSRefusesWhatTheSchemaDoesNotAllow: each row spoils a good request.
func TestEWSRefusesWhatTheSchemaDoesNotAllow(t *testing.T) {
	x := newExchange(t, sim.EWSConfig{})
	get := `<m:GetItem>` + shape + `<m:ItemIds><t:ItemId Id="AAMk/x+y="/></m:ItemIds></m:GetItem>`
	update := `<m:UpdateItem ConflictResolution="AutoResolve" SendMeetingInvitationsOrCancellations="SendToNone"><m:ItemChanges><t:ItemChange><t:ItemId Id="AAMk/x+y="/><t:Updates>` +
		`<t:SetItemField><t:FieldURI FieldURI="calendar:End"/><t:CalendarItem><t:End>2026-11-23T08:30:00Z</t:End></t:CalendarItem></t:SetItemField></t:Updates></t:ItemChange></m:ItemChanges></m:UpdateItem>`
	decline := `<m:CreateItem MessageDisposition="SendAndSaveCopy"><m:Items><t:DeclineItem><t:ReferenceItemId Id="AAMk/x+y="/></t:DeclineItem></m:Items></m:CreateItem>`
	rights := `<m:GetFolder><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape><t:AdditionalProperties><t:FieldURI FieldURI="folder:EffectiveRights"/></t:AdditionalProperties></m:FolderShape>` +
		`<m:FolderIds><t:DistinguishedFolderId Id="calendar"/></m:FolderIds></m:GetFolder>`
	for _, tt := range []struct{ name, good, old, spoiled string }{
		{"misspelt field", find, "item:Subject", "item:Subjekt"},
		{"misspelt field of the calendar", find, "calendar:End", "calendar:Ende"},
		{"another namespace", find, "<t:BaseShape>IdOnly</t:BaseShape>", "<m:BaseShape>IdOnly</m:BaseShape>"},
		{"another order", find, shape + view, view + shape},
		{"no view", find, view, ""},
		{"no traversal", find, ` Traversal="Shallow"`, ""},
		{"another traversal", find, "Shallow", "Flat"},
		{"unknown attribute", find, "MaxEntriesReturned", "MaxEntries"},
		{"not a number", find, `"100"`, `"many"`},
		{"not a time", find, "2026-11-24T00:00:00Z", "tomorrow"},
		{"text between elements", find, "<m:ItemShape>", "x<m:ItemShape>"},
		{"another folder", find, `Id="calendar"`, `Id="agenda"`},
		{"unknown operation", find, "FindItem", "FindItems"},
		{"two operations", find, "</m:FindItem>", "</m:FindItem>" + find},
		{"no item ids", get, `<t:ItemId Id="AAMk/x+y="/>`, ""},
		{"id without Id", get, `Id="AAMk/x+y="`, `ChangeKey="x"`},
		{"no resolution", update, `ConflictResolution="AutoResolve" `, ""},
		{"another resolution", update, "AutoResolve", "Maybe"},
		{"no updates", update, "<t:SetItemField>", "<t:DeleteItemField/><t:SetItemField>"},
		{"field and element differ", update, "<t:End>2026-11-23T08:30:00Z</t:End>", "<t:Start>2026-11-23T08:30:00Z</t:Start>"},
		{"no disposition", decline, ` MessageDisposition="SendAndSaveCopy"`, ""},
		{"nothing declined", decline, `<t:ReferenceItemId Id="AAMk/x+y="/>`, ""},
		{"rights misspelt", rights, "EffectiveRights", "EffectiveRight"},
		{"no folder", rights, `<t:DistinguishedFolderId Id="calendar"/>`, ""},
		{"not well-formed", find, "</m:FindItem>", "</m:FindThing>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !strings.Contains(tt.good, tt.old) {
				t.Fatalf("%s has no %s", tt.good, tt.old)
			}
			r := x.post(asRoom, strings.Replace(tt.good, tt.old, tt.spoiled, 1))
			if r.status != 500 || !strings.Contains(r.body, ">a:ErrorSchemaValidation<") {
				t.Errorf("got %d %s", r.status, r.body)
			}
		})
	}
	for _, good := range []string{find, get, rights, update, decline} {
		if r := x.post(asRoom, good); r.status != 200 || !strings.Contains(r.body, `ResponseClass="Success"`) {
			t.Errorf("got %d %s", r.status, r.body)
		}
	}
}

func TestEWSRefusals(t *testing.T) {
	x := newExchange(t, sim.EWSConfig{Newest: "Exchange2013"})
	delegated := strings.Replace(find, `<t:DistinguishedFolderId Id="calendar"/>`,
		`<t:DistinguishedFolderId Id="calendar"><t:Mailbox><t:EmailAddress>`+mailbox+`</t:EmailAddress></t:Mailbox></t:DistinguishedFolderId>`, 1)
	get := `<m:GetItem>` + shape + `<m:ItemIds><t:ItemId Id="AAMk/none="/></m:ItemIds></m:GetItem>`
	for name, tt := range map[string]struct {
		headers, operation string
		status             int
		code               string
	}{
		"nobody's own calendar": {"", find, 200, "ErrorFolderNotFound"},
		"not shared":            {"", delegated, 200, "ErrorAccessDenied"},
		"no such mailbox":       {"", strings.Replace(delegated, mailbox, "x@example.com", 1), 200, "ErrorNonExistentMailbox"},
		"no such room to be":    {strings.Replace(asRoom, mailbox, "x@example.com", 1), find, 500, "ErrorNonExistentMailbox"},
		"no such item":          {asRoom, get, 200, "ErrorItemNotFound"},
		"backwards":             {asRoom, strings.Replace(find, "2026-11-24T", "2026-11-22T", 1), 200, "ErrorCalendarEndDateIsEarlierThanStartDate"},
		"too long":              {asRoom, strings.Replace(find, "2026-11-24T", "2029-11-24T", 1), 200, "ErrorCalendarViewRangeTooBig"},
		"unknown header":        {"<t:TimeZone/>", find, 500, "ErrorSchemaValidation"},
	} {
		t.Run(name, func(t *testing.T) {
			r := x.post(tt.headers, tt.operation)
			if r.status != tt.status || !strings.Contains(r.body, tt.code) || strings.Contains(r.body, "Success") {
				t.Errorf("got %d %s, want %d %s", r.status, r.body, tt.status, tt.code)
			}
		})
	}
	x.EWS.SetImpersonation(false)
	if r := x.post(asRoom, find); r.status != 500 || !strings.Contains(r.body, "ErrorImpersonateUserDenied") {
		t.Errorf("got %d %s", r.status, r.body)
	}
	old := newExchange(t, sim.EWSConfig{Newest: "Exchange2010_SP2"})
	if r := old.post(asRoom, find); r.status != 500 || !strings.Contains(r.body, "ErrorInvalidServerVersion") {
		t.Errorf("got %d %s", r.status, r.body)
	}
}

func TestEWSWantsAnAccount(t *testing.T) {
	x := newExchange(t, sim.EWSConfig{})
	b := &bench{t: t}
	if r := b.must(http.MethodPost, x.EWSURL(), find, "Content-Type", "text/xml"); r.status != 401 || !strings.HasPrefix(r.header.Get("WWW-Authenticate"), "Basic ") {
		t.Errorf("got %d %v", r.status, r.header)
	}
	if r := b.must(http.MethodGet, strings.TrimSuffix(x.EWSURL(), "EWS/Exchange.asmx"), ""); r.status != 200 || !strings.Contains(r.header.Get("Content-Type"), "html") {
		t.Errorf("login page: got %d %v", r.status, r.header)
	}
}

// TestEWSInSubjects: control characters come as XML 1.0 doesn't allow them.
func TestEWSInSubjects(t *testing.T) {
	for _, raw := range []bool{false, true} {
		x := newExchange(t, sim.EWSConfig{RawControls: raw})
		x.Calendar.Change(mailbox, "AAMk-x_y=", func(e *sim.Event) { e.Title = "a\x1fb" })
		want := map[bool]string{false: "<t:Subject>a&#x1F;b<", true: "<t:Subject>a\x1fb<"}[raw]
		r := x.post(asRoom, find)
		if !strings.Contains(r.body, want) || xml.Unmarshal([]byte(r.body), new(struct{})) == nil {
			t.Errorf("got %s", r.body)
		}
	}
}
