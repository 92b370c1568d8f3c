package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"roomkiosk/internal/live"
	"roomkiosk/internal/rooms"
	"roomkiosk/static"
)

var morning = time.Date(2026, 11, 23, 9, 3, 12, 345678900, time.UTC)

// door is a room whose keeper answers as it is told. Its screens are the real ones.
type door struct {
	in      rooms.Inputs
	err     error
	unknown func(reservation string) bool // nil: all are known

	mu   sync.Mutex
	taps []string
}

func (d *door) Room() rooms.Room     { return d.in.Room }
func (d *door) Screen() rooms.Screen { return rooms.ScreenOf(d.in, morning) }

func (d *door) Tap(_ context.Context, t rooms.Tap) (rooms.Action, error) {
	if d.unknown != nil && d.unknown(t.Reservation) {
		return rooms.Action{}, rooms.ErrNotFound
	}
	return d.took(string(t.Kind)+" "+t.Reservation+" "+t.Origin, t.Kind, rooms.Queued)
}

func (d *door) Undo(_ context.Context, reservation string) (rooms.Action, error) {
	if d.unknown != nil && d.unknown(reservation) {
		return rooms.Action{}, rooms.ErrNotFound
	}
	return d.took("undo "+reservation, rooms.Release, rooms.Undone)
}

func (d *door) took(what string, kind rooms.ActionKind, state rooms.ActionState) (rooms.Action, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.taps = append(d.taps, what)
	return rooms.Action{ID: "a1", Kind: kind, Reservation: "r1", State: state, TappedAt: morning}, d.err
}

func newDoor(id string) *door {
	zone := time.UTC
	from, to := rooms.Window(morning, zone)
	at := func(h, m int) time.Time { return from.Add(time.Duration(h)*time.Hour + time.Duration(m)*time.Minute) }
	return &door{in: rooms.Inputs{
		Room: rooms.Room{
			ID: id, Name: "Ada Lovelace", Location: "Floor 2", Capacity: 8, Zone: zone, ZoomID: "z",
			Calendar: "google", CalendarID: "c", StaleAfter: 90 * time.Second,
		},
		Schedule: rooms.NewSchedule("google/c", from, to, morning.Add(-2*time.Minute), []rooms.Reservation{
			{ID: "r1", Start: at(9, 0), End: at(10, 0), Title: "Weekly <b>&", Organizer: "Jane Doe"},
			{ID: "r2", Start: at(10, 0), End: at(11, 0), Title: "Layoffs", Organizer: "Eve", Private: true},
		}),
	}}
}

func newServer(t *testing.T, doors ...*door) *Server {
	t.Helper()
	cfg := Config{
		Hub: live.New(live.Config{}), Assets: static.Load(), Build: "b1", Hosts: []string{"rooms.example.com"},
		Log: slog.New(slog.DiscardHandler), NewID: func() string { return "0123456789" },
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "metrics") }),
	}
	for _, d := range doors {
		cfg.Keepers = append(cfg.Keepers, d)
	}
	return New(cfg)
}

// ask is a request as it comes in; from the kiosk's own browser unless it says otherwise.
type ask struct {
	method, path, body, kind string
	from                     string
	header                   map[string]string
}

