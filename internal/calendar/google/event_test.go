package google

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"roomkiosk/internal/rooms"
)

// timed is an event as Google writes it; more is further fields.
func timed(id, start, end, more string) string {
	return fmt.Sprintf(`{"kind":"calendar#event","id":%q,"status":"confirmed","start":{"dateTime":%q},"end":{"dateTime":%q}%s}`,
		id, start, end, prefixed(more))
}

func allDay(id, start, end, more string) string {
	return fmt.Sprintf(`{"kind":"calendar#event","id":%q,"status":"confirmed","start":{"date":%q},"end":{"date":%q}%s}`,
		id, start, end, prefixed(more))
}

func prefixed(more string) string {
	if more == "" {
		return ""
	}
	return "," + more
}

func at10(more string) string {
	return timed("e1", "2026-11-23T10:00:00+01:00", "2026-11-23T11:00:00+01:00", more)
}

// decodeRow is what Google sends, and what it comes to. Rows run with the host in several zones.
type decodeRow struct {
	name  string
	zone  string // of the room; empty: Europe/Berlin
	day   string // first of the window; empty: 2026-11-23
	days  int    // length of the window; 0: 1
	items []string
	want  []string
}

const weekly = `"summary":"Weekly","organizer":{"email":"jane@example.com","displayName":"Jane Doe"}`

var meetings = []decodeRow{
	{name: "plain", items: []string{at10(weekly)}, want: []string{"11-23 10:00+01 11-23 11:00+01 Weekly by Jane Doe"}},
	{name: "nothing", want: []string{}},
	{name: "back to back", items: []string{
		timed("a", "2026-11-23T10:00:00+01:00", "2026-11-23T10:30:00+01:00", ""),
		timed("b", "2026-11-23T10:30:00+01:00", "2026-11-23T11:00:00+01:00", ""),
	}, want: []string{"11-23 10:00+01 11-23 10:30+01", "11-23 10:30+01 11-23 11:00+01"}},
	{name: "overlapping", items: []string{
		timed("a", "2026-11-23T10:00:00+01:00", "2026-11-23T11:00:00+01:00", ""),
		timed("b", "2026-11-23T10:30:00+01:00", "2026-11-23T11:30:00+01:00", ""),
	}, want: []string{"11-23 10:00+01 11-23 11:00+01", "11-23 10:30+01 11-23 11:30+01"}},
	{name: "no length", items: []string{timed("a", "2026-11-23T10:00:00+01:00", "2026-11-23T10:00:00+01:00", "")},
		want: []string{"11-23 10:00+01 11-23 10:00+01"}},
	{name: "over midnight", items: []string{timed("a", "2026-11-22T23:30:00+01:00", "2026-11-23T00:30:00+01:00", "")},
		want: []string{"11-22 23:30+01 11-23 00:30+01"}},
	{name: "ends as the window starts", items: []string{timed("a", "2026-11-22T23:30:00+01:00", "2026-11-23T00:00:00+01:00", "")},
		want: []string{}},
	{name: "several days", items: []string{timed("a", "2026-11-20T14:00:00+01:00", "2026-11-25T12:00:00+01:00", "")},
		want: []string{"11-20 14:00+01 11-25 12:00+01"}},
	{name: "written in another zone, near midnight", items: []string{
		timed("a", "2026-11-22T14:30:00-08:00", "2026-11-22T15:30:00-08:00", `"summary":"Call"`),
		timed("b", "2026-11-24T11:30:00+13:00", "2026-11-24T12:30:00+13:00", `"summary":"Call"`),
	}, want: []string{"11-22 23:30+01 11-23 00:30+01 Call", "11-23 23:30+01 11-24 00:30+01 Call"}},
	{name: "in UTC, with fractions", items: []string{timed("a", "2026-11-23T09:00:00.000Z", "2026-11-23T10:00:00Z", "")},
		want: []string{"11-23 10:00+01 11-23 11:00+01"}},
	{name: "no offset, own zone", items: []string{
		`{"id":"a","start":{"dateTime":"2026-11-23T09:00:00","timeZone":"Europe/London"},"end":{"dateTime":"2026-11-23T10:00:00","timeZone":"Europe/London"}}`,
	}, want: []string{"11-23 10:00+01 11-23 11:00+01"}},
	{name: "no offset, no zone that exists", items: []string{
		`{"id":"a","start":{"dateTime":"2026-11-23T09:00:00","timeZone":"Local"},"end":{"dateTime":"2026-11-23T10:00:00","timeZone":"../../etc/passwd"}}`,
	}, want: []string{"11-23 09:00+01 11-23 10:00+01"}},
	{name: "a room far away keeps its own day", zone: "Pacific/Auckland", items: []string{
		timed("a", "2026-11-23T00:00:00+13:00", "2026-11-23T01:00:00+13:00", ""),
		timed("b", "2026-11-23T23:00:00+13:00", "2026-11-24T00:00:00+13:00", ""),
	}, want: []string{"11-23 00:00+13 11-23 01:00+13", "11-23 23:00+13 11-24 00:00+13"}},
	{name: "nobody gave an end", items: []string{at10(`"endTimeUnspecified":true`)}, want: []string{"11-23 10:00+01 11-23 11:00+01"}},
	{name: "nobody gave an end, nor did Google", items: []string{
		`{"id":"a","start":{"dateTime":"2026-11-23T10:00:00+01:00"},"endTimeUnspecified":true}`,
	}, want: []string{"11-23 10:00+01 11-23 10:00+01"}},
	{name: "moved occurrence", items: []string{timed("s_20261123T090000Z", "2026-11-23T15:00:00+01:00", "2026-11-23T16:00:00+01:00",
		`"recurringEventId":"s","originalStartTime":{"dateTime":"2026-11-23T10:00:00+01:00"}`)},
		want: []string{"11-23 15:00+01 11-23 16:00+01"}},
}

