package sim

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// graphError is a refusal in the shape of Graph's errors (learn.microsoft.com/graph/errors).
type graphError struct {
	status  int
	code    string
	message string
}

var (
	errGraphToken   = graphError{401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid."}
	errGraphDenied  = graphError{403, "ErrorAccessDenied", "Access is denied. Check credentials and try again."}
	errGraphItem    = graphError{404, "ErrorItemNotFound", "The specified object was not found in the store., The process failed to get the correct properties."}
	errGraphCrowded = graphError{429, "ApplicationThrottled", "Application is over its MailboxConcurrency limit."}
	errGraphChanged = graphError{412, "ErrorIrresolvableConflict", "The send or update operation could not be performed because the change key " +
		"passed in the request does not match the current change key for the item."}
)

// badGraphQuery refuses a query.
func badGraphQuery(message string) graphError { return graphError{400, "BadRequest", message} }

// Error is the message with its code.
func (e graphError) Error() string { return fmt.Sprintf("%d %s: %s", e.status, e.code, e.message) }

// write sends the refusal. A nil request is one that nothing is known of.
func (e graphError) write(w http.ResponseWriter, r *http.Request) {
	requestID := newUUID()
	inner := map[string]string{"request-id": requestID, "client-request-id": requestID}
	if r != nil && r.Header.Get("Client-Request-Id") != "" {
		inner["client-request-id"] = r.Header.Get("Client-Request-Id")
	}
	w.Header().Set("Request-Id", requestID)
	if e.status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	writeJSON(w, e.status, map[string]any{"error": map[string]any{"code": e.code, "message": e.message, "innerError": inner}})
}

func asGraphError(err error) graphError {
	var e graphError
	if errors.As(err, &e) {
		return e
	}
	return graphError{500, "InternalServerError", "The server encountered an internal error."}
}

// refuseAsGraph answers with a status that a fault asked for.
func refuseAsGraph(w http.ResponseWriter, status int) {
	e := graphError{status, "generalException", "General exception while processing."}
	switch status {
	case http.StatusUnauthorized:
		e = errGraphToken
	case http.StatusForbidden:
		e = errGraphDenied
	case http.StatusNotFound:
		e = errGraphItem
	case http.StatusPreconditionFailed:
		e = errGraphChanged
	case http.StatusTooManyRequests:
		e = errGraphCrowded
	case http.StatusServiceUnavailable:
		e = graphError{status, "ServiceNotAvailable", "The service is temporarily unavailable. Please try again later."}
	case http.StatusGatewayTimeout:
		e = graphError{status, "UnknownError", ""}
	}
	e.write(w, nil)
}

// GraphRefusal is any error of Graph: its status, and the code and message in its body.
func GraphRefusal(status int, code, message string) Fault {
	return Fault{
		Path: "/v1.0/", Status: status, Header: http.Header{"Request-Id": {newUUID()}},
		Body: fmt.Sprintf(`{"error":{"code":%q,"message":%q}}`, code, message),
	}
}

// GraphThrottle is Graph's refusal of too many requests, with the seconds to wait.
func GraphThrottle(seconds int) Fault {
	f := GraphRefusal(http.StatusTooManyRequests, "ApplicationThrottled", "Application is over its RequestsPerMailbox limit.")
	f.Header.Set("Retry-After", strconv.Itoa(seconds))
	return f
}

// newUUID makes a random id in the form of a UUID.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
