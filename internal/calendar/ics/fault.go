package ics

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
			Detail: "the feed has moved to another host: put its new URL into calendar_id; or it is the login page of a network"}
	}
	return &rooms.Fault{Service: service, Kind: rooms.FaultUnreachable, Err: err}
}

// gone is the fault of a reservation that isn't on the calendar any more.
func gone(detail string) *rooms.Fault {
	return &rooms.Fault{Service: service, Kind: rooms.FaultNotFound, Detail: detail}
}

// bad is the fault of an answer that can't be used.
func (a answer) bad(err error) *rooms.Fault {
	f := &rooms.Fault{Service: service, Kind: rooms.FaultBadAnswer, Err: err}
	if a.page() {
		f.Detail = "a web page in place of a calendar: a feed that isn't published any more, a URL that is for people, or the login page of a network"
	}
	return f
}

// unfound tells a feed that is not there from an event that is not there: the former doesn't end a
// tap.
func unfound(err error) error {
	fault := *rooms.FaultOf(err)
	if fault.Kind == rooms.FaultNotFound {
		fault.Kind = rooms.FaultBadAnswer
	}
	return &fault
}

// refused is the fault of an answer that says no.
func (c *Calendar) refused(a answer) *rooms.Fault {
	f := &rooms.Fault{Service: service, RetryAfter: calendar.RetryAfter(a.header, c.now())}
	f.Kind, f.Detail = c.kind(a)
	f.Detail = strings.TrimSuffix(fmt.Sprintf("status %d: %s", a.status, f.Detail), ": ")
	return f
}

// kind tells refusals apart by what is to be done, and says what that is.
func (c *Calendar) kind(a answer) (rooms.FaultKind, string) {
	switch {
	case a.status == http.StatusUnauthorized && c.user == "":
		return rooms.FaultCredentials, "the feed wants a user and a password"
	case a.status == http.StatusUnauthorized:
		return rooms.FaultCredentials, "the server refuses the user or the password; where accounts have a second factor, make an app password"
	case a.status == http.StatusTooManyRequests:
		return rooms.FaultThrottled, ""
	case a.status >= 500:
		return rooms.FaultTrouble, ""
	case a.status == http.StatusForbidden:
		return rooms.FaultPermission, "the feed isn't published any more, or not to everybody; publish it again and put its URL into calendar_id"
	case a.status == http.StatusNotFound, a.status == http.StatusGone:
		return rooms.FaultNotFound, "there is no feed at this URL, or none any more; publish it again and put its URL into calendar_id"
	default:
		return rooms.FaultBadAnswer, "not a calendar feed's answer"
	}
}
