package sim

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// googleQuery is the query of events.list, checked.
type googleQuery struct {
	from, to      time.Time // zero: unbounded
	updatedMin    time.Time
	single        bool
	order         string
	most          int
	offset        int
	blank         bool // the empty page before the page at offset
	types         []string
	deleted       bool
	zone          *time.Location
	maxAttendees  int
	uid, text     string
	hasProperties bool // asks for extended properties, which no event has
	fields        *fieldMask
	fingerprint   string // of what must stay the same from page to page
}

var (
	listParameters = []string{
		"alwaysIncludeEmail", "eventTypes", "iCalUID", "maxAttendees", "maxResults", "orderBy", "pageToken",
		"privateExtendedProperty", "q", "sharedExtendedProperty", "showDeleted", "showHiddenInvitations",
		"singleEvents", "syncToken", "timeMax", "timeMin", "timeZone", "updatedMin",
	}
	getParameters    = []string{"alwaysIncludeEmail", "maxAttendees", "timeZone"}
	commonParameters = []string{"alt", "fields", "key", "prettyPrint", "quotaUser", "userIp"}
)

// readQuery checks the query of events.list.
func readQuery(q url.Values, in reader) (googleQuery, error) {
	p := parameters{Values: q}
	p.allow(listParameters)
	out := googleQuery{
		from: p.instant("timeMin"), to: p.instant("timeMax"), updatedMin: p.instant("updatedMin"),
		single: p.flag("singleEvents"), order: p.Get("orderBy"), deleted: p.flag("showDeleted"),
		most: p.number("maxResults", 250), maxAttendees: p.number("maxAttendees", 0), types: q["eventTypes"],
		zone: p.zone(in.zone), uid: p.Get("iCalUID"), text: p.Get("q"), fields: p.mask(listSchema),
		hasProperties: p.Has("privateExtendedProperty") || p.Has("sharedExtendedProperty"),
	}
	out.most = min(out.most, 2500)
	p.flag("alwaysIncludeEmail")
	p.flag("showHiddenInvitations")
	p.judge(out)
	if p.err != nil {
		return googleQuery{}, p.err
	}
	out.fingerprint = fingerprint(q)
	return out, out.readPage(p.Get("pageToken"))
}

// judge refuses values that don't go together.
func (p *parameters) judge(q googleQuery) {
	for _, kind := range q.types {
		if !slices.Contains([]Kind{Ordinary, Birthday, FocusTime, FromMail, OutOfOffice, WorkingLocation}, Kind(kind)) {
			p.refuse(badParameter("eventTypes", "Invalid value: "+kind))
		}
	}
	switch {
	case q.order != "" && q.order != "startTime" && q.order != "updated":
		p.refuse(badParameter("orderBy", "Invalid string value: '"+q.order+"'. Allowed values: [startTime, updated]"))
	case q.order == "startTime" && !q.single:
		p.refuse(googleError{400, "global", "badRequest", "The requested ordering is not available for the particular query.", "orderBy"})
	case !q.from.IsZero() && !q.to.IsZero() && !q.to.After(q.from):
		p.refuse(googleError{400, "calendar", "timeRangeEmpty", "The specified time range is empty.", "timeMax"})
	case p.Has("syncToken"):
		p.refuse(judgeSyncToken(p.Values))
	}
}

// judgeSyncToken refuses every sync token: as combined with what it can't be, else as expired, which
// clients must be able to take at any time.
func judgeSyncToken(q url.Values) googleError {
	for _, name := range []string{
		"iCalUID", "orderBy", "privateExtendedProperty", "q", "sharedExtendedProperty", "timeMin", "timeMax", "updatedMin",
	} {
		if q.Has(name) {
			return googleError{400, "global", "badRequest", "Sync token cannot be used with query restrictions.", name}
		}
	}
	return googleError{410, "calendar", "fullSyncRequired", "Sync token is no longer valid, a full sync is required.", "syncToken"}
}

// readPage takes the page token apart. It is good only for the query that it was given out for.
func (q *googleQuery) readPage(token string) error {
	if token == "" {
		q.blank = true
		return nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	part := strings.Split(string(raw), "/")
	if err != nil || len(part) != 3 || part[0] != q.fingerprint {
		return badParameter("pageToken", "Invalid page token value.")
	}
	q.blank = part[2] == "blank"
	q.offset, err = strconv.Atoi(part[1])
	if err != nil || q.offset < 0 {
		return badParameter("pageToken", "Invalid page token value.")
	}
	return nil
}

func (q googleQuery) pageToken(offset int, kind string) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%s/%d/%s", q.fingerprint, offset, kind))
}

