package sim_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"roomkiosk/internal/sim"
)

func emailOf(t *testing.T, key []byte) string {
	t.Helper()
	var file struct {
		Email string `json:"client_email"`
	}
	if err := json.Unmarshal(key, &file); err != nil {
		t.Fatal(err)
	}
	return file.Email
}

func show(t *testing.T, h http.Handler) string {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/demo", nil))
	if w.Code != 200 || w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("page: %d %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func press(h http.Handler, do string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "/demo", strings.NewReader(url.Values{"do": {do}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestControlBreaksAndMends(t *testing.T) {
	w, _ := demoAt(morning)
	h := w.Control("")
	states := map[string]func() bool{
		"zoom-down":     func() bool { return w.Zoom.Faults().Active("zoom-down") },
		"calendar-down": func() bool { return w.Google.Faults().Active("calendar-down") },
		"slow":          func() bool { return w.Zoom.Faults().Active("slow") && w.Google.Faults().Active("slow") },
		"zoom-429":      func() bool { return w.Zoom.Faults().Active("zoom-429") },
		"zoom-503":      func() bool { return w.Zoom.Faults().Active("zoom-503") },
		"drop":          func() bool { return w.Zoom.Faults().Active("drop") },
		"stream-cut":    func() bool { return w.Zoom.StreamFaults().Refuse },
		"offline-grace": func() bool { return w.Zoom.Offline(w.Rooms[1].ZoomID) },
	}
	for name, broken := range states {
		for _, how := range []string{"mend:" + name, "mend"} {
			r := press(h, "break:"+name)
			if r.Code != 303 || r.Header().Get("Location") != "/demo" || !broken() {
				t.Errorf("breaking %s: %d to %s, broken %v", name, r.Code, r.Header().Get("Location"), broken())
			}
			if !strings.Contains(show(t, h), `value="mend:`+name+`"`) {
				t.Errorf("the page doesn't offer to mend %s", name)
			}
			if press(h, how); broken() {
				t.Errorf("%s doesn't mend %s", how, name)
			}
		}
	}
	for _, bad := range []string{"", "break:", "break:x", "zoom-down", "book:nope", "sell:ada", "mend:", "zoom-in:alan", "zoom-out:alan", "zoom-in:"} {
		if r := press(h, bad); r.Code != 400 {
			t.Errorf("%q: got %d", bad, r.Code)
		}
	}
}

func TestControlChangesCalendars(t *testing.T) {
	w, clock := demoAt(morning)
	h := w.Control("")
	at := clock.Now()
	_, before := around(blocking(w, 1), at)

	press(h, "book:grace")
	_, booked := around(blocking(w, 1), at)
	if wait := booked.Start.Sub(at); wait <= time.Minute || wait > 2*time.Minute {
		t.Errorf("booked to start in %v", wait)
	}
	press(h, "book:ada") // which is taken for longer than that
	list := blocking(w, 0)
	for i := range len(list) - 1 {
		if list[i].End.After(list[i+1].Start) {
			t.Errorf("%q and %q are booked at once", list[i].Title, list[i+1].Title)
		}
	}
	press(h, "cancel:grace")
	if _, next := around(blocking(w, 1), at); next.ID != before.ID {
		t.Errorf("after cancelling, %q is next", next.Title)
	}
	press(h, "move:grace")
	if _, next := around(blocking(w, 1), at); next.ID != before.ID || !next.Start.Equal(before.Start.Add(15*time.Minute)) {
		t.Errorf("after moving, next at %v, was %v", next.Start, before.Start)
	}
}

func TestControlTapsZoomsOwnDisplay(t *testing.T) {
	w, clock := demoAt(morning)
	if err := w.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	b := &bench{World: w, t: t, clock: clock, real: clock}
	_, client, secret := w.ZoomCredentials()
	token := b.must("POST", b.ZoomTokenURL(), "grant_type=client_credentials", "Authorization", basic(client, secret),
		"Content-Type", "application/x-www-form-urlencoded")
	b.zoom = token.json(t)["access_token"].(string)
	ws := b.listen()
	h := w.Control("")
	page := show(t, h)
	if strings.Count(page, "Check in on Zoom&#39;s own display")+strings.Count(page, "Check in on Zoom's own display") != 2 ||
		strings.Count(page, "Check out there") != 2 {
		t.Errorf("not a pair of buttons for each room with a Zoom Room: %s", page)
	}
	now, _ := around(blocking(w, 0), clock.Now())
	_, grace := around(blocking(w, 1), clock.Now())
	for _, tap := range []struct{ do, want string }{
		{"zoom-in:ada", "zoomroom.checked_in " + now.ID},
		{"zoom-out:ada", "zoomroom.checked_out " + now.ID},
		{"zoom-in:grace", "zoomroom.checked_in " + grace.ID},
		{"break:offline-ada", "zoomroom.alert 1"},
	} {
		press(h, tap.do)
		if got := brief(news(t, ws)); got != tap.want {
			t.Errorf("%s: got %s, want %s", tap.do, got, tap.want)
		}
	}
	for _, do := range []string{"break:stream-cut", "break:zoom-down"} {
		press(h, do)
		_, _ = ended(t, ws)
		press(h, "mend")
		ws = b.listen()
	}
}

func TestControlPageIsSafe(t *testing.T) {
	w, _ := demoAt(morning)
	w.Calendar.Put(w.Rooms[0].CalendarID, sim.Event{ID: "x", Title: "<script>alert(1)</script>", Start: morning, End: morning.Add(time.Hour)})
	page := show(t, w.Control("/static/app.css"))
	if strings.Contains(page, "<script") || strings.Contains(page, "style=") || strings.Contains(page, "<style") {
		t.Error("the page has scripts or inline styles")
	}
	if !strings.Contains(page, `<link rel="stylesheet" href="/static/app.css">`) || !strings.Contains(page, "&lt;script&gt;") {
		t.Errorf("page: %s", page)
	}
	own := httptest.NewRecorder()
	w.Control("").ServeHTTP(own, httptest.NewRequest("GET", "/demo?css", nil))
	if own.Header().Get("Content-Type") != "text/css; charset=utf-8" || own.Body.Len() == 0 {
		t.Errorf("stylesheet: %v", own.Header())
	}
	other := httptest.NewRecorder()
	w.Control("").ServeHTTP(other, httptest.NewRequest("DELETE", "/demo", nil))
	if other.Code != http.StatusMethodNotAllowed {
		t.Errorf("DELETE: %d", other.Code)
	}
}

func TestControlShowsWhatZoomReceived(t *testing.T) {
	w, clock := demoAt(morning)
	if err := w.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	b := &bench{World: w, t: t, clock: clock, real: clock}
	id, client, secret := w.ZoomCredentials()
	form := "grant_type=account_credentials&account_id=" + id
	token := b.must("POST", b.ZoomTokenURL(), form, "Authorization", basic(client, secret), "Content-Type", "application/x-www-form-urlencoded")
	b.zoom = token.json(t)["access_token"].(string)
	room := w.Rooms[0]
	event, _ := around(blocking(w, 0), clock.Now())
	body := strings.NewReplacer("EVENT", event.ID, adaCal, room.CalendarID).Replace(checkIn("EVENT"))
	if r := b.patch(room.ZoomID, body); r.status != 202 {
		t.Fatalf("check in: %d %s", r.status, r.body)
	}
	clock.move(time.Second)
	page := show(t, w.Control(""))
	want := "<td>Ada Lovelace</td><td><code>zoomroom.check_in</code></td><td><code>" + event.ID + `</code></td><td><span class="good">202</span>`
	if !strings.Contains(page, want) || !strings.Contains(page, "<small>checked in</small>") {
		t.Errorf("page: %s", page)
	}
}
