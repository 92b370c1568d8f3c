package ews

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"sync"
	"time"

	"roomkiosk/internal/calendar"
	"roomkiosk/internal/rooms"
)

const (
	pageSize    = 250         // items of one answer
	maxRequests = 32          // for one read
	minPart     = time.Minute // windows are not split any further
)

// listing is what the answers of one read come to.
type listing struct {
	reservations []rooms.Reservation
	items        int
	broken       []string          // ids of the items that could not be read; an item without one is "?"
	single       bool              // it all came in one answer, which says that it is whole
	sum          [sha256.Size]byte // of that answer
}

// add turns an answer's items into reservations.
func (l *listing) add(all []item, v view) {
	l.items += len(all)
	for i := range all {
		it := &all[i]
		if !it.blocks() {
			continue
		}
		r, err := it.reservation(v)
		if err != nil {
			l.broken = append(l.broken, it.name())
			continue
		}
		if r.Start.Before(v.to) && (r.End.After(v.from) || r.Start.Equal(v.from)) {
			l.reservations = append(l.reservations, r)
		}
	}
}

// unite keeps each reservation once: one that reaches over the parts of a window is in the answers
// to several. The later one holds, in case it was edited meanwhile.
func (l *listing) unite() {
	seen := make(map[string]bool, len(l.reservations))
	slices.Reverse(l.reservations)
	l.reservations = slices.DeleteFunc(l.reservations, func(r rooms.Reservation) bool {
		again := seen[r.ID]
		seen[r.ID] = true
		return again
	})
	slices.Reverse(l.reservations)
	slices.Sort(l.broken)
	l.broken = slices.CompactFunc(l.broken, func(a, b string) bool { return a == b && a != "?" })
}

// unreadable tells whether nothing at all could be read. One broken item costs that item; several
// and nothing else is an answer in another format, which must not pass for an empty calendar.
func (l *listing) unreadable() bool {
	return l.items > 1 && len(l.broken) == l.items
}

func (c *Calendar) read(ctx context.Context, v view) ([]rooms.Reservation, error) {
	if err := v.check(); err != nil {
		return nil, err
	}
	if !v.from.Before(v.to) {
		return nil, &rooms.Fault{Service: service, Kind: rooms.FaultInvalid, Detail: "a window that ends before it starts"}
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	known := c.memory.of(v)
	l, err := c.list(ctx, v, known)
	if errors.Is(err, errUnchanged) {
		c.report(v.mailbox, known.broken)
		return slices.Clone(known.reservations), nil
	}
	if err != nil {
		return nil, err
	}
	if l.unreadable() {
		return nil, bad(errors.New("no item could be read"))
	}
	l.unite()
	c.report(v.mailbox, l.broken)
	c.memory.keep(v, l)
	return l.reservations, nil
}

// part is a stretch of the window that is asked for at once.
type part struct{ from, to time.Time }

// list asks for the whole window, and in halves for what didn't fit into one answer: a CalendarView
// has no pages. When the first answer is the known one, that is errUnchanged.
func (c *Calendar) list(ctx context.Context, v view, known remembered) (listing, error) {
	var l listing
	budget := int64(calendar.MaxAnswer)
	todo := []part{v.fullDays()}
	for n := 1; len(todo) > 0; n++ {
		p := todo[0]
		todo = todo[1:]
		r := findItem(p.from, p.to, pageSize)
		if n == 1 {
			r.known = known
		}
		m, err := c.call(ctx, v.mailbox, r, budget)
		if err != nil && !tooMany(err) {
			return listing{}, err
		}
		if err == nil {
			if m.Root == nil || m.Root.Items == nil {
				return listing{}, bad(errors.New("an answer without items"))
			}
			budget -= int64(m.size)
			if m.Root.whole() {
				l.add(m.Root.Items.All, v)
				l.single, l.sum = n == 1 && yes(m.Root.Whole), m.sum
				continue
			}
		}
		halves := p.split()
		if halves == nil || n+len(todo)+len(halves) > maxRequests {
			return listing{}, bad(errors.New("more items than can be read"))
		}
		todo = append(halves, todo...)
	}
	return l, nil
}

// whole tells whether no item was left out. A server that doesn't say so answered in full.
func (r *root) whole() bool {
	return r.Whole == "" || yes(r.Whole)
}

// fullDays widens a window to days of the room. The days of an all-day item may lie up to half a day
// beside those of the room, and it is all of a day that overlaps them for sure.
func (v view) fullDays() part {
	p := part{rooms.DayStart(v.from, v.zone, 0), rooms.DayStart(v.to, v.zone, 0)}
	if p.to.Before(v.to) {
		p.to = rooms.DayStart(v.to, v.zone, 1)
	}
	return p
}

func (p part) split() []part {
	length := p.to.Sub(p.from)
	if length <= minPart {
		return nil
	}
	middle := p.from.Add(length / 2).Truncate(time.Second)
	return []part{{p.from, middle}, {middle, p.to}}
}

// known are the items of each mailbox that were logged as broken at its last read.
type known struct {
	mu  sync.Mutex
	ids map[string][]string
}

// replace returns those that weren't known.
func (k *known) replace(mailbox string, ids []string) []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	before := k.ids[mailbox]
	if k.ids == nil {
		k.ids = map[string][]string{}
	}
	if len(ids) == 0 {
		delete(k.ids, mailbox)
	} else {
		k.ids[mailbox] = ids
	}
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return slices.Contains(before, id) })
}

// report counts the items that could not be read, and logs those that are new.
func (c *Calendar) report(mailbox string, ids []string) {
	c.dropped.Add(uint64(len(ids)))
	for _, id := range c.broken.replace(mailbox, ids) {
		c.log.Warn("calendar item not read", "calendar_id", mailbox, "event_id", id)
	}
}
