package views

import "strings"

// key names a text. Texts live in one table, so that another language is another table. Families of
// keys are put together from domain words: "refusal." + a [rooms.Refusal] and so on.
type key string

// english is the only language so far. {braces} are filled in by say.
var english = map[key]string{
	"status.available":         "Free",
	"status.available.doubted": "Free?",
	"status.starting_soon":     "Soon",
	"status.awaiting_check_in": "Booked",
	"status.in_use":            "In use",
	"status.unknown":           "Unknown",
	"status.closed":            "Closed",

	"line.until":        "until {time}",
	"line.rest_of_day":  "rest of the day",
	"line.starts":       "starts at {time}",
	"line.starts_on":    "starts {time}",
	"line.check_in_by":  "check in by {time}",
	"line.overdue":      "nobody checked in",
	"line.unread":       "no schedule yet",
	"line.outdated":     "schedule too old",
	"line.clock":        "clock not set",
	"line.construction": "out of service",

	"detail.overdue":  "It may be released. Check in to keep it.",
	"detail.unread":   "The calendar has not been read, so this screen doesn't know whether the room is free.",
	"detail.outdated": "What was read of the calendar doesn't reach to now, so this screen doesn't know whether the room is free.",
	"detail.clock":    "The time isn't known, so this screen can't tell whether the room is free.",
	"detail.closed":   "This room can't be used at the moment.",

	"timer.left.hours":        "{h} h {n} min left",
	"timer.left.minutes":      "{n} min left",
	"timer.left.seconds":      "{n} s left",
	"timer.in.hours":          "in {h} h {n} min",
	"timer.in.minutes":        "in {n} min",
	"timer.in.seconds":        "in {n} s",
	"timer.past":              "now",
	"timer.releasing.hours":   "Releasing the room in {h} h {n} min",
	"timer.releasing.past":    "Releasing the room",
	"timer.releasing.minutes": "Releasing the room in {n} min",
	"timer.releasing.seconds": "Releasing the room in {n} s",

	"flag.stale":             "Schedule as of {time}",
	"flag.offline":           "Zoom can't be reached. Taps are kept and sent later.",
	"flag.offline.refused":   "Zoom doesn't accept this kiosk. Taps are kept. Please tell IT.",
	"flag.offline.calendar":  "Calendar can't be reached. Schedule as of {time}.",
	"flag.offline.unread":    "Calendar can't be reached.",
	"flag.zoom_room_offline": "The Zoom Room in here is offline.",
	"flag.clock_untrusted":   "The clock isn't set. Times may be wrong.",

	"title.private": "Private meeting",
	"title.none":    "Reserved",

	"seats.one":  "1 seat",
	"seats.many": "{n} seats",

	"badge.checked_in": "Checked in",
	"badge.released":   "Released",
	"badge.overdue":    "Not checked in",
	"badge.tentative":  "Tentative",

	"clock.unknown": "–:–",

	"day.today":       "Today",
	"day.tomorrow":    "Tomorrow",
	"day.rest_free":   "Nothing else today",
	"day.all_free":    "Nothing booked today",
	"day.not_known":   "No schedule to show",
	"day.line":        "Day from {from} to {to}",
	"day.all_day":     "All day",
	"day.count.one":   "1 meeting",
	"day.count.many":  "{n} meetings",
	"time.range":      "{from}–{to}",
	"time.range.said": "{from} to {to}",
	"time.tomorrow":   "tomorrow {time}",

	"button.check_in": "Check in",
	"button.release":  "Release",
	"button.undo":     "Undo",
	"button.region":   "Check in and release",

	"button.check_in.said": "Check in to {title}, {time}",
	"button.release.said":  "Release {title}, {time}",
	"button.undo.said":     "Undo the release of {title}, {time}",

	"note.not_this_panel": "Read-only here. Check in and release at the panel beside the door.",

	"link.cut":           "Not connected since {time}. What you see may be out of date.",
	"notice.unreachable": "That tap did not get through. Please try again.",

	"board.title": "Rooms",
	"board.empty": "No rooms are configured.",

	"error.reference": "Reference {reference}",
	"error.home":      "All rooms",

	"setup.title": "This kiosk is not set up yet",
	"setup.lead":  "It runs, but it can't show rooms until this is put right. It goes on by itself then.",
	"setup.line":  "line {n}",

	"refusal.too_early.title":       "Too early",
	"refusal.too_early":             "Check-in hasn't opened yet, or the meeting hasn't started. Try again closer to the start.",
	"refusal.ended.title":           "This meeting is over",
	"refusal.ended":                 "It has ended, so there is nothing left to check in or release.",
	"refusal.checked_in.title":      "Already checked in",
	"refusal.checked_in":            "The room is yours. There is nothing more to do.",
	"refusal.released.title":        "Already released",
	"refusal.released":              "Somebody gave the room back. Book it again in the calendar if you need it.",
	"refusal.releasing.title":       "The room is being released",
	"refusal.releasing":             "Tap Undo first if you want to keep it.",
	"refusal.no_check_in.title":     "No check-in needed",
	"refusal.no_check_in":           "This room doesn't ask for check-ins. Just use it.",
	"refusal.read_only.title":       "Can't be released here",
	"refusal.read_only":             "This room's calendar can only be read. End the meeting in the calendar instead.",
	"refusal.clock_untrusted.title": "The time isn't known",
	"refusal.clock_untrusted":       "The kiosk's clock isn't set yet, so it can't take taps. Use the calendar for now.",
	"refusal.nothing_to_undo.title": "Nothing to undo",
	"refusal.nothing_to_undo":       "No release waits to be undone. If one has gone out already, book the room again in the calendar.",
	"refusal.unknown.title":         "Not possible now",
	"refusal.unknown":               "The room can't do that at the moment. Look at the screen and try again.",
	"action.check_in.queued":        "Checked in. Telling {service}.",
	"action.check_in.sent":          "Checked in. Telling {service}.",
	"action.check_in.accepted":      "Checked in, and {service} has accepted it.",
	"action.check_in.confirmed":     "Checked in.",
	"action.check_in.failed":        "The check-in failed. Try again, or use the calendar.",
	"action.check_in.expired":       "The meeting ended before {service} confirmed the check-in. Nothing more to do.",
	"action.check_in.superseded":    "Not checked in, because the room was released.",
	"action.check_in.undone":        "The check-in was taken back.",
	"action.check_in.held":          "Checking in.",
	"action.release.held":           "Releasing the room at {time}.",
	"action.release.queued":         "Released. Telling {service}.",
	"action.release.sent":           "Released. Telling {service}.",
	"action.release.accepted":       "Released. Waiting for the calendar to follow.",
	"action.release.confirmed":      "Released.",
	"action.release.failed":         "The release failed. End the meeting in the calendar instead.",
	"action.release.expired":        "The meeting ended before {service} confirmed the release. Nothing more to do.",
	"action.release.undone":         "Not released. The room stays yours.",
	"action.release.superseded":     "A later tap took the place of this release.",
	"action.waits.unreachable":      "{service} can't be reached; it will be told as soon as it can.",
	"action.waits.trouble":          "{service} has a problem; it will be told again soon.",
	"action.waits.bad_answer":       "{service} gave no clear answer; it will be told again soon.",
	"action.waits.throttled":        "{service} is busy; it will be told in a moment.",
	"action.waits.room_offline":     "The Zoom Room in here is offline; Zoom will be told when it is back.",
	"action.waits.credentials":      "{service} doesn't accept this kiosk at the moment. Please tell IT.",
	"action.awaited.release":        "Released. Waiting for the calendar to follow.",
	"action.unseen.check_in":        "{service} accepted the check-in, but nothing has confirmed it since. Please tell IT.",
	"action.unseen.release":         "{service} accepted the release, but the calendar still shows the meeting. Please tell IT.",
	"action.waits.check_in":         "Checked in.",
	"action.waits.release":          "Released.",
	"action.fails.check_in":         "The check-in failed:",
	"action.fails.release":          "The release failed:",
	"action.fails.gone":             "the meeting is no longer in this room's calendar. Look there for where it went.",
	"action.fails.credentials":      "{service} doesn't accept this kiosk any more. Please tell IT.",
	"action.fails.permission":       "this kiosk isn't allowed to do that. Please tell IT.",
	"action.fails.not_found":        "{service} doesn't know this meeting. Check it in the calendar.",
	"action.fails.invalid":          "{service} refused it. Use the calendar, and please tell IT.",
	"action.fails.unreachable":      "{service} can't be reached. Try again later.",
	"action.fails.trouble":          "{service} has a problem. Try again later.",
	"action.fails.bad_answer":       "{service} gave no clear answer. Try again later.",
	"action.fails.throttled":        "{service} is busy. Try again in a minute.",
	"action.fails.room_offline":     "the Zoom Room in here is offline. Please tell IT.",
	"service.calendar":              "the calendar",
	"service.zoom":                  "Zoom",
	"fault.unreachable":             "{service} can't be reached. Check the network, the address and the firewall.",
	"fault.trouble":                 "{service} reports a problem of its own. Nothing to do here but wait.",
	"fault.bad_answer":              "{service} answered something that can't be understood. Check its address.",
	"fault.throttled":               "{service} limits how often it may be asked. The kiosk slows down by itself.",
	"fault.credentials":             "{service} doesn't accept the kiosk's credentials. Check the secret and whether it has expired.",
	"fault.permission":              "{service} knows the kiosk but doesn't let it do this. Grant the missing scope or right.",
	"fault.not_found":               "{service} doesn't have this room, or the kiosk may not see it. Check the id and the sharing.",
	"fault.room_offline":            "Zoom is up, but the Zoom Room isn't connected to it. Look at the room's computer.",
	"fault.invalid":                 "{service} refuses the request as such. Check the room's ids.",
}

// say returns the text of a key with its {names} filled in from pairs of name and value.
func say(k key, pairs ...string) string {
	return fillIn(english[k], pairs...)
}

func fillIn(text string, pairs ...string) string {
	old := make([]string, 0, len(pairs))
	for i := 0; i+1 < len(pairs); i += 2 {
		old = append(old, "{"+pairs[i]+"}", pairs[i+1])
	}
	return strings.NewReplacer(old...).Replace(text)
}

// said tells whether there is a text for the key.
func said(k key) bool {
	_, ok := english[k]
	return ok
}
