package main

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"roomkiosk/internal/sim"
)

func TestServeBringsTapsToZoomAndBack(t *testing.T) {
	r := newRig(t)
	r.meet("e1", "Weekly", -1, 59)
	url, _ := r.serving(t)
	id := current(t, url)

	if status, _ := tap(t, url, "check-in", id); status != http.StatusAccepted {
		t.Fatalf("check-in: %d", status)
	}
	if s := roomAt(t, url); s.Status != "in_use" {
		t.Errorf("right after the tap: %s", s.Status)
	}
	if status, _ := tap(t, url, "release", id); status != http.StatusAccepted {
		t.Fatalf("release: %d", status)
	}
	eventually(t, "the release to be confirmed", func() bool {
		s := roomAt(t, url)
		return s.Status == "available" && len(s.Actions) == 2 && s.Actions[1].State == "confirmed"
	})
	if got, want := r.taps(), []string{"zoomroom.check_in e1", "zoomroom.check_out e1"}; !slices.Equal(got, want) {
		t.Errorf("zoom received %q, want %q", got, want)
	}
	if e, _ := r.Calendar.Event(adaCalendar, "e1"); e.End.After(time.Now()) {
		t.Errorf("the event still ends at %v", e.End)
	}
}

func TestImpossibleTapsReachNobody(t *testing.T) {
	r := newRig(t)
	r.meet("past", "Past", -3, -1)
	r.meet("far", "Far", 60, 90)
	url, _ := r.serving(t)
	var far string
	eventually(t, "the schedule", func() bool {
		if s := roomAt(t, url); s.Next != nil {
			far = s.Next.ID
		}
		return far != ""
	})
	for what, want := range map[string]int{"check-in": http.StatusConflict, "release": http.StatusConflict, "undo": http.StatusConflict} {
		if status, _ := tap(t, url, what, far); status != want {
			t.Errorf("%s too early: %d", what, status)
		}
		if status, _ := tap(t, url, what, "nobody"); status != http.StatusNotFound {
			t.Errorf("%s of nothing: %d", what, status)
		}
	}
	if got := r.taps(); len(got) != 0 {
		t.Errorf("zoom received %q", got)
	}
}

// The tap was acknowledged; the process is killed before Zoom answers; the next one delivers it.
func TestTapSurvivesKill(t *testing.T) {
	for name, fault := range map[string]sim.Fault{
		"before it reached zoom": {Method: http.MethodPatch, Down: true},
		"before zoom's answer":   {Method: http.MethodPatch, SlowAnswer: time.Hour, Times: 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.meet("e1", "Weekly", -1, 59)
			r.Zoom.Faults().Set("kill", fault)
			kiosk, log := r.process(t)
			url := addressIn(t, log, "msg=serving listen=")
			if status, _ := tap(t, url, "check-in", current(t, url)); status != http.StatusAccepted {
				t.Fatalf("check-in: %d", status)
			}
			eventually(t, "the tap on its way", func() bool { return strings.Contains(log.String(), "state=sent") })
			if err := kiosk.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = kiosk.Wait() // it was killed
			r.Zoom.Faults().ClearAll()

			url, _ = r.serving(t)
			if s := roomAt(t, url); s.Status != "in_use" {
				t.Errorf("right after the restart: %s", s.Status)
			}
			eventually(t, "zoom to have the check-in", func() bool { return slices.Contains(r.taps(), "zoomroom.check_in e1") })
			eventually(t, "the kiosk to know", func() bool {
				s := roomAt(t, url)
				return len(s.Actions) == 1 && s.Actions[0].State == "accepted"
			})
		})
	}
}

// process runs the kiosk in a process of its own, which the test may kill.
func (r rig) process(t *testing.T) (*exec.Cmd, *output) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "serve", "--config", r.config)
	log := &output{}
	cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), asKiosk+"=1"), io.Discard, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, log
}

