package zoom

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"roomkiosk/internal/rooms"
)

// EventCounts counts what came by the event stream and the webhook since the start.
type EventCounts struct {
	News      uint64 // passed on to Config.Hear
	Ignored   uint64 // of no interest here: other events and modules
	Malformed uint64 // not understood
	Refused   uint64 // requests to the webhook with a wrong signature or time, or of another account
}

// newsDesk passes on what Zoom tells, and remembers which rooms are offline by what it passed on.
type newsDesk struct {
	hear func(rooms.News)

	passed, ignored, malformed, refused atomic.Uint64

	mu      sync.Mutex      // also keeps the news in order
	offline map[string]bool // by Zoom's id of the room
	fresh   map[string]bool // rooms told about since a list was asked for; nil: none is awaited
}

func newNewsDesk(hear func(rooms.News)) *newsDesk {
	if hear == nil {
		hear = func(rooms.News) {}
	}
	return &newsDesk{hear: hear, offline: map[string]bool{}}
}

// EventCounts returns the counts.
func (c *Client) EventCounts() EventCounts {
	d := c.desk
	return EventCounts{News: d.passed.Load(), Ignored: d.ignored.Load(), Malformed: d.malformed.Load(), Refused: d.refused.Load()}
}

// hear passes an event on, if it matters.
func (c *Client) hear(ctx context.Context, e event) {
	n, ok := e.news(c.clock.Now())
	if !ok {
		c.desk.ignored.Add(1)
		return
	}
	if form, seen := e.Payload.Object.form(); form != "" && len(n.EventIDs) > 0 {
		c.exchange.saw(ctx, form, seen)
	}
	c.desk.tell(n)
}

// tell passes news on.
func (d *newsDesk) tell(n rooms.News) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fresh != nil {
		d.fresh[n.ZoomRoomID] = true
	}
	d.pass(n)
}

// pass is tell with d.mu held.
func (d *newsDesk) pass(n rooms.News) {
	switch n.Kind {
	case rooms.NewsRoomOffline:
		d.offline[n.ZoomRoomID] = true
	case rooms.NewsRoomOnline:
		delete(d.offline, n.ZoomRoomID)
	case rooms.NewsCheckedIn, rooms.NewsCheckedOut:
	}
	d.passed.Add(1)
	d.hear(n)
}

// asking notes that a list of the offline rooms is asked for now.
func (d *newsDesk) asking() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fresh = map[string]bool{}
}

// listed passes on what the list says that was asked for at an instant. A room that was told about
// meanwhile is left out: that is newer.
func (d *newsDesk) listed(list []RoomInfo, at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := make(map[string]bool, len(list))
	for _, r := range list {
		if r.ID == "" {
			continue
		}
		now[r.ID] = true
		if !d.fresh[r.ID] { // again, if it was told before: news of a room that is offline gets old
			d.pass(rooms.News{ZoomRoomID: r.ID, Kind: rooms.NewsRoomOffline, At: at})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(d.offline)) {
		if !now[id] && !d.fresh[id] {
			d.pass(rooms.News{ZoomRoomID: id, Kind: rooms.NewsRoomOnline, At: at})
		}
	}
	d.fresh = nil
}
