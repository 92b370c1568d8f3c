package views

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"roomkiosk/internal/rooms"
	"roomkiosk/static"
)

// Trouble is something wrong with what this kiosk keeps on its disk, for IT.
type Trouble struct {
	Since time.Time
	Text  string // sentences: what happened, and what to do
}

// Past is what is known of a room's history, and which part of it is asked for.
type Past struct {
	Happenings []rooms.Happening // newest first
	Counts     []rooms.Count     // of the days before those; on the newest page only
	Troubles   []Trouble
	Before     time.Time // the part before this instant; zero: the newest
	Older      string    // URL of the part before; empty: there is none
	Unread     bool      // it could not be read
}

// History is the page that explains a room to IT. It has no titles, names or ids of events.
type History struct {
	Page     Page
	Name     string
	Room     string // URL of the room
	Before   string // empty on the newest part, which alone has Known, Troubles, Taps and Months
	Known    []Known
	Troubles []Entry
	Taps     []Entry
	Unread   bool
	Days     []HistoryDay
	Older    string // URLs; empty: none
	Newest   string
	Months   []Month
}

// Known is something that the kiosk knows now.
type Known struct {
	Name  string
	Lines []string
	Bad   bool
}

// HistoryDay is what happened on a day, newest first.
type HistoryDay struct {
	Heading string
	Entries []Entry
}

// Entry is a line of the history.
type Entry struct {
	At, Clock, Seconds string // RFC 3339; "10:10"; ":05"
	Text               string
	More               string // which meeting, and how much of its time
	Kind               string // css: a tone, or good, bad, plain
}

// Month is what was counted in it.
type Month struct {
	Heading string
	Days    []CountDay
}

// CountDay is what was counted on a day.
type CountDay struct {
	Day  string
	Rows []CountRow
}

// CountRow is a sort of thing that happened: how often, and how much time it came to.
type CountRow struct{ What, Times, Spent string }

// NewHistory makes the page's view model.
func NewHistory(s rooms.Screen, p Past, build string, a *static.Assets) History {
	h := History{
		Page: newPage(say("history.title", "room", s.Room.Name), ViewAdmin, "", build, a),
		Name: s.Room.Name, Room: "/rooms/" + s.Room.ID,
		Unread: p.Unread, Days: historyDays(p.Happenings, s), Older: p.Older,
	}
	h.Page.Styles = append(h.Page.Styles, a.URL("admin.css"))
	if !p.Before.IsZero() {
		h.Before = say("history.before", "time", moment(p.Before, s))
		h.Newest = h.Room + "/history"
		return h
	}
	h.Known = knownOf(s)
	for _, t := range p.Troubles {
		h.Troubles = append(h.Troubles, Entry{At: stamp(t.Since), Clock: moment(t.Since, s), Text: t.Text, Kind: "bad"})
	}
	h.Taps = tapsOf(s)
	h.Months = monthsOf(p.Counts)
	return h
}

func entryAt(t time.Time, s rooms.Screen) Entry {
	at := t.In(s.Room.Zone)
	return Entry{At: stamp(t), Clock: at.Format("15:04"), Seconds: at.Format(":05"), Kind: "plain"}
}

func historyDays(happenings []rooms.Happening, s rooms.Screen) []HistoryDay {
	var days []HistoryDay
	var on time.Time
	for _, h := range happenings {
		if d := day(h.At, s.Room.Zone); len(days) == 0 || !d.Equal(on) {
			on = d
			days = append(days, HistoryDay{Heading: dayHeading(d, s)})
		}
		last := &days[len(days)-1]
		last.Entries = append(last.Entries, entryOf(h, s))
	}
	return days
}

func dayHeading(d time.Time, s rooms.Screen) string {
	switch zone := s.Room.Zone; {
	case d.Equal(s.Today):
		return say("history.today", "date", date(d, zone))
	case d.Equal(rooms.DayStart(s.Today, zone, -1)):
		return say("history.yesterday", "date", date(d, zone))
	default:
		return date(d, zone)
	}
}

func entryOf(h rooms.Happening, s rooms.Screen) Entry {
	e := entryAt(h.At, s)
	e.Text, e.Kind = HappeningMessage(h, s), happeningKind(h)
	var more []string
	if !h.Start.IsZero() {
		on := day(h.At, s.Room.Zone)
		more = append(more, say("history.meeting", "time",
			say("time.range", "from", edge(h.Start, on, s.Room.Zone), "to", edge(h.End, on, s.Room.Zone))))
	}
	if k := key("history.spent." + string(h.What)); h.Spent > 0 && said(k) {
		more = append(more, say(k, "span", span(h.Spent)))
	}
	e.More = strings.Join(more, ", ")
	return e
}

func happeningKind(h rooms.Happening) string {
	switch h.What {
	case rooms.HappenedStatus:
		return "tone-" + string(toneOf(rooms.Screen{Status: h.Status}))
	case rooms.HappenedFailed, rooms.HappenedMissed:
		return "bad"
	case rooms.HappenedFlag:
		if strings.HasPrefix(h.Detail, "-") {
			return "good"
		}
		return "bad"
	default:
		return "plain"
	}
}

// monthsOf lists counts by day, newest first.
func monthsOf(counts []rooms.Count) []Month {
	counts = slices.Clone(counts)
	slices.SortFunc(counts, func(a, b rooms.Count) int {
		return cmp.Or(cmp.Compare(b.Day, a.Day), cmp.Compare(a.What, b.What), cmp.Compare(a.Cause, b.Cause))
	})
	var months []Month
	var on string
	for _, c := range counts {
		d, err := time.Parse(time.DateOnly, c.Day)
		if err != nil {
			continue // of another version
		}
		if heading := d.Format("January 2006"); len(months) == 0 || months[len(months)-1].Heading != heading {
			months = append(months, Month{Heading: heading})
		}
		m := &months[len(months)-1]
		if c.Day != on {
			on = c.Day
			m.Days = append(m.Days, CountDay{Day: d.Format("Mon 2 Jan")})
		}
		last := &m.Days[len(m.Days)-1]
		last.Rows = append(last.Rows, CountRow{What: happened(c.What, c.Cause), Times: strconv.Itoa(c.Times), Spent: span(c.Spent)})
	}
	return months
}

// span is a length of time in words.
func span(d time.Duration) string {
	minutes := int(d.Round(time.Minute) / time.Minute)
	switch {
	case d <= 0:
		return say("span.none")
	case d < time.Minute:
		return say("span.seconds", "n", strconv.Itoa(int(d/time.Second)))
	case minutes < 60:
		return say("span.minutes", "n", strconv.Itoa(minutes))
	default:
		return say("span.hours", "h", strconv.Itoa(minutes/60), "n", strconv.Itoa(minutes%60))
	}
}
