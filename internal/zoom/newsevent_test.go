package zoom

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"roomkiosk/internal/rooms"
)

// told is an event of the documentation's shape.
func told(name, object string) string {
	return fmt.Sprintf(`{"event":%q,"event_ts":1626230691572,"payload":{"account_id":"account-1","object":{"id":"abc","room_name":"Ada"%s}}}`, name, object)
}

func TestNewsOfEvents(t *testing.T) {
	at := time.Date(2021, 7, 14, 2, 44, 51, 572e6, time.UTC)
	in := rooms.News{ZoomRoomID: "abc", Kind: rooms.NewsCheckedIn, At: at}
	with := func(kind rooms.NewsKind, ids ...string) *rooms.News {
		n := in
		n.Kind, n.EventIDs = kind, ids
		return &n
	}
	const exchange = `,"change_key":"DwAAABYAAABQ/N0JvB/FRqv5UT2rFfkVAAE2XqVw","resource_email":"it@example.com"`
	for name, tt := range map[string]struct {
		event string
		want  *rooms.News // nil: none
	}{
		"checked in, EWS":       {told(eventCheckedIn, exchange+`,"event_id":"AA/b+=","calendar_type":"2","api_type":"0"`), with(rooms.NewsCheckedIn, "AA/b+=", "AA-b_=")},
		"checked in, Graph":     {told(eventCheckedIn, exchange+`,"event_id":"AA-b_=","calendar_type":"1","api_type":"1"`), with(rooms.NewsCheckedIn, "AA-b_=", "AA/b+=")},
		"checked in, no type":   {told(eventCheckedIn, exchange+`,"event_id":"AA/b"`), with(rooms.NewsCheckedIn, "AA/b", "AA-b")},
		"checked in, one form":  {told(eventCheckedIn, exchange+`,"event_id":"AAb="`), with(rooms.NewsCheckedIn, "AAb=")},
		"checked in, numbers":   {told(eventCheckedIn, exchange+`,"event_id":"AA/b","calendar_type":2,"api_type":0`), with(rooms.NewsCheckedIn, "AA/b", "AA-b")},
		"checked out, Google":   {told(eventCheckedOut, `,"event_id":"x_20261123T090000Z","calendar_id":"c@example.com","calendar_type":"0","api_type":""`), with(rooms.NewsCheckedOut, "x_20261123T090000Z")},
		"checked in, no event":  {told(eventCheckedIn, exchange), nil},
		"offline":               {told(eventAlert, `,"issue":"Zoom room is offline","alert_type":3,"component":1,"alert_kind":1`), with(rooms.NewsRoomOffline)},
		"online":                {told(eventAlert, `,"issue":"Zoom room is online","alert_type":3,"alert_kind":2`), with(rooms.NewsRoomOnline)},
		"offline, later":        {told(eventDelayedAlert, `,"issue":"","alert_type":3,"alert_kind":1`), with(rooms.NewsRoomOffline)},
		"offline, as texts":     {told(eventAlert, `,"alert_type":"3","alert_kind":"1"`), with(rooms.NewsRoomOffline)},
		"offline is cleared":    {told(eventAlert, `,"issue":"Zoom room is offline","alert_type":3,"alert_kind":2`), with(rooms.NewsRoomOnline)},
		"offline by its text":   {told(eventAlert, `,"issue":"ZOOM ROOM is Offline."`), with(rooms.NewsRoomOffline)},
		"online by its text":    {told(eventAlert, `,"issue":"Zoom Room is online","alert_type":0,"alert_kind":1`), with(rooms.NewsRoomOnline)},
		"cleared by its text":   {told(eventAlert, `,"issue":"Zoom Room is offline","alert_kind":2`), with(rooms.NewsRoomOnline)},
		"only observed":         {told(eventAlert, `,"issue":"","alert_type":3,"alert_kind":3`), nil},
		"controller gone":       {told(eventAlert, `,"issue":"Room Controller disconnected","alert_type":1,"component":2,"alert_kind":1`), nil},
		"alert of nothing":      {told(eventAlert, ``), nil},
		"sensor":                {told("zoomroom.sensor_data", `,"event_id":"x"`), nil},
		"no room":               {strings.Replace(told(eventCheckedIn, `,"event_id":"x"`), `"id":"abc"`, `"id":""`, 1), nil},
		"no payload":            {`{"event":"zoomroom.checked_in"}`, nil},
		"room that is no text":  {strings.Replace(told(eventCheckedIn, `,"event_id":"x"`), `"abc"`, `{}`, 1), nil},
		"another type of field": {told(eventCheckedIn, `,"event_id":["x"]`), nil},
	} {
		e, ok := parseEvent([]byte(tt.event))
		if !ok {
			t.Errorf("%s: not read", name)
			continue
		}
		got, ok := e.news(noon)
		switch {
		case ok != (tt.want != nil):
			t.Errorf("%s: %+v, %t", name, got, ok)
		case ok:
			if diff := cmp.Diff(*tt.want, got); diff != "" {
				t.Errorf("%s:\n%s", name, diff)
			}
		}
	}
}

