package zoom

import (
	"io"
	"mime"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"roomkiosk/internal/rooms"
)

const (
	googleParams   = `{"event_id":"ebrg2b87a6uu9c678qhvsiahsc_20261123T090000Z","calendar_id":"c_188@resource.calendar.google.com"}`
	exchangeParams = `{"event_id":"AAMkAGQz+BwAX8/aT1Lcc\u0026AAA=","change_key":"DwAAABYAAABQ/N0JvB/FRqv5UT2rFfkVAAE2XqVw","resource_email":"zroom1@example.com"}`
)

func TestBodies(t *testing.T) {
	for _, tt := range []struct {
		name, body, method, params string
		ref                        rooms.EventRef
	}{
		{"google in JSON", "", "zoomroom.check_in", googleParams, googleRef},
		{"google in multipart", BodyMultipart, "zoomroom.check_in", googleParams, googleRef},
		{"exchange in JSON", BodyJSON, "zoomroom.check_out", exchangeParams, exchangeRef},
		{"exchange in multipart", BodyMultipart, "zoomroom.check_out", exchangeParams, exchangeRef},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, func(c *Config) { c.Body = tt.body })
			act := f.CheckIn
			if tt.method == "zoomroom.check_out" {
				act = f.Release
			}
			if err := act(t.Context(), ada, tt.ref); err != nil {
				t.Fatal(err)
			}
			got := f.srv.calls()[0]
			if got.method != "PATCH" || got.path != "/v2/rooms/qMOLddnySIGGVycz8aX_JQ/events" || got.auth != "Bearer "+plantedToken+"-1" {
				t.Errorf("sent %s %s with %q", got.method, got.path, got.auth)
			}
			if tt.body == BodyMultipart {
				want := map[string]string{"method": tt.method, "params": tt.params}
				if diff := cmp.Diff(want, readForm(t, got)); diff != "" {
					t.Error(diff)
				}
				return
			}
			if got.contentType != "application/json" {
				t.Errorf("content type %q", got.contentType)
			}
			if want := `{"method":"` + tt.method + `","params":` + tt.params + `}`; got.body != want {
				t.Errorf("sent %s\nwant %s", got.body, want)
			}
		})
	}
}

// readForm reads a multipart body; each field may be there once.
func readForm(t *testing.T, a asked) map[string]string {
	t.Helper()
	kind, params, err := mime.ParseMediaType(a.contentType)
	if err != nil || kind != "multipart/form-data" {
		t.Fatalf("content type %q", a.contentType)
	}
	form, fields := multipart.NewReader(strings.NewReader(a.body), params["boundary"]), map[string]string{}
	for {
		part, err := form.NextPart()
		if err == io.EOF {
			return fields
		}
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(part)
		fields[part.FormName()] += string(text)
	}
}

// An id is one segment of the path, whatever is in it.
func TestRoomIDIsEscaped(t *testing.T) {
	f := newFixture(t)
	room := rooms.Room{ID: "odd", ZoomID: "a/b?c#d e%"}
	if err := f.CheckIn(t.Context(), room, googleRef); err != nil {
		t.Fatal(err)
	}
	if got := f.srv.calls()[0].path; got != "/v2/rooms/a%2Fb%3Fc%23d%20e%25/events" {
		t.Errorf("asked for %s", got)
	}
}
