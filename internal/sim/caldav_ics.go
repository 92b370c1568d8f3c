package sim

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	icsUTC  = "20060102T150405Z"
	icsDate = "20060102"
	foldAt  = 73 // bytes of a line, its end not counted; RFC 5545 allows 75
)

// renderICS writes events as iCalendar (RFC 5545). An occurrence of a series stands by itself, as it
// does where somebody is invited to that one only.
func renderICS(events []Event, zone *time.Location) string {
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//The room kiosk//Simulation//EN\r\n")
	for _, e := range events {
		for _, line := range eventLines(e, zone) {
			fold(&b, line)
		}
	}
	b.WriteString("END:VCALENDAR\r\n")
	return b.String()
}

func eventLines(e Event, zone *time.Location) []string {
	uid := e.ID
	lines := []string{"BEGIN:VEVENT", "DTSTAMP:" + e.Updated.UTC().Format(icsUTC)}
	if e.Series != "" {
		uid = e.Series
		slot := "RECURRENCE-ID:" + e.OriginalStart.UTC().Format(icsUTC)
		if e.AllDay() {
			slot = "RECURRENCE-ID;VALUE=DATE:" + e.OriginalStart.In(zone).Format(icsDate)
		}
		lines = append(lines, slot)
	}
	lines = append(lines, "UID:"+escapeICS(uid), fmt.Sprint("SEQUENCE:", e.Version))
	if e.AllDay() {
		lines = append(lines, "DTSTART;VALUE=DATE:"+strings.ReplaceAll(e.StartDate, "-", ""),
			"DTEND;VALUE=DATE:"+strings.ReplaceAll(e.EndDate, "-", ""))
	} else {
		lines = append(lines, "DTSTART:"+e.Start.UTC().Format(icsUTC), "DTEND:"+e.End.UTC().Format(icsUTC))
	}
	return append(append(lines, detailLines(e)...), "END:VEVENT")
}

func detailLines(e Event) []string {
	var lines []string
	add := func(when bool, line string) {
		if when {
			lines = append(lines, line)
		}
	}
	add(e.Title != "", "SUMMARY:"+escapeICS(e.Title))
	add(e.Organizer != Person{}, "ORGANIZER;CN="+quoteICS(e.Organizer.Name)+":mailto:"+e.Organizer.Email)
	add(e.Visibility == Private, "CLASS:PRIVATE")
	add(e.Visibility == Confidential, "CLASS:CONFIDENTIAL")
	add(e.Transparent, "TRANSP:TRANSPARENT")
	add(e.Status != "", "STATUS:"+strings.ToUpper(string(e.Status)))
	for _, a := range e.Attendees {
		kind := "INDIVIDUAL"
		if a.Resource {
			kind = "RESOURCE"
		}
		lines = append(lines, fmt.Sprintf("ATTENDEE;CUTYPE=%s;PARTSTAT=%s;CN=%s:mailto:%s", kind, partStat(a.Response), quoteICS(a.Name), a.Email))
	}
	return lines
}

func partStat(r Response) string {
	switch r {
	case Accepted:
		return "ACCEPTED"
	case Declined:
		return "DECLINED"
	case Maybe:
		return "TENTATIVE"
	default:
		return "NEEDS-ACTION"
	}
}

func escapeICS(text string) string {
	return strings.NewReplacer("\\", `\\`, ";", `\;`, ",", `\,`, "\r\n", `\n`, "\n", `\n`).Replace(text)
}

// quoteICS quotes the value of a parameter, which has no way to write quotes and line ends.
func quoteICS(text string) string {
	return `"` + strings.NewReplacer(`"`, "'", "\r", " ", "\n", " ").Replace(text) + `"`
}

// fold writes a content line in pieces, none of which ends within a character.
func fold(b *strings.Builder, line string) {
	for len(line) > foldAt {
		at := foldAt
		for !utf8.RuneStart(line[at]) {
			at--
		}
		b.WriteString(line[:at] + "\r\n ")
		line = line[at:]
	}
	b.WriteString(line + "\r\n")
}

// icsChange is what a client wants an event to be.
type icsChange struct {
	slot     time.Time // of a series; zero: a single event
	end      time.Time
	declined []string // addresses that say no
}

func (c icsChange) declinedBy(address string) bool {
	for _, a := range c.declined {
		if strings.EqualFold(a, "mailto:"+address) {
			return true
		}
	}
	return false
}

// readICS reads what a client PUT, as far as this server lets it change events.
func readICS(text, uid string) ([]icsChange, error) {
	lines := strings.Split(strings.NewReplacer("\r\n ", "", "\r\n\t", "").Replace(text), "\r\n")
	if lines[0] != "BEGIN:VCALENDAR" {
		return nil, errors.New("not a calendar, or without CRLF")
	}
	var changes []icsChange
	var event map[string]string
	var declined []string
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ":")
		bare, params, _ := strings.Cut(name, ";")
		switch {
		case line == "BEGIN:VEVENT":
			event, declined = map[string]string{}, nil
		case line == "END:VEVENT":
			c, err := changeOf(event, uid)
			if err != nil {
				return nil, err
			}
			c.declined = declined
			changes, event = append(changes, c), nil
		case event != nil && bare == "ATTENDEE":
			if _, who, ok := strings.Cut(line, ":mailto:"); ok && strings.Contains(params, "PARTSTAT=DECLINED") {
				declined = append(declined, "mailto:"+who)
			}
		case event != nil:
			event[bare] = value
		}
	}
	if len(changes) == 0 {
		return nil, errors.New("no event")
	}
	return changes, nil
}

func changeOf(event map[string]string, uid string) (icsChange, error) {
	if event["UID"] != escapeICS(uid) || event["DTSTAMP"] == "" || event["DTSTART"] == "" {
		return icsChange{}, errors.New("an event needs its UID, DTSTAMP and DTSTART")
	}
	var c icsChange
	var err error
	if slot := event["RECURRENCE-ID"]; slot != "" {
		if c.slot, err = time.Parse(icsUTC, slot); err != nil {
			return icsChange{}, err
		}
	}
	start, err := time.Parse(icsUTC, event["DTSTART"])
	if err != nil {
		return icsChange{}, err
	}
	if c.end, err = time.Parse(icsUTC, event["DTEND"]); err != nil {
		return icsChange{}, err
	}
	if c.end.Before(start) {
		return icsChange{}, errors.New("it ends before it starts")
	}
	return c, nil
}
