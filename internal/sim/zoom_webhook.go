package sim

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// webhook is where events are posted to. It is safe for concurrent use.
type webhook struct {
	wake chan struct{}

	mu     sync.Mutex
	url    string
	secret string
	queue  []delivery
}

// delivery is an event on its way.
type delivery struct {
	body    []byte
	first   time.Time // when it was first due, by the world's clock
	attempt int       // so many before
}

// webhookRetries are when a delivery is tried again, counted from the first time.
func webhookRetries() []time.Duration {
	return []time.Duration{5 * time.Minute, 20 * time.Minute, 60 * time.Minute}
}

// SetWebhook makes every event from now on be posted to url, signed with the secret token. An empty url
// ends that. The real Zoom wants a public https address; here any will do.
func (z *Zoom) SetWebhook(url, secret string) {
	z.webhook.mu.Lock()
	defer z.webhook.mu.Unlock()
	z.webhook.url, z.webhook.secret = url, secret
}

// ValidateWebhook sends the challenge endpoint.url_validation, as Zoom does when a webhook is set up
// and every 72 hours. The error says what is wrong with the answer.
func (z *Zoom) ValidateWebhook(ctx context.Context) error {
	plain := rand.Text()
	body, err := json.Marshal(map[string]any{
		"event": "endpoint.url_validation", "event_ts": z.clock.Now().UnixMilli(),
		"payload": map[string]string{"plainToken": plain},
	})
	if err != nil {
		return fmt.Errorf("validating webhook: %w", err)
	}
	status, answer, err := z.postWebhook(ctx, body)
	if err != nil {
		return fmt.Errorf("validating webhook: %w", err)
	}
	var got struct {
		PlainToken     string `json:"plainToken"`
		EncryptedToken string `json:"encryptedToken"`
	}
	_, secret := z.webhook.target()
	switch {
	case status != http.StatusOK:
		return fmt.Errorf("validating webhook: answered %d", status)
	case json.Unmarshal(answer, &got) != nil:
		return errors.New("validating webhook: the answer is not JSON")
	case got.PlainToken != plain:
		return errors.New("validating webhook: the answer has another plainToken")
	case got.EncryptedToken != sign(secret, plain):
		return errors.New("validating webhook: the answer has a wrong encryptedToken")
	default:
		return nil
	}
}

func (h *webhook) target() (url, secret string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.url, h.secret
}

// post puts an event on its way.
func (h *webhook) post(body []byte, at time.Time) { h.add(delivery{body: body, first: at}) }

func (h *webhook) add(d delivery) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.url == "" {
		return
	}
	h.queue = append(h.queue, d)
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

func (h *webhook) take() []delivery {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := h.queue
	h.queue = nil
	return all
}

// run does what Zoom does by itself, until ctx is done: it carries out what was ordered, posts to the
// webhook, and in the end closes the event stream.
func (z *Zoom) run(ctx context.Context) {
	var busy sync.WaitGroup
	defer busy.Wait()
	defer z.stream.close()
	busy.Go(func() { z.calendar.run(ctx) })
	for {
		for _, d := range z.webhook.take() {
			busy.Go(func() { z.deliver(ctx, d) })
		}
		select {
		case <-z.webhook.wake:
		case <-ctx.Done():
			return
		}
	}
}

// deliver posts an event. What wasn't answered, or with a status of 500 or more, is ordered again.
func (z *Zoom) deliver(ctx context.Context, d delivery) {
	status, _, err := z.postWebhook(ctx, d.body)
	retries := webhookRetries()
	if ctx.Err() != nil || d.attempt == len(retries) || err == nil && status < http.StatusInternalServerError {
		return
	}
	due := d.first.Add(retries[d.attempt])
	d.attempt++
	z.calendar.at(due, func(time.Time) { z.webhook.add(d) })
}

// postWebhook sends a signed request: https://developers.zoom.us/docs/api/webhooks.
func (z *Zoom) postWebhook(ctx context.Context, body []byte) (status int, answer []byte, err error) {
	url, secret := z.webhook.target()
	ctx, cancel := context.WithTimeout(ctx, z.cfg.WebhookTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	stamp := strconv.FormatInt(z.clock.Now().Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Zoom Marketplace/1.0a")
	req.Header.Set("X-Zm-Request-Timestamp", stamp)
	req.Header.Set("X-Zm-Signature", "v0="+sign(secret, "v0:"+stamp+":"+string(body)))
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err = io.ReadAll(io.LimitReader(resp.Body, maxBody))
	return resp.StatusCode, answer, err
}

// sign is HMAC-SHA256 in hex.
func sign(secret, text string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}
