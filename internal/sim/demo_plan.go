package sim

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"time"
)

// planner writes the events of the demo company.
type planner struct {
	rooms  []DemoRoom
	people []Person
}

func (w *World) planner() planner { return planner{w.Rooms, people()} }

// dayEvents plans an ordinary working day. The result depends on nothing but the date.
func (w *World) dayEvents(day time.Time) []placed {
	p := w.planner()
	date := day.Format(time.DateOnly)
	order := seeded(date).Perm(len(pitches()))
	all := p.standUp(day)
	for i, room := range w.Rooms {
		all = append(all, p.fill(room, day, order[i*len(order)/len(w.Rooms):(i+1)*len(order)/len(w.Rooms)])...)
	}
	if day.YearDay()%3 == 0 {
		all = append(all, p.allDay(1, day, "Fire drill this week: keep the corridor clear"))
	}
	return all
}

// seeded returns a source that depends on the text only.
func seeded(text string) *rand.Rand {
	sum := sha256.Sum256([]byte(text))
	return rand.New(rand.NewPCG(binary.BigEndian.Uint64(sum[:]), binary.BigEndian.Uint64(sum[8:])))
}

// fill plans a room from half past nine to six with the meetings chosen.
func (p planner) fill(room DemoRoom, day time.Time, chosen []int) []placed {
	dice := seeded(day.Format(time.DateOnly) + room.ID)
	gaps := []int{0, 0, 15, 15, 30, 45, 60}
	at, end := clockTime(day, 9, 30), clockTime(day, 18, 0)
	var all []placed
	for _, n := range chosen {
		at = at.Add(time.Duration(gaps[dice.IntN(len(gaps))]) * time.Minute)
		m := pitches()[n]
		if at.Add(m.length()).After(end) {
			break
		}
		e := p.meeting(room, m, at, dice)
		if dice.IntN(12) == 0 { // a double booking that the room turned down
			e.decline()
		}
		all = append(all, placed{room.CalendarID, e})
		at = at.Add(m.length())
	}
	return all
}

// standUp is the occurrence of a series that Ada has every day.
func (p planner) standUp(day time.Time) []placed {
	room := p.rooms[0]
	start := clockTime(day, 9, 15)
	e := p.meeting(room, pitch{"Stand-up Team Blau", 8, 15, false}, start, seeded("stand-up"))
	e.inSeries(eventID("stand-up", room.ID), "RRULE:FREQ=DAILY")
	return []placed{{room.CalendarID, e}}
}

func (p planner) allDay(room int, day time.Time, title string) placed {
	return placed{p.rooms[room].CalendarID, Event{
		ID: eventID("all-day", room, day.Format(time.DateOnly)), Title: title, Organizer: p.people[6],
		StartDate: day.Format(time.DateOnly), EndDate: day.AddDate(0, 0, 1).Format(time.DateOnly),
		Transparent: true,
	}}
}

// meeting makes an event with its host, some guests and the room.
func (p planner) meeting(room DemoRoom, m pitch, start time.Time, dice *rand.Rand) Event {
	host := p.people[m.host]
	e := Event{
		ID: eventID(room.ID, start.Unix(), m.title), Title: m.title, Organizer: host,
		Start: start, End: start.Add(m.length()),
		Attendees: []Attendee{{Person: host, Response: Accepted}},
	}
	if m.private {
		e.Visibility = Private
	}
	answers := []Response{Accepted, Accepted, Accepted, Maybe, NeedsAction, Declined}
	for _, i := range dice.Perm(len(p.people))[:1+dice.IntN(4)] {
		if i != m.host {
			e.Attendees = append(e.Attendees, Attendee{Person: p.people[i], Response: answers[dice.IntN(len(answers))]})
		}
	}
	e.Attendees = append(e.Attendees, Attendee{
		Person: Person{room.Name, room.CalendarID}, Self: true, Resource: true, Response: Accepted,
	})
	return e
}

// scene is what the demo opens with: see [DemoWorld].
func (w *World) scene(now time.Time) []placed {
	p, dice := w.planner(), seeded("scene")
	var all []placed
	add := func(room int, start time.Time, m pitch) *placed {
		all = append(all, placed{p.rooms[room].CalendarID, p.meeting(p.rooms[room], m, start, dice)})
		return &all[len(all)-1]
	}
	const ada, grace, alan = 0, 1, 2

	started := now.Add(-2 * time.Minute).Truncate(5 * time.Minute)
	add(ada, started.Add(-75*time.Minute), pitch{"Lieferantentermin Aufzug", 0, 60, false})
	add(ada, started, pitch{"Weekly product sync", 2, 30, false}).
		inSeries(eventID("weekly product sync"), "RRULE:FREQ=WEEKLY")
	add(ada, started.Add(30*time.Minute), pitch{"Architekturrunde: Offline-Modus", 8, 45, false})
	add(ada, started.Add(45*time.Minute), pitch{"Vendor demo", 1, 60, false}).decline()
	add(ada, started.Add(105*time.Minute), pitch{"Budget de formation 2027", 3, 60, false})

	later := now.Add(75 * time.Minute).Truncate(15 * time.Minute)
	add(grace, now.Add(-100*time.Minute).Truncate(15*time.Minute), pitch{"Plan de pruebas", 1, 60, false})
	add(grace, later, pitch{"Customer call: Harbour Logistics", 4, 45, false})
	add(grace, later.Add(60*time.Minute), pitch{"Gehaltsgespräch", 0, 30, true})
	all = append(all, p.allDay(grace, midnight(now, w.zone), "Guest network is renewed this week"))

	soon := now.Add(9 * time.Minute).Truncate(5 * time.Minute)
	add(alan, soon, pitch{"Réunion de lancement – nouveau site", 3, 45, false})
	add(alan, soon.Add(45*time.Minute), pitch{"1:1 Sofia / Luca", 6, 30, true})
	add(alan, soon.Add(105*time.Minute), pitch{"Kvartalsplanering", 5, 60, false})
	return all
}

// decline makes the room turn the event down.
func (e *Event) decline() {
	for i := range e.Attendees {
		if e.Attendees[i].Self {
			e.Attendees[i].Response = Declined
		}
	}
}

// inSeries makes the event an occurrence.
func (e *Event) inSeries(series, ruleLine string) {
	e.Series, e.Rule, e.OriginalStart = series, ruleLine, e.Start
	e.ID = instanceID(series, e.Start)
}

func (m pitch) length() time.Duration { return time.Duration(m.minutes) * time.Minute }

// clockTime is a wall-clock time of the day, whatever its clocks do that night.
func clockTime(day time.Time, hour, minute int) time.Time {
	y, m, d := day.Date()
	return time.Date(y, m, d, hour, minute, 0, 0, day.Location())
}
