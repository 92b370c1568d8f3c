package caldav_test

import (
	"crypto/md5"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"roomkiosk/internal/rooms"
)

// digested asks for Digest and checks it, with a nonce that is good for so many requests.
func digested(next http.Handler, uses int, algorithm string) http.HandlerFunc {
	var mu sync.Mutex
	nonce, used := 1, 0
	md := func(s string) string { return fmt.Sprintf("%x", md5.Sum([]byte(s))) }
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		fields := map[string]string{}
		for _, f := range strings.Split(strings.TrimPrefix(r.Header.Get("Authorization"), "Digest "), ",") {
			k, v, _ := strings.Cut(strings.TrimSpace(f), "=")
			fields[k] = strings.Trim(v, `"`)
		}
		want := md(md("kiosk:dav:secret") + ":" + fields["nonce"] + ":" + fields["nc"] + ":" + fields["cnonce"] + ":auth:" + md(r.Method+":"+r.URL.RequestURI()))
		if fields["response"] == want && fields["nonce"] == fmt.Sprint(nonce) && used < uses && fields["nc"] == fmt.Sprintf("%08x", used+1) {
			used++
			next.ServeHTTP(w, r)
			return
		}
		nonce, used = nonce+1, 0
		w.Header().Add("WWW-Authenticate", `Basic realm="dav"`)
		w.Header().Add("WWW-Authenticate", fmt.Sprintf(`Digest realm="dav", qop="auth", nonce="%d", opaque="o", algorithm=%s`, nonce, algorithm))
		w.WriteHeader(http.StatusUnauthorized)
	}
}

func TestDigest(t *testing.T) {
	s := newStub(t)
	s.Config.Handler = digested(s.Config.Handler, 3, "MD5")
	k := newKiosk(t, s.URL+"/ada/", "kiosk", "secret")
	for range 4 {
		ref := only(t, k.read(t), "Kick-off").Ref
		if err := k.End(t.Context(), k.room, ref, k.now); err != nil {
			t.Fatal(err)
		}
	}
	if got := k.recorder.take(); !strings.HasPrefix(got, "PROPFIND 401, PROPFIND 207, REPORT 207, GET 200, PUT 401, PUT 204, ") {
		t.Errorf("sent %s", got)
	}
	if strings.HasPrefix(s.header(http.MethodPut, "Authorization"), "Basic") {
		t.Error("Basic where Digest is offered")
	}
	wrong := newKiosk(t, s.URL+"/ada/", "kiosk", "wrong")
	_, err := wrong.Read(t.Context(), k.room, day(t), day(t).AddDate(0, 0, 2))
	wantFault(t, err, rooms.FaultCredentials)
	if got := wrong.recorder.take(); got != "PROPFIND 401, PROPFIND 401" {
		t.Errorf("sent %s", got)
	}
}

// A form of Digest that isn't known leaves Basic.
func TestUnknownDigest(t *testing.T) {
	s := newStub(t)
	next := s.Config.Handler
	asks := digested(next, 0, "SHA3-1024")
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, ok := r.BasicAuth(); ok && user == "kiosk" && password == "secret" {
			next.ServeHTTP(w, r)
			return
		}
		asks(w, r)
	})
	k := newKiosk(t, s.URL+"/ada/", "kiosk", "secret")
	k.read(t)
	if got := k.recorder.take(); got != "PROPFIND 401, PROPFIND 207, REPORT 207" {
		t.Errorf("sent %s", got)
	}
}