func (a ask) do(h http.Handler) *httptest.ResponseRecorder {
	method := a.method
	if method == "" {
		method = http.MethodGet
	}
	r := httptest.NewRequest(method, "http://localhost:8080"+a.path, strings.NewReader(a.body))
	r.RemoteAddr = "127.0.0.1:50000"
	if a.from != "" {
		r.RemoteAddr = a.from
	}
	if a.kind != "" {
		r.Header.Set("Content-Type", a.kind)
	}
	for k, v := range a.header {
		if k == "Host" {
			r.Host = v
		}
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const (
	form   = "application/x-www-form-urlencoded"
	asJSON = "application/json"
	remote = "192.168.1.20:50000"
)

func TestAnswers(t *testing.T) {
	big := strings.Repeat("x", maxBody+1)
	for name, c := range map[string]struct {
		ask
		want  int
		taps  string // what reached the room
		says  string // part of the body
		error error  // of the keeper
	}{
		"board":               {ask: ask{path: "/"}, want: 200, says: "Ada Lovelace"},
		"room":                {ask: ask{path: "/rooms/ada"}, want: 200, says: "Weekly &lt;b&gt;&amp;"},
		"panel":               {ask: ask{path: "/rooms/ada/panel"}, want: 200, says: `action="/rooms/ada/check-in"`},
		"panel from afar":     {ask: ask{path: "/rooms/ada/panel", from: remote}, want: 200, says: "Read-only"},
		"unknown room":        {ask: ask{path: "/rooms/bob"}, want: 404, says: "There is no such room"},
		"unknown page":        {ask: ask{path: "/nothing"}, want: 404, says: "There is no such page"},
		"unknown asset":       {ask: ask{path: "/static/nothing.js"}, want: 404},
		"wrong method":        {ask: ask{method: "DELETE", path: "/rooms/ada"}, want: 405},
		"health":              {ask: ask{path: "/healthz"}, want: 200, says: "ok"},
		"ready":               {ask: ask{path: "/readyz"}, want: 200},
		"metrics":             {ask: ask{path: "/metrics"}, want: 200, says: "metrics"},
		"undo from afar":      {ask: ask{method: "POST", path: "/rooms/ada/undo", kind: form, body: "reservation=r1", from: remote}, want: 403},
		"api undo from afar":  {ask: ask{method: "POST", path: "/api/v1/rooms/ada/undo", kind: asJSON, body: `{"reservation":"r1"}`, from: remote}, want: 403},
		"HEAD":                {ask: ask{method: "HEAD", path: "/healthz"}, want: 200},
		"by its other name":   {ask: ask{path: "/rooms/ada", header: map[string]string{"Host": "rooms.example.com"}}, want: 200},
		"metrics by proxy":    {ask: ask{path: "/metrics", header: map[string]string{"X-Forwarded-For": "192.168.1.20"}}, want: 403},
		"metrics from afar":   {ask: ask{path: "/metrics", from: remote}, want: 403},
		"no demo":             {ask: ask{path: "/demo"}, want: 404},
		"bad view":            {ask: ask{path: "/rooms/ada/live?view=admin"}, want: 400},
		"live without asking": {ask: ask{path: "/rooms/ada/live"}, want: 400},

		"form":             {ask: ask{method: "POST", path: "/rooms/ada/check-in", kind: form, body: "reservation=r1"}, want: 303, taps: "check_in r1 panel"},
		"form, scripted":   {ask: ask{method: "POST", path: "/rooms/ada/release", kind: form, body: "reservation=r1", header: map[string]string{"Accept": asJSON}}, want: 202, taps: "release r1 panel", says: `"kind":"release"`},
		"form, undo":       {ask: ask{method: "POST", path: "/rooms/ada/undo", kind: form, body: "reservation=r1"}, want: 303, taps: "undo r1"},
		"form, empty":      {ask: ask{method: "POST", path: "/rooms/ada/check-in", kind: form}, want: 400},
		"form, in the URL": {ask: ask{method: "POST", path: "/rooms/ada/check-in?reservation=r1", kind: form}, want: 400},
		"form, long":       {ask: ask{method: "POST", path: "/rooms/ada/check-in", kind: form, body: "reservation=" + strings.Repeat("r", 200)}, want: 400},
		"form, too large":  {ask: ask{method: "POST", path: "/rooms/ada/check-in", kind: form, body: "reservation=" + big}, want: 413},
		"form from afar":   {ask: ask{method: "POST", path: "/rooms/ada/check-in", kind: form, body: "reservation=r1", from: remote}, want: 403, says: "Only the panel"},
		"form, bob":        {ask: ask{method: "POST", path: "/rooms/bob/check-in", kind: form, body: "reservation=r1"}, want: 404},
		"tap by GET":       {ask: ask{path: "/rooms/ada/check-in"}, want: 405},

		"api":              {ask: ask{method: "POST", path: "/api/v1/rooms/ada/check-in", kind: asJSON, body: `{"reservation":"r1"}`}, want: 202, taps: "check_in r1 api", says: `"state":"queued"`},
		"api, undo":        {ask: ask{method: "POST", path: "/api/v1/rooms/ada/undo", kind: asJSON, body: `{"reservation":"r1"}`}, want: 202, taps: "undo r1"},
		"api, broken":      {ask: ask{method: "POST", path: "/api/v1/rooms/ada/check-in", kind: asJSON, body: `{"reservation":`}, want: 400},
		"api, empty":       {ask: ask{method: "POST", path: "/api/v1/rooms/ada/check-in", kind: asJSON}, want: 400},
		"api, two values":  {ask: ask{method: "POST", path: "/api/v1/rooms/ada/check-in", kind: asJSON, body: `{"reservation":"r1"}{}`}, want: 400},
		"api, unknown key": {ask: ask{method: "POST", path: "/api/v1/rooms/ada/check-in", kind: asJSON, body: `{"reservation":"r1","room":"x"}`}, want: 400},
		"api, a number":    {ask: ask{method: "POST", path: "/api/v1/rooms/ada/check-in", kind: asJSON, body: `{"reservation":1}`}, want: 400},
		"api, as a form":   {ask: ask{method: "POST", path: "/api/v1/rooms/ada/check-in", kind: form, body: `{"reservation":"r1"}`}, want: 400},
		"api, too large":   {ask: ask{method: "POST", path: "/api/v1/rooms/ada/check-in", kind: asJSON, body: `{"reservation":"` + big + `"}`}, want: 413},
		"api from afar":    {ask: ask{method: "POST", path: "/api/v1/rooms/ada/check-in", kind: asJSON, body: `{"reservation":"r1"}`, from: remote}, want: 403},

		"no reservation": {ask: ask{method: "POST", path: "/rooms/ada/check-in", kind: form, body: "reservation=r9"}, want: 404, taps: "check_in r9 panel", error: fmt.Errorf("reservation r9: %w", rooms.ErrNotFound), says: "isn&#39;t on the room&#39;s calendar"},
		"refused":        {ask: ask{method: "POST", path: "/rooms/ada/check-in", kind: form, body: "reservation=r1"}, want: 409, taps: "check_in r1 panel", error: &rooms.RefusedError{Refusal: rooms.RefusedTooEarly}, says: "Too early"},
		"disk full":      {ask: ask{method: "POST", path: "/rooms/ada/check-in", kind: form, body: "reservation=r1"}, want: 503, taps: "check_in r1 panel", error: fmt.Errorf("%w: disk full", rooms.ErrNotStored), says: "could not be stored"},
		"unforeseen":     {ask: ask{method: "POST", path: "/rooms/ada/check-in", kind: form, body: "reservation=r1"}, want: 500, taps: "check_in r1 panel", error: errors.New("secret cause"), says: "01234567"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDoor("ada")
			d.err = c.error
			w := c.do(newServer(t, d, newDoor("grace")))
			if w.Code != c.want {
				t.Errorf("status %d, want %d\n%s", w.Code, c.want, w.Body)
			}
			if got := strings.Join(d.taps, ","); got != c.taps {
				t.Errorf("the room was asked %q, want %q", got, c.taps)
			}
			if !strings.Contains(w.Body.String(), c.says) {
				t.Errorf("%q is not in\n%s", c.says, w.Body)
			}
			if strings.Contains(w.Body.String(), "secret cause") {
				t.Error("the cause is shown")
			}
			if w.Code >= 400 && c.header["Accept"] == "" && strings.HasPrefix(c.path, "/api/") {
				checkProblem(t, w)
			}
		})
	}
}

func checkProblem(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	var p problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("not JSON: %v", err)
	}
	if w.Header().Get("Content-Type") != "application/problem+json" || p.Status != w.Code || p.Title == "" || p.Detail == "" {
		t.Errorf("%s: %+v", w.Header().Get("Content-Type"), p)
	}
}