var wholeDays = []decodeRow{
	{name: "all day", items: []string{allDay("a", "2026-11-23", "2026-11-24", `"summary":"Painters"`)},
		want: []string{"11-23 00:00+01 11-24 00:00+01 all-day Painters"}},
	{name: "all day yesterday and tomorrow don't touch today", items: []string{
		allDay("a", "2026-11-22", "2026-11-23", ""), allDay("b", "2026-11-24", "2026-11-25", ""),
	}, want: []string{}},
	{name: "all day in a room far east", zone: "Pacific/Auckland", items: []string{allDay("a", "2026-11-23", "2026-11-24", "")},
		want: []string{"11-23 00:00+13 11-24 00:00+13 all-day"}},
	{name: "all day in a room far west", zone: "Pacific/Honolulu", items: []string{allDay("a", "2026-11-23", "2026-11-24", "")},
		want: []string{"11-23 00:00-10 11-24 00:00-10 all-day"}},
	{name: "all of several days", items: []string{allDay("a", "2026-11-20", "2026-11-28", "")},
		want: []string{"11-20 00:00+01 11-28 00:00+01 all-day"}},
	{name: "all day beside a meeting", items: []string{allDay("a", "2026-11-23", "2026-11-24", `"summary":"Fair"`), at10(weekly)},
		want: []string{"11-23 00:00+01 11-24 00:00+01 all-day Fair", "11-23 10:00+01 11-23 11:00+01 Weekly by Jane Doe"}},
	{name: "a day that ends as it starts counts as one", items: []string{allDay("a", "2026-11-23", "2026-11-23", "")},
		want: []string{"11-23 00:00+01 11-24 00:00+01 all-day"}},
}