func TestRestartWithoutANetwork(t *testing.T) {
	r := newRig(t)
	r.meet("e1", "Weekly", -1, 59)
	t.Run("with", func(t *testing.T) {
		url, _ := r.serving(t)
		current(t, url)
	})
	r.Google.Faults().Set("down", sim.Fault{Down: true})
	r.Zoom.Faults().Set("down", sim.Fault{Down: true})
	url, _ := r.serving(t)
	s := roomAt(t, url) // at once: nothing was read yet
	if s.Status != "awaiting_check_in" || s.Current == nil || s.Current.Title != "Weekly" {
		t.Fatalf("from the cache: %+v", s)
	}
	if status, _ := tap(t, url, "check-in", s.Current.ID); status != http.StatusAccepted {
		t.Fatalf("check-in offline: %d", status)
	}
	eventually(t, "the offline flag", func() bool { return slices.Contains(roomAt(t, url).Flags, "offline") })
	r.Google.Faults().ClearAll()
	r.Zoom.Faults().ClearAll()
	eventually(t, "the check-in to arrive", func() bool { return slices.Equal(r.taps(), []string{"zoomroom.check_in e1"}) })
}

// A calendar that answers nonsense doesn't free the room.
func TestCalendarNonsenseFreesNothing(t *testing.T) {
	for name, fault := range map[string]sim.Fault{
		"malformed": {Malformed: true},
		"huge":      {Huge: 9 << 20},
		"empty":     {Empty: true},
		"hollow":    {Hollow: true},
		"html":      {HTML: true},
		"500":       {Status: http.StatusInternalServerError},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.meet("e1", "Weekly", -1, 59)
			url, _ := r.serving(t)
			current(t, url)
			fault.Path = "/events"
			r.Google.Faults().Set("nonsense", fault)
			r.meet("e2", "Makes it answer in full", 90, 120)
			eventually(t, "the kiosk to say so", func() bool { return slices.Contains(roomAt(t, url).Flags, "offline") })
			if s := roomAt(t, url); s.Status != "awaiting_check_in" {
				t.Errorf("status %s", s.Status)
			}
		})
	}
}

func TestBrokenConfigurationIsExplainedUntilMended(t *testing.T) {
	r := newRig(t)
	sound := r.toml()
	for name, c := range map[string]struct{ text, says string }{
		"unknown key":   {strings.Replace(sound, "listen ", "lisen ", 1) + "\n", "lisen"},
		"bad zone":      {strings.Replace(sound, "Europe/Berlin", "Europe/Bern", 1), "Europe/Bern"},
		"no calendar":   {strings.Replace(sound, `calendar     = "google"`, `calendar     = "gogle"`, 1), "gogle"},
		"not even TOML": {strings.Replace(sound, "[zoom]", "[zoom", 1), "not closed"},
	} {
		t.Run(name, func(t *testing.T) {
			text := c.text
			if !strings.Contains(text, "\nlisten ") {
				text = "listen = \"127.0.0.1:0\"\n" + text
			}
			r.write(t, "kiosk.toml", text)
			log := startServing(t, r)
			url := addressIn(t, log, `instead of rooms" listen=`)
			body, status := get(t, url+"/rooms/ada/panel")
			if status != http.StatusServiceUnavailable || !strings.Contains(string(body), c.says) {
				t.Errorf("%d without %q:\n%s", status, c.says, body)
			}
			if !strings.Contains(log.String(), c.says) || strings.Contains(log.String(), "goroutine ") {
				t.Errorf("stderr:\n%s", log)
			}
			r.write(t, "kiosk.toml", sound)
			url = addressIn(t, log, "msg=serving listen=")
			eventually(t, "the room", func() bool { return roomAt(t, url).Status == "available" })
		})
	}
}

