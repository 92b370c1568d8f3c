package web

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"roomkiosk/internal/rooms"
	"roomkiosk/views"
)

const (
	historyDays  = 14     // that are told in detail
	countDays    = 400    // before those, of which counts are told
	historyPage  = 200    // entries of a page
	historyLimit = 20_000 // entries that are read; more than that happen only to a room that is broken
)

// History is what happened in the rooms, as the store keeps it.
type History interface {
	// HistoryOf returns what happened in a room since an instant, newest first, at most limit of it.
	HistoryOf(ctx context.Context, room string, since time.Time, limit int) ([]rooms.Happening, error)
	// CountsOf returns what is left of older times, from a day of the room's zone on ("2026-11-22").
	CountsOf(ctx context.Context, room string, sinceDay string) ([]rooms.Count, error)
}

// errHistoryUnread is what programs get; the page says it among what it still knows.
var errHistoryUnread = &problem{
	Status: http.StatusServiceUnavailable, Code: "history_unread",
	Title: "The history can't be read", Detail: "The kiosk's disk needs a look. The log says why.",
}

// historyJSON answers GET /api/v1/rooms/{room}/history?before=INSTANT: what the kiosk knows about a
// room, and what happened there, for IT. There are no titles, names or ids of events in it.
//
//	{"room": "ada", "time_zone": "Europe/Berlin", "now": "2026-11-24T13:12:00Z",
//	 "status": "available", "flags": ["stale"],
//	 "schedule": {"source": "google", "as_of": "2026-11-24T13:05:00Z", "error": ""},
//	 "zoom": {"error": ""},
//	 "taps": [{"kind": "release", "origin": "panel", "start": "...", "end": "...", "tapped_at": "...",
//	           "state": "queued", "reason": "unreachable", "attempts": 3, "next_try": "...", "message": "..."}],
//	 "troubles": [{"since": "...", "text": "..."}],
//	 "happenings": [{"at": "...", "day": "2026-11-24", "what": "released", "cause": "no_show",
//	                 "status": "available", "start": "...", "end": "...", "spent_seconds": 1200,
//	                 "detail": "", "message": "Released: nobody had checked in."}],
//	 "older": "/api/v1/rooms/ada/history?before=2026-11-20T08%3A00%3A00.000001Z",
//	 "counts": [{"day": "2026-11-09", "what": "ended", "cause": "time", "times": 5, "spent_seconds": 14400}]}
//
// Happenings are the newest 200 before the instant, newest first, of the last 14 days; older names
// the next ones, and is empty at the end. Counts are of the days before those, and come with the
// newest happenings only. next_try, start and end are null where there is none.
type historyJSON struct {
	Room       string          `json:"room"`
	TimeZone   string          `json:"time_zone"`
	Now        *time.Time      `json:"now"`
	Status     rooms.Status    `json:"status"`
	Flags      []rooms.Flag    `json:"flags"`
	Schedule   scheduleJSON    `json:"schedule"`
	Zoom       zoomJSON        `json:"zoom"`
	Taps       []tapJSON       `json:"taps"`
	Troubles   []troubleJSON   `json:"troubles"`
	Happenings []happeningJSON `json:"happenings"`
	Older      string          `json:"older"`
	Counts     []countJSON     `json:"counts"`
}

type zoomJSON struct {
	Error string `json:"error"`
}

type tapJSON struct {
	Kind     rooms.ActionKind  `json:"kind"`
	Origin   string            `json:"origin"`
	Start    *time.Time        `json:"start"`
	End      *time.Time        `json:"end"`
	TappedAt *time.Time        `json:"tapped_at"`
	State    rooms.ActionState `json:"state"`
	Reason   rooms.Reason      `json:"reason"`
	Attempts int               `json:"attempts"`
	NextTry  *time.Time        `json:"next_try"`
	Message  string            `json:"message"`
}

type troubleJSON struct {
	Since *time.Time `json:"since"`
	Text  string     `json:"text"`
}

type happeningJSON struct {
	At           *time.Time   `json:"at"`
	Day          string       `json:"day"`
	What         rooms.What   `json:"what"`
	Cause        rooms.Cause  `json:"cause"`
	Status       rooms.Status `json:"status"`
	Start        *time.Time   `json:"start"`
	End          *time.Time   `json:"end"`
	SpentSeconds int64        `json:"spent_seconds"`
	Detail       string       `json:"detail"`
	Message      string       `json:"message"`
}

type countJSON struct {
	Day          string      `json:"day"`
	What         rooms.What  `json:"what"`
	Cause        rooms.Cause `json:"cause"`
	Times        int         `json:"times"`
	SpentSeconds int64       `json:"spent_seconds"`
}

// showHistory answers GET /rooms/{room}/history?before=INSTANT. Where the history can't be read, the
// page still says what the kiosk knows now.
func (s *Server) showHistory(c echo.Context) error {
	k, err := s.keeper(c)
	if err != nil {
		return err
	}
	before, err := beforeOf(c.QueryParams())
	if err != nil {
		return err
	}
	screen := k.Screen()
	past, err := s.past(c, screen, before)
	if err != nil {
		s.cfg.Log.Error("history not read", "room", screen.Room.ID, "error", err)
		past.Unread = true
	}
	return render(c, http.StatusOK, views.HistoryPage(views.NewHistory(screen, past, s.cfg.Build, s.cfg.Assets)))
}

