package ews

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"roomkiosk/internal/rooms"
)

// drawn is a random item: what Exchange sends, and what is to come of it. A nil want: nothing.
type drawn struct {
	wire entry
	want *rooms.Reservation
}

func roomZones() []string {
	return []string{"Europe/Berlin", "Pacific/Auckland", "America/New_York", "Asia/Kolkata", "Africa/Cairo", "UTC"}
}

// drawItem draws an item of the hours around the window. What it expects is worked out from the drawn
// facts, not from their wire form.
func drawItem(t *rapid.T, i int, room rooms.Room, from, to time.Time) drawn {
	id := fmt.Sprintf("AAMk%d/%s+=", i, rapid.StringMatching(`[A-Za-z0-9]{0,8}`).Draw(t, "id"))
	r := rooms.Reservation{
		ID: rooms.ReservationID(ada, id), Ref: rooms.EventRef{EventID: id, ChangeKey: changeKey, ResourceEmail: ada},
	}
	wire := entry{id: id, organizer: jane}
	if rapid.IntRange(0, 3).Draw(t, "all day") == 0 {
		drawDays(t, &wire, &r, room.Zone, from)
	} else {
		drawTimes(t, &wire, &r, from, to)
	}
	r.Title, r.Organizer = rapid.StringMatching(`[a-zäש👋<>&]([a-zäש👋<>& ]{0,10}[a-z])?`).Draw(t, "title"), "Jane Doe"
	wire.subject = drawEscapes(t, r.Title)
	wire.sensitivity = rapid.SampledFrom([]string{"Normal", "Normal", "Personal", "Private", "Confidential"}).Draw(t, "sensitivity")
	r.Private = wire.sensitivity != "Normal"
	wire.response = rapid.SampledFrom([]string{"Accept", "Unknown", "Organizer", "Tentative", "NoResponseReceived", "Decline"}).Draw(t, "response")
	wire.freeBusy = rapid.SampledFrom([]string{"Busy", "Busy", "OOF", "NoData", "WorkingElsewhere", "Tentative", "Free"}).Draw(t, "free or busy")
	wire.cancelled = rapid.IntRange(0, 9).Draw(t, "cancelled") == 0
	r.Tentative = wire.response == "Tentative" || wire.response == "NoResponseReceived" || wire.freeBusy == "Tentative"
	if wire.response == "Organizer" {
		r.Organizer = ""
	}
	if r.Private {
		r.Title, r.Organizer = "", ""
	}
	if wire.cancelled || wire.response == "Decline" || wire.freeBusy == "Free" || !r.Start.Before(to) || !r.End.After(from) && !r.Start.Equal(from) {
		return drawn{wire, nil}
	}
	return drawn{wire, &r}
}

// drawEscapes writes a text for XML, with control characters strewn in that mean nothing.
func drawEscapes(t *rapid.T, text string) string {
	var b strings.Builder
	for _, r := range text {
		switch rapid.IntRange(0, 4).Draw(t, "form") {
		case 0:
			fmt.Fprintf(&b, "&#%d;", r)
		case 1:
			fmt.Fprintf(&b, "&#x%X;", r)
		case 2:
			b.WriteString("&#x1F;" + escaped(string(r)))
		default:
			b.WriteString(escaped(string(r)))
		}
	}
	return b.String()
}

func drawTimes(t *rapid.T, wire *entry, r *rooms.Reservation, from, to time.Time) {
	spread := int(to.Sub(from).Minutes()) + 600
	r.Start = from.Add(time.Duration(rapid.IntRange(-600, spread).Draw(t, "start")) * time.Minute).UTC()
	r.End = r.Start.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "minutes")) * time.Minute)
	wire.start, wire.end = r.Start.Format(time.RFC3339), r.End.Format(time.RFC3339)
}

// drawDays draws whole days, by somebody up to eleven hours away.
func drawDays(t *rapid.T, wire *entry, r *rooms.Reservation, zone *time.Location, from time.Time) {
	first := rapid.IntRange(-3, 4).Draw(t, "first day")
	length := rapid.IntRange(1, 5).Draw(t, "days")
	away := time.Duration(rapid.IntRange(-11, 11).Draw(t, "hours away")) * time.Hour
	r.AllDay = true
	r.Start = rooms.DayStart(from, zone, first).UTC()
	r.End = rooms.DayStart(from, zone, first+length).UTC()
	wire.allDay = true
	wire.start, wire.end = instant(r.Start.Add(away)), instant(r.End.Add(away))
}

