package sim

import (
	"errors"
	"fmt"
	"net/http"
)

// googleError is a refusal in the shape of the Calendar API's errors
// (developers.google.com/workspace/calendar/api/guides/errors).
type googleError struct {
	status   int
	domain   string
	reason   string
	message  string
	location string // the parameter that is at fault, or the header Authorization; may be empty
}

var (
	errNotFound           = googleError{404, "global", "notFound", "Not Found", ""}
	errInvalidCredentials = googleError{401, "global", "authError", "Invalid Credentials", "Authorization"}
)

// badParameter refuses a query parameter.
func badParameter(name, message string) googleError {
	return googleError{400, "global", "invalidParameter", message, name}
}

// Error is the message with its reason.
func (e googleError) Error() string { return fmt.Sprintf("%d %s: %s", e.status, e.reason, e.message) }

func (e googleError) write(w http.ResponseWriter) {
	item := map[string]string{"domain": e.domain, "reason": e.reason, "message": e.message}
	switch e.location {
	case "":
	case "Authorization":
		item["locationType"], item["location"] = "header", e.location
		w.Header().Set("WWW-Authenticate", `Bearer realm="https://accounts.google.com/", error="invalid_token"`)
	default:
		item["locationType"], item["location"] = "parameter", e.location
	}
	writeJSON(w, e.status, map[string]any{"error": map[string]any{
		"errors": []any{item}, "code": e.status, "message": e.message,
	}})
}

func asGoogleError(err error) googleError {
	var e googleError
	if errors.As(err, &e) {
		return e
	}
	return googleError{500, "global", "backendError", "Backend Error", ""}
}

// refuseAsGoogle answers with a status that a fault asked for.
func refuseAsGoogle(w http.ResponseWriter, status int) {
	e := googleError{status, "global", "backendError", "Backend Error", ""}
	switch status {
	case http.StatusUnauthorized:
		e = errInvalidCredentials
	case http.StatusForbidden:
		e = googleError{status, "usageLimits", "rateLimitExceeded", "Rate Limit Exceeded", ""}
	case http.StatusNotFound:
		e = errNotFound
	case http.StatusTooManyRequests:
		e = googleError{status, "usageLimits", "rateLimitExceeded", "Rate Limit Exceeded", ""}
	case http.StatusGone:
		e = googleError{status, "calendar", "fullSyncRequired", "Sync token is no longer valid, a full sync is required.", ""}
	}
	e.write(w)
}
