package caldav

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"roomkiosk/internal/calendar"
)

const (
	dFront = `<?xml version="1.0"?><D:multistatus xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">`
	dBack  = `</D:multistatus>`
	ok     = `<D:status>HTTP/1.1 200 OK</D:status>`
)

// summary says what an answer is about, in a line each.
func summary(all []response) string {
	var out []string
	for _, r := range all {
		p := r.found()
		data := "-"
		if p.Data != nil {
			data = *p.Data
		}
		out = append(out, fmt.Sprintf("%s %d %s %s", strings.TrimSpace(r.Href), r.code(), p.ETag, data))
	}
	return strings.Join(out, "|")
}

func TestMultistatus(t *testing.T) {
	for name, tt := range map[string]struct{ body, want string }{
		"empty":        {`<multistatus xmlns="DAV:"/>`, ""},
		"empty, named": {dFront + dBack, ""},
		"default namespace": {`<multistatus xmlns="DAV:"><response><href>/a</href><propstat><prop><getetag>"1"</getetag>` +
			`<calendar-data xmlns="urn:ietf:params:xml:ns:caldav">X</calendar-data></prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>`, `/a 0 "1" X`},
		"numbered prefixes": {`<ns0:multistatus xmlns:ns0="DAV:" xmlns:ns1="urn:ietf:params:xml:ns:caldav"><ns0:response><ns0:href>/a</ns0:href>` +
			`<ns0:propstat><ns0:status>HTTP/1.1 200 OK</ns0:status><ns0:prop><ns1:calendar-data>X</ns1:calendar-data></ns0:prop></ns0:propstat></ns0:response></ns0:multistatus>`, `/a 0  X`},
		"misleading prefixes": {`<C:multistatus xmlns:C="DAV:" xmlns:D="urn:ietf:params:xml:ns:caldav"><C:response><C:href>/a</C:href>` +
			`<C:propstat><C:prop><D:calendar-data>X</D:calendar-data></C:prop></C:propstat></C:response></C:multistatus>`, `/a 0  X`},
		"another namespace": {dFront + `<D:response><D:href>/a</D:href><D:propstat><D:prop><D:calendar-data>X</D:calendar-data></D:prop>` + ok + `</D:propstat></D:response>` + dBack, `/a 0  -`},
		"some found, some not": {dFront + `<D:response><D:href>/a</D:href><D:propstat><D:prop><D:getetag>"1"</D:getetag></D:prop>` + ok +
			`</D:propstat><D:propstat><D:prop><C:calendar-data/></D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat></D:response>` + dBack, `/a 0 "1" -`},
		"status of a resource": {dFront + `<D:response><D:href>/a</D:href><D:status>HTTP/1.1 404 Not Found</D:status></D:response>` + dBack, `/a 404  -`},
		"CDATA":                {dFront + `<D:response><D:href> /a </D:href><D:propstat><D:prop><C:calendar-data><![CDATA[a&b<c]]></C:calendar-data></D:prop>` + ok + `</D:propstat></D:response>` + dBack, `/a 0  a&b<c`},
		"unknown elements":     {dFront + `<x xmlns="urn:x"><response/></x><D:response><D:href>/a</D:href><D:error><x/></D:error></D:response><D:sync-token>t</D:sync-token>` + dBack, `/a 0  -`},
		"control characters":   {dFront + "<D:response><D:href>/a</D:href><D:propstat><D:prop><C:calendar-data>a\x1fb&#x1F;c&#0;d\xff&#65;&#xD800;</C:calendar-data></D:prop></D:propstat></D:response>" + dBack, "/a 0  a b c d A "},
	} {
		t.Run(name, func(t *testing.T) {
			all, err := readMultistatus([]byte(tt.body))
			if err != nil || summary(all) != tt.want {
				t.Errorf("got %q, %v, want %q", summary(all), err, tt.want)
			}
		})
	}
}

