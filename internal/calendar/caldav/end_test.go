package caldav_test

import (
	"net/http"
	"strings"
	"testing"

	"roomkiosk/internal/rooms"
)

func TestEndAnswers(t *testing.T) {
	for name, tt := range map[string]struct {
		put  http.HandlerFunc
		kind rooms.FaultKind // empty: done
		sure bool            // that nothing was changed
	}{
		"created":         {put: text(201, "", "")},
		"done":            {put: text(204, "", "")},
		"read-only":       {put: text(403, "application/xml", "<x/>"), kind: rooms.FaultPermission, sure: true},
		"not changeable":  {put: text(405, "text/plain", ""), kind: rooms.FaultPermission, sure: true},
		"a proxy's no":    {put: text(403, "text/html", "<html>"), kind: rooms.FaultBadAnswer, sure: true},
		"refused user":    {put: text(401, "", ""), kind: rooms.FaultCredentials, sure: true},
		"not taken":       {put: text(422, "", ""), kind: rooms.FaultInvalid, sure: true},
		"changed always":  {put: text(412, "", ""), kind: rooms.FaultTrouble, sure: true},
		"failed":          {put: text(500, "", ""), kind: rooms.FaultTrouble},
		"a page":          {put: text(200, "text/html", "<html>")},
		"another success": {put: text(207, "application/xml", "<x/>"), kind: rooms.FaultBadAnswer},
		"cut":             {put: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, kind: rooms.FaultUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStub(t)
			k := newKiosk(t, s.URL+"/ada/", "", "")
			ref := only(t, k.read(t), "Kick-off").Ref
			s.answer(http.MethodPut, tt.put)
			err := k.End(t.Context(), k.room, ref, k.now)
			if tt.kind == "" && err != nil {
				t.Fatal(err)
			}
			if tt.kind != "" {
				wantFault(t, err, tt.kind)
				if err != nil && rooms.FaultOf(err).Ambiguous == tt.sure {
					t.Errorf("ambiguous: %v", err)
				}
			}
			if s.header(http.MethodPut, "If-Match") != `"1"` || s.header(http.MethodGet, "Accept-Encoding") != "identity" {
				t.Error("not a conditional change of the bytes that were read")
			}
		})
	}
}

// Where the room may not change a meeting, it declines it.
func TestEndDeclines(t *testing.T) {
	s := newStub(t)
	invited := strings.Replace(single, "SUMMARY", "ORGANIZER:mailto:jane@example.com\nATTENDEE;PARTSTAT=ACCEPTED;CUTYPE=ROOM:mailto:ada@example.com\nSUMMARY", 1)
	s.answer(http.MethodGet, text(200, "text/calendar", invited, "ETag", `"1"`))
	k := newKiosk(t, s.URL+"/ada/", "", "")
	ref := only(t, k.read(t), "Kick-off").Ref
	s.answer(http.MethodPut, func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(s.body(http.MethodPut), "DURATION:PT1H") {
			w.WriteHeader(http.StatusNoContent)
		} else {
			text(403, "application/xml", `<error xmlns="DAV:"/>`)(w, r)
		}
	})
	if err := k.End(t.Context(), k.room, ref, k.now); err != nil {
		t.Fatal(err)
	}
	if body := s.body(http.MethodPut); !strings.Contains(body, "ATTENDEE;PARTSTAT=DECLINED;CUTYPE=ROOM:mailto:ada@example.com\n") {
		t.Errorf("sent\n%s", body)
	}
}

func TestEndWithoutTag(t *testing.T) {
	s := newStub(t)
	s.answer(http.MethodGet, text(200, "text/calendar", single))
	k := newKiosk(t, s.URL+"/ada/", "", "")
	ref := only(t, k.read(t), "Kick-off").Ref
	wantFault(t, k.End(t.Context(), k.room, ref, k.now), rooms.FaultBadAnswer, "ETag")
}

func TestCanEnd(t *testing.T) {
	rights := func(list string) http.HandlerFunc {
		return multi(multiFront + `<D:response><D:href>/ada/</D:href><D:propstat><D:prop><D:resourcetype><C:calendar/></D:resourcetype>` +
			`<D:current-user-privilege-set>` + list + `</D:current-user-privilege-set></D:prop>` + found + multiBack)
	}
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		kind   rooms.FaultKind
	}{
		"everything":      {answer: rights(`<D:privilege><D:all/></D:privilege>`)},
		"writing":         {answer: rights(`<D:privilege><D:read/></D:privilege><D:privilege><D:write/></D:privilege>`)},
		"contents":        {answer: rights(`<D:privilege><D:read/></D:privilege><D:privilege><D:write-content/></D:privilege>`)},
		"not told":        {answer: multi(isCalendar("1"))},
		"reading":         {answer: rights(`<D:privilege><D:read/></D:privilege>`), kind: rooms.FaultPermission},
		"adding":          {answer: rights(`<D:privilege><D:bind/></D:privilege>`), kind: rooms.FaultPermission},
		"nothing":         {answer: rights(``), kind: rooms.FaultPermission},
		"not forthcoming": {answer: text(503, "", ""), kind: rooms.FaultTrouble},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStub(t)
			k := newKiosk(t, s.URL+"/ada/", "", "")
			k.read(t)
			s.answer("PROPFIND", tt.answer)
			err := k.CanEnd(t.Context(), k.room)
			if tt.kind == "" && err != nil {
				t.Error(err)
			}
			if tt.kind != "" {
				wantFault(t, err, tt.kind)
			}
		})
	}
}
