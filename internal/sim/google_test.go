package sim_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"roomkiosk/internal/sim"
)

func (b *bench) event(id, query string, header ...string) reply {
	b.t.Helper()
	header = append([]string{"Authorization", "Bearer " + b.google}, header...)
	return b.must("GET", b.GoogleURL()+"/calendars/"+url.PathEscape(adaCal)+"/events/"+id+"?"+query, "", header...)
}

// ids are the event ids of a list.
func ids(t *testing.T, r reply) string {
	t.Helper()
	if r.status != 200 {
		t.Fatalf("list: %d %s", r.status, r.body)
	}
	var all []string
	for _, item := range r.json(t)["items"].([]any) {
		all = append(all, item.(map[string]any)["id"].(string))
	}
	return strings.Join(all, " ")
}

func TestGoogleRefusesWhatGoogleRefuses(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{}).signIn()
	b.meeting("m1", 0, 30)
	cases := []struct {
		query          string
		status         int
		domain, reason string
	}{
		{"orderBy=startTime", 400, "global", "badRequest"},
		{"singleEvents=true&orderBy=title", 400, "global", "invalidParameter"},
		{"singleEvents=yes", 400, "global", "invalidParameter"},
		{"singleEvents=1", 400, "global", "invalidParameter"},
		{"timeMin=2026-11-23T00:00:00", 400, "global", "badRequest"},
		{"timeMin=2026-11-23T00:00:00+01:00", 400, "global", "badRequest"}, // a bare + is a space
		{"timeMax=2026-11-23", 400, "global", "badRequest"},
		{"timeMin=2026-11-23T00:00:00Z&timeMax=2026-11-23T00:00:00Z", 400, "calendar", "timeRangeEmpty"},
		{"maxResults=0", 400, "global", "invalidParameter"},
		{"maxResults=many", 400, "global", "invalidParameter"},
		{"pageToken=made-up", 400, "global", "invalidParameter"},
		{"eventTypes=meeting", 400, "global", "invalidParameter"},
		{"timeZone=Mars/Base", 400, "global", "invalid"},
		{"timemin=2026-11-23T00:00:00Z", 400, "global", "invalidParameter"},
		{"singleEvents=true&singleEvents=true", 400, "global", "invalidParameter"},
		{"alt=xml", 400, "global", "invalidParameter"},
		{"fields=items(id", 400, "global", "invalidParameter"},
		{"fields=items(id))", 400, "global", "invalidParameter"},
		{"fields=items/name", 400, "global", "invalidParameter"},
		{"fields=", 400, "global", "invalidParameter"},
		{"syncToken=x", 410, "calendar", "fullSyncRequired"},
		{"syncToken=x&timeMin=2026-11-23T00:00:00Z", 400, "global", "badRequest"},
	}
	for _, c := range cases {
		t.Run(c.query, func(t *testing.T) {
			r := b.list(c.query)
			if r.status != c.status || !strings.Contains(r.body, `"domain":"`+c.domain+`"`) ||
				!strings.Contains(r.body, `"reason":"`+c.reason+`"`) {
				t.Errorf("got %d %s, want %d %s %s", r.status, r.body, c.status, c.domain, c.reason)
			}
		})
	}
}

func TestGoogleAccess(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{}).signIn()
	if r := b.list("", "Authorization", ""); r.status != 401 || !strings.Contains(r.body, `"required"`) {
		t.Errorf("without a token: %d %s", r.status, r.body)
	}
	if r := b.list("", "Authorization", "Bearer x"); r.status != 401 || !strings.Contains(r.body, `"authError"`) {
		t.Errorf("with a bad token: %d %s", r.status, r.body)
	}
	c := goodClaim(b)
	c["scope"] = "https://www.googleapis.com/auth/calendar.calendarlist.readonly"
	if r := b.list("", "Authorization", "Bearer "+b.googleToken(c)); r.status != 403 || !strings.Contains(r.body, `"insufficientPermissions"`) {
		t.Errorf("without the scope: %d %s", r.status, r.body)
	}
	b.Google.Unshare(adaCal, b.robot.Email)
	if r := b.list(""); r.status != 404 || !strings.Contains(r.body, `"notFound"`) {
		t.Errorf("without a share: %d %s", r.status, r.body)
	}
}

func TestGoogleWindow(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{}).signIn()
	b.meeting("before", -60, 0) // ends as the window begins
	b.meeting("into", -60, 1)
	b.meeting("in", 10, 20)
	b.meeting("outof", 59, 90)
	b.meeting("after", 60, 90) // starts as the window ends
	b.meeting("over", -600, 600)
	got := ids(t, b.list("singleEvents=true&orderBy=startTime&timeMin=2026-11-23T08:00:00Z&timeMax=2026-11-23T10:00:00%2B01:00"))
	if got != "over into in outof" {
		t.Errorf("got %s", got)
	}
}

