package graph

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"roomkiosk/internal/rooms"
)

// timed is an event as Graph writes it, times in UTC; more is further fields.
func timed(id, start, end, more string) string {
	return fmt.Sprintf(`{"@odata.etag":"W/\"EZ9r3czxY0m2jz8c45czkwAAFXcvIQ==\"","id":%q,"changeKey":"EZ9r3czxY0m2jz8c45czkwAAFXcvIQ==",`+
		`"start":{"dateTime":"%s:00.0000000","timeZone":"UTC"},"end":{"dateTime":"%s:00.0000000","timeZone":"UTC"}%s}`,
		id, start, end, filled(more))
}

func allDay(id, start, end, more string) string {
	return timed(id, start+"T00:00", end+"T00:00", prefixed(`"isAllDay":true`, more))
}

func prefixed(first, more string) string {
	if more == "" {
		return first
	}
	return first + "," + more
}

// filled adds the usual values of fields that a row says nothing about.
func filled(more string) string {
	for _, field := range []string{
		`"isAllDay":false`, `"isCancelled":false`, `"isOrganizer":false`, `"sensitivity":"normal"`, `"showAs":"busy"`, `"type":"singleInstance"`,
		`"responseStatus":{"response":"accepted","time":"2026-11-20T08:00:00Z"}`,
	} {
		if name, _, _ := strings.Cut(field, ":"); !strings.Contains(more, name+":") {
			more = prefixed(field, more)
		}
	}
	return "," + more
}

// at10 is from 10 to 11 in Berlin.
func at10(more string) string {
	return timed("AAMk-e1_=", "2026-11-23T09:00", "2026-11-23T10:00", more)
}

// decodeRow is what Graph sends, and what it comes to. Rows run with the host in several zones.
type decodeRow struct {
	name  string
	zone  string // of the room; empty: Europe/Berlin
	day   string // first of the window; empty: 2026-11-23
	days  int    // length of the window; 0: 1
	items []string
	want  []string
}

const (
	weekly = `"subject":"Weekly","organizer":{"emailAddress":{"name":"Jane Doe","address":"jane@example.com"}}`
	ten    = "11-23 10:00+01 11-23 11:00+01"
)

func by(name, address string) string {
	return fmt.Sprintf(`"organizer":{"emailAddress":{"name":%q,"address":%q}}`, name, address)
}

var meetings = []decodeRow{
	{name: "plain", items: []string{at10(weekly)}, want: []string{ten + " Weekly by Jane Doe"}},
	{name: "nothing", want: []string{}},
	{name: "back to back", items: []string{
		timed("a", "2026-11-23T09:00", "2026-11-23T09:30", ""), timed("b", "2026-11-23T09:30", "2026-11-23T10:00", ""),
	}, want: []string{"11-23 10:00+01 11-23 10:30+01", "11-23 10:30+01 11-23 11:00+01"}},
	{name: "overlapping", items: []string{
		timed("a", "2026-11-23T09:00", "2026-11-23T10:00", ""), timed("b", "2026-11-23T09:30", "2026-11-23T10:30", ""),
	}, want: []string{ten, "11-23 10:30+01 11-23 11:30+01"}},
	{name: "no length", items: []string{timed("a", "2026-11-23T09:00", "2026-11-23T09:00", "")}, want: []string{"11-23 10:00+01 11-23 10:00+01"}},
	{name: "over midnight", items: []string{timed("a", "2026-11-22T22:30", "2026-11-22T23:30", "")}, want: []string{"11-22 23:30+01 11-23 00:30+01"}},
	{name: "ends as the window starts", items: []string{timed("a", "2026-11-22T22:30", "2026-11-22T23:00", "")}, want: []string{}},
	{name: "starts as the window ends", items: []string{timed("a", "2026-11-23T23:00", "2026-11-23T23:30", "")}, want: []string{}},
	{name: "several days", items: []string{timed("a", "2026-11-20T13:00", "2026-11-25T11:00", "")}, want: []string{"11-20 14:00+01 11-25 12:00+01"}},
	{name: "answered in another zone than asked for", items: []string{
		`{"id":"a","sensitivity":"normal","start":{"dateTime":"2026-11-22T14:30:00.0000000","timeZone":"America/Los_Angeles"},"end":{"dateTime":"2026-11-22T23:30:00.0000000","timeZone":"UTC"}}`,
	}, want: []string{"11-22 23:30+01 11-23 00:30+01"}},
	{name: "other spellings of UTC", items: []string{
		`{"id":"a","sensitivity":"normal","start":{"dateTime":"2026-11-23T09:00:00","timeZone":"tzone://Microsoft/Utc"},"end":{"dateTime":"2026-11-23T10:00:00.5Z","timeZone":""}}`,
	}, want: []string{ten}},
	{name: "a room far away keeps its own day", zone: "Pacific/Auckland", items: []string{
		timed("a", "2026-11-22T11:00", "2026-11-22T12:00", ""), timed("b", "2026-11-23T10:00", "2026-11-23T11:00", ""),
		timed("c", "2026-11-23T11:00", "2026-11-23T12:00", ""),
	}, want: []string{"11-23 00:00+13 11-23 01:00+13", "11-23 23:00+13 11-24 00:00+13"}},
	{name: "moved occurrence", items: []string{timed("a", "2026-11-23T14:00", "2026-11-23T15:00", `"type":"exception","seriesMasterId":"s"`)},
		want: []string{"11-23 15:00+01 11-23 16:00+01"}},
	{name: "occurrences and a series as such", items: []string{
		timed("s", "2026-11-23T09:00", "2026-11-23T10:00", `"type":"seriesMaster"`),
		timed("s1", "2026-11-23T09:00", "2026-11-23T10:00", `"type":"occurrence","seriesMasterId":"s"`),
	}, want: []string{ten}},
}