var clockChanges = []decodeRow{
	{name: "23 hours", day: "2026-03-29", items: []string{allDay("a", "2026-03-29", "2026-03-30", "")},
		want: []string{"03-29 00:00+01 03-30 00:00+02 all-day"}},
	{name: "25 hours", day: "2026-10-25", items: []string{allDay("a", "2026-10-25", "2026-10-26", "")},
		want: []string{"10-25 00:00+02 10-26 00:00+01 all-day"}},
	{name: "a day without midnight", zone: "Africa/Cairo", day: "2026-04-24", items: []string{allDay("a", "2026-04-24", "2026-04-25", "")},
		want: []string{"04-24 01:00+03 04-25 00:00+03 all-day"}},
	{name: "02:30 that never was, as Google moves it", day: "2026-03-29", items: []string{
		timed("a", "2026-03-29T03:30:00+02:00", "2026-03-29T04:00:00+02:00", ""),
	}, want: []string{"03-29 03:30+02 03-29 04:00+02"}},
	{name: "across the hour that never was", day: "2026-03-29", items: []string{
		timed("a", "2026-03-29T01:30:00+01:00", "2026-03-29T03:30:00+02:00", ""),
	}, want: []string{"03-29 01:30+01 03-29 03:30+02"}},
	{name: "02:30 twice", day: "2026-10-25", items: []string{
		timed("a", "2026-10-25T02:30:00+02:00", "2026-10-25T02:45:00+02:00", ""),
		timed("b", "2026-10-25T02:30:00+01:00", "2026-10-25T02:45:00+01:00", ""),
	}, want: []string{"10-25 02:30+02 10-25 02:45+02", "10-25 02:30+01 10-25 02:45+01"}},
	{name: "from the first 02:30 to the second", day: "2026-10-25", items: []string{
		timed("a", "2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00", ""),
	}, want: []string{"10-25 02:30+02 10-25 02:30+01"}},
	{name: "a series stays at its hour", day: "2026-10-24", days: 3, items: []string{
		timed("s_20261024T080000Z", "2026-10-24T10:00:00+02:00", "2026-10-24T11:00:00+02:00", `"recurringEventId":"s"`),
		timed("s_20261025T090000Z", "2026-10-25T10:00:00+01:00", "2026-10-25T11:00:00+01:00", `"recurringEventId":"s"`),
		timed("s_20261026T090000Z", "2026-10-26T10:00:00+01:00", "2026-10-26T11:00:00+01:00", `"recurringEventId":"s"`),
	}, want: []string{"10-24 10:00+02 10-24 11:00+02", "10-25 10:00+01 10-25 11:00+01", "10-26 10:00+01 10-26 11:00+01"}},
	{name: "25 hours in Auckland", zone: "Pacific/Auckland", day: "2026-04-05", items: []string{allDay("a", "2026-04-05", "2026-04-06", "")},
		want: []string{"04-05 00:00+13 04-06 00:00+12 all-day"}},
}

