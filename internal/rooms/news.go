package rooms

import "time"

// NewsKind says what Zoom has to tell about a room without being asked.
type NewsKind string

// The news that matter here.
const (
	NewsCheckedIn   NewsKind = "checked_in"   // zoomroom.checked_in: a reservation was checked in, wherever
	NewsCheckedOut  NewsKind = "checked_out"  // zoomroom.checked_out
	NewsRoomOffline NewsKind = "room_offline" // the Zoom Room lost its connection
	NewsRoomOnline  NewsKind = "room_online"  // it has it again
)

// News is an event of Zoom's, from its stream or its webhook. It is a hint: it may come late, twice,
// out of order, or never.
type News struct {
	ZoomRoomID string
	Kind       NewsKind
	At         time.Time // when it happened, by Zoom's clock
	EventIDs   []string  // of the reservation, in every form in which a calendar may name it; none for alerts
}

// names tells whether the news is about an event.
func (n News) names(ref EventRef) bool {
	for _, id := range n.EventIDs {
		if id == ref.EventID {
			return true
		}
	}
	return false
}
