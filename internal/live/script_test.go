package live_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"roomkiosk/internal/live"
)

// TestScript runs static/live.js in a browser.
func TestScript(t *testing.T) {
	browser := newBrowser(t)
	tests := map[string]func(*testing.T, context.Context){
		"parts morph":            partsMorph,
		"server's clock":         serversClock,
		"countdown texts":        countdownTexts,
		"clock is set":           clockIsSet,
		"cut and reconnect":      cutAndReconnect,
		"back-off":               backOff,
		"restart":                restart,
		"signs of life":          signsOfLife,
		"online":                 online,
		"silence":                silence,
		"tap taken":              tapTaken,
		"tap taken, cut":         tapTakenWhileCut,
		"tap refused":            tapRefused,
		"tap unreachable":        tapUnreachable,
		"new build":              newBuild,
		"build that never fits":  buildThatNeverFits,
		"new build during a tap": newBuildDuringTap,
		"panel guards":           panelGuards,
		"months":                 months,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, browser) })
	}
}

func partsMorph(t *testing.T, browser context.Context) {
	s := newSite(t, screen(`<p id="p">served</p><button id="b">Go</button><input id="i" value="x">`))
	s.up(live.Config{})
	p := open(t, browser, s.url("/"))
	s.show(screen(`<p id="p">pushed</p><button id="b">Go</button><input id="i" value="x">`))
	p.is(text("#p"), "pushed")

	p.do(`window.button = document.getElementById("b"); button.focus()`)
	s.show(screen(`<h2 id="h">new</h2><button id="b">Gone</button><p id="p">moved</p><input id="i" value="y">`))
	p.is(text("#h"), "new")
	p.is(text("#b"), "Gone")
	p.is(`document.activeElement === button && button === document.getElementById("b")`, true)
	p.is(`document.getElementById("i").value`, "y")

	p.do(`const i = document.getElementById("i"); i.focus(); i.value = "typing"; i.setSelectionRange(2, 4)`)
	s.show(screen(`<input id="i" value="z"><p id="p">again</p>`))
	p.is(text("#p"), "again")
	p.is(`(() => { const i = document.activeElement; return [i.id, i.value, i.selectionStart, i.selectionEnd] })()`,
		[]any{"i", "typing", 2, 4})

	s.hub.Publish("screen", "elsewhere", []byte(`<p id="elsewhere">not on this page</p>`))
	s.show(screen(`<p id="p">goes on</p>`))
	p.is(text("#p"), "goes on")
	p.is(`document.getElementById("elsewhere")`, nil)
}

func serversClock(t *testing.T, browser context.Context) {
	// Half past, so that the minute doesn't change under the test.
	base := time.Date(2026, 11, 23, 9, 3, 30, 0, time.UTC)
	start := time.Now()
	clock := func() time.Time { return base.Add(time.Since(start)) }
	content := fmt.Sprintf(`<span id="c" data-countdown="%s" data-seconds="{n} s" data-minutes="in {n} min" data-hours="{h} h {n} min" data-past="now">served</span>
		<time id="t" data-clock="Europe/Berlin">served</time><time id="a" data-clock="Pacific/Auckland">served</time>
		<time id="z" data-clock="Not/AZone">served</time>
		<div id="n" data-now data-start="2026-11-23T09:00:00Z" data-end="2026-11-23T10:00:00Z"></div>`,
		base.Add(20*time.Minute).Format(time.RFC3339))
	s := newSite(t, screen(content))
	s.up(live.Config{Now: clock})
	p := open(t, browser, s.url("/"))
	p.is(text("#c"), "in 20 min")
	p.is(text("#t"), "10:03")
	p.is(text("#a"), "22:03")
	p.is(`/^\d\d:\d\d$/.test(`+text("#z")+`)`, true)
	p.is(`Math.round(document.getElementById("n").style.getPropertyValue("--now") * 100)`, 6)

	// A part brings the server's words; the script's stand again before anybody sees them.
	s.show(screen(content + `<p id="p">pushed</p>`))
	p.is(text("#p"), "pushed")
	p.is(text("#c"), "in 20 min")
	p.is(`Math.round(document.getElementById("n").style.getPropertyValue("--now") * 100)`, 6)
}

