package sim

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ewsItem is an event as a mailbox has it.
type ewsItem struct {
	Event
	mailbox string
	room    string // name of the mailbox
	zone    *time.Location
	plain   bool // the mailbox replaces subjects and clears private flags
	raw     bool // control characters come as they are
}

// ewsProperty is a property of an item; empty text: it isn't there.
type ewsProperty struct {
	uri  string
	text func(ewsItem) string
}

// ewsProperties are those that exist here, in the order in which the schema has them in answers.
func ewsProperties() []ewsProperty {
	return []ewsProperty{
		{"item:Subject", ewsItem.subject},
		{"item:Sensitivity", ewsItem.sensitivity},
		{"calendar:UID", func(i ewsItem) string { return graphUID(i.Event) }},
		{"calendar:Start", func(i ewsItem) string { start, _ := i.span(); return ewsTime(start) }},
		{"calendar:End", func(i ewsItem) string { _, end := i.span(); return ewsTime(end) }},
		{"calendar:IsAllDayEvent", func(i ewsItem) string { return fmt.Sprint(i.AllDay()) }},
		{"calendar:LegacyFreeBusyStatus", ewsItem.freeBusy},
		{"calendar:Location", func(i ewsItem) string { return xmlText(i.room) }},
		{"calendar:IsMeeting", func(i ewsItem) string { return fmt.Sprint(!i.own() || len(i.Attendees) > 0) }},
		{"calendar:IsCancelled", func(i ewsItem) string { return fmt.Sprint(i.Status == Cancelled) }},
		{"calendar:IsRecurring", func(i ewsItem) string { return fmt.Sprint(i.Series != "") }},
		{"calendar:CalendarItemType", ewsItem.kind},
		{"calendar:MyResponseType", ewsItem.response},
		{"calendar:Organizer", ewsItem.organizer},
	}
}

// render writes the item with the properties that were asked for.
func (i ewsItem) render(uris []string) string {
	var b strings.Builder
	b.WriteString("<t:CalendarItem>" + i.id())
	for _, p := range ewsProperties() {
		if text := p.text(i); text != "" && slices.Contains(uris, p.uri) {
			_, name, _ := strings.Cut(p.uri, ":")
			b.WriteString("<t:" + name + ">" + text + "</t:" + name + ">")
		}
	}
	return b.String() + "</t:CalendarItem>"
}

func (i ewsItem) id() string {
	return fmt.Sprintf(`<t:ItemId Id="%s" ChangeKey="%s"/>`, xmlText(i.ExchangeID()), i.ExchangeChangeKey())
}

func (i ewsItem) own() bool { return i.Organizer == (Person{}) || i.Organizer.Email == i.mailbox }

func (i ewsItem) subject() string {
	title := i.Title
	switch {
	case i.Status == Cancelled && !i.own():
		title = "Canceled: " + title
	case i.plain && !i.own():
		title = i.Organizer.Name + " "
	}
	var b strings.Builder
	for _, r := range title {
		switch {
		case r >= 0x20 || r == '\t':
			b.WriteString(xmlText(string(r)))
		case i.raw:
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "&#x%X;", r) // which XML 1.0 doesn't allow
		}
	}
	return b.String()
}

func (i ewsItem) sensitivity() string {
	switch {
	case i.plain && !i.own():
		return "Normal"
	case i.Visibility == Private:
		return "Private"
	case i.Visibility == Confidential:
		return "Confidential"
	default:
		return "Normal"
	}
}

// span is the item's time. Whole days are midnights in the zone of who made it.
func (i ewsItem) span() (start, end time.Time) { return i.Span(i.zone) }

func (i ewsItem) freeBusy() string {
	switch {
	case i.Transparent, i.Status == Cancelled:
		return "Free"
	case i.Status == Tentative:
		return "Tentative"
	case i.Kind == OutOfOffice:
		return "OOF"
	case i.Kind == WorkingLocation:
		return "WorkingElsewhere"
	default:
		return "Busy"
	}
}

// kind tells single items from occurrences, and these from ones that were moved.
func (i ewsItem) kind() string {
	switch {
	case i.Series == "":
		return "Single"
	case !i.OriginalStart.IsZero() && !i.OriginalStart.Equal(i.Start):
		return "Exception"
	default:
		return "Occurrence"
	}
}

// response is the mailbox's own answer.
func (i ewsItem) response() string {
	at := slices.IndexFunc(i.Attendees, func(a Attendee) bool { return a.Self })
	switch {
	case i.own():
		return "Organizer"
	case at < 0:
		return "Unknown"
	}
	switch i.Attendees[at].Response {
	case Accepted:
		return "Accept"
	case Declined:
		return "Decline"
	case Maybe:
		return "Tentative"
	default:
		return "NoResponseReceived"
	}
}

func (i ewsItem) organizer() string {
	name := i.Organizer.Name
	if i.own() {
		name = i.room
	}
	return "<t:Mailbox><t:Name>" + xmlText(cmp.Or(name, i.Organizer.Email)) + "</t:Name></t:Mailbox>"
}

func ewsTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
