package rooms

import "time"

// Defaults of a room that nobody configured otherwise (design, section 3).
const (
	DefaultOpensBefore = 10 * time.Minute
	DefaultClosesAfter = 10 * time.Minute
	DefaultStaleAfter  = 90 * time.Second
	DefaultUndoWindow  = 7 * time.Second
)

// Room is a door with a panel, as configured.
type Room struct {
	ID         string         // in URLs: a-z, 0-9, hyphen
	Name       string         // as written on the door
	Location   string         // "Building A / Floor 2"; may be empty
	Capacity   int            // seats; 0 is unknown
	Equipment  []string       // free words
	Zone       *time.Location // of the door; never nil
	Language   string         // BCP 47, of the panel
	ZoomID     string         // Zoom's id of the room; empty where the room has no Zoom Room
	Calendar   string         // name of the configured calendar that the room is on
	CalendarID string         // the room's id there: calendar id, mailbox or URL

	CheckIn    CheckInSettings // what the configuration says; the rest comes from Zoom
	StaleAfter time.Duration   // age at which the schedule is called stale; > 0
	UndoWindow time.Duration   // how long a release is held before it is sent; 0 sends at once
}

// CheckInSettings are check-in rules of which any may be unsaid (nil).
type CheckInSettings struct {
	Required    *bool
	OpensBefore *time.Duration // before the start
	ClosesAfter *time.Duration // after the start
}

// Policy is the complete set of check-in rules of a room.
type Policy struct {
	Required    bool          // people have to check in, else the room may be released
	OpensBefore time.Duration // check-in opens so long before the start
	ClosesAfter time.Duration // and is overdue so long after it
}

// Profile is what Zoom itself says about a room.
type Profile struct {
	CheckIn           CheckInSettings
	UnderConstruction bool
}

// Policy joins the room's rules: the configuration wins over Zoom's own settings, which win over
// the defaults.
func (r Room) Policy(p Profile) Policy {
	return Policy{
		Required:    firstOf(true, r.CheckIn.Required, p.CheckIn.Required),
		OpensBefore: firstOf(DefaultOpensBefore, r.CheckIn.OpensBefore, p.CheckIn.OpensBefore),
		ClosesAfter: firstOf(DefaultClosesAfter, r.CheckIn.ClosesAfter, p.CheckIn.ClosesAfter),
	}
}

func firstOf[T any](otherwise T, said ...*T) T {
	for _, v := range said {
		if v != nil {
			return *v
		}
	}
	return otherwise
}
