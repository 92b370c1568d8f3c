package sim_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"roomkiosk/internal/sim"
)

const built = `{"content":"success","header":{},"module":"build_connection","success":true}`

// deaf is how long a test listens for what must not come.
const deaf = 150 * time.Millisecond

// dial connects to the event stream.
func (b *bench) dial(query string, header ...string) (*websocket.Conn, error) {
	b.t.Helper()
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	target, _, _ := strings.Cut(b.ZoomEventsURL(), "?")
	ws, resp, err := websocket.DefaultDialer.DialContext(b.t.Context(), target+query, h)
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close()
	b.t.Cleanup(func() { _ = ws.Close() })
	return ws, nil
}

// listen connects to the event stream as it should be done, and reads the first frame.
func (b *bench) listen() *websocket.Conn {
	b.t.Helper()
	ws, err := b.dial("?subscriptionId=sub_sim&access_token=" + b.zoom)
	if err != nil {
		b.t.Fatal(err)
	}
	if got := next(b.t, ws); got != built {
		b.t.Fatalf("first frame: %s", got)
	}
	if err := b.Zoom.WaitStreaming(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	return ws
}

// next is the next frame.
func next(t *testing.T, ws *websocket.Conn) string {
	t.Helper()
	_ = ws.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, body, err := ws.ReadMessage()
	if err != nil {
		t.Fatalf("reading frame: %v", err)
	}
	return string(body)
}

// news is the event in the next frame.
func news(t *testing.T, ws *websocket.Conn) map[string]any {
	t.Helper()
	var frame struct{ Module, Content string }
	var event map[string]any
	got := next(t, ws)
	if json.Unmarshal([]byte(got), &frame) != nil || frame.Module != "message" || json.Unmarshal([]byte(frame.Content), &event) != nil {
		t.Fatalf("not an event: %s", got)
	}
	return event
}

// brief is an event's name with its reservation, or with the kind of the alert.
func brief(event map[string]any) string {
	object := event["payload"].(map[string]any)["object"].(map[string]any)
	if kind, ok := object["alert_kind"]; ok {
		return fmt.Sprint(event["event"], " ", kind)
	}
	return fmt.Sprint(event["event"], " ", object["event_id"])
}

// ended waits for the end of a connection, and returns what was read before.
func ended(t *testing.T, ws *websocket.Conn) (frames []string, err error) {
	t.Helper()
	_ = ws.SetReadDeadline(time.Now().Add(10 * time.Second))
	for {
		_, body, err := ws.ReadMessage()
		if err != nil {
			if timedOut(err) {
				t.Fatal("the connection is still open")
			}
			return frames, err
		}
		frames = append(frames, string(body))
	}
}

func timedOut(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

// hush tells that nothing comes for a while. The connection can't be read from afterwards.
func hush(t *testing.T, ws *websocket.Conn) {
	t.Helper()
	_ = ws.SetReadDeadline(time.Now().Add(deaf))
	if _, body, err := ws.ReadMessage(); err == nil {
		t.Errorf("unexpected frame: %s", body)
	} else if !timedOut(err) {
		t.Errorf("the connection ended: %v", err)
	}
}

func beat(t *testing.T, ws *websocket.Conn) {
	t.Helper()
	if err := ws.WriteMessage(websocket.TextMessage, []byte(`{"module":"heartbeat"}`)); err != nil {
		t.Fatal(err)
	}
}

func TestStreamRefuses(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{}).signIn()
	expired := b.zoomToken()
	b.Zoom.ExpireTokens()
	b.signIn()
	for name, c := range map[string]struct{ query, content string }{
		"no token":        {"?subscriptionId=sub_sim", "token is empty"},
		"header only":     {"?subscriptionId=sub_sim", "token is empty"},
		"unknown token":   {"?subscriptionId=sub_sim&access_token=x", "Invalid Token"},
		"expired token":   {"?subscriptionId=sub_sim&access_token=" + expired, "Invalid Token"},
		"no subscription": {"?access_token=" + b.zoom, "Invalid Subscription"},
		"another one":     {"?subscriptionId=sub_x&access_token=" + b.zoom, "Invalid Subscription"},
	} {
		t.Run(name, func(t *testing.T) {
			ws, err := b.dial(c.query, "Authorization", "Bearer "+b.zoom)
			if err != nil {
				t.Fatal(err)
			}
			frames, err := ended(t, ws)
			want := fmt.Sprintf(`{"content":%q,"header":{},"module":"build_connection","success":false}`, c.content)
			if len(frames) != 1 || frames[0] != want || !websocket.IsCloseError(err, websocket.CloseNormalClosure) {
				t.Errorf("got %q, then %v; want %s", frames, err, want)
			}
		})
	}
	if b.Zoom.Streaming() {
		t.Error("one of them counts as connected")
	}
	for _, r := range b.Zoom.Requests() {
		if token := r.Query.Get("access_token"); token != "" && token != "[redacted]" {
			t.Errorf("the log has the token %s", token)
		}
	}
}

func TestStreamTakesTheDocumentedGrant(t *testing.T) {
	const grant = "grant_type=client_credentials"
	ask := func(b *bench) reply {
		return b.must("POST", b.ZoomTokenURL(), grant, "Authorization", basic("id", "secret"), "Content-Type", "application/x-www-form-urlencoded")
	}
	b := newBench(t, account, sim.GoogleConfig{})
	r := ask(b)
	if r.status != 200 {
		t.Fatalf("got %d %s", r.status, r.body)
	}
	b.zoom = r.json(t)["access_token"].(string)
	b.listen()
	if r := b.get("/rooms"); r.status != 400 || !strings.Contains(r.body, `"code":4711`) {
		t.Errorf("the token opens the API: %d %s", r.status, r.body)
	}

	without := account
	without.NoClientCredentials = true
	b = newBench(t, without, sim.GoogleConfig{}).signIn()
	if r := ask(b); r.status != 400 || r.json(t)["error"] != "unsupported_grant_type" {
		t.Errorf("switched off: %d %s", r.status, r.body)
	}
	b.listen() // the account's token does as well
}

func TestStreamAnswersHeartbeats(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{}).signIn()
	ws := b.listen()
	for range 3 {
		b.real.move(59 * time.Second)
		beat(t, ws)
		if got := next(t, ws); got != `{"module":"heartbeat","success":true,"content":"live","header":{}}` {
			t.Fatalf("got %s", got)
		}
	}
	b.real.move(60 * time.Second)
	if frames, err := ended(t, ws); len(frames) != 0 || !websocket.IsCloseError(err, websocket.CloseNormalClosure) {
		t.Errorf("after a minute of silence: %q, %v", frames, err)
	}
}