func TestGoogleAllDayIsInTheCalendarsZone(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{}).signIn()
	b.Calendar.Put(adaCal, sim.Event{ID: "d", StartDate: "2026-11-23", EndDate: "2026-11-24"})
	if got := ids(t, b.list("timeMax=2026-11-22T23:00:00Z")); got != "" {
		t.Errorf("before midnight in Berlin: %s", got)
	}
	if got := ids(t, b.list("timeMax=2026-11-22T23:00:01Z")); got != "d" {
		t.Errorf("after midnight in Berlin: %s", got)
	}
}

func TestGoogleSeriesAndCancelled(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{}).signIn()
	for i, id := range []string{"s1_20261123T080000Z", "s1_20261123T090000Z"} {
		m := b.meeting(id, i*60, i*60+30)
		b.Calendar.Change(adaCal, m.ID, func(e *sim.Event) { e.Series, e.Rule, e.OriginalStart = "s1", "RRULE:FREQ=HOURLY", m.Start })
	}
	if r := b.list(""); ids(t, r) != "s1" || !strings.Contains(r.body, "RRULE:FREQ=HOURLY") {
		t.Errorf("series as such: %s", r.body)
	}
	if got := ids(t, b.list("singleEvents=true&orderBy=startTime")); got != "s1_20261123T080000Z s1_20261123T090000Z" {
		t.Errorf("occurrences: %s", got)
	}
	if r := b.event("s1", ""); r.status != 200 || !strings.Contains(r.body, `"recurrence"`) {
		t.Errorf("series by its id: %d %s", r.status, r.body)
	}

	b.Calendar.Cancel(adaCal, "s1_20261123T080000Z")
	if got := ids(t, b.list("singleEvents=true")); got != "s1_20261123T090000Z" {
		t.Errorf("after a cancellation: %s", got)
	}
	r := b.list("singleEvents=true&showDeleted=true")
	item := r.json(t)["items"].([]any)[0].(map[string]any)
	if item["status"] != "cancelled" || item["start"] != nil || item["originalStartTime"] == nil {
		t.Errorf("cancelled occurrence: %v", item)
	}
	if r := b.event("nope", ""); r.status != 404 {
		t.Errorf("unknown event: %d %s", r.status, r.body)
	}
}

func TestGoogleHidesByRole(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{}).signIn()
	b.meeting("open", 0, 30)
	b.meeting("secret", 30, 60)
	b.Calendar.Change(adaCal, "secret", func(e *sim.Event) { e.Visibility = sim.Private })
	titles := func(role sim.Role) int {
		b.Google.Share(adaCal, b.robot.Email, role)
		return strings.Count(b.list("").body, `"summary":"Weekly"`)
	}
	for role, want := range map[sim.Role]int{sim.FreeBusyReader: 0, sim.Reader: 1, sim.Writer: 2, sim.Owner: 2} {
		if got := titles(role); got != want {
			t.Errorf("%s sees %d titles, want %d", role, got, want)
		}
	}
}

func TestGoogleETags(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{}).signIn()
	b.meeting("m1", 0, 30)
	first := b.list("")
	tag := first.header.Get("ETag")
	if tag == "" || first.json(t)["etag"] != tag {
		t.Fatalf("tag %q, in the body %v", tag, first.json(t)["etag"])
	}
	if r := b.list("", "If-None-Match", tag); r.status != 304 || r.body != "" {
		t.Errorf("unchanged: %d %s", r.status, r.body)
	}
	b.clock.move(time.Minute)
	if r := b.list("", "If-None-Match", tag); r.status != 304 {
		t.Errorf("unchanged a minute later: %d", r.status)
	}
	b.Calendar.Cancel(adaCal, "m1")
	if r := b.list("", "If-None-Match", tag); r.status != 200 || r.header.Get("ETag") == tag {
		t.Errorf("changed: %d %s", r.status, r.header.Get("ETag"))
	}
}

func TestGooglePageTokenIsForItsQuery(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{PageSize: 1}).signIn()
	b.meeting("m1", 0, 30)
	b.meeting("m2", 30, 60)
	token := b.list("singleEvents=true").json(t)["nextPageToken"].(string)
	if got := ids(t, b.list("singleEvents=true&pageToken="+token)); got != "m2" {
		t.Errorf("second page: %s", got)
	}
	if r := b.list("singleEvents=false&pageToken=" + token); r.status != 400 {
		t.Errorf("token of another query: %d %s", r.status, r.body)
	}
}

func TestGoogleMaxAttendeesKeepsTheRoom(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{}).signIn()
	b.meeting("m1", 0, 30)
	b.Calendar.Change(adaCal, "m1", func(e *sim.Event) {
		e.Attendees = []sim.Attendee{
			{Person: sim.Person{Email: "jane@example.com"}, Response: sim.Accepted},
			{Person: sim.Person{Email: adaCal}, Self: true, Resource: true},
		}
	})
	r := b.list("maxAttendees=1")
	if strings.Contains(r.body, `"email":"jane@example.com","organizer"`) || !strings.Contains(r.body, `"attendeesOmitted":true`) ||
		!strings.Contains(r.body, `"responseStatus":"needsAction"`) {
		t.Errorf("got %s", r.body)
	}
}
