package ews

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"roomkiosk/internal/calendar"
	"roomkiosk/internal/rooms"
)

var viewIn = regexp.MustCompile(`StartDate="([^"]+)" EndDate="([^"]+)"`)

// window is what a request asks for.
func window(t testing.TB, body string) (from, to time.Time) {
	found := viewIn.FindStringSubmatch(body)
	if found == nil {
		t.Errorf("no view in %s", body)
		return from, to
	}
	from, err := time.Parse(time.RFC3339, found[1])
	if err != nil {
		t.Error(err)
	}
	to, err = time.Parse(time.RFC3339, found[2])
	if err != nil {
		t.Error(err)
	}
	return from, to
}

// crowded answers like a server that has an item every ten minutes of the window and gives out so
// many at once; no is how it says that there are more.
func crowded(t testing.TB, most int, no func(items []string) string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body := make([]byte, r.ContentLength)
		_, _ = r.Body.Read(body)
		from, to := window(t, string(body))
		var items []string
		for at := from.Truncate(10 * time.Minute); at.Before(to); at = at.Add(10 * time.Minute) {
			if end := at.Add(10 * time.Minute); end.After(from) {
				items = append(items, timed("i"+at.Format("1504"), at.Format(time.RFC3339), end.Format(time.RFC3339)))
			}
		}
		if len(items) > most {
			say(w, no(items[:most]))
			return
		}
		say(w, list(items...))
	}
}

func TestMoreThanOneAnswer(t *testing.T) {
	for name, no := range map[string]func([]string) string{
		"not all of them":  func(items []string) string { return partly(false, items...) },
		"none of them":     func([]string) string { return refusal200("FindItem", "ErrorExceededFindCountLimit") },
		"too long a range": func([]string) string { return refusal200("FindItem", "ErrorCalendarViewRangeTooBig") },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, crowded(t, 20, no))
			c := p.calendar(t)
			read, err := readDay(context.Background(), c)
			if err != nil {
				t.Fatal(err)
			}
			if len(read) != 144 {
				t.Errorf("%d reservations", len(read))
			}
			for i, r := range read {
				want := time.Date(2026, 11, 22, 23, 10*i, 0, 0, time.UTC)
				if !r.Start.Equal(want) {
					t.Fatalf("reservation %d starts at %v, not %v", i, r.Start, want)
				}
			}
			if n := len(p.asked()); n != 15 { // 1 + 2 + 4 + 8
				t.Errorf("%d requests", n)
			}
		})
	}
}

func TestWindowsAreNotSplitForever(t *testing.T) {
	p := newPeer(t, answerWith(partly(false, at10(weekly))))
	read, err := readDay(context.Background(), p.calendar(t))
	checkFault(t, err, rooms.FaultBadAnswer)
	if n := len(p.asked()); n > maxRequests || read != nil {
		t.Errorf("%d requests, %v", n, read)
	}
}

// TestTooManyParts: a server that gives out next to nothing at once is not asked without end.
func TestTooManyParts(t *testing.T) {
	p := newPeer(t, crowded(t, 3, func(items []string) string { return partly(false, items...) }))
	_, err := readDay(context.Background(), p.calendar(t))
	checkFault(t, err, rooms.FaultBadAnswer)
	if n := len(p.asked()); n > maxRequests {
		t.Errorf("%d requests", n)
	}
}

func TestPartThatFailsFailsTheRead(t *testing.T) {
	n := 0
	p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
		n++
		switch n {
		case 1:
			say(w, partly(false, at10(weekly)))
		case 2:
			say(w, list(at10(weekly)))
		default:
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	read, err := readDay(context.Background(), p.calendar(t))
	checkFault(t, err, rooms.FaultTrouble)
	if read != nil {
		t.Errorf("got %v", read)
	}
}

func TestPartsTogetherAreLimited(t *testing.T) {
	n := 0
	p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
		n++
		say(w, partly(n > 1)+strings.Repeat(" ", 3<<20))
	})
	_, err := readDay(context.Background(), p.calendar(t))
	if f := checkFault(t, err, rooms.FaultBadAnswer); !errors.Is(err, calendar.ErrTooLarge) || n != 3 {
		t.Errorf("got %v after %d answers", f, n)
	}
}

