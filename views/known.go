package views

import (
	"strconv"
	"strings"
	"time"

	"roomkiosk/internal/rooms"
)

// HappeningMessage says what happened and why, for IT.
func HappeningMessage(h rooms.Happening, s rooms.Screen) string {
	switch h.What {
	case rooms.HappenedStatus:
		return statusMessage(h) + "."
	case rooms.HappenedFlag:
		return flagMessage(h.Detail) + "."
	case rooms.HappenedFailed:
		kind, reason, _ := strings.Cut(h.Detail, ":")
		what := key("history.failed." + kind)
		if !said(what) {
			what = "history.what.failed"
		}
		return strings.TrimSpace(say(what) + ". " + reasonMessage(reason, s))
	default:
		return happened(h.What, h.Cause) + "."
	}
}

func statusMessage(h rooms.Happening) string {
	word := key("status." + string(h.Status))
	if !said(word) {
		word = "status.unknown"
	}
	cause := key("history." + string(h.Status) + "." + string(h.Cause))
	if !said(cause) {
		cause = causeKey(h.Cause)
	}
	return say("history.by", "what", say(word), "cause", say(cause))
}

// happened says what happened to a reservation and by what, without a period.
func happened(what rooms.What, cause rooms.Cause) string {
	if k := key("history." + string(what) + "." + string(cause)); said(k) {
		return say(k)
	}
	k := key("history.what." + string(what))
	if !said(k) {
		return say("history.what.other")
	}
	return say("history.by", "what", say(k), "cause", say(causeKey(cause)))
}

func causeKey(c rooms.Cause) key {
	if k := key("history.cause." + string(c)); said(k) {
		return k
	}
	return "history.cause.kiosk"
}

// flagMessage says that a flag went up, or down. A colon and a word may say more than the flag.
func flagMessage(detail string) string {
	way := ".up"
	detail, down := strings.CutPrefix(detail, "-")
	if down {
		way = ".down"
	}
	flag, _, _ := strings.Cut(detail, ":")
	for _, k := range []key{key("history.flag." + strings.Replace(detail, ":", ".", 1) + way), key("history.flag." + flag + way)} {
		if said(k) {
			return say(k)
		}
	}
	return say("history.what.other")
}

// reasonMessage says to IT why a tap waits or came to nothing, with what to do. It is empty where
// nothing is known.
func reasonMessage(reason string, s rooms.Screen) string {
	if k := key("history.reason." + reason); said(k) {
		return say(k, "service", serviceOf(s))
	}
	if !said(key("fault." + reason)) {
		return ""
	}
	return FaultMessage(&rooms.Fault{Service: sentence(serviceOf(s)), Kind: rooms.FaultKind(reason)})
}

// knownOf is what the kiosk knows now.
func knownOf(s rooms.Screen) []Known {
	door := say("history.door", "status", StatusWord(s), "line", headlineOf(s).Line)
	k := Known{Name: say("history.known.door"), Lines: []string{door}}
	if s.Has(rooms.FlagStale) {
		k.Lines[0] = say("history.door.doubted", "door", door)
	}
	return []Known{k, wrongOf(s), scheduleOf(s), zoomOf(s), checkInOf(s)}
}

func wrongOf(s rooms.Screen) Known {
	k := Known{Name: say("history.known.wrong")}
	for _, f := range s.Flags {
		detail := string(f)
		switch {
		case f != rooms.FlagOffline:
		case s.ZoomFault == nil:
			detail += ":calendar"
		case s.Fault == nil:
			detail += ":zoom"
		}
		k.Lines = append(k.Lines, flagMessage(detail)+".")
		k.Bad = true
	}
	if !k.Bad {
		k.Lines = []string{say("history.fine") + "."}
	}
	return k
}

func scheduleOf(s rooms.Screen) Known {
	k := Known{Name: say("history.known.schedule")}
	switch {
	case s.AsOf.IsZero():
		k.Lines = []string{say("history.schedule.never", "source", s.Source)}
	case s.AsOf.After(s.Now):
		k.Lines = []string{say("history.schedule.ahead", "time", moment(s.AsOf, s), "source", s.Source)}
	default:
		k.Lines = []string{say("history.schedule.read", "span", span(max(s.Now.Sub(s.AsOf), time.Second)), "time", moment(s.AsOf, s), "source", s.Source)}
	}
	return k.with(s.Fault)
}

func zoomOf(s rooms.Screen) Known {
	k := Known{Name: say("history.known.zoom")}
	switch {
	case s.Room.ZoomID == "":
		k.Lines = []string{say("history.zoom.none")}
	case s.ZoomFault == nil:
		k.Lines = []string{say("history.zoom.fine")}
	}
	return k.with(s.ZoomFault)
}

// with adds what a service's failure means and what the service said.
func (k Known) with(f *rooms.Fault) Known {
	if f == nil {
		return k
	}
	k.Bad = true
	k.Lines = append(k.Lines, FaultMessage(f))
	if f.Detail != "" {
		k.Lines = append(k.Lines, f.Detail)
	}
	return k
}

func checkInOf(s rooms.Screen) Known {
	text := say("history.check_in.none")
	if s.Policy.Required {
		text = say("history.check_in.times", "before", span(s.Policy.OpensBefore), "after", span(s.Policy.ClosesAfter))
	}
	return Known{Name: say("history.known.check_in"), Lines: []string{text}}
}

// tapsOf are the taps that the screen knows of, newest first: the open ones and the latest others.
func tapsOf(s rooms.Screen) []Entry {
	var out []Entry
	for i := range s.Actions {
		out = append(out, tapEntry(s.Actions[len(s.Actions)-1-i], s))
	}
	return out
}

func tapEntry(a rooms.Action, s rooms.Screen) Entry {
	e := entryAt(a.TappedAt, s)
	zone := s.Room.Zone
	on := day(a.TappedAt, zone)
	e.Clock = moment(a.TappedAt, s)
	if !on.Equal(s.Today) {
		e.Seconds = ""
	}
	e.Text = say("history.tap.at", "kind", say(key("history.tap."+string(a.Kind))), "origin", say(key("history.origin."+a.Origin)))
	lines := []string{TapMessage(a, s)}
	if a.State == rooms.Queued && a.DueAt.After(s.Now) {
		lines = append(lines, say("history.tap.next", "time", a.DueAt.In(zone).Format(time.TimeOnly)))
	}
	lines = append(lines, say("history.meeting", "time", say("time.range", "from", edge(a.Start, on, zone), "to", edge(a.End, on, zone)))+".")
	e.More = strings.Join(lines, " ")
	switch {
	case a.State == rooms.Failed, a.Reason != "" && (a.State.Open() || a.Reason == rooms.ReasonUnseen):
		e.Kind = "bad"
	case a.State == rooms.Confirmed:
		e.Kind = "good"
	}
	return e
}

// TapMessage says to IT where a tap stands: its state, why it is so, and how often it was sent.
func TapMessage(a rooms.Action, s rooms.Screen) string {
	lines := []string{say(key("history."+string(a.State)), "service", sentence(serviceOf(s)))}
	if reason := reasonMessage(string(a.Reason), s); reason != "" {
		lines = append(lines, reason)
	}
	switch {
	case a.Attempts == 1:
		lines = append(lines, say("history.tap.attempt"))
	case a.Attempts > 1:
		lines = append(lines, say("history.tap.attempts", "n", strconv.Itoa(a.Attempts)))
	}
	return strings.Join(lines, " ")
}
