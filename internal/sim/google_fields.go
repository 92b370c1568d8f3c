package sim

import "strings"

// fieldMask is a partial-response selection: names with what is selected inside them. A nil mask and
// one without names select everything.
type fieldMask struct {
	inside map[string]*fieldMask
}

// The fields that answers can have.
var (
	personSchema   = schemaOf("id,email,displayName,self")
	instantSchema  = schemaOf("date,dateTime,timeZone")
	attendeeSchema = schemaOf("id,email,displayName,organizer,self,resource,optional,responseStatus,comment,additionalGuests")
	eventSchema    = schemaOf("kind,etag,id,status,htmlLink,created,updated,summary,description,location,colorId,creator,organizer,"+
		"start,end,endTimeUnspecified,recurrence,recurringEventId,originalStartTime,transparency,visibility,iCalUID,sequence,"+
		"attendees,attendeesOmitted,extendedProperties,hangoutLink,conferenceData,gadget,anyoneCanAddSelf,guestsCanInviteOthers,"+
		"guestsCanModify,guestsCanSeeOtherGuests,privateCopy,locked,reminders,source,workingLocationProperties,"+
		"outOfOfficeProperties,focusTimeProperties,attachments,birthdayProperties,eventType").
		with("creator", personSchema).with("organizer", personSchema).with("attendees", attendeeSchema).
		with("start", instantSchema).with("end", instantSchema).with("originalStartTime", instantSchema)
	listSchema = schemaOf("kind,etag,summary,description,updated,timeZone,accessRole,defaultReminders,nextPageToken,nextSyncToken,items").
			with("items", eventSchema)
)

func schemaOf(names string) *fieldMask {
	m := &fieldMask{inside: map[string]*fieldMask{}}
	for name := range strings.SplitSeq(names, ",") {
		m.inside[name] = nil
	}
	return m
}

func (m *fieldMask) with(name string, inside *fieldMask) *fieldMask {
	m.inside[name] = inside
	return m
}

// badSelection is the part of a selection that can't be read.
type badSelection string

// Error is Google's sentence for it.
func (s badSelection) Error() string { return "Invalid field selection " + string(s) }

// parseFields reads a selection such as items(id,start/dateTime),nextPageToken. Names that no answer
// can have are refused.
func parseFields(text string, schema *fieldMask) (*fieldMask, error) {
	mask, rest, err := parseSelection(text, schema)
	if err == nil && rest != "" {
		err = badSelection(rest)
	}
	return mask, err
}

// parseSelection reads a list of names up to its end or a closing bracket.
func parseSelection(text string, schema *fieldMask) (mask *fieldMask, rest string, err error) {
	mask = &fieldMask{inside: map[string]*fieldMask{}}
	for {
		if text, err = mask.parseField(text, schema); err != nil {
			return nil, "", err
		}
		next, more := strings.CutPrefix(text, ",")
		if !more {
			return mask, text, nil
		}
		text = next
	}
}

// parseField reads one name and the selection inside it.
func (m *fieldMask) parseField(text string, schema *fieldMask) (rest string, err error) {
	end := strings.IndexAny(text, ",/()")
	if end < 0 {
		end = len(text)
	}
	name, rest := text[:end], text[end:]
	inner, known := schema.lookup(name)
	if !known {
		return "", badSelection(name)
	}
	var sub *fieldMask
	switch {
	case strings.HasPrefix(rest, "/"):
		sub = &fieldMask{inside: map[string]*fieldMask{}}
		rest, err = sub.parseField(rest[1:], inner)
	case strings.HasPrefix(rest, "("):
		sub, rest, err = parseSelection(rest[1:], inner)
		closed := strings.HasPrefix(rest, ")")
		if err == nil && !closed {
			err = badSelection(text)
		}
		rest = strings.TrimPrefix(rest, ")")
	}
	m.add(name, sub)
	return rest, err
}

// lookup finds what can be selected inside a name.
func (m *fieldMask) lookup(name string) (inside *fieldMask, known bool) {
	if m == nil || name == "" {
		return nil, false
	}
	if name == "*" {
		return nil, true
	}
	inside, known = m.inside[name]
	return inside, known
}

// add selects a name; a second selection inside the same name joins the first.
func (m *fieldMask) add(name string, sub *fieldMask) {
	old, again := m.inside[name]
	if again && old != nil && sub != nil {
		for k, v := range sub.inside {
			old.add(k, v)
		}
		return
	}
	if again {
		sub = nil // one of the two wants everything
	}
	m.inside[name] = sub
}

// apply cuts a decoded JSON value down to what is selected.
func (m *fieldMask) apply(v any) any {
	if m == nil {
		return v
	}
	if _, all := m.inside["*"]; all {
		return v
	}
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, sub := range m.inside {
			if value, ok := v[name]; ok {
				out[name] = sub.apply(value)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = m.apply(v[i])
		}
		return out
	default:
		return v
	}
}
