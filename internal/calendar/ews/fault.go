package ews

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"roomkiosk/internal/calendar"
	"roomkiosk/internal/rooms"
)

// refusedError is a fault together with the code that Exchange gave for it.
type refusedError struct {
	code string
	*rooms.Fault
}

func (e *refusedError) Unwrap() error { return e.Fault }

// says tells whether err is a refusal with one of these codes.
func says(err error, codes ...string) bool {
	var r *refusedError
	return errors.As(err, &r) && slices.Contains(codes, r.code)
}

// isConflict tells whether somebody else changed the item first.
func isConflict(err error) bool {
	return says(err, "ErrorIrresolvableConflict", "ErrorStaleObject", "ErrorChangeKeyRequired", "ErrorInvalidChangeKey")
}

func refusesVersion(err error) bool {
	return says(err, "ErrorInvalidServerVersion", "ErrorIncorrectSchemaVersion", "ErrorSchemaValidation")
}

func tooMany(err error) bool {
	return says(err, "ErrorExceededFindCountLimit", "ErrorCalendarViewRangeTooBig")
}

// errGone is what marks a reservation that isn't on the calendar any more, among other faults of
// the same kind.
var errGone = errors.New("not on the calendar any more")

func gone(detail string) *rooms.Fault {
	return &rooms.Fault{Service: service, Kind: rooms.FaultNotFound, Detail: detail, Err: errGone}
}

func isGone(err error) bool {
	return errors.Is(err, errGone) || says(err, "ErrorItemNotFound", "ErrorCalendarOccurrenceIsDeletedFromRecurrence",
		"ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange", "ErrorCalendarIsCancelledForDecline")
}

// unreachable is the fault of a request that got no answer, or none in time. One that changes
// something may have done so.
func unreachable(err error, write bool) *rooms.Fault {
	return &rooms.Fault{Service: service, Kind: rooms.FaultUnreachable, Ambiguous: write, Err: err}
}

// bad is the fault of an answer that can't be used.
func bad(err error) *rooms.Fault {
	return &rooms.Fault{Service: service, Kind: rooms.FaultBadAnswer, Err: err}
}

func (a answer) bad(err error) *rooms.Fault {
	f := bad(err)
	if !a.isXML() {
		f.Detail = "a web page in place of XML: a wrong url, a proxy, or the login page of a network"
	}
	return f
}

func (a answer) isXML() bool {
	kind, _, _ := strings.Cut(a.header.Get("Content-Type"), ";")
	kind = strings.TrimSpace(strings.ToLower(kind))
	return kind == "text/xml" || kind == "application/xml" || kind == "application/soap+xml"
}

// refused is the fault of an answer whose status isn't 200. What Exchange itself refuses comes as a
// SOAP fault with status 500, throttling too.
func (c *Calendar) refused(a answer, r request) error {
	if said, ok := decodeFault(a.body); ok {
		return c.declined(said, a, r)
	}
	f := &rooms.Fault{Service: service, RetryAfter: calendar.RetryAfter(a.header, c.now())}
	f.Kind, f.Detail = c.kindOfStatus(a)
	f.Ambiguous = r.write && a.status >= 500
	f.Detail = strings.TrimSuffix(fmt.Sprintf("status %d: %s", a.status, f.Detail), ": ")
	return f
}

// kindOfStatus tells refusals apart that the web server made, in front of Exchange.
func (c *Calendar) kindOfStatus(a answer) (rooms.FaultKind, string) {
	switch {
	case a.status == http.StatusUnauthorized:
		return rooms.FaultCredentials, c.signIn(a.header)
	case a.status == http.StatusTooManyRequests:
		return rooms.FaultThrottled, ""
	case a.status >= 500:
		return rooms.FaultTrouble, ""
	case a.status >= 300 && a.status < 400, a.status == 440, a.status == 449:
		return rooms.FaultBadAnswer, "redirected, as to a login page; check the url: it ends in /EWS/Exchange.asmx"
	case a.status == http.StatusForbidden && a.fromIIS():
		return rooms.FaultPermission, "Exchange doesn't let the account in: Set-CASMailbox -EwsEnabled, or the rules of the EWS virtual directory"
	default:
		return rooms.FaultBadAnswer, "not in Exchange's words: a wrong url (it ends in /EWS/Exchange.asmx), a proxy, or the login page of a network"
	}
}

// fromIIS tells whether the web server of an Exchange answered, and not something on the way.
func (a answer) fromIIS() bool {
	return a.header.Get("X-FEServer") != "" || strings.HasPrefix(a.header.Get("Server"), "Microsoft-IIS")
}

