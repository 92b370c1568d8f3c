package ews

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"roomkiosk/internal/rooms"
)

const changeKey = "DwAAABYAAADuTjuGjRxfQIVzQjAhiPFTAAAeUAAN"

// entry is an item as Exchange writes it. Empty properties are left out, as Exchange does.
type entry struct {
	id, subject, sensitivity, start, end, freeBusy, kind, response, organizer string
	allDay, cancelled, alone                                                  bool
}

func (e entry) xml() string {
	var b strings.Builder
	put := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&b, "<t:%[1]s>%[2]s</t:%[1]s>", name, text)
		}
	}
	fmt.Fprintf(&b, `<t:CalendarItem><t:ItemId Id="%s" ChangeKey="%s"/>`, or(e.id, "AAMkADQx/+A="), changeKey)
	put("Subject", e.subject)
	put("Sensitivity", strings.TrimPrefix(or(e.sensitivity, "Normal"), "-"))
	put("UID", "040000008200E00074C5B7101A82E008")
	put("Start", e.start)
	put("End", e.end)
	put("IsAllDayEvent", fmt.Sprint(e.allDay))
	put("LegacyFreeBusyStatus", or(e.freeBusy, "Busy"))
	put("Location", "Ada Lovelace")
	put("IsMeeting", fmt.Sprint(!e.alone))
	put("IsCancelled", fmt.Sprint(e.cancelled))
	put("CalendarItemType", or(e.kind, "Single"))
	put("MyResponseType", or(e.response, "Accept"))
	if e.organizer != "" {
		put("Organizer", "<t:Mailbox>"+e.organizer+"</t:Mailbox>")
	}
	return b.String() + "</t:CalendarItem>"
}

func timed(id, start, end string) string { return entry{id: id, start: start, end: end}.xml() }

// at10 is an item from 10:00 to 11:00 in Berlin.
func at10(e entry) string {
	e.start, e.end = "2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z"
	return e.xml()
}

func whole(id, start, end string) string {
	return entry{id: id, start: start, end: end, allDay: true}.xml()
}

// without removes a property from an item.
func without(item, name string) string {
	before, rest, _ := strings.Cut(item, "<t:"+name+">")
	_, after, _ := strings.Cut(rest, "</t:"+name+">")
	return before + after
}

// decodeRow is what Exchange sends, and what it comes to. Rows run with the host in several zones.
type decodeRow struct {
	name  string
	zone  string // of the room; empty: Europe/Berlin
	day   string // first of the window; empty: 2026-11-23
	days  int    // length of the window; 0: 1
	items []string
	want  []string
}

const (
	jane = "<t:Name>Jane Doe</t:Name>"
	ten  = "11-23 10:00+01 11-23 11:00+01"
)

var weekly = entry{subject: "Weekly", organizer: jane}

