package views

import (
	"bytes"
	"compress/gzip"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"pgregory.net/rapid"

	"roomkiosk/internal/rooms"
	"roomkiosk/static"
)

// secret stands in every text that must not be shown.
const secret = "S3CRET"

// TestAnyScreen renders random screens, and looks for what no page may have.
func TestAnyScreen(t *testing.T) {
	assets := static.Load()
	rapid.Check(t, func(rt *rapid.T) {
		s := screens(rt)
		o := Options{
			Panel: rapid.Bool().Draw(rt, "panel"), ReadOnly: rapid.Bool().Draw(rt, "read-only"),
			ShowTitles: rapid.Bool().Draw(rt, "titles"), Build: "test", Assets: assets,
		}
		room := check(rt, html(t, RoomPage(NewRoom(s, o))))
		check(rt, html(t, BoardPage(NewBoard([]rooms.Screen{s}, o))))
		history := check(rt, html(t, HistoryPage(NewHistory(s, Past{}, "test", assets))))
		if strings.Contains(history.Text(), "shown") || history.Find("form").Length() > 0 {
			rt.Error("a title or a form on the page for IT")
		}
		if n := room.Find("form").Length(); n > 0 && (!o.Panel || o.ReadOnly) {
			rt.Errorf("%d forms where nobody may tap", n)
		}
		if !o.ShowTitles && strings.Contains(room.Text(), "shown") {
			rt.Error("a title that was not to be shown")
		}
		if room.Find("main#screen").Length() != 1 {
			rt.Error("no live part")
		}
	})
}

// check looks for what is wrong with any page.
func check(rt *rapid.T, page string) *goquery.Document {
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(page))
	if err != nil {
		rt.Fatalf("parsing: %v", err)
	}
	if strings.Contains(page, secret) {
		rt.Errorf("something private is on the page")
	}
	if n := doc.Find("h1").Length(); n != 1 {
		rt.Errorf("%d first headings", n)
	}
	if n := doc.Find("[style], style, script:not([src]), .injected").Length(); n > 0 {
		rt.Errorf("%d inline styles, scripts or injected elements", n)
	}
	ids := map[string]bool{}
	doc.Find("*").Each(func(_ int, e *goquery.Selection) {
		for _, a := range e.Nodes[0].Attr {
			if strings.HasPrefix(a.Key, "on") {
				rt.Errorf("handler %s", a.Key)
			}
			if a.Key == "id" && ids[a.Val] {
				rt.Errorf("id %q twice", a.Val)
			}
			if a.Key == "id" {
				ids[a.Val] = true
			}
		}
	})
	doc.Find("use").Each(func(_ int, e *goquery.Selection) {
		if ref := e.AttrOr("href", ""); !ids[strings.TrimPrefix(ref, "#")] {
			rt.Errorf("no icon %s", ref)
		}
	})
	doc.Find(".title, .big, .until, .label, h1, h2, .note .text:not(:has(span))").Each(func(_ int, e *goquery.Selection) {
		if text := e.Text(); strings.TrimSpace(text) == "" || strings.Contains(text, "{") && !strings.Contains(text, "shown") && !strings.Contains(text, "{named}") {
			rt.Errorf("%s says %q", e.AttrOr("class", e.Nodes[0].Data), text)
		}
	})
	doc.Find("form").Each(func(_ int, e *goquery.Selection) { checkForm(rt, e) })
	return doc
}

func checkForm(rt *rapid.T, form *goquery.Selection) {
	if form.AttrOr("method", "") != "post" || !strings.HasPrefix(form.AttrOr("action", ""), "/rooms/ada/") {
		rt.Errorf("form goes to %s", form.AttrOr("action", ""))
	}
	if form.Find("input[name=reservation]").AttrOr("value", "") == "" {
		rt.Error("form without a reservation")
	}
	button := form.Find("button")
	if name, label := button.AttrOr("aria-label", ""), form.Find(".label").Text(); button.Length() != 1 || !strings.HasPrefix(name, label) {
		rt.Errorf("button %q is called %q", label, name)
	}
}

// screens draws what the domain says about random rooms, taps and instants. Private reservations
// still have titles here, as if a calendar had let them through.
func screens(rt *rapid.T) rooms.Screen {
	in := rooms.Inputs{Room: sampleRoom()}
	if rapid.IntRange(0, 5).Draw(rt, "clock") == 0 {
		in.ClockDoubt = rooms.ClockUnsynchronised
	}
	now := instant("00:00").Add(time.Duration(rapid.IntRange(-3600, 26*3600).Draw(rt, "now")) * time.Second)
	in.Room.Name = "Room " + strings.ReplaceAll(titles().Draw(rt, "name"), "shown", "{named}")
	in.Room.Capacity = rapid.IntRange(0, 12).Draw(rt, "capacity")
	if rapid.Bool().Draw(rt, "no zoom room") {
		in.Room.ZoomID = ""
	}
	required := rapid.Bool().Draw(rt, "required")
	in.Room.CheckIn.Required = &required
	in.Profile.UnderConstruction = rapid.Bool().Draw(rt, "closed")
	if rapid.Bool().Draw(rt, "calendar down") {
		in.CalendarFault = &rooms.Fault{Service: "Google Calendar", Kind: rapid.SampledFrom(faults).Draw(rt, "fault")}
	}
	if rapid.Bool().Draw(rt, "zoom down") {
		in.ZoomFault = &rooms.Fault{Service: "Zoom", Kind: rooms.FaultUnreachable}
	}
	if rapid.IntRange(0, 9).Draw(rt, "read") > 0 {
		from, to := rooms.Window(now, in.Room.Zone)
		in.Schedule = rooms.Schedule{Source: "google", From: from, To: to, AsOf: now.Add(-time.Duration(rapid.IntRange(0, 600).Draw(rt, "age")) * time.Second)}
		in.Schedule.Reservations = rapid.SliceOfNDistinct(reservations(from), 0, 12, func(r rooms.Reservation) string { return r.ID }).Draw(rt, "reservations")
	}
	in.Actions = actions(rt, in.Schedule.Reservations)
	return rooms.ScreenOf(in, now)
}

