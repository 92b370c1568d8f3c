package views

import (
	"strconv"
	"time"
	"unicode/utf8"

	"roomkiosk/internal/rooms"
	"roomkiosk/static"
)

// Options say who looks at a room, and with what.
type Options struct {
	Panel      bool           // the browser on the wall: fills the glass, never scrolls, has the buttons
	ReadOnly   bool           // a panel whose taps would be refused: it says so and has no buttons
	ShowTitles bool           // of meetings that aren't private; organizers likewise
	Build      string         // changes with every build: open pages reload themselves
	Assets     *static.Assets // never nil
}

// Tone is the colour and the icon of a status, on top of its word.
type Tone string

// The tones.
const (
	ToneFree    Tone = "free"
	ToneSoon    Tone = "soon"
	ToneBooked  Tone = "booked"
	ToneBusy    Tone = "busy"
	ToneUnknown Tone = "unknown"
	ToneClosed  Tone = "closed"
)

// Room is what a room's screen shows. See [NewRoom].
type Room struct {
	Page     Page
	ID       string
	Name     string
	Place    string
	Facts    []Fact // seats and equipment
	Home     bool   // a way to the other rooms
	Zone     string // IANA, for the running clock; empty: the time isn't known, so none runs
	Clock    string // the time when this was made
	Date     string // empty: not known
	Doubtful bool   // the schedule is too old, so that the status is a guess
	Head     Headline
	Meeting  *Meeting // that the headline speaks of
	Flags    []Notice
	Notices  []Notice // where people's taps stand
	Buttons  []Button
	Day      Day
	Fault    string // for IT: why the calendar can't be read; on viewers only
}

// Fact is a thing about a room with its icon.
type Fact struct{ Icon, Text string }

// Headline is the status: a word, a line with a time, and what a script counts down.
type Headline struct {
	Tone   Tone
	Icon   string
	Word   string
	Long   bool // the word is too long for the largest letters
	Line   string
	Timer  *Countdown
	Detail string // a sentence where the line doesn't say enough
}

// Notice is a sentence with its icon. Kind is wait, done, bad or warn.
type Notice struct {
	ID    string // stable while it is about the same thing
	Kind  string
	Icon  string
	Text  string
	Timer *Countdown // stands in the place of the text where there is one
}

// Meeting is a reservation as far as it may be told.
type Meeting struct {
	ID        string
	Title     string // a word at least
	Organizer string
	From, To  string
	Said      string // from and to, for screen readers
	Badge     string
	Kind      string // css: now, open, overdue, checked, released, ended, later
	Private   bool
}

// Button is a form with one button.
type Button struct {
	ID          string
	Action      string // URL
	Reservation string
	Kind        string // check-in, release, undo
	Icon        string
	Label       string
	Hint        string // under the label
	Said        string // full name, for screen readers
	Primary     bool
}

// NewRoom makes a room's view model out of its screen.
func NewRoom(s rooms.Screen, o Options) Room {
	r := Room{
		ID: s.Room.ID, Name: s.Room.Name, Place: s.Room.Location, Facts: factsOf(s.Room),
		Zone: s.Room.Zone.String(), Clock: clock(s.Now, s.Room.Zone), Date: date(s.Now, s.Room.Zone),
		Doubtful: s.Has(rooms.FlagStale), Home: !o.Panel,
		Head:    headlineOf(s),
		Flags:   flagsOf(s),
		Notices: noticesOf(s),
		Day:     dayOf(s, o),
	}
	r.Page = roomPage(s, o)
	if s.Has(rooms.FlagClockUntrusted) {
		r.Zone, r.Clock, r.Date = "", say("clock.unknown"), ""
	}
	if b := subjectOf(s); b != nil {
		m := meetingOf(*b, s, o)
		if m.Kind == "overdue" {
			m.Badge = "" // the headline says it
		}
		r.Meeting = &m
	}
	switch {
	case o.Panel && o.ReadOnly:
		r.Notices = append(r.Notices, readOnlyNote())
	case o.Panel:
		r.Buttons = buttonsOf(s, o)
	}
	if !o.Panel {
		r.Fault = FaultMessage(s.Fault)
	}
	return r
}

func factsOf(room rooms.Room) []Fact {
	var facts []Fact
	if room.Capacity > 0 {
		text := say("seats.many", "n", strconv.Itoa(room.Capacity))
		if room.Capacity == 1 {
			text = say("seats.one")
		}
		facts = append(facts, Fact{Icon: "seats", Text: text})
	}
	for _, e := range room.Equipment {
		facts = append(facts, Fact{Text: e})
	}
	return facts
}

// subjectOf is the reservation that the headline speaks of: the current one, else the next one once
// it can be checked in; nil: there is none, or it isn't known.
func subjectOf(s rooms.Screen) *rooms.Booking {
	switch s.Status {
	case rooms.InUse, rooms.AwaitingCheckIn:
		return s.Current
	case rooms.StartingSoon:
		return s.Next
	default:
		return nil
	}
}

func toneOf(s rooms.Screen) Tone {
	if s.Has(rooms.FlagUnderConstruction) {
		return ToneClosed
	}
	switch s.Status {
	case rooms.Available:
		return ToneFree
	case rooms.StartingSoon:
		return ToneSoon
	case rooms.AwaitingCheckIn:
		return ToneBooked
	case rooms.InUse:
		return ToneBusy
	default:
		return ToneUnknown
	}
}