var meetings = []decodeRow{
	{name: "plain", items: []string{at10(weekly)}, want: []string{ten + " Weekly by Jane Doe"}},
	{name: "nothing", want: []string{}},
	{name: "back to back", items: []string{
		timed("a", "2026-11-23T09:00:00Z", "2026-11-23T09:30:00Z"), timed("b", "2026-11-23T09:30:00Z", "2026-11-23T10:00:00Z"),
	}, want: []string{"11-23 10:00+01 11-23 10:30+01", "11-23 10:30+01 11-23 11:00+01"}},
	{name: "overlapping", items: []string{
		timed("a", "2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z"), timed("b", "2026-11-23T09:30:00Z", "2026-11-23T10:30:00Z"),
	}, want: []string{ten, "11-23 10:30+01 11-23 11:30+01"}},
	{name: "no length", items: []string{timed("a", "2026-11-23T09:00:00Z", "2026-11-23T09:00:00Z")}, want: []string{"11-23 10:00+01 11-23 10:00+01"}},
	{name: "over midnight", items: []string{timed("a", "2026-11-22T22:30:00Z", "2026-11-22T23:30:00Z")}, want: []string{"11-22 23:30+01 11-23 00:30+01"}},
	{name: "ends as the window starts", items: []string{timed("a", "2026-11-22T22:30:00Z", "2026-11-22T23:00:00Z")}, want: []string{}},
	{name: "several days", items: []string{timed("a", "2026-11-20T13:00:00Z", "2026-11-25T11:00:00Z")}, want: []string{"11-20 14:00+01 11-25 12:00+01"}},
	{name: "with an offset, with fractions, without anything", items: []string{
		timed("a", "2026-11-23T10:00:00+01:00", "2026-11-23T02:00:00.000-08:00"), timed("b", "2026-11-23T10:00:00", " 2026-11-23T11:00:00 "),
	}, want: []string{ten, "11-23 11:00+01 11-23 12:00+01"}},
	{name: "a room far away keeps its own day", zone: "Pacific/Auckland", items: []string{
		timed("a", "2026-11-22T11:00:00Z", "2026-11-22T12:00:00Z"), timed("b", "2026-11-23T10:00:00Z", "2026-11-23T11:00:00Z"),
		timed("c", "2026-11-23T11:00:00Z", "2026-11-23T12:00:00Z"),
	}, want: []string{"11-23 00:00+13 11-23 01:00+13", "11-23 23:00+13 11-24 00:00+13"}},
	{name: "occurrence and exception", items: []string{
		at10(entry{id: "a", kind: "Occurrence"}), entry{id: "b", kind: "Exception", start: "2026-11-23T14:00:00Z", end: "2026-11-23T15:00:00Z"}.xml(),
	}, want: []string{ten, "11-23 15:00+01 11-23 16:00+01"}},
	{name: "a whole series in place of its occurrences", items: []string{at10(entry{kind: "RecurringMaster"})}, want: []string{}},
}

var wholeDays = []decodeRow{
	{name: "all day", items: []string{entry{subject: "Painters", start: "2026-11-22T23:00:00Z", end: "2026-11-23T23:00:00Z", allDay: true}.xml()},
		want: []string{"11-23 00:00+01 11-24 00:00+01 all-day Painters"}},
	{name: "all day yesterday and tomorrow don't touch today", items: []string{
		whole("a", "2026-11-21T23:00:00Z", "2026-11-22T23:00:00Z"), whole("b", "2026-11-23T23:00:00Z", "2026-11-24T23:00:00Z"),
	}, want: []string{}},
	{name: "midnight in London", items: []string{whole("a", "2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z")},
		want: []string{"11-23 00:00+01 11-24 00:00+01 all-day"}},
	{name: "midnight in New York", items: []string{whole("a", "2026-11-23T05:00:00Z", "2026-11-24T05:00:00Z"), whole("b", "2026-11-22T05:00:00Z", "2026-11-23T05:00:00Z")},
		want: []string{"11-23 00:00+01 11-24 00:00+01 all-day"}},
	{name: "midnight in Tokyo", items: []string{whole("a", "2026-11-22T15:00:00Z", "2026-11-23T15:00:00Z"), whole("b", "2026-11-23T15:00:00Z", "2026-11-24T15:00:00Z")},
		want: []string{"11-23 00:00+01 11-24 00:00+01 all-day"}},
	{name: "midnight in Auckland, half a day away", items: []string{whole("a", "2026-11-22T11:00:00Z", "2026-11-23T11:00:00Z")},
		want: []string{"11-23 00:00+01 11-24 00:00+01 all-day"}},
	{name: "midnight in Berlin, seen in Auckland", zone: "Pacific/Auckland", items: []string{whole("a", "2026-11-22T23:00:00Z", "2026-11-23T23:00:00Z")},
		days: 2, want: []string{"11-24 00:00+13 11-25 00:00+13 all-day"}},
	{name: "all day in a room far west", zone: "Pacific/Honolulu", items: []string{whole("a", "2026-11-23T10:00:00Z", "2026-11-24T10:00:00Z")},
		want: []string{"11-23 00:00-10 11-24 00:00-10 all-day"}},
	{name: "all of several days", items: []string{whole("a", "2026-11-19T23:00:00Z", "2026-11-27T23:00:00Z")},
		want: []string{"11-20 00:00+01 11-28 00:00+01 all-day"}},
	{name: "all day beside a meeting", items: []string{whole("a", "2026-11-22T23:00:00Z", "2026-11-23T23:00:00Z"), at10(weekly)},
		want: []string{"11-23 00:00+01 11-24 00:00+01 all-day", ten + " Weekly by Jane Doe"}},
	{name: "a day that ends as it starts counts as one", items: []string{whole("a", "2026-11-22T23:00:00Z", "2026-11-22T23:00:00Z")},
		want: []string{"11-23 00:00+01 11-24 00:00+01 all-day"}},
	{name: "a day that ends a second early", items: []string{whole("a", "2026-11-22T23:00:00Z", "2026-11-23T22:59:59Z")},
		want: []string{"11-23 00:00+01 11-24 00:00+01 all-day"}},
}

