package sim

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"roomkiosk/internal/rooms"
)

// Calendar is the state behind all services: calendars by id, with their events. It is safe for
// concurrent use. What is due by its clock (a check-out on its way, a no-show) is carried out, at its
// own instant, before anybody gets to see or change anything; a running [World] also sees to it that
// what was ordered happens when its time has come, for those who are told of it.
type Calendar struct {
	clock rooms.Clock

	mu     sync.Mutex
	books  map[string]*book
	agenda []task
	rules  []rule
	due    time.Time // when a rule next has something to do; zero: must be asked
	doing  time.Time // the instant of what is being carried out; zero: now
	wake   chan struct{}
}

// book is one calendar.
type book struct {
	name    string
	zone    *time.Location
	touched time.Time // when anything on it last changed
	events  map[string]*Event
	past    chronicle
}

// task is a change that was ordered for an instant.
type task struct {
	at time.Time
	do func(at time.Time)
}

// rule makes changes by itself: next returns the instant of the earliest one and what to do then; a
// nil function means that there is none. Both are called with the calendar locked.
type rule func() (at time.Time, do func(at time.Time))

// NewCalendar returns a Calendar without calendars.
func NewCalendar(clock rooms.Clock) *Calendar {
	return &Calendar{clock: clock, books: map[string]*book{}, wake: make(chan struct{}, 1)}
}

// Open adds an empty calendar. One that exists keeps its events.
func (c *Calendar) Open(id, name string, zone *time.Location) {
	defer c.lock()()
	b := c.book(id)
	b.name, b.zone, b.touched = name, zone, c.instant()
}

// Put adds the event or replaces the one with its id, and returns it as stored. A calendar that
// wasn't opened is, in UTC.
func (c *Calendar) Put(calendarID string, e Event) Event {
	defer c.lock()()
	return c.put(calendarID, e).clone()
}

// Remove forgets the event, as if it had never been.
func (c *Calendar) Remove(calendarID, id string) {
	defer c.lock()()
	b := c.book(calendarID)
	b.touched = c.instant()
	delete(b.events, id)
	b.past.gone(c.instant(), id)
}

// Cancel marks the event as cancelled. False: there is none.
func (c *Calendar) Cancel(calendarID, id string) bool {
	return c.Change(calendarID, id, func(e *Event) { e.Status = Cancelled })
}

// End shortens the event to end at the second of at, but not before its start. It never makes an
// event longer. False: there is none.
func (c *Calendar) End(calendarID, id string, at time.Time) bool {
	return c.Change(calendarID, id, func(e *Event) { e.shorten(at) })
}

// Change edits the event and counts its version up. False: there is none.
func (c *Calendar) Change(calendarID, id string, edit func(*Event)) bool {
	defer c.lock()()
	return c.change(calendarID, id, edit)
}

// Event returns one event, cancelled or not.
func (c *Calendar) Event(calendarID, id string) (Event, bool) {
	defer c.lock()()
	e, ok := c.book(calendarID).events[id]
	if !ok {
		return Event{}, false
	}
	return e.clone(), true
}

// Events returns the events of a calendar, cancelled ones too, by start and id.
func (c *Calendar) Events(calendarID string) []Event {
	defer c.lock()()
	b := c.book(calendarID)
	all := make([]Event, 0, len(b.events))
	for _, e := range b.events {
		all = append(all, e.clone())
	}
	slices.SortFunc(all, func(a, z Event) int {
		from, _ := a.Span(b.zone)
		to, _ := z.Span(b.zone)
		return cmp.Or(from.Compare(to), cmp.Compare(a.ID, z.ID))
	})
	return all
}

// about returns the calendar without its events. False: there is none.
func (c *Calendar) about(id string) (book, bool) {
	defer c.lock()()
	b, ok := c.books[id]
	if !ok {
		return book{}, false
	}
	return book{name: b.name, zone: b.zone, touched: b.touched}, true
}

// after orders a change for an instant of the clock.
func (c *Calendar) after(d time.Duration, do func(at time.Time)) {
	defer c.lock()()
	c.order(d, do)
}

// at orders a change for an instant; one that has passed means now.
func (c *Calendar) at(due time.Time, do func(at time.Time)) {
	defer c.lock()()
	c.orderAt(due, do)
}

// order is after, for a caller who holds the lock.
func (c *Calendar) order(d time.Duration, do func(at time.Time)) { c.orderAt(c.instant().Add(d), do) }

