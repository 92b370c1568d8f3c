package caldav_test

import (
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"roomkiosk/internal/rooms"
)

// only returns the reservation with a title.
func only(t *testing.T, all []rooms.Reservation, title string) rooms.Reservation {
	t.Helper()
	for _, r := range all {
		if r.Title == title {
			return r
		}
	}
	t.Fatalf("no %s among %v", title, all)
	return rooms.Reservation{}
}

// unfolded is an object as the server has it, without its folds.
func unfolded(text string) string {
	return strings.NewReplacer("\r\n ", "", "\r\n", "\n").Replace(text)
}

func TestEndSingle(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		cal := s.calendar(t, "ada", "Ada")
		object := s.put(t, cal, "single.ics", single)
		k := newKiosk(t, s.url+cal, "", "")
		r := only(t, k.read(t), "Kick-off")
		if err := k.CanEnd(t.Context(), k.room); err != nil {
			t.Error(err)
		}
		at := k.now.Add(1500 * time.Millisecond)
		if err := k.End(t.Context(), k.room, r.Ref, at); err != nil {
			t.Fatal(err)
		}
		have := unfolded(s.do(t, http.MethodGet, object, ""))
		for _, line := range []string{
			"DTSTART;TZID=Office:20261123T090000\n", "DTEND;TZID=Office:20261123T093001\n", "SEQUENCE:1\n", "LAST-MODIFIED:20261123T083000Z\n",
			"DTSTAMP:20261123T083000Z\n", `X-ODD;X-P="a;b:c":kept as it is` + "\n", "TRIGGER:-PT5M\n", "TZID:Office\n",
		} {
			if strings.Count(have, line) != 1 {
				t.Errorf("%s not in\n%s", line, have)
			}
		}
		if strings.Contains(have, "DURATION") {
			t.Errorf("a duration beside an end:\n%s", have)
		}
		after := only(t, k.read(t), "Kick-off")
		if after.ID != r.ID || !after.End.Equal(at.Truncate(time.Second)) || !after.Start.Equal(r.Start) {
			t.Errorf("from %+v to %+v", r, after)
		}
		k.recorder.take()
		if err := k.End(t.Context(), k.room, r.Ref, at.Add(time.Minute)); err != nil {
			t.Errorf("again: %v", err)
		}
		if got := k.recorder.take(); got != "GET 200" {
			t.Errorf("again: sent %s", got)
		}
		s.do(t, http.MethodDelete, object, "")
		if err := k.End(t.Context(), k.room, r.Ref, at); err != nil {
			t.Errorf("deleted: %v", err)
		}
		_, err := k.Lookup(t.Context(), k.room, r.Ref)
		wantFault(t, err, rooms.FaultNotFound)
	})
}

func wantFault(t *testing.T, err error, kind rooms.FaultKind, words ...string) {
	t.Helper()
	fault := rooms.FaultOf(err)
	if fault == nil || fault.Kind != kind {
		t.Errorf("got %v, want %s", err, kind)
		return
	}
	for _, word := range words {
		if !strings.Contains(fault.Detail, word) {
			t.Errorf("got %v, want it to say %s", err, word)
		}
	}
}