// TestOneInTwoParts: what reaches over the middle is in both halves, the second time newer.
func TestOneInTwoParts(t *testing.T) {
	n := 0
	p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
		n++
		say(w, partly(n > 1, at10(entry{subject: fmt.Sprint("v", n)}), timed("x", "", "")))
	})
	c := p.calendar(t)
	read, err := readDay(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{ten + " v3"}, linesOf(read, zone("Europe/Berlin"))); diff != "" || c.Dropped() != 1 {
		t.Errorf("%s, %d dropped", diff, c.Dropped())
	}
}

// TestSaysNothingOfTheRest: an answer without IncludesLastItemInRange is whole.
func TestSaysNothingOfTheRest(t *testing.T) {
	p := newPeer(t, answerWith(strings.Replace(list(at10(weekly)), ` IncludesLastItemInRange="true"`, "", 1)))
	read, err := readDay(context.Background(), p.calendar(t))
	if err != nil || len(read) != 1 || len(p.asked()) != 1 {
		t.Errorf("got %v, %v after %d requests", read, err, len(p.asked()))
	}
}

// TestShortWindow: whole days are asked for, since an all-day item may lie beside the days of the room.
func TestShortWindow(t *testing.T) {
	p := newPeer(t, answerWith(list(at10(weekly), whole("a", "2026-11-23T05:00:00Z", "2026-11-24T05:00:00Z"))))
	room := roomIn("Europe/Berlin")
	from := time.Date(2026, 11, 23, 0, 0, 0, 0, room.Zone)
	read, err := p.calendar(t).Read(context.Background(), room, from.Add(time.Hour), from.Add(2*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"11-23 00:00+01 11-24 00:00+01 all-day"}, linesOf(read, room.Zone)); diff != "" {
		t.Error(diff)
	}
	if from, to := window(t, p.asked()[0]); to.Sub(from) != 24*time.Hour || from.Hour() != 23 {
		t.Errorf("asked from %v to %v", from, to)
	}
}

func TestLookup(t *testing.T) {
	const id = "AAMkADQx/+A="
	for name, tt := range map[string]struct {
		body string
		kind rooms.FaultKind // empty: found
	}{
		"there":               {oneItem(at10(weekly)), ""},
		"private":             {oneItem(at10(entry{subject: "Secret", sensitivity: "Private"})), ""},
		"cancelled":           {oneItem(at10(entry{cancelled: true})), rooms.FaultNotFound},
		"declined":            {oneItem(at10(entry{response: "Decline"})), rooms.FaultNotFound},
		"free":                {oneItem(at10(entry{freeBusy: "Free"})), rooms.FaultNotFound},
		"not found":           {refusal200("GetItem", "ErrorItemNotFound"), rooms.FaultNotFound},
		"no longer in series": {refusal200("GetItem", "ErrorCalendarOccurrenceIsDeletedFromRecurrence"), rooms.FaultNotFound},
		"no such mailbox":     {soap("ErrorNonExistentMailbox", ""), rooms.FaultNotFound},
		"another item":        {oneItem(at10(entry{id: "AAMkOther="})), rooms.FaultBadAnswer},
		"broken item":         {oneItem(timed(id, "", "")), rooms.FaultBadAnswer},
		"two items":           {oneItem(at10(weekly) + at10(weekly)), rooms.FaultBadAnswer},
		"no item":             {oneItem(""), rooms.FaultBadAnswer},
		"a list":              {list(at10(weekly)), rooms.FaultBadAnswer},
		"not an item id":      {refusal200("GetItem", "ErrorInvalidIdMalformed"), rooms.FaultInvalid},
		"no right to do so":   {refusal200("GetItem", "ErrorAccessDenied"), rooms.FaultPermission},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, answerWith(tt.body))
			got, err := p.calendar(t).Lookup(context.Background(), roomIn("Europe/Berlin"), rooms.EventRef{EventID: id, ResourceEmail: ada})
			if tt.kind != "" {
				checkFault(t, err, tt.kind)
				return
			}
			if err != nil || got.ID != rooms.ReservationID(ada, id) || got.Ref.ChangeKey != changeKey || got.Private != (got.Title == "") {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}