func reservations(from time.Time) *rapid.Generator[rooms.Reservation] {
	return rapid.Custom(func(rt *rapid.T) rooms.Reservation {
		r := rooms.Reservation{
			ID:    rapid.StringMatching(`[a-z2-7]{6}`).Draw(rt, "id"),
			Start: from.Add(time.Duration(rapid.IntRange(-24*4, 48*4).Draw(rt, "start")) * 15 * time.Minute),
			Title: titles().Draw(rt, "title"), Organizer: titles().Draw(rt, "organizer"),
			Private: rapid.Bool().Draw(rt, "private"), Tentative: rapid.Bool().Draw(rt, "tentative"),
			AllDay: rapid.IntRange(0, 9).Draw(rt, "all day") == 0,
		}
		r.End = r.Start.Add(time.Duration(rapid.IntRange(0, 100).Draw(rt, "length")) * 15 * time.Minute)
		if r.Private {
			r.Title, r.Organizer = secret, secret
		}
		return r
	})
}

func titles() *rapid.Generator[string] {
	return rapid.OneOf(rapid.Just(""), rapid.Map(rapid.String(), func(s string) string { return "shown " + s }), rapid.SampledFrom([]string{
		`shown <i class="injected">`, `shown " onclick="x()" class="injected`, `shown </main></body><script class="injected">alert(1)</script>`,
		"shown {time}", "shown \u202eabc\u0000\u001b[31m", "shown &lt;i class=injected&gt;", "shown اجتماع", "shown " + strings.Repeat("x", 10_000),
	}))
}

func actions(rt *rapid.T, of []rooms.Reservation) []rooms.Action {
	var all []rooms.Action
	for i, r := range of {
		for range rapid.IntRange(0, 2).Draw(rt, "taps") {
			all = append(all, rooms.Action{
				Origin: rapid.SampledFrom(origins).Draw(rt, "origin"),
				ID:     string(rune('a'+len(all)/10)) + string(rune('0'+len(all)%10)), Room: "ada", Reservation: r.ID,
				Kind: rapid.SampledFrom(kinds).Draw(rt, "kind"), State: rapid.SampledFrom(states).Draw(rt, "state"),
				Reason: rooms.Reason(rapid.SampledFrom(append(faults, "", "gone", "awaited", "unseen")).Draw(rt, "reason")),
				Start:  r.Start, End: r.End, TappedAt: r.Start, UpdatedAt: r.Start, DueAt: r.Start.Add(time.Duration(i) * time.Minute), ExpiresAt: r.End,
			})
		}
	}
	return all
}

// TestWeight holds the promise about the panel page: at most 40 KB on the wire in at most five
// requests, of which the websocket is one.
func TestWeight(t *testing.T) {
	assets := static.Load()
	for _, s := range Samples() {
		page := html(t, RoomPage(NewRoom(s.Screen, Options{Panel: true, ShowTitles: true, Build: "test", Assets: assets})))
		bytes := squeezed(t, page)
		doc, err := goquery.NewDocumentFromReader(strings.NewReader(page))
		if err != nil {
			t.Fatal(err)
		}
		requests := 2
		doc.Find("link[rel=stylesheet], script, img").Each(func(_ int, e *goquery.Selection) {
			w := httptest.NewRecorder()
			r := httptest.NewRequestWithContext(t.Context(), "GET", e.AttrOr("href", e.AttrOr("src", "")), nil)
			r.Header.Set("Accept-Encoding", "gzip")
			assets.ServeHTTP(w, r)
			bytes += w.Body.Len()
			requests++
		})
		if bytes > 40_000 || requests > 5 {
			t.Errorf("%s: %d bytes in %d requests", s.Name, bytes, requests)
		}
	}
}

// TestStyleWeight keeps the style sheet small.
func TestStyleWeight(t *testing.T) {
	w := httptest.NewRecorder()
	a := static.Load()
	a.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", a.URL("kiosk.css"), nil))
	if n := w.Body.Len(); n > 14<<10 {
		t.Errorf("kiosk.css has %d bytes, more than 14 KB", n)
	}
}

func squeezed(t *testing.T, text string) int {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Len()
}
