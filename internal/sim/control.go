package sim

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed control.html
var controlHTML string

//go:embed control.css
var controlCSS string

// slowness is how long an answer takes on the slow network.
const slowness = 2 * time.Second

// Control returns a page on which a person breaks and mends the simulated services, changes the
// simulated calendars, and sees what Zoom received. GET shows it; POST carries out what the form's
// "do" names, and answers 303 back to the page. The page has no scripts and no inline styles. It
// brings its stylesheet along, at the same path with ?css; the given one, if any, is linked before
// it. Whether a POST comes from the page's own origin is for the caller to check.
func (w *World) Control(stylesheet string) http.Handler {
	page := template.Must(template.New("control").Parse(controlHTML))
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost:
			w.obey(out, r)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			out.Header().Set("Allow", "GET, HEAD, POST")
			http.Error(out, "This page is read or posted to.", http.StatusMethodNotAllowed)
		case r.URL.Query().Has("css"):
			out.Header().Set("Content-Type", "text/css; charset=utf-8")
			_, _ = out.Write([]byte(controlCSS))
		default:
			var body bytes.Buffer
			if err := page.Execute(&body, w.controlView(stylesheet)); err != nil {
				http.Error(out, "The page could not be made.", http.StatusInternalServerError)
				return
			}
			out.Header().Set("Content-Type", "text/html; charset=utf-8")
			out.Header().Set("Cache-Control", "no-store")
			_, _ = out.Write(body.Bytes())
		}
	})
}

// obey carries out a form.
func (w *World) obey(out http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(out, r.Body, 4096)
	do := r.PostFormValue("do")
	if !w.press(do) {
		http.Error(out, "There is no such control.", http.StatusBadRequest)
		return
	}
	path := "/"
	if u, err := url.ParseRequestURI(r.RequestURI); err == nil {
		path += strings.TrimLeft(u.EscapedPath(), "/")
	}
	http.Redirect(out, r, path, http.StatusSeeOther)
}

// press carries out what a button stands for. False: there is no such button.
func (w *World) press(do string) bool {
	if do == "mend" {
		for _, s := range w.switches() {
			s.set(false)
		}
		return true
	}
	name, on := strings.CutPrefix(do, "break:")
	if !on {
		name, _ = strings.CutPrefix(do, "mend:")
	}
	for _, s := range w.switches() {
		if s.name == name && name != do {
			s.set(on)
			return true
		}
	}
	verb, id, _ := strings.Cut(do, ":")
	i := slices.IndexFunc(w.Rooms, func(r DemoRoom) bool { return r.ID == id })
	if i < 0 {
		return false
	}
	return w.meddle(verb, w.Rooms[i])
}

// breaker is something that can be broken and mended.
type breaker struct {
	name, label, hint string
	broken            bool
	set               func(broken bool)
}

// switches are all breakers, as they stand.
func (w *World) switches() []breaker {
	zoom, google, graph, dav := &w.Zoom.faults, &w.Google.faults, &w.Graph.faults, &w.CalDAV.faults
	down := faultSwitch("zoom-down", "Zoom is down", "Connections are closed without an answer.", Fault{Down: true}, zoom)
	list := []breaker{
		{down.name, down.label, down.hint, down.broken, w.andDropStream(down.set)},
		faultSwitch("calendar-down", "Calendars are down", "Connections are closed without an answer.", Fault{Down: true}, google, graph, dav),
		faultSwitch("slow", "Slow network", "Every answer takes two seconds.", Fault{Slow: slowness}, zoom, google, graph, dav),
		faultSwitch("zoom-429", "Zoom: too many requests", "Answers 429 without saying when to come back.", ThrottleBare(), zoom),
		faultSwitch("zoom-503", "Zoom has a problem", "Answers 503.", Fault{Status: http.StatusServiceUnavailable}, zoom),
		faultSwitch("drop", "Answer lost", "Zoom does what it was asked to, but its answer never arrives.",
			Fault{Method: http.MethodPatch, DropAfter: true}, zoom),
		{
			"stream-cut", "Zoom: event stream is cut", "Nobody is told of check-ins and check-outs. What happens meanwhile is never told.",
			w.Zoom.StreamFaults().Refuse, w.andDropStream(w.refuseStream),
		},
	}
	for _, r := range w.Rooms {
		if r.ZoomID == "" {
			continue
		}
		list = append(list, breaker{
			"offline-" + r.ID, r.Name + ": Zoom Room is offline", "Zoom is up, this room's device isn't connected to it.",
			w.Zoom.Offline(r.ZoomID), func(broken bool) { w.Zoom.SetOffline(r.ZoomID, broken) },
		})
	}
	return list
}

