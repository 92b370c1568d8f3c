package sim

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// graphView is the query of calendarView, checked.
type graphView struct {
	from, to    time.Time
	fields      []string // nil: all
	order       string
	most        int
	offset      int
	blank       bool // the empty page before the page at offset
	fingerprint string
}

// calendarView answers GET /users/{mailbox}/calendar/calendarView: occurrences, exceptions and single
// events that touch a time range (learn.microsoft.com/graph/api/calendar-list-calendarview).
func (g *Graph) calendarView(w http.ResponseWriter, in graphRequest) error {
	q, err := readGraphView(in.URL.Query())
	if err != nil {
		return err
	}
	g.mu.Lock()
	size, emptyPages := g.cfg.PageSize, g.cfg.EmptyPages
	g.mu.Unlock()
	if size <= 0 || size > q.most {
		size = q.most
	}
	matching := g.inView(in, q)
	from := min(q.offset, len(matching))
	to := min(from+size, len(matching))
	out := map[string]any{
		"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#users('" + in.mailbox + "')/calendar/calendarView", "value": []any{},
	}
	if emptyPages && q.blank {
		out["@odata.nextLink"] = q.link(in, from, "full")
		sendGraph(w, in, out)
		return nil
	}
	items := make([]any, 0, to-from)
	for _, e := range matching[from:to] {
		items = append(items, choose(renderGraph(e, in), q.fields))
	}
	out["value"] = items
	if to < len(matching) {
		out["@odata.nextLink"] = q.link(in, to, "blank")
	}
	sendGraph(w, in, out)
	return nil
}

// inView returns the events of the time range in order. Cancelled ones and those that the room
// declined are among them. Whole days count from midnight to midnight in UTC.
func (g *Graph) inView(in graphRequest, q graphView) []Event {
	var out []Event
	for _, e := range g.calendar.Events(in.mailbox) {
		start, end := e.Span(time.UTC)
		if start.Before(q.to) && (end.After(q.from) || start.Equal(q.from)) {
			out = append(out, e)
		}
	}
	slices.SortStableFunc(out, func(a, b Event) int {
		from, _ := a.Span(time.UTC)
		to, _ := b.Span(time.UTC)
		return cmp.Or(from.Compare(to), cmp.Compare(a.ID, b.ID))
	})
	if q.order == "start/dateTime desc" {
		slices.Reverse(out)
	}
	return out
}

// readGraphView checks the query. What Graph would pass over in silence, such as a name that it
// doesn't know, is refused: it can only be a mistake.
func readGraphView(q url.Values) (graphView, error) {
	known := []string{"startDateTime", "endDateTime", "$select", "$orderby", "$top", "$skiptoken"}
	for name, values := range q {
		if !slices.Contains(known, name) || len(values) != 1 {
			return graphView{}, badGraphQuery("The query parameter '" + name + "' is unknown or was given more than once.")
		}
	}
	if q.Get("startDateTime") == "" || q.Get("endDateTime") == "" {
		return graphView{}, graphError{400, "ErrorInvalidParameter",
			"This request requires a time window specified by the query string parameters StartDateTime and EndDateTime."}
	}
	out := graphView{order: cmp.Or(q.Get("$orderby"), "start/dateTime"), fingerprint: fingerprintGraph(q)}
	var err error
	if out.from, err = graphInstant(q.Get("startDateTime")); err != nil {
		return graphView{}, badGraphQuery("The value of 'startDateTime' is not a time.")
	}
	if out.to, err = graphInstant(q.Get("endDateTime")); err != nil || out.to.Before(out.from) {
		return graphView{}, badGraphQuery("The value of 'endDateTime' is not a time, or not after the start.")
	}
	if out.order != "start/dateTime" && out.order != "start/dateTime desc" && out.order != "start/dateTime asc" {
		return graphView{}, badGraphQuery("The order '" + out.order + "' is not supported.")
	}
	if out.most, err = strconv.Atoi(cmp.Or(q.Get("$top"), "10")); err != nil || out.most < 1 || out.most > 1000 {
		return graphView{}, badGraphQuery("Invalid value '" + q.Get("$top") + "' for $top query option found.")
	}
	if out.fields, err = graphFields(q.Get("$select"), "createdDateTime", "lastModifiedDateTime"); err != nil {
		return graphView{}, err
	}
	return out, out.readToken(q.Get("$skiptoken"))
}