// longWord is how many letters fit across a small panel in the largest size.
const longWord = 6

// headlineOf says the status in a word and a line.
func headlineOf(s rooms.Screen) Headline {
	tone := toneOf(s)
	h := Headline{Tone: tone, Icon: string(tone), Word: StatusWord(s)}
	h.Long = utf8.RuneCountInString(h.Word) > longWord
	switch tone {
	case ToneFree:
		h.Line = untilLine(s)
		if s.Has(rooms.FlagStale) { // somebody may have booked it since
			h.Word, h.Icon = say("status.available.doubted"), string(ToneUnknown)
		}
	case ToneSoon:
		h.Line = say("line.starts", "time", moment(s.Until, s))
		if !day(s.Until, s.Room.Zone).Equal(s.Today) {
			h.Line = say("line.starts_on", "time", moment(s.Until, s))
		}
		h.Timer = timer("timer.in", s.Until, "")
	case ToneBooked:
		h.Line, h.Timer, h.Detail = bookedLine(s)
	case ToneBusy:
		h.Line = untilLine(s)
		if !lastsToday(s) {
			h.Timer = timer("timer.left", s.Until, "")
		}
	case ToneClosed:
		h.Line, h.Detail = say("line.construction"), say("detail.closed")
	case ToneUnknown:
		h.Line, h.Detail = unknownLine(s)
	}
	return h
}

// unknownLine says why the status isn't known.
func unknownLine(s rooms.Screen) (line, detail string) {
	switch {
	case s.Has(rooms.FlagClockUntrusted):
		return say("line.clock"), say("detail.clock")
	case s.AsOf.IsZero():
		return say("line.unread"), say("detail.unread")
	default:
		return say("line.outdated"), say("detail.outdated")
	}
}

// lastsToday tells whether the status lasts as long as the day, as far as is known.
func lastsToday(s rooms.Screen) bool {
	tomorrow := rooms.DayStart(s.Today, s.Room.Zone, 1)
	return s.Until.IsZero() || s.Until.Equal(tomorrow) || s.Status == rooms.Available && s.Until.After(tomorrow)
}

// untilLine says how long a status lasts.
func untilLine(s rooms.Screen) string {
	if lastsToday(s) {
		return say("line.rest_of_day")
	}
	return say("line.until", "time", moment(s.Until, s))
}

func bookedLine(s rooms.Screen) (line string, t *Countdown, detail string) {
	if s.Current != nil && s.Current.Phase == rooms.Overdue {
		return say("line.overdue"), nil, say("detail.overdue")
	}
	if s.Current == nil || s.Current.CheckInCloses.IsZero() {
		return untilLine(s), nil, ""
	}
	closes := s.Current.CheckInCloses
	return say("line.check_in_by", "time", moment(closes, s)), timer("timer.left", closes, ""), ""
}

// meetingOf tells of a booking what may be told.
func meetingOf(b rooms.Booking, s rooms.Screen, o Options) Meeting {
	m := Meeting{ID: b.ID, Title: titleOf(b.Title, b.Private, o), Private: b.Private, Kind: kindOf(b, s)}
	if o.ShowTitles && !b.Private {
		m.Organizer = b.Organizer
	}
	on := day(s.Now, s.Room.Zone)
	if b.Start.After(s.Now) {
		on = day(b.Start, s.Room.Zone)
	}
	m.From, m.To = edge(b.Start, on, s.Room.Zone), endOf(b.Reservation, on, s.Room.Zone)
	m.Said = say("time.range.said", "from", m.From, "to", m.To)
	if b.AllDay {
		m.From, m.To, m.Said = say("day.all_day"), "", say("day.all_day")
	}
	m.Badge = badgeOf(b, s)
	return m
}

// titleOf is what may be shown of a title: never nothing.
func titleOf(title string, private bool, o Options) string {
	switch {
	case private:
		return say("title.private")
	case title == "" || !o.ShowTitles:
		return say("title.none")
	default:
		return title
	}
}

func kindOf(b rooms.Booking, s rooms.Screen) string {
	switch b.Phase {
	case rooms.Ended:
		return "ended"
	case rooms.Released:
		return "released"
	case rooms.CheckedIn:
		return "checked"
	case rooms.Overdue:
		return "overdue"
	case rooms.CheckInOpen:
		return "open"
	default:
		if !b.Start.After(s.Now) {
			return "open"
		}
		return "later"
	}
}

func badgeOf(b rooms.Booking, s rooms.Screen) string {
	switch {
	case b.Phase == rooms.Released:
		return say("badge.released")
	case b.Phase == rooms.CheckedIn && s.Policy.Required:
		return say("badge.checked_in")
	case b.Phase == rooms.Overdue && s.Status != rooms.Unknown:
		return say("badge.overdue")
	case b.Tentative && b.Phase != rooms.Ended:
		return say("badge.tentative")
	default:
		return ""
	}
}

// date is the day at the door in words.
func date(t time.Time, zone *time.Location) string { return t.In(zone).Format("Mon 2 Jan") }

// timeRange is when a meeting is, on one line.
func timeRange(m Meeting) string {
	if m.To == "" {
		return m.From
	}
	return say("time.range", "from", m.From, "to", m.To)
}

func readOnlyNote() Notice {
	return Notice{ID: "read-only", Kind: "wait", Icon: "lock", Text: say("note.not_this_panel")}
}
