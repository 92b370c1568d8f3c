package rooms

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestCalendarTroubleKeepsTheSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(meeting("m", -1, 59))
		r := h.start(t)
		h.set(func(h *house) { h.calFault = unreachable(); h.onCal = nil })
		after(2 * time.Minute)
		s := r.Screen()
		if s.Status != AwaitingCheckIn || !s.Has(FlagStale) || !s.Has(FlagOffline) || len(s.Bookings) != 1 {
			t.Fatalf("without the calendar: %s, %v", s.Status, s.Flags)
		}
		r.tap(t, CheckIn, "m") // taps go on: Google's ids don't go stale
		r.wasSent(t, "check_in em")
		r.crash()

		r = h.start(t) // and so after a restart
		defer r.crash()
		if s := r.Screen(); s.Status != InUse || !s.Has(FlagStale) {
			t.Fatalf("after a restart without the calendar: %s, %v", s.Status, s.Flags)
		}
		h.set(func(h *house) { h.calFault = nil })
		after(time.Minute)
		if s := r.Screen(); s.Status != Available || len(s.Flags) != 0 {
			t.Fatalf("with the calendar back: %s, %v", s.Status, s.Flags)
		}
	})
}

func TestChangeKeyIsReadAfresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := meeting("m", -1, 59)
		m.Ref.ChangeKey = "old"
		h := newHouse(m)
		r := h.start(t)
		defer r.crash()
		h.set(func(h *house) { h.calFault = unreachable() })
		a := r.tap(t, CheckIn, "m")
		after(10 * time.Second)
		r.wasSent(t) // an old change key would be refused for good
		h.set(func(h *house) { h.calFault = nil })
		after(time.Minute)
		r.wasSent(t, "check_in em")
		if got := r.action(t, a.ID); got.State != Accepted {
			t.Fatalf("in the end: %s", got.State)
		}
	})
}

func TestMeetingThatIsGoneOrMoved(t *testing.T) {
	for name, change := range map[string]func(*house){
		"gone":  func(h *house) { h.onCal = nil },
		"moved": func(h *house) { h.onCal[0].Start, h.onCal[0].End = h.onCal[0].End, h.onCal[0].End.Add(time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(meeting("m", -1, 59))
				r := h.start(t)
				defer r.crash()
				h.set(change)
				a := r.tap(t, CheckIn, "m")
				r.wasSent(t)
				if got := r.action(t, a.ID); got.State != Failed || got.Reason != ReasonGone {
					t.Fatalf("check-in: %s, %s", got.State, got.Reason)
				}
			})
		})
	}
}

func TestRoomWithoutZoomKeepsCheckInsHere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(meeting("m", -1, 59))
		without := func(c *KeeperConfig) { c.Room.ZoomID, c.Events = "", nil }
		r := h.start(t, without)
		a := r.tap(t, CheckIn, "m")
		r.crash()
		r = h.start(t, without)
		defer r.crash()
		s := r.Screen()
		if a.State != Confirmed || s.Status != InUse || s.Current.ReleaseRefusal != RefusedReadOnly {
			t.Fatalf("%s, %s, %s", a.State, s.Status, s.Current.ReleaseRefusal)
		}
	})
}

type written struct {
	*house
	refusal error
}

func (w written) End(_ context.Context, _ Room, ref EventRef, at time.Time) error {
	w.set(func(h *house) {
		h.sent = append(h.sent, "end "+ref.EventID)
		for i := range h.onCal {
			if h.onCal[i].Ref == ref {
				h.onCal[i].End = at
			}
		}
	})
	return nil
}

func (w written) CanEnd(context.Context, Room) error { return w.refusal }

func TestReleaseWithoutZoomGoesToTheCalendar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(meeting("m", -1, 59))
		r := h.start(t, func(c *KeeperConfig) { c.Events, c.Calendar = nil, written{house: h} })
		defer r.crash()
		in := r.tap(t, CheckIn, "m")
		out := r.tap(t, Release, "m")
		if in.State != Confirmed || out.State != Held {
			t.Fatalf("tapped: %s, %s", in.State, out.State)
		}
		after(DefaultUndoWindow + readSoon)
		r.wasSent(t, "end em")
		if s := r.Screen(); s.Status != Available || r.action(t, out.ID).State != Confirmed {
			t.Fatalf("released: %s, %s", s.Status, r.action(t, out.ID).State)
		}
	})
}

