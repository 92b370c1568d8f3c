package zoom

import (
	"net/http"
	"testing"
	"time"
)

// The clock says noon.
func TestRetryAfter(t *testing.T) {
	const s = time.Second
	for _, tt := range []struct {
		retry, reset string
		want         time.Duration
	}{
		{}, // no header at all
		{retry: "0"}, {retry: "7", want: 7 * s}, {retry: " 7 ", want: 7 * s}, {retry: "0.5", want: s / 2},
		{retry: "1e3", want: 1000 * s}, {retry: "3601", want: time.Hour}, {retry: "9223372036854775808", want: time.Hour},
		{retry: "-7"}, {retry: "NaN"}, {retry: "Inf", want: time.Hour}, {retry: "-Inf"}, {retry: "7s"}, {retry: "soon"},

		{retry: "Mon, 23 Nov 2026 12:00:40 GMT", want: 40 * s},
		{retry: "Monday, 23-Nov-26 12:00:40 GMT", want: 40 * s},
		{retry: "Mon Nov 23 12:00:40 2026", want: 40 * s},
		{retry: "Mon, 23 Nov 2026 11:59:59 GMT"}, // it has passed
		{retry: "Tue, 24 Nov 2026 12:00:00 GMT", want: time.Hour},

		{retry: "2026-11-23T12:00:20Z", want: 20 * s},
		{retry: "2026-11-23T12:00:20.250Z", want: 20*s + s/4},
		{retry: "2026-11-23T13:00:20+01:00", want: 20 * s},
		{retry: "2026-11-23T13:00:20+0100", want: 20 * s},
		{retry: "2026-11-23T12:00:20", want: 20 * s},
		{retry: "2026-11-23 12:00:20", want: 20 * s},
		{retry: "2026-11-23T12:05Z", want: 5 * time.Minute},
		{retry: "20261123T120020Z", want: 20 * s},
		{retry: "2026-11-24", want: time.Hour},
		{retry: "2026-11-23"}, {retry: "2026-02-30T00:00:00Z"}, {retry: "0001-01-01T00:00:00Z"},
		{retry: "9999-12-31T23:59:59Z", want: time.Hour},

		{reset: "1795435212", want: 12 * s}, {reset: "1795435212000", want: 12 * s}, {reset: "3", want: 3 * s},
		{reset: "2026-11-23T12:00:09Z", want: 9 * s}, {reset: "1795435100"}, {reset: "-1"}, {reset: "9223372036854775807", want: time.Hour},
		{reset: "1.5"}, {reset: "never"},
		{retry: "2", reset: "1795435212", want: 2 * s},
		{retry: "never", reset: "1795435212", want: 12 * s},
	} {
		h := http.Header{}
		if tt.retry != "" {
			h.Set("Retry-After", tt.retry)
		}
		if tt.reset != "" {
			h.Set("X-RateLimit-Reset", tt.reset)
		}
		if got := retryAfter(h, noon); got != tt.want {
			t.Errorf("retry %q, reset %q: %v, want %v", tt.retry, tt.reset, got, tt.want)
		}
	}
}
