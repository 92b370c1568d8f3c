package views

import "roomkiosk/internal/rooms"

// Board is all rooms at a glance.
type Board struct {
	Page  Page
	Cards []Card
}

// Card is one room on the board.
type Card struct {
	ID, Name, Place string
	Zone, Clock     string
	Facts           []Fact
	Doubtful        bool
	Head            Headline
	Now, Next       *Meeting
	Flags           []Notice
}

// NewBoard makes the board's view model. Panel in the options is ignored: a board has no buttons.
func NewBoard(screens []rooms.Screen, o Options) Board {
	b := Board{Page: newPage(say("board.title"), ViewBoard, "/live", o.Build, o.Assets)}
	for _, s := range screens {
		b.Cards = append(b.Cards, NewCard(s, o))
	}
	return b
}

// NewCard makes a room's card on the board.
func NewCard(s rooms.Screen, o Options) Card {
	c := Card{
		ID: s.Room.ID, Name: s.Room.Name, Place: s.Room.Location, Facts: factsOf(s.Room),
		Zone: s.Room.Zone.String(), Clock: clock(s.Now, s.Room.Zone),
		Doubtful: s.Has(rooms.FlagStale), Head: headlineOf(s), Flags: flagsOf(s),
	}
	for _, n := range noticesOf(s) {
		if n.Kind == "wait" && n.Timer == nil || n.Kind == "warn" {
			c.Flags = append(c.Flags, n) // what the door shows, the calendar doesn't show
		}
	}
	subject := subjectOf(s)
	if subject != nil {
		m := meetingOf(*subject, s, o)
		c.Now = &m
	}
	if n := s.Next; n != nil && n != subject && day(n.Start, s.Room.Zone).Equal(s.Today) {
		m := meetingOf(*n, s, o)
		c.Next = &m
	}
	return c
}
