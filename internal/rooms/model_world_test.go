package rooms_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"roomkiosk/internal/rooms"
)

// clock is the kiosk's clock, which can be wrong. Everybody else's is right.
type clock struct{ off atomic.Int64 }

func (c *clock) Now() time.Time {
	return truly().Add(time.Duration(c.off.Load()))
}

func (c *clock) Timer(d time.Duration) *time.Timer { return time.NewTimer(d) }

// truly is the time.
func truly() time.Time { return time.Now().Round(0).UTC().Truncate(time.Microsecond) }

// meeting is an event as it truly is.
type meeting struct {
	id         string
	start, end time.Time
	checkedIn  bool
	gone       bool
}

// request is one that Zoom's stand-in received.
type request struct {
	kind  rooms.ActionKind
	event string
	at    time.Time // real
}

// outside is all that is true outside the kiosk: a calendar, Zoom, the network between. It is as strict
// as Zoom: what isn't there can't be checked in, and effects come after a while.
type outside struct {
	mu       sync.Mutex
	clock    *clock
	meetings []meeting
	received []request
	reads    map[int64][]meeting // what the calendar showed, by the reader's instant in microseconds

	calendarDown bool
	zoom         string // "", "down", "lost" (carried out, no answer), "busy", "room_offline", "no"
	events       string // "", "lost", "twice"
	hear         func(rooms.News)
}

const effectDelay = 300 * time.Millisecond

func (o *outside) do(f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f()
}

func (o *outside) find(id string) *meeting {
	for i := range o.meetings {
		if o.meetings[i].id == id {
			return &o.meetings[i]
		}
	}
	return nil
}

func (m meeting) reservation() rooms.Reservation {
	return rooms.Reservation{ID: "r-" + m.id, Ref: rooms.EventRef{EventID: m.id, CalendarID: "c"}, Start: m.start, End: m.end}
}

func (o *outside) Read(_ context.Context, _ rooms.Room, from, to time.Time) ([]rooms.Reservation, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.calendarDown {
		return nil, &rooms.Fault{Service: "calendar", Kind: rooms.FaultUnreachable}
	}
	var out []rooms.Reservation
	for _, m := range o.meetings {
		if !m.gone && m.start.Before(to) && m.end.After(from) {
			out = append(out, m.reservation())
		}
	}
	if to.Sub(from) > time.Hour { // not a look at one moment
		o.reads[o.clock.Now().UnixMicro()] = slices.Clone(o.meetings)
	}
	return out, nil
}

func (o *outside) Lookup(_ context.Context, _ rooms.Room, ref rooms.EventRef) (rooms.Reservation, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.calendarDown {
		return rooms.Reservation{}, &rooms.Fault{Service: "calendar", Kind: rooms.FaultUnreachable}
	}
	if m := o.find(ref.EventID); m != nil && !m.gone {
		return m.reservation(), nil
	}
	return rooms.Reservation{}, &rooms.Fault{Service: "calendar", Kind: rooms.FaultNotFound}
}

func (o *outside) CheckIn(_ context.Context, _ rooms.Room, ref rooms.EventRef) error {
	return o.receive(rooms.CheckIn, ref.EventID)
}

func (o *outside) Release(_ context.Context, _ rooms.Room, ref rooms.EventRef) error {
	return o.receive(rooms.Release, ref.EventID)
}

func (o *outside) Profile(context.Context, rooms.Room) (rooms.Profile, error) {
	return rooms.Profile{}, nil
}

// receive takes a request as Zoom does.
func (o *outside) receive(kind rooms.ActionKind, event string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.zoom == "down" {
		return &rooms.Fault{Service: "Zoom", Kind: rooms.FaultUnreachable}
	}
	o.received = append(o.received, request{kind, event, time.Now()})
	m := o.find(event)
	switch {
	case o.zoom == "busy":
		return &rooms.Fault{Service: "Zoom", Kind: rooms.FaultThrottled, RetryAfter: 3 * time.Second}
	case o.zoom == "room_offline":
		return &rooms.Fault{Service: "Zoom", Kind: rooms.FaultRoomOffline}
	case o.zoom == "no", m == nil, m.gone:
		return &rooms.Fault{Service: "Zoom", Kind: rooms.FaultInvalid}
	}
	time.AfterFunc(effectDelay, func() { o.effect(kind, event) })
	if o.zoom == "lost" {
		return &rooms.Fault{Service: "Zoom", Kind: rooms.FaultUnreachable, Ambiguous: true}
	}
	return nil
}

// effect carries a request out, or what people do on Zoom's own display, and tells of it.
func (o *outside) effect(kind rooms.ActionKind, event string) {
	now := truly()
	o.mu.Lock()
	m := o.find(event)
	done := m != nil && !m.gone && m.end.After(now) && (kind == rooms.CheckIn || m.start.Before(now))
	switch {
	case done && kind == rooms.CheckIn:
		m.checkedIn = true
	case done:
		m.end = now.Truncate(time.Second)
	}
	how, hear := o.events, o.hear
	o.mu.Unlock()
	if !done || how == "lost" || hear == nil {
		return
	}
	what := rooms.NewsCheckedIn
	if kind == rooms.Release {
		what = rooms.NewsCheckedOut
	}
	n := rooms.News{ZoomRoomID: "z", Kind: what, At: now, EventIDs: []string{event}}
	hear(n)
	if how == "twice" {
		hear(n)
	}
}

// Publish shows screens to nobody: the test asks for them.
func (o *outside) Publish(rooms.Screen) {}
