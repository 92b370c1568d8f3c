package graph

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"roomkiosk/internal/rooms"
)

func TestRequest(t *testing.T) {
	p := newPeer(t, answerWith(list("")))
	room := roomIn("Europe/Berlin")
	room.CalendarID = "räume/ada#1@example.com"
	from, to := days(room, "2026-10-24", 2)
	c := p.calendar(t, func(cfg *Config) { cfg.NewID = func() string { return "id-1" } })
	if _, err := c.Read(context.Background(), room, from, to); err != nil {
		t.Fatal(err)
	}
	_, requests := p.asked()
	got := requests[0]
	if path := "/v1.0/users/r%C3%A4ume%2Fada%231@example.com/calendar/calendarView"; got.URL.EscapedPath() != path {
		t.Errorf("path %s", got.URL.EscapedPath())
	}
	for name, want := range map[string]string{
		"startDateTime": "2026-10-23T22:00:00Z", "endDateTime": "2026-10-25T23:00:00Z", "$orderby": "start/dateTime", "$top": "100",
		"$select": "id,changeKey,subject,start,end,isAllDay,isCancelled,organizer,sensitivity,showAs,responseStatus,type,seriesMasterId,iCalUId,isOrganizer",
	} {
		if said := strings.Join(got.URL.Query()[name], " "); said != want {
			t.Errorf("%s is %q, want %q", name, said, want)
		}
	}
	if n := len(got.URL.Query()); n != 5 {
		t.Errorf("%d parameters: %s", n, got.URL.RawQuery)
	}
	for name, want := range map[string]string{
		"Authorization": "Bearer secret-t1", "Prefer": `outlook.timezone="UTC"`, "Client-Request-Id": "id-1", "Accept": "application/json",
	} {
		if said := strings.Join(got.Header[name], " "); said != want {
			t.Errorf("%s is %q, want %q", name, said, want)
		}
	}
}

func TestRequestsHaveIDsOfTheirOwn(t *testing.T) {
	p := newPeer(t, answerWith(list("")))
	c := p.calendar(t)
	seen := map[string]bool{}
	for range 3 {
		if _, err := readDay(context.Background(), c); err != nil {
			t.Fatal(err)
		}
	}
	_, requests := p.asked()
	for _, r := range requests {
		id := r.Header.Get("client-request-id")
		if len(id) != 36 || id[14] != '4' || seen[id] {
			t.Errorf("id %q", id)
		}
		seen[id] = true
	}
}

// TestPages: links are taken exactly as they are given, whatever they look like, and every page is
// asked for in the same way.
func TestPages(t *testing.T) {
	var base string
	next := map[string]string{
		"":   "/v1.0/users/ada%40example.com/calendar/calendarView?$skiptoken=p2%2B+~&%24top=7&b=1&a=2",
		"p2": "/odd/place?$skip=10&odd;=%zz",
		"p3": "/v1.0/p4",
	}
	p := newPeer(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.Contains(r.RequestURI, "skiptoken=p2"):
			if r.RequestURI != next[""] {
				t.Errorf("asked for %s", r.RequestURI)
			}
			say(w, list(base+next["p2"]))
		case strings.HasPrefix(r.RequestURI, "/odd/"):
			if r.RequestURI != next["p2"] {
				t.Errorf("asked for %s", r.RequestURI)
			}
			say(w, list(base+next["p3"]))
		case r.RequestURI == "/v1.0/p4":
			say(w, list("", timed("b", "2026-11-23T10:00", "2026-11-23T10:30", ""), timed("a", "2026-11-23T11:00", "2026-11-23T11:30", "")))
		default:
			say(w, list(base+next[""], timed("a", "2026-11-23T09:00", "2026-11-23T09:30", "")))
		}
	})
	base = p.URL
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
	_, requests := p.asked()
	if len(requests) != 8 {
		t.Fatalf("%d requests", len(requests))
	}
	for _, r := range requests {
		if r.Header.Get("Prefer") != prefer || r.Header.Get("Authorization") != "Bearer secret-t1" {
			t.Errorf("%s: %v", r.URL.Path, r.Header)
		}
	}
}

func TestPagesWithoutEnd(t *testing.T) {
	for name, tt := range map[string]struct {
		next     func(n int32) string
		requests int32
	}{
		"the same link": {func(int32) string { return "again" }, 2},
		"a circle":      {func(n int32) string { return fmt.Sprint("p", n%5) }, 6},
		"ever new":      {func(n int32) string { return fmt.Sprint("p", n) }, maxPages},
	} {
		t.Run(name, func(t *testing.T) {
			var n atomic.Int32
			p := newPeer(t, nil)
			p.api = func(w http.ResponseWriter, _ *http.Request) { say(w, list(p.URL+"/"+tt.next(n.Add(1)))) }
			_, err := readDay(context.Background(), p.calendar(t))
			checkFault(t, err, rooms.FaultBadAnswer)
			if n.Load() != tt.requests {
				t.Errorf("%d requests, want %d", n.Load(), tt.requests)
			}
		})
	}
}

