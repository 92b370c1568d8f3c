package sim

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

var (
	errGoogleScope     = googleError{403, "global", "insufficientPermissions", "Request had insufficient authentication scopes.", ""}
	errGoogleRole      = googleError{403, "calendar", "requiredAccessLevel", "You need to have writer access to this calendar.", ""}
	errGoogleOrganizer = googleError{403, "calendar", "forbiddenForNonOrganizer", "Shared properties can only be changed by the organizer of the event.", ""}
	errGoogleChanged   = googleError{412, "global", "conditionNotMet", "Precondition Failed", ""}
	errGoogleTimes     = googleError{400, "global", "invalid", "Invalid start time.", ""}
	errGoogleBody      = googleError{400, "global", "parseError", "Parse Error", ""}
)

var patchParameters = []string{
	"alwaysIncludeEmail", "conferenceDataVersion", "maxAttendees", "sendNotifications", "sendUpdates", "supportsAttachments",
}

// googlePatch is the body of events.patch, as far as it is known here.
type googlePatch struct {
	Start            *googlePatchInstant `json:"start"`
	End              *googlePatchInstant `json:"end"`
	Attendees        []googleAttendee    `json:"attendees"`
	AttendeesOmitted bool                `json:"attendeesOmitted"`
}

// googlePatchInstant tells a field that is cleared, by null, from one that is left alone.
type googlePatchInstant struct {
	Date     json.RawMessage `json:"date"`
	DateTime string          `json:"dateTime"`
	TimeZone string          `json:"timeZone"`
}

// patchEvent answers events.patch: the organizer's calendar moves an event, an attendee's changes its
// own answer (developers.google.com/workspace/calendar/api/v3/reference/events/patch).
func (g *Google) patchEvent(w http.ResponseWriter, in reader) error {
	p := parameters{Values: in.URL.Query()}
	p.allow(patchParameters)
	most, mask := p.number("maxAttendees", 0), p.mask(eventSchema)
	if to := p.Get("sendUpdates"); p.Has("sendUpdates") && !slices.Contains([]string{"all", "externalOnly", "none"}, to) {
		p.refuse(badParameter("sendUpdates", "Invalid value: "+to))
	}
	var patch googlePatch
	switch {
	case p.err != nil:
		return p.err
	case !in.maySend:
		return errGoogleScope
	case in.role != Writer && in.role != Owner:
		return errGoogleRole
	case !strings.HasPrefix(in.Header.Get("Content-Type"), "application/json"), strictJSON(in.Body, &patch) != nil:
		return errGoogleBody
	}
	e, err := g.patched(in, patch)
	if err != nil {
		return err
	}
	return sendGoogle(w, in.Request, renderGoogle(e, in, in.zone, most, true), mask)
}

func (g *Google) patched(in reader, patch googlePatch) (Event, error) {
	defer g.calendar.lock()()
	id := in.PathValue("event")
	e, ok := g.calendar.book(in.calendarID).events[id]
	if !ok {
		return Event{}, errNotFound
	}
	if tag := in.Header.Get("If-Match"); tag != "" && tag != "*" && tag != googleETag(*e) {
		return Event{}, errGoogleChanged
	}
	changed := e.clone()
	if err := patch.apply(&changed, in.calendarID); err != nil {
		return Event{}, err
	}
	g.calendar.change(in.calendarID, id, func(e *Event) {
		e.Start, e.End, e.StartDate, e.EndDate, e.Attendees = changed.Start, changed.End, changed.StartDate, changed.EndDate, changed.Attendees
	})
	return e.clone(), nil
}

func (p googlePatch) apply(e *Event, calendarID string) error {
	if (p.Start != nil || p.End != nil) && e.Organizer.Email != calendarID {
		return errGoogleOrganizer
	}
	if err := p.move(e); err != nil {
		return err
	}
	if p.Attendees == nil {
		return nil
	}
	return p.answer(e)
}

// move changes the times. A whole day becomes hours only if both its dates are cleared.
func (p googlePatch) move(e *Event) error {
	if p.Start == nil && p.End == nil {
		return nil
	}
	if e.AllDay() {
		if !p.Start.clears() || !p.End.clears() {
			return errGoogleTimes
		}
		e.StartDate, e.EndDate = "", ""
	}
	for _, part := range []struct {
		said *googlePatchInstant
		into *time.Time
	}{{p.Start, &e.Start}, {p.End, &e.End}} {
		if part.said == nil {
			continue
		}
		at, err := time.Parse(time.RFC3339, part.said.DateTime)
		if err != nil {
			return errGoogleTimes
		}
		*part.into = at
	}
	if e.End.Before(e.Start) {
		return googleError{400, "calendar", "timeRangeEmpty", "The specified time range is empty.", ""}
	}
	return nil
}

func (i *googlePatchInstant) clears() bool { return i != nil && string(i.Date) == "null" }

// answer changes the calendar's own answer. The other attendees may be left out, or be as they are.
func (p googlePatch) answer(e *Event) error {
	own := false
	for _, said := range p.Attendees {
		i := slices.IndexFunc(e.Attendees, func(a Attendee) bool { return strings.EqualFold(a.Email, said.Email) })
		switch {
		case i < 0:
			return errGoogleOrganizer
		case e.Attendees[i].Self:
			own, e.Attendees[i].Response = true, said.ResponseStatus
		case said.ResponseStatus != cmp.Or(e.Attendees[i].Response, NeedsAction):
			return errGoogleOrganizer
		}
	}
	if !own {
		return errGoogleOrganizer
	}
	return nil
}
