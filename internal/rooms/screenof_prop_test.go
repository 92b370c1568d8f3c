package rooms

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func genInstant(t *rapid.T, from time.Time) time.Time {
	return from.Add(time.Duration(rapid.IntRange(-3600, 200000).Draw(t, "instant")) * time.Second)
}

// instants are the seconds around everything that could matter, and a random one.
func instants(t *rapid.T, in Inputs, from time.Time) []time.Time {
	at := []time.Time{genInstant(t, from)}
	for _, r := range in.Schedule.Reservations {
		at = append(at, r.Start.Add(-time.Second), r.Start, r.End.Add(-time.Second), r.End)
	}
	for _, a := range in.Actions {
		at = append(at, a.DueAt.Add(-time.Second), a.DueAt, a.ExpiresAt.Add(shownFor-time.Second))
	}
	return append(at, from.Add(48*time.Hour-time.Second))
}

func TestStatusFollowsFromWhoIsIn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in, from := genInputs(t)
		for _, now := range instants(t, in, from) {
			s := ScreenOf(in, now)
			if !slices.Contains([]Status{Available, StartingSoon, AwaitingCheckIn, InUse, Unknown}, s.Status) {
				t.Fatalf("at %v: status %q", now, s.Status)
			}
			known := covered(in.Schedule, now) && in.ClockDoubt == ClockTrusted
			if !known {
				if s.Status != Unknown || s.Current != nil || s.Next != nil {
					t.Fatalf("at %v: %q although nothing is known", now, s.Status)
				}
				continue
			}
			checkStatus(t, s)
		}
	})
}

// checkStatus says the definitions of design section 3 in another way than ScreenOf does.
func checkStatus(t *rapid.T, s Screen) {
	var inside, waiting, soon bool
	for _, b := range s.Bookings {
		runs := !b.Start.After(s.Now) && b.End.After(s.Now) && b.Phase != Released
		inside = inside || runs && b.Phase == CheckedIn
		waiting = waiting || runs && b.Phase != CheckedIn
		soon = soon || b.Start.After(s.Now) && b.Phase != Released && s.Policy.Required && !s.Now.Before(b.Start.Add(-s.Policy.OpensBefore))
	}
	want := Available
	switch {
	case inside:
		want = InUse
	case waiting:
		want = AwaitingCheckIn
	case soon:
		want = StartingSoon
	}
	if s.Status != want {
		t.Fatalf("at %v: status %q, want %q\n%+v", s.Now, s.Status, want, s.Bookings)
	}
	if (s.Current != nil) != (inside || waiting) {
		t.Fatalf("at %v: current %v", s.Now, s.Current)
	}
	if !s.Until.IsZero() && !s.Until.After(s.Now) {
		t.Fatalf("at %v: until %v is past", s.Now, s.Until)
	}
}

func TestBackToBackLeavesNoGap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone := genZone(t)
		from, to := Window(time.Date(2026, 10, 25, 12, 0, 0, 0, zone), zone)
		start := from.Add(8 * time.Hour)
		var rs []Reservation
		for i := range rapid.IntRange(2, 6).Draw(t, "n") {
			end := start.Add(time.Duration(rapid.IntRange(1, 90).Draw(t, "minutes")) * time.Minute)
			rs = append(rs, Reservation{ID: string(rune('a' + i)), Start: start, End: end})
			start = end
		}
		in := Inputs{Room: Room{Zone: zone, ZoomID: "z", StaleAfter: time.Hour}}
		in.Schedule = NewSchedule("s", from, to, from, rs)
		for i, r := range rs[1:] {
			for _, now := range []time.Time{r.Start.Add(-time.Nanosecond), r.Start} {
				s := ScreenOf(in, now)
				want := rs[i].ID
				if now.Equal(r.Start) {
					want = r.ID
				}
				if s.Current == nil || s.Current.ID != want {
					t.Fatalf("at %v: current %+v, want %s", now, s.Current, want)
				}
			}
		}
	})
}

func TestNextChangeIsNeverLate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in, from := genInputs(t)
		now := rapid.SampledFrom(instants(t, in, from)).Draw(t, "now")
		s := ScreenOf(in, now)
		if s.Change.IsZero() {
			t.Fatal("there is always a midnight to come")
		}
		if !s.Change.After(now) {
			t.Fatalf("change %v is not after %v", s.Change, now)
		}
		// Every second up to it, at most for so many; then the last one.
		for at, n := now, 0; at.Before(s.Change) && n < 900; at, n = at.Add(time.Second), n+1 {
			sameBut(t, s, ScreenOf(in, at), at)
		}
		sameBut(t, s, ScreenOf(in, s.Change.Add(-time.Nanosecond)), s.Change)
	})
}

func sameBut(t *rapid.T, want, got Screen, at time.Time) {
	want.Now, got.Now = time.Time{}, time.Time{}
	if !reflect.DeepEqual(want, got) {
		t.Fatalf("at %v, before the announced change %v, the screen differs:\n%s", at, want.Change, cmp.Diff(want, got, cmp.AllowUnexported(time.Location{})))
	}
}

func TestScreenIsPure(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in, from := genInputs(t)
		now := genInstant(t, from)
		before := slices.Clone(in.Actions)
		a, b := ScreenOf(in, now), ScreenOf(in, now)
		if !reflect.DeepEqual(a, b) {
			t.Fatal("two screens of the same inputs")
		}
		if !slices.Equal(before, in.Actions) {
			t.Fatal("the inputs were changed")
		}
	})
}

// What is offered and what a screen says go together.
func TestOffersFitThePhase(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in, from := genInputs(t)
		for _, now := range instants(t, in, from) {
			for _, b := range ScreenOf(in, now).Bookings {
				if b.CheckInRefusal == Possible && b.Phase != CheckInOpen && b.Phase != Overdue {
					t.Fatalf("at %v check-in offered in phase %s", now, b.Phase)
				}
				if b.ReleaseRefusal == Possible && (now.Before(b.Start) || !now.Before(b.End) || b.Phase == Released) {
					t.Fatalf("at %v release offered in phase %s", now, b.Phase)
				}
				if b.Phase == CheckedIn && !now.Before(b.End) {
					t.Fatalf("at %v checked in to what ended at %v", now, b.End)
				}
			}
		}
	})
}
