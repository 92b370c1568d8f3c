package rooms

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func (r run) hear(kind NewsKind, at time.Time, events ...string) {
	r.Hear(News{ZoomRoomID: "z1", Kind: kind, At: at, EventIDs: events})
	synctest.Wait()
}

func (r run) phase(t *testing.T, reservation string) Phase {
	t.Helper()
	for _, b := range r.Screen().Bookings {
		if b.ID == reservation {
			return b.Phase
		}
	}
	t.Fatalf("reservation %s is not on the screen", reservation)
	return ""
}

func (r run) only(t *testing.T) Action {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.order) != 1 {
		t.Fatalf("actions %v, want one", r.order)
	}
	return r.journal[r.order[0]]
}

func TestZoomsWordConfirms(t *testing.T) {
	for kind, news := range map[ActionKind]NewsKind{CheckIn: NewsCheckedIn, Release: NewsCheckedOut} {
		t.Run(string(kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(meeting("m", -5, 55))
				h.stubborn = true
				r := h.start(t)
				defer r.crash()
				a := r.tap(t, kind, "m")
				after(DefaultUndoWindow + time.Second)
				if got := r.action(t, a.ID); got.State != Accepted {
					t.Fatalf("%s before the news", got.State)
				}
				for range 2 { // the second is no news
					r.hear(news, time.Now(), "other form", "em")
					if got := r.action(t, a.ID); got.State != Confirmed {
						t.Errorf("%s after the news", got.State)
					}
				}
				if want := map[ActionKind]Phase{CheckIn: CheckedIn, Release: Released}[kind]; r.phase(t, "m") != want {
					t.Errorf("phase %s, want %s", r.phase(t, "m"), want)
				}
				r.only(t)
			})
		})
	}
}

// Between Zoom's word and the calendar's the room doesn't flip back, and if the calendar never follows
// people are told.
func TestConfirmedReleaseWaitsForTheCalendar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(meeting("m", -5, 55))
		h.stubborn = true
		r := h.start(t)
		defer r.crash()
		a := r.tap(t, Release, "m")
		after(DefaultUndoWindow + time.Second)
		r.hear(NewsCheckedOut, time.Now(), "em")
		for range 10 {
			after(11 * time.Second)
			if p := r.phase(t, "m"); p != Released {
				t.Fatalf("the room flipped back: %s", p)
			}
			if got := r.action(t, a.ID); got.Reason != ReasonAwaited {
				t.Fatalf("%s, %q", got.State, got.Reason)
			}
		}
		after(25 * time.Second)
		if got := r.action(t, a.ID); got.State != Confirmed || got.Reason != ReasonUnseen {
			t.Fatalf("after two minutes: %s, %q", got.State, got.Reason)
		}
		h.set(func(h *house) { h.onCal[0].End = time.Now() })
		after(20 * time.Second)
		if got := r.action(t, a.ID); got.State != Confirmed || got.Reason != "" {
			t.Errorf("when the calendar followed: %s, %q", got.State, got.Reason)
		}
	})
}

func TestAcceptedReleaseThatTheCalendarNeverShows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(meeting("m", -5, 55))
		h.stubborn = true
		r := h.start(t, func(c *KeeperConfig) { c.Poll = time.Hour })
		defer r.crash()
		a := r.tap(t, Release, "m")
		after(DefaultUndoWindow + confirmBy + time.Second)
		if got := r.action(t, a.ID); got.State != Accepted || got.Reason != ReasonUnseen {
			t.Errorf("%s, %q", got.State, got.Reason)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		accepted := r.journal[a.ID].TappedAt.Add(DefaultUndoWindow)
		for _, d := range []time.Duration{2, 5, 15} {
			if !slices.ContainsFunc(r.reads, func(at time.Time) bool { return at.Sub(accepted).Round(time.Second) == d*time.Second }) {
				t.Errorf("the calendar was not read %d s after the release: %v", d, r.reads)
			}
		}
	})
}

func TestTappedElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(meeting("m", -5, 55))
		r := h.start(t)
		at := time.Now()
		r.hear(NewsCheckedIn, at, "em")
		if a := r.only(t); a.Origin != OriginZoom || a.State != Confirmed || r.phase(t, "m") != CheckedIn {
			t.Fatalf("%s by %s, %s", a.State, a.Origin, r.phase(t, "m"))
		}
		r.hear(NewsCheckedIn, at, "em")
		r.only(t)
		r.crash()
		r = h.start(t)
		defer r.crash()
		if r.phase(t, "m") != CheckedIn {
			t.Error("forgotten by a restart")
		}
		r.hear(NewsCheckedIn, at, "em") // once more, to the new process
		r.only(t)
		after(time.Minute)
		r.hear(NewsCheckedOut, time.Now(), "em")
		if r.phase(t, "m") != Released {
			t.Errorf("checked out elsewhere, and %s", r.phase(t, "m"))
		}
		r.hear(NewsCheckedIn, at.Add(time.Second), "em") // late
		if r.phase(t, "m") != Released {
			t.Errorf("after late news: %s", r.phase(t, "m"))
		}
		r.wasSent(t) // nothing of that is ours to tell Zoom
	})
}

