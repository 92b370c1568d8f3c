package zoom

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter bounds what Zoom may ask for. The daily limit names midnight UTC; with a wrong clock
// on either side that could be any time, so it is asked again after an hour at the latest.
const maxRetryAfter = time.Hour

// complaint is what an error answer says. The API answers {"code":300,"message":"..."}, the token
// endpoint {"reason":"...","error":"..."}, older parts {"errorCode":..,"errorMessage":"..."}; every
// mix is taken. The texts are as Zoom sent them: not for display, see scrubber.
type complaint struct {
	json    bool // the body is a JSON object
	code    int64
	message string // message, reason or description, whichever is there first
	err     string // OAuth's error word, such as invalid_client
}

// parseComplaint never fails: what it doesn't understand stays empty.
func parseComplaint(body []byte) complaint {
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil || fields == nil {
		return complaint{}
	}
	c := complaint{json: true}
	c.code = firstNumber(fields, "code", "errorCode", "error_code")
	c.message = firstText(fields, "message", "reason", "errorMessage", "error_message", "error_description")
	c.err = firstText(fields, "error")
	if c.err == "" && len(fields["error"]) > 0 {
		if inner := parseComplaint(fields["error"]); inner.json && c.code == 0 && c.message == "" {
			c.code, c.message = inner.code, inner.message
		}
	}
	return c
}

// firstText returns the first of the named fields that is a string with something in it.
func firstText(fields map[string]json.RawMessage, names ...string) string {
	for _, name := range names {
		var s string
		if json.Unmarshal(fields[name], &s) == nil && s != "" {
			return s
		}
	}
	return ""
}

// firstNumber returns the first of the named fields that is a whole number, or a string of one.
func firstNumber(fields map[string]json.RawMessage, names ...string) int64 {
	for _, name := range names {
		text := strings.Trim(string(fields[name]), `"`)
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n
		}
	}
	return 0
}

// retryAfter reads how long an answer asks to wait: Retry-After as seconds, as an HTTP date or, as
// Zoom's daily limit has it, as an ISO 8601 instant; else X-RateLimit-Reset as Unix time. 0 is none.
func retryAfter(h http.Header, now time.Time) time.Duration {
	if d, ok := parseRetryAfter(strings.TrimSpace(h.Get("Retry-After")), now); ok {
		return bounded(d)
	}
	if d, ok := parseReset(strings.TrimSpace(h.Get("X-RateLimit-Reset")), now); ok {
		return bounded(d)
	}
	return 0
}

func parseRetryAfter(v string, now time.Time) (time.Duration, bool) {
	if v == "" {
		return 0, false
	}
	if seconds, err := strconv.ParseFloat(v, 64); err == nil {
		return inSeconds(seconds)
	}
	if at, err := http.ParseTime(v); err == nil {
		return at.Sub(now), true
	}
	return parseInstant(v, now)
}

// isoLayouts are the ways to write an instant by ISO 8601; without a zone it is UTC. Parts of a second
// are taken with all of them.
func isoLayouts() []string {
	return []string{
		time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05", "2006-01-02T15:04Z07:00",
		"2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05", "20060102T150405Z0700", time.DateOnly,
	}
}

// parseInstant reads how far an instant is from now.
func parseInstant(v string, now time.Time) (time.Duration, bool) {
	for _, layout := range isoLayouts() {
		if at, err := time.Parse(layout, v); err == nil {
			return at.Sub(now), true
		}
	}
	return 0, false
}

// parseReset reads Unix time in seconds or milliseconds, or an instant; a small number is seconds
// from now.
func parseReset(v string, now time.Time) (time.Duration, bool) {
	n, err := strconv.ParseInt(v, 10, 64)
	switch {
	case err != nil:
		return parseInstant(v, now)
	case n < 0:
		return 0, false
	case n > 1e11:
		return time.UnixMilli(n).Sub(now), true
	case n > 1e8:
		return time.Unix(n, 0).Sub(now), true
	default:
		return inSeconds(float64(n))
	}
}

func inSeconds(s float64) (time.Duration, bool) {
	if !(s >= 0) { // also NaN
		return 0, false
	}
	return time.Duration(min(s, maxRetryAfter.Seconds()) * float64(time.Second)), true
}

func bounded(d time.Duration) time.Duration { return min(max(d, 0), maxRetryAfter) }