// andDropStream also cuts the connections to the event stream, when something is broken.
func (w *World) andDropStream(set func(broken bool)) func(broken bool) {
	return func(broken bool) {
		set(broken)
		if broken {
			w.Zoom.DropStream()
		}
	}
}

func (w *World) refuseStream(on bool) {
	f := w.Zoom.StreamFaults()
	f.Refuse = on
	w.Zoom.SetStreamFaults(f)
}

func faultSwitch(name, label, hint string, f Fault, services ...*Faults) breaker {
	return breaker{name, label, hint, services[0].Active(name), func(broken bool) {
		for _, s := range services {
			if broken {
				s.Set(name, f)
			} else {
				s.Clear(name)
			}
		}
	}}
}

// meddle changes a room's calendar as somebody at a desk would, or checks in and out as somebody in the
// room would on Zoom's own display. False: there is no such verb, or the room has no such display.
func (w *World) meddle(verb string, room DemoRoom) bool {
	now := w.clock.Now()
	switch verb {
	case "book":
		p := w.planner()
		m := pitch{"Short-notice call", now.Minute() % len(p.people), 20, false}
		start := w.freeFrom(room, now.Add(2*time.Minute).Truncate(time.Minute), m.length())
		w.Calendar.Put(room.CalendarID, p.meeting(room, m, start, seeded(start.String())))
	case "cancel":
		if e, ok := w.upcoming(room, now); ok {
			w.Calendar.Cancel(room.CalendarID, e.ID)
		}
	case "move":
		if e, ok := w.upcoming(room, now); ok {
			w.Calendar.Change(room.CalendarID, e.ID, func(e *Event) {
				e.Start, e.End = e.Start.Add(15*time.Minute), e.End.Add(15*time.Minute)
			})
		}
	case "zoom-in", "zoom-out":
		if e, ok := w.onOrNext(room, now); ok && verb == "zoom-in" {
			w.Zoom.CheckInRoom(room.ZoomID, e.ID)
		} else if ok {
			w.Zoom.CheckOutRoom(room.ZoomID, e.ID)
		}
		return room.ZoomID != ""
	default:
		return false
	}
	return true
}

// onOrNext is the room's meeting that runs, else the next one.
func (w *World) onOrNext(room DemoRoom, now time.Time) (Event, bool) {
	for _, e := range w.Calendar.Events(room.CalendarID) {
		if e.blocks() && e.End.After(now) {
			return e, true
		}
	}
	return Event{}, false
}

// freeFrom is the first instant, from start on, at which the room is free for so long.
func (w *World) freeFrom(room DemoRoom, start time.Time, length time.Duration) time.Time {
	for _, e := range w.Calendar.Events(room.CalendarID) {
		if e.blocks() && e.Start.Before(start.Add(length)) && e.End.After(start) {
			start = e.End
		}
	}
	return start
}

// upcoming is the room's next meeting that hasn't started.
func (w *World) upcoming(room DemoRoom, now time.Time) (Event, bool) {
	for _, e := range w.Calendar.Events(room.CalendarID) {
		if e.blocks() && e.Start.After(now) {
			return e, true
		}
	}
	return Event{}, false
}

// blocks tells whether the event takes the room for some hours of a day.
func (e Event) blocks() bool {
	return !e.AllDay() && !e.Transparent && e.Status != Cancelled && !e.DeclinedByRoom()
}

// shortTime is an instant on the page.
func (w *World) shortTime(at time.Time, layout string) string { return at.In(w.zone).Format(layout) }

// answerOf says in a word what a request was answered with.
func answerOf(r Request) string {
	if r.Status == 0 {
		return "none"
	}
	return strconv.Itoa(r.Status)
}