// readHistory answers GET /api/v1/rooms/{room}/history.
func (s *Server) readHistory(c echo.Context) error {
	k, err := s.keeper(c)
	if err != nil {
		return err
	}
	before, err := beforeOf(c.QueryParams())
	if err != nil {
		return err
	}
	screen := k.Screen()
	past, err := s.past(c, screen, before)
	if err != nil {
		s.cfg.Log.Error("history not read", "room", screen.Room.ID, "error", err)
		return errHistoryUnread
	}
	return c.JSON(http.StatusOK, historyOf(screen, past))
}

// past reads the part of a room's history before an instant; zero: the newest.
func (s *Server) past(c echo.Context, screen rooms.Screen, before time.Time) (views.Past, error) {
	p := views.Past{Before: before}
	if s.cfg.Troubles != nil {
		p.Troubles = s.cfg.Troubles()
	}
	ctx, room := c.Request().Context(), screen.Room
	all, err := s.cfg.History.HistoryOf(ctx, room.ID, screen.Now.AddDate(0, 0, -historyDays), historyLimit)
	if err != nil {
		return p, err
	}
	var more bool
	if p.Happenings, more = pageOf(all, before); more {
		last := p.Happenings[len(p.Happenings)-1].At
		p.Older = c.Request().URL.Path + "?before=" + url.QueryEscape(last.UTC().Format(time.RFC3339Nano))
	}
	if before.IsZero() {
		since := screen.Today.AddDate(0, 0, -countDays).Format(time.DateOnly)
		p.Counts, err = s.cfg.History.CountsOf(ctx, room.ID, since)
	}
	return p, err
}

// pageOf is the newest page before an instant, and whether there is more. Entries of the same instant
// stay together, so that the instant of the last one says where the next page begins.
func pageOf(all []rooms.Happening, before time.Time) (page []rooms.Happening, more bool) {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b rooms.Happening) int { return b.At.Compare(a.At) })
	if !before.IsZero() {
		all = slices.DeleteFunc(all, func(h rooms.Happening) bool { return !h.At.Before(before) })
	}
	end := min(historyPage, len(all))
	for end > 0 && end < len(all) && all[end].At.Equal(all[end-1].At) {
		end++
	}
	return all[:end], end < len(all)
}

// rfc3339 is the format to the letter; time.Parse takes more.
var rfc3339 = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$`)

// beforeOf reads the instant before which the history is asked for. There is at most one, exactly as
// RFC 3339 has it.
func beforeOf(q url.Values) (time.Time, error) {
	said, ok := q["before"]
	if !ok {
		return time.Time{}, nil
	}
	if len(said) == 1 && rfc3339.MatchString(said[0]) {
		if t, err := time.Parse(time.RFC3339Nano, said[0]); err == nil && !t.IsZero() {
			return t, nil
		}
	}
	return time.Time{}, malformed("Give before as one instant, such as 2026-11-24T09:00:00Z.")
}

func historyOf(s rooms.Screen, p views.Past) historyJSON {
	out := historyJSON{
		Room: s.Room.ID, TimeZone: s.Room.Zone.String(), Now: instant(s.Now), Status: s.Status, Flags: nonNil(s.Flags),
		Schedule:   scheduleJSON{Source: s.Source, AsOf: instant(s.AsOf), Error: views.FaultMessage(s.Fault)},
		Zoom:       zoomJSON{Error: views.FaultMessage(s.ZoomFault)},
		Taps:       make([]tapJSON, len(s.Actions)),
		Troubles:   make([]troubleJSON, len(p.Troubles)),
		Happenings: make([]happeningJSON, len(p.Happenings)),
		Older:      p.Older,
		Counts:     make([]countJSON, len(p.Counts)),
	}
	for i, a := range s.Actions {
		out.Taps[i] = tapOf(a, s)
	}
	for i, t := range p.Troubles {
		out.Troubles[i] = troubleJSON{Since: instant(t.Since), Text: t.Text}
	}
	for i, h := range p.Happenings {
		out.Happenings[i] = happeningJSON{
			At: instant(h.At), Day: h.Day, What: h.What, Cause: h.Cause, Status: h.Status, Start: instant(h.Start),
			End: instant(h.End), SpentSeconds: int64(h.Spent / time.Second), Detail: h.Detail,
			Message: views.HappeningMessage(h, s),
		}
	}
	for i, n := range p.Counts {
		out.Counts[i] = countJSON{Day: n.Day, What: n.What, Cause: n.Cause, Times: n.Times, SpentSeconds: int64(n.Spent / time.Second)}
	}
	return out
}

func tapOf(a rooms.Action, s rooms.Screen) tapJSON {
	t := tapJSON{
		Kind: a.Kind, Origin: a.Origin, Start: instant(a.Start), End: instant(a.End), TappedAt: instant(a.TappedAt),
		State: a.State, Reason: a.Reason, Attempts: a.Attempts, Message: views.TapMessage(a, s),
	}
	if a.State == rooms.Queued {
		t.NextTry = instant(a.DueAt)
	}
	return t
}
