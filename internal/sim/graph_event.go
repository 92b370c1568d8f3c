package sim

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// graphProperties are those of the Event resource that exist here
// (learn.microsoft.com/graph/api/resources/event).
var graphProperties = []string{
	"id", "changeKey", "createdDateTime", "lastModifiedDateTime", "iCalUId", "subject", "sensitivity", "showAs", "type", "seriesMasterId",
	"isAllDay", "isCancelled", "isOrganizer", "responseRequested", "responseStatus", "start", "end", "organizer", "attendees",
	"bodyPreview", "location", "originalStart",
}

// graphTime is the form of times: no offset, seven digits of fractions.
const graphTime = "2006-01-02T15:04:05.0000000"

// renderGraph writes an event as it is on the mailbox's calendar.
func renderGraph(e Event, in graphRequest) map[string]any {
	own := in.ownsMeeting(e)
	out := map[string]any{
		"@odata.etag":          graphETag(e),
		"id":                   in.eventID(e),
		"changeKey":            e.ChangeKey(),
		"createdDateTime":      e.Created.UTC().Format(time.RFC3339),
		"lastModifiedDateTime": e.Updated.UTC().Format(time.RFC3339),
		"iCalUId":              graphUID(e),
		"subject":              e.Title,
		"sensitivity":          cmp.Or(graphSensitivity(e.Visibility), "normal"),
		"showAs":               graphShowAs(e),
		"isAllDay":             e.AllDay(),
		"isCancelled":          e.Status == Cancelled,
		"isOrganizer":          own,
		"responseRequested":    true,
		"responseStatus":       map[string]string{"response": graphResponse(e, own), "time": "0001-01-01T00:00:00Z"},
		"organizer":            graphPerson(in.organizerOf(e)),
		"attendees":            graphAttendees(e),
		"bodyPreview":          "",
		"location":             map[string]string{"displayName": in.name},
	}
	out["start"], out["end"] = in.span(e)
	out["type"], out["seriesMasterId"] = graphKind(e)
	if !own && in.plain {
		out["subject"], out["sensitivity"] = e.Organizer.Name+" ", "normal"
	}
	if e.Status == Cancelled && !own {
		out["subject"] = "Canceled: " + e.Title
	}
	return out
}

// ownsMeeting tells whether the mailbox itself is the organizer.
func (in graphRequest) ownsMeeting(e Event) bool {
	return e.Organizer.Email == "" && e.Organizer.Name == "" || e.Organizer.Email == in.mailbox
}

func (in graphRequest) organizerOf(e Event) Person {
	if in.ownsMeeting(e) {
		return Person{Name: in.name, Email: in.mailbox}
	}
	return e.Organizer
}

// eventID is the event's id, in the form that was asked for.
func (in graphRequest) eventID(e Event) string {
	if !in.prefer.immutable {
		return e.ID
	}
	sum := sha256.Sum256([]byte(e.ID))
	return "AAkALg" + hex.EncodeToString(sum[:]) + "="
}

// span is the event's time in the zone that was asked for. Whole days are midnights there, whatever
// the zone.
func (in graphRequest) span(e Event) (start, end map[string]string) {
	if e.AllDay() {
		return map[string]string{"dateTime": e.StartDate + "T00:00:00.0000000", "timeZone": in.prefer.zoneName},
			map[string]string{"dateTime": e.EndDate + "T00:00:00.0000000", "timeZone": in.prefer.zoneName}
	}
	at := func(t time.Time) map[string]string {
		return map[string]string{"dateTime": t.In(in.prefer.zone).Format(graphTime), "timeZone": in.prefer.zoneName}
	}
	return at(e.Start), at(e.End)
}

func graphETag(e Event) string { return `W/"` + e.ChangeKey() + `"` }

// graphUID is the same for all occurrences of a series.
func graphUID(e Event) string {
	sum := sha256.Sum256([]byte(cmp.Or(e.Series, e.ID)))
	return "040000008200E00074C5B7101A82E008" + strings.ToUpper(hex.EncodeToString(sum[:16]))
}

func graphSensitivity(v Visibility) string {
	switch v {
	case Private:
		return "private"
	case Confidential:
		return "confidential"
	default:
		return "normal"
	}
}

func graphShowAs(e Event) string {
	switch {
	case e.Transparent, e.Status == Cancelled:
		return "free"
	case e.Status == Tentative:
		return "tentative"
	case e.Kind == OutOfOffice:
		return "oof"
	case e.Kind == WorkingLocation:
		return "workingElsewhere"
	default:
		return "busy"
	}
}

// graphResponse is the mailbox's own answer.
func graphResponse(e Event, own bool) string {
	i := slices.IndexFunc(e.Attendees, func(a Attendee) bool { return a.Self })
	switch {
	case own:
		return "organizer"
	case i < 0:
		return "none"
	default:
		return graphAnswer(e.Attendees[i].Response)
	}
}

func graphAnswer(r Response) string {
	switch r {
	case Accepted:
		return "accepted"
	case Declined:
		return "declined"
	case Maybe:
		return "tentativelyAccepted"
	default:
		return "notResponded"
	}
}

// graphKind tells single events from occurrences, and these from ones that were moved.
func graphKind(e Event) (kind string, series any) {
	switch {
	case e.Series == "":
		return "singleInstance", nil
	case !e.OriginalStart.IsZero() && !e.OriginalStart.Equal(e.Start):
		return "exception", e.Series
	default:
		return "occurrence", e.Series
	}
}

func graphPerson(p Person) map[string]any {
	return map[string]any{"emailAddress": map[string]string{"name": p.Name, "address": p.Email}}
}

func graphAttendees(e Event) []any {
	out := []any{}
	for _, a := range e.Attendees {
		kind := "required"
		if a.Resource {
			kind = "resource"
		}
		out = append(out, map[string]any{
			"type": kind, "status": map[string]string{"response": graphAnswer(a.Response)},
			"emailAddress": map[string]string{"name": a.Name, "address": a.Email},
		})
	}
	return out
}
