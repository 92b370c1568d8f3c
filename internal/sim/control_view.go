package sim

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	shownRequests = 20
	shownEvents   = 6 // of each room
)

// controlView is what the control page shows.
type controlView struct {
	Stylesheet string
	Clock      string
	Broken     int // how many switches are
	Switches   []switchView
	Rooms      []roomView
	Requests   []requestView
}

type switchView struct {
	Label, Hint string
	Do, Button  string
	Broken      bool
}

type roomView struct {
	ID, Name string
	Zoom     bool // it has a Zoom Room
	Events   []eventView
}

type eventView struct {
	Start, End, Title, State string
	Quiet                    bool // it doesn't take the room
}

type requestView struct {
	At, Room, What, Event, Answer string
	Good                          bool
}

func (w *World) controlView(stylesheet string) controlView {
	now := w.clock.Now()
	v := controlView{Stylesheet: stylesheet, Clock: w.shortTime(now, "Mon 2 Jan 2006, 15:04:05")}
	for _, s := range w.switches() {
		sv := switchView{s.label, s.hint, "break:" + s.name, "Break", s.broken}
		if s.broken {
			sv.Do, sv.Button = "mend:"+s.name, "Mend"
			v.Broken++
		}
		v.Switches = append(v.Switches, sv)
	}
	for _, r := range w.Rooms {
		v.Rooms = append(v.Rooms, roomView{r.ID, r.Name, r.ZoomID != "", w.eventViews(r, now)})
	}
	v.Requests = w.requestViews()
	return v
}

// eventViews are the room's events that run or have ended lately, and the next ones.
func (w *World) eventViews(room DemoRoom, now time.Time) []eventView {
	var list []eventView
	for _, e := range w.Calendar.Events(room.CalendarID) {
		if e.AllDay() || e.End.Before(now.Add(-15*time.Minute)) || len(list) == shownEvents {
			continue
		}
		list = append(list, eventView{
			w.startTime(e.Start, now), w.endTime(e.End), e.Title, e.state(now), !e.blocks(),
		})
	}
	return list
}

// startTime is a start on the page: with its day, if that isn't today.
func (w *World) startTime(at, now time.Time) string {
	if midnight(at, w.zone).Equal(midnight(now, w.zone)) {
		return w.shortTime(at, "15:04")
	}
	return w.shortTime(at, "Mon 15:04")
}

// endTime is an end on the page: to the second where Zoom has shortened the event.
func (w *World) endTime(at time.Time) string {
	if at.Second() != 0 {
		return w.shortTime(at, "15:04:05")
	}
	return w.shortTime(at, "15:04")
}

// state says in a word or two where an event stands.
func (e Event) state(now time.Time) string {
	switch {
	case e.Status == Cancelled:
		return "cancelled"
	case e.DeclinedByRoom():
		return "declined by the room"
	case !e.End.After(now):
		return "ended"
	case !e.CheckedIn.IsZero():
		return "checked in"
	case !e.Start.After(now):
		return "not checked in"
	case e.Visibility == Private:
		return "private"
	default:
		return ""
	}
}

// requestViews are the last requests that Zoom received, the newest first.
func (w *World) requestViews() []requestView {
	all := w.Zoom.Requests()
	all = all[max(0, len(all)-shownRequests):]
	slices.Reverse(all)
	list := make([]requestView, len(all))
	for i, r := range all {
		list[i] = requestView{
			At: w.shortTime(r.At, "15:04:05"), Room: w.roomOf(r.Path), What: r.Method + " " + r.Path,
			Event: r.Param("event_id"), Answer: answerOf(r),
			Good: r.Status >= 200 && r.Status < 300 || r.Status == http.StatusSwitchingProtocols,
		}
		if method, ok := r.Body["method"].(string); ok {
			list[i].What = method
		}
	}
	return list
}

// roomOf names the room that a path of Zoom's API is about; empty: none.
func (w *World) roomOf(path string) string {
	for _, r := range w.Rooms {
		if r.ZoomID != "" && strings.Contains(path, r.ZoomID) {
			return r.Name
		}
	}
	return ""
}
