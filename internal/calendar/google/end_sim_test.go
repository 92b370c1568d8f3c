package google_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"roomkiosk/internal/calendar/google"
	"roomkiosk/internal/rooms"
	"roomkiosk/internal/sim"
)

var _ rooms.Ender = (*google.Calendar)(nil)

func writing(cfg *google.Config) { cfg.Write = true }

func ownBooking(e *sim.Event) { e.Organizer, e.Attendees = sim.Person{Email: room1}, nil }

func TestSimulatedEnd(t *testing.T) {
	w, account, c := worldWith(t, writing)
	w.Google.Share(room1, account.Email, sim.Writer)
	_, room := berlin(t)
	start := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	w.Calendar.Put(room1, meeting("own", start, ownBooking))
	w.Calendar.Put(room1, meeting("ahead", start, ownBooking))
	w.Calendar.Put(room1, meeting("theirs", start))
	w.Calendar.Put(room1, sim.Event{
		ID: "day", Organizer: sim.Person{Email: room1}, StartDate: "2026-11-23", EndDate: "2026-11-24",
	})
	end := func(id string, at time.Time) sim.Event {
		t.Helper()
		for range 2 { // it is safe to repeat
			if err := c.End(context.Background(), room, rooms.EventRef{EventID: id}, at); err != nil {
				t.Errorf("%s: %v", id, err)
			}
		}
		e, _ := w.Calendar.Event(room1, id)
		return e
	}
	at := start.Add(10*time.Minute + 999*time.Millisecond)
	if e := end("own", at); !e.End.Equal(start.Add(10*time.Minute)) || e.Version != 2 {
		t.Errorf("own: %+v", e)
	}
	if e := end("ahead", start.Add(-time.Minute)); !e.End.Equal(start) {
		t.Errorf("before its start: %+v", e)
	}
	if e := end("theirs", at); !e.DeclinedByRoom() || !e.End.Equal(start.Add(30*time.Minute)) || e.Attendees[0].Response != sim.Accepted {
		t.Errorf("somebody else's: %+v", e)
	}
	midnight := time.Date(2026, 11, 22, 23, 0, 0, 0, time.UTC)
	if e := end("day", at); e.AllDay() || !e.Start.Equal(midnight) || !e.End.Equal(start.Add(10*time.Minute)) {
		t.Errorf("whole day: %+v", e)
	}
	end("gone", at)
	w.Google.Unshare(room1, account.Email)
	wantFault(t, c.End(context.Background(), room, rooms.EventRef{EventID: "own"}, at), rooms.FaultNotFound)
}

func TestSimulatedRights(t *testing.T) {
	for name, tt := range map[string]struct {
		role sim.Role
		edit func(*google.Config)
		want string // in the fault; empty: allowed
	}{
		"owner":            {sim.Owner, writing, ""},
		"writer":           {sim.Writer, writing, ""},
		"reader":           {sim.Reader, writing, `choose "Make changes to events"`},
		"times only":       {sim.FreeBusyReader, writing, `choose "Make changes to events"`},
		"asks for no more": {sim.Owner, func(*google.Config) {}, "reading only"},
	} {
		t.Run(name, func(t *testing.T) {
			w, account, c := worldWith(t, tt.edit)
			w.Google.Share(room1, account.Email, tt.role)
			_, room := berlin(t)
			start := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
			w.Calendar.Put(room1, meeting("own", start, ownBooking))
			for what, err := range map[string]error{
				"asked": c.CanEnd(context.Background(), room),
				"tried": c.End(context.Background(), room, rooms.EventRef{EventID: "own"}, start),
			} {
				if tt.want == "" {
					if err != nil {
						t.Errorf("%s: %v", what, err)
					}
					continue
				}
				wantFault(t, err, rooms.FaultPermission)
				if !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%s: %v", what, err)
				}
			}
		})
	}
}
