package sim_test

import (
	"net/url"
	"strings"
	"testing"

	"roomkiosk/internal/sim"
)

func (b *bench) patchEvent(id, query, body string, header ...string) reply {
	b.t.Helper()
	header = append([]string{"Authorization", "Bearer " + b.google, "Content-Type", "application/json"}, header...)
	return b.must("PATCH", b.GoogleURL()+"/calendars/"+url.PathEscape(adaCal)+"/events/"+id+"?"+query, body, header...)
}

func TestGooglePatch(t *testing.T) {
	const (
		earlier = `{"end":{"dateTime":"2026-11-23T08:10:00Z"}}`
		no      = `{"attendees":[{"email":"` + adaCal + `","responseStatus":"declined"}]}`
		others  = `{"attendees":[{"email":"jane@example.com","responseStatus":"declined"},{"email":"` + adaCal + `","responseStatus":"declined"}]}`
	)
	for name, tt := range map[string]struct {
		id, query, body, scope string
		role                   sim.Role
		etag                   string
		status                 int
		reason                 string
	}{
		"own":               {"own", "sendUpdates=none", earlier, "calendar.events", sim.Writer, "", 200, ""},
		"reading scope":     {"own", "", earlier, "calendar.events.readonly", sim.Writer, "", 403, "insufficientPermissions"},
		"reading role":      {"own", "", earlier, "calendar.events", sim.Reader, "", 403, "requiredAccessLevel"},
		"changed":           {"own", "", earlier, "calendar.events", sim.Writer, `"1"`, 412, "conditionNotMet"},
		"not there":         {"none", "", earlier, "calendar.events", sim.Writer, "", 404, "notFound"},
		"not JSON":          {"own", "", "{", "calendar.events", sim.Writer, "", 400, "parseError"},
		"somebody else's":   {"theirs", "", earlier, "calendar.events", sim.Writer, "", 403, "forbiddenForNonOrganizer"},
		"answer":            {"theirs", "", no, "calendar.events", sim.Owner, "", 200, ""},
		"answer for others": {"theirs", "", others, "calendar.events", sim.Owner, "", 403, "forbiddenForNonOrganizer"},
		"unknown updates":   {"own", "sendUpdates=some", earlier, "calendar.events", sim.Writer, "", 400, "invalidParameter"},
		"day without start": {"day", "", earlier, "calendar.events", sim.Writer, "", 400, "invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, account, sim.GoogleConfig{})
			c := goodClaim(b)
			c["scope"] = "https://www.googleapis.com/auth/" + tt.scope
			b.google = b.googleToken(c)
			b.Google.Share(adaCal, b.robot.Email, tt.role)
			b.meeting("own", 0, 30)
			b.Calendar.Change(adaCal, "own", func(e *sim.Event) { e.Organizer.Email = adaCal; e.Start = e.Start.UTC() })
			b.meeting("theirs", 0, 30)
			b.Calendar.Change(adaCal, "theirs", func(e *sim.Event) {
				e.Organizer.Email = "jane@example.com"
				e.Attendees = []sim.Attendee{{Person: sim.Person{Email: "jane@example.com"}}, {Person: sim.Person{Email: adaCal}, Self: true}}
			})
			b.Calendar.Put(adaCal, sim.Event{ID: "day", Organizer: sim.Person{Email: adaCal}, StartDate: "2026-11-23", EndDate: "2026-11-24"})
			r := b.patchEvent(tt.id, tt.query, tt.body, "If-Match", tt.etag)
			if r.status != tt.status || !strings.Contains(r.body, `"`+tt.reason) {
				t.Errorf("got %d %s", r.status, r.body)
			}
		})
	}
}