func TestStreamTakesNothingElse(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{}).signIn()
	for name, f := range map[string]struct {
		kind int
		body string
	}{
		"bare word": {websocket.TextMessage, `heartbeat`},
		"binary":    {websocket.BinaryMessage, `{"module":"heartbeat"}`},
		"other":     {websocket.TextMessage, `{"module":"message"}`},
		"more":      {websocket.TextMessage, `{"module":"heartbeat","content":""}`},
		"twice":     {websocket.TextMessage, `{"module":"heartbeat"}{"module":"heartbeat"}`},
		"empty":     {websocket.TextMessage, ``},
		"huge":      {websocket.TextMessage, `{"module":"` + strings.Repeat("x", 5000) + `"}`},
	} {
		t.Run(name, func(t *testing.T) {
			ws := b.listen()
			if err := ws.WriteMessage(f.kind, []byte(f.body)); err != nil {
				t.Fatal(err)
			}
			if frames, _ := ended(t, ws); len(frames) != 0 {
				t.Errorf("answered %q", frames)
			}
		})
	}
}

func TestStreamHasOneConnection(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{}).signIn()
	first := b.listen()
	second := b.listen()
	if frames, err := ended(t, first); len(frames) != 0 || !websocket.IsCloseError(err, websocket.CloseNormalClosure) {
		t.Errorf("the first connection got %q, %v", frames, err)
	}
	b.Zoom.SetOffline(adaZoom, true)
	if got := brief(news(t, second)); got != "zoomroom.alert 1" {
		t.Errorf("the second connection got %s", got)
	}
}