func countdownTexts(t *testing.T, browser context.Context) {
	texts := []struct {
		left time.Duration
		want string
	}{
		{-time.Hour, "now"}, {0, "now"}, {30 * time.Second, "30 s"}, {59 * time.Second, "59 s"}, {time.Minute, "1 min"},
		{61 * time.Second, "2 min"}, {59 * time.Minute, "59 min"}, {59*time.Minute + time.Second, "1 h 0 min"}, {25*time.Hour + 5*time.Minute, "25 h 5 min"},
	}
	base := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	var b, want strings.Builder
	for _, x := range texts {
		fmt.Fprintf(&b, `<span data-countdown="%s" data-seconds="{n} s" data-minutes="{n} min" data-hours="{h} h {n} min" data-past="now">served</span>|`,
			base.Add(x.left).Format(time.RFC3339))
		want.WriteString(x.want + "|")
	}
	s := newSite(t, screen(b.String()))
	s.up(live.Config{Now: func() time.Time { return base }, Rate: stands, Beat: 20 * time.Millisecond}) // a clock that stands
	p := open(t, browser, s.url("/"))
	p.is(text("main"), want.String())

	// A clock that runs 6,000 times as fast ticks on.
	start := time.Now()
	s.down()
	s.up(live.Config{Now: func() time.Time { return base.Add(time.Since(start) * 6000) }, Rate: 6000})
	p.is(text("span:nth-of-type(4)"), "now")
	p.is(text("span:nth-of-type(7)"), "now")
}

// clockIsSet: a machine without a clock of its own gets the time while pages are open.
func clockIsSet(t *testing.T, browser context.Context) {
	s := newSite(t, screen(`<time id="t" data-clock="UTC">served</time>`))
	times := make(chan time.Time, 1)
	times <- time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	s.up(live.Config{Beat: 20 * time.Millisecond, Rate: stands, Now: func() time.Time { now := <-times; times <- now; return now }})
	p := open(t, browser, s.url("/"))
	p.is(text("#t"), "00:00")
	for _, at := range []time.Time{time.Date(2026, 11, 23, 9, 3, 0, 0, time.UTC), time.Date(2026, 11, 23, 9, 1, 0, 0, time.UTC)} {
		<-times
		times <- at
		p.is(text("#t"), at.Format("15:04"))
	}
}

func cutAndReconnect(t *testing.T, browser context.Context) {
	s := newSite(t, screen(`<p id="p">served</p><time data-clock="Asia/Kolkata"></time>`))
	noon := time.Date(2026, 11, 23, 12, 0, 10, 0, time.UTC)
	s.up(live.Config{Now: func() time.Time { return noon }, Rate: stands})
	p := open(t, browser, s.url("/"))
	s.show(screen(`<p id="p">one</p><time data-clock="Asia/Kolkata"></time>`))
	p.is(text("#p"), "one")
	p.is(isCut, false)

	s.down()
	p.is(isCut, true)
	p.is(text("#link"), "Not connected since 17:30.")
	s.up(live.Config{})
	s.show(screen(`<p id="p">two</p>`))
	p.is(text("#p"), "two")
	p.is(isCut, false)
	p.is(`document.getElementById("link").hidden`, true)
	if n := s.loads.Load(); n != 1 {
		t.Errorf("the page was loaded %d times", n)
	}
}

// backOff: the longest waits grow with the outage, up to half a minute. After ten seconds of it they are
// at most five.
func backOff(t *testing.T, browser context.Context) {
	s := newSite(t, screen(""))
	s.up(live.Config{})
	p := open(t, browser, s.url("/"))
	until(t, "the socket is open", func() bool { return s.hub.Stats().Sockets == 1 })
	p.do(`window.waits = []; Math.random = () => 1;
		const wait = window.setTimeout, clock = performance.now.bind(performance), date = Date.now;
		let passed = 0; // what the page believes to have waited
		performance.now = () => clock() + passed;
		Date.now = () => date() + passed;
		window.setTimeout = (then, ms) => {
			if (then.name !== "connect") return wait(then, ms);
			waits.push([ms, passed]);
			passed += ms;
			return wait(then, 0);
		}`)
	s.down()
	p.is(`waits.length > 14 && waits[13][0]`, 30000)
	var waits [][2]float64
	if err := json.Unmarshal([]byte(p.value("waits.slice(0, 15)")), &waits); err != nil {
		t.Fatal(err)
	}
	for i, w := range waits {
		wait, passed := w[0], w[1]
		least, most := min(30000, max(500, passed/2)), min(30000, max(500, passed/2+500))
		if wait < least-1 || wait > most {
			t.Errorf("wait %d, %.0f ms after the loss, is %.0f ms", i, passed, wait)
		}
	}
	t.Logf("the longest waits: %.0f", waits)
}

