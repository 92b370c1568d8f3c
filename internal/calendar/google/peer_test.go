package google

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"roomkiosk/internal/rooms"
)

const (
	ada     = "c_188ada@resource.calendar.google.com"
	account = "kiosk@project.iam.gserviceaccount.com"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// privateKey is one key for all tests: making one takes its time.
var privateKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

func keyPEM() string {
	der, err := x509.MarshalPKCS8PrivateKey(privateKey())
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// credentials is the key file of a service account.
func credentials(tokenURL string) []byte {
	text, err := json.Marshal(map[string]string{
		"type": "service_account", "project_id": "project-1", "client_email": account,
		"private_key_id": "k1", "private_key": keyPEM(), "token_uri": tokenURL,
	})
	if err != nil {
		panic(err)
	}
	return text
}

// peer is a server that gives tokens and answers requests as a test wants it to.
type peer struct {
	*httptest.Server
	api   http.HandlerFunc
	token http.HandlerFunc // nil: tokens t1, t2, ... for an hour
	log   bytes.Buffer

	mu      sync.Mutex
	tokens  int
	queries []url.Values
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
		p.tokens++
	} else {
		p.queries = append(p.queries, r.URL.Query())
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

// asked returns how many tokens were asked for, and the queries of all other requests.
func (p *peer) asked() (tokens int, queries []url.Values) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tokens, p.queries
}

func (p *peer) calendar(t *testing.T, edit ...func(*Config)) *Calendar {
	t.Helper()
	cfg := Config{
		Name: "google", CredentialsJSON: credentials(p.URL + "/token"), URL: p.URL + "/calendar/v3/",
		HTTP: p.Client(), Now: time.Now, Log: slog.New(slog.NewJSONHandler(&p.log, nil)),
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
		next = fmt.Sprintf(`"nextPageToken":%q,`, next)
	}
	return fmt.Sprintf(`{"kind":"calendar#events",%s"items":[%s]}`, next, strings.Join(items, ","))
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
	return rooms.DayStart(t, room.Zone, 0), rooms.DayStart(t, room.Zone, n)
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
