package google

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"roomkiosk/internal/rooms"
)

func TestRequest(t *testing.T) {
	var got *http.Request
	p := newPeer(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		say(w, list(""))
	})
	room := roomIn("Europe/Berlin")
	room.CalendarID = "en.german#holiday/x@group.v.calendar.google.com"
	from, to := days(room, "2026-10-24", 2)
	if _, err := p.calendar(t).Read(context.Background(), room, from, to); err != nil {
		t.Fatal(err)
	}
	if path := "/calendar/v3/calendars/en.german%23holiday%2Fx@group.v.calendar.google.com/events"; got.URL.EscapedPath() != path {
		t.Errorf("path %s", got.URL.EscapedPath())
	}
	if got.Header.Get("Authorization") != "Bearer secret-t1" {
		t.Errorf("authorization %q", got.Header.Get("Authorization"))
	}
	for name, want := range map[string]string{
		"singleEvents": "true", "orderBy": "startTime", "showDeleted": "false", "maxResults": "250",
		"timeMin": "2026-10-24T00:00:00+02:00", "timeMax": "2026-10-26T00:00:00+01:00", "timeZone": "Europe/Berlin",
		"eventTypes": "default fromGmail", "maxAttendees": "1", "syncToken": "", "pageToken": "",
	} {
		if said := strings.Join(got.URL.Query()[name], " "); said != want {
			t.Errorf("%s is %q, want %q", name, said, want)
		}
	}
}

