package sim_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"roomkiosk/internal/sim"
)

// told is a list of truths in short: "9:00 m1+ m2, 9:30 -", where + stands for checked in.
func told(list sim.Truths) string {
	var spans []string
	for _, t := range list {
		span := t.From.In(berlin).Format("15:04:05.0")
		for _, r := range t.Running {
			span += " " + r.EventID
			if r.CheckedIn {
				span += "+"
			}
		}
		if t.Free() {
			span += " -"
		}
		spans = append(spans, span)
	}
	return strings.Join(spans, ", ")
}

func TestTruthFollowsWhatHappens(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{}).signIn()
	b.meeting("m1", 5, 30) // checked in at 9:06, released at 9:20
	b.meeting("m2", 30, 60)
	b.meeting("noshow", 60, 90) // released by Zoom at 10:10
	b.meeting("declined", 5, 30)
	b.Calendar.Change(adaCal, "declined", func(e *sim.Event) {
		e.Attendees = []sim.Attendee{{Self: true, Response: sim.Declined}}
	})
	at := func(hour, minute int) {
		b.clock.move(time.Date(2026, 11, 23, hour, minute, 0, 300e6, berlin).Sub(b.clock.Now()))
	}
	at(9, 6)
	b.Zoom.CheckInRoom(adaZoom, "m1")
	at(9, 20)
	b.patch(adaZoom, checkOut("m1"))
	at(9, 35)
	b.Zoom.CheckInRoom(adaZoom, "m2")
	at(9, 50)
	b.Calendar.Remove(adaCal, "m2")
	at(11, 0)

	all, ok := b.TruthSince(adaCal, morning)
	want := "09:00:30.4 -, 09:05:00.0 m1, 09:06:00.3 m1+, 09:20:00.6 -, 09:30:00.0 m2, 09:35:00.3 m2+, 09:50:00.3 -, " +
		"10:00:00.0 noshow, 10:10:00.0 -"
	if got := told(all); !ok || got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for i := range len(all) - 1 {
		if !all[i].To.Equal(all[i+1].From) {
			t.Errorf("%v is not followed at once by %v", all[i], all[i+1])
		}
	}
	if last := all[len(all)-1]; !last.To.Equal(b.clock.Now()) {
		t.Errorf("ends at %v", last.To)
	}
	for text, want := range map[string]string{"9:05": "m1", "9:04": "-", "9:10": "m1+", "9:45": "m2+", "10:09": "noshow", "10:10": "-"} {
		hour, _ := time.ParseInLocation("2006-01-02 15:04", "2026-11-23 "+text, berlin)
		one, ok := b.Truth(adaCal, hour)
		if got := told(sim.Truths{one}); !ok || !strings.HasSuffix(got, " "+want) {
			t.Errorf("at %s: %s, want %s", text, got, want)
		}
	}
}

func TestTruthAnswersCheckers(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{})
	b.meeting("m1", 0, 30)
	b.meeting("m2", 30, 60)
	b.clock.move(9 * time.Minute)
	b.Zoom.CheckInRoom(adaZoom, "m1")
	b.clock.move(21 * time.Minute) // 9:30:30
	nine := morning.Truncate(time.Hour)
	for _, c := range []struct {
		from, to    float64 // minutes from 9:00 on
		free        bool
		event       string
		in, waiting bool // ever
	}{
		{1, 9, false, "m1", false, true},
		{1, 10, false, "m1", true, true},
		{10, 29, false, "m1", true, false},
		{29, 30, false, "m1", true, false},
		{30, 30.5, false, "m1", false, false},
		{29, 30, false, "m2", false, true},
		{29, 29.9, false, "m2", false, false},
	} {
		min := func(m float64) time.Time { return nine.Add(time.Duration(m * float64(time.Minute))) }
		list, ok := b.TruthBetween(adaCal, min(c.from), min(c.to))
		if !ok || list.EverFree() != c.free || list.EverRan(c.event, true) != c.in || list.EverRan(c.event, false) != c.waiting {
			t.Errorf("%v to %v, %s: %s (known %v)", c.from, c.to, c.event, told(list), ok)
		}
	}
	b.Calendar.Cancel(adaCal, "m2")
	if list, _ := b.TruthSince(adaCal, b.clock.Now()); !list.EverFree() || len(list) != 1 {
		t.Errorf("now: %s", told(list))
	}
	for name, ask := range map[string]func() bool{
		"the future":      func() bool { _, ok := b.Truth(adaCal, b.clock.Now().Add(1)); return ok },
		"before it began": func() bool { _, ok := b.TruthSince(adaCal, morning.Add(-1)); return ok },
		"no calendar":     func() bool { _, ok := b.TruthSince("nope", morning); return ok },
		"backwards":       func() bool { _, ok := b.TruthBetween(adaCal, morning.Add(1), morning); return ok },
	} {
		if ask() {
			t.Errorf("%s is known", name)
		}
	}
}

