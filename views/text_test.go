package views

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"

	"roomkiosk/internal/rooms"
)

var (
	refusals = []rooms.Refusal{
		rooms.RefusedTooEarly, rooms.RefusedEnded, rooms.RefusedCheckedIn, rooms.RefusedReleased, rooms.RefusedReleasing,
		rooms.RefusedNoCheckIn, rooms.RefusedReadOnly, rooms.RefusedClock, rooms.RefusedNothingHeld,
	}
	faults = []rooms.FaultKind{
		rooms.FaultUnreachable, rooms.FaultTrouble, rooms.FaultBadAnswer, rooms.FaultThrottled, rooms.FaultCredentials,
		rooms.FaultPermission, rooms.FaultNotFound, rooms.FaultRoomOffline, rooms.FaultInvalid,
	}
	states = []rooms.ActionState{
		rooms.Held, rooms.Queued, rooms.Sent, rooms.Accepted, rooms.Confirmed, rooms.Failed, rooms.Expired, rooms.Undone, rooms.Superseded,
	}
	kinds    = []rooms.ActionKind{rooms.CheckIn, rooms.Release}
	statuses = []rooms.Status{rooms.Available, rooms.StartingSoon, rooms.AwaitingCheckIn, rooms.InUse, rooms.Unknown}
	flags    = []rooms.Flag{rooms.FlagStale, rooms.FlagOffline, rooms.FlagZoomRoomOffline, rooms.FlagClockUntrusted, rooms.FlagUnderConstruction}
)

// families are the keys that are put together from words of the domain.
func families() map[key]bool {
	keys := map[key]bool{}
	add := func(parts ...string) { keys[key(strings.Join(parts, "."))] = true }
	for _, r := range append(refusals, "unknown") {
		add("refusal", string(r))
		add("refusal", string(r), "title")
	}
	for _, f := range faults {
		add("fault", string(f))
		add("action.fails", string(f))
		if f.Temporary() {
			add("action.waits", string(f))
		}
	}
	add("action.fails", string(rooms.ReasonGone))
	add("action.waits", string(rooms.FaultCredentials)) // IT can mend it while the tap waits
	add("action", string(rooms.ReasonAwaited), string(rooms.Release))
	for _, k := range kinds {
		add("action.fails", string(k))
		add("action.waits", string(k))
		add("action", string(rooms.ReasonUnseen), string(k))
		for _, s := range states {
			add("action", string(k), string(s))
		}
	}
	for _, s := range statuses {
		add("status", string(s))
	}
	for _, f := range flags {
		if f != rooms.FlagUnderConstruction { // the status says it
			add("flag", string(f))
		}
	}
	for k := range historyFamilies() {
		keys[k] = true
	}
	for _, f := range []string{"timer.in", "timer.left", "timer.releasing"} {
		add(f, "hours")
		add(f, "minutes")
		add(f, "seconds")
	}
	return keys
}

// TestTexts finds keys without a text, and texts that nothing asks for.
func TestTexts(t *testing.T) {
	used := families()
	literal := regexp.MustCompile(`"([a-z_]+(?:\.[a-z_]+)+)"`)
	for _, file := range sources(t) {
		for _, m := range literal.FindAllStringSubmatch(file, -1) {
			if k := key(m[1]); said(k) {
				used[k] = true
			}
		}
	}
	for _, m := range regexp.MustCompile(`say\("([^"]+)"`).FindAllStringSubmatch(strings.Join(sources(t), "\n"), -1) {
		if !said(key(m[1])) {
			t.Errorf("%q has no text", m[1])
		}
	}
	for k := range used {
		if !said(k) {
			t.Errorf("%q has no text", k)
		}
	}
	for k := range english {
		if base := key(strings.TrimSuffix(string(k), ".said")); !used[k] && !used[base] {
			t.Errorf("nothing asks for %q", k)
		}
	}
}

// sources are this package's files but for the tests and the table of texts itself.
func sources(t *testing.T) []string {
	t.Helper()
	var all []string
	files, err := fs.Glob(os.DirFS("."), "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		code := strings.HasSuffix(f, ".go") && !strings.HasSuffix(f, "_test.go") && !strings.HasSuffix(f, "_templ.go")
		if !code && !strings.HasSuffix(f, ".templ") {
			continue
		}
		b, err := os.ReadFile(f) // #nosec G304 -- a file of this package
		if err != nil {
			t.Fatal(err)
		}
		text := string(b)
		if f == "text.go" {
			_, text, _ = strings.Cut(text, "\n}\n") // after the table
		}
		all = append(all, text)
	}
	return all
}