func TestCalendarThatCannotBeWrittenOffersNoRelease(t *testing.T) {
	for name, c := range map[string]struct {
		refusal error
		want    Refusal
	}{
		"refuses":     {&Fault{Kind: FaultPermission}, RefusedReadOnly},
		"unreachable": {&Fault{Kind: FaultUnreachable}, Possible}, // it may be back by then
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(meeting("m", -1, 59))
				r := h.start(t, func(k *KeeperConfig) { k.Events, k.Calendar = nil, written{h, c.refusal} })
				defer r.crash()
				if got := r.Screen().Current.ReleaseRefusal; got != c.want {
					t.Errorf("release: %q, want %q", got, c.want)
				}
			})
		})
	}
}

func TestMeetingLengthenedAfterItsCheckIn(t *testing.T) {
	for name, down := range map[string]bool{"told": false, "not told yet": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(meeting("m", -1, 20))
				if down {
					h.sendFault = unreachable()
				}
				r := h.start(t)
				a := r.tap(t, CheckIn, "m")
				h.set(func(h *house) { h.onCal[0].End = h.onCal[0].End.Add(30 * time.Minute) })
				after(30 * time.Minute)
				if s := r.Screen(); s.Status != InUse {
					t.Errorf("past the old end: %s", s.Status)
				}
				r.crash()
				h.set(func(h *house) { h.sendFault = nil })
				r = h.start(t)
				defer r.crash()
				after(time.Minute)
				if s := r.Screen(); s.Status != InUse || r.action(t, a.ID).State != Accepted {
					t.Errorf("after a restart: %s, %s", s.Status, r.action(t, a.ID).State)
				}
			})
		})
	}
}

func TestNotFoundIsNotAlwaysGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(meeting("m", -5, 55))
		r := h.start(t, func(c *KeeperConfig) { c.Room.UndoWindow, c.Calendar = 0, unshared{h} })
		defer r.crash()
		a := r.tap(t, Release, "m")
		r.wasSent(t, "release em")
		if got := r.action(t, a.ID); got.State != Accepted {
			t.Errorf("the release is %s", got.State)
		}
	})
}

type unshared struct{ *house }

func (u unshared) Read(ctx context.Context, room Room, from, to time.Time) ([]Reservation, error) {
	u.mu.Lock()
	first := len(u.reads) == 0
	u.mu.Unlock()
	if first {
		return u.house.Read(ctx, room, from, to)
	}
	return nil, &Fault{Kind: FaultNotFound}
}

func (u unshared) Lookup(context.Context, Room, EventRef) (Reservation, error) {
	return Reservation{}, &Fault{Kind: FaultNotFound}
}

func TestPollingPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		r := h.start(t)
		defer r.crash()
		after(time.Minute)
		counts := func() (reads, profiles int) {
			h.set(func(h *house) { reads, profiles, h.reads = len(h.reads), h.profiles, nil })
			return reads, profiles
		}
		if reads, _ := counts(); reads != 5 {
			t.Errorf("%d reads in a minute at 15 s", reads)
		}
		h.set(func(h *house) { h.calFault = &Fault{Kind: FaultPermission} })
		after(time.Hour)
		reads, profiles := counts()
		if reads < 12 || reads > 20 {
			t.Errorf("%d reads in an hour of refusals", reads)
		}
		if profiles != 1 {
			t.Errorf("zoom's settings were read %d times in an hour", profiles)
		}
		after(6 * time.Hour)
		if _, profiles := counts(); profiles != 2 {
			t.Errorf("zoom's settings were read %d times in seven hours", profiles)
		}
	})
}

func TestReleaseThatTheCalendarDoesNotShow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(meeting("m", -5, 55))
		h.answer = func() error { return nil } // accepted; the house shortens nothing before it returns
		r := h.start(t, func(c *KeeperConfig) { c.Events = deaf{h} })
		defer r.crash()
		a := r.tap(t, Release, "m")
		after(10 * time.Minute)
		if got := r.action(t, a.ID); got.State != Accepted {
			t.Errorf("nothing was seen of the release, but it is %s", got.State)
		}
		if s := r.Screen(); s.Status != Available {
			t.Errorf("the release flipped back: %s", s.Status)
		}
	})
}

type deaf struct{ *house }

