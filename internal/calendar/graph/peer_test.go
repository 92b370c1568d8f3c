package graph

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
	_ "time/tzdata"

	"go.uber.org/goleak"

	"roomkiosk/internal/rooms"
)

const (
	ada    = "ada@example.com"
	tenant = "8c3e2f5a-7d41-4a8b-9b0e-5f6c1d2e3a4b"
	client = "1f6a7c1e-43a2-4c55-b9a7-0d9b8e7f6a5c"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// peer is a server that gives tokens and answers requests as a test wants it to.
type peer struct {
	*httptest.Server
	api   http.HandlerFunc
	token http.HandlerFunc // nil: tokens t1, t2, ... for an hour
	log   bytes.Buffer

	mu       sync.Mutex
	tokens   int
	requests []*http.Request
}

func newPeer(t *testing.T, api http.HandlerFunc) *peer {
	p := &peer{api: api}
	p.Server = httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(p.Close)
	return p
}

func (p *peer) serve(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	if r.URL.Path == "/token" {
		w.Header().Set("Content-Type", "application/json") // package oauth2 takes anything else for a form
		p.tokens++
	} else {
		p.requests = append(p.requests, r.Clone(context.Background()))
	}
	n := p.tokens
	p.mu.Unlock()
	switch {
	case r.URL.Path != "/token":
		p.api(w, r)
	case p.token != nil:
		p.token(w, r)
	default:
		say(w, fmt.Sprintf(`{"access_token":"secret-t%d","expires_in":3600,"token_type":"Bearer"}`, n))
	}
}

// asked returns how many tokens were asked for, and all other requests, without their bodies.
func (p *peer) asked() (tokens int, requests []*http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tokens, p.requests
}

func (p *peer) calendar(t *testing.T, edit ...func(*Config)) *Calendar {
	t.Helper()
	cfg := Config{
		Name: "exchange", TenantID: tenant, ClientID: client, ClientSecret: "secret-value",
		URL: p.URL + "/v1.0/", TokenURL: p.URL + "/token", HTTP: p.Client(), Now: time.Now,
		Log: slog.New(slog.NewJSONHandler(&p.log, nil)),
	}
	for _, f := range edit {
		f(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// list answers with a page of events.
func list(next string, items ...string) string {
	if next != "" {
		next = fmt.Sprintf(`"@odata.nextLink":%q,`, next)
	}
	return fmt.Sprintf(`{"@odata.context":"x/$metadata#users('ada')/calendar/calendarView",%s"value":[%s]}`, next, strings.Join(items, ","))
}

func answerWith(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { say(w, body) }
}

// say writes a body; the client may have gone.
func say(w http.ResponseWriter, body string) { _, _ = io.WriteString(w, body) }

func zone(name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return z
}

func roomIn(zoneName string) rooms.Room {
	return rooms.Room{ID: "ada", Zone: zone(zoneName), CalendarID: ada}
}

// days is the window of a test: from the day, for n days of the room.
func days(room rooms.Room, day string, n int) (from, to time.Time) {
	t, err := time.ParseInLocation(time.DateOnly, day, room.Zone)
	if err != nil {
		panic(err)
	}
	noon := t.Add(12 * time.Hour)
	return rooms.DayStart(noon, room.Zone, 0), rooms.DayStart(noon, room.Zone, n)
}

// readDay reads Monday, 23 November 2026, in Berlin.
func readDay(ctx context.Context, c *Calendar) ([]rooms.Reservation, error) {
	room := roomIn("Europe/Berlin")
	from, to := days(room, "2026-11-23", 1)
	return c.Read(ctx, room, from, to)
}

// lines writes reservations so that they can be compared by eye, times in the given zone.
func lines(read []rooms.Reservation, z *time.Location) []string {
	out := []string{}
	for _, r := range read {
		s := r.Start.In(z).Format("01-02 15:04-07") + " " + r.End.In(z).Format("01-02 15:04-07")
		for _, flag := range []struct {
			up   bool
			name string
		}{{r.AllDay, " all-day"}, {r.Private, " private"}, {r.Tentative, " tentative"}} {
			if flag.up {
				s += flag.name
			}
		}
		if r.Title != "" {
			s += " " + r.Title
		}
		if r.Organizer != "" {
			s += " by " + r.Organizer
		}
		out = append(out, s)
	}
	return out
}
