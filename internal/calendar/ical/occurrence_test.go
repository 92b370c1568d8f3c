package ical

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"roomkiosk/internal/rooms"
)

func TestTexts(t *testing.T) {
	from, to := june(time.UTC)
	text := vevents("DTSTART:20260601T090000Z", `SUMMARY;LANGUAGE=de: Lunch, team\, and\; more\nthen \\n "x" \q`, "CLASS:private", "STATUS:tentative",
		"TRANSP:Transparent", "X-MICROSOFT-CDO-BUSYSTATUS: oof", "SEQUENCE:7",
		`ORGANIZER;CN="Doe, Jane ^'JD^' ^^":MAILTO:jane@example.com`,
		"ATTENDEE;CUTYPE=room;PARTSTAT=accepted;CN=Ada:mailto:ada@example.com",
		"ATTENDEE;EMAIL=bo@example.com:urn:uuid:0c9e1f4c")
	want := Occurrence{
		ID: "series", UID: "series", Start: from.Add(9 * time.Hour), End: from.Add(9 * time.Hour), Sequence: 7,
		Summary: "Lunch, team, and; more\nthen \\n \"x\" q", Class: "PRIVATE", Status: "TENTATIVE", Transparent: true, BusyStatus: "OOF",
		Organizer: Person{Address: "jane@example.com", Name: `Doe, Jane "JD" ^`},
		Attendees: []Attendee{
			{Person: Person{Address: "ada@example.com", Name: "Ada"}, PartStat: "ACCEPTED", CUType: "ROOM"},
			{Person: Person{Address: "urn:uuid:0c9e1f4c", Email: "bo@example.com"}},
		},
	}
	e := expand(t, text, from, to, time.UTC)
	if diff := cmp.Diff([]Occurrence{want}, e.Occurrences); diff != "" {
		t.Error(diff)
	}
}

