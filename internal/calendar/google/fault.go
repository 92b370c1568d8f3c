package google

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"golang.org/x/oauth2"

	"roomkiosk/internal/calendar"
	"roomkiosk/internal/rooms"
)

// errChanged means that an event was changed since it was read.
var errChanged = errors.New("changed meanwhile")

// unreachable is the fault of a request that got no answer, or none in time.
func unreachable(err error) *rooms.Fault {
	return &rooms.Fault{Service: service, Kind: rooms.FaultUnreachable, Err: err}
}

// unanswered is the fault of a request that failed on the way.
func unanswered(err error) *rooms.Fault {
	err = calendar.Cause(err)
	if errors.Is(err, calendar.ErrRedirect) {
		return &rooms.Fault{Service: service, Kind: rooms.FaultBadAnswer, Err: err,
			Detail: "something between here and Google answers with its own page: a proxy, or the login page of a network"}
	}
	return unreachable(err)
}

// gone is the fault of a reservation that isn't on the calendar any more.
func gone(detail string) *rooms.Fault {
	return &rooms.Fault{Service: service, Kind: rooms.FaultNotFound, Detail: detail}
}

// bad is the fault of an answer that can't be used.
func (a answer) bad(err error) *rooms.Fault {
	f := &rooms.Fault{Service: service, Kind: rooms.FaultBadAnswer, Err: err}
	if a.foreign() {
		f.Detail = "a web page in place of Google's answer: a proxy, the login page of a network, or a wrong url"
	}
	return f
}

// foreign tells whether somebody else than Google's API answered.
func (a answer) foreign() bool {
	return strings.Contains(a.header.Get("Content-Type"), "text/html")
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

// refused is the fault of an answer that says no. Google uses one status for several things and
// several statuses for one, so the reason in its body decides
// (https://developers.google.com/workspace/calendar/api/guides/errors).
func (c *Calendar) refused(a answer) *rooms.Fault {
	reason := a.reason()
	f := &rooms.Fault{Service: service, RetryAfter: calendar.RetryAfter(a.header, c.now())}
	f.Kind, f.Detail = c.kind(a.status, reason)
	if reason == "conditionNotMet" {
		f.Err = errChanged
	}
	if reason == "" && a.status < 500 && a.status != http.StatusTooManyRequests && a.status != http.StatusUnauthorized {
		// A definite no ends a tap for good: it has to come from Google itself.
		f.Kind, f.Detail = rooms.FaultBadAnswer, "not in Google's words: a proxy, the login page of a network, or a wrong url"
	}
	said := fmt.Sprintf("status %d", a.status)
	if reason != "" {
		said += " " + reason
	}
	f.Detail = strings.TrimSuffix(said+": "+f.Detail, ": ")
	return f
}

// kind tells refusals apart by what is to be done, and says what that is.
func (c *Calendar) kind(status int, reason string) (rooms.FaultKind, string) {
	switch reason {
	case "rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "dailyLimitExceeded", "calendarUsageLimitsExceeded":
		return rooms.FaultThrottled, ""
	case "backendError", "internalError":
		return rooms.FaultTrouble, ""
	case "accessNotConfigured", "SERVICE_DISABLED":
		return rooms.FaultPermission, strings.TrimSpace("enable the Google Calendar API in the Google Cloud project " + c.project)
	case "insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT":
		return rooms.FaultPermission, "allow the scope " + c.tokens.key.scope()
	case "requiredAccessLevel", "forbiddenForNonOrganizer":
		return rooms.FaultPermission, c.mayNotWrite()
	case "conditionNotMet":
		return rooms.FaultTrouble, "the event was changed meanwhile"
	case "forbiddenForServiceAccounts":
		return rooms.FaultPermission, "a service account may not answer invitations in its own name; name a user of the domain as delegate"
	}
	switch {
	case status == http.StatusTooManyRequests:
		return rooms.FaultThrottled, ""
	case status >= 500:
		return rooms.FaultTrouble, ""
	case status == http.StatusUnauthorized:
		return rooms.FaultCredentials, "Google refuses its own new token; check that the service account " + c.account + " still exists"
	case status == http.StatusForbidden:
		return rooms.FaultPermission, "share the room's calendar, with all event details, with " + c.reader()
	case status == http.StatusNotFound, status == http.StatusGone:
		return rooms.FaultNotFound, "check the calendar_id, and that the calendar is shared with " + c.reader()
	default:
		return rooms.FaultInvalid, ""
	}
}

// mayNotWrite says what to do about a calendar that may only be read.
func (c *Calendar) mayNotWrite() string {
	return `share the room's calendar with ` + c.reader() + ` and choose "Make changes to events"`
}

// reader is whom a calendar has to be shared with.
func (c *Calendar) reader() string {
	if c.tokens.key.conf.Subject != "" {
		return "the delegate"
	}
	return c.account
}

// reason finds why Google says no, in a word. Anything that isn't a word counts as none: it goes to
// the log.
func (a answer) reason() string {
	var body struct {
		Error struct {
			Errors  []struct{ Reason string }
			Details []struct{ Reason string }
			Status  string
		}
	}
	if json.Unmarshal(a.body, &body) != nil {
		return ""
	}
	for _, e := range append(body.Error.Errors, body.Error.Details...) {
		if isWord(e.Reason) {
			return e.Reason
		}
	}
	if isWord(body.Error.Status) {
		return body.Error.Status
	}
	return ""
}

func isWord(s string) bool {
	if s == "" || len(s) > 60 {
		return false
	}
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '_' {
			return false
		}
	}
	return true
}

