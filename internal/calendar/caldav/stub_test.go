package caldav_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"roomkiosk/internal/rooms"
)

// stub is a server that answers each method in its own way, for what real servers can't be brought
// to say.
type stub struct {
	*httptest.Server
	mu      sync.Mutex
	answers map[string]http.HandlerFunc // by method
	bodies  map[string]string           // last request's, by method
	headers map[string]http.Header
}

const (
	multiFront = `<?xml version="1.0"?><D:multistatus xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:S="http://calendarserver.org/ns/">`
	multiBack  = `</D:multistatus>`
	found      = `<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>`
)

// isCalendar is the answer to PROPFIND of a calendar with a tag.
func isCalendar(tag string) string {
	return multiFront + `<D:response><D:href>/ada/</D:href><D:propstat><D:prop><D:resourcetype><D:collection/><C:calendar/></D:resourcetype>` +
		`<S:getctag>` + tag + `</S:getctag></D:prop>` + found + multiBack
}

func member(href, data string) string {
	data = strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(data)
	return `<D:response><D:href>` + href + `</D:href><D:propstat><D:prop><D:getetag>"1"</D:getetag><C:calendar-data>` + data + `</C:calendar-data></D:prop>` + found
}

// newStub is a calendar with one event; answers can be replaced.
func newStub(t *testing.T) *stub {
	t.Helper()
	s := &stub{bodies: map[string]string{}, headers: map[string]http.Header{}}
	s.answers = map[string]http.HandlerFunc{
		"PROPFIND":     multi(isCalendar("1")),
		"REPORT":       multi(multiFront + member("/ada/single.ics", single) + multiBack),
		http.MethodGet: text(200, "text/calendar", single, "ETag", `"1"`),
		http.MethodPut: text(204, "", ""),
	}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.bodies[r.Method], s.headers[r.Method] = string(body), r.Header.Clone()
		answer := s.answers[r.Method]
		s.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *stub) answer(method string, with http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[method] = with
}

// body is that of the last request with a method.
func (s *stub) body(method string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bodies[method]
}

// header is one of the last request with a method.
func (s *stub) header(method, name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.headers[method].Get(name)
}