// graphInstant reads a time; without an offset it is in UTC.
func graphInstant(text string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		at, err = time.Parse("2006-01-02T15:04:05", text)
	}
	return at, err
}

// graphFields reads $select. Some properties can't be selected everywhere.
func graphFields(list string, except ...string) ([]string, error) {
	if list == "" {
		return nil, nil
	}
	fields := strings.Split(list, ",")
	for _, name := range fields {
		if !slices.Contains(graphProperties, name) || slices.Contains(except, name) {
			return nil, badGraphQuery("Could not find a property named '" + name + "' on type 'Microsoft.OutlookServices.Event'.")
		}
	}
	return fields, nil
}

// choose returns the selected properties. The id and the entity tag are always among them.
func choose(event map[string]any, fields []string) map[string]any {
	if fields == nil {
		return event
	}
	out := map[string]any{"@odata.etag": event["@odata.etag"], "id": event["id"]}
	for _, name := range fields {
		if v, ok := event[name]; ok {
			out[name] = v
		}
	}
	return out
}

// readToken takes a skip token apart. It is good only for the query that it was given out for.
func (q *graphView) readToken(token string) error {
	q.blank = token == ""
	if token == "" {
		return nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	part := strings.Split(string(raw), "/")
	if err != nil || len(part) != 3 || part[0] != q.fingerprint {
		return badGraphQuery("Skip token is invalid.")
	}
	q.blank = part[2] == "blank"
	if q.offset, err = strconv.Atoi(part[1]); err != nil || q.offset < 0 {
		return badGraphQuery("Skip token is invalid.")
	}
	return nil
}

// link is the address of a further page. Its form is nobody's business: the query comes in an order
// and an encoding that no client makes.
func (q graphView) link(in graphRequest, offset int, kind string) string {
	token := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%s/%d/%s", q.fingerprint, offset, kind))
	var rest []string
	for _, name := range []string{"startDateTime", "$top", "$select", "$orderby", "endDateTime"} {
		if in.URL.Query().Has(name) {
			rest = append(rest, name+"="+strings.ReplaceAll(url.QueryEscape(in.URL.Query().Get(name)), "%2F", "/"))
		}
	}
	return "http://" + in.Host + in.URL.EscapedPath() + "?" + strings.Join(rest, "&") + "&$skiptoken=" + token
}

// fingerprintGraph names the query without its skip token.
func fingerprintGraph(q url.Values) string {
	rest := url.Values{}
	for name, values := range q {
		if name != "$skiptoken" {
			rest[name] = values
		}
	}
	return fingerprint(rest)
}

// getEvent answers GET /users/{mailbox}/events/{id}.
func (g *Graph) getEvent(w http.ResponseWriter, in graphRequest) error {
	q := in.URL.Query()
	if len(q) > 1 || len(q) == 1 && !q.Has("$select") {
		return badGraphQuery("Only $select is known here.")
	}
	fields, err := graphFields(q.Get("$select"))
	if err != nil {
		return err
	}
	e, ok := g.calendar.Event(in.mailbox, in.PathValue("event"))
	if !ok {
		return errGraphItem
	}
	out := choose(renderGraph(e, in), fields)
	out["@odata.context"] = "https://graph.microsoft.com/v1.0/$metadata#users('" + in.mailbox + "')/events/$entity"
	sendGraph(w, in, out)
	return nil
}

func sendGraph(w http.ResponseWriter, in graphRequest, v any) {
	w.Header().Set("Request-Id", newUUID())
	if in.prefer.zoneName != "UTC" {
		w.Header().Set("Preference-Applied", `outlook.timezone="`+in.prefer.zoneName+`"`)
	}
	writeJSON(w, http.StatusOK, v)
}
