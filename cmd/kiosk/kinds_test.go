package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"roomkiosk/internal/sim"
)

const (
	kindMailbox = "ada@rooms.example.com"
	kindEvent   = "AAMkAG_Ab-Cd_1" // in Graph's form; in EWS's it is AAMkAG+Ab/Cd+1
)

// kindRig is a room on a calendar of some kind, in the midst of an occurrence of a series.
type kindRig struct {
	rig
	calendarID string // what Zoom and the simulated calendar call it
	event      string
}

func newKindRig(t *testing.T, kind string) kindRig {
	t.Helper()
	r := kindRig{rig: newRig(t), calendarID: kindMailbox, event: kindEvent}
	if kind == "google" {
		r.calendarID, r.event = adaCalendar, "ebrg2b87a6uu9c678qhvsiahsc_20261123T090000Z"
	} else {
		r.Calendar.Open(kindMailbox, "Ada Lovelace", time.UTC)
		r.Zoom.AddRoom(sim.ZoomRoom{
			ID: adaZoom, Name: "Ada Lovelace", Kind: sim.OnExchange, CalendarID: kindMailbox,
			CheckIn: sim.ZoomCheckIn{Enabled: true, OpensBefore: 10 * time.Minute, ReleaseAfter: 10 * time.Minute},
		})
	}
	now := time.Now().Truncate(time.Second)
	r.Calendar.Put(r.calendarID, sim.Event{
		ID: r.event, Series: "series5", OriginalStart: now.Add(-time.Minute), Title: "Weekly",
		Organizer: sim.Person{Name: "Jane Doe", Email: "jane@example.com"},
		Attendees: []sim.Attendee{{Person: sim.Person{Email: r.calendarID}, Self: true, Resource: true, Response: sim.Accepted}},
		Start:     now.Add(-time.Minute), End: now.Add(59 * time.Minute),
	})
	r.write(t, "kiosk.toml", r.kindTOML(t, kind))
	return r
}

// kindTOML is the rig's configuration with the room on another kind of calendar.
func (r kindRig) kindTOML(t *testing.T, kind string) string {
	t.Helper()
	id, table := r.calendarID, ""
	switch kind {
	case "google":
		return r.toml()
	case "graph":
		tenant, client, secret := r.GraphCredentials()
		r.write(t, "secret", secret)
		table = fmt.Sprintf("tenant_id = %q\nclient_id = %q\nclient_secret_file = \"secret\"\nurl = %q\ntoken_url = %q",
			tenant, client, r.GraphURL(), r.GraphTokenURL())
	case "ews":
		user, password := r.EWSCredentials()
		r.write(t, "secret", password)
		table = fmt.Sprintf("user = %q\npassword_file = \"secret\"\nurl = %q\nauth = \"ntlm\"\nimpersonate = true", user, r.EWSURL())
	case "caldav":
		id = r.CalDAVURL(r.calendarID)
	case "ics":
		id = r.FeedURL(r.calendarID)
	}
	zoomID := adaZoom
	if kind == "caldav" || kind == "ics" {
		zoomID = ""
	}
	return fmt.Sprintf(`
listen    = "127.0.0.1:0"
data_dir  = %q
time_zone = "Europe/Berlin"

[zoom]
account_id         = "account"
client_id          = "client"
client_secret_file = "zoom-secret"
api_url            = %q
token_url          = %q

[[calendar]]
name = "cal"
kind = %q
poll = "1s"
%s

[[room]]
id           = "ada"
zoom_room_id = %q
calendar     = "cal"
calendar_id  = %q
`, filepath.Join(r.dir, "data"), r.ZoomURL(), r.ZoomTokenURL(), kind, table, zoomID, id)
}

// A check-in and a release of an occurrence, end to end: Zoom receives the ids that it wants for the
// kind of calendar, to the letter.
func TestZoomReceivesTheIdsOfEachKind(t *testing.T) {
	for kind, want := range map[string]string{
		"google": `{"event_id":"ebrg2b87a6uu9c678qhvsiahsc_20261123T090000Z","calendar_id":"` + adaCalendar + `"}`,
		"graph":  `{"event_id":"AAMkAG+Ab/Cd+1","change_key":"KEY","resource_email":"` + kindMailbox + `"}`,
		"ews":    `{"event_id":"AAMkAG+Ab/Cd+1","change_key":"KEY","resource_email":"` + kindMailbox + `"}`,
	} {
		t.Run(kind, func(t *testing.T) {
			r := newKindRig(t, kind)
			before, _ := r.Calendar.Event(r.calendarID, r.event)
			url, log := r.serving(t)
			id := current(t, url)
			tap(t, url, "check-in", id)
			r.checkSent(t, 1, "zoomroom.check_in", strings.Replace(want, "KEY", before.ExchangeChangeKey(), 1))

			eventually(t, "the check-in's effect", func() bool {
				e, _ := r.Calendar.Event(r.calendarID, r.event)
				return !e.CheckedIn.IsZero()
			})
			// Somebody edits the event: its change key is another now, and has to be read afresh.
			r.Calendar.Change(r.calendarID, r.event, func(e *sim.Event) { e.Title = "Weekly, renamed" })
			edited, _ := r.Calendar.Event(r.calendarID, r.event)
			tap(t, url, "release", id)
			r.checkSent(t, 2, "zoomroom.check_out", strings.Replace(want, "KEY", edited.ExchangeChangeKey(), 1))
			eventually(t, "the release to be confirmed", func() bool {
				s := roomAt(t, url)
				return s.Status == "available" && len(s.Actions) == 2 && s.Actions[1].State == "confirmed"
			})
			if e, _ := r.Calendar.Event(r.calendarID, r.event); e.End.After(time.Now()) {
				t.Errorf("the event still ends at %v\n%s", e.End, log)
			}
		})
	}
}