func TestEndOccurrence(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		cal := s.calendar(t, "ada", "Ada")
		object := s.put(t, cal, "series.ics", series)
		k := newKiosk(t, s.url+cal, "", "")
		k.now = day(t).Add(11*time.Hour + 20*time.Minute)
		all := k.read(t)
		r := only(t, all, "Stand-up")
		if err := k.End(t.Context(), k.room, r.Ref, k.now); err != nil {
			t.Fatal(err)
		}
		want := "23 11:00-11:20 Stand-up; 24 15:00-16:00 Stand-up, late"
		if got := brief(k.read(t), k.room.Zone); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		have := unfolded(s.do(t, http.MethodGet, object, ""))
		for line, times := range map[string]int{
			"RECURRENCE-ID;TZID=Europe/Berlin:20261123T110000\n": 1, "DTEND;TZID=Europe/Berlin:20261123T112000\n": 1,
			"RRULE:FREQ=DAILY\n": 1, "EXDATE;TZID=Europe/Berlin:20261121T110000\n": 1, "SEQUENCE:4\n": 1, "SEQUENCE:5\n": 1,
			"X-ODD:kept\n": 2, "BEGIN:VEVENT\n": 3,
		} {
			if strings.Count(have, line) != times {
				t.Errorf("%s not %d times in\n%s", line, times, have)
			}
		}
		// The next day's exception ends in its place.
		k.now = day(t).AddDate(0, 0, 1).Add(15*time.Hour + 5*time.Minute)
		if err := k.End(t.Context(), k.room, only(t, all, "Stand-up, late").Ref, k.now); err != nil {
			t.Fatal(err)
		}
		want = "23 11:00-11:20 Stand-up; 24 15:00-15:05 Stand-up, late"
		if got := brief(k.read(t), k.room.Zone); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if have := s.do(t, http.MethodGet, object, ""); strings.Count(have, "BEGIN:VEVENT") != 3 {
			t.Errorf("got\n%s", have)
		}
		next, err := k.Read(t.Context(), k.room, day(t).AddDate(0, 0, 2), day(t).AddDate(0, 0, 4))
		if got := brief(next, k.room.Zone); err != nil || got != "25 11:00-12:00 Stand-up; 26 11:00-12:00 Stand-up" {
			t.Errorf("the rest of the series: got %s, %v", got, err)
		}
	})
}

// Somebody changes the event between the kiosk's look and its change.
func TestEndConflict(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		cal := s.calendar(t, "ada", "Ada")
		object := s.put(t, cal, "single.ics", single)
		k := newKiosk(t, s.url+cal, "", "")
		r := only(t, k.read(t), "Kick-off")
		var changes atomic.Int32
		k.recorder.before = func(req *http.Request) {
			if req.Method == http.MethodPut && changes.Add(1) == 1 {
				s.put(t, cal, "single.ics", strings.Replace(single, "Kick-off", "Renamed meanwhile", 1))
			}
		}
		k.recorder.take()
		if err := k.End(t.Context(), k.room, r.Ref, k.now); err != nil {
			t.Fatal(err)
		}
		if got := k.recorder.take(); !strings.HasPrefix(got, "GET 200, PUT 412, GET 200, PUT 20") {
			t.Errorf("sent %s", got)
		}
		have := unfolded(s.do(t, http.MethodGet, object, ""))
		if !strings.Contains(have, "SUMMARY:Renamed meanwhile\n") || !strings.Contains(have, "DTEND;TZID=Office:20261123T093000\n") {
			t.Errorf("got\n%s", have)
		}
		// And again and again.
		s.put(t, cal, "single.ics", single)
		k.recorder.before = func(req *http.Request) {
			if req.Method == http.MethodPut {
				s.put(t, cal, "single.ics", strings.Replace(single, "Kick-off", "Renamed "+time.Duration(changes.Add(1)).String(), 1))
			}
		}
		wantFault(t, k.End(t.Context(), k.room, r.Ref, k.now), rooms.FaultTrouble)
	})
}

func TestServerRestart(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		cal := s.calendar(t, "ada", "Ada")
		s.put(t, cal, "single.ics", single)
		k := newKiosk(t, s.url+cal, "", "")
		r := only(t, k.read(t), "Kick-off")
		s.stop()
		_, err := k.Read(t.Context(), k.room, day(t), day(t).AddDate(0, 0, 2))
		wantFault(t, err, rooms.FaultUnreachable)
		_, err = k.Lookup(t.Context(), k.room, r.Ref)
		wantFault(t, err, rooms.FaultUnreachable)
		wantFault(t, k.End(t.Context(), k.room, r.Ref, k.now), rooms.FaultUnreachable)
		s.start(t)
		k.recorder.take()
		if after := only(t, k.read(t), "Kick-off"); after != r {
			t.Errorf("from %+v to %+v", r, after)
		}
		if got := k.recorder.take(); got != "PROPFIND 207" {
			t.Errorf("unchanged over a restart: sent %s", got)
		}
		if err := k.End(t.Context(), k.room, r.Ref, k.now); err != nil {
			t.Error(err)
		}
	})
}

