package graph

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"roomkiosk/internal/rooms"
)

// entry is a random event: what Graph sends, and what is to come of it. A nil want: nothing.
type entry struct {
	wire map[string]any
	want *rooms.Reservation
}

var roomZones = []string{"Europe/Berlin", "Pacific/Auckland", "America/New_York", "Asia/Kolkata", "Africa/Cairo", "UTC"}

// drawEntry draws an event of the hours around the window. What it expects is worked out from the
// drawn facts, not from their wire form.
func drawEntry(t *rapid.T, i int, room rooms.Room, from, to time.Time) entry {
	id := fmt.Sprintf("AAMk%d-%s_=", i, rapid.StringMatching(`[A-Za-z0-9_-]{0,8}`).Draw(t, "id"))
	key := rapid.StringMatching(`[A-Za-z0-9+/]{0,8}`).Draw(t, "change key")
	r := rooms.Reservation{
		ID: rooms.ReservationID(room.CalendarID, id), Ref: rooms.EventRef{EventID: id, ChangeKey: key, ResourceEmail: room.CalendarID},
	}
	wire := map[string]any{"id": id, "changeKey": key, "isCancelled": false}
	if rapid.IntRange(0, 3).Draw(t, "all day") == 0 {
		drawDays(t, wire, &r, room.Zone, from)
	} else {
		drawTimes(t, wire, &r, from, to)
	}
	sensitivity := rapid.SampledFrom([]string{"normal", "normal", "private", "confidential", "personal"}).Draw(t, "sensitivity")
	wire["sensitivity"], r.Private = sensitivity, sensitivity != "normal"
	drawTexts(t, wire, &r)
	blocking := drawStanding(t, wire, &r)
	if !blocking || !r.Start.Before(to) || !r.End.After(from) && !r.Start.Equal(from) {
		return entry{wire, nil}
	}
	return entry{wire, &r}
}

func drawTimes(t *rapid.T, wire map[string]any, r *rooms.Reservation, from, to time.Time) {
	spread := int(to.Sub(from).Minutes()) + 600
	r.Start = from.Add(time.Duration(rapid.IntRange(-600, spread).Draw(t, "start")) * time.Minute).UTC()
	r.End = r.Start.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "minutes")) * time.Minute)
	write := func(at time.Time, name string) map[string]string {
		z := rapid.SampledFrom([]string{"UTC", "UTC", "UTC", "Asia/Kolkata", "America/Phoenix"}).Draw(t, name) // zones without clock changes
		return map[string]string{"dateTime": at.In(zone(z)).Format("2006-01-02T15:04:05.0000000"), "timeZone": z}
	}
	wire["isAllDay"], wire["start"], wire["end"] = false, write(r.Start, "zone of the start"), write(r.End, "zone of the end")
}

func drawDays(t *rapid.T, wire map[string]any, r *rooms.Reservation, z *time.Location, from time.Time) {
	first := rapid.IntRange(-3, 4).Draw(t, "first day")
	length := rapid.IntRange(1, 5).Draw(t, "days")
	r.AllDay = true
	r.Start = rooms.DayStart(from, z, first).UTC()
	r.End = rooms.DayStart(from, z, first+length).UTC()
	write := func(at time.Time) map[string]string {
		return map[string]string{"dateTime": at.In(z).Format("2006-01-02") + "T00:00:00.0000000", "timeZone": "UTC"}
	}
	wire["isAllDay"], wire["start"], wire["end"] = true, write(r.Start), write(r.End)
}

func drawTexts(t *rapid.T, wire map[string]any, r *rooms.Reservation) {
	title := rapid.StringMatching(`[a-zäש👋<> ]{0,12}`).Draw(t, "title")
	name := rapid.StringMatching(`[A-Z][a-z]{1,6} [A-Z][a-z]{1,6}`).Draw(t, "organizer")
	replaced, itself := rapid.Bool().Draw(t, "subject replaced"), rapid.Bool().Draw(t, "room itself")
	wire["subject"], wire["isOrganizer"] = title, itself
	wire["organizer"] = map[string]any{"emailAddress": map[string]string{"name": name, "address": "x@example.com"}}
	r.Title, r.Organizer = title, name
	switch {
	case itself:
		r.Organizer = ""
	case replaced:
		wire["subject"], r.Title = name+" ", ""
	}
	if r.Private {
		r.Title, r.Organizer = "", ""
	}
}

