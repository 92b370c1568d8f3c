package rooms

import (
	"testing"
	"time"
)

// What time does to an action is dated when it happened, not when somebody looked.
func TestSettle(t *testing.T) {
	tapped, due, expires, seen := noon, noon.Add(7*time.Second), noon.Add(time.Hour), noon.Add(10*time.Second)
	in := Action{ID: "in", Kind: CheckIn, Reservation: "m", State: Queued, DueAt: tapped, ExpiresAt: expires, UpdatedAt: tapped}
	out := Action{ID: "out", Kind: Release, Reservation: "m", State: Held, DueAt: due, ExpiresAt: expires, UpdatedAt: tapped}
	with := func(a Action, state ActionState, updated time.Time) Action {
		a.State, a.UpdatedAt = state, updated
		return a
	}
	of := func(a Action, reservation string) Action {
		a.Reservation = reservation
		return a
	}
	for name, c := range map[string]struct {
		given []Action
		at    time.Time
		want  ActionState // of the first
		since time.Time
	}{
		"held":                        {[]Action{out}, due.Add(-1), Held, tapped},
		"let go":                      {[]Action{out}, seen, Queued, due},
		"held, and expired":           {[]Action{out}, expires.Add(time.Hour), Expired, expires},
		"queued, and expired":         {[]Action{in}, expires.Add(time.Hour), Expired, expires},
		"not expired when it is sent": {[]Action{with(in, Sent, tapped)}, expires.Add(time.Hour), Sent, tapped},
		"a later release, held":       {[]Action{in, out}, tapped, Queued, tapped},
		"a later release":             {[]Action{in, out}, seen, Superseded, due},
		"a later release, failed":     {[]Action{in, with(out, Failed, seen)}, seen, Queued, tapped},
		"of another reservation":      {[]Action{in, of(out, "n")}, seen, Queued, tapped},
		"sent already":                {[]Action{with(in, Sent, tapped), with(out, Queued, seen)}, seen, Sent, tapped},
	} {
		t.Run(name, func(t *testing.T) {
			got := settle(c.given, c.at, true)[0]
			if got.State != c.want || !got.UpdatedAt.Equal(c.since) {
				t.Errorf("%s since %v, want %s since %v", got.State, got.UpdatedAt, c.want, c.since)
			}
		})
	}
	t.Run("an earlier release", func(t *testing.T) { // the meeting was lengthened, and checked in anew
		if got := settle([]Action{with(out, Confirmed, tapped), in}, seen, true)[1]; got != in {
			t.Errorf("%+v", got)
		}
	})
}

// A released meeting is taken again only by a schedule that was asked for after its release was seen.
func TestRevived(t *testing.T) {
	for name, c := range map[string]struct {
		asOf   time.Duration // after the release was confirmed
		reason Reason
		want   Phase
	}{
		"asked before":              {-time.Second, "", Released},
		"asked at the same instant": {0, "", Released},
		"asked after":               {time.Second, "", Overdue},
		"its release never showed":  {time.Second, ReasonUnseen, Released},
		"its release wasn't shown":  {time.Second, ReasonAwaited, Released},
	} {
		t.Run(name, func(t *testing.T) {
			m := Reservation{ID: "m", Start: noon.Add(-time.Hour), End: noon.Add(time.Hour)}
			in := Inputs{
				Room: Room{Zone: time.UTC, ZoomID: "z1", StaleAfter: DefaultStaleAfter},
				Actions: []Action{{
					ID: "out", Kind: Release, Reservation: "m", Start: m.Start, End: noon.Add(30 * time.Minute),
					TappedAt: noon.Add(-time.Minute), State: Confirmed, Reason: c.reason, UpdatedAt: noon, ExpiresAt: m.End,
				}},
				Schedule: NewSchedule("c", noon.Add(-12*time.Hour), noon.Add(12*time.Hour), noon.Add(c.asOf), []Reservation{m}),
			}
			if got := ScreenOf(in, noon.Add(time.Minute)).Bookings[0].Phase; got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}