var wholeDays = []decodeRow{
	{name: "all day", items: []string{allDay("a", "2026-11-23", "2026-11-24", `"subject":"Painters"`)},
		want: []string{"11-23 00:00+01 11-24 00:00+01 all-day Painters"}},
	{name: "all day yesterday and tomorrow don't touch today", items: []string{
		allDay("a", "2026-11-22", "2026-11-23", ""), allDay("b", "2026-11-24", "2026-11-25", ""),
	}, want: []string{}},
	{name: "all day in a room far east", zone: "Pacific/Auckland", items: []string{allDay("a", "2026-11-23", "2026-11-24", "")},
		want: []string{"11-23 00:00+13 11-24 00:00+13 all-day"}},
	{name: "all day in a room far west", zone: "Pacific/Honolulu", items: []string{allDay("a", "2026-11-23", "2026-11-24", "")},
		want: []string{"11-23 00:00-10 11-24 00:00-10 all-day"}},
	{name: "all of several days", items: []string{allDay("a", "2026-11-20", "2026-11-28", "")}, want: []string{"11-20 00:00+01 11-28 00:00+01 all-day"}},
	{name: "all day beside a meeting", items: []string{allDay("a", "2026-11-23", "2026-11-24", `"subject":"Fair"`), at10(weekly)},
		want: []string{"11-23 00:00+01 11-24 00:00+01 all-day Fair", ten + " Weekly by Jane Doe"}},
	{name: "a day that ends as it starts counts as one", items: []string{allDay("a", "2026-11-23", "2026-11-23", "")},
		want: []string{"11-23 00:00+01 11-24 00:00+01 all-day"}},
	{name: "midnight of the organizer, as an instant", items: []string{
		timed("berlin", "2026-11-22T23:00", "2026-11-23T23:00", `"isAllDay":true`),
		timed("new york", "2026-11-23T05:00", "2026-11-24T05:00", `"isAllDay":true`),
		timed("tokyo", "2026-11-22T15:00", "2026-11-23T15:00", `"isAllDay":true`),
	}, want: []string{"11-23 00:00+01 11-24 00:00+01 all-day", "11-23 00:00+01 11-24 00:00+01 all-day", "11-23 00:00+01 11-24 00:00+01 all-day"}},
	{name: "a date in a zone nobody knows", items: []string{
		`{"id":"a","sensitivity":"normal","isAllDay":true,"start":{"dateTime":"2026-11-23T00:00:00.0000000","timeZone":"tzone://Microsoft/Custom"},"end":{"dateTime":"2026-11-24T00:00:00.0000000","timeZone":"tzone://Microsoft/Custom"}}`,
	}, want: []string{"11-23 00:00+01 11-24 00:00+01 all-day"}},
}

