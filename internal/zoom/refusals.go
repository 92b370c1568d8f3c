package zoom

import (
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// sayAgain is how often a cause of refusals is logged: whoever finds the address can send any number of
// requests.
const sayAgain = time.Hour

// refusal is a kind of reason to refuse a request to the webhook.
type refusal int

const (
	refusedNoSecret refusal = iota
	refusedUnsigned
	refusedSignature
	refusedTime
	refusedAccount
	refusalKinds
)

// refusals says why requests to the webhook are refused, and nothing of what is in them.
type refusals struct {
	log *slog.Logger

	mu   sync.Mutex
	said [refusalKinds]time.Time
}

// note logs a reason, unless it was within the last hour. off is by how much the request's time is ahead
// of the clock's now, for refusedTime.
func (r *refusals) note(why refusal, off time.Duration, now time.Time) {
	r.mu.Lock()
	last := r.said[why]
	quiet := !last.IsZero() && now.Sub(last) < sayAgain && !now.Before(last)
	if !quiet {
		r.said[why] = now
	}
	r.mu.Unlock()
	if !quiet {
		r.log.Warn("webhook request refused", "cause", why.cause(off))
	}
}

// cause says in words of IT what is wrong, and what to do.
func (why refusal) cause(off time.Duration) string {
	switch why {
	case refusedNoSecret:
		return "there is no webhook_secret; copy the Secret Token from the app's page in the Zoom App Marketplace"
	case refusedUnsigned:
		return "it isn't signed as Zoom does that; it isn't Zoom's, or a proxy in between drops headers"
	case refusedSignature:
		return "the signature doesn't match; compare webhook_secret with the Secret Token on the app's page in the Zoom App Marketplace"
	case refusedTime:
		minutes, direction := int(off.Abs().Round(time.Minute)/time.Minute), "ahead of"
		if off < 0 {
			direction = "behind"
		}
		return fmt.Sprintf("its time is %d min %s the clock; check the clock (or somebody sends an old request again)", minutes, direction)
	default:
		return "the event is another account's; compare account_id with the app's page in the Zoom App Marketplace"
	}
}