func TestTruthOfDoubleBookings(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{})
	b.meeting("m1", 0, 30)
	b.meeting("m2", 10, 20)
	b.Calendar.Put(adaCal, sim.Event{ID: "day", StartDate: "2026-11-23", EndDate: "2026-11-24", Transparent: true})
	b.clock.move(time.Hour)
	list, _ := b.TruthSince(adaCal, morning)
	// Nobody checked in: both are released.
	if got := told(list); got != "09:00:30.4 m1, 09:10:00.0 m2, 09:20:00.0 -" {
		t.Errorf("got %s", got)
	}
}

func TestTruthIsBounded(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{})
	b.Calendar.Put(mailbox, sim.Event{ID: "long", Start: morning, End: morning.Add(1000 * time.Hour)})
	b.Calendar.Put(mailbox, sim.Event{ID: "moved", Start: morning, End: morning.Add(1000 * time.Hour)})
	for range 20_000 {
		b.clock.move(time.Second)
		b.Calendar.Change(mailbox, "moved", func(e *sim.Event) { e.Start = b.clock.Now() })
	}
	if _, ok := b.TruthSince(mailbox, morning); ok {
		t.Error("everything is still known")
	}
	list, ok := b.TruthSince(mailbox, b.clock.Now().Add(-time.Hour))
	if !ok || len(list) != 3601 {
		t.Fatalf("known %v, %d spans", ok, len(list))
	}
	for _, one := range list {
		if fmt.Sprint(one.Runs("long")) != "true false" || len(one.Running) != 2 {
			t.Fatalf("at %v: %v", one.From, one.Running)
		}
	}
}

func TestTruthKnowsTheOrderOfInstants(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{})
	nine := morning.Truncate(time.Hour)
	b.Calendar.Put(mailbox, sim.Event{ID: "m1", Start: nine.Add(5 * time.Minute), End: nine.Add(time.Hour)})
	b.Calendar.Put(mailbox, sim.Event{ID: "came", Start: nine, End: nine.Add(time.Hour), CheckedIn: nine.Add(2 * time.Minute)})
	b.clock.move(30 * time.Minute)
	b.Calendar.Change(mailbox, "m1", func(e *sim.Event) { e.Title = "Another" })
	// Only now the room's check-in is known, by which it would have been released at 9:15.
	b.Zoom.AddRoom(sim.ZoomRoom{ID: mailZoom, Kind: sim.OnExchange, CalendarID: mailbox,
		CheckIn: sim.ZoomCheckIn{Enabled: true, AutoRelease: true, ReleaseAfter: 10 * time.Minute}})
	b.clock.move(time.Minute)
	list, _ := b.TruthSince(mailbox, morning)
	want := "09:00:30.4 came, 09:02:00.0 came+, 09:05:00.0 came+ m1, 09:30:30.4 came+"
	if got := told(list); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