// Who may ask under which name, and from which page.
func TestHostsAndOrigins(t *testing.T) {
	tap := ask{method: "POST", path: "/rooms/ada/check-in", kind: form, body: "reservation=r1"}
	for name, c := range map[string]struct {
		header map[string]string
		want   int
	}{
		"a program":                 {nil, 303},
		"its own page":              {map[string]string{"Origin": "http://localhost:8080", "Sec-Fetch-Site": "same-origin"}, 303},
		"own page, old browser":     {map[string]string{"Origin": "http://localhost:8080"}, 303},
		"a configured name":         {map[string]string{"Host": "rooms.example.com:8080", "Origin": "http://rooms.example.com:8080"}, 403}, // by its name it is for viewers
		"a name in capitals":        {map[string]string{"Host": "LOCALHOST."}, 303},
		"through a proxy":           {map[string]string{"X-Forwarded-For": "192.168.1.20"}, 403},
		"through another proxy":     {map[string]string{"Forwarded": "for=192.168.1.20"}, 403},
		"loopback address":          {map[string]string{"Host": "127.0.0.1:8080"}, 303},
		"IPv6 loopback":             {map[string]string{"Host": "[::1]:8080"}, 303},
		"another site":              {map[string]string{"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}, 403},
		"another site, old browser": {map[string]string{"Origin": "http://evil.example"}, 403},
		"another port":              {map[string]string{"Origin": "http://localhost:9999", "Sec-Fetch-Site": "same-site"}, 403},
		"a sandboxed page":          {map[string]string{"Origin": "null"}, 403},
		"a rebound name":            {map[string]string{"Host": "evil.example", "Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"}, 421},
		"another address":           {map[string]string{"Host": "192.168.1.5:8080"}, 421},
		"no host":                   {map[string]string{"Host": ""}, 421},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDoor("ada")
			a := tap
			a.header = c.header
			w := a.do(newServer(t, d))
			if w.Code != c.want {
				t.Errorf("status %d, want %d", w.Code, c.want)
			}
			if (len(d.taps) > 0) != (c.want == 303) {
				t.Errorf("the room was asked %q", d.taps)
			}
		})
	}
}

