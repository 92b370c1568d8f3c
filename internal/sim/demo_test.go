package sim_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"roomkiosk/internal/sim"
)

func demoAt(at time.Time) (*sim.World, *handClock) {
	clock := &handClock{now: at}
	return sim.DemoWorld(clock, clock.Now, berlin), clock
}

// blocking are a calendar's events that take the room, by start.
func blocking(w *sim.World, room int) []sim.Event {
	var list []sim.Event
	for _, e := range w.Calendar.Events(w.Rooms[room].CalendarID) {
		if !e.AllDay() && !e.Transparent && e.Status != sim.Cancelled && !e.DeclinedByRoom() {
			list = append(list, e)
		}
	}
	return list
}

// around returns the event that runs at an instant, if any, and the first that starts later.
func around(list []sim.Event, at time.Time) (now, next sim.Event) {
	for _, e := range list {
		if !e.Start.After(at) && e.End.After(at) {
			now = e
		}
		if e.Start.After(at) && next.ID == "" {
			next = e
		}
	}
	return now, next
}

func TestDemoOpensWithEveryState(t *testing.T) {
	for _, hour := range []float64{0, 2.99, 8.4, 12, 17.53, 23.7} {
		at := time.Date(2026, 11, 22, 0, 0, 0, 0, berlin).Add(time.Duration(hour * float64(time.Hour)))
		t.Run(at.Format("15:04"), func(t *testing.T) {
			w, _ := demoAt(at)
			ada, adaNext := around(blocking(w, 0), at)
			if ada.ID == "" || !ada.CheckedIn.IsZero() || at.Sub(ada.Start) > 8*time.Minute || ada.Series == "" {
				t.Errorf("Ada: %+v", ada)
			}
			if !adaNext.Start.Equal(ada.End) {
				t.Errorf("Ada: no meeting back to back with %s", ada.Title)
			}
			grace, graceNext := around(blocking(w, 1), at)
			if grace.ID != "" || graceNext.Start.Sub(at) < 30*time.Minute {
				t.Errorf("Grace: now %+v, next %v", grace.Title, graceNext.Start)
			}
			alan, alanNext := around(blocking(w, 2), at)
			if wait := alanNext.Start.Sub(at); alan.ID != "" || wait <= 0 || wait >= 10*time.Minute {
				t.Errorf("Alan: now %q, next in %v", alan.Title, wait)
			}
		})
	}
}

func TestDemoHasEverySort(t *testing.T) {
	w, _ := demoAt(morning)
	sorts := map[string]int{}
	for _, r := range w.Rooms {
		for _, e := range w.Calendar.Events(r.CalendarID) {
			sorts["any"]++
			count := func(name string, is bool) {
				if is {
					sorts[name]++
				}
			}
			count("private", e.Visibility == sim.Private)
			count("declined", e.DeclinedByRoom())
			count("all day", e.AllDay() && e.Transparent)
			count("series", e.Series != "")
			if !regexp.MustCompile(`^[a-v0-9]{26}(_\d{8}T\d{6}Z)?$`).MatchString(e.ID) {
				t.Errorf("id %q is not in Google's form", e.ID)
			}
		}
	}
	for _, name := range []string{"private", "declined", "all day", "series"} {
		if sorts[name] == 0 {
			t.Errorf("no event that is %s", name)
		}
	}
	if sorts["any"] < 40 {
		t.Errorf("only %d events", sorts["any"])
	}
}

func TestDemoRoomsAreNeverTakenTwice(t *testing.T) {
	w, clock := demoAt(morning)
	for range 40 {
		for i, r := range w.Rooms {
			list := blocking(w, i)
			for j := range len(list) - 1 {
				if list[j].End.After(list[j+1].Start) {
					t.Errorf("%s: %q until %v, %q from %v", r.ID, list[j].Title, list[j].End, list[j+1].Title, list[j+1].Start)
				}
			}
		}
		clock.move(6 * time.Hour)
	}
}

func TestDemoGoesOnForDays(t *testing.T) {
	w, clock := demoAt(morning)
	for day := range 10 {
		at := clock.Now()
		for i := range w.Rooms {
			var ahead int
			for _, e := range blocking(w, i) {
				if e.Start.After(at) && e.Start.Before(at.AddDate(0, 0, 2)) {
					ahead++
				}
				if e.End.Before(at.Add(-73 * time.Hour)) {
					t.Errorf("day %d: %s still has %q of %v", day, w.Rooms[i].ID, e.Title, e.Start)
				}
			}
			if ahead < 5 {
				t.Errorf("day %d: %s has only %d meetings ahead", day, w.Rooms[i].ID, ahead)
			}
		}
		clock.move(24 * time.Hour)
	}
}

func TestDemoFollowsFromTheDate(t *testing.T) {
	day := func(start time.Time) string {
		w, clock := demoAt(start)
		clock.move(time.Date(2026, 11, 27, 0, 0, 1, 0, berlin).Sub(clock.Now()))
		var s strings.Builder
		for i := range w.Rooms {
			for _, e := range w.Calendar.Events(w.Rooms[i].CalendarID) {
				if from, _ := e.Span(berlin); from.Day() == 27 {
					fmt.Fprintln(&s, e.ID, e.Title, e.Start, e.End)
				}
			}
		}
		return s.String()
	}
	a, b := day(morning), day(morning.Add(-31*time.Hour))
	if a == "" || a != b {
		t.Errorf("one start gives\n%s\nanother\n%s", a, b)
	}
}

func TestDemoIsReadableWithItsCredentials(t *testing.T) {
	w, clock := demoAt(morning)
	if err := w.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	key, err := w.GoogleCredentials()
	if err != nil {
		t.Fatal(err)
	}
	id, client, secret := w.ZoomCredentials()
	b := &bench{World: w, t: t, clock: clock, real: clock, robot: sim.ServiceAccount{Email: emailOf(t, key), JSON: key}}
	b.google = b.googleToken(goodClaim(b))
	for _, r := range w.Rooms {
		got := b.must("GET", b.GoogleURL()+"/calendars/"+r.CalendarID+"/events?singleEvents=true", "", "Authorization", "Bearer "+b.google)
		if got.status != 200 || len(ids(t, got)) == 0 {
			t.Errorf("%s: %d", r.ID, got.status)
		}
	}
	form := "grant_type=account_credentials&account_id=" + id
	got := b.must("POST", b.ZoomTokenURL(), form, "Authorization", basic(client, secret), "Content-Type", "application/x-www-form-urlencoded")
	if got.status != 200 {
		t.Errorf("Zoom: %d %s", got.status, got.body)
	}
}