var clockChanges = []decodeRow{
	{name: "23 hours", day: "2026-03-29", items: []string{allDay("a", "2026-03-29", "2026-03-30", "")}, want: []string{"03-29 00:00+01 03-30 00:00+02 all-day"}},
	{name: "25 hours", day: "2026-10-25", items: []string{allDay("a", "2026-10-25", "2026-10-26", "")}, want: []string{"10-25 00:00+02 10-26 00:00+01 all-day"}},
	{name: "a day without midnight", zone: "Africa/Cairo", day: "2026-04-24", items: []string{allDay("a", "2026-04-24", "2026-04-25", "")},
		want: []string{"04-24 01:00+03 04-25 00:00+03 all-day"}},
	{name: "02:30 that never was, as Exchange moves it", day: "2026-03-29", items: []string{timed("a", "2026-03-29T01:30", "2026-03-29T02:00", "")},
		want: []string{"03-29 03:30+02 03-29 04:00+02"}},
	{name: "across the hour that never was", day: "2026-03-29", items: []string{timed("a", "2026-03-29T00:30", "2026-03-29T01:30", "")},
		want: []string{"03-29 01:30+01 03-29 03:30+02"}},
	{name: "02:30 twice", day: "2026-10-25", items: []string{
		timed("a", "2026-10-25T00:30", "2026-10-25T00:45", ""), timed("b", "2026-10-25T01:30", "2026-10-25T01:45", ""),
	}, want: []string{"10-25 02:30+02 10-25 02:45+02", "10-25 02:30+01 10-25 02:45+01"}},
	{name: "from the first 02:30 to the second", day: "2026-10-25", items: []string{timed("a", "2026-10-25T00:30", "2026-10-25T01:30", "")},
		want: []string{"10-25 02:30+02 10-25 02:30+01"}},
	{name: "a series stays at its hour", day: "2026-10-24", days: 3, items: []string{
		timed("s1", "2026-10-24T08:00", "2026-10-24T09:00", `"type":"occurrence"`), timed("s2", "2026-10-25T09:00", "2026-10-25T10:00", `"type":"occurrence"`),
		timed("s3", "2026-10-26T09:00", "2026-10-26T10:00", `"type":"occurrence"`),
	}, want: []string{"10-24 10:00+02 10-24 11:00+02", "10-25 10:00+01 10-25 11:00+01", "10-26 10:00+01 10-26 11:00+01"}},
	{name: "25 hours in Auckland", zone: "Pacific/Auckland", day: "2026-04-05", items: []string{allDay("a", "2026-04-05", "2026-04-06", "")},
		want: []string{"04-05 00:00+13 04-06 00:00+12 all-day"}},
}

func response(r string) string { return `"responseStatus":{"response":"` + r + `"}` }

var standings = []decodeRow{
	{name: "cancelled", items: []string{at10(`"isCancelled":true,"subject":"Canceled: Weekly"`)}, want: []string{}},
	{name: "cancelled, without times", items: []string{`{"id":"a","isCancelled":true}`, `{"id":"b","isCancelled":true}`}, want: []string{}},
	{name: "free", items: []string{at10(`"showAs":"free"`)}, want: []string{}},
	{name: "busy, away, elsewhere and unknown", items: []string{
		at10(`"showAs":"busy"`), timed("b", "2026-11-23T11:00", "2026-11-23T12:00", `"showAs":"oof"`),
		timed("c", "2026-11-23T13:00", "2026-11-23T14:00", `"showAs":"workingElsewhere"`), timed("d", "2026-11-23T15:00", "2026-11-23T16:00", `"showAs":"unknown"`),
	}, want: []string{ten, "11-23 12:00+01 11-23 13:00+01", "11-23 14:00+01 11-23 15:00+01", "11-23 16:00+01 11-23 17:00+01"}},
	{name: "declined by the room", items: []string{at10(response("declined"))}, want: []string{}},
	{name: "accepted", items: []string{at10(response("accepted"))}, want: []string{ten}},
	{name: "the room's own", items: []string{at10(response("organizer") + `,"isOrganizer":true`)}, want: []string{ten}},
	{name: "no answer needed", items: []string{at10(response("none"))}, want: []string{ten}},
	{name: "not answered by the room", items: []string{at10(response("notResponded"))}, want: []string{ten + " tentative"}},
	{name: "answered with perhaps", items: []string{at10(response("tentativelyAccepted"))}, want: []string{ten + " tentative"}},
	{name: "itself uncertain", items: []string{at10(`"showAs":"tentative"`)}, want: []string{ten + " tentative"}},
	{name: "nulls", items: []string{at10(`"responseStatus":null,"showAs":null,"organizer":null,"subject":null,"type":null`)}, want: []string{ten}},
}

