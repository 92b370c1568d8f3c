package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"roomkiosk/internal/rooms"
	"roomkiosk/views"
)

// archive is a history as a store keeps it.
type archive struct {
	happenings []rooms.Happening // newest first
	counts     []rooms.Count
	err        error
}

func (a *archive) HistoryOf(_ context.Context, room string, since time.Time, limit int) ([]rooms.Happening, error) {
	var out []rooms.Happening
	for _, h := range a.happenings {
		if h.Room == room && !h.At.Before(since) && len(out) < limit {
			out = append(out, h)
		}
	}
	return out, a.err
}

func (a *archive) CountsOf(_ context.Context, room, sinceDay string) ([]rooms.Count, error) {
	var out []rooms.Count
	for _, c := range a.counts {
		if c.Room == room && c.Day >= sinceDay {
			out = append(out, c)
		}
	}
	return out, a.err
}

func withHistory(t *testing.T, a *archive, doors ...*door) *Server {
	t.Helper()
	cfg := newServer(t, doors...).cfg
	cfg.History = a
	cfg.Troubles = func() []views.Trouble {
		return []views.Trouble{{Since: morning.Add(-time.Hour), Text: "The disk is full."}}
	}
	return New(cfg)
}

func noShow(at time.Time) rooms.Happening {
	return rooms.Happening{
		Room: "ada", At: at, Day: at.Format(time.DateOnly), What: rooms.HappenedReleased, Cause: rooms.ByNoShow, Status: rooms.Available,
		Reservation: "r0", Start: at.Add(-10 * time.Minute), End: at.Add(20 * time.Minute), Spent: 20 * time.Minute,
	}
}

func TestHistoryIsGuarded(t *testing.T) {
	h := withHistory(t, &archive{}, newDoor("ada"), newDoor("grace"))
	for _, base := range []string{"", "/api/v1"} {
		for name, c := range map[string]struct {
			ask
			want int
		}{
			"here":         {ask{path: "/rooms/ada/history"}, 200},
			"from afar":    {ask{path: "/rooms/ada/history", from: remote}, 403},
			"by proxy":     {ask{path: "/rooms/ada/history", header: map[string]string{"Forwarded": "for=192.168.1.20"}}, 403},
			"unknown room": {ask{path: "/rooms/bob/history"}, 404},
			"before":       {ask{path: "/rooms/ada/history?before=2026-11-23T09:00:00Z"}, 200},
			"with zone":    {ask{path: "/rooms/ada/history?before=2026-11-23T09:00:00.000001%2B01:00"}, 200},
			"no instant":   {ask{path: "/rooms/ada/history?before="}, 400},
			"a day":        {ask{path: "/rooms/ada/history?before=2026-11-23"}, 400},
			"short hour":   {ask{path: "/rooms/ada/history?before=2026-11-23T9:00:00Z"}, 400},
			"comma":        {ask{path: "/rooms/ada/history?before=2026-11-23T09:00:00,5Z"}, 400},
			"two":          {ask{path: "/rooms/ada/history?before=2026-11-23T09:00:00Z&before=2026-11-23T09:00:00Z"}, 400},
			"the zero":     {ask{path: "/rooms/ada/history?before=0001-01-01T00:00:00Z"}, 400},
			"long":         {ask{path: "/rooms/ada/history?before=2026-11-23T09:00:00." + strings.Repeat("0", 5000) + "Z"}, 400},
		} {
			t.Run(base+" "+name, func(t *testing.T) {
				c.path = base + c.path
				if w := c.do(h); w.Code != c.want {
					t.Errorf("%d, want %d", w.Code, c.want)
				}
			})
		}
	}
	if w := (ask{path: "/rooms/ada/history"}).do(newServer(t, newDoor("ada"))); w.Code != 404 {
		t.Errorf("without a history: %d", w.Code)
	}
}