func text(status int, kind, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func multi(body string) http.HandlerFunc { return text(207, "application/xml", body) }

func TestReadFaults(t *testing.T) {
	page := "<!DOCTYPE html><html><title>Log in</title></html>"
	for name, tt := range map[string]struct {
		propfind, report http.HandlerFunc // nil: as it should be
		kind             rooms.FaultKind
		words            []string
	}{
		"refused user":          {propfind: text(401, "text/plain", ""), kind: rooms.FaultCredentials, words: []string{"app password"}},
		"forbidden":             {propfind: text(403, "application/xml", "<x/>"), kind: rooms.FaultPermission, words: []string{"share", "calendar dav"}},
		"forbidden, a page":     {propfind: text(403, "text/html", page), kind: rooms.FaultBadAnswer, words: []string{"wrong URL"}},
		"not there":             {propfind: text(404, "text/plain", ""), kind: rooms.FaultNotFound, words: []string{"calendar_id"}},
		"gone":                  {propfind: text(410, "text/plain", ""), kind: rooms.FaultNotFound},
		"no CalDAV":             {propfind: text(405, "text/html", page), kind: rooms.FaultNotFound, words: []string{"no CalDAV"}},
		"not implemented":       {propfind: text(501, "text/html", page), kind: rooms.FaultNotFound, words: []string{"no CalDAV"}},
		"a login page":          {propfind: text(200, "text/html; charset=utf-8", page), kind: rooms.FaultBadAnswer, words: []string{"login page"}},
		"a page as multistatus": {propfind: text(207, "text/html", page), kind: rooms.FaultBadAnswer, words: []string{"web page"}},
		"throttled":             {propfind: text(429, "text/plain", "", "Retry-After", "7"), kind: rooms.FaultThrottled},
		"down":                  {propfind: text(503, "text/html", page), report: text(503, "text/html", page), kind: rooms.FaultTrouble},
		"elsewhere":             {propfind: text(301, "", "", "Location", "https://other.example.com/"), kind: rooms.FaultBadAnswer, words: []string{"another host"}},
		"another scheme":        {propfind: text(302, "", "", "Location", "ftp://127.0.0.1/"), kind: rooms.FaultBadAnswer, words: []string{"another host"}},
		"in circles":            {propfind: text(308, "", "", "Location", "/ada/"), kind: rooms.FaultBadAnswer},
		"nowhere":               {propfind: text(302, "", ""), kind: rooms.FaultBadAnswer},
		"huge":                  {report: multi(multiFront + strings.Repeat(" ", 9<<20) + multiBack), kind: rooms.FaultBadAnswer, words: []string{"8 MB"}},
		"bomb":                  {report: multi(`<!DOCTYPE x [<!ENTITY a "a">]>` + multiFront + multiBack), kind: rooms.FaultBadAnswer},
		"cut off":               {report: multi(multiFront + member("/ada/single.ics", single)), kind: rooms.FaultBadAnswer},
		"cut off by itself": {report: multi(multiFront + member("/ada/single.ics", single) + `<D:response><D:href>/ada/</D:href>` +
			`<D:status>HTTP/1.1 507 Insufficient Storage</D:status></D:response>` + multiBack), kind: rooms.FaultBadAnswer},
		"cut off elsewhere": {report: multi(multiFront + member("/ada/single.ics", single) + `<D:response><D:href>/</D:href>` +
			`<D:status>HTTP/1.1 507 Insufficient Storage</D:status></D:response>` + multiBack), kind: rooms.FaultBadAnswer},
		"not listed": {report: multi(multiFront + `<D:response><D:href>/ada/</D:href><D:status>HTTP/1.1 404 Not Found</D:status></D:response>` + multiBack),
			kind: rooms.FaultBadAnswer},
		"nothing that can be read": {report: multi(multiFront + member("/ada/a", "x") + member("/ada/b", "y") + multiBack), kind: rooms.FaultBadAnswer},
		"no query":                 {report: text(403, "application/xml", "<x/>"), kind: rooms.FaultPermission},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStub(t)
			if tt.propfind != nil {
				s.answer("PROPFIND", tt.propfind)
			}
			if tt.report != nil {
				s.answer("REPORT", tt.report)
			}
			k := newKiosk(t, s.URL+"/ada/", "kiosk", "secret")
			_, err := k.Read(t.Context(), k.room, day(t), day(t).AddDate(0, 0, 2))
			wantFault(t, err, tt.kind, tt.words...)
			if err != nil && (strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "Log in")) {
				t.Errorf("the error tells too much: %v", err)
			}
			if name == "throttled" && rooms.FaultOf(err).RetryAfter != 7*time.Second {
				t.Errorf("got %v", rooms.FaultOf(err).RetryAfter)
			}
		})
	}
}

// One object that can't be read costs that object.
func TestBrokenObjects(t *testing.T) {
	s := newStub(t)
	s.answer("REPORT", multi(multiFront+
		`<D:response><D:href>/ada/</D:href><D:propstat><D:prop><D:getetag>"c"</D:getetag></D:prop>`+found+
		member("/ada/broken.ics", "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:secret title")+
		member("/ada/no-start.ics", "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:n\nSUMMARY:secret title\nEND:VEVENT\nEND:VCALENDAR\n")+
		`<D:response><D:href>/ada/deleted.ics</D:href><D:status>HTTP/1.1 404 Not Found</D:status></D:response>`+
		`<D:response><D:href>/ada/failed.ics</D:href><D:status>HTTP/1.1 500 Oops</D:status></D:response>`+
		`<D:response><D:href>/ada/empty.ics</D:href><D:propstat><D:prop><C:calendar-data/></D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat></D:response>`+
		`<D:response><D:propstat><D:prop><C:calendar-data>x</C:calendar-data></D:prop>`+found+
		member("http://internal/ada/single.ics", single+"\x0c")+multiBack))
	k := newKiosk(t, s.URL+"/ada/", "", "")
	if got := brief(k.read(t), k.room.Zone); got != "23 09:00-10:00 Kick-off" {
		t.Errorf("got %s", got)
	}
	if got := k.Dropped(); got != 5 {
		t.Errorf("%d dropped", got)
	}
}

