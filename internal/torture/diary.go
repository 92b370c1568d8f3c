package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"roomkiosk/internal/harness"
	"roomkiosk/internal/rooms"
	"roomkiosk/internal/sim"
)

const (
	perDoor  = 24               // meetings at a time: they overlap, so that there is always something to tap
	shortest = 12 * time.Second // long enough for a release that is held
	diaryGap = 200 * time.Millisecond
	keptFor  = 10 * time.Second // on the calendar after its end
)

// meeting is one in the diary.
type meeting struct {
	door               door
	event, reservation string
	start, end         time.Time
	cancelled          time.Time // zero: it wasn't
}

// diary keeps the office's calendars full of short meetings, edits some as organizers do, and clears
// away those that are over. It is safe for concurrent use.
type diary struct {
	office  *office
	longest time.Duration

	mu   sync.Mutex
	dice *rand.Rand
	live []meeting
	past map[string]truth // of meetings that are no longer on their calendars
	made int
}

func newDiary(o *office, dice *rand.Rand, longest time.Duration) *diary {
	return &diary{office: o, dice: dice, longest: longest, past: map[string]truth{}}
}

// run keeps the diary until the context ends.
func (d *diary) run(ctx context.Context) {
	for d.keep(time.Now()); harness.Wait(ctx, diaryGap) == nil; {
		d.keep(time.Now())
	}
}

func (d *diary) keep(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	have := map[string]int{}
	d.live = slices.DeleteFunc(d.live, func(m meeting) bool {
		if now.After(m.end.Add(keptFor)) {
			d.past[m.event] = d.truth(m)
			d.office.world.Calendar.Remove(m.door.calendarID, m.event)
			return true
		}
		if now.Before(m.end) {
			have[m.door.id]++
		}
		return false
	})
	for _, at := range d.office.doors {
		for ; have[at.id] < perDoor; have[at.id]++ {
			d.add(at, now)
		}
	}
	if d.dice.IntN(4) == 0 {
		d.edit(now)
	}
}

// add puts a meeting on a calendar: most run already, some begin soon.
func (d *diary) add(at door, now time.Time) {
	d.made++
	m := meeting{door: at, event: fmt.Sprintf("meeting%05d", d.made)}
	m.reservation = rooms.ReservationID(at.calendarID, m.event)
	m.start = now.Add(time.Duration(d.dice.IntN(10)-8) * time.Second).Truncate(time.Second)
	m.end = now.Add(shortest + time.Duration(d.dice.Int64N(int64(d.longest-shortest)))).Truncate(time.Second)
	d.live = append(d.live, m)
	d.office.meet(at, m.event, m.start, m.end)
}

// edit does to some meeting what organizers do: they cancel it, or make it longer.
func (d *diary) edit(now time.Time) {
	m := &d.live[d.dice.IntN(len(d.live))]
	if !now.Before(m.end) || !m.cancelled.IsZero() {
		return
	}
	calendar := d.office.world.Calendar
	if d.dice.IntN(2) == 0 {
		m.cancelled = now
		calendar.Cancel(m.door.calendarID, m.event)
		return
	}
	calendar.Change(m.door.calendarID, m.event, func(e *sim.Event) {
		if e.End.Equal(m.end) { // nobody released it
			m.end = m.end.Add(5 * time.Second)
			e.End = m.end
		}
	})
}

// some is a meeting that somebody may tap on. False: there is none.
func (d *diary) some(dice *rand.Rand) (meeting, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.live) == 0 {
		return meeting{}, false
	}
	return d.live[dice.IntN(len(d.live))], true
}

// last is when the last meeting ends.
func (d *diary) last() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	var last time.Time
	for _, m := range d.live {
		if m.end.After(last) {
			last = m.end
		}
	}
	return last
}

// truths are where all meetings stand, by event.
func (d *diary) truths() map[string]truth {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := map[string]truth{}
	for event, t := range d.past {
		out[event] = t
	}
	for _, m := range d.live {
		out[m.event] = d.truth(m)
	}
	return out
}

// truth looks a meeting up on its calendar. One that was cancelled was over from then on.
func (d *diary) truth(m meeting) truth {
	e, ok := d.office.world.Calendar.Event(m.door.calendarID, m.event)
	if !ok {
		return truth{end: m.end}
	}
	if !m.cancelled.IsZero() && m.cancelled.Before(e.End) {
		e.End = m.cancelled
	}
	return truth{end: e.End, checkedIn: !e.CheckedIn.IsZero()}
}
