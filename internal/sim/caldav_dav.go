package sim

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	nsDAV    = "DAV:"
	nsCalDAV = "urn:ietf:params:xml:ns:caldav"
	nsCS     = "http://calendarserver.org/ns/"
)

// propfind is the body of PROPFIND.
type propfind struct {
	XMLName xml.Name `xml:"DAV: propfind"`
	Prop    struct {
		Names []struct{ XMLName xml.Name } `xml:",any"`
	} `xml:"DAV: prop"`
}

// calendarQuery is the body of REPORT calendar-query, as far as this server understands it.
type calendarQuery struct {
	XMLName xml.Name `xml:"urn:ietf:params:xml:ns:caldav calendar-query"`
	Prop    struct {
		Data *struct {
			Expand *struct{} `xml:"urn:ietf:params:xml:ns:caldav expand"`
		} `xml:"urn:ietf:params:xml:ns:caldav calendar-data"`
	} `xml:"DAV: prop"`
	Calendar struct {
		Name  string `xml:"name,attr"`
		Event struct {
			Name  string `xml:"name,attr"`
			Range struct {
				Start string `xml:"start,attr"`
				End   string `xml:"end,attr"`
			} `xml:"urn:ietf:params:xml:ns:caldav time-range"`
		} `xml:"urn:ietf:params:xml:ns:caldav comp-filter"`
	} `xml:"urn:ietf:params:xml:ns:caldav filter>comp-filter"`
}

func (d *CalDAV) findCollection(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("calendar")
	book, ok := d.calendar.about(id)
	if !ok {
		http.NotFound(w, r)
		return
	}
	version := versionOf(d.calendar.Events(id))
	write := "<D:privilege><D:write/></D:privilege><D:privilege><D:write-content/></D:privilege>"
	if d.cfg.ReadOnly {
		write = ""
	}
	d.answerFind(w, r, map[xml.Name]string{
		{Space: nsDAV, Local: "resourcetype"}:                        "<D:collection/><C:calendar/>",
		{Space: nsDAV, Local: "displayname"}:                         escapeXML(book.name),
		{Space: nsDAV, Local: "sync-token"}:                          "http://sim.example/sync/" + version,
		{Space: nsCS, Local: "getctag"}:                              version,
		{Space: nsDAV, Local: "owner"}:                               "<D:href>" + principalPath + url.PathEscape(id) + "/</D:href>",
		{Space: nsDAV, Local: "current-user-principal"}:              "<D:href>" + principalPath + url.PathEscape(id) + "/</D:href>",
		{Space: nsDAV, Local: "current-user-privilege-set"}:          "<D:privilege><D:read/></D:privilege>" + write,
		{Space: nsCalDAV, Local: "supported-calendar-component-set"}: `<C:comp name="VEVENT"/>`,
	})
}

// findPrincipal answers about the room that a calendar belongs to. Its address is the calendar's id.
func (d *CalDAV) findPrincipal(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("calendar")
	if _, ok := d.calendar.about(id); !ok {
		http.NotFound(w, r)
		return
	}
	d.answerFind(w, r, map[xml.Name]string{
		{Space: nsDAV, Local: "resourcetype"}:                 "<D:principal/>",
		{Space: nsCalDAV, Local: "calendar-user-address-set"}: "<D:href>mailto:" + escapeXML(id) + "</D:href>",
		{Space: nsCalDAV, Local: "calendar-home-set"}:         "<D:href>" + davPath + url.PathEscape(id) + "/</D:href>",
	})
}

// answerFind answers PROPFIND with what is known of the properties that were asked for.
func (d *CalDAV) answerFind(w http.ResponseWriter, r *http.Request, known map[xml.Name]string) {
	var asked propfind
	if err := xml.NewDecoder(r.Body).Decode(&asked); err != nil || r.Header.Get("Depth") == "infinity" {
		http.Error(w, "a propfind with a depth of 0 or 1 is wanted", http.StatusBadRequest)
		return
	}
	var found, missing strings.Builder
	for _, n := range asked.Prop.Names {
		if value, ok := known[n.XMLName]; ok {
			fmt.Fprintf(&found, "<x:%s xmlns:x=%q>%s</x:%s>", n.XMLName.Local, n.XMLName.Space, value, n.XMLName.Local)
		} else {
			fmt.Fprintf(&missing, "<x:%s xmlns:x=%q/>", n.XMLName.Local, n.XMLName.Space)
		}
	}
	multistatus(w, davResponse(r.URL.EscapedPath(), found.String(), missing.String()))
}

// query answers REPORT calendar-query with the objects that have an event in the time range.
func (d *CalDAV) query(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("calendar")
	book, ok := d.calendar.about(id)
	if !ok {
		http.NotFound(w, r)
		return
	}
	var q calendarQuery
	err := xml.NewDecoder(r.Body).Decode(&q)
	from, errFrom := time.Parse(icsUTC, q.Calendar.Event.Range.Start)
	to, errTo := time.Parse(icsUTC, q.Calendar.Event.Range.End)
	switch {
	case err != nil, errFrom != nil, errTo != nil, r.Header.Get("Depth") != "1", q.Prop.Data == nil,
		q.Calendar.Name != "VCALENDAR", q.Calendar.Event.Name != "VEVENT":
		http.Error(w, "valid-filter", http.StatusForbidden)
		return
	case q.Prop.Data.Expand != nil: // as real servers do for a few harmless events
		http.Error(w, "expansion failed", http.StatusInternalServerError)
		return
	}
	var all strings.Builder
	for _, o := range d.objects(id) {
		if !o.touches(from, to, book.zone) {
			continue
		}
		path := davPath + url.PathEscape(id) + "/" + o.name()
		all.WriteString(davResponse(path, fmt.Sprintf("<D:getetag>%s</D:getetag><C:calendar-data>%s</C:calendar-data>",
			escapeXML(o.etag()), escapeXML(renderICS(o.events, book.zone))), ""))
	}
	multistatus(w, all.String())
}

func (o object) touches(from, to time.Time, zone *time.Location) bool {
	for _, e := range o.events {
		start, end := e.Span(zone)
		if start.Before(to) && (end.After(from) || start.Equal(end) && !start.Before(from)) {
			return true
		}
	}
	return false
}

func davResponse(path, found, missing string) string {
	out := "<D:response><D:href>" + escapeXML(path) + "</D:href>"
	if found != "" {
		out += "<D:propstat><D:prop>" + found + "</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>"
	}
	if missing != "" {
		out += "<D:propstat><D:prop>" + missing + "</D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>"
	}
	return out + "</D:response>"
}

func multistatus(w http.ResponseWriter, responses string) {
	w.Header().Set("Content-Type", "application/xml; charset=utf-8")
	w.WriteHeader(http.StatusMultiStatus)
	_, _ = io.WriteString(w, `<?xml version="1.0" encoding="utf-8"?>`+ // the client may have gone
		`<D:multistatus xmlns:D="`+nsDAV+`" xmlns:C="`+nsCalDAV+`">`+responses+`</D:multistatus>`)
}

func escapeXML(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a builder takes everything
	return b.String()
}
