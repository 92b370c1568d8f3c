package calendar

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"":                              0,
		"0":                             0,
		"7":                             7 * time.Second,
		"-5":                            0,
		"soon":                          0,
		"99999999999999999999":          0,
		"86400":                         time.Hour,
		"Mon, 23 Nov 2026 09:00:30 GMT": 30 * time.Second,
		"Mon, 23 Nov 2026 08:00:00 GMT": 0,
		"Mon, 23 Nov 2037 08:00:00 GMT": time.Hour,
	} {
		if got := RetryAfter(http.Header{"Retry-After": {text}}, now); got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}

func TestCheckURL(t *testing.T) {
	for text, good := range map[string]bool{
		"https://www.googleapis.com/calendar/v3": true,
		"https://mail.example.com:8443":          true,
		"http://127.0.0.1:1234/calendar/v3":      true,
		"http://[::1]:1234":                      true,
		"http://localhost/v3":                    true,
		"http://www.googleapis.com/calendar/v3":  false,
		"http://127.0.0.1.example.com/":          false,
		"ftp://example.com/":                     false,
		"":                                       false,
		"www.googleapis.com/calendar/v3":         false,
		"https:///calendar/v3":                   false,
		"https://user:word@example.com/":         false,
		"https://example.com/?key=1":             false,
		"https://example.com/\x7f":               false,
	} {
		u, err := CheckURL(text)
		if (err == nil) != good {
			t.Errorf("%q: got %v, %v", text, u, err)
		}
		if err != nil && strings.Contains(err.Error(), "word") {
			t.Errorf("%q: the error quotes the password: %v", text, err)
		}
	}
}

func TestReadAll(t *testing.T) {
	for _, size := range []int{0, 9, 10} {
		body, err := ReadAll(strings.NewReader(strings.Repeat("x", size)), 10)
		if err != nil || len(body) != size {
			t.Errorf("%d bytes: got %d, %v", size, len(body), err)
		}
	}
	if _, err := ReadAll(strings.NewReader(strings.Repeat("x", 11)), 10); !errors.Is(err, ErrTooLarge) {
		t.Errorf("11 bytes: got %v", err)
	}
	if _, err := ReadAll(strings.NewReader("x"), -1); !errors.Is(err, ErrTooLarge) {
		t.Errorf("nothing allowed: got %v", err)
	}
}

func TestClientStaysOnItsHost(t *testing.T) {
	elsewhere := httptest.NewServer(http.NotFoundHandler())
	defer elsewhere.Close()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	defer server.Close()
	mux.Handle("/away", http.RedirectHandler(elsewhere.URL+"/secret-path", http.StatusFound))
	mux.Handle("/tls", http.RedirectHandler("https://"+server.Listener.Addr().String(), http.StatusFound))
	mux.Handle("/loop", http.RedirectHandler("/loop", http.StatusFound))
	mux.Handle("/moved", http.RedirectHandler("/here", http.StatusMovedPermanently))
	mux.HandleFunc("/here", func(http.ResponseWriter, *http.Request) {})
	client := Client(server.Client())
	get := func(path string) error {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		return Cause(err)
	}
	if err := get("/moved"); err != nil {
		t.Errorf("on the same host: %v", err)
	}
	for _, path := range []string{"/away", "/tls"} {
		if err := get(path); !errors.Is(err, ErrRedirect) || strings.Contains(err.Error(), "secret-path") {
			t.Errorf("%s: got %v", path, err)
		}
	}
	if err := get("/loop"); err == nil {
		t.Error("a loop of redirects has an end")
	}
	if err := get("/moved"); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestClientHasLimitsOfItsOwn(t *testing.T) {
	transport, ok := Client(nil).Transport.(*http.Transport)
	if !ok || transport.TLSHandshakeTimeout != ConnectTimeout || transport.DialContext == nil {
		t.Errorf("got %+v", transport)
	}
}
