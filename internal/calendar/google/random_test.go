package google

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

// entry is a random event: what Google sends, and what is to come of it. A nil want: nothing.
type entry struct {
	wire map[string]any
	want *rooms.Reservation
}

var roomZones = []string{"Europe/Berlin", "Pacific/Auckland", "America/New_York", "Asia/Kolkata", "Africa/Cairo", "UTC"}

// drawEntry draws an event of the hours around the window. What it expects is worked out from the
// drawn facts, not from their wire form.
func drawEntry(t *rapid.T, i int, room rooms.Room, from, to time.Time) entry {
	id := fmt.Sprintf("e%d_%s", i, rapid.StringMatching(`[a-v0-9]{0,8}`).Draw(t, "id"))
	r := rooms.Reservation{ID: rooms.ReservationID(room.CalendarID, id), Ref: rooms.EventRef{EventID: id, CalendarID: room.CalendarID}}
	wire := map[string]any{"id": id, "status": "confirmed"}
	if rapid.IntRange(0, 3).Draw(t, "all day") == 0 {
		drawDays(t, wire, &r, room.Zone, from)
	} else {
		drawTimes(t, wire, &r, from, to)
	}
	r.Title = rapid.StringMatching(`[a-zäש👋<> ]{0,12}`).Draw(t, "title")
	if r.Title != "" {
		wire["summary"] = r.Title
	}
	if visibility := rapid.SampledFrom([]string{"", "default", "public", "private", "confidential"}).Draw(t, "visibility"); visibility != "" {
		wire["visibility"] = visibility
		r.Private = visibility == "private" || visibility == "confidential"
	}
	if r.Private {
		r.Title = ""
	}
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
	offset := func(name string) *time.Location {
		return time.FixedZone("", 900*rapid.IntRange(-48, 56).Draw(t, name))
	}
	wire["start"] = map[string]string{"dateTime": r.Start.In(offset("start offset")).Format(time.RFC3339)}
	wire["end"] = map[string]string{"dateTime": r.End.In(offset("end offset")).Format(time.RFC3339)}
}

func drawDays(t *rapid.T, wire map[string]any, r *rooms.Reservation, zone *time.Location, from time.Time) {
	first := rapid.IntRange(-3, 4).Draw(t, "first day")
	length := rapid.IntRange(1, 5).Draw(t, "days")
	r.AllDay = true
	r.Start = rooms.DayStart(from, zone, first).UTC()
	r.End = rooms.DayStart(from, zone, first+length).UTC()
	wire["start"] = map[string]string{"date": r.Start.In(zone).Format(time.DateOnly)}
	wire["end"] = map[string]string{"date": r.End.In(zone).Format(time.DateOnly)}
}

func drawStanding(t *rapid.T, wire map[string]any, r *rooms.Reservation) (blocking bool) {
	switch answer := rapid.SampledFrom([]string{"", "accepted", "needsAction", "tentative", "declined"}).Draw(t, "answer"); answer {
	case "":
	case "declined":
		wire["attendees"] = []any{map[string]any{"self": true, "responseStatus": answer}}
		return false
	default:
		wire["attendees"] = []any{map[string]any{"email": "x@example.com", "responseStatus": "declined"}, map[string]any{"email": ada, "responseStatus": answer}}
		r.Tentative = answer != "accepted"
	}
	switch rapid.IntRange(0, 9).Draw(t, "why not") {
	case 0:
		wire["status"] = "cancelled"
		delete(wire, "start")
		return false
	case 1:
		wire["transparency"] = "transparent"
		return false
	case 2:
		wire["eventType"] = "workingLocation"
		return false
	default:
		return true
	}
}

// drawPages cuts the entries into pages, some of them empty.
func drawPages(t *rapid.T, entries []entry) []string {
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
		next := strconv.Itoa(i + 1)
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
		n, _ := strconv.Atoi(r.URL.Query().Get("pageToken"))
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
		pages = drawPages(t, entries)
		got, err := c.Read(context.Background(), room, from, to)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, append([]rooms.Reservation{}, got...)); diff != "" {
			t.Fatal(diff)
		}
	})
}

// FuzzEvents: whatever comes, the decoder ends, and what it lets through can be shown and kept.
func FuzzEvents(f *testing.F) {
	for _, rows := range [][]decodeRow{meetings, wholeDays, clockChanges, standings, details, broken} {
		for _, row := range rows {
			f.Add([]byte(list("", row.items...)))
		}
	}
	f.Add([]byte(list("p2", at10(weekly))))
	f.Add([]byte(refusal(403, "rateLimitExceeded")))
	f.Add([]byte(`{"kind":"calendar#events","items":[null,[],{"id":1}]}`))
	room := roomIn("Europe/Berlin")
	from, to := days(room, "2026-11-23", 2)
	v := view{room.CalendarID, room.Zone, from, to}
	f.Fuzz(func(t *testing.T, body []byte) {
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
	case r.ID == "", r.Ref.EventID == "", r.Ref.CalendarID != v.id:
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
		items[i] = timed(fmt.Sprintf("0p5p8u8efmvrq0c6tpb2nug%d_20261123T0900Z", i), start.Format(time.RFC3339), start.Add(10*time.Minute).Format(time.RFC3339),
			weekly+`,"eventType":"default","visibility":"default","attendeesOmitted":true,"attendees":[{"email":"`+ada+`","self":true,"resource":true,"responseStatus":"accepted"}]`)
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
		var p struct{ Items []event }
		if err := json.Unmarshal(body, &p); err != nil || len(p.Items) != 50 {
			b.Fatal(err)
		}
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
