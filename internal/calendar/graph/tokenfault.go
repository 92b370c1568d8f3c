package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"

	"golang.org/x/oauth2"

	"roomkiosk/internal/calendar"
	"roomkiosk/internal/rooms"
)

// refused is the fault of a request for a token that failed. The errors of package oauth2 quote whole
// answers and go no further.
func (t *tokens) refused(ctx context.Context, err error) *rooms.Fault {
	var said *oauth2.RetrieveError
	var network *url.Error
	switch {
	case errors.As(err, &network):
		return unanswered(err)
	case ctx.Err() != nil:
		return unreachable(ctx.Err())
	case !errors.As(err, &said):
		return &rooms.Fault{Service: service, Kind: rooms.FaultBadAnswer,
			Detail: "the answer to the request for a token can't be read: a proxy, or the login page of a network"}
	}
	f := &rooms.Fault{Service: service, RetryAfter: calendar.RetryAfter(said.Response.Header, t.now())}
	f.Kind, f.Detail = tokenKind(said.Response.StatusCode, said.Body)
	return f
}

// tokenRefusal is the body of a refusal of the token endpoint (RFC 6749 section 5.2, with
// Microsoft's additions). The description names the app and the tenant, and is not passed on.
type tokenRefusal struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
	Codes       []int  `json:"error_codes"`
}

var aadsts = regexp.MustCompile(`AADSTS(\d{2,9})`)

// code is the number of the error (https://learn.microsoft.com/entra/identity-platform/reference-error-codes);
// 0: none is given.
func (r tokenRefusal) code() int {
	if len(r.Codes) > 0 {
		return r.Codes[0]
	}
	if found := aadsts.FindStringSubmatch(r.Description); found != nil {
		n, _ := strconv.Atoi(found[1]) // digits, and few of them
		return n
	}
	return 0
}

func tokenKind(status int, body []byte) (rooms.FaultKind, string) {
	var no tokenRefusal
	known := json.Unmarshal(body, &no) == nil && isWord(no.Error)
	what := fmt.Sprintf("no token: status %d", status)
	code := 0
	if known {
		what += " " + no.Error
		code = no.code()
	}
	if code != 0 {
		what += fmt.Sprintf(" AADSTS%d", code)
	}
	switch {
	case status == http.StatusTooManyRequests:
		return rooms.FaultThrottled, what
	case status >= 500, no.Error == "temporarily_unavailable":
		return rooms.FaultTrouble, what
	case !known:
		return rooms.FaultBadAnswer, what + ": not in Microsoft's words: a proxy, the login page of a network, or a wrong token_url"
	default:
		return rooms.FaultCredentials, what + ": " + tokenRemedy(no.Error, code)
	}
}

// tokenRemedy says what to do about a refused token.
func tokenRemedy(kind string, code int) string {
	const secrets = "make a new one in the Entra admin center: App registrations, the app, Certificates & secrets"
	switch code {
	case 7000215:
		return "the client secret is wrong: it has to be the secret's value, not its id; if the value is lost, " + secrets
	case 7000222:
		return "the client secret has expired; " + secrets
	case 7000216, 7000218:
		return "the client secret is missing"
	case 700016, 7000112, 700027:
		return "the tenant doesn't know this app, or has disabled it; check client_id and tenant_id"
	case 90002, 900023, 900021, 90013:
		return "there is no such tenant; check tenant_id"
	case 500011, 1002012, 70011:
		return "the tenant doesn't know the service at this url; check url and token_url: both have to belong to the same cloud"
	case 53003, 530034, 530035:
		return "the tenant's Conditional Access keeps the app from signing in from here; allow it for this workload identity"
	}
	switch kind {
	case "invalid_client":
		return "the client secret is wrong or has expired; " + secrets
	case "unauthorized_client":
		return "the tenant doesn't know this app; check client_id and tenant_id"
	default:
		return "check tenant_id, client_id and the client secret"
	}
}
