package views

import (
	"slices"
	"time"

	"roomkiosk/internal/rooms"
)

// buttonsOf are the taps that are possible, the likeliest first: those of the current reservation,
// then the check-in of the next one, where that doesn't compete with the current one's. Nobody is
// asked into a room that is out of service.
func buttonsOf(s rooms.Screen, o Options) []Button {
	var buttons []Button
	if s.Current != nil {
		buttons = append(buttons, buttonsFor(*s.Current, s, o)...)
	}
	if b := otherOf(s); b != nil {
		buttons = append(buttons, buttonsFor(*b, s, o)...)
	}
	return buttons
}

// otherOf is the reservation whose people may stand at the door although it isn't the current one:
// the next, or one that overlaps a current one to which nobody came (a day-long booking, mostly).
func otherOf(s rooms.Screen) *rooms.Booking {
	if s.Current == nil || s.Current.Phase == rooms.CheckedIn {
		return s.Next
	}
	if s.Current.Phase != rooms.Overdue {
		return nil
	}
	for i := range slices.Backward(s.Bookings) {
		if b := &s.Bookings[i]; b.ID != s.Current.ID && b.CheckInRefusal == rooms.Possible {
			withoutRelease := *b
			withoutRelease.ReleaseRefusal = rooms.RefusedTooEarly // one Release at a time: the current one's
			return &withoutRelease
		}
	}
	return nil
}

func buttonsFor(b rooms.Booking, s rooms.Screen, o Options) []Button {
	var buttons []Button
	if !b.UndoUntil.IsZero() {
		buttons = append(buttons, buttonOf("undo", "button.undo", b, s, o))
	}
	if b.CheckInRefusal == rooms.Possible && toneOf(s) != ToneClosed {
		buttons = append(buttons, buttonOf("check-in", "button.check_in", b, s, o))
	}
	if b.ReleaseRefusal == rooms.Possible {
		buttons = append(buttons, buttonOf("release", "button.release", b, s, o))
	}
	return buttons
}

func buttonOf(kind string, text key, b rooms.Booking, s rooms.Screen, o Options) Button {
	m := meetingOf(b, s, o)
	hint := ""
	if kind == "check-in" {
		hint = m.From
		if m.To != "" {
			hint = say("time.range", "from", m.From, "to", m.To)
		}
	}
	return Button{
		ID: kind + "-" + b.ID, Action: "/rooms/" + s.Room.ID + "/" + kind, Reservation: b.ID,
		Kind: kind, Icon: kind, Label: say(text), Hint: hint,
		Said:    say(text+".said", "title", m.Title, "time", m.Said),
		Primary: kind != "release",
	}
}

// noticesOf are sentences about taps that people still wait for, or that went wrong: about the latest
// tap of each reservation, for the one before no longer counts.
func noticesOf(s rooms.Screen) []Notice {
	latest := map[string]rooms.Action{}
	for _, a := range s.Actions {
		if a.State != rooms.Undone || s.Now.Before(a.UpdatedAt.Add(rooms.UndoneShown)) {
			latest[a.Reservation] = a
		}
	}
	var notices []Notice
	for _, a := range s.Actions {
		if latest[a.Reservation].ID != a.ID || overtaken(a, s) {
			continue
		}
		if n, ok := noticeOf(a, s); ok {
			notices = append(notices, n)
		}
	}
	return notices
}

// overtaken tells whether what an action failed to do was done otherwise.
func overtaken(a rooms.Action, s rooms.Screen) bool {
	if a.State != rooms.Failed {
		return false
	}
	for _, b := range s.Bookings {
		if b.ID == a.Reservation {
			return b.Phase == rooms.Released || a.Kind == rooms.CheckIn && b.Phase == rooms.CheckedIn
		}
	}
	return false
}

// noticeOf is the sentence about an action, where the screen doesn't say it already. An undone one
// that still counts was undone just now.
func noticeOf(a rooms.Action, s rooms.Screen) (Notice, bool) {
	n := Notice{ID: "tap-" + a.ID, Kind: "wait", Icon: "wait", Text: ActionMessage(a, s)}
	switch a.State {
	case rooms.Held:
		n.Timer = releasingTimer(a.DueAt, n.Text)
	case rooms.Queued, rooms.Sent:
	case rooms.Undone:
		n.Kind, n.Icon = "done", "done"
	case rooms.Accepted, rooms.Confirmed:
		return n, settledNotice(&n, a)
	case rooms.Failed, rooms.Expired:
		n.Kind, n.Icon = "bad", "warn"
		return n, a.State == rooms.Failed || a.Kind == rooms.CheckIn || a.Attempts > 0 // else it was over before it had to be told
	default:
		return Notice{}, false
	}
	return n, true
}

// settledNotice marks the notice of a tap that its service took, and tells whether there is anything
// to say: that a meeting is checked in, its badge says.
func settledNotice(n *Notice, a rooms.Action) bool {
	switch {
	case a.Reason == rooms.ReasonUnseen:
		n.Kind, n.Icon = "warn", "warn"
		return true
	case a.State == rooms.Accepted, a.Reason == rooms.ReasonAwaited:
		n.Kind, n.Icon = "done", "done"
		return a.Kind == rooms.Release
	default:
		return false
	}
}

func releasingTimer(at time.Time, text string) *Countdown {
	return &Countdown{
		At: stamp(at), Text: text,
		Seconds: say("timer.releasing.seconds"), Minutes: say("timer.releasing.minutes"),
		Hours: say("timer.releasing.hours"), Past: say("timer.releasing.past"),
	}
}

// flagsOf are sentences about what this screen doesn't know.
func flagsOf(s rooms.Screen) []Notice {
	var notices []Notice
	for _, f := range s.Flags {
		text := flagText(f, s)
		if text != "" {
			notices = append(notices, Notice{ID: "flag-" + string(f), Kind: "warn", Icon: flagIcon(f), Text: text})
		}
	}
	return notices
}

// flagText is a flag's sentence, or empty where something else on the screen says it.
func flagText(f rooms.Flag, s rooms.Screen) string {
	asOf := moment(s.AsOf, s)
	calendarOut := s.Has(rooms.FlagOffline) && s.Fault != nil
	switch f {
	case rooms.FlagStale:
		if calendarOut {
			return ""
		}
		return say("flag.stale", "time", asOf)
	case rooms.FlagOffline:
		switch {
		case !calendarOut && waits(s, rooms.FaultUnreachable):
			return ""
		case !calendarOut && s.ZoomFault != nil && s.ZoomFault.Kind == rooms.FaultCredentials:
			return say("flag.offline.refused")
		case !calendarOut:
			return say("flag.offline")
		case s.AsOf.IsZero():
			return say("flag.offline.unread")
		default:
			return say("flag.offline.calendar", "time", asOf)
		}
	case rooms.FlagZoomRoomOffline:
		if waits(s, rooms.FaultRoomOffline) {
			return ""
		}
	case rooms.FlagUnderConstruction:
		return ""
	case rooms.FlagClockUntrusted:
		if s.Status == rooms.Unknown {
			return ""
		}
	}
	return say(key("flag." + string(f)))
}

// waits tells whether the notice of a tap that waits says already what is wrong.
func waits(s rooms.Screen, why rooms.FaultKind) bool {
	for _, a := range s.Actions {
		if a.State.Open() && a.Reason == rooms.Reason(why) {
			return true
		}
	}
	return false
}

func flagIcon(f rooms.Flag) string {
	switch f {
	case rooms.FlagOffline, rooms.FlagZoomRoomOffline:
		return "cut"
	default:
		return "warn"
	}
}
