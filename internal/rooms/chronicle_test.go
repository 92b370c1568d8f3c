package rooms

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// said is the history so far, in short: what, cause and detail; of statuses the status.
func (h *house) said() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make([]string, len(h.past))
	for i, p := range h.past {
		switch p.What {
		case HappenedStatus:
			out[i] = fmt.Sprintf("%s by %s", p.Status, p.Cause)
		case HappenedFlag:
			out[i] = p.Detail
		case HappenedFailed:
			out[i] = fmt.Sprintf("%s %s by %s", p.What, p.Detail, p.Cause)
		default:
			out[i] = fmt.Sprintf("%s by %s, %v", p.What, p.Cause, p.Spent.Round(time.Minute))
		}
	}
	return out
}

func TestHistory(t *testing.T) {
	for name, c := range map[string]struct {
		happens func(t *testing.T, r run)
		want    []string // after the start
	}{
		"checked in and stayed": {
			func(t *testing.T, r run) {
				r.tap(t, CheckIn, "m")
				after(time.Hour)
			},
			[]string{"checked_in by panel, 0s", "in_use by panel", "ended by time, 1h0m0s", "available by time"},
		},
		"nobody came": {
			func(*testing.T, run) { after(time.Hour) },
			[]string{"missed by time, 1h0m0s", "available by time"},
		},
		"released on the panel": {
			func(t *testing.T, r run) {
				r.tap(t, Release, "m")
				after(time.Minute)
			},
			[]string{"released by panel, 55m0s", "available by panel"},
		},
		"release taken back": {
			func(t *testing.T, r run) {
				r.tap(t, Release, "m")
				if _, err := r.Undo(t.Context(), "m"); err != nil {
					t.Error(err)
				}
				after(time.Minute)
			},
			[]string{"undone by panel, 0s"},
		},
		"checked in and out elsewhere": {
			func(_ *testing.T, r run) {
				r.hear(NewsCheckedIn, time.Now(), "em")
				after(30 * time.Minute)
				r.hear(NewsCheckedOut, time.Now(), "em")
			},
			[]string{"checked_in by zoom, 0s", "in_use by zoom", "released by zoom, 25m0s", "available by zoom"},
		},
		"a no-show that Zoom released": {
			func(_ *testing.T, r run) {
				after(10 * time.Minute)
				r.set(func(h *house) { h.onCal = nil })
				after(time.Minute)
			},
			[]string{"released by no_show, 45m0s", "available by no_show"},
		},
		"deleted by its organizer": {
			func(_ *testing.T, r run) {
				r.set(func(h *house) { h.onCal = nil })
				after(time.Minute)
			},
			[]string{"released by organizer, 55m0s", "available by organizer"},
		},
		"cancelled before it began": {
			func(_ *testing.T, r run) {
				r.set(func(h *house) { h.onCal = append(h.onCal, meeting("later", 120, 150)) })
				after(time.Minute)
				r.set(func(h *house) { h.onCal = h.onCal[:1] })
				after(time.Minute)
			},
			[]string{"cancelled by organizer, 0s"},
		},
		"the calendar out of reach": {
			func(_ *testing.T, r run) {
				r.set(func(h *house) { h.calFault = unreachable() })
				after(2 * time.Minute)
				r.set(func(h *house) { h.calFault = nil })
				after(time.Minute)
			},
			[]string{"offline:calendar", "stale", "-stale", "-offline:calendar"},
		},
		"refused by Zoom": {
			func(t *testing.T, r run) {
				r.set(func(h *house) { h.sendFault = &Fault{Service: "Zoom", Kind: FaultInvalid} })
				r.tap(t, CheckIn, "m")
				after(time.Minute)
			},
			[]string{"checked_in by panel, 0s", "in_use by panel", "failed check_in:invalid by panel", "awaiting_check_in by kiosk"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newHouse(meeting("m", -5, 55)).start(t)
				defer r.crash()
				begun := len(r.said())
				c.happens(t, r)
				if got := r.said()[begun:]; !slices.Equal(got, c.want) {
					t.Errorf("got  %q\nwant %q", got, c.want)
				}
			})
		})
	}
}

func TestHistoryBeginsWithTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(meeting("m", -5, 55))
		r := h.start(t)
		defer r.crash()
		if got, want := r.said(), []string{"unknown by kiosk", "awaiting_check_in by kiosk"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		for _, p := range h.past {
			if p.Room != "ada" || p.Day != time.Now().UTC().Format(time.DateOnly) || p.At.IsZero() {
				t.Errorf("%+v", p)
			}
		}
	})
}

// A wrong clock makes no history of reservations: they didn't end.
func TestNoHistoryByAWrongClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newHouse(meeting("m", -5, 55)).start(t)
		defer r.crash()
		begun := len(r.said())
		r.Clock(ClockJumped)
		after(2 * time.Hour)
		r.set(func(h *house) { h.onCal = nil })
		after(time.Minute)
		r.Clock(ClockTrusted)
		synctest.Wait()
		want := []string{"unknown by kiosk", "clock_untrusted", "available by kiosk", "-clock_untrusted", "-stale"}
		if got := r.said()[begun:]; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