var details = []decodeRow{
	{name: "private", items: []string{at10(weekly + `,"sensitivity":"private"`)}, want: []string{ten + " private"}},
	{name: "confidential", items: []string{at10(weekly + `,"sensitivity":"confidential"`)}, want: []string{ten + " private"}},
	{name: "personal", items: []string{at10(weekly + `,"sensitivity":"personal"`)}, want: []string{ten + " private"}},
	{name: "a sensitivity nobody knows", items: []string{at10(weekly + `,"sensitivity":"secret"`)}, want: []string{ten + " private"}},
	{name: "no sensitivity", items: []string{at10(weekly + `,"sensitivity":null`)}, want: []string{ten + " private"}},
	{name: "no title", items: []string{at10(by("Jane Doe", ""))}, want: []string{ten + " by Jane Doe"}},
	{name: "the organizer in place of the title", items: []string{at10(`"subject":"Jane  doe ",` + by("Jane Doe", "jane@example.com"))}, want: []string{ten + " by Jane Doe"}},
	{name: "the organizer in the title", items: []string{at10(`"subject":"Jane Doe's farewell",` + by("Jane Doe", "jane@example.com"))}, want: []string{ten + " Jane Doe's farewell by Jane Doe"}},
	{name: "an address in place of the title", items: []string{at10(`"subject":"jane@example.com ",` + by("jane@example.com", "jane@example.com"))}, want: []string{ten + " by jane"}},
	{name: "no title and no organizer", items: []string{at10(by("", ""))}, want: []string{ten}},
	{name: "a title that is the organizer's name, of the room itself", items: []string{at10(`"isOrganizer":true,"subject":"Ada Lovelace",` + by("Ada Lovelace", ada))}, want: []string{ten + " Ada Lovelace"}},
	{name: "booked at the room's own calendar", items: []string{at10(`"isOrganizer":true,"subject":"Ad hoc",` + by("Room Ada", ada))}, want: []string{ten + " Ad hoc"}},
	{name: "organizer without a name", items: []string{at10(by(" ", "jane.doe@example.com"))}, want: []string{ten + " by jane.doe"}},
	{name: "organizer with an inner address", items: []string{at10(by("", "/O=EXCHANGELABS/OU=X/CN=JANE"))}, want: []string{ten}},
	{name: "right to left and emoji", items: []string{at10(`"subject":"שלום 👩‍💻"`)}, want: []string{ten + " שלום 👩‍💻"}},
	{name: "half a character", items: []string{at10(`"subject":"a\ud83d"`)}, want: []string{ten + " a\ufffd"}},
}

