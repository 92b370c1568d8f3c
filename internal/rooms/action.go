package rooms

import "time"

// ActionKind says what a person asked for.
type ActionKind string

// The taps that exist.
const (
	CheckIn ActionKind = "check_in" // Zoom's zoomroom.check_in
	Release ActionKind = "release"  // Zoom's zoomroom.check_out
)

// ActionState is where an action stands (design, section 3).
type ActionState string

// The states of an action. Held, queued and sent are open; accepted may still be confirmed; nothing
// happens to the others any more.
const (
	Held       ActionState = "held"       // may still be undone; nothing was sent
	Queued     ActionState = "queued"     // waits for its (next) turn
	Sent       ActionState = "sent"       // on its way; whether it arrived is not known
	Accepted   ActionState = "accepted"   // the service said that it took it
	Confirmed  ActionState = "confirmed"  // its effect was seen
	Failed     ActionState = "failed"     // a definite no; Reason says which
	Expired    ActionState = "expired"    // its use ended before it could be sent
	Undone     ActionState = "undone"     // taken back by a person in time
	Superseded ActionState = "superseded" // a later tap made it pointless before it was sent
)

// The origins of actions.
const (
	OriginPanel = "panel"
	OriginAPI   = "api"
	OriginZoom  = "zoom" // nobody tapped here: it was done in the room or on another display, and Zoom said so
)

// Open tells whether an action in this state has still to be brought to Zoom.
func (s ActionState) Open() bool { return s == Held || s == Queued || s == Sent }

// Effective tells whether an action in this state counts: it was decided on and not refused.
func (s ActionState) Effective() bool {
	switch s {
	case Queued, Sent, Accepted, Confirmed:
		return true
	default:
		return false
	}
}

// Action is a tap in the journal.
type Action struct {
	ID          string // random, 128 bits, safe in a URL
	Room        string
	Kind        ActionKind
	Reservation string    // its id
	Ref         EventRef  // pinned when the person tapped
	Start, End  time.Time // of the reservation when the person tapped
	Origin      string    // where it came from: OriginPanel, OriginAPI or OriginZoom
	TappedAt    time.Time
	State       ActionState
	Reason      Reason    // why it failed, or why it still waits; empty otherwise
	DueAt       time.Time // held: when it is queued; queued: its next attempt
	ExpiresAt   time.Time // after this instant it is of no use
	Attempts    int       // how often it was sent
	UpdatedAt   time.Time
}

// Reason says in a word why an action failed or waits. Views turn it into a sentence. Besides the
// values here it can be any [FaultKind].
type Reason string

// The reasons beside the kinds of faults.
const (
	// ReasonGone: the reservation is no longer on the room's calendar.
	ReasonGone Reason = "gone"
	// ReasonAwaited: Zoom's event confirmed the release; the calendar hasn't shown it yet.
	ReasonAwaited Reason = "awaited"
	// ReasonUnseen: Zoom accepted the release, and after two minutes the calendar still doesn't show it.
	ReasonUnseen Reason = "unseen"
)

// seen tells whether the calendar has shown the effect of a confirmed action.
func (a Action) seen() bool { return a.Reason != ReasonAwaited && a.Reason != ReasonUnseen }