// restart: after seconds without a server the page says since when, and is back within five.
func restart(t *testing.T, browser context.Context) {
	s := newSite(t, screen(`<p id="p">one</p><time data-clock="UTC"></time>`))
	times := make(chan time.Time, 1)
	times <- time.Date(2026, 11, 23, 9, 3, 0, 0, time.UTC)
	clock := func() time.Time { now := <-times; times <- now; return now }
	s.up(live.Config{Now: clock, Rate: stands})
	p := open(t, browser, s.url("/"))
	p.is(text("time"), "09:03")
	s.show(screen(`<p id="p">two</p><time data-clock="UTC"></time>`))
	p.is(text("#p"), "two")
	s.down()
	p.is(isCut, true)
	p.is(text("#link"), "Not connected since 09:03.")
	p.do(`window.from = performance.now()`)
	p.is(`performance.now() - from > 3000`, true)
	p.is(text("#link"), "Not connected since 09:03.")
	<-times
	times <- time.Date(2026, 11, 23, 9, 4, 0, 0, time.UTC)
	s.up(live.Config{Now: clock, Rate: stands})
	s.show(screen(`<p id="p">three</p><time data-clock="UTC"></time>`))
	start := time.Now()
	p.is(text("#p"), "three")
	p.is(isCut, false)
	p.is(`document.getElementById("link").hidden`, true)
	p.is(text("time"), "09:04")
	took := time.Since(start)
	t.Logf("back after %v", took)
	if took > 5*time.Second {
		t.Errorf("it took the page %v", took)
	}
}

// signsOfLife: a panel says that it is alive, and stops to do so while its script hangs. A viewer says nothing.
func signsOfLife(t *testing.T, browser context.Context) {
	s := newSite(t, screen(""))
	s.view = "panel"
	s.up(live.Config{Beat: 200 * time.Millisecond})
	p := open(t, browser, s.url("/"))
	until(t, "the socket is open", func() bool { return s.hub.Presence("screen").Sockets == 1 })
	first := s.hub.Presence("screen").Since
	for range 3 {
		until(t, "it is alive", func() bool { return s.hub.Presence("screen").Since.After(first.Add(100 * time.Millisecond)) })
		first = s.hub.Presence("screen").Since
	}
	p.do(`setTimeout(() => { const from = performance.now(); while (performance.now() - from < 3000); }, 10)`)
	until(t, "it hangs, and is missing", func() bool { return s.hub.Presence("screen").Missing })
	if n := s.hub.Presence("screen").Sockets; n != 1 {
		t.Errorf("the page that hangs has %d sockets: this doesn't test what it should", n)
	}
	until(t, "it is back", func() bool { return !s.hub.Presence("screen").Missing })
	p.is(isCut, false)
	if n := s.loads.Load(); n != 1 {
		t.Errorf("the page was loaded %d times", n)
	}

	v := newSite(t, screen(`<time data-clock="UTC"></time>`))
	v.up(live.Config{Beat: 20 * time.Millisecond, Now: minutes(), Rate: stands})
	p = open(t, browser, v.url("/"))
	p.is(text("time")+` > "00:20"`, true)
	if got := v.hub.Presence("screen"); !got.Missing || got.Sockets != 1 {
		t.Errorf("after many beats of a viewer: %+v", got)
	}
}

// online: when there may be a network again, it isn't waited for.
func online(t *testing.T, browser context.Context) {
	for _, event := range []string{`dispatchEvent(new Event("online"))`, `document.dispatchEvent(new Event("visibilitychange"))`} {
		s := newSite(t, screen(""))
		s.up(live.Config{})
		p := open(t, browser, s.url("/"))
		until(t, "the socket is open", func() bool { return s.hub.Stats().Sockets == 1 })
		p.do(`Math.random = () => 1e6`) // it won't come back by itself
		s.down()
		p.is(isCut, true)
		s.up(live.Config{})
		p.do(event)
		p.is(isCut, false)
	}
}

// silence: the connection is there, but nothing comes. Patience is two beats and 5 s.
func silence(t *testing.T, browser context.Context) {
	s := newSite(t, screen(""))
	s.quiet = true
	s.up(live.Config{Beat: time.Millisecond})
	p := open(t, browser, s.url("/"))
	until(t, "the socket is open", func() bool { return s.hub.Stats().Sockets == 1 })
	p.is(isCut, false)
	start := time.Now()
	p.is(isCut, true)
	if took := time.Since(start); took > 9*time.Second { // after 10 s the server closes
		t.Errorf("it took the page %v", took)
	}
	p.is(isCut, false) // it has tried again, and was welcomed
}

