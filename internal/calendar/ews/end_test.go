package ews

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"roomkiosk/internal/rooms"
)

const (
	itemIDXML    = `<t:ItemId Id="AAMkADQx/+A=" ChangeKey="` + changeKey + `"/>`
	declined     = `<m:CreateItem MessageDisposition="SendAndSaveCopy"><m:Items><t:DeclineItem><t:Body BodyType="Text">The room was released at its door.</t:Body><t:ReferenceItemId Id="AAMkADQx/+A=" ChangeKey="` + changeKey + `"/></t:DeclineItem></m:Items></m:CreateItem>`
	writtenItems = `<m:ResponseCode>NoError</m:ResponseCode><m:Items/>`
)

// shortened is the change of an end.
func shortened(fields ...string) string {
	var sets string
	for i := 0; i < len(fields); i += 2 {
		sets += `<t:SetItemField><t:FieldURI FieldURI="calendar:` + fields[i] + `"/><t:CalendarItem><t:` + fields[i] + `>` + fields[i+1] + `</t:` + fields[i] + `></t:CalendarItem></t:SetItemField>`
	}
	return `<m:UpdateItem ConflictResolution="AutoResolve" SendMeetingInvitationsOrCancellations="SendToNone"><m:ItemChanges><t:ItemChange>` +
		itemIDXML + `<t:Updates>` + sets + `</t:Updates></t:ItemChange></m:ItemChanges></m:UpdateItem>`
}

// written are the bodies of the requests that change something.
func (p *peer) written() []string {
	out := []string{}
	for _, body := range p.asked() {
		if _, rest, _ := strings.Cut(body, "<soap:Body>"); strings.HasPrefix(rest, "<m:UpdateItem") || strings.HasPrefix(rest, "<m:CreateItem") {
			out = append(out, strings.TrimSuffix(rest, "</soap:Body></soap:Envelope>"))
		}
	}
	return out
}

func endAt(t *testing.T, p *peer, at time.Time) error {
	t.Helper()
	ref := rooms.EventRef{EventID: "AAMkADQx/+A=", ChangeKey: "stale", ResourceEmail: ada}
	return p.calendar(t).End(context.Background(), roomIn("Europe/Berlin"), ref, at)
}

