package static

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func TestFilesAreServedUnderTheirHash(t *testing.T) {
	a := Load()
	tests := map[string]string{
		"kiosk.css":    "text/css; charset=utf-8",
		"live.js":      "text/javascript; charset=utf-8",
		"idiomorph.js": "text/javascript; charset=utf-8",
	}
	for name, kind := range tests {
		url := a.URL(name)
		if !regexp.MustCompile(`^/static/[a-z]+\.[0-9a-f]{12}\.[a-z]+$`).MatchString(url) {
			t.Errorf("%s is served as %s", name, url)
		}
		want, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, coding := range []string{"", "gzip, deflate, br"} {
			got, h := fetch(t, a, url, coding)
			if !bytes.Equal(got, want) {
				t.Errorf("%s, accepting %q: other bytes", name, coding)
			}
			if h.Get("Content-Type") != kind || h.Get("Vary") != "Accept-Encoding" ||
				h.Get("Cache-Control") != "public, max-age=31536000, immutable" {
				t.Errorf("%s, accepting %q: headers %v", name, coding, h)
			}
		}
	}
}

// fetch returns the file as a browser sees it.
func fetch(t *testing.T, a *Assets, url, coding string) ([]byte, http.Header) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, url, nil)
	r.Header.Set("Accept-Encoding", coding)
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("%s: answered %d", url, w.Code)
	}
	var body io.Reader = w.Body
	squeezed := w.Header().Get("Content-Encoding") == "gzip"
	if squeezed != strings.Contains(coding, "gzip") {
		t.Errorf("%s, accepting %q: compressed is %v", url, coding, squeezed)
	}
	if squeezed {
		var err error
		if body, err = gzip.NewReader(body); err != nil {
			t.Fatal(err)
		}
	}
	got, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return got, w.Header()
}

func TestOtherNamesAreNotServed(t *testing.T) {
	a := Load()
	for _, url := range []string{"/static/", "/static/live.js", "/static/live.000000000000.js", "/static/README.md", "/static/static.go"} {
		w := httptest.NewRecorder()
		a.ServeHTTP(w, httptest.NewRequest(http.MethodGet, url, nil))
		if w.Code != http.StatusNotFound {
			t.Errorf("%s: answered %d", url, w.Code)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("there is a URL for a file that there isn't")
		}
	}()
	a.URL("none.js")
}

func TestHashIsOfTheContent(t *testing.T) {
	if a, b := Load().Hash(), Load().Hash(); a != b || len(a) != 12 {
		t.Errorf("the hash is %q, then %q", a, b)
	}
}

// TestScriptsAreSmall: the panel's page has 40 KB for everything.
func TestScriptsAreSmall(t *testing.T) {
	a := Load()
	limits := map[string]int{"live.js": 4 << 10, "idiomorph.js": 5 << 10, "kiosk.css": 8 << 10}
	for name, most := range limits {
		if n := len(a.byName[name].gzipped); n == 0 || n > most {
			t.Errorf("%s has %d bytes compressed, at most %d are wanted", name, n, most)
		}
	}
}
