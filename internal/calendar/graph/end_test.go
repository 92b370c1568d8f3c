package graph

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"roomkiosk/internal/rooms"
)

const own = `"isOrganizer":true`

// office is a server with one event, which it lets be changed as Graph does.
type office struct {
	*peer
	mu      sync.Mutex // a connection that was cut tells nobody when its handler was done
	t       *testing.T
	event   string           // as it is read; empty: gone
	writes  []string         // what was sent: method, end of the path, etag, body
	answers []func() verdict // to the writes, in turn; then success
}

type verdict struct {
	status int
	body   string
}

func newOffice(t *testing.T, event string, answers ...func() verdict) *office {
	o := &office{t: t, event: event, answers: answers}
	o.peer = newPeer(t, o.serveEvent)
	return o
}

func (o *office) serveEvent(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if r.Method == http.MethodGet {
		if o.event == "" {
			w.WriteHeader(http.StatusNotFound)
			say(w, refusal("ErrorItemNotFound"))
			return
		}
		say(w, o.event)
		return
	}
	body, _ := io.ReadAll(r.Body)
	if r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Prefer") != prefer || r.URL.RawQuery != "" {
		o.t.Errorf("request %s %v", r.RequestURI, r.Header)
	}
	path := strings.TrimPrefix(r.URL.Path, "/v1.0/users/"+ada+"/events/AAMk-e1_=")
	o.writes = append(o.writes, strings.TrimSpace(fmt.Sprintf("%s%s %s %s", r.Method, path, r.Header.Get("If-Match"), body)))
	if len(o.answers) > 0 {
		answer := o.answers[0]()
		o.answers = o.answers[1:]
		w.WriteHeader(answer.status)
		say(w, answer.body)
		return
	}
	if r.Method == http.MethodPost {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	say(w, o.event)
}

// sent returns what was written.
func (o *office) sent() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.writes
}

func (o *office) end(c *Calendar, at time.Time) error {
	return c.End(context.Background(), roomIn("Europe/Berlin"), rooms.EventRef{EventID: "AAMk-e1_=", ChangeKey: "stale", ResourceEmail: ada}, at)
}

func says(status int, body string) func() verdict {
	return func() verdict { return verdict{status, body} }
}

const (
	patch1020 = `PATCH W/"EZ9r3czxY0m2jz8c45czkwAAFXcvIQ==" {"end":{"dateTime":"2026-11-23T09:20:30.0000000","timeZone":"UTC"}}`
	declined  = `POST/decline  {"comment":"The room was released at its door.","sendResponse":true}`
	silently  = `POST/decline  {"sendResponse":false}`
)

// clock is an instant of the day in Berlin, with a fraction that must not make the event longer.
func clock(hour, minute int) time.Time {
	return time.Date(2026, 11, 23, hour, minute, 30, 999e6, zone("Europe/Berlin"))
}