func TestEnd(t *testing.T) {
	own := func(e entry) entry { e.response = "Organizer"; return e }
	for name, tt := range map[string]struct {
		item string
		at   string // UTC
		want []string
	}{
		"the room's own":            {at10(own(weekly)), "2026-11-23T09:20:30.7Z", []string{shortened("End", "2026-11-23T09:20:30Z")}},
		"its own, not a meeting":    {at10(entry{response: "Unknown", alone: true}), "2026-11-23T09:20:00Z", []string{shortened("End", "2026-11-23T09:20:00Z")}},
		"its own, not begun":        {at10(own(weekly)), "2026-11-23T08:55:00Z", []string{shortened("End", "2026-11-23T09:00:00Z")}},
		"somebody else's":           {at10(weekly), "2026-11-23T09:20:00Z", []string{declined}},
		"somebody else's, unclear":  {at10(entry{response: "Unknown"}), "2026-11-23T09:20:00Z", []string{declined}},
		"somebody else's to come":   {at10(weekly), "2026-11-23T08:55:00Z", []string{declined}},
		"not answered":              {at10(entry{response: "NoResponseReceived"}), "2026-11-23T09:20:00Z", []string{declined}},
		"nobody says what it is":    {without(without(at10(weekly), "MyResponseType"), "IsMeeting"), "2026-11-23T09:20:00Z", []string{declined}},
		"private":                   {at10(entry{sensitivity: "Private"}), "2026-11-23T09:20:00Z", []string{declined}},
		"over":                      {at10(weekly), "2026-11-23T10:00:00Z", []string{}},
		"over, the room's own":      {at10(own(weekly)), "2026-11-23T10:00:00.5Z", []string{}},
		"of no length, to come":     {entry{response: "Organizer", start: "2026-11-23T09:00:00Z", end: "2026-11-23T09:00:00Z"}.xml(), "2026-11-23T08:00:00Z", []string{}},
		"cancelled":                 {at10(entry{cancelled: true}), "2026-11-23T09:20:00Z", []string{}},
		"declined already":          {at10(entry{response: "Decline"}), "2026-11-23T09:20:00Z", []string{}},
		"all day":                   {entry{start: "2026-11-22T23:00:00Z", end: "2026-11-23T23:00:00Z", allDay: true}.xml(), "2026-11-23T09:20:00Z", []string{declined}},
		"all day, the room's own":   {entry{response: "Organizer", start: "2026-11-22T23:00:00Z", end: "2026-11-23T23:00:00Z", allDay: true}.xml(), "2026-11-23T09:20:00Z", []string{shortened("IsAllDayEvent", "false", "Start", "2026-11-22T23:00:00Z", "End", "2026-11-23T09:20:00Z")}},
		"all of the day before":     {entry{response: "Organizer", start: "2026-11-21T23:00:00Z", end: "2026-11-22T23:00:00Z", allDay: true}.xml(), "2026-11-23T09:20:00Z", []string{}},
		"all day, made in New York": {entry{response: "Organizer", start: "2026-11-23T05:00:00Z", end: "2026-11-24T05:00:00Z", allDay: true}.xml(), "2026-11-23T23:30:00Z", []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, answers(map[string]string{
				"GetItem": oneItem(tt.item), "UpdateItem": responded("UpdateItem", "Success", writtenItems), "CreateItem": responded("CreateItem", "Success", writtenItems),
			}))
			at, err := time.Parse(time.RFC3339, tt.at)
			if err != nil {
				t.Fatal(err)
			}
			if err := endAt(t, p, at); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(tt.want, p.written()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

var during = time.Date(2026, 11, 23, 9, 20, 0, 0, time.UTC)

func TestEndOfWhatIsGone(t *testing.T) {
	for name, bodies := range map[string]map[string]string{
		"before":    {"GetItem": refusal200("GetItem", "ErrorItemNotFound")},
		"meanwhile": {"GetItem": oneItem(at10(weekly)), "CreateItem": refusal200("CreateItem", "ErrorItemNotFound")},
		"cancelled": {"GetItem": oneItem(at10(weekly)), "CreateItem": refusal200("CreateItem", "ErrorCalendarIsCancelledForDecline")},
	} {
		t.Run(name, func(t *testing.T) {
			if err := endAt(t, newPeer(t, answers(bodies)), during); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestEndConflict(t *testing.T) {
	for _, code := range []string{"ErrorIrresolvableConflict", "ErrorStaleObject", "ErrorInvalidChangeKey"} {
		for _, times := range []int32{1, 2} {
			t.Run(code, func(t *testing.T) {
				var n atomic.Int32
				p := newPeer(t, func(w http.ResponseWriter, r *http.Request) {
					switch {
					case operation(r) == "GetItem":
						say(w, oneItem(at10(entry{response: "Organizer"})))
					case n.Add(1) <= times:
						say(w, refusal200("UpdateItem", code))
					default:
						say(w, responded("UpdateItem", "Success", writtenItems))
					}
				})
				err := endAt(t, p, during)
				if (err != nil) != (times == 2) || len(p.asked()) != 4 {
					t.Errorf("after %d conflicts: %v, %d requests", times, err, len(p.asked()))
				}
			})
		}
	}
}

func TestEndThatFails(t *testing.T) {
	for name, tt := range map[string]struct {
		say       func(w http.ResponseWriter)
		kind      rooms.FaultKind
		ambiguous bool
	}{
		"not allowed":         {func(w http.ResponseWriter) { say(w, refusal200("CreateItem", "ErrorAccessDenied")) }, rooms.FaultPermission, false},
		"busy":                {func(w http.ResponseWriter) { w.WriteHeader(500); say(w, soap("ErrorServerBusy", "")) }, rooms.FaultThrottled, false},
		"trouble":             {func(w http.ResponseWriter) { say(w, refusal200("CreateItem", "ErrorInternalServerError")) }, rooms.FaultTrouble, true},
		"500":                 {func(w http.ResponseWriter) { w.WriteHeader(500) }, rooms.FaultTrouble, true},
		"login page with 200": {func(w http.ResponseWriter) { say(w, "<!DOCTYPE html>") }, rooms.FaultBadAnswer, true},
		"no answer":           {func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, rooms.FaultUnreachable, true},
		"wrong URL":           {func(w http.ResponseWriter) { w.WriteHeader(404) }, rooms.FaultBadAnswer, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, func(w http.ResponseWriter, r *http.Request) {
				if operation(r) == "GetItem" {
					say(w, oneItem(at10(weekly)))
					return
				}
				tt.say(w)
			})
			err := endAt(t, p, during)
			if f := checkFault(t, err, tt.kind); f.Ambiguous != tt.ambiguous {
				t.Errorf("got %+v", f)
			}
			if len(p.written()) != 1 {
				t.Errorf("written %d times", len(p.written()))
			}
		})
	}
}

func TestCanEnd(t *testing.T) {
	rightsOf := func(create, modify string) string {
		return responded("GetFolder", "Success", `<m:ResponseCode>NoError</m:ResponseCode><m:Folders><t:CalendarFolder><t:FolderId Id="x"/><t:EffectiveRights>`+
			`<t:CreateAssociated>true</t:CreateAssociated><t:CreateContents>`+create+`</t:CreateContents><t:CreateHierarchy>true</t:CreateHierarchy>`+
			`<t:Delete>true</t:Delete><t:Modify>`+modify+`</t:Modify><t:Read>true</t:Read></t:EffectiveRights></t:CalendarFolder></m:Folders>`)
	}
	for name, tt := range map[string]struct {
		body   string
		kind   rooms.FaultKind // empty: yes
		detail string
	}{
		"everything":        {rightsOf("true", "true"), "", ""},
		"content":           {rightsOf("true", "false"), "", ""},
		"change":            {rightsOf("false", "true"), "", ""},
		"read only":         {rightsOf("false", "false"), rooms.FaultPermission, `Add-MailboxFolderPermission -Identity room:\Calendar -User (the account) -AccessRights Editor`},
		"nothing said":      {responded("GetFolder", "Success", `<m:ResponseCode>NoError</m:ResponseCode>`), rooms.FaultBadAnswer, ""},
		"not even that":     {refusal200("GetFolder", "ErrorAccessDenied"), rooms.FaultPermission, "AccessRights"},
		"no such mailbox":   {refusal200("GetFolder", "ErrorNonExistentMailbox"), rooms.FaultNotFound, "calendar_id"},
		"something else":    {list(), rooms.FaultBadAnswer, ""},
		"not at the moment": {refusal200("GetFolder", "ErrorServerBusy"), rooms.FaultThrottled, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, answerWith(tt.body))
			err := p.calendar(t, func(cfg *Config) { cfg.Impersonate = false }).CanEnd(context.Background(), roomIn("Europe/Berlin"))
			if tt.kind == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if f := checkFault(t, err, tt.kind); !strings.Contains(f.Detail, tt.detail) {
				t.Errorf("detail %q lacks %q", f.Detail, tt.detail)
			}
		})
	}
}
