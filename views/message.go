package views

import (
	"unicode"
	"unicode/utf8"

	"roomkiosk/internal/rooms"
)

// RefusalMessage says why a tap isn't possible, as a heading and a sentence with what to do.
func RefusalMessage(r rooms.Refusal) (title, detail string) {
	k := key("refusal." + string(r))
	if !said(k) {
		k = "refusal.unknown"
	}
	return say(k + ".title"), say(k)
}

// FaultMessage explains the failure of an outside service to IT, with what to do. It is empty
// without a fault.
func FaultMessage(f *rooms.Fault) string {
	if f == nil {
		return ""
	}
	k := key("fault." + string(f.Kind))
	if !said(k) {
		k = "fault.trouble"
	}
	return say(k, "service", f.Service)
}

// StatusWord is the word that a room's door shows.
func StatusWord(s rooms.Screen) string {
	if s.Has(rooms.FlagUnderConstruction) {
		return say("status.closed")
	}
	return say(key("status." + string(s.Status)))
}

// ActionMessage says where an action stands, for the person who tapped: what it came to, and why it
// waits or failed, with what to do. It is a sentence or two for every action that there can be.
func ActionMessage(a rooms.Action, s rooms.Screen) string {
	kind, service := string(a.Kind), serviceOf(s)
	switch a.State {
	case rooms.Queued, rooms.Sent:
		if k := key("action.waits." + string(a.Reason)); said(k) {
			return say(key("action.waits."+kind)) + " " + sentence(say(k, "service", service))
		}
	case rooms.Failed:
		if k := key("action.fails." + string(a.Reason)); said(k) {
			return say(key("action.fails."+kind)) + " " + say(k, "service", service)
		}
	case rooms.Accepted, rooms.Confirmed:
		if k := key("action." + string(a.Reason) + "." + kind); said(k) {
			return sentence(say(k, "service", service))
		}
	default: // no reason changes what there is to say
	}
	return say(key("action."+kind+"."+string(a.State)), "service", service, "time", clock(a.DueAt, s.Room.Zone))
}

// sentence begins with a capital.
func sentence(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}

// serviceOf names who has to be told of a tap: Zoom, or the calendar where the room has no Zoom
// Room.
func serviceOf(s rooms.Screen) string {
	if s.Room.ZoomID == "" {
		return say("service.calendar")
	}
	return say("service.zoom")
}