func TestEnd(t *testing.T) {
	for name, tt := range map[string]struct {
		event string
		at    time.Time
		want  []string
	}{
		"the room's own":                    {at10(own), clock(10, 20), []string{patch1020}},
		"somebody else's":                   {at10(weekly), clock(10, 20), []string{declined}},
		"an occurrence of somebody else's":  {at10(`"type":"occurrence","seriesMasterId":"s"`), clock(10, 20), []string{declined}},
		"before its start":                  {at10(own), clock(9, 55), []string{strings.Replace(patch1020, "09:20:30", "09:00:00", 1)}},
		"before its start, somebody else's": {at10(weekly), clock(9, 55), []string{declined}},
		"over":                              {at10(own), clock(11, 0), nil},
		"over, somebody else's":             {at10(weekly), clock(11, 0), nil},
		"over to the second":                {at10(own), time.Date(2026, 11, 23, 10, 0, 0, 1, time.UTC), nil},
		"of no length":                      {timed("AAMk-e1_=", "2026-11-23T09:00", "2026-11-23T09:00", own), clock(9, 0), nil},
		"gone":                              {"", clock(10, 20), nil},
		"cancelled":                         {at10(`"isCancelled":true`), clock(10, 20), nil},
		"declined already":                  {at10(response("declined")), clock(10, 20), nil},
		"free":                              {at10(own + `,"showAs":"free"`), clock(10, 20), nil},
		"private":                           {at10(weekly + `,"sensitivity":"private"`), clock(10, 20), []string{declined}},
		"without an entity tag":             {strings.Replace(at10(own), `"@odata.etag"`, `"x"`, 1), clock(10, 20), []string{patch1020}},
		"without an entity tag or change key": {strings.NewReplacer(`"@odata.etag"`, `"x"`, `"changeKey"`, `"y"`).Replace(at10(own)), clock(10, 20),
			[]string{strings.Replace(patch1020, `W/"EZ9r3czxY0m2jz8c45czkwAAFXcvIQ=="`, "", 1)}},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, tt.event)
			if err := o.end(o.calendar(t), tt.at); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, o.sent()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestEndOfAWholeDay: it becomes hours that begin as the room's day does.
func TestEndOfAWholeDay(t *testing.T) {
	o := newOffice(t, allDay("AAMk-e1_=", "2026-11-23", "2026-11-24", own))
	if err := o.end(o.calendar(t), clock(10, 20)); err != nil {
		t.Fatal(err)
	}
	want := []string{`PATCH W/"EZ9r3czxY0m2jz8c45czkwAAFXcvIQ==" {"isAllDay":false,` +
		`"start":{"dateTime":"2026-11-22T23:00:00.0000000","timeZone":"UTC"},"end":{"dateTime":"2026-11-23T09:20:30.0000000","timeZone":"UTC"}}`}
	if diff := cmp.Diff(want, o.sent()); diff != "" {
		t.Error(diff)
	}
}

// TestEndOfWhatChangesMeanwhile: read, refused, read again, and done with what it is now.
func TestEndOfWhatChangesMeanwhile(t *testing.T) {
	conflict := refusal("ErrorIrresolvableConflict")
	o := newOffice(t, at10(own))
	changed := strings.ReplaceAll(at10(own), "EZ9r3czxY0m2", "newer3czxY0m")
	o.answers = []func() verdict{func() verdict { o.event = changed; return verdict{412, conflict} }}
	if err := o.end(o.calendar(t), clock(10, 20)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{patch1020, strings.Replace(patch1020, "EZ9r3czxY0m2", "newer3czxY0m", 1)}, o.sent()); diff != "" {
		t.Error(diff)
	}

	o = newOffice(t, at10(own))
	o.answers = []func() verdict{func() verdict { o.event = ""; return verdict{412, conflict} }}
	if err := o.end(o.calendar(t), clock(10, 20)); err != nil || len(o.sent()) != 1 {
		t.Errorf("deleted meanwhile: %v, %q", err, o.sent())
	}

	o = newOffice(t, at10(own), says(412, conflict), says(409, conflict), says(412, conflict))
	f := checkFault(t, o.end(o.calendar(t), clock(10, 20)), rooms.FaultTrouble)
	if len(o.sent()) != 2 || !f.Kind.Temporary() || f.Ambiguous {
		t.Errorf("changed again and again: %+v, %q", f, o.sent())
	}
}

func TestEndFails(t *testing.T) {
	for name, tt := range map[string]struct {
		event     string
		answer    func() verdict
		kind      rooms.FaultKind // empty: no fault
		ambiguous bool
		writes    int
	}{
		"gone as it is written":      {at10(own), says(404, refusal("ErrorItemNotFound")), "", false, 1},
		"gone as it is declined":     {at10(weekly), says(404, refusal("ErrorItemNotFound")), "", false, 1},
		"no right":                   {at10(own), says(403, refusal("ErrorAccessDenied")), rooms.FaultPermission, false, 1},
		"no right to decline":        {at10(weekly), says(403, refusal("ErrorAccessDenied")), rooms.FaultPermission, false, 1},
		"throttled":                  {at10(own), says(429, refusal("ApplicationThrottled")), rooms.FaultThrottled, false, 1},
		"unavailable":                {at10(own), says(503, refusal("ServiceNotAvailable")), rooms.FaultTrouble, false, 1},
		"trouble":                    {at10(own), says(500, refusal("InternalServerError")), rooms.FaultTrouble, true, 1},
		"trouble in between":         {at10(weekly), says(504, "<html>"), rooms.FaultTrouble, true, 1},
		"not valid":                  {at10(own), says(400, refusal("ErrorPropertyValidationFailure")), rooms.FaultInvalid, false, 1},
		"no answer wanted":           {at10(weekly), says(400, refusal("ErrorInvalidRequest")), "", false, 2},
		"a login page":               {at10(own), says(200, "<html>Welcome"), rooms.FaultBadAnswer, true, 1},
		"a login page for declining": {at10(weekly), says(200, "<html>Welcome"), rooms.FaultBadAnswer, true, 1},
		"accepted for good, maybe":   {at10(own), says(202, ""), rooms.FaultBadAnswer, true, 1},
		"a proxy":                    {at10(own), says(403, "<html>"), rooms.FaultBadAnswer, true, 1},
		"no answer":                  {at10(own), func() verdict { panic(http.ErrAbortHandler) }, rooms.FaultUnreachable, true, 1},
		"no answer to declining":     {at10(weekly), func() verdict { panic(http.ErrAbortHandler) }, rooms.FaultUnreachable, true, 1},
		"broken":                     {`{"id":"AAMk-e1_="}`, nil, rooms.FaultBadAnswer, false, 0},
		"another":                    {strings.Replace(at10(own), "AAMk-e1_=", "x", 1), nil, rooms.FaultBadAnswer, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, tt.event, tt.answer)
			err := o.end(o.calendar(t), clock(10, 20))
			if len(o.sent()) != tt.writes {
				t.Errorf("sent %q", o.sent())
			}
			if tt.kind == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if f := checkFault(t, err, tt.kind); f.Ambiguous != tt.ambiguous || !strings.Contains(err.Error(), "ending a reservation of ada") {
				t.Errorf("got %+v, %v", f, err)
			}
		})
	}
}