func tapTaken(t *testing.T, browser context.Context) {
	s := newSite(t, screen(form))
	posts, answer := make(chan string, 10), make(chan bool)
	s.tap = func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		posts <- fmt.Sprintf("%s %s %s", r.Header.Get("Content-Type"), r.Header.Get("Accept"), b)
		<-answer
		w.WriteHeader(http.StatusAccepted)
	}
	s.up(live.Config{})
	p := open(t, browser, s.url("/"))
	p.is(isCut, false)
	p.do(`for (let i = 0; i < 5; i++) document.getElementById("b").click()`)
	pressed := `(() => { const b = document.getElementById("b"); return b && b.getAttribute("aria-busy") === "true" && b.classList.contains("is-sent") })()`
	if got := p.value(pressed); got != "true" {
		t.Errorf("the button is pressed: %s", got)
	}
	until(t, "the tap arrives", func() bool { return len(posts) == 1 })
	if got, want := <-posts, "application/x-www-form-urlencoded application/json reservation=r+1%262"; got != want {
		t.Errorf("posted %q, want %q", got, want)
	}
	s.show(screen(form + `<p id="p">meanwhile</p>`)) // something else happens first
	p.is(text("#p"), "meanwhile")
	if got := p.value(pressed); got != "true" {
		t.Errorf("after an unrelated part the button is pressed: %s", got)
	}
	s.show(screen(`<p id="p">checked in</p>`))
	p.is(text("#p"), "checked in")
	close(answer)
	s.show(screen(form + `<p id="p">next</p>`))
	p.is(pressed, false)
	p.is(`document.getElementById("notice").hidden`, true)
	p.is(isResting, false)
	p.do(`document.getElementById("b").click()`)
	until(t, "the next tap arrives", func() bool { return len(posts) > 0 })
	p.is(pressed, false)
	if len(posts) != 1 {
		t.Errorf("%d posts of one more tap", len(posts))
	}
}

// tapTakenWhileCut: no part comes, so the page itself is asked what became of the tap.
func tapTakenWhileCut(t *testing.T, browser context.Context) {
	s := newSite(t, screen(form))
	s.up(live.Config{MaxSockets: -1})
	s.tap = func(w http.ResponseWriter, _ *http.Request) {
		s.main.Store(screen(`<p id="p">checked in</p>`))
		w.WriteHeader(http.StatusAccepted)
	}
	p := open(t, browser, s.url("/"))
	p.is(isCut, true)
	p.do(`window.same = true; document.getElementById("b").click()`)
	p.is(text("#p"), "checked in")
	p.is(`window.same && document.getElementById("notice").hidden`, true)
}

func tapRefused(t *testing.T, browser context.Context) {
	s := newSite(t, screen(form))
	bodies := []string{
		`{"title":"Conflict","status":409,"detail":"This meeting has ended."}`,
		`{"title":"Conflict","status":409}`,
		`<h1>Bad gateway</h1>`,
		`null`,
	}
	n := 0
	s.tap = func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusConflict)
		fmt.Fprint(w, bodies[n])
		n++
	}
	s.up(live.Config{})
	p := open(t, browser, s.url("/"))
	p.is(isCut, false)
	for _, want := range []string{"This meeting has ended.", "Conflict", "Did not get through.", "Did not get through."} {
		p.do(`document.getElementById("notice").textContent = ""; document.getElementById("b").click()`)
		p.is(text("#notice"), want)
		p.is(`document.getElementById("notice").hidden`, false)
		p.is(`document.getElementById("b").classList.contains("is-sent")`, false)
		p.is(isResting, false)
	}
	p.is(`document.getElementById("notice").hidden`, true) // after 8 s
}

func tapUnreachable(t *testing.T, browser context.Context) {
	s := newSite(t, screen(form))
	s.up(live.Config{})
	p := open(t, browser, s.url("/"))
	p.is(isCut, false)
	s.down()
	p.do(`document.getElementById("b").click()`)
	p.is(text("#notice"), "Did not get through.")
	p.is(`document.getElementById("notice").hidden`, false)
	p.is(`document.getElementById("b").hasAttribute("aria-busy")`, false) // it can be tried again
}

func newBuild(t *testing.T, browser context.Context) {
	s := newSite(t, screen(""))
	s.build = "one"
	s.up(live.Config{Build: "one"})
	p := open(t, browser, s.url("/"))
	p.is(isCut, false)
	until(t, "the socket is open", func() bool { return s.hub.Stats().Sockets == 1 })
	s.down()
	s.build = "two"
	s.up(live.Config{Build: "two"})
	p.is(`document.documentElement.dataset.build`, "two")
}