func drawStanding(t *rapid.T, wire map[string]any, r *rooms.Reservation) (blocking bool) {
	answer := rapid.SampledFrom([]string{"none", "organizer", "accepted", "notResponded", "tentativelyAccepted", "declined"}).Draw(t, "answer")
	show := rapid.SampledFrom([]string{"busy", "busy", "busy", "tentative", "oof", "workingElsewhere", "unknown", "free"}).Draw(t, "shown as")
	wire["responseStatus"], wire["showAs"] = map[string]string{"response": answer}, show
	r.Tentative = answer == "notResponded" || answer == "tentativelyAccepted" || show == "tentative"
	cancelled := rapid.IntRange(0, 9).Draw(t, "cancelled") == 0
	wire["isCancelled"] = cancelled
	return !cancelled && answer != "declined" && show != "free"
}

// drawPages cuts the entries into pages, some of them empty. Links stay to be completed.
func drawPages(t *rapid.T, base string, entries []entry) []string {
	var pages [][]string
	for len(entries) > 0 || len(pages) == 0 {
		n := min(rapid.IntRange(0, 5).Draw(t, "page"), len(entries))
		if len(pages) > 20 {
			n = len(entries)
		}
		var items []string
		for _, e := range entries[:n] {
			text, err := json.Marshal(e.wire)
			if err != nil {
				t.Fatal(err)
			}
			items = append(items, string(text))
		}
		pages, entries = append(pages, items), entries[n:]
	}
	out := make([]string, len(pages))
	for i, items := range pages {
		next := fmt.Sprint(base, "/p?$skiptoken=", i+1)
		if i+1 == len(pages) {
			next = ""
		}
		out[i] = list(next, items...)
	}
	return out
}

