package ews

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"roomkiosk/internal/rooms"
)

// TestUnchangedAnswer: the same bytes come to the same reservations, and any others to theirs.
func TestUnchangedAnswer(t *testing.T) {
	var body string
	p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) { say(w, body) })
	c := p.calendar(t)
	for step, subject := range []string{"Weekly", "Weekly", "Weekly", "Monthly", "Monthly", "Weekly"} {
		body = list(at10(entry{subject: subject}))
		read, err := readDay(context.Background(), c)
		if err != nil || len(read) != 1 || read[0].Title != subject {
			t.Fatalf("step %d: got %v, %v", step, read, err)
		}
		read[0].Title = "changed by the caller"
	}
	before, _ := readDay(context.Background(), c)
	good := body
	body = refusal200("FindItem", "ErrorAccessDenied")
	for range 2 {
		_, err := readDay(context.Background(), c)
		checkFault(t, err, rooms.FaultPermission)
	}
	body = good
	if after, err := readDay(context.Background(), c); err != nil || !cmp.Equal(before, after) {
		t.Errorf("after a fault: %v, %v", after, err)
	}
}

// TestUnchangedAnswerIsCheap: it isn't taken apart again, unlike one that changed, one for a window
// that moves, and one that doesn't say that it is whole.
func TestUnchangedAnswerIsCheap(t *testing.T) {
	body, n := string(wholeDay(50)), 0
	c := bubbleCalendar(t, func(*http.Request) (*http.Response, error) { return reply(body + strings.Repeat(" ", n%7)) })
	room := roomIn("Europe/Berlin")
	from, to := days(room, "2026-11-23", 1)
	poll := func(bytes int, by time.Duration) func() {
		return func() {
			n += bytes
			to = to.Add(by)
			if read, err := c.Read(context.Background(), room, from, to); err != nil || len(read) != 50 {
				t.Fatal(len(read), err)
			}
		}
	}
	same := testing.AllocsPerRun(20, poll(0, 0))
	dear := map[string]float64{
		"other bytes":  testing.AllocsPerRun(20, poll(1, 0)),
		"other window": testing.AllocsPerRun(20, poll(0, time.Second)),
	}
	body = strings.Replace(body, ` IncludesLastItemInRange="true"`, "", 1)
	dear["silent about the rest"] = testing.AllocsPerRun(20, poll(0, 0))
	for name, allocations := range dear {
		if allocations < 4*same {
			t.Errorf("%v allocations for the same answer, %v for: %s", same, allocations, name)
		}
	}
}

// TestSameAnswerForAnotherRoom: what the same bytes mean depends on the mailbox, the window and the
// zone.
func TestSameAnswerForAnotherRoom(t *testing.T) {
	p := newPeer(t, answerWith(list(
		whole("a", "2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z"), whole("b", "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z"))))
	c := p.calendar(t)
	from, to := days(roomIn("UTC"), "2026-11-23", 1)
	first, second := "11-23 00:00+00 11-24 00:00+00 all-day", "11-24 00:00+00 11-25 00:00+00 all-day"
	for _, tt := range []struct {
		zone, mailbox string
		from, days    int
		want          []string
	}{
		{"UTC", ada, 0, 1, []string{first}},
		{"UTC", ada, 0, 2, []string{first, second}},
		{"UTC", ada, 1, 2, []string{second}},
		{"Asia/Kolkata", ada, 1, 2, []string{"11-23 18:30+00 11-24 18:30+00 all-day"}},
		{"UTC", "grace@example.com", 1, 2, []string{second}},
	} {
		room := roomIn(tt.zone)
		room.CalendarID = tt.mailbox
		read, err := c.Read(context.Background(), room, from.AddDate(0, 0, tt.from), to.AddDate(0, 0, tt.days-1))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, linesOf(read, time.UTC)); diff != "" {
			t.Errorf("%+v: %s", tt, diff)
		}
		for _, r := range read {
			if r.Ref.ResourceEmail != tt.mailbox {
				t.Errorf("%+v: a reservation of %s", tt, r.Ref.ResourceEmail)
			}
		}
	}
}

// TestSameHalf: what came in several answers is not known again by one of them, and takes the place
// of what was known before.
func TestSameHalf(t *testing.T) {
	day := list(at10(weekly))
	script := []string{
		day,
		partly(false, at10(weekly)), list(at10(entry{subject: "v1"})), day,
		partly(false, at10(weekly)), list(at10(entry{subject: "v2"})), list(),
	}
	p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
		say(w, script[0])
		script = script[1:]
	})
	c := p.calendar(t)
	for read, want := range []string{"Weekly", "Weekly", "v2"} {
		got, err := readDay(context.Background(), c)
		if err != nil || len(got) != 1 || got[0].Title != want {
			t.Fatalf("read %d: got %v, %v", read, got, err)
		}
		if known := c.memory.reads[ada]; (read == 0) != (len(known.reservations) == 1) {
			t.Errorf("read %d: known are %v", read, known.reservations)
		}
	}
}
