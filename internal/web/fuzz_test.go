package web

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

// FuzzForm: whatever is posted to the routes of taps, there is an answer, it isn't the server's fault,
// and the room is only asked about what its calendar may have.
func FuzzForm(f *testing.F) {
	routes := []string{"check-in", "release", "undo"}
	for _, seed := range []struct{ kind, body string }{
		{form, "reservation=r1"}, {form, "reservation=%zz"}, {form, "reservation=r1&reservation=r2"}, {form, "a;b=c"},
		{form + "; charset=utf-7", "reservation=+AHI-1"}, {"", "reservation=r1"}, {"multipart/form-data; boundary=x", "--x\r\n"},
		{"multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"reservation\"\r\n\r\nr1\r\n--x--\r\n"},
		{asJSON, `{"reservation":"r1"}`}, {asJSON, `{"reservation":"r1","reservation":{}}`}, {asJSON, `{"reservation":"` + "\x00\xff" + `"}`},
		{asJSON + ";charset=x", `[]`}, {"a/b; c", "x"}, {form, "reservation=" + strings.Repeat("r", maxBody)},
	} {
		for _, api := range []bool{false, true} {
			f.Add(api, 0, seed.kind, seed.body, seed.kind)
		}
	}
	d := newDoor("ada")
	d.unknown = func(reservation string) bool { return reservation != "r1" && reservation != "r2" }
	s, clock := newLimited(d)
	f.Fuzz(func(t *testing.T, api bool, route int, kind, body, accept string) {
		d.taps = nil
		clock.pass(time.Hour)
		path := "/rooms/ada/" + routes[uint(route)%uint(len(routes))]
		if api {
			path = "/api/v1" + path
		}
		w := ask{method: "POST", path: path, kind: kind, body: body, header: map[string]string{"Accept": accept}}.do(s)
		changed := len(d.taps) > 0
		switch {
		case w.Code >= 500 || w.Code < 200:
			t.Errorf("%d: %s", w.Code, w.Body)
		case changed != (w.Code == http.StatusAccepted || w.Code == http.StatusSeeOther):
			t.Errorf("answered %d; the room was changed: %q", w.Code, d.taps)
		case changed && !strings.Contains(body, "r1") && !strings.Contains(body, "r2") && !strings.ContainsAny(body, `%\`):
			t.Errorf("%q changed the room: %q", body, d.taps)
		case api && !json.Valid(w.Body.Bytes()):
			t.Errorf("%d is answered with %s", w.Code, w.Body)
		}
	})
}