func TestStreamTellsOfRequests(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{}).signIn()
	b.meeting("m1", 0, 30)
	ws := b.listen()
	b.patch(adaZoom, checkIn("m1"))
	b.clock.move(300 * time.Millisecond)
	b.Calendar.Settle()
	got, _ := json.Marshal(news(t, ws))
	want := fmt.Sprintf(`{"event":"zoomroom.checked_in","event_ts":%d,"payload":{"account_id":"acc","object":{`+
		`"api_type":"","calendar_id":%q,"calendar_name":%q,"calendar_type":"0","email":"owner@example.com","event_id":"m1","id":%q,"room_name":"Ada Lovelace"}}}`,
		morning.Add(300*time.Millisecond).UnixMilli(), adaCal, adaCal, adaZoom)
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	b.patch(adaZoom, checkIn("m1")) // nothing new
	b.patch(adaZoom, checkOut("m1"))
	b.clock.move(time.Minute)
	b.Calendar.Settle()
	if got := brief(news(t, ws)); got != "zoomroom.checked_out m1" {
		t.Errorf("got %s", got)
	}
}

func TestStreamTellsAtOnceWithoutDelay(t *testing.T) {
	cfg := account
	cfg.EffectDelay = -1
	b := newBench(t, cfg, sim.GoogleConfig{}).signIn()
	b.meeting("m1", 0, 30)
	ws := b.listen()
	b.patch(adaZoom, checkIn("m1")) // and nobody looks at the calendar
	if got := brief(news(t, ws)); got != "zoomroom.checked_in m1" {
		t.Errorf("got %s", got)
	}
}

func TestStreamNamesExchangeEventsAsTheRoomDoes(t *testing.T) {
	for name, graph := range map[string]bool{"EWS": false, "Graph": true} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, account, sim.GoogleConfig{}).signIn()
			b.Zoom.AddRoom(sim.ZoomRoom{
				ID: mailZoom, Name: "Grace", Kind: sim.OnExchange, CalendarID: mailbox, GraphIDs: graph, CheckIn: sim.ZoomCheckIn{Enabled: true},
			})
			before := b.Calendar.Put(mailbox, sim.Event{ID: "AAMk-x_y=", Start: morning, End: morning.Add(time.Hour)})
			ws := b.listen()
			if !b.Zoom.CheckInRoom(mailZoom, "AAMk-x_y=") {
				t.Fatal("not checked in")
			}
			object := news(t, ws)["payload"].(map[string]any)["object"].(map[string]any)
			e, _ := b.Calendar.Event(mailbox, "AAMk-x_y=")
			want := map[string]any{
				"event_id": e.ExchangeID(), "change_key": e.ExchangeChangeKey(), "calendar_type": "2", "api_type": "0",
				"id": mailZoom, "room_name": "Grace", "calendar_name": mailbox, "email": "owner@example.com", "resource_email": mailbox,
			}
			if graph {
				want["event_id"], want["change_key"], want["calendar_type"], want["api_type"] = e.ID, e.ChangeKey(), "1", "1"
			}
			if fmt.Sprint(object) != fmt.Sprint(want) || e.ChangeKey() == before.ChangeKey() {
				t.Errorf("got  %v\nwant %v", object, want)
			}
		})
	}
}