var standings = []decodeRow{
	{name: "cancelled", items: []string{timed("a", "2026-11-23T10:00:00+01:00", "2026-11-23T11:00:00+01:00", `"x":1`),
		strings.Replace(at10(""), "confirmed", "cancelled", 1)}, want: []string{"11-23 10:00+01 11-23 11:00+01"}},
	{name: "cancelled exception without a start", items: []string{
		`{"id":"s_20261123T090000Z","status":"cancelled","recurringEventId":"s","originalStartTime":{"dateTime":"2026-11-23T10:00:00+01:00"}}`,
		`{"id":"s_20261124T090000Z","status":"cancelled"}`,
	}, want: []string{}},
	{name: "transparent", items: []string{at10(`"transparency":"transparent"`)}, want: []string{}},
	{name: "opaque", items: []string{at10(`"transparency":"opaque"`)}, want: []string{"11-23 10:00+01 11-23 11:00+01"}},
	{name: "declined by the room, its own entry", items: []string{
		at10(`"attendees":[{"email":"jane@example.com","responseStatus":"accepted"},{"email":"alias@example.com","self":true,"responseStatus":"declined"}]`),
	}, want: []string{}},
	{name: "declined by the room, by its address", items: []string{
		at10(`"attendees":[{"email":"C_188ADA@resource.calendar.google.com","resource":true,"responseStatus":"declined"},{"email":"c_2@resource.calendar.google.com","resource":true,"responseStatus":"accepted"}]`),
	}, want: []string{}},
	{name: "declined by the only resource", items: []string{
		at10(`"attendees":[{"email":"jane@example.com","responseStatus":"accepted"},{"email":"old-address@example.com","resource":true,"responseStatus":"declined"}]`),
	}, want: []string{}},
	{name: "declined by another room", items: []string{
		at10(`"attendees":[{"email":"c_2@resource.calendar.google.com","resource":true,"responseStatus":"declined"},{"self":true,"resource":true,"responseStatus":"accepted"}]`),
	}, want: []string{"11-23 10:00+01 11-23 11:00+01"}},
	{name: "declined by one of two rooms, neither of them known", items: []string{
		at10(`"attendees":[{"email":"c_2@x.example","resource":true,"responseStatus":"accepted"},{"email":"c_3@x.example","resource":true,"responseStatus":"declined"}]`),
	}, want: []string{"11-23 10:00+01 11-23 11:00+01"}},
	{name: "declined by a guest", items: []string{
		at10(`"attendees":[{"email":"jane@example.com","responseStatus":"declined"},{"self":true,"responseStatus":"accepted"}]`),
	}, want: []string{"11-23 10:00+01 11-23 11:00+01"}},
	{name: "not answered by the room", items: []string{at10(`"attendees":[{"self":true,"responseStatus":"needsAction"}]`)},
		want: []string{"11-23 10:00+01 11-23 11:00+01 tentative"}},
	{name: "answered with perhaps", items: []string{at10(`"attendees":[{"self":true,"responseStatus":"tentative"}]`)},
		want: []string{"11-23 10:00+01 11-23 11:00+01 tentative"}},
	{name: "itself uncertain", items: []string{strings.Replace(at10(""), "confirmed", "tentative", 1)},
		want: []string{"11-23 10:00+01 11-23 11:00+01 tentative"}},
	{name: "types", items: []string{
		at10(`"eventType":"default"`), at10(`"eventType":"focusTime"`), at10(`"eventType":"outOfOffice"`), at10(`"eventType":"birthday"`),
		at10(`"eventType":"workingLocation"`), at10(`"eventType":"yetToCome"`),
		timed("mail", "2026-11-23T12:00:00+01:00", "2026-11-23T13:00:00+01:00", `"eventType":"fromGmail"`),
	}, want: []string{"11-23 10:00+01 11-23 11:00+01", "11-23 12:00+01 11-23 13:00+01"}},
}

var details = []decodeRow{
	{name: "private", items: []string{at10(weekly + `,"visibility":"private"`)}, want: []string{"11-23 10:00+01 11-23 11:00+01 private"}},
	{name: "confidential", items: []string{at10(weekly + `,"visibility":"confidential"`)}, want: []string{"11-23 10:00+01 11-23 11:00+01 private"}},
	{name: "a visibility nobody knows", items: []string{at10(weekly + `,"visibility":"secret"`)}, want: []string{"11-23 10:00+01 11-23 11:00+01 private"}},
	{name: "public", items: []string{at10(weekly + `,"visibility":"public"`)}, want: []string{"11-23 10:00+01 11-23 11:00+01 Weekly by Jane Doe"}},
	{name: "default", items: []string{at10(weekly + `,"visibility":"default"`)}, want: []string{"11-23 10:00+01 11-23 11:00+01 Weekly by Jane Doe"}},
	{name: "no title", items: []string{at10(`"organizer":{"displayName":"Jane Doe"}`)}, want: []string{"11-23 10:00+01 11-23 11:00+01 by Jane Doe"}},
	{name: "organizer without a name", items: []string{at10(`"organizer":{"email":"jane.doe@example.com","displayName":" "}`)},
		want: []string{"11-23 10:00+01 11-23 11:00+01 by jane.doe"}},
	{name: "booked at the room's own calendar", items: []string{at10(`"organizer":{"email":"` + ada + `","self":true}`)},
		want: []string{"11-23 10:00+01 11-23 11:00+01"}},
	{name: "right to left and emoji", items: []string{at10(`"summary":"שלום 👩‍💻"`)}, want: []string{"11-23 10:00+01 11-23 11:00+01 שלום 👩‍💻"}},
	{name: "half a character", items: []string{at10(`"summary":"a\ud83d"`)}, want: []string{"11-23 10:00+01 11-23 11:00+01 a\ufffd"}},
}

