package graph

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"roomkiosk/internal/calendar"
	"roomkiosk/internal/rooms"
)

// What IT can do, in Microsoft's words.
const (
	remedyRights = "give the app the role Application Calendars.Read or Application Calendars.ReadWrite on the room's mailbox " +
		"(RBAC for Applications: New-ManagementRoleAssignment), which takes up to two hours to act, or admin consent to Calendars.Read"
	remedyPolicy   = "the tenant's Application Access Policy keeps the app from this mailbox; add the room to the policy's group, or replace the policy by RBAC for Applications"
	remedyMailbox  = "check calendar_id: the address of the room's mailbox, not its name"
	remedyNoCloud  = "the mailbox is not on Exchange Online: on-premises (use kind = \"ews\"), inactive, or without a licence"
	remedyConsent  = "the app has no rights on calendars yet: " + remedyRights
	remedyNotGraph = "not in Graph's words: a proxy, the login page of a network, or a wrong url"
)

// unreachable is the fault of a request that got no answer, or none in time.
func unreachable(err error) *rooms.Fault {
	return &rooms.Fault{Service: service, Kind: rooms.FaultUnreachable, Err: err}
}

// unanswered is the fault of a request that failed on the way.
func unanswered(err error) *rooms.Fault {
	err = calendar.Cause(err)
	if errors.Is(err, calendar.ErrRedirect) {
		return &rooms.Fault{Service: service, Kind: rooms.FaultBadAnswer, Err: err,
			Detail: "something between here and Microsoft answers with its own page: a proxy, or the login page of a network"}
	}
	return unreachable(err)
}

// gone is the fault of a reservation that isn't on the calendar any more.
func gone(detail string) *rooms.Fault {
	return &rooms.Fault{Service: service, Kind: rooms.FaultNotFound, Detail: detail, Err: errGone}
}

// errGone means that the mailbox has no such event.
var errGone = errors.New("gone")

// errChanged means that an event was changed since it was read.
var errChanged = errors.New("changed meanwhile")

// bad is the fault of an event that can't be used.
func bad(err error) *rooms.Fault {
	return &rooms.Fault{Service: service, Kind: rooms.FaultBadAnswer, Err: err}
}

// bad is the fault of an answer that can't be used.
func (a answer) bad(err error) *rooms.Fault {
	f := bad(err)
	if strings.Contains(a.header.Get("Content-Type"), "text/html") {
		f.Detail = "a web page in place of Graph's answer: a proxy, the login page of a network, or a wrong url"
	}
	return f
}

// jsonError tells what is wrong with JSON without quoting it.
func jsonError(err error) error {
	var syntax *json.SyntaxError
	var typed *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("broken JSON at byte %d", syntax.Offset)
	case errors.As(err, &typed):
		return fmt.Errorf("unexpected JSON at byte %d: not a %s", typed.Offset, typed.Type)
	default:
		return errors.New("broken JSON")
	}
}

// complaint is the body of Graph's refusals (https://learn.microsoft.com/graph/errors).
type complaint struct {
	code    string // a word; empty: the answer isn't in Graph's form
	message string // may name people; never passed on
	inner   string // the request's id as the body has it
}

func (a answer) complaint() complaint {
	var body struct {
		Error struct {
			Code       string `json:"code"`
			Message    string `json:"message"`
			InnerError struct {
				RequestID string `json:"request-id"`
			} `json:"innerError"`
		} `json:"error"`
	}
	if json.Unmarshal(a.body, &body) != nil || !isWord(body.Error.Code) {
		return complaint{}
	}
	return complaint{body.Error.Code, body.Error.Message, body.Error.InnerError.RequestID}
}

// isWord accepts Graph's codes. Anything else counts as none: it goes to the log.
func isWord(s string) bool {
	if s == "" || len(s) > 80 {
		return false
	}
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '.' {
			return false
		}
	}
	return true
}