func buildThatNeverFits(t *testing.T, browser context.Context) {
	s := newSite(t, screen(`<time data-clock="UTC"></time>`))
	s.build = "old"
	s.up(live.Config{Build: "new", Beat: 10 * time.Millisecond, Now: minutes(), Rate: stands})
	p := open(t, browser, s.url("/"))
	until(t, "the page reloads", func() bool { return s.loads.Load() == 3 }) // the first, a look whether it is well, the second
	p.is(text("time")+` > "01:00"`, true)
	if n := s.loads.Load(); n != 3 {
		t.Errorf("after many beats the page was loaded %d times", n)
	}
	p.do(`sessionStorage.setItem("renewed", Date.now() - 61000)`)
	until(t, "after a minute it tries again", func() bool { return s.loads.Load() == 5 })
}

func newBuildDuringTap(t *testing.T, browser context.Context) {
	s := newSite(t, screen(form+`<time data-clock="UTC"></time>`))
	s.build = "old"
	answer := make(chan bool)
	s.tap = func(w http.ResponseWriter, _ *http.Request) { <-answer; w.WriteHeader(http.StatusAccepted) }
	s.up(live.Config{Build: "new", Beat: 10 * time.Millisecond, Now: minutes(), Rate: stands})
	p := open(t, browser, s.url("/"))
	until(t, "the page reloads", func() bool { return s.loads.Load() == 3 })
	p.is(text("time")+` > "00:10"`, true)
	p.do(`document.getElementById("b").click(); sessionStorage.removeItem("renewed"); window.looked = ` + text("time"))
	p.is(text("time")+` > looked.replace(/\d\d$/, "59")`, true)
	if n := s.loads.Load(); n != 3 {
		t.Errorf("during a tap the page was loaded %d times", n-3)
	}
	close(answer)
	until(t, "the page reloads after the tap", func() bool { return s.loads.Load() >= 5 })
}

func panelGuards(t *testing.T, browser context.Context) {
	for view, guarded := range map[string]bool{"panel": true, "viewer": false} {
		s := newSite(t, screen(`<a id="a" href="#x">link</a>`))
		s.view = view
		s.up(live.Config{})
		p := open(t, browser, s.url("/"))
		p.is(isCut, false)
		for _, event := range []string{
			`new MouseEvent("contextmenu", {bubbles: true, cancelable: true})`,
			`new DragEvent("dragstart", {bubbles: true, cancelable: true})`,
			`new Event("selectstart", {bubbles: true, cancelable: true})`,
			`new WheelEvent("wheel", {bubbles: true, cancelable: true, ctrlKey: true})`,
		} {
			p.is(`!document.getElementById("a").dispatchEvent(`+event+`)`, guarded)
		}
		p.is(`document.getElementById("a").dispatchEvent(new WheelEvent("wheel", {bubbles: true, cancelable: true}))`, true)
	}
}

// months: what pages take in over months leaves nothing behind.
func months(t *testing.T, browser context.Context) {
	const topics, warmUp, rounds = 100, 100, 200 // 20,000 parts
	var main strings.Builder
	s := newSite(t, "")
	s.topics = nil
	for i := range topics {
		s.topics = append(s.topics, fmt.Sprint("t", i))
		fmt.Fprintf(&main, `<section id="t%d"></section>`, i)
	}
	s.main.Store(screen(main.String()))
	s.up(live.Config{Beat: 50 * time.Millisecond})
	p := open(t, browser, s.url("/"))
	until(t, "the socket is open", func() bool { return s.hub.Stats().Sockets == 1 })
	round := func(n int) {
		for i, topic := range s.topics {
			s.hub.Publish(topic, topic, fmt.Appendf(nil, `<section id="t%d"><h2>%d</h2>%s<time data-clock="UTC">x</time>
				<span data-countdown="2099-01-01T00:00:00Z" data-hours="{h} h {n} min">x</span></section>`, i, n, strings.Repeat("<p>row</p>", n%5)))
		}
		p.is(`[...document.querySelectorAll("h2")].filter((h) => h.textContent === "`+fmt.Sprint(n)+`").length`, topics)
	}
	for n := range warmUp {
		round(n)
	}
	before := p.usage()
	for n := range rounds {
		round(warmUp + n)
	}
	after := p.usage()
	perPart := (after.heap - before.heap) / (topics * rounds)
	t.Logf("before %+v, after %d parts %+v: %.1f bytes a part", before, topics*rounds, after, perPart)
	// The least that can be kept of a part is a number in an array: 4 bytes. The engine's own heap moves by half of
	// that, as the script is compiled better.
	if perPart > 3 || after.nodes != before.nodes || after.listeners != before.listeners {
		t.Error("it grows")
	}
}
