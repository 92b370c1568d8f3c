package zoom

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"roomkiosk/internal/rooms"
)

// tokenFault classifies an error of the token endpoint. The library's error text holds the whole
// answer, so it isn't kept.
func (c *Client) tokenFault(err error) *rooms.Fault {
	var refused *oauth2.RetrieveError
	var lost *url.Error
	switch {
	case errors.As(err, &refused):
		return c.tokenRefusal(answer{status: refused.Response.StatusCode, header: refused.Response.Header, body: refused.Body})
	case errors.As(err, &lost):
		return c.noAnswer(err, false)
	default:
		return newFault(rooms.FaultBadAnswer, "the answer to the request for a token is malformed or cut off; check token_url, and "+remedyPortal)
	}
}

func (c *Client) tokenRefusal(a answer) *rooms.Fault {
	said := a.complaint()
	switch {
	case a.status == http.StatusTooManyRequests, a.status >= 500, a.status == http.StatusRequestTimeout,
		a.status == http.StatusProxyAuthRequired, a.status >= 300 && a.status < 400:
		return c.fault(request{}, a)
	}
	kind, detail := rooms.FaultCredentials, credentialsRemedy(said)
	switch {
	case !said.json && !a.empty():
		kind, detail = rooms.FaultBadAnswer, "the answer to the request for a token isn't one of Zoom's; check token_url, and "+remedyPortal
	case a.status == http.StatusNotFound, a.status == http.StatusMethodNotAllowed:
		kind, detail = rooms.FaultInvalid, "there are no tokens at this address; check token_url"
	}
	return newFault(kind, detail+c.quote(a, said))
}

// credentialsRemedy says what to do about a refused request for a token. Codes are those of Zoom's
// table of OAuth errors; most answers carry only words, so the words decide too.
func credentialsRemedy(said complaint) string {
	words := strings.ToLower(said.err + " " + said.message)
	has := func(parts ...string) bool {
		for _, p := range parts {
			if strings.Contains(words, p) {
				return true
			}
		}
		return false
	}
	switch {
	case said.code == 4717, said.code == 4738, has("disabled", "deactivated", "not activated"):
		return "the app is disabled; activate it in the Zoom App Marketplace, or ask the Zoom administrator to allow it"
	case said.code == 4735:
		return "the app's owner is no longer in the account; have another administrator own the app"
	case said.code == 4741, has("revoked"):
		return "the app's access was revoked; activate it again in the Zoom App Marketplace"
	case said.code == 4705, has("unsupported_grant_type", "grant type", "grant_type"):
		return "the app can't get account credentials; it has to be of the type Server-to-Server OAuth"
	case said.code == 4702, said.code == 4704, has("invalid_client", "client_id", "client id", "client_secret", "client secret"):
		return "client_id or client_secret is wrong; copy both anew from the app's page in the Zoom App Marketplace"
	case said.code == 4706:
		return "client_id or client_secret is missing; copy both from the app's page in the Zoom App Marketplace"
	case has("account"):
		return "account_id is wrong or missing; copy it from the app's page in the Zoom App Marketplace"
	default:
		return "Zoom refuses to give a token; compare account_id, client_id and client_secret with the app's page " +
			"in the Zoom App Marketplace, and check that the app is activated"
	}
}