// Without tags, or when they can't be had any more, every read is a whole one.
func TestTags(t *testing.T) {
	s := newStub(t)
	k := newKiosk(t, s.URL+"/ada/", "", "")
	for _, step := range []struct {
		name string
		tags http.HandlerFunc
		want string
	}{
		{"at first", nil, "PROPFIND 207, REPORT 207"},
		{"unchanged", nil, "PROPFIND 207"},
		{"changed", multi(isCalendar("2")), "PROPFIND 207, REPORT 207"},
		{"no tags", multi(isCalendar("")), "PROPFIND 207, REPORT 207"},
		{"no tags again", nil, "PROPFIND 207, REPORT 207"},
		{"no state", text(500, "", ""), "PROPFIND 500, REPORT 207"},
		{"no state again", nil, "PROPFIND 500, REPORT 207"},
		{"a token that is none", text(403, "application/xml", `<error xmlns="DAV:"><valid-sync-token/></error>`), "PROPFIND 403, REPORT 207"},
		{"back", multi(isCalendar("2")), "PROPFIND 207, REPORT 207"},
		{"and unchanged", nil, "PROPFIND 207"},
	} {
		if step.tags != nil {
			s.answer("PROPFIND", step.tags)
		}
		k.recorder.take()
		if got := brief(k.read(t), k.room.Zone); got != "23 09:00-10:00 Kick-off" {
			t.Errorf("%s: got %s", step.name, got)
		}
		if got := k.recorder.take(); got != step.want {
			t.Errorf("%s: sent %s, want %s", step.name, got, step.want)
		}
	}
	k.now = k.now.Add(time.Hour)
	if k.read(t); k.recorder.take() != "PROPFIND 207, REPORT 207" {
		t.Error("a tag is believed for ever")
	}
	k.now = k.now.Add(-2 * time.Hour)
	if k.read(t); k.recorder.take() != "PROPFIND 207, REPORT 207" {
		t.Error("a tag from the future is believed")
	}
}

// A server that has no tags for a question may still have an answer for the query.
func TestFirstReadWithoutState(t *testing.T) {
	s := newStub(t)
	s.answer("PROPFIND", text(500, "text/plain", ""))
	k := newKiosk(t, s.URL+"/ada/", "", "")
	if got := brief(k.read(t), k.room.Zone); got != "23 09:00-10:00 Kick-off" {
		t.Errorf("got %s", got)
	}
}

// A moved calendar is asked with the same method and body, on the same host.
func TestRedirect(t *testing.T) {
	s := newStub(t)
	for _, method := range []string{"PROPFIND", "REPORT"} {
		there := s.answers[method]
		s.answer(method, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/old/" {
				http.Redirect(w, r, "/ada/", http.StatusMovedPermanently)
				return
			}
			there(w, r)
		})
	}
	k := newKiosk(t, s.URL+"/old/", "", "")
	if got := brief(k.read(t), k.room.Zone); got != "23 09:00-10:00 Kick-off" {
		t.Errorf("got %s", got)
	}
	if got := k.recorder.take(); got != "PROPFIND 301, PROPFIND 207, REPORT 207" {
		t.Errorf("sent %s", got)
	}
	if !strings.Contains(s.body("REPORT"), `start="20261121T230000Z"`) || s.header("REPORT", "Depth") != "1" || strings.Contains(s.body("REPORT"), "expand") {
		t.Errorf("asked %s", s.body("REPORT"))
	}
}

