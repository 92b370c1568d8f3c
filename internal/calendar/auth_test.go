package calendar

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// What is sent follows from what the server asks for. Digest itself is tested with a server that
// checks it, in package caldav.
func TestAuth(t *testing.T) {
	for name, tt := range map[string]struct {
		user   string
		asks   []string
		insist bool
		sent   []string // scheme of each request
	}{
		"nobody asks":          {user: "kiosk", sent: []string{"", ""}},
		"nobody to say":        {asks: []string{`Basic realm="x"`}, sent: []string{"", ""}},
		"Basic":                {user: "kiosk", asks: []string{`basic realm="x"`}, sent: []string{"", "Basic", "Basic"}},
		"Digest":               {user: "kiosk", asks: []string{`Digest realm="x", nonce="1", qop="auth"`}, sent: []string{"", "Digest", "Digest"}},
		"Digest before Basic":  {user: "kiosk", asks: []string{`Basic realm="x"`, `Digest realm="x", nonce="1"`}, sent: []string{"", "Digest", "Digest"}},
		"something else":       {user: "kiosk", asks: []string{"Negotiate"}, sent: []string{"", ""}},
		"without being asked":  {user: "kiosk", insist: true, sent: []string{"Basic", "Basic"}},
		"nobody to insist for": {insist: true, sent: []string{"", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			var sent []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
				sent = append(sent, scheme)
				if body, _ := io.ReadAll(r.Body); string(body) != "question" {
					t.Errorf("sent %q", body)
				}
				for _, a := range tt.asks {
					w.Header().Add("WWW-Authenticate", a)
				}
				if scheme == "" && len(tt.asks) > 0 {
					w.WriteHeader(http.StatusUnauthorized)
				}
			}))
			defer server.Close()
			auth := &Auth{User: tt.user, Password: "secret", Next: server.Client().Transport}
			if tt.insist && auth.Insist() != (tt.user != "") {
				t.Error("Insist is wrong about what it does")
			}
			for range 2 {
				req, err := http.NewRequestWithContext(t.Context(), "REPORT", server.URL, strings.NewReader("question"))
				if err != nil {
					t.Fatal(err)
				}
				resp, err := (&http.Client{Transport: auth}).Do(req)
				if err != nil {
					t.Fatal(err)
				}
				_ = resp.Body.Close()
			}
			if got, want := strings.Join(sent, ","), strings.Join(tt.sent, ","); got != want {
				t.Errorf("sent %s, want %s", got, want)
			}
			if auth.Insist() && (len(tt.asks) > 0 && tt.asks[0] != "Negotiate" || tt.insist) {
				t.Error("it insists again")
			}
		})
	}
}
