package caldav

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"roomkiosk/internal/calendar"
	"roomkiosk/internal/rooms"
)

// unanswered is the fault of a request that failed on the way.
func unanswered(err error) *rooms.Fault {
	err = calendar.Cause(err)
	if errors.Is(err, calendar.ErrRedirect) {
		return &rooms.Fault{Service: service, Kind: rooms.FaultBadAnswer, Err: err,
			Detail: "the server points to another host, or from https to http: correct the URL, or the address that the server has of itself " +
				"(Nextcloud: overwrite.cli.url and overwriteprotocol); or it is the login page of a network"}
	}
	if errors.Is(err, errRedirects) {
		return &rooms.Fault{Service: service, Kind: rooms.FaultBadAnswer, Err: err, Detail: "check the URL in calendar_id"}
	}
	return &rooms.Fault{Service: service, Kind: rooms.FaultUnreachable, Err: err}
}

// gone is the fault of a reservation that isn't on the calendar any more.
func gone(detail string) *rooms.Fault {
	return &rooms.Fault{Service: service, Kind: rooms.FaultNotFound, Detail: detail}
}

// unfound tells a calendar that is not there from an event that is not there: the former doesn't end
// a tap.
func unfound(err error) error {
	fault := *rooms.FaultOf(err)
	if fault.Kind == rooms.FaultNotFound {
		fault.Kind = rooms.FaultBadAnswer
	}
	return &fault
}

// bad is the fault of an answer that can't be used.
func (a answer) bad(err error) *rooms.Fault {
	f := &rooms.Fault{Service: service, Kind: rooms.FaultBadAnswer, Err: err}
	if a.page() {
		f.Detail = "a web page in place of a calendar: a wrong URL, a proxy, or the login page of a network"
	}
	return f
}

// page tells whether the answer is for people.
func (a answer) page() bool {
	return strings.Contains(a.header.Get("Content-Type"), "text/html")
}

// refused is the fault of an answer that says no, or that isn't what was asked for.
func (c *Calendar) refused(a answer) *rooms.Fault {
	f := &rooms.Fault{Service: service, RetryAfter: calendar.RetryAfter(a.header, c.now())}
	f.Kind, f.Detail = c.kind(a)
	f.Detail = strings.TrimSuffix(fmt.Sprintf("status %d: %s", a.status, f.Detail), ": ")
	return f
}

// kind tells refusals apart by what is to be done, and says what that is.
func (c *Calendar) kind(a answer) (rooms.FaultKind, string) {
	switch {
	case a.status == http.StatusUnauthorized && c.auth.User == "":
		return rooms.FaultCredentials, "the server wants a user and a password"
	case a.status == http.StatusUnauthorized:
		return rooms.FaultCredentials, "the server refuses the user or the password; where accounts have a second factor, " +
			"make an app password (Nextcloud: Settings, Security)"
	case a.status == http.StatusTooManyRequests:
		return rooms.FaultThrottled, ""
	case a.status == http.StatusNotImplemented:
		return rooms.FaultNotFound, noCalDAV
	case a.status >= 500:
		return rooms.FaultTrouble, ""
	case a.status == http.StatusForbidden && !a.page():
		return rooms.FaultPermission, "share the room's calendar with " + c.reader()
	case a.status == http.StatusNotFound, a.status == http.StatusGone:
		return rooms.FaultNotFound, "check the URL in calendar_id, and that the calendar is shared with " + c.reader()
	case a.status == http.StatusMethodNotAllowed:
		return rooms.FaultNotFound, noCalDAV
	case a.page() || a.status < 300:
		return rooms.FaultBadAnswer, "not a CalDAV server's answer: a wrong URL, a proxy, or the login page of a network"
	default:
		return rooms.FaultInvalid, ""
	}
}

const noCalDAV = "no CalDAV at this URL; the one in calendar_id should be that of the room's calendar, as its settings show it"

// reader is whom a calendar has to be shared with.
func (c *Calendar) reader() string {
	if c.auth.User == "" {
		return "everybody, or configure a user"
	}
	return "the user of calendar " + c.name
}

// unwritable is the fault of a calendar that the kiosk may not change.
func (c *Calendar) unwritable(said string) *rooms.Fault {
	who := "the user of calendar " + c.name
	if c.auth.User == "" {
		who = "a user, and configure it"
	}
	return &rooms.Fault{Service: service, Kind: rooms.FaultPermission,
		Detail: said + ": to release reservations at the door, allow changes to the room's calendar to " + who}
}