// News can be quicker than the calendar.
func TestNewsOfAReservationToCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		r := h.start(t)
		defer r.crash()
		r.hear(NewsCheckedIn, time.Now(), "em")
		h.set(func(h *house) { h.onCal = append(h.onCal, meeting("m", -1, 30)) })
		after(30 * time.Second)
		if p := r.phase(t, "m"); p != CheckedIn {
			t.Errorf("%s", p)
		}
	})
}

func TestNewsThatIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(meeting("m", -5, 55))
		r := h.start(t)
		defer r.crash()
		r.Hear(News{ZoomRoomID: "z2", Kind: NewsCheckedIn, At: time.Now(), EventIDs: []string{"em"}})
		r.hear(NewsCheckedIn, time.Now(), "another")
		r.hear(NewsCheckedIn, time.Now())
		r.hear("zoomroom.sensor_data", time.Now(), "em")
		if n := len(r.order); n != 0 || r.phase(t, "m") == CheckedIn {
			t.Errorf("%d actions, %s", n, r.phase(t, "m"))
		}
	})
}

// A request whose answer was lost is not made again when its effect shows.
func TestLooksBeforeItSendsAgain(t *testing.T) {
	lost := &Fault{Service: "Zoom", Kind: FaultUnreachable, Ambiguous: true}
	t.Run("check-in, by zoom's word", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(meeting("m", -5, 55))
			h.sendFault = lost
			r := h.start(t)
			defer r.crash()
			r.Listening(true)
			a := r.tap(t, CheckIn, "m")
			after(5 * time.Second)
			r.wasSent(t, "check_in em")
			r.hear(NewsCheckedIn, time.Now(), "em")
			after(time.Hour)
			if got := r.action(t, a.ID); got.State != Confirmed {
				t.Errorf("%s", got.State)
			}
			r.wasSent(t, "check_in em")
		})
	})
	t.Run("release, by the calendar", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(meeting("m", -5, 55))
			h.answer = func() error {
				h.set(func(h *house) { h.onCal[0].End = time.Now() })
				return lost
			}
			r := h.start(t)
			defer r.crash()
			a := r.tap(t, Release, "m")
			after(DefaultUndoWindow + 3*time.Second)
			if got := r.action(t, a.ID); got.State != Confirmed {
				t.Errorf("%s", got.State)
			}
			after(time.Hour)
			r.wasSent(t, "release em")
		})
	})
	t.Run("in flight", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(meeting("m", -5, 55))
			h.answer = func() error { <-time.After(8 * time.Second); return lost }
			r := h.start(t)
			defer r.crash()
			a := r.tap(t, CheckIn, "m")
			after(time.Second)
			r.hear(NewsCheckedIn, time.Now(), "em")
			after(time.Hour)
			if got := r.action(t, a.ID); got.State != Confirmed {
				t.Errorf("%s", got.State)
			}
			r.wasSent(t, "check_in em")
		})
	})
	t.Run("nothing shows", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(meeting("m", -5, 55))
			h.sendFault = lost
			r := h.start(t)
			defer r.crash()
			r.tap(t, CheckIn, "m")
			after(time.Minute)
			if n := len(r.sent); n < 3 {
				t.Errorf("sent %d times in a minute", n)
			}
		})
	})
}

func TestAlerts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(meeting("m", -5, 55))
		r := h.start(t)
		defer r.crash()
		offline := func(want bool, when string) {
			t.Helper()
			if got := r.Screen().Has(FlagZoomRoomOffline); got != want {
				t.Errorf("%s: offline %v", when, got)
			}
		}
		r.hear(NewsRoomOffline, time.Now())
		offline(true, "an alert")
		r.hear(NewsRoomOnline, time.Now().Add(-time.Minute))
		offline(true, "an older alert")
		h.set(func(h *house) { h.sendFault = &Fault{Service: "Zoom", Kind: FaultRoomOffline} })
		r.tap(t, CheckIn, "m")
		after(time.Second)
		r.wasSent(t, "check_in em")
		h.set(func(h *house) { h.sendFault = nil })
		r.hear(NewsRoomOnline, time.Now())
		offline(false, "online again")
		after(3 * time.Second) // not the 30 s that an offline room is given
		r.wasSent(t, "check_in em", "check_in em")
		r.hear(NewsRoomOffline, time.Now().Add(-time.Hour))
		offline(false, "an alert of an hour ago")
		r.hear(NewsRoomOffline, time.Now().Add(24*time.Hour))
		offline(true, "an alert of tomorrow")
		after(time.Minute)
		r.hear(NewsRoomOnline, time.Now())
		offline(false, "online after an alert of tomorrow")
		r.hear(NewsRoomOffline, time.Now())
		after(alertHolds - time.Second)
		offline(true, "offline for a while")
		after(time.Second)
		offline(false, "offline, and never said again")
	})
}

// After each connect the calendar is read: there is no replay.
func TestListeningReadsTheCalendar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		r := h.start(t, func(c *KeeperConfig) { c.Poll = time.Hour })
		defer r.crash()
		before := len(r.reads)
		r.Listening(true)
		after(3 * time.Second)
		if len(r.reads) != before+1 {
			t.Errorf("%d reads after connecting", len(r.reads)-before)
		}
		r.Listening(false)
		after(time.Minute)
		if len(r.reads) != before+1 {
			t.Error("read for the loss of a connection")
		}
	})
}