func TestMultistatusRefuses(t *testing.T) {
	bomb := `<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;">]>`
	for name, body := range map[string]string{
		"nothing":             "",
		"text":                "Not Found",
		"HTML":                "<!DOCTYPE html><html><body><p>Log in<br></body></html>",
		"another document":    `<error xmlns="DAV:"/>`,
		"without a namespace": `<multistatus/>`,
		"cut off":             dFront + `<D:response><D:href>/a</D:href></D:response>`,
		"cut in the middle":   dFront + `<D:response><D:href>/a`,
		"bomb":                bomb + dFront + `<D:response><D:href>&lol2;</D:href></D:response>` + dBack,
		"bomb inside":         dFront + `<D:response>` + bomb[21:] + `<D:href>&lol2;</D:href></D:response>` + dBack,
		"external entity":     `<!DOCTYPE x SYSTEM "file:///etc/passwd">` + dFront + dBack,
		"deep":                dFront + strings.Repeat("<x>", 5000) + strings.Repeat("</x>", 5000) + dBack,
		"many":                dFront + strings.Repeat("<D:response/>", maxResponses+1) + dBack,
	} {
		all, err := readMultistatus([]byte(body))
		if err == nil || strings.Contains(err.Error(), "lol") {
			t.Errorf("%s: got %d responses, %v", name, len(all), err)
		}
		if (name == "many") != errors.Is(err, calendar.ErrTooLarge) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestStatusCode(t *testing.T) {
	for line, want := range map[string]int{
		"HTTP/1.1 200 OK": 200, "HTTP/2 404": 404, " HTTP/1.1 507 Insufficient Storage ": 507, "": 0, "OK": 0, "404": 404, "HTTP/1.1 abc": 0, "99": 0,
	} {
		if got := statusCode(line); got != want {
			t.Errorf("%q: got %d", line, got)
		}
	}
}

func TestResolve(t *testing.T) {
	base, err := url.Parse("https://dav.example.com/kiosk/ada/")
	if err != nil {
		t.Fatal(err)
	}
	for href, want := range map[string]string{
		"/kiosk/ada/a.ics": "/kiosk/ada/a.ics",
		"a.ics":            "/kiosk/ada/a.ics",
		"https://dav.example.com/kiosk/ada/a.ics": "/kiosk/ada/a.ics",
		"http://internal:8080/kiosk/ada/a.ics":    "/kiosk/ada/a.ics", // what a proxy hides
		"//other.example.com/a.ics":               "/a.ics",
		"/kiosk/ada/a%20b%2Fc%23.ics":             "/kiosk/ada/a%20b%2Fc%23.ics",
		"/kiosk/ada/a b.ics":                      "/kiosk/ada/a%20b.ics",
		"/kiosk/ada/100%.ics":                     "/kiosk/ada/100%25.ics",
		"\n /kiosk/ada/a.ics \n":                  "/kiosk/ada/a.ics",
		"../../etc/passwd":                        "/etc/passwd",
		"https://other.example.com":               "/",
		"":                                        "",
		"mailto:jane@example.com":                 "",
		"%zz":                                     "",
	} {
		got := ""
		if u := resolve(base, href); u != nil {
			if u.Host != base.Host || u.Scheme != base.Scheme || u.User != nil {
				t.Errorf("%q leads away: %s", href, u)
			}
			got = u.EscapedPath()
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", href, got, want)
		}
	}
}

func FuzzMultistatus(f *testing.F) {
	f.Add([]byte(dFront + `<D:response><D:href>/a%20b</D:href><D:propstat><D:prop><D:getetag>"1"</D:getetag><C:calendar-data>BEGIN:VCALENDAR</C:calendar-data></D:prop>` + ok + `</D:propstat></D:response>` + dBack))
	f.Add([]byte(`<ns0:multistatus xmlns:ns0="DAV:"><ns0:response><ns0:status>HTTP/1.1 507 Full</ns0:status></ns0:response></ns0:multistatus>`))
	f.Add([]byte(`<!DOCTYPE a [<!ENTITY b "c">]><multistatus xmlns="DAV:"><response><href>&b;&#x1f;</href></response></multistatus>`))
	f.Add([]byte(`<multistatus xmlns="DAV:"><response><propstat><prop><resourcetype><calendar xmlns="urn:ietf:params:xml:ns:caldav"/></resourcetype><current-user-privilege-set><privilege><all/></privilege></current-user-privilege-set></prop></propstat></response></multistatus>`))
	base, err := url.Parse("https://dav.example.com/kiosk/ada/")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		all, err := readMultistatus(body)
		if err != nil && len(all) > 0 {
			t.Fatal("an error and responses")
		}
		for _, r := range all {
			p := r.found()
			_, _, _, _ = p.calendar(), p.events(), p.token(), r.code()
			if u := resolve(base, r.Href); u != nil && (u.Host != base.Host || u.Scheme != base.Scheme || strings.Contains(u.EscapedPath(), "#")) {
				t.Fatalf("%q leads to %s", r.Href, u)
			}
		}
		if got := joinLines(splitLines(body)); !bytes.Equal(got, body) {
			t.Fatalf("lines of %q became %q", body, got)
		}
	})
}