// TestDeclineInSilence: the second try is the last one.
func TestDeclineInSilence(t *testing.T) {
	no := says(400, refusal("ErrorInvalidRequest"))
	o := newOffice(t, at10(weekly), no, no)
	checkFault(t, o.end(o.calendar(t), clock(10, 20)), rooms.FaultInvalid)
	if diff := cmp.Diff([]string{declined, silently}, o.sent()); diff != "" {
		t.Error(diff)
	}
}

func TestEndOfAMailboxThatIsGone(t *testing.T) {
	p := newPeer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		say(w, refusal("ErrorInvalidUser"))
	})
	err := p.calendar(t).End(context.Background(), roomIn("Europe/Berlin"), rooms.EventRef{EventID: "x"}, clock(10, 20))
	if checkFault(t, err, rooms.FaultNotFound); errors.Is(err, errGone) {
		t.Error("no mailbox is not an event that is gone")
	}
}

// TestEndWithARefusedToken: a write is repeated with a new token, too; its body goes along.
func TestEndWithARefusedToken(t *testing.T) {
	o := newOffice(t, at10(own), says(401, refusal("InvalidAuthenticationToken")))
	if err := o.end(o.calendar(t), clock(10, 20)); err != nil {
		t.Fatal(err)
	}
	if tokens, _ := o.asked(); tokens != 2 {
		t.Errorf("%d tokens", tokens)
	}
	if diff := cmp.Diff([]string{patch1020, patch1020}, o.sent()); diff != "" {
		t.Error(diff)
	}
}
