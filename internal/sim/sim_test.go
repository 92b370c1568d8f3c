package sim_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"roomkiosk/internal/sim"
)

// handClock stands still until it is moved.
type handClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *handClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *handClock) Timer(d time.Duration) *time.Timer { return time.NewTimer(d) }

func (c *handClock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

const (
	adaCal   = "c_ada@resource.calendar.google.com"
	adaZoom  = "qMOLddnySIGGVycz8aX_JQ"
	mailbox  = "zroom1@example.com"
	mailZoom = "ExchangeRoomAAAAAAAAAA"
)

var (
	berlin, _ = time.LoadLocation("Europe/Berlin")
	morning   = time.Date(2026, 11, 23, 9, 0, 30, 400e6, berlin)
	account   = sim.ZoomConfig{AccountID: "acc", ClientID: "id", ClientSecret: "secret"}
)

// bench is a world with two rooms, and a client with tokens for it.
type bench struct {
	*sim.World
	t      *testing.T
	clock  *handClock
	real   *handClock // for tokens
	zoom   string     // access tokens
	google string
	robot  sim.ServiceAccount
}

func newBench(t *testing.T, zoom sim.ZoomConfig, google sim.GoogleConfig) *bench {
	t.Helper()
	b := &bench{t: t, clock: &handClock{now: morning}, real: &handClock{now: morning}}
	b.World = sim.NewWorld(sim.WorldConfig{Clock: b.clock, Now: b.real.Now, Zoom: zoom, Google: google})
	if err := b.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	b.Zoom.AddRoom(sim.ZoomRoom{
		ID: adaZoom, Name: "Ada Lovelace", Kind: sim.OnGoogle, CalendarID: adaCal, Capacity: 8, Passcode: "8642", ActivationCode: "1315-2376",
		CheckIn: sim.ZoomCheckIn{Enabled: true, OpensBefore: 10 * time.Minute, ReleaseAfter: 10 * time.Minute, AutoRelease: true},
	})
	b.Zoom.AddRoom(sim.ZoomRoom{ID: mailZoom, Name: "Grace Hopper", Kind: sim.OnExchange, CalendarID: mailbox})
	b.Calendar.Open(adaCal, "Ada Lovelace", berlin)
	b.Calendar.Open(mailbox, "Grace Hopper", berlin)
	robot, err := b.Google.NewServiceAccount(b.GoogleTokenURL(), "boss@example.com")
	if err != nil {
		t.Fatal(err)
	}
	b.robot = robot
	b.Google.Share(adaCal, robot.Email, sim.Writer)
	return b
}

// signIn gets both access tokens.
func (b *bench) signIn() *bench {
	b.t.Helper()
	b.zoom = b.zoomToken()
	b.google = b.googleToken(goodClaim(b))
	return b
}

// meeting puts an event on Ada's calendar: minutes from 9:00 on.
func (b *bench) meeting(id string, from, to int) sim.Event {
	nine := morning.Truncate(time.Hour)
	return b.Calendar.Put(adaCal, sim.Event{
		ID: id, Title: "Weekly", Organizer: sim.Person{Name: "Jane Doe", Email: "jane@example.com"},
		Start: nine.Add(time.Duration(from) * time.Minute), End: nine.Add(time.Duration(to) * time.Minute),
	})
}

// reply is an answer as a client sees it.
type reply struct {
	status int
	header http.Header
	body   string
}

func (r reply) json(t *testing.T) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(r.body), &v); err != nil {
		t.Fatalf("answer is not JSON: %v: %s", err, r.body)
	}
	return v
}

// send does one request. header is a list of names and values.
func (b *bench) send(method, target, body string, header ...string) (reply, error) {
	b.t.Helper()
	req, err := http.NewRequest(method, target, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, string(text)}, err
}

// must is send where an answer has to come.
func (b *bench) must(method, target, body string, header ...string) reply {
	b.t.Helper()
	r, err := b.send(method, target, body, header...)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func (b *bench) patch(room, body string, header ...string) reply {
	b.t.Helper()
	header = append([]string{"Authorization", "Bearer " + b.zoom, "Content-Type", "application/json"}, header...)
	return b.must("PATCH", b.ZoomURL()+"/rooms/"+room+"/events", body, header...)
}

func (b *bench) list(query string, header ...string) reply {
	b.t.Helper()
	header = append([]string{"Authorization", "Bearer " + b.google}, header...)
	return b.must("GET", b.GoogleURL()+"/calendars/"+url.PathEscape(adaCal)+"/events?"+query, "", header...)
}
