package zoom

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"roomkiosk/internal/rooms"
)

// echo answers with everything that it was sent, and secrets of its own.
func echo(status int, contentType string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, plain, _ := r.BasicAuth()
		said := strings.Join([]string{
			r.Header.Get("Authorization"), strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), plain,
			plantedSecret, "eyJzdiI6IjAwMDAwMSJ9.eyJ2ZXIiOjl9.sig", "access_token=abcdef0123", "jane.doe@example.com", string(body),
		}, " ")
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Location", "https://user:"+url.PathEscape(plantedSecret)+"@portal.example.net/?access_token="+plantedToken)
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"code":300,"message":%q,"reason":%q,"error":%q}`, said, said, said)
	}
}

// Whatever Zoom, or who pretends to be it, puts into its answers: no secret gets into an error or
// the log.
func TestSecretsStayInside(t *testing.T) {
	for _, where := range []string{"token", "api"} {
		for _, status := range []int{200, 202, 302, 400, 401, 403, 404, 429, 500} {
			for _, kind := range []string{"application/json", "text/html", "text/plain"} {
				f := newFixture(t)
				if where == "token" {
					f.srv.answerToken(echo(status, kind))
				} else {
					f.srv.answerAPI(echo(status, kind))
				}
				ctx := t.Context()
				_, profile := f.Profile(ctx, ada)
				_, list := f.Rooms(ctx)
				errs := fmt.Sprint(f.CheckIn(ctx, ada, exchangeRef), f.Release(ctx, ada, googleRef), profile, list, f.CheckToken(ctx))
				text := errs + fmt.Sprintf("%+v", rooms.FaultOf(profile)) + f.log.String()
				checkSecrets(t, text)
				for _, s := range []string{"abcdef0123", url.QueryEscape(plantedSecret), url.PathEscape(plantedSecret),
					base64.StdEncoding.EncodeToString([]byte("client-1:" + plantedSecret)),
					base64.StdEncoding.EncodeToString([]byte("client-1:" + url.QueryEscape(plantedSecret)))} {
					if strings.Contains(text, s) {
						t.Errorf("%s %d %s: %q came out in %s", where, status, kind, s, text)
					}
				}
			}
		}
	}
}

func TestOutageIsLoggedOnce(t *testing.T) {
	f := newFixture(t)
	f.srv.answerToken(say(503, ""))
	for range 3 {
		_ = f.CheckIn(t.Context(), ada, googleRef)
	}
	f.srv.answerToken(nil)
	f.clock.move(time.Minute)
	for range 3 {
		_ = f.CheckIn(t.Context(), ada, googleRef)
	}
	log := f.log.String()
	if strings.Count(log, "zoom out of reach") != 1 || strings.Count(log, "zoom in reach again") != 1 || strings.Count(log, "\n") != 2 {
		t.Errorf("logged:\n%s", log)
	}
}

func TestShorten(t *testing.T) {
	for in, want := range map[string]string{
		" a\n\tb\x00c  d ":       "a b c d",
		"a\u202eb\u200bc":        "abc",
		"bad\xff":                "bad\ufffd",
		strings.Repeat("é", 201): strings.Repeat("é", 200) + "…",
		strings.Repeat("é", 200): strings.Repeat("é", 200),
		"":                       "",
	} {
		if got := shorten(in); got != want {
			t.Errorf("shorten(%q) = %q, want %q", in, got, want)
		}
	}
}
