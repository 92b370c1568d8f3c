package rooms

import "time"

// What says what happened.
type What string

// What can happen in a room.
const (
	HappenedStatus    What = "status"     // the door says something else now
	HappenedCheckedIn What = "checked_in" // a reservation was checked in
	HappenedReleased  What = "released"   // a reservation gave its room back before its end
	HappenedCancelled What = "cancelled"  // a reservation went away before its start
	HappenedEnded     What = "ended"      // a reservation ran to its end, checked in or needing no check-in
	HappenedMissed    What = "missed"     // a reservation ended, and nobody had checked in
	HappenedUndone    What = "undone"     // a release was taken back in time
	HappenedFailed    What = "failed"     // a tap came to nothing (Detail: its kind, a colon, and the reason or "expired")
	HappenedFlag      What = "flag"       // a flag went up (Detail: which; of offline also what, as "offline:zoom"), or down ("-" before it)
)

// Cause says what made it happen.
type Cause string

// The causes. For a reservation's release they say who released it.
const (
	ByTime      Cause = "time"      // an instant passed: a start, an end, the end of a check-in
	ByPanel     Cause = "panel"     // a tap on the panel
	ByAPI       Cause = "api"       // a tap of a program
	ByZoom      Cause = "zoom"      // Zoom said so: done in the room, or on another display
	ByNoShow    Cause = "no_show"   // the meeting went after its check-in had closed and nobody had come
	ByOrganizer Cause = "organizer" // it was changed on the calendar
	ByKiosk     Cause = "kiosk"     // it started, or its connections or its clock came or went
)

// Happening is an entry of a room's history. It has no title and no name in it.
type Happening struct {
	Room        string
	At          time.Time
	Day         string // of the room's zone: "2026-11-22"
	What        What
	Cause       Cause
	Status      Status        // what the door said from then on
	Reservation string        // its id; empty where it is about none
	Start, End  time.Time     // of the reservation, as it was until then; zero likewise
	Spent       time.Duration // ended: how long it was used; released, missed: how much was left or lost
	Detail      string        // a word: of a flag, or a reason
}

// History keeps what happened. Note must not block on the disk: nothing waits for history.
type History interface {
	Note(happenings ...Happening)
}

// Count sums up what happened in a room on a day, after the details were forgotten.
type Count struct {
	Room  string
	Day   string // of the room's zone: "2026-11-22"
	What  What   // of reservations only: not HappenedStatus, HappenedFlag
	Cause Cause
	Times int
	Spent time.Duration // the sum of theirs
}