// refused is the fault of a request for a token that failed
// (https://developers.google.com/identity/protocols/oauth2/service-account, RFC 6749 section 5.2).
// The errors of package oauth2 quote whole answers and go no further.
func (t *tokens) refused(ctx context.Context, tap *tap, err error) *rooms.Fault {
	var said *oauth2.RetrieveError
	switch {
	case tap.failed != nil:
		return unanswered(tap.failed)
	case ctx.Err() != nil:
		return unreachable(ctx.Err())
	case !errors.As(err, &said):
		return &rooms.Fault{Service: service, Kind: rooms.FaultBadAnswer,
			Detail: "the answer to the request for a token can't be read: a proxy, or the login page of a network"}
	}
	f := &rooms.Fault{Service: service, RetryAfter: calendar.RetryAfter(said.Response.Header, t.now())}
	f.Kind, f.Detail = t.kind(said.Response.StatusCode, said.Body)
	return f
}

func (t *tokens) kind(status int, body []byte) (rooms.FaultKind, string) {
	var no struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	known := json.Unmarshal(body, &no) == nil && isWord(no.Error)
	what := fmt.Sprintf("no token: status %d", status)
	if known {
		what += " " + no.Error
	}
	switch {
	case status == http.StatusTooManyRequests:
		return rooms.FaultThrottled, what
	case status >= 500:
		return rooms.FaultTrouble, what
	case !known:
		return rooms.FaultBadAnswer, what + ": not in Google's words: a proxy, the login page of a network, or a wrong token_uri"
	default:
		return rooms.FaultCredentials, what + t.remedy(no.Error, no.Description)
	}
}

// remedy says what to do about a refused token. Google's descriptions tell causes apart that share a
// code; they may name people and are not passed on.
func (t *tokens) remedy(code, description string) string {
	has := func(s string) bool { return strings.Contains(strings.ToLower(description), s) }
	switch {
	case code == "invalid_grant" && (has("timeframe") || has("iat") || has("short-lived")):
		return ": the clock of this machine is wrong"
	case code == "invalid_grant" && has("signature"):
		return ": the key was deleted or replaced; " + newKey
	case code == "invalid_grant" && t.key.conf.Subject != "":
		return ": the clock of this machine is wrong, the service account or its key was deleted, or the delegate is not a user of the domain"
	case code == "invalid_grant":
		return ": the clock of this machine is wrong, or the service account or its key was deleted"
	case code == "unauthorized_client":
		return ": domain-wide delegation is missing; in the Google Admin console, allow the service account's client ID the scope " + t.key.scope()
	case code == "access_denied":
		return ": the domain's administrators don't allow this access"
	case code == "invalid_client", code == "deleted_client", code == "disabled_client":
		return ": the service account was deleted or disabled; " + newKey
	default:
		return ": check the key of the service account"
	}
}