func TestAbsurdTexts(t *testing.T) {
	from, to := june(time.UTC)
	for _, tt := range []struct{ summary, want string }{
		{strings.Repeat("ä", 500_000), strings.Repeat("ä", 1000)},
		{"a\xffb", "a\ufffdb"},
		{`\`, ""},
		{"", ""},
		{"مرحبا 👩‍👩‍👧", "مرحبا 👩‍👩‍👧"},
	} {
		e := expand(t, vevents("DTSTART:20260601T090000Z", "SUMMARY:"+tt.summary), from, to, time.UTC)
		if len(e.Occurrences) != 1 || e.Occurrences[0].Summary != tt.want {
			t.Errorf("%.20q: got %v, %v", tt.summary, spans(e), e.Broken)
		}
	}
}

// TestReservation: what blocks the room, and what is told about it. The room is ada@example.com.
func TestReservation(t *testing.T) {
	for _, tt := range []struct {
		name  string
		lines []string
		want  string // title, organizer and flags; "": doesn't block
	}{
		{"plain", nil, "Weekly|Jane"},
		{"confirmed", []string{"STATUS:CONFIRMED", "CLASS:PUBLIC", "TRANSP:OPAQUE", "X-MICROSOFT-CDO-BUSYSTATUS:BUSY"}, "Weekly|Jane"},
		{"cancelled", []string{"STATUS:CANCELLED"}, ""},
		{"transparent", []string{"TRANSP:TRANSPARENT"}, ""},
		{"free", []string{"X-MICROSOFT-CDO-BUSYSTATUS:FREE"}, ""},
		{"out of office", []string{"X-MICROSOFT-CDO-BUSYSTATUS:OOF"}, "Weekly|Jane"},
		{"tentative", []string{"STATUS:TENTATIVE"}, "Weekly|Jane tentative"},
		{"tentative in Outlook", []string{"X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE"}, "Weekly|Jane tentative"},
		{"private", []string{"CLASS:PRIVATE"}, "| private"},
		{"confidential", []string{"CLASS:CONFIDENTIAL"}, "| private"},
		{"a class of somebody's own", []string{"CLASS:X-SECRET"}, "| private"},
		{"accepted", []string{"ATTENDEE;PARTSTAT=ACCEPTED:mailto:ada@example.com"}, "Weekly|Jane"},
		{"declined", []string{"ATTENDEE;PARTSTAT=DECLINED:mailto:ada@example.com"}, ""},
		{"declined, in capitals", []string{"ATTENDEE;PARTSTAT=declined:MAILTO:ADA@EXAMPLE.COM"}, ""},
		{"declined, by its EMAIL", []string{"ATTENDEE;PARTSTAT=DECLINED;EMAIL=ada@example.com:urn:uuid:1"}, ""},
		{"declined, by its principal", []string{"ATTENDEE;PARTSTAT=DECLINED:/principals/ada/"}, ""},
		{"declined by somebody else", []string{"ATTENDEE;PARTSTAT=DECLINED:mailto:jane@example.com"}, "Weekly|Jane"},
		{"not answered", []string{"ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:ada@example.com"}, "Weekly|Jane tentative"},
		{"not answered, unsaid", []string{"ATTENDEE:mailto:ada@example.com"}, "Weekly|Jane tentative"},
		{"answered perhaps", []string{"ATTENDEE;PARTSTAT=TENTATIVE:mailto:ada@example.com"}, "Weekly|Jane tentative"},
		{"the only room, under another address", []string{
			"ATTENDEE;CUTYPE=INDIVIDUAL;PARTSTAT=ACCEPTED:mailto:jane@example.com", "ATTENDEE;CUTYPE=ROOM;PARTSTAT=DECLINED:mailto:room1@example.com",
		}, ""},
		{"one of two rooms, under other addresses", []string{
			"ATTENDEE;CUTYPE=ROOM;PARTSTAT=DECLINED:mailto:room1@example.com", "ATTENDEE;CUTYPE=RESOURCE;PARTSTAT=ACCEPTED:mailto:room2@example.com",
		}, "Weekly|Jane"},
		{"its own answer before that of another room", []string{
			"ATTENDEE;CUTYPE=ROOM;PARTSTAT=DECLINED:mailto:room1@example.com", "ATTENDEE;CUTYPE=ROOM;PARTSTAT=ACCEPTED:mailto:ada@example.com",
		}, "Weekly|Jane"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			from, to := june(time.UTC)
			lines := append([]string{"DTSTART:20260601T090000Z", "SUMMARY:Weekly", "ORGANIZER;CN=Jane:mailto:jane@example.com"}, tt.lines...)
			e := expand(t, vevents(lines...), from, to, time.UTC)
			all := e.Reservations("cal", []string{"mailto:ada@example.com", "/principals/ada/", ""})
			got := ""
			for _, r := range all {
				got = r.Title + "|" + r.Organizer
				if r.Private {
					got += " private"
				}
				if r.Tentative {
					got += " tentative"
				}
				if r.ID != rooms.ReservationID("cal", "series") || r.Ref != (rooms.EventRef{EventID: "series", CalendarID: "cal"}) || !r.Start.Equal(from.Add(9*time.Hour)) {
					t.Errorf("got %+v", r)
				}
			}
			if got != tt.want || len(all) > 0 != (tt.want != "") {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestOrganizers(t *testing.T) {
	for _, tt := range []struct {
		p    Person
		want string
	}{
		{Person{Name: "Jane Doe", Address: "jane@example.com"}, "Jane Doe"},
		{Person{Address: "jane@example.com"}, "jane"},
		{Person{Address: "urn:uuid:1", Email: "jane@example.com"}, "jane"},
		{Person{Address: "urn:uuid:1"}, ""},
		{Person{Address: "https://example.com/~a@b"}, ""},
		{Person{}, ""},
	} {
		if got := tt.p.shown(); got != tt.want {
			t.Errorf("%+v: got %q, want %q", tt.p, got, tt.want)
		}
	}
}

// TestConcurrentUse: a calendar can be expanded by several goroutines, for rooms in several zones.
func TestConcurrentUse(t *testing.T) {
	c, err := Parse([]byte(wrapped(vtimezone("mine") + good +
		"BEGIN:VEVENT\r\nUID:x\r\nDTSTART;TZID=mine:20200101T090000\r\nRRULE:FREQ=DAILY\r\nATTENDEE:mailto:a@example.com\r\nEND:VEVENT\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	from, to := june(time.UTC)
	want := spans(c.Expand(from, to, time.UTC))
	done := make(chan []string)
	for range 4 {
		go func() { done <- spans(c.Expand(from, to, time.UTC)) }()
	}
	for range 4 {
		if got := <-done; !slices.Equal(got, want) || len(got) != 31 {
			t.Errorf("got %v", got)
		}
	}
}