// TestHistoryPages follows the links from the newest entry to the oldest: each comes once.
func TestHistoryPages(t *testing.T) {
	a := &archive{}
	at := morning.Truncate(time.Microsecond)
	for i := range 500 {
		if i%3 != 0 && (i < 150 || i > 300) {
			at = at.Add(-time.Microsecond)
		} else if i < 150 || i > 300 {
			at = at.Add(-time.Minute)
		} // between them, a burst at one instant
		h := noShow(at)
		h.Spent = time.Duration(i) * time.Second
		a.happenings = append(a.happenings, h)
	}
	h := withHistory(t, a, newDoor("ada"))
	var seen []int64
	pages := 0
	for path := "/api/v1/rooms/ada/history"; path != "" && pages < 10; pages++ {
		var got historyJSON
		if err := json.Unmarshal(ask{path: path}.do(h).Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		for _, e := range got.Happenings {
			seen = append(seen, e.SpentSeconds)
		}
		path = got.Older
	}
	var want []int64
	for i := range 500 {
		want = append(want, int64(i))
	}
	if diff := cmp.Diff(want, seen); diff != "" || pages != 2 {
		t.Errorf("%d pages, -want +got\n%s", pages, diff)
	}
	page := ask{path: "/rooms/ada/history"}.do(h).Body.String()
	older := url.QueryEscape(a.happenings[300].At.Format(time.RFC3339Nano))
	if !strings.Contains(page, `href="/rooms/ada/history?before=`+older+`"`) {
		t.Errorf("no link to before %s", older)
	}
}

func TestHistoryTellsOfFourteenDays(t *testing.T) {
	a := &archive{
		happenings: []rooms.Happening{noShow(morning.AddDate(0, 0, -13)), noShow(morning.AddDate(0, 0, -15))},
		counts:     []rooms.Count{{Room: "ada", Day: "2026-10-05", What: rooms.HappenedEnded, Cause: rooms.ByTime, Times: 7, Spent: 5 * time.Hour}},
	}
	page := ask{path: "/rooms/ada/history"}.do(withHistory(t, a, newDoor("ada"))).Body.String()
	if n := strings.Count(page, "Released: nobody had checked in."); n != 1 {
		t.Errorf("%d entries", n)
	}
	for _, text := range []string{"October 2026", "Ended as planned", "5 h 0 min", "The disk is full."} {
		if !strings.Contains(page, text) {
			t.Errorf("the page doesn't say %q", text)
		}
	}
}

// TestHistoryIsDiscreet looks for titles, names and ids.
func TestHistoryIsDiscreet(t *testing.T) {
	d := newDoor("ada")
	d.in.Actions = []rooms.Action{{
		ID: "a1", Kind: rooms.CheckIn, Reservation: "r1", State: rooms.Queued, Reason: "unreachable", Origin: rooms.OriginPanel,
		Ref:      rooms.EventRef{EventID: "secret-event", ChangeKey: "secret-key", ResourceEmail: "secret@example.com"},
		TappedAt: morning, Start: morning, End: morning.Add(time.Hour), ExpiresAt: morning.Add(time.Hour), DueAt: morning.Add(time.Minute),
	}}
	h := withHistory(t, &archive{happenings: []rooms.Happening{noShow(morning)}}, d)
	for _, path := range []string{"/rooms/ada/history", "/api/v1/rooms/ada/history"} {
		body := ask{path: path}.do(h).Body.String()
		for _, secret := range []string{"Weekly", "Jane", "Layoffs", "Eve", "secret", `"r0"`, `"r1"`} {
			if strings.Contains(body, secret) {
				t.Errorf("%s tells %s", path, secret)
			}
		}
		if !strings.Contains(body, "It waits for its turn.") {
			t.Errorf("%s doesn't tell of the tap", path)
		}
	}
}

// TestHistoryUnread: the page goes on with what the kiosk knows; programs get an error.
func TestHistoryUnread(t *testing.T) {
	h := withHistory(t, &archive{err: fmt.Errorf("reading: %w", errors.New("disk I/O error"))}, newDoor("ada"))
	w := ask{path: "/rooms/ada/history"}.do(h)
	if body := w.Body.String(); w.Code != 200 || !strings.Contains(body, "In use") && !strings.Contains(body, "Booked") ||
		!strings.Contains(body, "can&#39;t be read") || strings.Contains(body, "I/O") {
		t.Errorf("%d %s", w.Code, body)
	}
	w = ask{path: "/api/v1/rooms/ada/history"}.do(h)
	if w.Code != 503 || !strings.Contains(w.Body.String(), "history_unread") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestHistoryInJSON(t *testing.T) {
	d := newDoor("ada")
	d.in.Actions = []rooms.Action{{
		ID: "a1", Kind: rooms.Release, Reservation: "r1", State: rooms.Queued, Reason: "unreachable", Origin: rooms.OriginPanel, Attempts: 2,
		TappedAt: morning, Start: d.in.Schedule.Reservations[0].Start, End: d.in.Schedule.Reservations[0].End,
		ExpiresAt: d.in.Schedule.Reservations[0].End, DueAt: morning.Add(time.Minute),
	}}
	a := &archive{
		happenings: []rooms.Happening{noShow(morning)},
		counts:     []rooms.Count{{Room: "ada", Day: "2026-11-02", What: rooms.HappenedMissed, Cause: rooms.ByTime, Times: 2, Spent: time.Hour}},
	}
	var got, want any
	if err := json.Unmarshal(ask{path: "/api/v1/rooms/ada/history"}.do(withHistory(t, a, d)).Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	const text = `{
		"room": "ada", "time_zone": "UTC", "now": "2026-11-23T09:03:12.345Z", "status": "available", "flags": ["stale"],
		"schedule": {"source": "google", "as_of": "2026-11-23T09:01:12.345Z", "error": ""}, "zoom": {"error": ""},
		"taps": [{"kind": "release", "origin": "panel", "start": "2026-11-23T09:00:00Z", "end": "2026-11-23T10:00:00Z",
			"tapped_at": "2026-11-23T09:03:12.345Z", "state": "queued", "reason": "unreachable", "attempts": 2,
			"next_try": "2026-11-23T09:04:12.345Z",
			"message": "It waits for its turn. Zoom can't be reached. Check the network, the address and the firewall. Sent 2 times."}],
		"troubles": [{"since": "2026-11-23T08:03:12.345Z", "text": "The disk is full."}],
		"happenings": [{"at": "2026-11-23T09:03:12.345Z", "day": "2026-11-23", "what": "released", "cause": "no_show",
			"status": "available", "start": "2026-11-23T08:53:12.345Z", "end": "2026-11-23T09:23:12.345Z", "spent_seconds": 1200,
			"detail": "", "message": "Released: nobody had checked in."}],
		"older": "",
		"counts": [{"day": "2026-11-02", "what": "missed", "cause": "time", "times": 2, "spent_seconds": 3600}]
	}`
	if err := json.Unmarshal([]byte(text), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}