func TestRefusalMessage(t *testing.T) {
	for _, r := range append(refusals, "not_thought_of") {
		if title, detail := RefusalMessage(r); title == "" || detail == "" || strings.Contains(title+detail, "{") {
			t.Errorf("%s: %q, %q", r, title, detail)
		}
	}
}

// TestActionMessage asks for sentences about every action that there can be: whole ones, in words of
// people.
func TestActionMessage(t *testing.T) {
	s := Samples()[0].Screen
	reasons := []rooms.Reason{"", rooms.ReasonGone, rooms.ReasonAwaited, rooms.ReasonUnseen, "not_thought_of"}
	for _, f := range faults {
		reasons = append(reasons, rooms.Reason(f))
	}
	code := regexp.MustCompile(`[{}_]|(?i)\b(unreachable|throttled|invalid|superseded|queued|fault|event|error|20[0-9]|[45][0-9][0-9])\b`)
	sentences := regexp.MustCompile(`^([A-Z][^.!?]+\.)( [A-Z][^.!?]+\.)*$`)
	for _, zoom := range []string{"z", ""} {
		s.Room.ZoomID = zoom
		for _, k := range kinds {
			for _, state := range states {
				for _, reason := range reasons {
					text := ActionMessage(rooms.Action{Kind: k, State: state, Reason: reason, DueAt: s.Now}, s)
					if !sentences.MatchString(text) || code.MatchString(text) {
						t.Errorf("%s %s %q: %q", k, state, reason, text)
					}
				}
			}
		}
	}
}

func TestActionMessageTells(t *testing.T) {
	zoom := Samples()[0].Screen
	kept := zoom
	kept.Room.ZoomID = ""
	for _, c := range []struct {
		screen rooms.Screen
		action rooms.Action
		want   string
	}{
		{zoom, rooms.Action{Kind: rooms.CheckIn, State: rooms.Queued, Reason: "unreachable"}, "Checked in. Zoom can't be reached; it will be told as soon as it can."},
		{kept, rooms.Action{Kind: rooms.Release, State: rooms.Queued, Reason: "trouble"}, "Released. The calendar has a problem; it will be told again soon."},
		{zoom, rooms.Action{Kind: rooms.Release, State: rooms.Held, DueAt: instant("10:15:07")}, "Releasing the room at 10:15."},
		{zoom, rooms.Action{Kind: rooms.Release, State: rooms.Failed, Reason: "gone"}, "The release failed: the meeting is no longer in this room's calendar. Look there for where it went."},
		{zoom, rooms.Action{Kind: rooms.CheckIn, State: rooms.Confirmed, Reason: "unreachable"}, "Checked in."},
		{zoom, rooms.Action{Kind: rooms.CheckIn, State: rooms.Queued, Reason: "credentials"}, "Checked in. Zoom doesn't accept this kiosk at the moment. Please tell IT."},
		{zoom, rooms.Action{Kind: rooms.Release, State: rooms.Accepted, Reason: "unseen"}, "Zoom accepted the release, but the calendar still shows the meeting. Please tell IT."},
		{zoom, rooms.Action{Kind: rooms.Release, State: rooms.Confirmed, Reason: "awaited"}, "Released. Waiting for the calendar to follow."},
	} {
		if got := ActionMessage(c.action, c.screen); got != c.want {
			t.Errorf("%s %s %s:\n got %q\nwant %q", c.action.Kind, c.action.State, c.action.Reason, got, c.want)
		}
	}
}

func TestFaultMessage(t *testing.T) {
	for _, k := range append(faults, "not_thought_of") {
		if text := FaultMessage(&rooms.Fault{Service: "Google Calendar", Kind: k}); text == "" || strings.Contains(text, "{") {
			t.Errorf("%s: %q", k, text)
		}
	}
	if text := FaultMessage(nil); text != "" {
		t.Errorf("no fault: %q", text)
	}
}
