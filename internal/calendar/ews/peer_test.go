package ews

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"roomkiosk/internal/rooms"
)

const (
	ada      = "ada@example.com"
	user     = `EXAMPLE\kiosk`
	password = "secret-pässword"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// peer is a server that answers requests as a test wants it to.
type peer struct {
	*httptest.Server
	api http.HandlerFunc
	log bytes.Buffer

	mu     sync.Mutex
	bodies []string
}

func newPeer(t *testing.T, api http.HandlerFunc) *peer {
	p := &peer{api: api}
	p.Server = httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(p.Close)
	return p
}

func (p *peer) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	p.mu.Lock()
	p.bodies = append(p.bodies, string(body))
	p.mu.Unlock()
	r.Body = io.NopCloser(bytes.NewReader(body))
	p.api(w, r)
}

// asked returns the bodies of all requests.
func (p *peer) asked() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bodies
}

func (p *peer) calendar(t testing.TB, edit ...func(*Config)) *Calendar {
	t.Helper()
	cfg := Config{
		Name: "onprem", URL: p.URL + "/EWS/Exchange.asmx", User: user, Password: password, Auth: Basic, Impersonate: true,
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

var operationIn = regexp.MustCompile(`<soap:Body><m:(\w+)`)

// operation is what a request asks for.
func operation(r *http.Request) string {
	body, err := io.ReadAll(r.Body)
	found := operationIn.FindSubmatch(body)
	if err != nil || found == nil {
		return ""
	}
	return string(found[1])
}

const ewsHead = `<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header><h:ServerVersionInfo MajorVersion="15" MinorVersion="2" MajorBuildNumber="1544" MinorBuildNumber="4" Version="V2017_07_11" xmlns:h="http://schemas.microsoft.com/exchange/services/2006/types"/></s:Header><s:Body>`

// responded is an answer of Exchange to an operation.
func responded(operation, class, inside string) string {
	return ewsHead + fmt.Sprintf(`<m:%[1]sResponse xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages" xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types">`+
		`<m:ResponseMessages><m:%[1]sResponseMessage ResponseClass="%[2]s">%[3]s</m:%[1]sResponseMessage></m:ResponseMessages></m:%[1]sResponse></s:Body></s:Envelope>`,
		operation, class, inside)
}

// list answers FindItem with items.
func list(items ...string) string { return partly(true, items...) }

func partly(whole bool, items ...string) string {
	return responded("FindItem", "Success", fmt.Sprintf(`<m:ResponseCode>NoError</m:ResponseCode>`+
		`<m:RootFolder TotalItemsInView="%d" IncludesLastItemInRange="%t"><t:Items>%s</t:Items></m:RootFolder>`, len(items), whole, strings.Join(items, "")))
}

func oneItem(item string) string {
	return responded("GetItem", "Success", `<m:ResponseCode>NoError</m:ResponseCode><m:Items>`+item+`</m:Items>`)
}

// refusal200 is a refusal inside an answer, with everything in its text that must not get any further.
func refusal200(operation, code string) string {
	return responded(operation, "Error", `<m:MessageText>Secret title of Jane Doe</m:MessageText><m:ResponseCode>`+code+
		`</m:ResponseCode><m:DescriptiveLinkKey>0</m:DescriptiveLinkKey>`)
}

// soap is a SOAP fault of Exchange; more goes into MessageXml.
func soap(code, more string) string {
	return ewsHead + `<s:Fault><faultcode xmlns:a="http://schemas.microsoft.com/exchange/services/2006/types">a:` + code + `</faultcode>` +
		`<faultstring xml:lang="en-US">Secret title of Jane Doe</faultstring><detail>` +
		`<e:ResponseCode xmlns:e="http://schemas.microsoft.com/exchange/services/2006/errors">` + code + `</e:ResponseCode>` +
		`<e:Message xmlns:e="http://schemas.microsoft.com/exchange/services/2006/errors">Secret title</e:Message>` +
		`<t:MessageXml xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types">` + more + `</t:MessageXml></detail></s:Fault></s:Body></s:Envelope>`
}

func answerWith(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { say(w, body) }
}

// answers gives each operation its own answer.
func answers(bodies map[string]string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { say(w, bodies[operation(r)]) }
}

// say writes a body; the client may have gone.
func say(w http.ResponseWriter, body string) {
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	}
	_, _ = io.WriteString(w, body)
}

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

// linesOf writes reservations so that they can be compared by eye, times in the given zone.
func linesOf(read []rooms.Reservation, z *time.Location) []string {
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
