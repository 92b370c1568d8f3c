package google

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"roomkiosk/internal/rooms"
)

// office is a server with one event, at ten in Berlin, that somebody else organizes.
type office struct {
	*peer
	mu     sync.Mutex
	writes []string // etag and body
	say    []int    // statuses that the writes are answered with, in turn; then 200
}

const attendees = `{"additionalGuests":2,"comment":"late","email":"jane@example.com","optional":true,"responseStatus":"accepted"}`

func theirs(more string) string {
	return `{"kind":"calendar#event","id":"e1","etag":"\"7\"","status":"confirmed","start":{"dateTime":"2026-11-23T10:00:00+01:00"},` +
		`"end":{"dateTime":"2026-11-23T11:00:00+01:00"},"organizer":{"email":"jane@example.com"},` + more +
		`"attendees":[` + attendees + `,{"email":"` + ada + `","resource":true,"responseStatus":"accepted","self":true}]}`
}

func newOffice(t *testing.T, event string, statuses ...int) *office {
	o := &office{say: statuses}
	o.peer = newPeer(t, func(w http.ResponseWriter, r *http.Request) {
		o.mu.Lock()
		defer o.mu.Unlock()
		if r.Method == http.MethodGet {
			say(w, event)
			return
		}
		if r.Method != http.MethodPatch || r.URL.Query().Get("sendUpdates") != "none" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s", r.Method, r.RequestURI)
		}
		body, _ := io.ReadAll(r.Body)
		o.writes = append(o.writes, r.Header.Get("If-Match")+" "+string(body))
		if len(o.say) == 0 {
			say(w, event)
			return
		}
		status := o.say[0]
		o.say = o.say[1:]
		w.WriteHeader(status)
		say(w, refusal(status, map[int]string{412: "conditionNotMet", 403: "forbiddenForServiceAccounts", 500: "backendError"}[status]))
	})
	return o
}

func (o *office) end(t *testing.T) error {
	c := o.calendar(t, func(cfg *Config) { cfg.Write = true })
	at := time.Date(2026, 11, 23, 10, 20, 0, 0, zone("Europe/Berlin"))
	return c.End(context.Background(), roomIn("Europe/Berlin"), rooms.EventRef{EventID: "e1"}, at)
}

const ownNo = `{"email":"` + ada + `","resource":true,"responseStatus":"declined","self":true}`

// TestDeclineKeepsAttendees: a PATCH replaces the whole list.
func TestDeclineKeepsAttendees(t *testing.T) {
	for name, tt := range map[string]struct{ event, want string }{
		"all told":       {theirs(""), `"7" {"attendees":[` + attendees + `,` + ownNo + `]}`},
		"some left out":  {theirs(`"attendeesOmitted":true,`), `"7" {"attendees":[` + ownNo + `],"attendeesOmitted":true}`},
		"the room's own": {strings.Replace(theirs(""), `{"email":"jane`, `{"self":true,"email":"jane`, 1), `"7" {"end":{"date":null,"dateTime":"2026-11-23T09:20:00Z"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, tt.event)
			if err := o.end(t); err != nil || !slices.Equal(o.writes, []string{tt.want}) {
				t.Errorf("got %v %q, want %q", err, o.writes, tt.want)
			}
		})
	}
}

func TestEndRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		statuses  []int
		writes    int
		kind      rooms.FaultKind // empty: none
		ambiguous bool
		said      string
	}{
		"changed meanwhile":      {[]int{412}, 2, "", false, ""},
		"changed all the time":   {[]int{412, 412}, 2, rooms.FaultTrouble, false, "changed meanwhile"},
		"no answers by accounts": {[]int{403}, 1, rooms.FaultPermission, false, "delegate"},
		"trouble, perhaps done":  {[]int{500}, 1, rooms.FaultTrouble, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, theirs(""), tt.statuses...)
			err := o.end(t)
			if len(o.writes) != tt.writes {
				t.Errorf("%d writes", len(o.writes))
			}
			if tt.kind == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			f := rooms.FaultOf(err)
			if f == nil || f.Kind != tt.kind || f.Ambiguous != tt.ambiguous || !strings.Contains(err.Error(), tt.said) {
				t.Errorf("got %v", err)
			}
		})
	}
}
