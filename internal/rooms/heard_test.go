package rooms

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// News from before the tap isn't about it, but the two clocks may differ.
func TestNewsFromBeforeTheTap(t *testing.T) {
	for _, c := range []struct {
		ago  time.Duration // before the tap
		want ActionState
	}{
		{newsSlack, Confirmed},
		{newsSlack + time.Second, Accepted},
		{10 * time.Minute, Accepted},
	} {
		t.Run(c.ago.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newHouse(meeting("m", -5, 55)).start(t)
				defer r.crash()
				a := r.tap(t, CheckIn, "m")
				r.hear(NewsCheckedIn, a.TappedAt.Add(-c.ago), "em")
				if got := r.action(t, a.ID); got.State != c.want {
					t.Errorf("%s, want %s", got.State, c.want)
				}
			})
		})
	}
}

// Checked out elsewhere while the release can still be undone here: it is done, and not done again.
func TestNewsWhileAReleaseIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(meeting("m", -5, 55))
		h.stubborn = true
		r := h.start(t)
		defer r.crash()
		a := r.tap(t, Release, "m")
		after(time.Second)
		r.hear(NewsCheckedOut, time.Now(), "em")
		if got := r.only(t); got.ID != a.ID || got.State != Confirmed || got.Reason != ReasonAwaited {
			t.Errorf("%s by %s: %s, %q", got.ID, got.Origin, got.State, got.Reason)
		}
		if p := r.phase(t, "m"); p != Released {
			t.Errorf("the screen says %s", p)
		}
		after(time.Minute)
		r.wasSent(t)
	})
}

// What was done elsewhere is taken over once: the same news again changes nothing that is known since.
func TestTheSameNewsTwice(t *testing.T) {
	for _, kind := range []NewsKind{NewsCheckedIn, NewsCheckedOut} {
		t.Run(string(kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(meeting("m", -5, 55))
				r := h.start(t)
				defer r.crash()
				at := time.Now()
				r.hear(kind, at, "em")
				if kind == NewsCheckedOut {
					h.set(func(h *house) { h.onCal[0].End = at })
				}
				after(time.Minute)
				once := r.only(t)
				if once.State != Confirmed || !once.seen() {
					t.Fatalf("%s, %q", once.State, once.Reason)
				}
				r.hear(kind, at, "em")
				if again := r.only(t); again != once {
					t.Errorf("it was %+v\nand is %+v", once, again)
				}
			})
		})
	}
}

// Nobody checks in to a meeting hours before it: such news is about another occurrence, or wrong.
func TestNewsOfWhatIsFarAhead(t *testing.T) {
	for start, want := range map[time.Duration]int{earliestTap: 1, earliestTap + time.Minute: 0, 5 * time.Hour: 0} {
		t.Run(start.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				in := int(start.Minutes())
				r := newHouse(meeting("m", in, in+30)).start(t)
				defer r.crash()
				r.hear(NewsCheckedIn, time.Now(), "em")
				if got := len(r.order); got != want {
					t.Errorf("%d actions, want %d", got, want)
				}
			})
		})
	}
}

// News of an unknown reservation has the calendar read at once, and is believed as long as it can be
// about now.
func TestNewsOfAnUnknownReservation(t *testing.T) {
	for name, c := range map[string]struct {
		known time.Duration // after the news
		want  Phase
	}{
		"soon":     {newsTooOld - time.Minute, CheckedIn},
		"too late": {newsTooOld + time.Minute, Overdue},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse()
				r := h.start(t)
				defer r.crash()
				m := meeting("m", -1, 30)
				r.hear(NewsCheckedIn, time.Now(), "em")
				after(c.known)
				h.set(func(h *house) { h.onCal = append(h.onCal, m) })
				after(5 * time.Minute)
				if p := r.phase(t, "m"); p != c.want {
					t.Errorf("%s, want %s", p, c.want)
				}
			})
		})
	}
	t.Run("has the calendar read", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse()
			r := h.start(t, func(c *KeeperConfig) { c.Poll = time.Hour })
			defer r.crash()
			h.set(func(h *house) { h.onCal = append(h.onCal, meeting("m", -1, 30)) })
			r.hear(NewsCheckedIn, time.Now(), "em")
			if n := len(r.reads); n != 2 {
				t.Fatalf("%d reads", n)
			}
			if p := r.phase(t, "m"); p != CheckedIn {
				t.Errorf("%s", p)
			}
		})
	})
}

// Zoom tells late of a check-in that came before a check-out. It stays the earlier of the two: when the
// meeting is lengthened, those who had checked in have left.
func TestLateNewsHasItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(meeting("m", -5, 55))
		end := h.onCal[0].End
		r := h.start(t)
		defer r.crash()
		begun := time.Now()
		after(time.Minute)
		r.hear(NewsCheckedOut, time.Now(), "em")
		r.hear(NewsCheckedIn, begun, "em")
		s := r.Screen()
		if !slices.IsSortedFunc(s.Actions, func(a, b Action) int { return a.TappedAt.Compare(b.TappedAt) }) || len(s.Actions) != 2 {
			t.Errorf("not in the order of the taps: %+v", s.Actions)
		}
		h.set(func(h *house) { h.onCal[0].End = time.Now() })
		after(time.Minute)
		h.set(func(h *house) { h.onCal[0].End = end.Add(time.Minute) })
		after(time.Minute)
		if s := r.Screen(); s.Status != AwaitingCheckIn {
			t.Errorf("taken again, and %s", s.Status)
		}
	})
}