func TestLinkToAnotherHostIsRefused(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("followed") }))
	defer elsewhere.Close()
	for name, link := range map[string]func(own string) string{
		"another host":   func(string) string { return elsewhere.URL + "/v1.0/users" },
		"another scheme": func(own string) string { return "https" + strings.TrimPrefix(own, "http") },
		"a user":         func(own string) string { return "http://jane@" + strings.TrimPrefix(own, "http://") },
		"no host":        func(string) string { return "/v1.0/users" },
		"no URL":         func(string) string { return "http://[::1" },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, nil)
			p.api = func(w http.ResponseWriter, _ *http.Request) { say(w, list(link(p.URL), at10(""))) }
			read, err := readDay(context.Background(), p.calendar(t))
			checkFault(t, err, rooms.FaultBadAnswer)
			if _, requests := p.asked(); len(requests) != 1 || read != nil {
				t.Errorf("%d requests, %v", len(requests), read)
			}
		})
	}
}

func TestPageThatFailsFailsTheRead(t *testing.T) {
	p := newPeer(t, nil)
	p.api = func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/p2" {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		say(w, list(p.URL+"/p2", at10("")))
	}
	read, err := readDay(context.Background(), p.calendar(t))
	checkFault(t, err, rooms.FaultTrouble)
	if read != nil {
		t.Errorf("got %v", read)
	}
}

// TestUnchangedAnswer: the same bytes come to the same reservations, and any others to theirs.
func TestUnchangedAnswer(t *testing.T) {
	body := list("", at10(weekly))
	p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) { say(w, body) })
	c := p.calendar(t)
	for step, change := range []string{"Weekly", "Weekly", "Weekly", "Monthly", "Monthly", "Weekly"} {
		body = list("", at10(strings.Replace(weekly, "Weekly", change, 1)))
		read, err := readDay(context.Background(), c)
		if err != nil || len(read) != 1 || read[0].Title != change {
			t.Errorf("step %d: got %v, %v", step, read, err)
		}
		read[0].Title = "changed by the caller"
	}
	before, _ := readDay(context.Background(), c)
	body = "{}"
	_, err := readDay(context.Background(), c)
	checkFault(t, err, rooms.FaultBadAnswer)
	body = list("", at10(weekly))
	if after, err := readDay(context.Background(), c); err != nil || !cmp.Equal(before, after) {
		t.Errorf("after a fault: %v, %v", after, err)
	}
}

// TestUnchangedAnswerIsCheap: it isn't taken apart again.
func TestUnchangedAnswerIsCheap(t *testing.T) {
	body, n := string(wholeDay(50)), 0
	changing := false
	c := bubbleCalendar(t, func(r *http.Request) (*http.Response, error) {
		if isToken(r) {
			return reply(`{"access_token":"secret-t1","expires_in":3600}`)
		}
		if changing {
			n++
		}
		return reply(body + strings.Repeat(" ", n%7))
	})
	poll := func() {
		if read, err := readDay(context.Background(), c); err != nil || len(read) != 50 {
			t.Fatal(len(read), err)
		}
	}
	same := testing.AllocsPerRun(20, poll)
	changing = true
	if changed := testing.AllocsPerRun(20, poll); changed < 4*same {
		t.Errorf("%v allocations for the same answer, %v for another", same, changed)
	}
}

// TestLastPageAlone: a listing of two pages whose second one is all that is left.
func TestLastPageAlone(t *testing.T) {
	b := timed("b", "2026-11-23T10:00", "2026-11-23T11:00", "")
	p := newPeer(t, nil)
	pages := 2
	p.api = func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/p2" && pages == 2 {
			say(w, list(p.URL+"/p2", at10("")))
			return
		}
		say(w, list("", b))
	}
	c := p.calendar(t)
	for pages = 2; pages > 0; pages-- {
		if read, err := readDay(context.Background(), c); err != nil || len(read) != pages {
			t.Errorf("%d pages: got %v, %v", pages, read, err)
		}
	}
}

