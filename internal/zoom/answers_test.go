package zoom

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"roomkiosk/internal/rooms"
)

const (
	saysOfflineText = `{"code":300,"message":"Zoom Room is offline. Please ensure that the Zoom Room is online before checking in or checking out."}`
	saysNoScope     = `{"code":4711,"message":"Invalid access token, does not contain scopes:[zoom_rooms:update:room_control:admin]."}`
	saysPerSecond   = `{"code":429,"message":"You have reached the maximum per-second rate limit for this API. Try again later."}`
	saysDaily       = `{"code":429,"message":"You have reached the maximum daily rate limit for this API. Refer to the response header for details on when you can make another request."}`
)

// Every answer of PATCH /rooms/{id}/events, and the fault that it is. The clock says noon.
var answers = []struct {
	name      string
	answer    http.HandlerFunc
	kind      rooms.FaultKind // empty: accepted
	after     time.Duration
	ambiguous bool
	says      string // in the detail
}{
	{name: "accepted", answer: say(202, "")},
	{name: "accepted with a body", answer: say(200, `{"anything":`)},
	{name: "accepted without content", answer: say(204, "")},
	{name: "accepted, a type without a page", answer: say(202, "", "Content-Type", "text/html")},
	{name: "a page", answer: say(200, "<html>Guest network", "Content-Type", "text/html; charset=utf-8"), kind: rooms.FaultBadAnswer, ambiguous: true, says: "log-in page"},

	{name: "room offline", answer: say(400, saysOfflineText), kind: rooms.FaultRoomOffline, says: "isn't connected"},
	{name: "room offline, no code", answer: say(400, `{"message":"the zoom room is OFFLINE"}`), kind: rooms.FaultRoomOffline},
	{name: "invalid parameters", answer: say(400, `{"code":300,"message":"Invalid parameters."}`), kind: rooms.FaultInvalid, says: "Invalid parameters."},
	{name: "no such device", answer: say(400, `{"code":300,"message":"Device does not exist: x"}`), kind: rooms.FaultInvalid},
	{name: "code as text", answer: say(400, `{"code":"300","message":"Validation Failed.","errors":[{"field":"a","message":"jane.doe@example.com"}]}`), kind: rooms.FaultInvalid, says: "code 300"},
	{name: "bad request without a body", answer: say(400, ""), kind: rooms.FaultInvalid},
	{name: "wrong form of body", answer: say(415, `{"code":300,"message":"Unsupported Content Type"}`), kind: rooms.FaultInvalid, says: "change body"},

	{name: "no scope, 400", answer: say(400, saysNoScope), kind: rooms.FaultPermission, says: "scope zoom_rooms:update:room_control:admin;"},
	{name: "no scope, 401", answer: say(401, saysNoScope), kind: rooms.FaultPermission, says: "scope zoom_rooms:update:room_control:admin;"},
	{name: "no scope, 104", answer: say(400, `{"code":104,"message":"Invalid access token, does not contain scopes: [room:write:admin, room:write]."}`), kind: rooms.FaultPermission, says: "scope room:write:admin, room:write;"},
	{name: "no scope, 4700", answer: say(401, `{"code":4700,"message":"Invalid access token."}`), kind: rooms.FaultPermission, says: "scope zoom_rooms:update:room_control:admin;"},
	{name: "forbidden", answer: say(403, ""), kind: rooms.FaultPermission, says: "licence"},
	{name: "restricted", answer: say(400, `{"code":200,"message":"Access restricted."}`), kind: rooms.FaultPermission, says: "licence"},

	{name: "no such room", answer: say(404, `{"code":1012,"message":"Room does not exist: abc."}`), kind: rooms.FaultNotFound, says: "zoom_room_id"},
	{name: "no such room, 400", answer: say(400, `{"code":1012,"message":"Room does not exist: abc."}`), kind: rooms.FaultNotFound},
	{name: "room_id instead of id", answer: say(400, `{"code":300520002,"message":"No Zoom Rooms found."}`), kind: rooms.FaultNotFound, says: "not room_id"},
	{name: "not found without a body", answer: say(404, ""), kind: rooms.FaultNotFound},
	{name: "not Zoom's API", answer: say(404, `{"code":2300,"message":"This API endpoint is not recognized."}`), kind: rooms.FaultInvalid, says: "api_url"},
	{name: "a page, 404", answer: say(404, "<html>", "Content-Type", "text/html"), kind: rooms.FaultBadAnswer, says: "api_url"},
	{name: "nonsense, 400", answer: say(400, `{"code":300,`), kind: rooms.FaultBadAnswer},
	{name: "too large, 400", answer: say(400, strings.Repeat(" ", 1<<20)+saysOfflineText), kind: rooms.FaultBadAnswer},
	{name: "too large, 500", answer: say(500, strings.Repeat("x", 2<<20)), kind: rooms.FaultTrouble, ambiguous: true},

	{name: "429", answer: say(429, saysPerSecond), kind: rooms.FaultThrottled, says: "per-second"},
	{name: "429 seconds", answer: say(429, saysPerSecond, "Retry-After", "7"), kind: rooms.FaultThrottled, after: 7 * time.Second},
	{name: "429 part of a second", answer: say(429, "", "Retry-After", "0.5"), kind: rooms.FaultThrottled, after: 500 * time.Millisecond},
	{name: "429 HTTP date", answer: say(429, "", "Retry-After", "Mon, 23 Nov 2026 12:00:40 GMT"), kind: rooms.FaultThrottled, after: 40 * time.Second},
	{name: "429 instant", answer: say(429, saysDaily, "Retry-After", "2026-11-23T12:30:00Z"), kind: rooms.FaultThrottled, after: 30 * time.Minute, says: "daily"},
	{name: "429 instant with a zone", answer: say(429, "", "Retry-After", "2026-11-23T13:00:05+01:00"), kind: rooms.FaultThrottled, after: 5 * time.Second},
	{name: "429 instant without a zone", answer: say(429, "", "Retry-After", "2026-11-23T12:00:05"), kind: rooms.FaultThrottled, after: 5 * time.Second},
	{name: "429 midnight is bounded", answer: say(429, saysDaily, "Retry-After", "2026-11-24T00:00:00Z"), kind: rooms.FaultThrottled, after: time.Hour},
	{name: "429 past", answer: say(429, "", "Retry-After", "2020-05-31T00:00:00Z"), kind: rooms.FaultThrottled},
	{name: "429 absurd", answer: say(429, "", "Retry-After", "1e300"), kind: rooms.FaultThrottled, after: time.Hour},
	{name: "429 negative", answer: say(429, "", "Retry-After", "-1"), kind: rooms.FaultThrottled},
	{name: "429 nonsense", answer: say(429, "", "Retry-After", "soon"), kind: rooms.FaultThrottled},
	{name: "429 reset", answer: say(429, "", "X-RateLimit-Reset", "1795435212"), kind: rooms.FaultThrottled, after: 12 * time.Second},
	{name: "429 reset in ms", answer: say(429, "", "X-RateLimit-Reset", "1795435212000"), kind: rooms.FaultThrottled, after: 12 * time.Second},
	{name: "429 reset as a span", answer: say(429, "", "X-RateLimit-Reset", "3"), kind: rooms.FaultThrottled, after: 3 * time.Second},
	{name: "429 nonsense and reset", answer: say(429, "", "Retry-After", "soon", "X-RateLimit-Reset", "1795435212"), kind: rooms.FaultThrottled, after: 12 * time.Second},
	{name: "429 both", answer: say(429, "", "Retry-After", "2", "X-RateLimit-Reset", "1795435212"), kind: rooms.FaultThrottled, after: 2 * time.Second},
	{name: "429 a page", answer: say(429, "<html>", "Content-Type", "text/html"), kind: rooms.FaultThrottled},

	{name: "500", answer: say(500, `{"code":500,"message":"Internal error"}`), kind: rooms.FaultTrouble, ambiguous: true},
	{name: "502 a page", answer: say(502, "<html>Bad gateway", "Content-Type", "text/html"), kind: rooms.FaultTrouble, ambiguous: true},
	{name: "503 with a time", answer: say(503, "", "Retry-After", "20"), kind: rooms.FaultTrouble, after: 20 * time.Second, ambiguous: true},
	{name: "408", answer: say(408, ""), kind: rooms.FaultTrouble, ambiguous: true},
	{name: "407", answer: say(407, "<html>", "Content-Type", "text/html"), kind: rooms.FaultUnreachable, says: "log-in"},
	{name: "511", answer: say(511, "<html>", "Content-Type", "text/html"), kind: rooms.FaultUnreachable, says: "log-in"},
	{name: "other 4xx", answer: say(409, `{"code":3000,"message":"Conflict"}`), kind: rooms.FaultInvalid, says: "Conflict"},
	{name: "moved", answer: say(302, "", "Location", "https://portal.example.net/login?x=1"), kind: rooms.FaultBadAnswer, says: "portal.example.net"},
	{name: "moved nowhere", answer: say(307, ""), kind: rooms.FaultBadAnswer, says: "somewhere else"},
}