func TestTimeOfEvents(t *testing.T) {
	for ts, want := range map[string]time.Time{
		`1795435212345`: time.UnixMilli(1795435212345).UTC(), `"1795435212345"`: time.UnixMilli(1795435212345).UTC(),
		`null`: noon, `0`: noon, `-5`: noon, `1e300`: noon, `"NaN"`: noon, `1795435212`: noon, `"soon"`: noon, `{}`: noon,
	} {
		e, ok := parseEvent([]byte(strings.Replace(told(eventCheckedIn, ""), "1626230691572", ts, 1)))
		if got := e.at(noon); !ok || !got.Equal(want) {
			t.Errorf("%s: %v, want %v", ts, got, want)
		}
	}
}

// The form of Exchange ids is learned from clear evidence alone.
func TestFormIsLearnedFromEvents(t *testing.T) {
	const graphKey, ewsKey = "F/P2k9S3HEuT8uqtl18ZkAAACQsHDg==", "DwAAABYAAAAX8/aT1LccS5Py6q2XXxmQAAAJCwcO"
	for _, tt := range []struct {
		id, key, calendar, api string
		known, want            string
	}{
		{"AA/b", "", "1", "", "", IDsEWS}, {"AA-b", "", "1", "", "", IDsGraph}, {"AA+b", "", "", "0", "", IDsEWS}, {"AA_b", "", "", "1", "", IDsGraph},
		{"AAb", ewsKey, "1", "", "", IDsEWS}, {"AAb", graphKey, "1", "", "", IDsGraph},
		{"AAb", "", "2", "0", "", IDsEWS}, {"AAb", "", "1", "1", "", IDsGraph},
		{"AA/b", "", "1", "1", "", IDsEWS}, {"AA-b", ewsKey, "1", "1", "", ""}, {"AA-b/", "", "1", "1", "", ""}, // contradictions
		{"AAb", "", "1", "", "", ""}, {"AA_b", "", "0", "", "", ""}, {"AA_b", "", "", "", "", ""}, // nothing that tells, and Google
		{"AAb", "", "1", "1", IDsEWS, IDsEWS},    // what Zoom took proves more
		{"AA-b", "", "1", "1", IDsEWS, IDsGraph}, // than anything but the ids themselves
	} {
		m := memory{}
		if tt.known != "" {
			m[learnedIDs] = tt.known
		}
		c := New(Config{Clock: &handClock{at: noon}, Memory: m})
		e, ok := parseEvent([]byte(told(eventCheckedIn, fmt.Sprintf(`,"event_id":%q,"change_key":%q,"calendar_type":%q,"api_type":%q`, tt.id, tt.key, tt.calendar, tt.api))))
		if !ok {
			t.Fatal(tt)
		}
		c.hear(t.Context(), e)
		if m[learnedIDs] != tt.want {
			t.Errorf("%+v: learned %q", tt, m[learnedIDs])
		}
		fixed := memory{}
		c = New(Config{Clock: &handClock{at: noon}, Memory: fixed, ExchangeIDs: IDsEWS})
		c.hear(t.Context(), e)
		if len(fixed) != 0 {
			t.Errorf("%+v: learned although the form is configured", tt)
		}
	}
}

