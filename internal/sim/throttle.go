package sim

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Zoom's ways of answering 429. Every header is optional there: clients have seen each of these.

// ThrottlePerSecond is the limit per second, with all headers; reset is when it is over.
func ThrottlePerSecond(reset time.Time) Fault {
	return throttle("You have reached the maximum per-second rate limit for this API. Try again later.", http.Header{
		"X-Ratelimit-Category":  {"Medium"},
		"X-Ratelimit-Type":      {"QPS"},
		"X-Ratelimit-Limit":     {"20"},
		"X-Ratelimit-Remaining": {"0"},
		"X-Ratelimit-Reset":     {strconv.FormatInt(reset.Unix(), 10)},
	})
}

// ThrottleDaily is the limit per day. Its Retry-After is an ISO 8601 instant, unlike HTTP's forms.
func ThrottleDaily(until time.Time) Fault {
	f := throttle("You have reached the maximum daily rate limit for this API. "+
		"Refer to the response header for details on when you can make another request.", http.Header{
		"X-Ratelimit-Category":  {"Medium"},
		"X-Ratelimit-Type":      {"Daily-limit"},
		"X-Ratelimit-Limit":     {"2000"},
		"X-Ratelimit-Remaining": {"0"},
	})
	f.Header.Set("Retry-After", until.UTC().Format(time.RFC3339))
	return f
}

// ThrottleConcurrent is the refusal of a request while the same one is under way.
func ThrottleConcurrent() Fault {
	return throttle("Too many concurrent requests. A request to disable or enable this API has already been made.", nil)
}

// ThrottleBare is a 429 without any header.
func ThrottleBare() Fault {
	return throttle("You have reached the maximum per-second rate limit for this API. Try again later.", nil)
}

// ThrottleRetryAfter is a 429 with the given Retry-After: seconds or a date, as HTTP has it.
func ThrottleRetryAfter(value string) Fault {
	f := ThrottleBare()
	f.Header = http.Header{"Retry-After": {value}}
	return f
}

func throttle(message string, header http.Header) Fault {
	return Fault{
		Path:   "/v2/",
		Status: http.StatusTooManyRequests,
		Header: header,
		Body:   fmt.Sprintf(`{"code":429,"message":%q}`, message),
	}
}

// GoogleQuota is Google's refusal of too many requests. The status is 403 or 429, the reason
// rateLimitExceeded, userRateLimitExceeded or quotaExceeded.
func GoogleQuota(status int, reason string) Fault {
	return GoogleRefusal(status, "usageLimits", reason)
}

// GoogleRefusal is any error of the Calendar API: its status, and the domain and reason in its body.
func GoogleRefusal(status int, domain, reason string) Fault {
	return Fault{
		Path:   "/calendar/v3/",
		Status: status,
		Body: fmt.Sprintf(`{"error":{"errors":[{"domain":%q,"reason":%q,"message":%q}],"code":%d,"message":%q}}`,
			domain, reason, reason, status, reason),
	}
}
