package sim_test

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
	"time"

	"roomkiosk/internal/sim"
)

const graphDay = "startDateTime=2026-11-22T23:00:00Z&endDateTime=2026-11-23T23:00:00Z"

// graphForm is a token request that is granted, with changes: names and values.
func graphForm(b *bench, changes ...string) string {
	_, id, secret := b.GraphCredentials()
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}, "scope": {"https://graph.microsoft.com/.default"},
	}
	for i := 0; i < len(changes); i += 2 {
		form.Set(changes[i], changes[i+1])
	}
	return form.Encode()
}

func (b *bench) graphToken() string {
	b.t.Helper()
	r := b.must("POST", b.GraphTokenURL(), graphForm(b), "Content-Type", "application/x-www-form-urlencoded")
	token, _ := r.json(b.t)["access_token"].(string)
	if r.status != 200 || token == "" {
		b.t.Fatalf("token: %d %s", r.status, r.body)
	}
	return token
}

// asGraph sends a request for the mailbox.
func (b *bench) asGraph(method, path, body string, header ...string) reply {
	b.t.Helper()
	header = append([]string{"Authorization", "Bearer " + b.graphToken(), "Content-Type", "application/json"}, header...)
	return b.must(method, b.GraphURL()+"/users/"+mailbox+path, body, header...)
}

func (b *bench) view(query string, header ...string) reply {
	b.t.Helper()
	return b.asGraph("GET", "/calendar/calendarView?"+query, "", header...)
}

// graphIDs are the event ids of a page, and the link to the next one.
func graphIDs(t *testing.T, r reply) (ids, next string) {
	t.Helper()
	if r.status != 200 {
		t.Fatalf("list: %d %s", r.status, r.body)
	}
	var all []string
	for _, item := range r.json(t)["value"].([]any) {
		all = append(all, item.(map[string]any)["id"].(string))
	}
	next, _ = r.json(t)["@odata.nextLink"].(string)
	return strings.Join(all, " "), next
}

func (b *bench) exchangeMeeting(id string, from, to int, edit ...func(*sim.Event)) sim.Event {
	nine := morning.Truncate(time.Hour)
	e := sim.Event{
		ID: id, Title: "Weekly", Organizer: sim.Person{Name: "Jane Doe", Email: "jane@example.com"},
		Start: nine.Add(time.Duration(from) * time.Minute), End: nine.Add(time.Duration(to) * time.Minute),
		Attendees: []sim.Attendee{{Person: sim.Person{Email: mailbox}, Self: true, Resource: true, Response: sim.Accepted}},
	}
	for _, f := range edit {
		f(&e)
	}
	return b.Calendar.Put(mailbox, e)
}

func TestGraphTokens(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{})
	form := "application/x-www-form-urlencoded"
	for name, tt := range map[string]struct {
		url, body, kind string
		status          int
		says            string
	}{
		"another tenant":   {strings.Replace(b.GraphTokenURL(), "/8c3e", "/0000", 1), graphForm(b), form, 400, "[90002]"},
		"not a form":       {b.GraphTokenURL(), graphForm(b), "application/json", 400, "[900144]"},
		"another grant":    {b.GraphTokenURL(), graphForm(b, "grant_type", "password"), form, 400, "[70003]"},
		"another app":      {b.GraphTokenURL(), graphForm(b, "client_id", "x"), form, 400, "[700016]"},
		"no secret":        {b.GraphTokenURL(), graphForm(b, "client_secret", ""), form, 401, "[7000216]"},
		"another secret":   {b.GraphTokenURL(), graphForm(b, "client_secret", "x"), form, 401, "[7000215]"},
		"a plain scope":    {b.GraphTokenURL(), graphForm(b, "scope", "Calendars.Read"), form, 400, "[1002012]"},
		"another resource": {b.GraphTokenURL(), graphForm(b, "scope", "https://example.com/.default"), form, 400, "[500011]"},
	} {
		t.Run(name, func(t *testing.T) {
			r := b.must("POST", tt.url, tt.body, "Content-Type", tt.kind)
			code := strings.Trim(tt.says, "[]")
			if r.status != tt.status || !strings.Contains(r.body, `"error_codes":`+tt.says) || !strings.Contains(r.body, "AADSTS"+code+": ") {
				t.Errorf("got %d %s", r.status, r.body)
			}
		})
	}
	claims, err := base64.RawURLEncoding.DecodeString(strings.Split(b.graphToken(), ".")[1])
	if err != nil || !strings.Contains(string(claims), `"roles":["Calendars.ReadWrite"]`) {
		t.Errorf("claims %s, %v", claims, err)
	}
	b.Graph.ExpireSecret(true)
	if r := b.must("POST", b.GraphTokenURL(), graphForm(b), "Content-Type", form); r.status != 401 || !strings.Contains(r.body, "7000222") {
		t.Errorf("expired: %d %s", r.status, r.body)
	}
	if r := b.must("GET", b.GraphURL()+"/users/"+mailbox+"/calendar/calendarView", "", "Authorization", "Bearer x"); r.status != 401 {
		t.Errorf("made-up token: %d", r.status)
	}
}

