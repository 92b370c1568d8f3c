package zoom

import (
	"encoding/base64"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"unicode"
)

const hidden = "[hidden]"

// maxSaid bounds what is quoted of an answer, in runes.
const maxSaid = 200

// maxScrubbed bounds what is looked through for secrets, in bytes. It is far more than maxSaid: a
// secret that the cut halves is never among the first runes.
const maxScrubbed = 64 << 10

// secretShapes finds what looks like a secret or a person wherever it comes from: tokens, user
// names and passwords in URLs, e-mail addresses.
var secretShapes = regexp.MustCompile(`(?i)\bbearer\s+\S+` +
	`|\bbasic\s+[a-z0-9+/=]{8,}` +
	`|\beyJ[\w-]+(\.[\w-]+)*` +
	`|\b(access_token|client_secret|refresh_token)["']?\s*[=:]\s*["']?[^\s"',&}]+` +
	`|//[^/@\s]+@` +
	`|[\w.+%-]+@[\w-]+(\.[\w-]+)+`)

// scrubber takes secrets out of text that others wrote: answers of Zoom (or of whoever sits in
// between) and errors of libraries.
type scrubber struct {
	known *strings.Replacer

	mu     sync.Mutex
	tokens [3]string // the last ones, newest first
}

func newScrubber(clientID, secret string) *scrubber {
	var pairs []string
	if secret != "" {
		for _, s := range []string{
			base64.StdEncoding.EncodeToString([]byte(clientID + ":" + secret)),
			base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(clientID) + ":" + url.QueryEscape(secret))),
			secret, url.QueryEscape(secret), url.PathEscape(secret),
		} {
			pairs = append(pairs, s, hidden)
		}
	}
	return &scrubber{known: strings.NewReplacer(pairs...)}
}

// learn makes a token known as a secret. Zoom's tokens have a shape that tells them, but that is
// nothing to rely on.
func (s *scrubber) learn(token string) {
	if len(token) < 8 {
		return // would tear words apart, and isn't one of Zoom's
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[0], s.tokens[1], s.tokens[2] = token, s.tokens[0], s.tokens[1]
}

// text returns in without secrets, on one line, shortened.
func (s *scrubber) text(in string) string {
	in = s.known.Replace(in[:min(len(in), maxScrubbed)])
	s.mu.Lock()
	for _, token := range s.tokens {
		if token != "" {
			in = strings.ReplaceAll(in, token, hidden)
		}
	}
	s.mu.Unlock()
	return shorten(secretShapes.ReplaceAllString(in, hidden))
}

// err returns an error that reads like err without its secrets, and still is err for errors.Is.
func (s *scrubber) err(err error) error {
	if err == nil {
		return nil
	}
	return &scrubbed{text: s.text(err.Error()), err: err}
}

// addresses finds IP addresses with ports, and pairs of them.
var addresses = regexp.MustCompile(address + `(->` + address + `)?`)

const address = `(\[[0-9A-Fa-f:.]+(%[\w.-]+)?\]|\b\d{1,3}(\.\d{1,3}){3}):\d{1,5}\b`

// errNowhere is err without addresses, too: this side's port is another one each time.
func (s *scrubber) errNowhere(err error) error {
	return &scrubbed{text: addresses.ReplaceAllString(s.text(err.Error()), "[address]"), err: err}
}

type scrubbed struct {
	text string
	err  error
}

func (e *scrubbed) Error() string { return e.text }
func (e *scrubbed) Unwrap() error { return e.err }

// shorten puts foreign text on one line: valid UTF-8, no control or formatting characters, at most
// maxSaid runes.
func shorten(s string) string {
	var b strings.Builder
	runes, space := 0, false
	for _, r := range s {
		switch {
		case unicode.IsSpace(r) || unicode.IsControl(r):
			space = true
			continue
		case !unicode.IsPrint(r):
			continue
		}
		if runes >= maxSaid {
			return b.String() + "…"
		}
		if space && runes > 0 {
			b.WriteByte(' ')
			runes++
		}
		space = false
		b.WriteRune(r)
		runes++
	}
	return b.String()
}
