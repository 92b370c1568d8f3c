package zoom

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// eventValidation is how Zoom makes sure that an address is a webhook's, at first and every 72 h.
const eventValidation = "endpoint.url_validation"

const (
	maxWebhook    = 64 << 10        // bytes of a body
	webhookWindow = 5 * time.Minute // that a request's time may be off, both ways
	maxSeen       = 4096            // signatures that are remembered; Zoom sends far fewer in a window
	signed        = "v0="           // what signatures begin with
)

// webhook takes events that Zoom posts: developers.zoom.us/docs/api/webhooks.
type webhook struct {
	c        *Client
	secret   []byte
	seen     seen
	refusals refusals
}

// Webhook returns the handler of a webhook subscription whose secret token is secret. It takes POST
// with a valid signature alone, and passes what it hears to [Config.Hear].
//
// It answers 200 to what it took, ignored or had before, 400 to what is malformed, 401 to a wrong
// signature or time, 403 to the events of another account, 405 and 413. Without a secret everything
// is 401. What is refused by 401 and 403 is counted and, once an hour for each cause, logged.
func (c *Client) Webhook(secret string) http.Handler {
	return &webhook{
		c: c, secret: []byte(secret), seen: seen{at: map[[sha256.Size]byte]time.Time{}}, refusals: refusals{log: c.log},
	}
}

// ServeHTTP implements [http.Handler].
func (h *webhook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "only POST is taken here", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxWebhook))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		http.Error(w, "the body is too large", http.StatusRequestEntityTooLarge)
		return
	case err != nil:
		http.Error(w, "the body was cut off", http.StatusBadRequest)
		return
	}
	signature, ok := h.verify(r.Header, body)
	if !ok {
		h.c.desk.refused.Add(1)
		http.Error(w, "the signature is wrong or too old", http.StatusUnauthorized)
		return
	}
	e, ok := parseEvent(body)
	switch {
	case !ok:
		h.c.desk.malformed.Add(1)
		http.Error(w, "the body isn't an event", http.StatusBadRequest)
	case e.Name == eventValidation:
		h.validate(w, e)
	case string(e.Payload.Account) != h.c.account:
		h.c.desk.refused.Add(1)
		h.refusals.note(refusedAccount, 0, h.c.clock.Now())
		http.Error(w, "the event is another account's", http.StatusForbidden)
	default:
		if h.seen.first(signature, h.c.clock.Now()) {
			h.c.hear(context.WithoutCancel(r.Context()), e)
		}
		w.WriteHeader(http.StatusOK)
	}
}

// verify checks the signature, whose time has to be near the clock's, and notes what is wrong.
func (h *webhook) verify(header http.Header, body []byte) (signature [sha256.Size]byte, ok bool) {
	now := h.c.clock.Now()
	stamp := header.Get("X-Zm-Request-Timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	given, hexed := strings.CutPrefix(header.Get("X-Zm-Signature"), signed)
	got, hexErr := hex.DecodeString(given)
	off := time.Unix(seconds, 0).Sub(now.Truncate(time.Second))
	switch {
	case len(h.secret) == 0:
		h.refusals.note(refusedNoSecret, 0, now)
	case err != nil || !hexed || hexErr != nil || len(got) != len(signature):
		h.refusals.note(refusedUnsigned, 0, now)
	case !hmac.Equal(got, h.sum("v0:"+stamp+":"+string(body))):
		h.refusals.note(refusedSignature, 0, now)
	case off.Abs() > webhookWindow:
		h.refusals.note(refusedTime, off, now)
	default:
		copy(signature[:], got)
		return signature, true
	}
	return signature, false
}

func (h *webhook) sum(text string) []byte {
	mac := hmac.New(sha256.New, h.secret)
	mac.Write([]byte(text)) // never fails
	return mac.Sum(nil)
}

// validate proves to Zoom that the secret is known here.
func (h *webhook) validate(w http.ResponseWriter, e event) {
	plain := string(e.Payload.Plain)
	if plain == "" {
		http.Error(w, "there is no plainToken", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{ // whoever hung up asks again
		"plainToken":     plain,
		"encryptedToken": hex.EncodeToString(h.sum(plain)),
	})
}

// seen remembers the signatures of a window, so that a request that comes twice is heard once.
type seen struct {
	mu    sync.Mutex
	at    map[[sha256.Size]byte]time.Time
	order [][sha256.Size]byte // oldest first
}

// first tells whether the signature is new, and remembers it. Beyond maxSeen the oldest are
// forgotten: events are hints, and one that is heard twice does no harm.
func (s *seen) first(signature [sha256.Size]byte, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.order) > 0 && (len(s.order) >= maxSeen || now.Sub(s.at[s.order[0]]) > 2*webhookWindow) {
		delete(s.at, s.order[0])
		s.order = s.order[1:]
	}
	if _, known := s.at[signature]; known {
		return false
	}
	s.at[signature] = now
	s.order = append(s.order, signature)
	return true
}