func TestGraphRefusesWhatGraphRefuses(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{})
	b.exchangeMeeting("AAMk-e_=", 0, 30)
	for _, tt := range []struct {
		query  string
		status int
		code   string
	}{
		{"", 400, "ErrorInvalidParameter"},
		{"startDateTime=2026-11-22T23:00:00Z", 400, "ErrorInvalidParameter"},
		{"startDateTime=2026-11-22T23:00:00%2B01:00&endDateTime=today", 400, "BadRequest"},
		{"startDateTime=2026-11-22T23:00:00+01:00&endDateTime=2026-11-23T23:00:00Z", 400, "BadRequest"}, // a bare + is a space
		{"endDateTime=2026-11-22T23:00:00Z&startDateTime=2026-11-23T23:00:00Z", 400, "BadRequest"},
		{graphDay + "&$top=0", 400, "BadRequest"},
		{graphDay + "&$top=1001", 400, "BadRequest"},
		{graphDay + "&$select=id,title", 400, "BadRequest"},
		{graphDay + "&$select=createdDateTime", 400, "BadRequest"},
		{graphDay + "&$orderby=subject", 400, "BadRequest"},
		{graphDay + "&$skiptoken=x", 400, "BadRequest"},
		{graphDay + "&$deltatoken=x", 400, "BadRequest"},
		{graphDay + "&" + graphDay, 400, "BadRequest"},
	} {
		t.Run(tt.query, func(t *testing.T) {
			r := b.view(tt.query, "client-request-id", "own")
			if r.status != tt.status || !strings.Contains(r.body, `"code":"`+tt.code+`"`) || !strings.Contains(r.body, `"client-request-id":"own"`) ||
				len(r.header.Get("request-id")) != 36 {
				t.Errorf("got %d %s", r.status, r.body)
			}
		})
	}
	if r := b.view(graphDay, "Prefer", `outlook.timezone="Mars/Base"`); r.status != 400 || !strings.Contains(r.body, "TimeZoneNotSupportedException") {
		t.Errorf("time zone: %d %s", r.status, r.body)
	}
	if r := b.asGraph("GET", "/calendarView/delta?"+graphDay, ""); r.status != 400 {
		t.Errorf("delta: %d %s", r.status, r.body)
	}
	if r := b.asGraph("GET", "/events/AAMk", ""); r.status != 404 || !strings.Contains(r.body, "ErrorItemNotFound") {
		t.Errorf("no event: %d %s", r.status, r.body)
	}
}

func TestGraphPages(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{})
	for i := range 12 {
		b.exchangeMeeting(string(rune('a'+i)), 10*i, 10*i+10)
	}
	if got, next := graphIDs(t, b.view(graphDay)); got != "a b c d e f g h i j" || next == "" {
		t.Errorf("without $top: %s, %s", got, next)
	}
	b.Graph.SetPaging(5, true)
	r := b.view(graphDay + "&$top=100&$select=id")
	want := []string{"", "a b c d e", "", "f g h i j", "", "k l"}
	for i, page := range want {
		got, next := graphIDs(t, r)
		if got != page || (next == "") != (i == len(want)-1) {
			t.Errorf("page %d: %s, %q", i, got, next)
		}
		if next != "" {
			r = b.must("GET", next, "", "Authorization", "Bearer "+b.graphToken())
		}
	}
	_, next := graphIDs(t, b.view(graphDay+"&$top=100"))
	other := strings.Replace(next, "$top=100", "$top=99", 1)
	if other == next || b.must("GET", other, "", "Authorization", "Bearer "+b.graphToken()).status != 400 {
		t.Errorf("a skip token of another query is taken: %s", other)
	}
}

// TestGraphEvent: what is rendered, in the zone and with the kind of ids that were asked for.
func TestGraphEvent(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{})
	e := b.exchangeMeeting("AAMk-e_=", 0, 30, func(e *sim.Event) { e.Series, e.Visibility = "s", sim.Confidential })
	body := b.asGraph("GET", "/events/AAMk-e_=", "", "Prefer", `outlook.timezone="W. Europe Standard Time", outlook.body-content-type="text"`).body
	for _, part := range []string{
		`"start":{"dateTime":"2026-11-23T09:00:00.0000000","timeZone":"W. Europe Standard Time"}`, `"changeKey":"` + e.ChangeKey() + `"`,
		`"@odata.etag":"W/\"` + e.ChangeKey() + `\""`, `"sensitivity":"confidential"`, `"type":"occurrence"`, `"seriesMasterId":"s"`,
		`"response":"accepted"`, `"isOrganizer":false`, `"subject":"Weekly"`, `"id":"AAMk-e_="`,
	} {
		if !strings.Contains(body, part) {
			t.Errorf("%s lacks %s", body, part)
		}
	}
	body = b.asGraph("GET", "/events/AAMk-e_=?$select=start", "").body
	if !strings.Contains(body, `"2026-11-23T08:00:00.0000000","timeZone":"UTC"`) || strings.Contains(body, "subject") || !strings.Contains(body, `"id"`) {
		t.Errorf("selected: %s", body)
	}
	if got, _ := graphIDs(t, b.view(graphDay, "Prefer", `IdType="ImmutableId"`)); !strings.HasPrefix(got, "AAkALg") {
		t.Errorf("immutable ids: %s", got)
	}
	b.Graph.SetExchangeDefaults(mailbox, true)
	if body = b.asGraph("GET", "/events/AAMk-e_=", "").body; !strings.Contains(body, `"subject":"Jane Doe "`) || !strings.Contains(body, `"sensitivity":"normal"`) {
		t.Errorf("with Exchange's defaults: %s", body)
	}
	b.Calendar.Cancel(mailbox, "AAMk-e_=")
	if body = b.view(graphDay).body; !strings.Contains(body, `"isCancelled":true`) || !strings.Contains(body, `"showAs":"free"`) {
		t.Errorf("cancelled: %s", body)
	}
}