func TestAnswers(t *testing.T) {
	for _, tt := range answers {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			f.srv.answerAPI(tt.answer)
			err := f.CheckIn(t.Context(), ada, googleRef)
			if n := len(f.srv.calls()); n != 1 {
				t.Errorf("sent %d times", n)
			}
			if n := len(f.srv.tokenCalls()); n != 1 {
				t.Errorf("asked for %d tokens", n)
			}
			if tt.kind == "" {
				if err != nil {
					t.Fatalf("not accepted: %v", err)
				}
				return
			}
			got := faultOf(t, err)
			if got.Kind != tt.kind || got.RetryAfter != tt.after || got.Ambiguous != tt.ambiguous {
				t.Errorf("got %s, after %v, ambiguous %t; want %s, %v, %t", got.Kind, got.RetryAfter, got.Ambiguous, tt.kind, tt.after, tt.ambiguous)
			}
			if !strings.Contains(got.Detail, tt.says) {
				t.Errorf("detail %q lacks %q", got.Detail, tt.says)
			}
			if !strings.HasPrefix(err.Error(), "checking in at ada: Zoom: ") {
				t.Errorf("error reads %q", err)
			}
			checkSecrets(t, err.Error())
		})
	}
}

// A request without an effect is never ambiguous.
func TestReadingIsNeverAmbiguous(t *testing.T) {
	for _, answer := range []http.HandlerFunc{say(500, ""), hangUp, say(200, "<p>", "Content-Type", "text/html")} {
		f := newFixture(t)
		f.srv.answerAPI(answer)
		_, err := f.Profile(t.Context(), ada)
		if faultOf(t, err).Ambiguous {
			t.Errorf("ambiguous: %v", err)
		}
	}
}

func TestNothingIsSentWithoutIds(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	noRoom := rooms.Room{ID: "ada"}
	_, profile := f.Profile(ctx, noRoom)
	for name, err := range map[string]error{
		"check in without a room": f.CheckIn(ctx, noRoom, googleRef),
		"profile without a room":  profile,
		"release without event":   f.Release(ctx, ada, rooms.EventRef{CalendarID: "c"}),
	} {
		if got := faultOf(t, err); got.Kind != rooms.FaultInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(f.srv.calls())+len(f.srv.tokenCalls()) != 0 {
		t.Error("something was sent")
	}
}