// That an event is not there only counts from a server that has the calendar.
func TestLookupMissing(t *testing.T) {
	s := newStub(t)
	k := newKiosk(t, s.URL+"/ada/", "", "")
	ref := only(t, k.read(t), "Kick-off").Ref
	if !strings.HasPrefix(ref.EventID, "/ada/single.ics#") || ref.ChangeKey != "" {
		t.Errorf("got %+v", ref)
	}
	s.answer(http.MethodGet, text(404, "text/html", "<html>"))
	_, err := k.Lookup(t.Context(), k.room, ref)
	wantFault(t, err, rooms.FaultNotFound)
	if err := k.End(t.Context(), k.room, ref, k.now); err != nil {
		t.Error(err)
	}
	s.answer("PROPFIND", text(404, "text/html", "<html>"))
	_, err = k.Lookup(t.Context(), k.room, ref)
	wantFault(t, err, rooms.FaultBadAnswer)
	wantFault(t, k.End(t.Context(), k.room, ref, k.now), rooms.FaultBadAnswer)
	k = newKiosk(t, s.URL+"/ada/", "", "")
	_, err = k.Lookup(t.Context(), k.room, ref)
	wantFault(t, err, rooms.FaultBadAnswer)
	s.answer("PROPFIND", multi(isCalendar("1")))
	for _, id := range []string{"", "x", "#", "/ada/single.ics#", "https://other.example.com/a#b"} {
		_, err := k.Lookup(t.Context(), k.room, rooms.EventRef{EventID: id})
		wantFault(t, err, rooms.FaultNotFound)
	}
	s.answer(http.MethodGet, text(200, "text/html", "<html>"))
	_, err = k.Lookup(t.Context(), k.room, ref)
	wantFault(t, err, rooms.FaultBadAnswer, "web page")
}

// The addresses of the calendar's owner tell which attendee is the room.
func TestOwnAddress(t *testing.T) {
	s := newStub(t)
	s.answer("PROPFIND", multi(multiFront+`<D:response><D:href>/ada/</D:href><D:propstat><D:prop><D:resourcetype><C:calendar/></D:resourcetype>`+
		`<D:owner><D:href>/principals/ada/</D:href></D:owner></D:prop>`+found+multiBack))
	declined := strings.Replace(single, "SUMMARY", "ORGANIZER:mailto:jane@example.com\nATTENDEE;PARTSTAT=DECLINED:mailto:ada@example.com\nSUMMARY", 1)
	s.answer("REPORT", multi(multiFront+member("/ada/declined.ics", declined)+multiBack))
	there := s.answers["PROPFIND"]
	s.answer("PROPFIND", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/principals/ada/" {
			multi(multiFront+`<D:response><D:href>/principals/ada/</D:href><D:propstat><D:prop>`+
				`<C:calendar-user-address-set><D:href>mailto:ADA@example.com</D:href></C:calendar-user-address-set></D:prop>`+found+multiBack)(w, r)
			return
		}
		there(w, r)
	})
	k := newKiosk(t, s.URL+"/ada/", "", "")
	if got := k.read(t); len(got) != 0 {
		t.Errorf("got %v", got)
	}
	s.answer("PROPFIND", there)
	k = newKiosk(t, s.URL+"/ada/", "", "")
	if got := k.read(t); len(got) != 1 {
		t.Errorf("an owner without an address: got %v", got)
	}
}

func TestRoomsThatCannotBeAsked(t *testing.T) {
	for url, word := range map[string]string{
		"": "no calendar_id", "http://dav.example.com/": "https", "https://u:secret@dav.example.com/": "user", "dav.example.com": "URL",
	} {
		k := newKiosk(t, url, "", "")
		_, err := k.Read(t.Context(), k.room, day(t), day(t).AddDate(0, 0, 2))
		wantFault(t, err, rooms.FaultInvalid, word)
		wantFault(t, k.CanEnd(t.Context(), k.room), rooms.FaultInvalid, word)
	}
	k := newKiosk(t, "https://dav.example.com/", "", "")
	_, err := k.Read(t.Context(), k.room, day(t), day(t))
	wantFault(t, err, rooms.FaultInvalid)
	k.room.Zone = nil
	_, err = k.Read(t.Context(), k.room, day(t), day(t).AddDate(0, 0, 2))
	wantFault(t, err, rooms.FaultInvalid)
}