func TestPages(t *testing.T) {
	page := map[string]string{
		"":   list("p2", timed("a", "2026-11-23T10:00:00+01:00", "2026-11-23T10:30:00+01:00", "")),
		"p2": `{"kind":"calendar#events","nextPageToken":"p3"}`,
		"p3": list("p4"),
		"p4": list("", timed("b", "2026-11-23T11:00:00+01:00", "2026-11-23T11:30:00+01:00", ""),
			timed("a", "2026-11-23T12:00:00+01:00", "2026-11-23T12:30:00+01:00", "")),
	}
	p := newPeer(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"v1"`)
		if r.Header.Get("If-None-Match") != "" {
			t.Error("a listing of several pages was asked for conditionally")
		}
		say(w, page[r.URL.Query().Get("pageToken")])
	})
	c := p.calendar(t)
	for range 2 {
		read, err := readDay(context.Background(), c)
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"11-23 11:00+01 11-23 11:30+01", "11-23 12:00+01 11-23 12:30+01"}
		if diff := cmp.Diff(want, lines(read, zone("Europe/Berlin"))); diff != "" {
			t.Error(diff)
		}
	}
	_, queries := p.asked()
	if len(queries) != 8 {
		t.Fatalf("%d requests", len(queries))
	}
	for _, q := range queries[1:4] {
		q.Del("pageToken")
		if diff := cmp.Diff(queries[0], q); diff != "" {
			t.Errorf("another query for a later page: %s", diff)
		}
	}
}

func TestPagesWithoutEnd(t *testing.T) {
	for name, tt := range map[string]struct {
		next     func(n int32) string
		requests int32
	}{
		"the same token": {func(int32) string { return "again" }, 2},
		"a circle":       {func(n int32) string { return fmt.Sprint("p", n%5) }, 6},
		"ever new":       {func(n int32) string { return fmt.Sprint("p", n) }, maxPages},
	} {
		t.Run(name, func(t *testing.T) {
			var n atomic.Int32
			p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) { say(w, list(tt.next(n.Add(1)))) })
			_, err := readDay(context.Background(), p.calendar(t))
			checkFault(t, err, rooms.FaultBadAnswer)
			if n.Load() != tt.requests {
				t.Errorf("%d requests, want %d", n.Load(), tt.requests)
			}
		})
	}
}

// TestOnlyTheFirstPageIsConditional: a calendar that grew to a second page since it was remembered.
func TestOnlyTheFirstPageIsConditional(t *testing.T) {
	var sent []string
	next := ""
	p := newPeer(t, func(w http.ResponseWriter, r *http.Request) {
		sent = append(sent, r.URL.Query().Get("pageToken")+r.Header.Get("If-None-Match"))
		w.Header().Set("ETag", `"v"`)
		say(w, list(next))
		next = ""
	})
	c := p.calendar(t)
	for range 2 {
		if _, err := readDay(context.Background(), c); err != nil {
			t.Fatal(err)
		}
		next = "p2"
	}
	if diff := cmp.Diff([]string{"", `"v"`, "p2"}, sent); diff != "" {
		t.Error(diff)
	}
}

func TestPageThatFailsFailsTheRead(t *testing.T) {
	p := newPeer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("pageToken") {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		say(w, list("p2", at10("")))
	})
	read, err := readDay(context.Background(), p.calendar(t))
	checkFault(t, err, rooms.FaultTrouble)
	if read != nil {
		t.Errorf("got %v", read)
	}
}

// etagPeer answers with the current version and honours If-None-Match.
func etagPeer(t *testing.T, version *atomic.Int32) (p *peer, whole *atomic.Int32) {
	whole = &atomic.Int32{}
	return newPeer(t, func(w http.ResponseWriter, r *http.Request) {
		tag := fmt.Sprintf(`W/"v%d"`, version.Load())
		w.Header().Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		whole.Add(1)
		say(w, list("", at10(fmt.Sprintf(`"summary":"v%d"`, version.Load()))))
	}), whole
}

func TestUnchangedCalendarCostsNoWholeAnswer(t *testing.T) {
	var version atomic.Int32
	p, whole := etagPeer(t, &version)
	c := p.calendar(t)
	for step, want := range []struct {
		version int32
		whole   int32
	}{{1, 1}, {1, 1}, {1, 1}, {2, 2}, {2, 2}} {
		version.Store(want.version)
		read, err := readDay(context.Background(), c)
		if err != nil {
			t.Fatal(err)
		}
		if got := lines(read, zone("Europe/Berlin"))[0]; !strings.HasSuffix(got, fmt.Sprint("v", want.version)) || whole.Load() != want.whole {
			t.Errorf("step %d: got %s after %d whole answers", step, got, whole.Load())
		}
		read[0].Title = "changed by the caller"
	}
}

func TestAnotherWindowIsNotTheSameAnswer(t *testing.T) {
	var version atomic.Int32
	p, whole := etagPeer(t, &version)
	c := p.calendar(t)
	room := roomIn("Europe/Berlin")
	for n := 1; n < 4; n++ {
		from, to := days(room, "2026-11-23", n)
		if _, err := c.Read(context.Background(), room, from, to); err != nil {
			t.Fatal(err)
		}
	}
	other := room
	other.CalendarID = "c_2"
	from, to := days(room, "2026-11-23", 3)
	if _, err := c.Read(context.Background(), other, from, to); err != nil {
		t.Fatal(err)
	}
	if whole.Load() != 4 {
		t.Errorf("%d whole answers", whole.Load())
	}
}

func TestWholeAnswerEveryFewMinutes(t *testing.T) {
	var version atomic.Int32
	p, whole := etagPeer(t, &version)
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	c := p.calendar(t, func(cfg *Config) { cfg.Now = func() time.Time { return now } })
	for _, step := range []struct {
		after time.Duration
		whole int32
	}{{0, 1}, {time.Minute, 1}, {maxUnchanged, 2}, {time.Minute, 2}, {-time.Hour, 3}} {
		now = now.Add(step.after)
		if _, err := readDay(context.Background(), c); err != nil {
			t.Fatal(err)
		}
		if whole.Load() != step.whole {
			t.Errorf("at %v: %d whole answers, want %d", now, whole.Load(), step.whole)
		}
	}
}

func TestFaultDoesNotForgetTheLastAnswer(t *testing.T) {
	var version atomic.Int32
	p, whole := etagPeer(t, &version)
	good := p.api
	c := p.calendar(t)
	if _, err := readDay(context.Background(), c); err != nil {
		t.Fatal(err)
	}
	p.api = answerWith("{}")
	_, err := readDay(context.Background(), c)
	checkFault(t, err, rooms.FaultBadAnswer)
	p.api = good
	read, err := readDay(context.Background(), c)
	if err != nil || len(read) != 1 || whole.Load() != 1 {
		t.Errorf("got %v, %v after %d whole answers", read, err, whole.Load())
	}
}

func TestNotModifiedThatNobodyAskedFor(t *testing.T) {
	p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) })
	_, err := readDay(context.Background(), p.calendar(t))
	checkFault(t, err, rooms.FaultBadAnswer)
}

// TestHiddenAnswerOfTheRoom: a server that leaves out even the room's own entry is asked for all.
func TestHiddenAnswerOfTheRoom(t *testing.T) {
	p := newPeer(t, func(w http.ResponseWriter, r *http.Request) {
		attendees := `"attendees":[{"email":"jane@example.com"},{"self":true,"responseStatus":"declined"}]`
		if r.URL.Query().Has("maxAttendees") {
			attendees = `"attendeesOmitted":true`
		}
		say(w, list("", at10(attendees)))
	})
	c := p.calendar(t)
	for range 2 {
		read, err := readDay(context.Background(), c)
		if err != nil || len(read) != 0 {
			t.Errorf("got %v, %v", read, err)
		}
	}
	if _, queries := p.asked(); len(queries) != 3 {
		t.Errorf("%d requests: it should be known the second time", len(queries))
	}
}

// TestNobodyKnowsTheRoomsAnswer: with all attendees read and none of them the room, it blocks.
func TestNobodyKnowsTheRoomsAnswer(t *testing.T) {
	p := newPeer(t, answerWith(list("", at10(`"attendeesOmitted":true`))))
	read, err := readDay(context.Background(), p.calendar(t))
	if err != nil || len(read) != 1 {
		t.Errorf("got %v, %v", read, err)
	}
}

func TestLookup(t *testing.T) {
	at := func(more string) string {
		return strings.Replace(at10(more), `"e1"`, `"s_1"`, 1)
	}
	for name, tt := range map[string]struct {
		status int
		body   string
		kind   rooms.FaultKind // empty: found
	}{
		"there":             {200, at(weekly), ""},
		"private":           {200, at(weekly + `,"visibility":"private"`), ""},
		"cancelled":         {200, `{"kind":"calendar#event","id":"s_1","status":"cancelled"}`, rooms.FaultNotFound},
		"declined":          {200, at(`"attendees":[{"self":true,"responseStatus":"declined"}]`), rooms.FaultNotFound},
		"transparent":       {200, at(`"transparency":"transparent"`), rooms.FaultNotFound},
		"another type":      {200, at(`"eventType":"focusTime"`), rooms.FaultNotFound},
		"not found":         {404, refusal(404, "notFound"), rooms.FaultNotFound},
		"deleted":           {410, refusal(410, "deleted"), rooms.FaultNotFound},
		"not Google's 404":  {404, "<html>Not Found", rooms.FaultBadAnswer},
		"another event":     {200, at10(""), rooms.FaultBadAnswer},
		"broken event":      {200, `{"kind":"calendar#event","id":"s_1"}`, rooms.FaultBadAnswer},
		"a list":            {200, list("", at("")), rooms.FaultBadAnswer},
		"another kind":      {200, strings.Replace(at(weekly), "calendar#event", "calendar#setting", 1), rooms.FaultBadAnswer},
		"nothing":           {200, ``, rooms.FaultBadAnswer},
		"an empty object":   {200, `{}`, rooms.FaultBadAnswer},
		"trouble":           {500, refusal(500, "backendError"), rooms.FaultTrouble},
		"no right to do so": {403, refusal(403, "forbidden"), rooms.FaultPermission},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, func(w http.ResponseWriter, r *http.Request) {
				if want := "/calendar/v3/calendars/" + ada + "/events/s_1"; r.URL.Path != want {
					t.Errorf("path %s", r.URL.Path)
				}
				w.WriteHeader(tt.status)
				say(w, tt.body)
			})
			got, err := p.calendar(t).Lookup(context.Background(), roomIn("Europe/Berlin"), rooms.EventRef{EventID: "s_1", CalendarID: ada})
			if tt.kind != "" {
				checkFault(t, err, tt.kind)
				return
			}
			if err != nil || got.ID != rooms.ReservationID(ada, "s_1") || got.Private != (got.Title == "") {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func TestRequestsThatAreNotSent(t *testing.T) {
	p := newPeer(t, answerWith(list("")))
	c := p.calendar(t)
	room := roomIn("Europe/Berlin")
	from, to := days(room, "2026-11-23", 1)
	noID, noZone := room, room
	noID.CalendarID, noZone.Zone = "", nil
	for name, read := range map[string]func() error{
		"no calendar id":   func() error { _, err := c.Read(context.Background(), noID, from, to); return err },
		"no zone":          func() error { _, err := c.Read(context.Background(), noZone, from, to); return err },
		"no window":        func() error { _, err := c.Read(context.Background(), room, from, from); return err },
		"backwards window": func() error { _, err := c.Read(context.Background(), room, to, from); return err },
		"nowhere to look":  func() error { _, err := c.Lookup(context.Background(), noID, rooms.EventRef{EventID: "x"}); return err },
	} {
		t.Run(name, func(t *testing.T) { checkFault(t, read(), rooms.FaultInvalid) })
	}
	_, err := c.Lookup(context.Background(), room, rooms.EventRef{})
	checkFault(t, err, rooms.FaultNotFound)
	if tokens, queries := p.asked(); tokens+len(queries) > 0 {
		t.Errorf("%d requests", tokens+len(queries))
	}
}