// signIn says what to do about a 401, going by the ways to sign in that the server offers.
func (c *Calendar) signIn(h http.Header) string {
	offers := func(schemes ...string) bool {
		return slices.ContainsFunc(h.Values("WWW-Authenticate"), func(line string) bool {
			scheme, _, _ := strings.Cut(line, " ")
			return slices.ContainsFunc(schemes, func(s string) bool { return strings.EqualFold(s, scheme) })
		})
	}
	ntlm, basic := offers("NTLM", "Negotiate"), offers("Basic")
	switch {
	case c.auth == NTLM && !ntlm && basic:
		return `the server offers Basic here, not NTLM: write auth = "basic", or turn on Windows authentication (Set-WebServicesVirtualDirectory -WindowsAuthentication $true)`
	case c.auth == Basic && !basic && ntlm:
		return `the server offers NTLM here, not Basic: write auth = "ntlm", or turn on Basic (Set-WebServicesVirtualDirectory -BasicAuthentication $true)`
	case !ntlm && !basic && len(h.Values("WWW-Authenticate")) > 0:
		return "the server offers neither NTLM nor Basic here; check the url, and the authentication of the EWS virtual directory"
	default:
		return `Exchange refuses the user or the password (user is DOMAIN\user or user@example.com); the account may also be locked or disabled, or its password have expired`
	}
}

// declined is the fault of what Exchange refuses in its own words
// (https://learn.microsoft.com/exchange/client-developer/web-service-reference/responsecode).
func (c *Calendar) declined(said refusal, a answer, r request) error {
	f := &rooms.Fault{Service: service, RetryAfter: max(said.backOff, calendar.RetryAfter(a.header, c.now()))}
	f.Kind, f.Detail = c.kind(said.code)
	f.Ambiguous = r.write && f.Kind == rooms.FaultTrouble
	f.Detail = strings.Trim(said.code+": "+f.Detail, ": ")
	return &refusedError{said.code, f}
}

// kind tells refusals apart by what is to be done, and says what that is.
func (c *Calendar) kind(code string) (rooms.FaultKind, string) {
	switch code {
	case "":
		return rooms.FaultTrouble, "refused without a reason"
	case "ErrorServerBusy", "ErrorExceededConnectionCount", "ErrorTooManyObjectsOpened":
		return rooms.FaultThrottled, ""
	case "ErrorImpersonateUserDenied", "ErrorImpersonationDenied":
		return rooms.FaultPermission, "the account may not act as the room: " + c.grant("")
	case "ErrorAccessDenied":
		return rooms.FaultPermission, c.grant("Reviewer")
	case "ErrorFolderNotFound":
		return rooms.FaultNotFound, "no calendar that the account may see: " + c.grant("Reviewer")
	case "ErrorNonExistentMailbox", "ErrorInvalidSmtpAddress", "ErrorMissingInformationEmailAddress":
		return rooms.FaultNotFound, "Exchange has no such mailbox; check the calendar_id: it is the address of the room"
	case "ErrorNonPrimarySmtpAddress":
		return rooms.FaultNotFound, "the calendar_id is a second address of the room; use its primary one (Get-Mailbox room | fl PrimarySmtpAddress)"
	case "ErrorAccountDisabled":
		return rooms.FaultCredentials, "the account is disabled"
	case "ErrorPasswordExpired", "ErrorPasswordChangeRequired":
		return rooms.FaultCredentials, "the password of the account has to be changed"
	case "ErrorItemNotFound", "ErrorCalendarOccurrenceIsDeletedFromRecurrence", "ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange":
		return rooms.FaultNotFound, "the event is not on the room's calendar any more"
	}
	if passes(code) {
		return rooms.FaultTrouble, ""
	}
	return rooms.FaultInvalid, ""
}

// passes tells whether a code is of a trouble that goes away without anybody changing the request.
func passes(code string) bool {
	switch code {
	case "ErrorInternalServerError", "ErrorInternalServerTransientError", "ErrorMailboxStoreUnavailable", "ErrorMailboxMoveInProgress",
		"ErrorMailboxFailover", "ErrorTimeoutExpired", "ErrorADUnavailable", "ErrorADOperation", "ErrorConnectionFailed",
		"ErrorConnectionFailedTransientError", "ErrorInsufficientResources", "ErrorNoRespondingCASInDestinationSite", "ErrorBatchProcessingStopped",
		"ErrorIrresolvableConflict", "ErrorStaleObject":
		return true
	default:
		return strings.Contains(code, "Transient")
	}
}

// grant is how IT gives the account a right on the room's calendar, in Exchange's own words.
func (c *Calendar) grant(right string) string {
	if c.impersonate {
		return "give it the role, for the rooms: New-ManagementRoleAssignment -Role ApplicationImpersonation -User (the account) -CustomRecipientWriteScope (the rooms)"
	}
	return `share the room's calendar with it: Add-MailboxFolderPermission -Identity room:\Calendar -User (the account) -AccessRights ` + right
}