func TestGraphPatch(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{})
	e := b.exchangeMeeting("m", 0, 30)
	end := `{"end":{"dateTime":"2026-11-23T09:10:00.0000000","timeZone":"Europe/Berlin"}}`
	tag := `W/"` + e.ChangeKey() + `"`
	if r := b.asGraph("PATCH", "/events/m", end, "If-Match", tag); r.status != 200 || !strings.Contains(r.body, "08:10:00") {
		t.Errorf("patch: %d %s", r.status, r.body)
	}
	if after, _ := b.Calendar.Event(mailbox, "m"); after.Version != 2 || after.End.Sub(after.Start) != 10*time.Minute {
		t.Errorf("came to %+v", after)
	}
	for name, tt := range map[string]struct {
		id, body, tag string
		status        int
		code          string
	}{
		"a stale tag":      {"m", end, tag, 412, "ErrorIrresolvableConflict"},
		"no event":         {"x", end, "", 404, "ErrorItemNotFound"},
		"no JSON":          {"m", "{", "", 400, "BadRequest"},
		"an unknown name":  {"m", `{"ende":{}}`, "", 400, "BadRequest"},
		"end before start": {"m", `{"end":{"dateTime":"2026-11-23T07:00:00","timeZone":"UTC"}}`, "", 400, "ErrorPropertyValidationFailure"},
		"no zone":          {"m", `{"end":{"dateTime":"2026-11-23T09:10:00"}}`, "", 400, "ErrorPropertyValidationFailure"},
	} {
		t.Run(name, func(t *testing.T) {
			if r := b.asGraph("PATCH", "/events/"+tt.id, tt.body, "If-Match", tt.tag); r.status != tt.status || !strings.Contains(r.body, tt.code) {
				t.Errorf("got %d %s", r.status, r.body)
			}
		})
	}
	if after, _ := b.Calendar.Event(mailbox, "m"); after.Version != 2 {
		t.Errorf("a refusal changed it to %+v", after)
	}
	b.Calendar.Put(mailbox, sim.Event{ID: "d", StartDate: "2026-11-23", EndDate: "2026-11-24"})
	if r := b.asGraph("PATCH", "/events/d", end); r.status != 400 {
		t.Errorf("an end for a whole day: %d", r.status)
	}
}

func TestGraphDecline(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{})
	b.exchangeMeeting("m", 0, 30)
	b.exchangeMeeting("own", 30, 60, func(e *sim.Event) { e.Organizer.Email = mailbox })
	for _, tt := range []struct {
		id, body string
		status   int
	}{
		{"m", `{"sendResponse":false,"comment":"x"}`, 400},
		{"own", `{"sendResponse":true}`, 400},
		{"x", `{"sendResponse":true}`, 404},
		{"m", `{"sendResponse":true,"comment":"x"}`, 202},
		{"m", `{"sendResponse":true,"comment":"x"}`, 404},
	} {
		if r := b.asGraph("POST", "/events/"+tt.id+"/decline", tt.body); r.status != tt.status {
			t.Errorf("%+v: got %d %s", tt, r.status, r.body)
		}
	}
	if got, _ := graphIDs(t, b.view(graphDay)); got != "own" {
		t.Errorf("left: %s", got)
	}
}

func TestGraphRights(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{})
	b.exchangeMeeting("m", 0, 30)
	decline := func() int { return b.asGraph("POST", "/events/m/decline", "{}").status }
	b.Graph.Consent()
	if n := b.view(graphDay).status; n != 403 {
		t.Errorf("without any right: %d", n)
	}
	b.Graph.Allow(mailbox, sim.CalendarsRead)
	if r, n := b.view(graphDay).status, decline(); r != 200 || n != 403 {
		t.Errorf("with the right to read: %d, %d", r, n)
	}
	b.Graph.Allow(mailbox, sim.CalendarsReadWrite)
	if n := decline(); n != 202 {
		t.Errorf("with the right to write: %d", n)
	}
	b.Graph.Consent(sim.CalendarsRead)
	if r := b.must("GET", b.GraphURL()+"/users/x@example.com/calendar/calendarView?"+graphDay, "", "Authorization", "Bearer "+b.graphToken()); r.status != 404 {
		t.Errorf("no mailbox: %d", r.status)
	}
}
