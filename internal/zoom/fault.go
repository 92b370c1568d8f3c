package zoom

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"roomkiosk/internal/rooms"
)

// service is what IT calls it.
const service = "Zoom"

// The granular scopes of the requests, named when one is missing.
const (
	scopeControl = "zoom_rooms:update:room_control:admin"
	scopeRoom    = "zoom_rooms:read:room:admin"
	scopeList    = "zoom_rooms:read:list_rooms:admin"
)

// Zoom's error codes that mean more than their HTTP status.
const (
	codeInvalid     = 300       // three causes in one code: only the message tells
	codeOldScope    = 104       // also for other things
	codeToken       = 124       // token invalid or expired
	codeRestricted  = 200       // no Zoom Rooms subscription, or access restricted
	codeNoRoom      = 1012      // no such room
	codeNoEndpoint  = 2300      // no such operation
	codeNoRooms     = 300520002 // a room_id was sent where the list's id belongs
	codeScopeOlder  = 4700
	codeScope       = 4711
	remedyPortal    = "check whether a proxy or the log-in page of the network sits in between"
	remedyRoomID    = "check zoom_room_id: it is the field id of Zoom's list of rooms, not room_id"
	remedyAppActive = "check in the Zoom App Marketplace that the app is activated and belongs to account_id"
)

var (
	saysOffline = regexp.MustCompile(`(?i)\boffline\b`)
	saysScope   = regexp.MustCompile(`(?i)\bscopes?\b`)
	scopesNamed = regexp.MustCompile(`(?i)scopes?\s*:?\s*\[([a-z0-9_:, ]{3,300})\]`)
)

func newFault(kind rooms.FaultKind, detail string) *rooms.Fault {
	return &rooms.Fault{Service: service, Kind: kind, Detail: detail}
}

// refusedToken tells whether Zoom refused the token as such, so that a new one may help. A token
// without the scope is another matter.
func (a answer) refusedToken() bool {
	if a.status < 400 {
		return false
	}
	said := a.complaint()
	if lacksScope(a.status, said) {
		return false
	}
	return a.status == http.StatusUnauthorized || said.code == codeToken
}

// lacksScope knows Zoom's ways to say that the app lacks a scope: 4711 by HTTP 400 or 401, the
// documented 4700, and older answers that only the text tells.
func lacksScope(status int, said complaint) bool {
	if said.code == codeScope || said.code == codeScopeOlder {
		return true
	}
	return saysScope.MatchString(said.message) &&
		(said.code == codeOldScope || said.code == codeToken || status == 401 || status == 403)
}

// fault turns an answer that is no success into a fault. It decides by the HTTP status what Zoom's
// own code doesn't decide.
func (c *Client) fault(req request, a answer) *rooms.Fault {
	said := a.complaint()
	f := c.classify(req, a, said)
	f.Service = service
	f.Detail += c.quote(a, said)
	return f
}

func (c *Client) classify(req request, a answer, said complaint) *rooms.Fault {
	switch {
	case a.status == http.StatusTooManyRequests:
		return &rooms.Fault{Kind: rooms.FaultThrottled, RetryAfter: retryAfter(a.header, c.clock.Now()),
			Detail: "the account's rate limit, which all its apps share, is used up"}
	case a.status == http.StatusProxyAuthRequired, a.status == http.StatusNetworkAuthenticationRequired:
		return newFault(rooms.FaultUnreachable, "the network wants a log-in first; "+remedyPortal)
	case a.status >= 500, a.status == http.StatusRequestTimeout:
		return &rooms.Fault{Kind: rooms.FaultTrouble, RetryAfter: retryAfter(a.header, c.clock.Now()),
			Ambiguous: req.effect, Detail: "Zoom has a problem; nothing to do here"}
	case a.status < 300:
		return &rooms.Fault{Kind: rooms.FaultBadAnswer, Ambiguous: req.effect,
			Detail: "the answer isn't one of Zoom's; " + remedyPortal}
	case a.status < 400:
		return newFault(rooms.FaultBadAnswer, "redirected to "+redirectHost(a.header)+"; "+remedyPortal)
	case lacksScope(a.status, said):
		return newFault(rooms.FaultPermission, scopeRemedy(said.message, req.scope))
	case a.refusedToken():
		return newFault(rooms.FaultCredentials, "the token that Zoom gave just now is refused; "+remedyAppActive)
	}
	return classifyRefusal(a, said)
}

// classifyRefusal handles what Zoom definitely refused, 4xx.
func classifyRefusal(a answer, said complaint) *rooms.Fault {
	switch {
	case !a.empty() && !said.json:
		return newFault(rooms.FaultBadAnswer, "the answer isn't one of Zoom's; check api_url, and "+remedyPortal)
	case said.code == codeNoEndpoint:
		return newFault(rooms.FaultInvalid, "this isn't the address of Zoom's API; check api_url")
	case a.status == http.StatusUnsupportedMediaType:
		return newFault(rooms.FaultInvalid, "Zoom doesn't take the body in this form; change body to the other one")
	case said.code == codeNoRoom, said.code == codeNoRooms, a.status == http.StatusNotFound:
		return newFault(rooms.FaultNotFound, "no such Zoom Room; "+remedyRoomID)
	case said.code == codeRestricted, a.status == http.StatusForbidden:
		return newFault(rooms.FaultPermission,
			"Zoom restricts access; check the account's Zoom Rooms licence and the role of the app's owner")
	case (said.code == codeInvalid || a.status == http.StatusBadRequest) && saysOffline.MatchString(said.message):
		return newFault(rooms.FaultRoomOffline, "the Zoom Room isn't connected to Zoom; check its computer and network")
	default:
		return newFault(rooms.FaultInvalid, "Zoom refuses the request; check the ids of the room and its calendar")
	}
}

// quote says what Zoom answered, for the end of a fault's detail.
func (c *Client) quote(a answer, said complaint) string {
	var b strings.Builder
	fmt.Fprintf(&b, " (HTTP %d", a.status)
	if said.code != 0 {
		fmt.Fprintf(&b, ", code %d", said.code)
	}
	if word := c.scrub.text(said.err); word != "" {
		fmt.Fprintf(&b, ", %s", word)
	}
	if text := c.scrub.text(said.message); text != "" {
		fmt.Fprintf(&b, ": %q", text)
	}
	b.WriteByte(')')
	return b.String()
}

// scopeRemedy names the scopes that Zoom's message names, else the one that the request needs.
func scopeRemedy(message, needed string) string {
	if m := scopesNamed.FindStringSubmatch(message); m != nil {
		needed = m[1]
	}
	return "the app lacks the scope " + needed + "; add it to the app in the Zoom App Marketplace"
}

func redirectHost(h http.Header) string {
	if u, err := url.Parse(h.Get("Location")); err == nil && u.Hostname() != "" {
		return shorten(u.Hostname())
	}
	return "somewhere else"
}