func TestStreamTellsWhatHappensInRoomsAndToThem(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{}).signIn()
	b.meeting("m1", 0, 30)
	b.meeting("noshow", 30, 60)
	b.meeting("gone", 90, 120)
	b.Calendar.Cancel(adaCal, "gone")
	b.Calendar.Put(mailbox, sim.Event{ID: "x", Start: morning, End: morning.Add(time.Hour)})
	ws := b.listen()

	for name, ok := range map[string]bool{
		"unknown room":    b.Zoom.CheckInRoom("nope", "m1"),
		"unknown event":   b.Zoom.CheckInRoom(adaZoom, "m9"),
		"another's event": b.Zoom.CheckInRoom(mailZoom, "m1"),
		"cancelled event": b.Zoom.CheckOutRoom(adaZoom, "gone"),
	} {
		if ok {
			t.Errorf("%s: taken", name)
		}
	}
	if !b.Zoom.CheckInRoom(mailZoom, "x") { // of which nobody is told: the room has no check-in
		t.Error("not checked in")
	}
	b.Zoom.CheckInRoom(adaZoom, "m1")
	b.Zoom.CheckInRoom(adaZoom, "m1") // already
	b.Zoom.SetOffline(adaZoom, true)
	b.Zoom.SetOffline(adaZoom, true) // already
	if b.Zoom.CheckOutRoom(adaZoom, "m1") {
		t.Error("an offline room was checked out")
	}
	b.Zoom.SetOffline("nope", true)
	b.Zoom.SetOffline(adaZoom, false)
	b.clock.move(5 * time.Minute)
	b.Zoom.CheckOutRoom(adaZoom, "m1")
	b.clock.move(time.Hour) // the no-show is released: nobody is told
	if e, _ := b.Calendar.Event(adaCal, "noshow"); e.Status != sim.Cancelled {
		t.Errorf("the no-show is %s", e.Status)
	}
	b.Zoom.SetOffline(adaZoom, true)

	want := []string{
		"zoomroom.checked_in m1", "zoomroom.alert 1", "zoomroom.alert 2", "zoomroom.checked_out m1", "zoomroom.alert 1",
	}
	for _, w := range want {
		if got := brief(news(t, ws)); got != w {
			t.Fatalf("got %s, want %s", got, w)
		}
	}
	if e, _ := b.Calendar.Event(adaCal, "m1"); e.CheckedIn != morning || !e.End.Equal(morning.Add(5*time.Minute).Truncate(time.Second)) {
		t.Errorf("checked in %v, ends %v", e.CheckedIn, e.End)
	}
}

func TestStreamAlertsAreAsDocumented(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{}).signIn()
	ws := b.listen()
	for _, want := range []string{`"alert_kind":1,"alert_type":3,"CAL","component":1,"email":"owner@example.com","id":"ID","issue":"Zoom room is offline"`,
		`"alert_kind":2,"alert_type":3,"CAL","component":1,"email":"owner@example.com","id":"ID","issue":"Zoom room is online"`} {
		b.Zoom.SetOffline(adaZoom, !b.Zoom.Offline(adaZoom))
		got, _ := json.Marshal(news(t, ws)["payload"].(map[string]any)["object"])
		want = strings.NewReplacer(`"CAL"`, `"calendar_name":"`+adaCal+`"`, "ID", adaZoom).Replace(want)
		if string(got) != "{"+want+`,"room_name":"Ada Lovelace"}` {
			t.Errorf("got %s\nwant %s", got, want)
		}
	}
}

func TestStreamReplaysNothing(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{}).signIn()
	b.meeting("m1", 0, 30)
	ws := b.listen()
	b.Zoom.DropStream()
	if _, err := ended(t, ws); websocket.IsCloseError(err, websocket.CloseNormalClosure) {
		t.Errorf("a network says no goodbye: %v", err)
	}
	if b.Zoom.Streaming() {
		t.Error("still connected")
	}
	b.Zoom.CheckInRoom(adaZoom, "m1")
	ws = b.listen()
	b.Zoom.CheckOutRoom(adaZoom, "m1")
	if got := brief(news(t, ws)); got != "zoomroom.checked_out m1" {
		t.Errorf("got %s", got)
	}
}

func TestStreamOutlivesItsTokenAndEndsWithTheWorld(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{}).signIn()
	ws := b.listen()
	b.Zoom.ExpireTokens()
	beat(t, ws)
	if got := next(t, ws); !strings.Contains(got, "live") {
		t.Errorf("got %s", got)
	}
	b.Close()
	_, _ = ended(t, ws)
}