// checkSent waits for the nth request that Zoom carried out, and compares its body.
func (r kindRig) checkSent(t *testing.T, n int, method, params string) {
	t.Helper()
	eventually(t, method, func() bool { return len(r.taps()) == n })
	var patches []sim.Request
	for _, q := range r.Zoom.Requests() {
		if q.Method == http.MethodPatch && q.Status == http.StatusAccepted {
			patches = append(patches, q)
		}
	}
	want := map[string]any{"method": method}
	var named map[string]any
	if err := json.Unmarshal([]byte(params), &named); err != nil {
		t.Fatal(err)
	}
	want["params"] = named
	if diff := cmp.Diff(want, patches[n-1].Body); diff != "" {
		t.Errorf("-want +sent\n%s", diff)
	}
}

func TestRoomWithoutZoomIsReleasedOnItsCalendar(t *testing.T) {
	r := newKindRig(t, "caldav")
	url, log := r.serving(t)
	id := current(t, url)
	if status, _ := tap(t, url, "check-in", id); status != http.StatusAccepted {
		t.Fatalf("check-in: %d", status)
	}
	if s := roomAt(t, url); s.Status != "in_use" || s.Actions[0].State != "confirmed" {
		t.Fatalf("after the check-in: %+v", s)
	}
	tap(t, url, "release", id)
	eventually(t, "the release on the calendar", func() bool {
		e, _ := r.Calendar.Event(r.calendarID, r.event)
		return !e.End.After(time.Now())
	})
	eventually(t, "the kiosk to see it", func() bool {
		s := roomAt(t, url)
		return s.Status == "available" && len(s.Actions) == 2 && s.Actions[1].State == "confirmed"
	})
	if got := r.taps(); len(got) != 0 {
		t.Errorf("zoom received %q\n%s", got, log)
	}
}

func TestFeedOffersNoRelease(t *testing.T) {
	r := newKindRig(t, "ics")
	url, _ := r.serving(t)
	id := current(t, url)
	page, _ := get(t, url+"/rooms/ada/panel")
	if strings.Contains(string(page), `action="/rooms/ada/release"`) || !strings.Contains(string(page), `action="/rooms/ada/check-in"`) {
		t.Errorf("offers\n%s", page)
	}
	if status, _ := tap(t, url, "release", id); status != http.StatusConflict {
		t.Errorf("release: %d", status)
	}
	if status, _ := tap(t, url, "check-in", id); status != http.StatusAccepted {
		t.Errorf("check-in: %d", status)
	}
}

// kiosk check tells apart, for each kind, what is wrong with it, and in whose words it is mended.
func TestCheckOfEachKind(t *testing.T) {
	for name, c := range map[string]struct {
		kind, says string
		spoil      func(t *testing.T, r kindRig)
		code       int
	}{
		"google fine":      {"google", "1 reservations", nil, exitFine},
		"graph fine":       {"graph", "1 reservations", nil, exitFine},
		"graph, secret":    {"graph", "AADSTS7000215", func(t *testing.T, r kindRig) { r.write(t, "secret", "wrong") }, exitFailure},
		"ews fine":         {"ews", "1 reservations", nil, exitFine},
		"ews, password":    {"ews", "password", func(t *testing.T, r kindRig) { r.write(t, "secret", "wrong") }, exitFailure},
		"ews, no role":     {"ews", "ApplicationImpersonation", func(_ *testing.T, r kindRig) { r.EWS.SetImpersonation(false) }, exitFailure},
		"caldav fine":      {"caldav", "goes to the calendar", nil, exitFine},
		"ics is read-only": {"ics", "not offered", nil, exitFine},
	} {
		t.Run(name, func(t *testing.T) {
			r := newKindRig(t, c.kind)
			if c.spoil != nil {
				c.spoil(t, r)
			}
			var out output
			code := program{stdout: &out, stderr: &out}.main(t.Context(), []string{"check", "--config", r.config})
			if code != c.code || !strings.Contains(out.String(), c.says) {
				t.Errorf("%d\n%s", code, out.String())
			}
		})
	}
}
