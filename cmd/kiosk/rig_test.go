package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"roomkiosk/internal/sim"
)

const (
	adaZoom     = "qMOLddnySIGGVycz8aX_JQ"
	adaCalendar = "c_188ada@resource.calendar.google.com"
	adaSecret   = "zoom-secret-4711"
)

// rig is a simulated Zoom and Google with a room that the kiosk is configured for by a file.
type rig struct {
	*sim.World
	dir    string
	config string
}

func newRig(t *testing.T) rig {
	t.Helper()
	w := sim.NewWorld(sim.WorldConfig{Clock: wallClock{}, Now: time.Now, Zoom: sim.ZoomConfig{
		AccountID: "account", ClientID: "client", ClientSecret: adaSecret,
	}})
	if err := w.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	w.Calendar.Open(adaCalendar, "Ada Lovelace", time.UTC)
	w.Zoom.AddRoom(sim.ZoomRoom{
		ID: adaZoom, Name: "Ada Lovelace", Kind: sim.OnGoogle, CalendarID: adaCalendar,
		CheckIn: sim.ZoomCheckIn{Enabled: true, OpensBefore: 10 * time.Minute, ReleaseAfter: 10 * time.Minute},
	})
	account, err := w.Google.NewServiceAccount(w.GoogleTokenURL())
	if err != nil {
		t.Fatal(err)
	}
	w.Google.Share(adaCalendar, account.Email, sim.Writer)
	r := rig{World: w, dir: t.TempDir()}
	r.config = r.write(t, "kiosk.toml", r.toml())
	r.write(t, "zoom-secret", adaSecret+"\n")
	r.write(t, "google.json", string(account.JSON))
	return r
}

func (r rig) write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(r.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (r rig) toml() string {
	return fmt.Sprintf(`
listen    = "127.0.0.1:0"
data_dir  = %q
time_zone = "Europe/Berlin"

[zoom]
account_id         = "account"
client_id          = "client"
client_secret_file = "zoom-secret"
api_url            = %q
token_url          = %q

[[calendar]]
name = "google"
kind = "google"
credentials_file = "google.json"
url  = %q
poll = "1s"

[[room]]
id           = "ada"
name         = "Ada Lovelace"
zoom_room_id = %q
calendar     = "google"
calendar_id  = %q
`, filepath.Join(r.dir, "data"), r.ZoomURL(), r.ZoomTokenURL(), r.GoogleURL(), adaZoom, adaCalendar)
}

// meet puts a meeting on Ada's calendar, from and to so many minutes from now.
func (r rig) meet(id, title string, from, to int) sim.Event {
	now := time.Now().Truncate(time.Second)
	return r.Calendar.Put(adaCalendar, sim.Event{
		ID: id, Title: title, Organizer: sim.Person{Name: "Jane Doe", Email: "jane@example.com"},
		Start: now.Add(time.Duration(from) * time.Minute), End: now.Add(time.Duration(to) * time.Minute),
	})
}

// taps are the check-ins and releases that Zoom carried out: "zoomroom.check_in e1".
func (r rig) taps() []string {
	var out []string
	for _, q := range r.Zoom.Requests() {
		if q.Method == http.MethodPatch && q.Status == http.StatusAccepted {
			method, _ := q.Body["method"].(string)
			out = append(out, method+" "+q.Param("event_id"))
		}
	}
	return out
}

// serving runs the kiosk in this process and returns its address. It is stopped with the test.
func (r rig) serving(t *testing.T) (url string, log *output) {
	t.Helper()
	log = startServing(t, r)
	return addressIn(t, log, "msg=serving listen="), log
}

// startServing runs the kiosk, whatever it serves.
func startServing(t *testing.T, r rig) (log *output) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	log = &output{}
	done := make(chan int)
	go func() {
		done <- program{stdout: io.Discard, stderr: log}.main(ctx, []string{"serve", "--config", r.config})
	}()
	t.Cleanup(func() {
		stop()
		if code := <-done; code != exitFine {
			t.Errorf("the kiosk ended with %d:\n%s", code, log)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	return log
}

// addressIn waits for the line of a log that says where pages are served.
func addressIn(t *testing.T, log fmt.Stringer, before string) string {
	t.Helper()
	pattern := regexp.MustCompile(regexp.QuoteMeta(before) + `(\S+)`)
	var found []string
	eventually(t, "an address after "+before, func() bool {
		all := pattern.FindAllStringSubmatch(log.String(), -1)
		if len(all) > 0 {
			found = all[len(all)-1]
		}
		return found != nil
	})
	return "http://" + found[1]
}

// eventually waits until something is so, and fails when it takes too long.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-limit.C:
			t.Fatalf("gave up waiting for %s", what)
		case <-tick.C:
		}
	}
}

// roomState is what the API says of a room, as far as the tests look.
type roomState struct {
	Status  string
	Flags   []string
	Current *struct{ ID, Title, Phase string }
	Next    *struct{ ID, Title, Phase string }
	Actions []struct{ ID, Kind, State, Reason, Message string }
}

func roomAt(t *testing.T, url string) roomState {
	t.Helper()
	var s roomState
	body, status := get(t, url+"/api/v1/rooms/ada")
	if status != http.StatusOK {
		return s
	}
	if err := json.Unmarshal(body, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func get(t *testing.T, url string) (body []byte, status int) {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		return nil, 0
	}
	defer answer.Body.Close()
	body, err = io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return body, answer.StatusCode
}

// tap posts a tap and returns the status and the action's id.
func tap(t *testing.T, url, what, reservation string) (status int, id string) {
	t.Helper()
	body := fmt.Sprintf(`{"reservation":%q}`, reservation)
	answer, err := http.Post(url+"/api/v1/rooms/ada/"+what, "application/json", bytes.NewBufferString(body))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var a struct{ ID string }
	if err := json.NewDecoder(answer.Body).Decode(&a); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, a.ID
}

// current waits for a current reservation and returns its id.
func current(t *testing.T, url string) string {
	t.Helper()
	var id string
	eventually(t, "a current reservation", func() bool {
		s := roomAt(t, url)
		if s.Current != nil {
			id = s.Current.ID
		}
		return s.Current != nil
	})
	return id
}
