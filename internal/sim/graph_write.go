package sim

import (
	"fmt"
	"net/http"
	"time"
)

type graphMoment struct {
	DateTime string `json:"dateTime"`
	TimeZone string `json:"timeZone"`
}

func (m graphMoment) instant() (time.Time, error) {
	zone, ok := graphZone(m.TimeZone)
	if !ok {
		return time.Time{}, fmt.Errorf("reading time: no zone %q", m.TimeZone)
	}
	return time.ParseInLocation("2006-01-02T15:04:05", m.DateTime, zone)
}

// graphPatch is the body of PATCH /users/{mailbox}/events/{id}, as far as it is known here.
type graphPatch struct {
	Start    *graphMoment `json:"start"`
	End      *graphMoment `json:"end"`
	IsAllDay *bool        `json:"isAllDay"`
}

// patchEvent moves an event. On a meeting that somebody else organized, this changes the mailbox's
// copy only, of which nobody hears (learn.microsoft.com/graph/api/event-update).
func (g *Graph) patchEvent(w http.ResponseWriter, in graphRequest) error {
	var patch graphPatch
	if len(in.URL.Query()) > 0 || strictJSON(in.Body, &patch) != nil {
		return badGraphQuery("Unable to read JSON request payload.")
	}
	e, err := g.patched(in, patch)
	if err != nil {
		return err
	}
	sendGraph(w, in, renderGraph(e, in))
	return nil
}

func (g *Graph) patched(in graphRequest, patch graphPatch) (Event, error) {
	defer g.calendar.lock()()
	id := in.PathValue("event")
	e, ok := g.calendar.book(in.mailbox).events[id]
	if !ok {
		return Event{}, errGraphItem
	}
	if tag := in.Header.Get("If-Match"); tag != "" && tag != "*" && tag != graphETag(*e) {
		return Event{}, errGraphChanged
	}
	changed := e.clone()
	if err := patch.apply(&changed); err != nil {
		return Event{}, err
	}
	g.calendar.change(in.mailbox, id, func(e *Event) {
		e.Start, e.End, e.StartDate, e.EndDate = changed.Start, changed.End, changed.StartDate, changed.EndDate
	})
	return e.clone(), nil
}

func (p graphPatch) apply(e *Event) error {
	invalid := graphError{400, "ErrorPropertyValidationFailure", "At least one property failed validation."}
	if p.IsAllDay != nil && *p.IsAllDay != e.AllDay() {
		if *p.IsAllDay || p.Start == nil || p.End == nil {
			return invalid
		}
		e.StartDate, e.EndDate = "", ""
	}
	if e.AllDay() {
		return invalid // days are moved by nobody here
	}
	for _, part := range []struct {
		said *graphMoment
		into *time.Time
	}{{p.Start, &e.Start}, {p.End, &e.End}} {
		if part.said == nil {
			continue
		}
		at, err := part.said.instant()
		if err != nil {
			return invalid
		}
		*part.into = at
	}
	if e.End.Before(e.Start) {
		return invalid
	}
	return nil
}

// declineEvent takes an event off the mailbox's calendar and tells its organizer, who is nobody here
// (learn.microsoft.com/graph/api/event-decline).
func (g *Graph) declineEvent(w http.ResponseWriter, in graphRequest) error {
	var body struct {
		Comment *string `json:"comment"`
		Send    *bool   `json:"sendResponse"`
	}
	if len(in.URL.Query()) > 0 || strictJSON(in.Body, &body) != nil {
		return badGraphQuery("Unable to read JSON request payload.")
	}
	if body.Comment != nil && body.Send != nil && !*body.Send {
		return graphError{400, "ErrorInvalidRequest", "'SendResponse' must be true when 'Comment' is not null."}
	}
	e, ok := g.calendar.Event(in.mailbox, in.PathValue("event"))
	if !ok {
		return errGraphItem
	}
	if in.ownsMeeting(e) {
		return graphError{400, "ErrorInvalidRequest", "Your request can't be completed. You can't respond to this meeting because you're the meeting organizer."}
	}
	g.calendar.Remove(in.mailbox, e.ID)
	w.Header().Set("Request-Id", newUUID())
	w.WriteHeader(http.StatusAccepted)
	return nil
}