var broken = []decodeRow{
	{name: "no start", items: []string{`{"id":"x","end":{"dateTime":"2026-11-23T11:00:00.0000000","timeZone":"UTC"}}`, at10("")}, want: []string{ten}},
	{name: "no end", items: []string{`{"id":"x","start":{"dateTime":"2026-11-23T11:00:00.0000000","timeZone":"UTC"}}`, at10("")}, want: []string{ten}},
	{name: "empty times", items: []string{`{"id":"x","start":{},"end":{}}`, at10("")}, want: []string{ten}},
	{name: "ends before it starts", items: []string{timed("x", "2026-11-23T11:00", "2026-11-23T10:00", ""), at10("")}, want: []string{ten}},
	{name: "no id", items: []string{timed("", "2026-11-23T09:00", "2026-11-23T10:00", ""), at10("")}, want: []string{ten}},
	{name: "huge id", items: []string{timed(strings.Repeat("x", 2000), "2026-11-23T09:00", "2026-11-23T10:00", ""), at10("")}, want: []string{ten}},
	{name: "not an object", items: []string{`7`, `"x"`, at10("")}, want: []string{ten}},
	{name: "null", items: []string{`null`, at10("")}, want: []string{ten}},
	{name: "wrong types", items: []string{`{"id":"x","start":"noon"}`, `{"id":"x","isAllDay":"yes"}`, at10("")}, want: []string{ten}},
	{name: "no such day", items: []string{allDay("x", "2026-02-30", "2026-03-01", ""), at10("")}, want: []string{ten}},
	{name: "no such time", items: []string{timed("x", "2026-11-23T25:00", "2026-11-23T26:00", ""), at10("")}, want: []string{ten}},
	{name: "no such year", items: []string{timed("x", "0000-01-01T00:00", "9999-12-31T23:59", ""), at10("")}, want: []string{ten}},
	{name: "a zone that isn't one", items: []string{
		`{"id":"x","start":{"dateTime":"2026-11-23T09:00:00","timeZone":"Local"},"end":{"dateTime":"2026-11-23T10:00:00","timeZone":"Local"}}`,
		`{"id":"y","start":{"dateTime":"2026-11-23T09:00:00","timeZone":"../../etc/passwd"},"end":{"dateTime":"2026-11-23T10:00:00","timeZone":"W. Europe Standard Time"}}`,
		at10(""),
	}, want: []string{ten}},
	{name: "the only one", items: []string{`{"id":"x"}`}, want: []string{}},
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
	p := newPeer(t, answerWith(list("", row.items...)))
	room := roomIn(or(row.zone, "Europe/Berlin"))
	from, to := days(room, or(row.day, "2026-11-23"), max(row.days, 1))
	read, err := p.calendar(t).Read(context.Background(), room, from, to)
	if err != nil {
		t.Fatal(err)
	}
	for i := range read { // the half second of one row
		read[i].End = read[i].End.Truncate(time.Second)
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
			cmd := exec.Command(os.Args[0], "-test.run=^(TestReservations|TestHostZones|TestRandomCalendars|TestEndOfAWholeDay)$")
			cmd.Env = append(os.Environ(), "TZ="+name, "HOST_ZONE="+name)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func TestReservationNamesItsEvent(t *testing.T) {
	p := newPeer(t, answerWith(list("", timed("AAMkADN-VxRA_AA=", "2026-11-23T09:00", "2026-11-23T10:00", `"type":"occurrence","seriesMasterId":"AAMkADNs="`))))
	read, err := readDay(context.Background(), p.calendar(t))
	if err != nil {
		t.Fatal(err)
	}
	want := []rooms.Reservation{{
		ID:    rooms.ReservationID(ada, "AAMkADN-VxRA_AA="),
		Ref:   rooms.EventRef{EventID: "AAMkADN-VxRA_AA=", ChangeKey: "EZ9r3czxY0m2jz8c45czkwAAFXcvIQ==", ResourceEmail: ada},
		Start: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC),
		End:   time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC),
	}}
	if diff := cmp.Diff(want, read); diff != "" {
		t.Error(diff)
	}
}

func TestChangeKey(t *testing.T) {
	for name, tt := range map[string]struct{ key, tag, want string }{
		"plain":              {"EZ9r3czxY0m2jz8c45czkwAAFXcvIQ==", `W/"other"`, "EZ9r3czxY0m2jz8c45czkwAAFXcvIQ=="},
		"EWS's form":         {"DwAAABYAAAC9YbapXssvT4RTG13UUr6AAAAhT48i7", "", "DwAAABYAAAC9YbapXssvT4RTG13UUr6AAAAhT48i7"},
		"as an entity tag":   {`W/"F/P2k9S3HEuT8uqtl18ZkAAACQsHDg=="`, "", "F/P2k9S3HEuT8uqtl18ZkAAACQsHDg=="},
		"only an entity tag": {"", `W/"F/P2k9S3HEuT8uqtl18ZkAAACQsHDg=="`, "F/P2k9S3HEuT8uqtl18ZkAAACQsHDg=="},
		"looks like a tag":   {"W/P2k9S3HEuT8uqtl18ZkAAACQsHDg==", "", "W/P2k9S3HEuT8uqtl18ZkAAACQsHDg=="},
		"a strong tag":       {"", `"F/P2k9S3HEuT8uqtl18ZkAAACQsHDg=="`, "F/P2k9S3HEuT8uqtl18ZkAAACQsHDg=="},
		"none":               {"", "", ""},
		"absurd":             {strings.Repeat("x", 600), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			e := event{ChangeKey: tt.key, ETag: tt.tag}
			if got := e.changeKey(); got != tt.want {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestAbsurdTextsAreCut(t *testing.T) {
	long, err := json.Marshal(strings.Repeat("ü", 10_000))
	if err != nil {
		t.Fatal(err)
	}
	p := newPeer(t, answerWith(list("", at10(fmt.Sprintf(`"subject":%s,"organizer":{"emailAddress":{"name":"x%s}}`, long, long[1:])))))
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
	p := newPeer(t, answerWith(list("", `{"id":"broken-1","subject":"Secret title"}`, at10(weekly))))
	c := p.calendar(t)
	for range 3 {
		read, err := readDay(context.Background(), c)
		if err != nil || len(read) != 1 {
			t.Fatal(read, err)
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