func TestAddressesOfThisMachine(t *testing.T) {
	at := func(ip string) net.Addr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: 8080} }
	l := newHostList([]string{"pi.local"})
	for _, c := range []struct {
		host, local string
		want        bool
	}{
		{"192.168.1.5:8080", "192.168.1.5", true},
		{"192.168.1.5", "::ffff:192.168.1.5", true},
		{"192.168.1.6:8080", "192.168.1.5", false},
		{"[fe80::1]:8080", "fe80::1", true},
		{"[::1]:8080", "192.168.1.5", true},
		{"pi.local:8080", "192.168.1.5", true},
		{"pi.local.evil.example", "192.168.1.5", false},
		{"panel.localhost:8080", "127.0.0.1", true},
		{"localhost.evil.example", "127.0.0.1", false},
		{"192.168.1.5.evil.example", "192.168.1.5", false},
	} {
		if got := l.allows(c.host, at(c.local)); got != c.want {
			t.Errorf("host %s at %s: %v", c.host, c.local, got)
		}
	}
}

func TestReboundNamesSeeNothing(t *testing.T) {
	h := newServer(t, newDoor("ada"))
	for _, path := range []string{"/", "/rooms/ada", "/rooms/ada/panel", "/rooms/ada/live", "/api/v1/rooms", "/api/v1/rooms/ada", "/metrics", "/readyz"} {
		w := ask{path: path, header: map[string]string{"Host": "evil.example"}}.do(h)
		if w.Code != http.StatusMisdirectedRequest || strings.Contains(w.Body.String(), "Weekly") {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestEveryAnswerIsGuarded(t *testing.T) {
	h := newServer(t, newDoor("ada"))
	for _, path := range []string{"/", "/rooms/ada/panel", "/nothing", "/api/v1/rooms/ada", "/healthz"} {
		header := ask{path: path}.do(h).Header()
		if !strings.Contains(header.Get("Content-Security-Policy"), "default-src 'none'") ||
			header.Get("X-Content-Type-Options") != "nosniff" || header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", path, header)
		}
	}
	if c := (ask{path: static.Load().URL("kiosk.css")}).do(h).Header().Get("Cache-Control"); !strings.Contains(c, "immutable") {
		t.Errorf("assets: %s", c)
	}
}

func TestJSONIsTheContract(t *testing.T) {
	d := newDoor("ada")
	d.in.Actions = []rooms.Action{{
		ID: "a1", Kind: rooms.CheckIn, Reservation: "r1", State: rooms.Queued, Reason: "unreachable",
		TappedAt: morning, Start: d.in.Schedule.Reservations[0].Start, End: d.in.Schedule.Reservations[0].End,
		ExpiresAt: d.in.Schedule.Reservations[0].End, DueAt: morning.Add(time.Minute),
	}}
	w := ask{path: "/api/v1/rooms/ada"}.do(newServer(t, d))
	var got, want any
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	const text = `{
		"id": "ada", "name": "Ada Lovelace", "location": "Floor 2", "capacity": 8, "equipment": [],
		"time_zone": "UTC", "now": "2026-11-23T09:03:12.345Z",
		"status": "in_use", "until": "2026-11-23T10:00:00Z", "flags": ["stale"],
		"current": {"id": "r1", "title": "Weekly <b>&", "organizer": "Jane Doe", "private": false,
			"all_day": false, "tentative": false, "start": "2026-11-23T09:00:00Z", "end": "2026-11-23T10:00:00Z",
			"phase": "checked_in", "check_in_opens": "2026-11-23T08:50:00Z", "check_in_closes": "2026-11-23T09:10:00Z"},
		"next": {"id": "r2", "title": "", "organizer": "", "private": true,
			"all_day": false, "tentative": false, "start": "2026-11-23T10:00:00Z", "end": "2026-11-23T11:00:00Z",
			"phase": "later", "check_in_opens": "2026-11-23T09:50:00Z", "check_in_closes": "2026-11-23T10:10:00Z"},
		"reservations": ["CURRENT", "NEXT"],
		"schedule": {"source": "google", "as_of": "2026-11-23T09:01:12.345Z", "error": ""},
		"actions": [{"id": "a1", "kind": "check_in", "reservation": "r1", "state": "queued", "reason": "unreachable",
			"tapped_at": "2026-11-23T09:03:12.345Z",
			"message": "Checked in. Zoom can't be reached; it will be told as soon as it can."}]
	}`
	if err := json.Unmarshal([]byte(text), &want); err != nil {
		t.Fatal(err)
	}
	room := want.(map[string]any)
	room["reservations"] = []any{room["current"], room["next"]}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestEmptyRoomInJSON(t *testing.T) {
	d := newDoor("ada")
	d.in.Schedule = rooms.Schedule{}
	d.in.CalendarFault = &rooms.Fault{Service: "Google Calendar", Kind: rooms.FaultPermission, Detail: "insufficient"}
	var got map[string]any
	if err := json.Unmarshal(ask{path: "/api/v1/rooms/ada"}.do(newServer(t, d)).Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	schedule := got["schedule"].(map[string]any)
	if got["status"] != "unknown" || got["until"] != nil || got["current"] != nil || got["next"] != nil || schedule["as_of"] != nil {
		t.Errorf("%v", got)
	}
	if list, ok := got["reservations"].([]any); !ok || len(list) != 0 {
		t.Errorf("reservations: %v", got["reservations"])
	}
	if schedule["error"] == "" {
		t.Error("the schedule doesn't say what is wrong")
	}
}

func TestListOfRooms(t *testing.T) {
	var got []map[string]any
	w := ask{path: "/api/v1/rooms", from: remote}.do(newServer(t, newDoor("grace"), newDoor("ada")))
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0]["id"] != "grace" || got[1]["id"] != "ada" {
		t.Errorf("%v", got)
	}
}

func TestOneRoomIsItsOwnBoard(t *testing.T) {
	w := ask{path: "/"}.do(newServer(t, newDoor("ada")))
	if !strings.Contains(w.Body.String(), `data-live="/rooms/ada/live?view=viewer"`) {
		t.Errorf("%s", w.Body)
	}
}

func TestNotReady(t *testing.T) {
	d := newDoor("ada")
	d.in.Schedule = rooms.Schedule{}
	w := ask{path: "/readyz"}.do(newServer(t, d, newDoor("grace")))
	var got unready
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if w.Code != 503 || got.Rooms["ada"] == "" || got.Rooms["grace"] != "" {
		t.Errorf("%d %+v", w.Code, got)
	}
}

// A private meeting's title and organizer are in no answer, whoever asks.
func TestPrivateStaysPrivate(t *testing.T) {
	d := newDoor("ada")
	for i := range d.in.Schedule.Reservations { // as if the calendar's side had let them through
		if r := &d.in.Schedule.Reservations[i]; r.Private {
			r.Title, r.Organizer = "Layoffs", "Eve Evans"
		}
	}
	h := newServer(t, d, newDoor("grace"))
	for _, path := range []string{"/", "/rooms/ada", "/rooms/ada/panel", "/api/v1/rooms", "/api/v1/rooms/ada"} {
		body := ask{path: path}.do(h).Body.String()
		if strings.Contains(body, "Layoffs") || strings.Contains(body, "Evans") {
			t.Errorf("%s tells of a private meeting", path)
		}
	}
}

func TestPanicIsAnErrorPage(t *testing.T) {
	s := newServer(t, newDoor("ada"))
	s.keepers["ada"] = nil
	w := ask{path: "/rooms/ada"}.do(s)
	if w.Code != 500 || !strings.Contains(w.Body.String(), "01234567") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := (ask{path: "/healthz"}).do(s); w.Code != 200 {
		t.Error("the server is gone")
	}
}

func TestSetupPageIsEverywhere(t *testing.T) {
	h := NewSetup(SetupConfig{File: "/etc/kiosk/kiosk.toml", Assets: static.Load(), Log: slog.New(slog.DiscardHandler), NewID: func() string { return "0123456789" }})
	for path, want := range map[string]int{"/": 503, "/rooms/ada/panel": 503, "/readyz": 503, "/healthz": 200, "/api/v1/rooms": 503} {
		w := ask{path: path}.do(h)
		if w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
	if w := (ask{path: "/"}).do(h); !strings.Contains(w.Body.String(), "/etc/kiosk/kiosk.toml") {
		t.Error("the page doesn't name the file")
	}
}