// Damaged files keep nobody from the room; IT is told.
func TestDamagedFiles(t *testing.T) {
	r := newRig(t)
	r.meet("e1", "Weekly", -1, 59)
	if err := os.MkdirAll(filepath.Join(r.dir, "data"), 0o750); err != nil {
		t.Fatal(err)
	}
	r.write(t, "data/journal.db", strings.Repeat("not a database ", 500))
	if err := os.Mkdir(filepath.Join(r.dir, "data/cache.db"), 0o750); err != nil {
		t.Fatal(err)
	}
	url, log := r.serving(t)
	tap(t, url, "check-in", current(t, url))
	eventually(t, "the check-in at Zoom", func() bool { return slices.Equal(r.taps(), []string{"zoomroom.check_in e1"}) })
	page, status := get(t, url+"/rooms/ada/history")
	if status != http.StatusOK || !strings.Contains(string(page), "journal.db.damaged-") {
		t.Errorf("the page for IT, %d, says\n%s", status, page)
	}
	if !strings.Contains(log.String(), "store in trouble") {
		t.Errorf("the log says\n%s", log)
	}
}

// Secrets, titles and names are in no log and no metric.
func TestLogsTellNoSecrets(t *testing.T) {
	r := newRig(t)
	r.meet("e1", "Project Nightfall", -1, 59)
	url, log := r.serving(t)
	id := current(t, url)
	r.Zoom.SetOffline(adaZoom, true)
	tap(t, url, "check-in", id)
	eventually(t, "an answer", func() bool { return strings.Contains(log.String(), "reason=room_offline") })
	r.Google.Faults().Set("html", sim.Fault{HTML: true})
	r.meet("e2", "Project Nightfall II", 90, 120)
	eventually(t, "a complaint", func() bool { return strings.Contains(log.String(), "calendar not read") })
	metrics, _ := get(t, url+"/metrics")
	for _, secret := range []string{adaSecret, "Nightfall", "Jane", "jane@", "PRIVATE KEY", "Bearer", "access_token"} {
		if strings.Contains(log.String(), secret) || strings.Contains(string(metrics), secret) {
			t.Errorf("%q is in the log or the metrics", secret)
		}
	}
	if !strings.Contains(string(metrics), `kiosk_room_status{room="ada",status="in_use"} 1`) {
		t.Errorf("metrics:\n%s", metrics)
	}
}

func TestCheck(t *testing.T) {
	r := newRig(t)
	r.meet("e1", "Weekly", -1, 59)
	check := func() (string, int) {
		var out output
		code := program{stdout: &out, stderr: &out}.main(t.Context(), []string{"check", "--config", r.config})
		return out.String(), code
	}
	if out, code := check(); code != exitFine || !strings.Contains(out, "1 reservations") || !strings.Contains(out, "check-in from 10m0s before") {
		t.Errorf("%d\n%s", code, out)
	}
	for name, c := range map[string]struct {
		spoil func()
		says  string
	}{
		"wrong secret":     {func() { r.write(t, "zoom-secret", "wrong") }, "credentials"},
		"missing scope":    {func() { r.write(t, "zoom-secret", adaSecret); r.Zoom.SetScopes("zoom_rooms:read:room:admin") }, "zoom_rooms:update:room_control:admin"},
		"calendar offline": {func() { r.Google.Faults().Set("down", sim.Fault{Down: true}) }, "can't be reached"},
	} {
		t.Run(name, func(t *testing.T) {
			c.spoil()
			out, code := check()
			if code != exitFailure || !strings.Contains(out, c.says) || strings.Contains(out, adaSecret) {
				t.Errorf("%d\n%s", code, out)
			}
		})
	}
}

// Two kiosks on one data folder would deliver the same taps twice: the second explains itself.
func TestTwoKiosksOnOneFolder(t *testing.T) {
	r := newRig(t)
	r.serving(t)
	log := startServing(t, r)
	url := addressIn(t, log, `instead of rooms" listen=`)
	body, status := get(t, url+"/")
	if status != http.StatusServiceUnavailable || !strings.Contains(string(body), "another kiosk uses the data folder") {
		t.Errorf("%d\n%s", status, body)
	}
}