// TestSameAnswerForAnotherRoom: what the same bytes mean depends on the window and on the zone.
func TestSameAnswerForAnotherRoom(t *testing.T) {
	p := newPeer(t, answerWith(list("", allDay("a", "2026-11-23", "2026-11-24", ""), allDay("b", "2026-11-24", "2026-11-25", ""))))
	c := p.calendar(t)
	from, to := days(roomIn("UTC"), "2026-11-23", 1)
	for _, tt := range []struct {
		zone string
		days int
		want []string
	}{
		{"UTC", 1, []string{"11-23 00:00+00 11-24 00:00+00 all-day"}},
		{"UTC", 2, []string{"11-23 00:00+00 11-24 00:00+00 all-day", "11-24 00:00+00 11-25 00:00+00 all-day"}},
		{"Europe/London", 1, []string{"11-23 00:00+00 11-24 00:00+00 all-day"}},
		{"Asia/Kolkata", 1, []string{"11-22 18:30+00 11-23 18:30+00 all-day", "11-23 18:30+00 11-24 18:30+00 all-day"}},
	} {
		read, err := c.Read(context.Background(), roomIn(tt.zone), from, to.AddDate(0, 0, tt.days-1))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, lines(read, time.UTC)); diff != "" {
			t.Errorf("%s, %d days: %s", tt.zone, tt.days, diff)
		}
	}
}

func TestLookup(t *testing.T) {
	at := func(more string) string { return strings.Replace(at10(more), `"AAMk-e1_="`, `"s_1-="`, 1) }
	for name, tt := range map[string]struct {
		status int
		body   string
		kind   rooms.FaultKind // empty: found
	}{
		"there":             {200, at(weekly), ""},
		"private":           {200, at(weekly + `,"sensitivity":"private"`), ""},
		"cancelled":         {200, at(`"isCancelled":true`), rooms.FaultNotFound},
		"declined":          {200, at(response("declined")), rooms.FaultNotFound},
		"free":              {200, at(`"showAs":"free"`), rooms.FaultNotFound},
		"not found":         {404, refusal("ErrorItemNotFound"), rooms.FaultNotFound},
		"no such mailbox":   {404, refusal("ErrorInvalidUser"), rooms.FaultNotFound},
		"not Graph's 404":   {404, "<html>Not Found", rooms.FaultBadAnswer},
		"another event":     {200, at10(""), rooms.FaultBadAnswer},
		"broken event":      {200, `{"id":"s_1-="}`, rooms.FaultBadAnswer},
		"a list":            {200, list("", at("")), rooms.FaultBadAnswer},
		"a whole series":    {200, at(`"type":"seriesMaster"`), rooms.FaultBadAnswer},
		"nothing":           {200, ``, rooms.FaultBadAnswer},
		"an empty object":   {200, `{}`, rooms.FaultBadAnswer},
		"trouble":           {500, refusal("InternalServerError"), rooms.FaultTrouble},
		"no right to do so": {403, refusal("ErrorAccessDenied"), rooms.FaultPermission},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, func(w http.ResponseWriter, r *http.Request) {
				if want := "/v1.0/users/" + ada + "/events/s_1-="; r.URL.Path != want || r.Header.Get("Prefer") != prefer || r.URL.Query().Get("$select") != eventFields {
					t.Errorf("request %s %v", r.RequestURI, r.Header)
				}
				w.WriteHeader(tt.status)
				say(w, tt.body)
			})
			got, err := p.calendar(t).Lookup(context.Background(), roomIn("Europe/Berlin"), rooms.EventRef{EventID: "s_1-=", ChangeKey: "stale", ResourceEmail: ada})
			if tt.kind != "" {
				checkFault(t, err, tt.kind)
				return
			}
			if err != nil || got.ID != rooms.ReservationID(ada, "s_1-=") || got.Private != (got.Title == "") || got.Ref.ChangeKey == "stale" {
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
	x := rooms.EventRef{EventID: "x"}
	for name, do := range map[string]func() error{
		"no calendar id":   func() error { _, err := c.Read(context.Background(), noID, from, to); return err },
		"no zone":          func() error { _, err := c.Read(context.Background(), noZone, from, to); return err },
		"no window":        func() error { _, err := c.Read(context.Background(), room, from, from); return err },
		"backwards window": func() error { _, err := c.Read(context.Background(), room, to, from); return err },
		"nowhere to look":  func() error { _, err := c.Lookup(context.Background(), noID, x); return err },
		"nowhere to end":   func() error { return c.End(context.Background(), noID, x, from) },
		"nothing to end":   func() error { return c.End(context.Background(), room, rooms.EventRef{}, from) },
		"nothing to ask":   func() error { return c.CanEnd(context.Background(), noID) },
	} {
		t.Run(name, func(t *testing.T) { checkFault(t, do(), rooms.FaultInvalid) })
	}
	_, err := c.Lookup(context.Background(), room, rooms.EventRef{})
	checkFault(t, err, rooms.FaultNotFound)
	if tokens, requests := p.asked(); tokens+len(requests) > 0 {
		t.Errorf("%d requests", tokens+len(requests))
	}
}