var broken = []decodeRow{
	{name: "no start", items: []string{`{"id":"x","end":{"dateTime":"2026-11-23T11:00:00+01:00"}}`, at10("")}, want: []string{"11-23 10:00+01 11-23 11:00+01"}},
	{name: "no end", items: []string{`{"id":"x","start":{"dateTime":"2026-11-23T11:00:00+01:00"}}`, at10("")}, want: []string{"11-23 10:00+01 11-23 11:00+01"}},
	{name: "empty start", items: []string{`{"id":"x","start":{},"end":{}}`, at10("")}, want: []string{"11-23 10:00+01 11-23 11:00+01"}},
	{name: "ends before it starts", items: []string{timed("x", "2026-11-23T11:00:00+01:00", "2026-11-23T10:00:00+01:00", ""), at10("")}, want: []string{"11-23 10:00+01 11-23 11:00+01"}},
	{name: "no id", items: []string{strings.Replace(at10(""), `"e1"`, `""`, 1), at10("")}, want: []string{"11-23 10:00+01 11-23 11:00+01"}},
	{name: "huge id", items: []string{timed(strings.Repeat("x", 2000), "2026-11-23T10:00:00+01:00", "2026-11-23T11:00:00+01:00", ""), at10("")}, want: []string{"11-23 10:00+01 11-23 11:00+01"}},
	{name: "not an object", items: []string{`7`, `"x"`, at10("")}, want: []string{"11-23 10:00+01 11-23 11:00+01"}},
	{name: "null", items: []string{`null`, at10("")}, want: []string{"11-23 10:00+01 11-23 11:00+01"}},
	{name: "wrong types", items: []string{`{"id":"x","start":"noon"}`, `{"id":"x","attendees":{}}`, at10("")}, want: []string{"11-23 10:00+01 11-23 11:00+01"}},
	{name: "no such day", items: []string{allDay("x", "2026-02-30", "2026-03-01", ""), at10("")}, want: []string{"11-23 10:00+01 11-23 11:00+01"}},
	{name: "no such year", items: []string{timed("x", "0000-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", ""), at10("")}, want: []string{"11-23 10:00+01 11-23 11:00+01"}},
	{name: "the only one", items: []string{`{"id":"x"}`}, want: []string{}},
}

func TestReservations(t *testing.T) {
	for _, group := range []struct {
		name string
		rows []decodeRow
	}{{"meetings", meetings}, {"whole days", wholeDays}, {"clock changes", clockChanges}, {"standings", standings}, {"details", details}, {"broken", broken}} {
		for _, row := range group.rows {
			t.Run(group.name+"/"+row.name, row.run)
		}
	}
}