func (d deaf) Release(_ context.Context, _ Room, ref EventRef) error {
	return d.send("release " + ref.EventID)
}

func TestMeetingLengthenedAfterItsRelease(t *testing.T) {
	for name, c := range map[string]struct {
		by    time.Duration // against its end before the release
		after time.Duration // the release
		want  Status
	}{
		"to another end":                  {10 * time.Minute, time.Minute, AwaitingCheckIn},
		"to its old end":                  {0, 5 * time.Minute, AwaitingCheckIn},
		"an old answer of the calendar's": {0, 20 * time.Second, Available},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(meeting("m", -5, 55))
				end := h.onCal[0].End
				r := h.start(t)
				defer r.crash()
				r.tap(t, CheckIn, "m")
				r.tap(t, Release, "m")
				after(DefaultUndoWindow + c.after)
				if s := r.Screen(); s.Status != Available || s.Bookings[0].Phase != Released {
					t.Fatalf("after the release: %s, %s", s.Status, s.Bookings[0].Phase)
				}
				h.set(func(h *house) { h.onCal[0].End = end.Add(c.by) })
				after(20 * time.Second)
				if s := r.Screen(); s.Status != c.want {
					t.Errorf("%s, want %s", s.Status, c.want)
				}
			})
		})
	}
}

// A meeting that was checked in is moved to later, to overlap with its old time: the room is free until
// its check-in opens.
func TestMovedAfterCheckInIsNotStartingYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(meeting("m", -1, 60))
		r := h.start(t)
		defer r.crash()
		r.tap(t, CheckIn, "m")
		h.set(func(h *house) { h.onCal = []Reservation{meeting("m", 50, 111)} })
		after(time.Minute)
		if s := r.Screen(); s.Status != Available {
			t.Errorf("%s until %s", s.Status, s.Until)
		}
	})
}

// A release waits for Zoom; the meeting is moved to later, to overlap with its old time: it isn't ended
// before it begins.
func TestReleaseDoesNotEndAMeetingThatWasMovedAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(meeting("m", -1, 60))
		h.sendFault = unreachable()
		r := h.start(t)
		defer r.crash()
		r.tap(t, Release, "m")
		after(20 * time.Second)
		h.set(func(h *house) { h.onCal, h.sendFault, h.sent = []Reservation{meeting("m", 50, 111)}, nil, nil })
		after(time.Minute)
		r.wasSent(t)
		if m := h.onCal[0]; m.End.Before(m.Start.Add(time.Hour)) {
			t.Errorf("%s to %s", m.Start, m.End)
		}
	})
}

// The same without its calendar, which Zoom needn't wait for.
func TestReleaseOfAMovedMeetingWithoutItsCalendar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(meeting("m", -1, 60))
		h.sendFault = unreachable()
		r := h.start(t)
		defer r.crash()
		r.tap(t, Release, "m")
		h.set(func(h *house) { h.onCal = []Reservation{meeting("m", 50, 111)} })
		after(20 * time.Second)
		h.set(func(h *house) { h.calFault, h.sendFault, h.sent = unreachable(), nil, nil })
		after(2 * time.Minute)
		r.wasSent(t)
		if p := r.phase(t, "m"); p != Later {
			t.Errorf("the meeting to come is %s", p)
		}
	})
}

// A reservation without a length can be checked in to, as it says.
func TestReservationWithoutLength(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newHouse(meeting("m", 5, 5)).start(t)
		defer r.crash()
		a := r.tap(t, CheckIn, "m")
		after(time.Second)
		if got := r.action(t, a.ID); got.State != Accepted {
			t.Errorf("%s, %s", got.State, got.Reason)
		}
	})
}

// slow is a calendar that is moved while a look-up hangs.
type slow struct{ *house }

func (s slow) Lookup(ctx context.Context, _ Room, _ EventRef) (Reservation, error) {
	<-ctx.Done()
	return Reservation{}, unreachable()
}

func TestMovedWhileTheLookUpHung(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(meeting("m", -1, 60))
		r := h.start(t, func(c *KeeperConfig) { c.Calendar, c.Poll = slow{h}, time.Second })
		defer r.crash()
		r.tap(t, Release, "m")
		after(DefaultUndoWindow)
		h.set(func(h *house) { h.onCal = []Reservation{meeting("m", 50, 111)} })
		after(time.Minute)
		r.wasSent(t)
	})
}