var clockChanges = []decodeRow{
	{name: "23 hours", day: "2026-03-29", items: []string{whole("a", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z")},
		want: []string{"03-29 00:00+01 03-30 00:00+02 all-day"}},
	{name: "25 hours", day: "2026-10-25", items: []string{whole("a", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z")},
		want: []string{"10-25 00:00+02 10-26 00:00+01 all-day"}},
	{name: "25 hours, made where the clocks stay", day: "2026-10-25", items: []string{whole("a", "2026-10-24T18:30:00Z", "2026-10-25T18:30:00Z")},
		want: []string{"10-25 00:00+02 10-26 00:00+01 all-day"}},
	{name: "a day without midnight", zone: "Africa/Cairo", day: "2026-04-24", items: []string{whole("a", "2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z")},
		want: []string{"04-24 01:00+03 04-25 00:00+03 all-day"}},
	{name: "across the hour that never was", day: "2026-03-29", items: []string{timed("a", "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z")},
		want: []string{"03-29 01:30+01 03-29 03:30+02"}},
	{name: "02:30 twice", day: "2026-10-25", items: []string{
		timed("a", "2026-10-25T00:30:00Z", "2026-10-25T00:45:00Z"), timed("b", "2026-10-25T01:30:00Z", "2026-10-25T01:45:00Z"),
	}, want: []string{"10-25 02:30+02 10-25 02:45+02", "10-25 02:30+01 10-25 02:45+01"}},
	{name: "a series stays at its hour", day: "2026-10-24", days: 3, items: []string{
		timed("a", "2026-10-24T08:00:00Z", "2026-10-24T09:00:00Z"), timed("b", "2026-10-25T09:00:00Z", "2026-10-25T10:00:00Z"),
		timed("c", "2026-10-26T09:00:00Z", "2026-10-26T10:00:00Z"),
	}, want: []string{"10-24 10:00+02 10-24 11:00+02", "10-25 10:00+01 10-25 11:00+01", "10-26 10:00+01 10-26 11:00+01"}},
	{name: "25 hours in Auckland", zone: "Pacific/Auckland", day: "2026-04-05", items: []string{whole("a", "2026-04-04T11:00:00Z", "2026-04-05T12:00:00Z")},
		want: []string{"04-05 00:00+13 04-06 00:00+12 all-day"}},
}

var standings = []decodeRow{
	{name: "cancelled", items: []string{at10(entry{cancelled: true})}, want: []string{}},
	{name: "cancelled, without times", items: []string{entry{cancelled: true}.xml()}, want: []string{}},
	{name: "free", items: []string{at10(entry{freeBusy: "Free"})}, want: []string{}},
	{name: "out of office, elsewhere, no data", items: []string{
		at10(entry{id: "a", freeBusy: "OOF"}), at10(entry{id: "b", freeBusy: "WorkingElsewhere"}), at10(entry{id: "c", freeBusy: "NoData"}),
	}, want: []string{ten, ten, ten}},
	{name: "declined by the room", items: []string{at10(entry{response: "Decline"})}, want: []string{}},
	{name: "not answered by the room", items: []string{at10(entry{response: "NoResponseReceived"})}, want: []string{ten + " tentative"}},
	{name: "answered with perhaps", items: []string{at10(entry{response: "Tentative"})}, want: []string{ten + " tentative"}},
	{name: "itself uncertain", items: []string{at10(entry{freeBusy: "Tentative"})}, want: []string{ten + " tentative"}},
	{name: "an unknown answer", items: []string{at10(entry{response: "Unknown"})}, want: []string{ten}},
	{name: "the room's own", items: []string{at10(entry{response: "Organizer", alone: true})}, want: []string{ten}},
	{name: "booleans as digits", items: []string{strings.Replace(at10(entry{}), "<t:IsCancelled>false", "<t:IsCancelled> 1 ", 1)}, want: []string{}},
	{name: "with ids and times alone", items: []string{
		`<t:CalendarItem><t:ItemId Id="a"/><t:Sensitivity>Normal</t:Sensitivity><t:Start>2026-11-23T09:00:00Z</t:Start><t:End>2026-11-23T10:00:00Z</t:End></t:CalendarItem>`,
	}, want: []string{ten}},
}

var details = []decodeRow{
	{name: "private", items: []string{at10(entry{sensitivity: "Private", subject: "Weekly", organizer: jane})}, want: []string{ten + " private"}},
	{name: "confidential", items: []string{at10(entry{sensitivity: "Confidential", subject: "Weekly", organizer: jane})}, want: []string{ten + " private"}},
	{name: "personal", items: []string{at10(entry{sensitivity: "Personal", subject: "Weekly", organizer: jane})}, want: []string{ten + " private"}},
	{name: "a sensitivity nobody knows", items: []string{at10(entry{sensitivity: "Secret", subject: "Weekly", organizer: jane})}, want: []string{ten + " private"}},
	{name: "no sensitivity", items: []string{without(at10(weekly), "Sensitivity")}, want: []string{ten + " private"}},
	{name: "no title", items: []string{at10(entry{organizer: jane})}, want: []string{ten + " by Jane Doe"}},
	{name: "an empty title", items: []string{strings.Replace(at10(weekly), "<t:Subject>Weekly</t:Subject>", "<t:Subject/>", 1)}, want: []string{ten + " by Jane Doe"}},
	{name: "the organizer in place of the title", items: []string{at10(entry{subject: "Jane  doe ", organizer: jane})}, want: []string{ten + " by Jane Doe"}},
	{name: "the organizer in the title", items: []string{at10(entry{subject: "Jane Doe's farewell", organizer: jane})}, want: []string{ten + " Jane Doe's farewell by Jane Doe"}},
	{name: "booked at the room's own calendar", items: []string{at10(entry{subject: "Ad hoc", response: "Organizer", organizer: "<t:Name>Ada Lovelace</t:Name>"})}, want: []string{ten + " Ad hoc"}},
	{name: "organizer without a name", items: []string{at10(entry{organizer: "<t:EmailAddress>jane.doe@example.com</t:EmailAddress>"})}, want: []string{ten + " by jane.doe"}},
	{name: "organizer whose name is the address", items: []string{at10(entry{organizer: "<t:Name>jane.doe@example.com</t:Name>"})}, want: []string{ten + " by jane.doe"}},
	{name: "organizer with an inner address", items: []string{at10(entry{organizer: "<t:EmailAddress>/O=X/OU=Y/CN=JANE</t:EmailAddress><t:RoutingType>EX</t:RoutingType>"})}, want: []string{ten}},
	{name: "organizer who is a team", items: []string{at10(entry{organizer: "<t:Name>Team @ Work</t:Name>"})}, want: []string{ten + " by Team @ Work"}},
	{name: "right to left and emoji", items: []string{at10(entry{subject: "שלום 👩‍💻"})}, want: []string{ten + " שלום 👩‍💻"}},
	{name: "written with references", items: []string{at10(entry{subject: "R&amp;D &lt;1&gt; &#x1F44B;&#233;&#xe9;"})}, want: []string{ten + " R&D <1> 👋éé"}},
	{name: "control characters as references", items: []string{at10(entry{subject: "a&#x1F;b&#11;c&#x0;d"})}, want: []string{ten + " abcd"}},
	{name: "control characters as they are", items: []string{at10(entry{subject: "a\x1fb\x00c\x0b"})}, want: []string{ten + " abc"}},
	{name: "not UTF-8", items: []string{at10(entry{subject: "a\xffb"})}, want: []string{ten + " a\ufffdb"}},
}

var broken = []decodeRow{
	{name: "no start", items: []string{without(timed("x", "y", "2026-11-23T11:00:00Z"), "Start"), at10(entry{})}, want: []string{ten}},
	{name: "no end", items: []string{without(timed("x", "2026-11-23T11:00:00Z", "y"), "End"), at10(entry{})}, want: []string{ten}},
	{name: "not a time", items: []string{timed("x", "noon", "2026-11-23T11:00:00Z"), at10(entry{})}, want: []string{ten}},
	{name: "ends before it starts", items: []string{timed("x", "2026-11-23T11:00:00Z", "2026-11-23T10:00:00Z"), at10(entry{})}, want: []string{ten}},
	{name: "no id", items: []string{strings.Replace(at10(entry{}), `Id="AAMkADQx/+A=" `, "", 1), at10(entry{})}, want: []string{ten}},
	{name: "huge id", items: []string{at10(entry{id: strings.Repeat("x", 2000)}), at10(entry{})}, want: []string{ten}},
	{name: "another kind of item", items: []string{strings.ReplaceAll(at10(entry{id: "x"}), "CalendarItem>", "MeetingRequest>"), at10(entry{})}, want: []string{ten}},
	{name: "no such year", items: []string{timed("x", "0000-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"), at10(entry{})}, want: []string{ten}},
	{name: "empty", items: []string{"<t:CalendarItem/>", at10(entry{})}, want: []string{ten}},
	{name: "the only one", items: []string{timed("x", "", "")}, want: []string{}},
}

func tables() map[string][]decodeRow {
	return map[string][]decodeRow{
		"meetings": meetings, "whole days": wholeDays, "clock changes": clockChanges, "standings": standings, "details": details, "broken": broken,
	}
}

func TestReservations(t *testing.T) {
	for name, rows := range tables() {
		for _, row := range rows {
			t.Run(name+"/"+row.name, row.run)
		}
	}
}

func (row decodeRow) run(t *testing.T) {
	p := newPeer(t, answerWith(list(row.items...)))
	room := roomIn(or(row.zone, "Europe/Berlin"))
	from, to := days(room, or(row.day, "2026-11-23"), max(row.days, 1))
	c := p.calendar(t)
	read, err := c.Read(context.Background(), room, from, to)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(row.want, linesOf(read, room.Zone)); diff != "" {
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
			cmd := exec.Command(os.Args[0], "-test.run=^(TestReservations|TestHostZones|TestRandomCalendars|TestEnd)$")
			cmd.Env = append(os.Environ(), "TZ="+name, "HOST_ZONE="+name)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func TestReservationNamesItsEvent(t *testing.T) {
	p := newPeer(t, answerWith(list(at10(entry{id: "AAMk/+x="}))))
	read, err := readDay(context.Background(), p.calendar(t))
	if err != nil {
		t.Fatal(err)
	}
	want := []rooms.Reservation{{
		ID:    rooms.ReservationID(ada, "AAMk/+x="),
		Ref:   rooms.EventRef{EventID: "AAMk/+x=", ChangeKey: changeKey, ResourceEmail: ada},
		Start: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC),
		End:   time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC),
	}}
	if diff := cmp.Diff(want, read); diff != "" {
		t.Error(diff)
	}
}

func TestAbsurdTextsAreCut(t *testing.T) {
	long := strings.Repeat("ü", 10_000)
	p := newPeer(t, answerWith(list(at10(entry{subject: long, organizer: "<t:Name>x" + long + "</t:Name>"}))))
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
	p := newPeer(t, answerWith(list(entry{id: "broken-1", subject: "Secret title"}.xml(), at10(weekly))))
	c := p.calendar(t)
	for range 3 {
		if _, err := readDay(context.Background(), c); err != nil {
			t.Fatal(err)
		}
	}
	if c.Dropped() != 3 {
		t.Errorf("dropped %d", c.Dropped())
	}
	p.api = answerWith(list())
	if _, err := readDay(context.Background(), c); err != nil {
		t.Fatal(err)
	}
	log := p.log.String()
	if strings.Count(log, "broken-1") != 1 || strings.Contains(log, "Secret title") {
		t.Errorf("log: %s", log)
	}
}