// A server that was set up anew knows nothing of the states that it had before.
func TestStaleToken(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		cal := s.calendar(t, "ada", "Ada")
		s.put(t, cal, "single.ics", single)
		k := newKiosk(t, s.url+cal, "", "")
		k.read(t)
		s.stop()
		if err := os.RemoveAll(s.data); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(s.data, 0o700); err != nil {
			t.Fatal(err)
		}
		s.start(t)
		_, err := k.Read(t.Context(), k.room, day(t), day(t).AddDate(0, 0, 2))
		wantFault(t, err, rooms.FaultNotFound)
		s.calendar(t, "ada", "Ada")
		s.put(t, cal, "series.ics", series)
		k.recorder.take()
		if got := brief(k.read(t), k.room.Zone); got != "23 11:00-12:00 Stand-up; 24 15:00-16:00 Stand-up, late" {
			t.Errorf("got %s", got)
		}
		if got := k.recorder.take(); !strings.Contains(got, "REPORT 207") {
			t.Errorf("sent %s", got)
		}
	})
}

func TestDiscovery(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		cal := s.calendar(t, "ada", "Ada's")
		s.put(t, cal, "single.ics", single)
		for _, path := range []string{"", "/", s.home, s.home[:len(s.home)-1]} {
			k := newKiosk(t, s.url+path, "kiosk", "secret")
			if got := brief(k.read(t), k.room.Zone); got != "23 09:00-10:00 Kick-off" {
				t.Errorf("from %s: got %s", path, got)
			}
			k.recorder.take()
			if k.read(t); k.recorder.take() != "PROPFIND 207" {
				t.Errorf("from %s: found twice", path)
			}
		}
		// With another calendar it is the one that is called as the room, by its path or its name.
		s.calendar(t, "bob", "Lovelace")
		k := newKiosk(t, s.url, "kiosk", "secret")
		k.room.ID, k.room.Name = "x", "lovelace"
		if got := brief(k.read(t), k.room.Zone); got != "" {
			t.Errorf("by name: got %s", got)
		}
		k = newKiosk(t, s.url, "kiosk", "secret")
		k.read(t)
		k = newKiosk(t, s.url, "kiosk", "secret")
		k.room.ID, k.room.Name = "carol", "Carol"
		_, err := k.Read(t.Context(), k.room, day(t), day(t).AddDate(0, 0, 2))
		wantFault(t, err, rooms.FaultNotFound, "calendar_id", s.url+cal, s.url+s.home+"bob/")
	})
}

func TestPassword(t *testing.T) {
	s := radicaleWith(t, "basic")
	s.start(t)
	cal := s.calendar(t, "ada", "Ada")
	s.put(t, cal, "single.ics", single)
	k := newKiosk(t, s.url+cal, "kiosk", "secret")
	r := only(t, k.read(t), "Kick-off")
	if got := k.recorder.take(); !strings.HasPrefix(got, "PROPFIND 401, PROPFIND 207, ") || strings.Count(got, "401") != 1 {
		t.Errorf("sent %s", got)
	}
	if err := k.CanEnd(t.Context(), k.room); err != nil {
		t.Error(err)
	}
	reader := newKiosk(t, s.url+cal, "reader", "secret")
	if got := brief(reader.read(t), k.room.Zone); got != "23 09:00-10:00 Kick-off" {
		t.Errorf("got %s", got)
	}
	wantFault(t, reader.CanEnd(t.Context(), k.room), rooms.FaultPermission, "may only read", "calendar dav")
	wantFault(t, reader.End(t.Context(), k.room, r.Ref, k.now), rooms.FaultPermission)
	for user, word := range map[string]string{"": "wants a user", "kiosk": "app password"} {
		k := newKiosk(t, s.url+cal, user, "")
		_, err := k.Read(t.Context(), k.room, day(t), day(t).AddDate(0, 0, 2))
		wantFault(t, err, rooms.FaultCredentials, word)
	}
	k = newKiosk(t, s.url+"/reader/", "kiosk", "secret")
	_, err := k.Read(t.Context(), k.room, day(t), day(t).AddDate(0, 0, 2))
	wantFault(t, err, rooms.FaultPermission, "share")
}