// fingerprint names the query without its page token.
func fingerprint(q url.Values) string {
	rest := url.Values{}
	for name, values := range q {
		if name != "pageToken" && name != "fields" {
			rest[name] = values
		}
	}
	sum := sha256.Sum256([]byte(rest.Encode()))
	return fmt.Sprintf("%x", sum[:6])
}

// listEvents answers events.list.
func (g *Google) listEvents(w http.ResponseWriter, in reader) error {
	q, err := readQuery(in.URL.Query(), in)
	if err != nil {
		return err
	}
	matching := g.matching(in, q)
	size, emptyPages := g.paging()
	if size <= 0 || size > q.most {
		size = q.most
	}
	list := googleList{
		Kind: "calendar#events", Summary: in.name, TimeZone: in.zone.String(), AccessRole: in.role,
		Updated: rfc3339ms(in.touched), DefaultReminders: []any{}, Items: []googleEvent{},
	}
	from := min(q.offset, len(matching))
	to := min(from+size, len(matching))
	if emptyPages && q.blank {
		list.NextPageToken = q.pageToken(from, "full")
		return sendGoogle(w, in.Request, list, q.fields)
	}
	for _, e := range matching[from:to] {
		list.Items = append(list.Items, renderGoogle(e, in, q.zone, q.maxAttendees, q.single))
	}
	if to < len(matching) {
		list.NextPageToken = q.pageToken(to, "blank")
	} else {
		list.NextSyncToken = q.pageToken(to, "sync")
	}
	return sendGoogle(w, in.Request, list, q.fields)
}

// matching returns the events that the query asks for, in its order.
func (g *Google) matching(in reader, q googleQuery) []Event {
	var out []Event
	series := map[string]bool{}
	for _, e := range g.calendar.Events(in.calendarID) {
		if !q.single && e.Series != "" {
			if series[e.Series] {
				continue
			}
			series[e.Series] = true
		}
		if q.wants(e, in.zone) {
			out = append(out, e)
		}
	}
	if q.order == "updated" {
		slices.SortStableFunc(out, func(a, b Event) int {
			return cmp.Or(a.Updated.Compare(b.Updated), cmp.Compare(a.ID, b.ID))
		})
	}
	return out
}

func (q googleQuery) wants(e Event, zone *time.Location) bool {
	start, end := e.Span(zone)
	switch {
	case q.hasProperties,
		e.Status == Cancelled && !q.deleted && q.updatedMin.IsZero(),
		!q.from.IsZero() && !end.After(q.from),
		!q.to.IsZero() && !start.Before(q.to),
		!q.updatedMin.IsZero() && e.Updated.Before(q.updatedMin),
		q.uid != "" && q.uid != icalUID(e),
		q.text != "" && !strings.Contains(strings.ToLower(e.Title), strings.ToLower(q.text)):
		return false
	}
	return len(q.types) == 0 || slices.Contains(q.types, string(e.Kind))
}

// getEvent answers events.get. A cancelled event is still there, with that status.
func (g *Google) getEvent(w http.ResponseWriter, in reader) error {
	p := parameters{Values: in.URL.Query()}
	p.allow(getParameters)
	zone, most, mask := p.zone(in.zone), p.number("maxAttendees", 0), p.mask(eventSchema)
	if p.err != nil {
		return p.err
	}
	id := in.PathValue("event")
	e, ok := g.calendar.Event(in.calendarID, id)
	single := true
	if !ok {
		single = false
		e, ok = g.master(in.calendarID, id)
	}
	if !ok {
		return errNotFound
	}
	return sendGoogle(w, in.Request, renderGoogle(e, in, zone, most, single), mask)
}

// master returns the first occurrence of a series, which stands for the series as such.
func (g *Google) master(calendarID, series string) (Event, bool) {
	for _, e := range g.calendar.Events(calendarID) {
		if e.Series == series {
			return e, true
		}
	}
	return Event{}, false
}

// sendGoogle answers with v, its entity tag, and only the fields that were asked for; or with 304.
func sendGoogle(w http.ResponseWriter, r *http.Request, v tagged, mask *fieldMask) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("rendering answer: %w", err)
	}
	sum := sha256.Sum256(body)
	tag := v.tag()
	if tag == "" {
		tag = fmt.Sprintf(`"p%x"`, sum[:8])
	}
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	tree := map[string]any{}
	if err := json.Unmarshal(body, &tree); err != nil {
		return fmt.Errorf("rendering answer: %w", err)
	}
	tree["etag"] = tag
	writeJSON(w, http.StatusOK, mask.apply(tree))
	return nil
}