func (c *Calendar) orderAt(due time.Time, do func(at time.Time)) {
	c.agenda = append(c.agenda, task{due, do})
	slices.SortStableFunc(c.agenda, func(a, b task) int { return a.at.Compare(b.at) })
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Settle carries out what is due by the clock. A running [World] does so by itself where the clock's
// timers tell the clock's time; a clock that is moved by hand needs it to be said.
func (c *Calendar) Settle() { c.lock()() }

// run settles whenever the time of something ordered has come, until ctx is done. Rules are left to
// those who look: nobody is told of what they do.
func (c *Calendar) run(ctx context.Context) {
	for {
		var next <-chan time.Time
		stop := func() bool { return true }
		if wait, some := c.untilNext(); some {
			timer := c.clock.Timer(wait)
			next, stop = timer.C, timer.Stop
		}
		select {
		case <-next:
		case <-c.wake:
		case <-ctx.Done():
		}
		stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// untilNext settles, and tells how long it is until the next task. False: there is none.
func (c *Calendar) untilNext() (time.Duration, bool) {
	defer c.lock()()
	if len(c.agenda) == 0 {
		return 0, false
	}
	return c.agenda[0].at.Sub(c.clock.Now()), true
}

// follow adds a rule.
func (c *Calendar) follow(r rule) {
	defer c.lock()()
	c.rules = append(c.rules, r)
	c.due = time.Time{}
}

// reconsider makes the rules be asked again: what they depend on has changed.
func (c *Calendar) reconsider() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.due = time.Time{}
}

// lock takes the calendar, carries out what is due, and returns the unlock.
func (c *Calendar) lock() (unlock func()) {
	c.mu.Lock()
	c.settle(c.clock.Now())
	return c.mu.Unlock
}

// settle carries out every task and rule that is due at now, in the order of their instants.
func (c *Calendar) settle(now time.Time) {
	for {
		at, do := c.nextRule(now)
		if len(c.agenda) > 0 && (do == nil || !at.Before(c.agenda[0].at)) {
			at, do = c.agenda[0].at, c.agenda[0].do
			if !at.After(now) {
				c.agenda = c.agenda[1:]
			}
		}
		if do == nil || at.After(now) {
			return
		}
		c.doing = at
		do(at)
		c.doing, c.due = time.Time{}, time.Time{}
	}
}

// nextRule asks the rules for the earliest thing to do, unless it is known to be later than now.
func (c *Calendar) nextRule(now time.Time) (first time.Time, do func(time.Time)) {
	if c.due.After(now) {
		return time.Time{}, nil
	}
	c.due = now.Add(time.Hour) // without any rule, or with nothing to do: ask again then
	for _, r := range c.rules {
		at, fn := r()
		if fn == nil {
			continue
		}
		if do == nil || at.Before(first) {
			first, do = at, fn
		}
	}
	if do != nil && first.Before(c.due) {
		c.due = first
	}
	return first, do
}

// book returns the calendar, which is opened if it wasn't.
func (c *Calendar) book(id string) *book {
	b, ok := c.books[id]
	if !ok {
		b = &book{name: id, zone: time.UTC, touched: c.instant(), events: map[string]*Event{}}
		b.past.since = c.instant()
		c.books[id] = b
	}
	return b
}

// instant is the time at which a change is made.
func (c *Calendar) instant() time.Time {
	if !c.doing.IsZero() {
		return c.doing
	}
	return c.clock.Now()
}

func (c *Calendar) put(calendarID string, e Event) *Event {
	now := c.instant()
	e = e.clone()
	e.Status, e.Kind = cmp.Or(e.Status, Confirmed), cmp.Or(e.Kind, Ordinary)
	b := c.book(calendarID)
	if old, ok := b.events[e.ID]; ok {
		e.Version, e.Created, e.Updated = old.Version, old.Created, now
	}
	if e.Created.IsZero() {
		e.Created = now
	}
	if e.Updated.IsZero() {
		e.Updated = now
	}
	e.Version++
	b.events[e.ID], b.touched = &e, now
	b.past.now(now, e, b.zone)
	c.due = time.Time{}
	return &e
}

func (c *Calendar) change(calendarID, id string, edit func(*Event)) bool {
	b := c.book(calendarID)
	e, ok := b.events[id]
	if !ok {
		return false
	}
	edit(e)
	e.Version++
	e.Updated, b.touched = c.instant(), c.instant()
	b.past.now(c.instant(), *e, b.zone)
	c.due = time.Time{}
	return true
}

// shorten ends the event at the second of at; see [Calendar.End].
func (e *Event) shorten(at time.Time) {
	at = at.Truncate(time.Second)
	if at.Before(e.Start) {
		at = e.Start
	}
	if !e.AllDay() && at.Before(e.End) {
		e.End = at
	}
}