// TestRandomCalendars: any events in any pages come to the expected reservations, in any zone.
func TestRandomCalendars(t *testing.T) {
	var pages []string
	p := newPeer(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("$skiptoken"))
		say(w, pages[n])
	})
	c := p.calendar(t)
	rapid.Check(t, func(t *rapid.T) {
		room := roomIn(rapid.SampledFrom(roomZones).Draw(t, "zone"))
		day := rapid.SampledFrom([]string{"2026-03-28", "2026-03-29", "2026-04-04", "2026-04-23", "2026-10-25", "2026-11-23"}).Draw(t, "day")
		from, to := days(room, day, 2)
		var entries []entry
		want := []rooms.Reservation{}
		for i := range rapid.IntRange(0, 30).Draw(t, "events") {
			e := drawEntry(t, i, room, from, to)
			entries = append(entries, e)
			if e.want != nil {
				want = append(want, *e.want)
			}
		}
		pages = drawPages(t, p.URL, entries)
		for range 2 { // the second answer may be known already
			got, err := c.Read(context.Background(), room, from, to)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, append([]rooms.Reservation{}, got...)); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

// FuzzEvents: whatever comes, the decoder ends, and what it lets through can be shown and kept.
func FuzzEvents(f *testing.F) {
	for _, rows := range tables() {
		for _, row := range rows {
			f.Add([]byte(list("", row.items...)))
		}
	}
	f.Add([]byte(list("https://graph.microsoft.com/v1.0/p2", at10(weekly))))
	f.Add([]byte(refusal("ErrorAccessDenied")))
	f.Add([]byte(`{"value":[null,[],{"id":1}]}`))
	f.Add([]byte(`{"value":[{"@odata.etag":"W/\"EZ9r3czxY0m2jz8c45czkwAAFXcvIQ==\"","id":"AAMkADNVxRAAA=","subject":"Plan shopping list","isAllDay":false,"isCancelled":false,` +
		`"start":{"dateTime":"2026-11-23T20:30:00.0000000","timeZone":"UTC"},"end":{"dateTime":"2026-11-23T22:00:00.0000000","timeZone":"UTC"},` +
		`"organizer":{"emailAddress":{"name":"Samantha Booth","address":"samanthab@contoso.onmicrosoft.com"}}}]}`))
	room := roomIn("Europe/Berlin")
	from, to := days(room, "2026-11-23", 2)
	v := view{room.CalendarID, room.Zone, from, to}
	f.Fuzz(func(t *testing.T, body []byte) {
		if e, err := decodeEvent(body); err == nil && e.blocks() {
			if r, err := e.reservation(v); err == nil && r.End.Before(r.Start) {
				t.Fatalf("from %v to %v", r.Start, r.End)
			}
		}
		p, err := decodePage(body)
		if err != nil {
			return
		}
		var l listing
		l.add(p, v)
		l.unite()
		if l.items != len(p.Items)+len(p.Broken) || len(l.broken)+len(l.reservations) > l.items {
			t.Fatalf("%d items came to %d reservations and %d broken ones", l.items, len(l.reservations), len(l.broken))
		}
		for _, r := range l.reservations {
			checkReservation(t, r, v)
		}
	})
}

func checkReservation(t *testing.T, r rooms.Reservation, v view) {
	t.Helper()
	switch {
	case r.End.Before(r.Start), !r.Start.Before(v.to), r.End.Before(v.from):
		t.Fatalf("from %v to %v", r.Start, r.End)
	case r.ID == "", r.Ref.EventID == "", r.Ref.ResourceEmail != v.id, len(r.Ref.ChangeKey) > maxChangeKey:
		t.Fatalf("named %q, %+v", r.ID, r.Ref)
	case r.Private && r.Title+r.Organizer != "":
		t.Fatalf("private, and tells %q", r.Title+r.Organizer)
	case len(r.Title) > 4000, len(r.Organizer) > 4000:
		t.Fatal("too long")
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var again rooms.Reservation
	if err := json.Unmarshal(text, &again); err != nil || !cmp.Equal(r, again) {
		t.Fatalf("kept as %s: %v", text, err)
	}
}

// wholeDay is a page of so many events of a usual shape.
func wholeDay(n int) []byte {
	items := make([]string, n)
	for i := range items {
		start := time.Date(2026, 11, 23, 7, 10*i, 0, 0, time.UTC)
		items[i] = timed(fmt.Sprintf("AAMkADY0ZjM1OTkxLTQ5NmYtNGU1My1hNTg4LTAyNzcyZjI1NDNhYgFRAAgI3inORrxAAEYAAAAA58LbVvHkyUiUUKPPyu7hogcAF-P2k9S3HEuT8uqtl18ZkAAAAAABDQAAF-P2k9S3HEuT8uqtl18ZkAAACQsH%02dAAAEA==", i),
			start.Format("2006-01-02T15:04"), start.Add(10*time.Minute).Format("2006-01-02T15:04"),
			weekly+`,"type":"occurrence","seriesMasterId":"AAMkADY0ZjM1OTkxLTQ5NmYtNGU1My1hNTg4LTAyNzcyZjI1NDNhYgBGAAAAAADnwttW8eTJSJRQ=","iCalUId":"040000008200E00074C5B7101A82E00807EA0B17"`)
	}
	return []byte(list("", items...))
}

func BenchmarkDayOf50Events(b *testing.B) {
	room := roomIn("Europe/Berlin")
	from, to := days(room, "2026-11-23", 2)
	v := view{room.CalendarID, room.Zone, from, to}
	body := wholeDay(50)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		p, err := decodePage(body)
		if err != nil {
			b.Fatal(err)
		}
		var l listing
		l.add(p, v)
		l.unite()
		if len(l.reservations) != 50 {
			b.Fatal(len(l.reservations))
		}
	}
}

// BenchmarkBareJSON is what 50 is to be compared with: the same bytes into plain structures.
func BenchmarkBareJSON(b *testing.B) {
	body := wholeDay(50)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		var p struct {
			Value []event `json:"value"`
		}
		if err := json.Unmarshal(body, &p); err != nil || len(p.Value) != 50 {
			b.Fatal(err)
		}
	}
}

// BenchmarkPoll reads a day of 50 events over a transport without a network: once changed every
// time, once the same as before.
func BenchmarkPoll(b *testing.B) {
	for _, changing := range []bool{true, false} {
		b.Run(fmt.Sprintf("changing=%v", changing), func(b *testing.B) {
			body, n := string(wholeDay(50)), 0
			c, err := New(Config{
				Name: "exchange", TenantID: tenant, ClientID: client, ClientSecret: "x", URL: "https://graph.microsoft.com/v1.0", Now: time.Now,
				HTTP: &http.Client{Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
					if isToken(r) {
						return reply(`{"access_token":"t","expires_in":3600}`)
					}
					if changing {
						n++
						return reply(body + strings.Repeat(" ", n%7))
					}
					return reply(body)
				})},
			})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if read, err := readDay(context.Background(), c); err != nil || len(read) != 50 {
					b.Fatal(len(read), err)
				}
			}
		})
	}
}

func TestUniteKeepsTheOrder(t *testing.T) {
	l := listing{reservations: []rooms.Reservation{{ID: "a", Title: "old"}, {ID: "b"}, {ID: "a", Title: "new"}, {ID: "c"}}}
	l.unite()
	var got []string
	for _, r := range l.reservations {
		got = append(got, r.ID+r.Title)
	}
	if want := []string{"b", "anew", "c"}; !slices.Equal(got, want) {
		t.Errorf("got %s", strings.Join(got, " "))
	}
}