// TestRandomCalendars: any items, given out in any portions, come to the expected reservations, in
// any zone.
func TestRandomCalendars(t *testing.T) {
	var entries []drawn
	most := 0
	p := newPeer(t, nil)
	p.api = func(w http.ResponseWriter, _ *http.Request) {
		asked := p.asked()
		from, to := window(t, asked[len(asked)-1])
		var items []string
		for _, e := range entries {
			start, _ := time.Parse(time.RFC3339, e.wire.start)
			end, _ := time.Parse(time.RFC3339, e.wire.end)
			if !end.Before(from) && start.Before(to) {
				items = append(items, e.wire.xml())
			}
		}
		say(w, partly(len(items) <= most, items[:min(most, len(items))]...))
	}
	c := p.calendar(t)
	rapid.Check(t, func(t *rapid.T) {
		room := roomIn(rapid.SampledFrom(roomZones()).Draw(t, "zone"))
		day := rapid.SampledFrom([]string{"2026-03-28", "2026-03-29", "2026-04-04", "2026-04-23", "2026-10-25", "2026-11-23"}).Draw(t, "day")
		from, to := days(room, day, 2)
		entries, most = nil, rapid.IntRange(30, 40).Draw(t, "at most")
		want := map[string]rooms.Reservation{}
		for i := range rapid.IntRange(0, 40).Draw(t, "items") {
			e := drawItem(t, i, room, from, to)
			entries = append(entries, e)
			if e.want != nil {
				want[e.want.ID] = *e.want
			}
		}
		read, err := c.Read(context.Background(), room, from, to)
		if fault := rooms.FaultOf(err); fault != nil && fault.Kind == rooms.FaultBadAnswer && len(entries) > most {
			return // too many of them at the same time
		}
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]rooms.Reservation{}
		for _, r := range read {
			got[r.ID] = r
		}
		if diff := cmp.Diff(want, got); diff != "" || len(got) != len(read) {
			t.Fatalf("%d: %s", len(read), diff)
		}
	})
}

// FuzzAnswer: whatever comes, the decoder ends, and what it lets through can be shown and kept.
func FuzzAnswer(f *testing.F) {
	for _, rows := range tables() {
		for _, row := range rows {
			f.Add([]byte(list(row.items...)))
		}
	}
	f.Add([]byte(oneItem(at10(weekly))))
	f.Add([]byte(partly(false, at10(weekly))))
	f.Add([]byte(soap("ErrorServerBusy", backOffValue("297749"))))
	f.Add([]byte(refusal200("FindItem", "ErrorAccessDenied")))
	f.Add([]byte("<!DOCTYPE x [<!ENTITY a 'b'>]>" + list()))
	room := roomIn("Europe/Berlin")
	from, to := days(room, "2026-11-23", 2)
	v := view{room.CalendarID, room.Zone, from, to}
	f.Fuzz(func(t *testing.T, body []byte) {
		if said, ok := decodeFault(body); ok && (said.code != word(said.code) || said.backOff < 0 || said.backOff > time.Hour) {
			t.Fatalf("refused with %q for %v", said.code, said.backOff)
		}
		m, err := decode(body, "FindItem")
		if err != nil || m.Root == nil || m.Root.Items == nil {
			return
		}
		var l listing
		l.add(m.Root.Items.All, v)
		l.unite()
		if l.items != len(m.Root.Items.All) || len(l.broken)+len(l.reservations) > l.items {
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
	case r.ID == "", r.Ref.EventID == "", r.Ref.ResourceEmail != v.mailbox:
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

// wholeDay is an answer of so many items of a usual shape.
func wholeDay(n int) []byte {
	items := make([]string, n)
	for i := range items {
		start := time.Date(2026, 11, 23, 7, 10*i, 0, 0, time.UTC)
		e := weekly
		e.id = fmt.Sprintf("AAMkADQ0ZGM2YzY0LTk3MzMtNDE2MC1hYzU1LTk4NmE2N2Y0NmU1NQFRAAgI2k%d/+dA0AARgAAAAA0000CwkOAAAAAAENAAA=", i)
		e.start, e.end = instant(start), instant(start.Add(10*time.Minute))
		items[i] = e.xml()
	}
	return []byte(list(items...))
}

func BenchmarkDayOf50Items(b *testing.B) {
	room := roomIn("Europe/Berlin")
	from, to := days(room, "2026-11-23", 2)
	v := view{room.CalendarID, room.Zone, from, to}
	body := wholeDay(50)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		m, err := decode(body, "FindItem")
		if err != nil {
			b.Fatal(err)
		}
		var l listing
		l.add(m.Root.Items.All, v)
		l.unite()
		if len(l.reservations) != 50 {
			b.Fatal(len(l.reservations))
		}
	}
}

// BenchmarkBareXML is what 50 is to be compared with: the same bytes into plain structures.
func BenchmarkBareXML(b *testing.B) {
	body := wholeDay(50)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		var e envelope
		if err := xml.Unmarshal(body, &e); err != nil || len(e.Body.Answer.Messages.All) != 1 {
			b.Fatal(err)
		}
	}
}