// offlineList answers GET /rooms?status=Offline with the rooms, a page each.
func (b *bubble) offlineList(t *testing.T, ids ...string) {
	b.srv.answerAPI(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if r.URL.Path != "/v2/rooms" || q.Get("status") != "Offline" || q.Get("page_size") != "300" {
			t.Errorf("asked for %s", r.URL)
		}
		var i int
		_, _ = fmt.Sscan(q.Get("next_page_token"), &i)
		if i >= len(ids) {
			say(200, `{"rooms":[]}`)(w, r)
			return
		}
		say(200, fmt.Sprintf(`{"next_page_token":"%d","rooms":[{"id":%q,"status":"Offline"}]}`, i+1, ids[i]))(w, r)
	})
}

const listSoon = listWait*11/10 + time.Second

// Rooms whose alerts were missed are found by the list; an alert counts until the next one.
func TestOfflineRoomsAreListed(t *testing.T) {
	onStreamOf(t, func(b *bubble, _ *feed) { b.offlineList(t, "r1", "r2") }, func(t *testing.T, b *bubble, f *feed, n *newsLog) {
		expectNews(t, n, "up true, room_offline r1, room_offline r2")
		calls := len(b.srv.calls())
		pass(listWait*9/10 - time.Second)
		if len(b.srv.calls()) != calls {
			t.Error("listed again too soon")
		}
		b.offlineList(t, "r2", "r3")
		pass(listSoon - listWait*9/10)
		expectNews(t, n, "room_offline r2, room_offline r3, room_online r1") // r2 still is: told again
		f.message(strings.Replace(told(eventAlert, `,"alert_type":3,"alert_kind":2`), "abc", "r2", 1))
		synctest.Wait()
		expectNews(t, n, "room_online r2")
		b.offlineList(t, "r2", "r3")
		pass(listSoon)
		expectNews(t, n, "room_offline r2, room_offline r3")
		b.offlineList(t)
		f.drop()
		pass(3 * time.Second)
		expectNews(t, n, "up false, up true, room_online r2, room_online r3")
		b.srv.answerAPI(say(500, ""))
		pass(2 * listSoon)
		expectNews(t, n, "")
	})
}

// What an alert says while the list is under way is newer than the list.
func TestAlertOvertakesTheList(t *testing.T) {
	gate := make(chan struct{})
	onStreamOf(t, func(b *bubble, _ *feed) {
		gate = make(chan struct{})
		b.srv.answerAPI(func(w http.ResponseWriter, r *http.Request) {
			<-gate
			say(200, `{"rooms":[{"id":"abc"},{"id":"r2"}]}`)(w, r)
		})
	}, func(t *testing.T, _ *bubble, f *feed, n *newsLog) {
		f.message(told(eventAlert, `,"alert_type":3,"alert_kind":2`))
		f.message(strings.Replace(told(eventAlert, `,"alert_type":3,"alert_kind":1`), "abc", "r9", 1))
		synctest.Wait()
		close(gate)
		synctest.Wait()
		expectNews(t, n, "up true, room_online abc, room_offline r9, room_offline r2")
	})
}

func TestNoScopeForTheList(t *testing.T) {
	onStreamOf(t, func(b *bubble, _ *feed) { b.srv.answerAPI(say(400, `{"code":4711,"message":""}`)) }, func(t *testing.T, b *bubble, f *feed, n *newsLog) {
		pass(30 * time.Minute)
		f.drop()
		pass(30 * time.Minute)
		if calls, lines := len(b.srv.calls()), strings.Count(b.log.String(), scopeList); calls != 1 || lines != 1 {
			t.Errorf("%d requests, %d lines: %s", calls, lines, b.log)
		}
		expectNews(t, n, "up true, up false, up true, up false, up true") // dropped, and made anew
	})
}