func (row decodeRow) run(t *testing.T) {
	p := newPeer(t, answerWith(list("", row.items...)))
	room := roomIn(or(row.zone, "Europe/Berlin"))
	from, to := days(room, or(row.day, "2026-11-23"), max(row.days, 1))
	c := p.calendar(t)
	read, err := c.Read(context.Background(), room, from, to)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(row.want, lines(read, room.Zone)); diff != "" {
		t.Error(diff)
	}
	for _, r := range read {
		if r.Start.Location() != time.UTC || r.End.Location() != time.UTC {
			t.Errorf("instants in %v, %v", r.Start.Location(), r.End.Location())
		}
	}
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// TestHostZones runs the table again on hosts in other zones: the host's zone must play no part.
func TestHostZones(t *testing.T) {
	if os.Getenv("HOST_ZONE") != "" {
		_, offset := time.Date(2026, 11, 23, 0, 0, 0, 0, time.Local).Zone()
		_, want := time.Date(2026, 11, 23, 0, 0, 0, 0, zone(os.Getenv("HOST_ZONE"))).Zone()
		if offset != want {
			t.Fatalf("the host is %d s from UTC, not %d", offset, want)
		}
		return
	}
	for _, name := range []string{"UTC", "Pacific/Auckland", "Europe/Berlin"} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run=^(TestReservations|TestHostZones|TestRandomCalendars)$")
			cmd.Env = append(os.Environ(), "TZ="+name, "HOST_ZONE="+name)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func TestReservationNamesItsEvent(t *testing.T) {
	p := newPeer(t, answerWith(list("", timed("s_20261123T090000Z", "2026-11-23T10:00:00+01:00", "2026-11-23T11:00:00+01:00", `"recurringEventId":"s","iCalUID":"s@google.com"`))))
	read, err := readDay(context.Background(), p.calendar(t))
	if err != nil {
		t.Fatal(err)
	}
	want := []rooms.Reservation{{
		ID:    rooms.ReservationID(ada, "s_20261123T090000Z"),
		Ref:   rooms.EventRef{EventID: "s_20261123T090000Z", CalendarID: ada},
		Start: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC),
		End:   time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC),
	}}
	if diff := cmp.Diff(want, read); diff != "" {
		t.Error(diff)
	}
}

func TestAbsurdTextsAreCut(t *testing.T) {
	long, err := json.Marshal(strings.Repeat("ü", 10_000))
	if err != nil {
		t.Fatal(err)
	}
	p := newPeer(t, answerWith(list("", at10(fmt.Sprintf(`"summary":%s,"organizer":{"displayName":%s}`, long, long)))))
	read, err := readDay(context.Background(), p.calendar(t))
	if err != nil {
		t.Fatal(err)
	}
	if n := utf8.RuneCountInString(read[0].Title); n != 1000 {
		t.Errorf("title of %d characters", n)
	}
	if n := utf8.RuneCountInString(read[0].Organizer); n != 1000 {
		t.Errorf("organizer of %d characters", n)
	}
}

func TestBrokenItemsAreCountedAndLoggedOnce(t *testing.T) {
	p := newPeer(t, answerWith(list("", `{"id":"broken-1","summary":"Secret title"}`, at10(weekly))))
	c := p.calendar(t)
	for range 3 {
		if _, err := readDay(context.Background(), c); err != nil {
			t.Fatal(err)
		}
	}
	if c.Dropped() != 3 {
		t.Errorf("dropped %d", c.Dropped())
	}
	log := p.log.String()
	if strings.Count(log, "broken-1") != 1 || strings.Contains(log, "Secret title") {
		t.Errorf("log: %s", log)
	}
}

// TestItemByItem: the careful way to read a page comes to the same as the quick one.
func TestItemByItem(t *testing.T) {
	for _, rows := range [][]decodeRow{meetings, wholeDays, clockChanges, standings, details} {
		for _, row := range rows {
			body := []byte(list("p2", row.items...))
			quick, err := decodePage(body)
			if err != nil {
				t.Fatal(err)
			}
			careful, err := decodeItems(body)
			if diff := cmp.Diff(quick, careful, cmpopts.EquateEmpty()); err != nil || diff != "" {
				t.Errorf("%s: %v %s", row.name, err, diff)
			}
		}
	}
}