// refused is the fault of an answer that says no. Its request-id, which is what Microsoft's support
// asks for, goes to the log once for each new kind of refusal: a fault is shown to people, and must
// not be another one with every attempt.
func (c *Calendar) refused(r request, a answer) *rooms.Fault {
	said := a.complaint()
	f := &rooms.Fault{Service: service, RetryAfter: calendar.RetryAfter(a.header, c.now())}
	f.Kind, f.Detail, f.Err = said.kind(a.status)
	if said.code == "" && a.status < 500 && a.status != http.StatusTooManyRequests && a.status != http.StatusUnauthorized {
		// A definite no ends a tap for good: it has to come from Graph itself.
		f.Kind, f.Detail, f.Err = rooms.FaultBadAnswer, remedyNotGraph, nil
	}
	// 503 says that nothing was begun; other troubles may have come after the deed.
	f.Ambiguous = r.writes() && (f.Kind == rooms.FaultBadAnswer || f.Kind == rooms.FaultTrouble && a.status >= 500 && a.status != http.StatusServiceUnavailable)
	status := strings.TrimSpace(fmt.Sprintf("status %d %s", a.status, said.code))
	f.Detail = strings.TrimSuffix(status+": "+f.Detail, ": ")
	if c.memory.spoke(r.mailbox, status) {
		c.log.Warn("request refused", "calendar_id", r.mailbox, "status", a.status, "code", said.code,
			"request_id", a.requestID(said), "client_request_id", a.clientID)
	}
	return f
}

// requestID is Graph's name of the request: that of the header, else that of the body.
func (a answer) requestID(said complaint) string {
	for _, id := range []string{a.header.Get("request-id"), said.inner} {
		if isRequestID.MatchString(id) {
			return id
		}
	}
	return ""
}

var isRequestID = regexp.MustCompile(`^[0-9A-Za-z-]{1,64}$`)

// kind tells refusals apart by what is to be done, and says what that is. The code decides, where it
// says more than the status.
func (s complaint) kind(status int) (rooms.FaultKind, string, error) {
	switch s.code {
	case "ErrorItemNotFound":
		return rooms.FaultNotFound, "the event is no longer on the room's calendar", errGone
	case "ErrorInvalidUser", "Request_ResourceNotFound", "ResourceNotFound", "ErrorNonExistentMailbox", "ErrorInvalidMailbox":
		return rooms.FaultNotFound, remedyMailbox, nil
	case "MailboxNotEnabledForRESTAPI", "MailboxNotSupportedForRESTAPI":
		return rooms.FaultNotFound, remedyNoCloud, nil
	case "ErrorAccessDenied", "AccessDenied", "Authorization_RequestDenied", "accessDenied":
		if strings.Contains(s.message, "AccessPolicy") {
			return rooms.FaultPermission, remedyPolicy, nil
		}
		return rooms.FaultPermission, remedyRights, nil
	case "ApplicationThrottled", "TooManyRequests", "activityLimitReached", "ErrorServerBusy", "MailboxConcurrency":
		return rooms.FaultThrottled, "", nil
	case "ErrorIrresolvableConflict":
		return rooms.FaultTrouble, "the event was changed meanwhile", errChanged
	default:
		return s.kindOfStatus(status)
	}
}

func (s complaint) kindOfStatus(status int) (rooms.FaultKind, string, error) {
	switch {
	case status == http.StatusTooManyRequests:
		return rooms.FaultThrottled, "", nil
	case status >= 500:
		return rooms.FaultTrouble, "", nil
	case status == http.StatusPreconditionFailed:
		return rooms.FaultTrouble, "the event was changed meanwhile", errChanged
	case status == http.StatusUnauthorized && s.code == "UnknownError":
		return rooms.FaultPermission, remedyConsent, nil
	case status == http.StatusUnauthorized:
		return rooms.FaultCredentials, "Graph refuses a token that Microsoft just gave out; check that url and token_url belong to the same cloud", nil
	case status == http.StatusForbidden:
		return rooms.FaultPermission, remedyRights, nil
	case status == http.StatusNotFound, status == http.StatusGone:
		return rooms.FaultNotFound, remedyMailbox, nil
	default:
		return rooms.FaultInvalid, "", nil
	}
}
