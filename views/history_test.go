package views

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"roomkiosk/internal/rooms"
)

var (
	whats = []rooms.What{
		rooms.HappenedStatus, rooms.HappenedCheckedIn, rooms.HappenedReleased, rooms.HappenedCancelled, rooms.HappenedEnded,
		rooms.HappenedMissed, rooms.HappenedUndone, rooms.HappenedFailed, rooms.HappenedFlag,
	}
	causes = []rooms.Cause{
		rooms.ByTime, rooms.ByPanel, rooms.ByAPI, rooms.ByZoom, rooms.ByNoShow, rooms.ByOrganizer, rooms.ByKiosk,
	}
	origins = []string{rooms.OriginPanel, rooms.OriginAPI, rooms.OriginZoom}
)

// historyFamilies are the keys of the history's page that are put together from words of the domain.
func historyFamilies() map[key]bool {
	keys := map[key]bool{}
	add := func(parts ...string) { keys[key("history."+strings.Join(parts, "."))] = true }
	for _, c := range causes {
		add("cause", string(c))
	}
	for _, s := range statuses {
		add(string(s), string(rooms.ByTime))
	}
	for _, c := range []rooms.Cause{rooms.ByPanel, rooms.ByAPI, rooms.ByZoom} {
		add(string(rooms.Available), string(c))
		add(string(rooms.InUse), string(c))
	}
	add(string(rooms.Unknown), string(rooms.ByKiosk))
	for _, w := range []rooms.What{rooms.HappenedEnded, rooms.HappenedMissed} {
		add(string(w), string(rooms.ByTime))
		add("spent", string(w))
	}
	add("spent", string(rooms.HappenedReleased))
	for _, w := range whats {
		if w != rooms.HappenedStatus && w != rooms.HappenedFlag {
			add("what", string(w))
		}
	}
	for _, f := range flags {
		add("flag", string(f), "up")
		add("flag", string(f), "down")
	}
	for _, service := range []string{"calendar", "zoom"} {
		add("flag", string(rooms.FlagOffline), service, "up")
		add("flag", string(rooms.FlagOffline), service, "down")
	}
	for _, k := range kinds {
		add("failed", string(k))
		add("tap", string(k))
	}
	for _, o := range origins {
		add("origin", o)
	}
	for _, s := range states {
		add(string(s))
	}
	for _, r := range []rooms.Reason{rooms.ReasonGone, rooms.ReasonAwaited, rooms.ReasonUnseen, "expired"} {
		add("reason", string(r))
	}
	return keys
}

// sentences of people: whole ones, without code words and gaps.
var (
	someSentences = regexp.MustCompile(`^([A-Z][^.!?]+\.)( [A-Z][^.!?]+\.)*$`)
	codeWords     = regexp.MustCompile(`[{}_]|(?i)\b(throttled|superseded|queued|awaited|no_show)\b`)
)

// TestHistorySentences asks for sentences about everything that can happen, and about all that can't.
func TestHistorySentences(t *testing.T) {
	s := Samples()[0].Screen
	details := []string{"", "not_thought_of", "-not_thought_of", "check_in:expired", "release:", "release:not_thought_of", "tea:gone", "offline:calendar", "-offline:zoom", "stale:x"}
	for _, f := range flags {
		details = append(details, string(f), "-"+string(f))
	}
	for _, k := range kinds {
		for _, r := range append(faults, "gone", "expired", "awaited", "unseen") {
			details = append(details, string(k)+":"+string(r))
		}
	}
	for _, what := range append(whats, "not_thought_of") {
		for _, cause := range append(causes, "not_thought_of", "") {
			for _, status := range append(statuses, "not_thought_of") {
				for _, detail := range details {
					h := rooms.Happening{What: what, Cause: cause, Status: status, Detail: detail}
					if text := HappeningMessage(h, s); !someSentences.MatchString(text) || codeWords.MatchString(text) {
						t.Errorf("%+v: %q", h, text)
					}
				}
			}
		}
	}
	for _, k := range kinds {
		for _, state := range states {
			for _, r := range append(faults, "", "gone", "expired", "awaited", "unseen", "not_thought_of") {
				a := rooms.Action{Kind: k, State: state, Reason: rooms.Reason(r), Attempts: 2}
				if text := TapMessage(a, s); !someSentences.MatchString(text) || codeWords.MatchString(text) {
					t.Errorf("%s %s %s: %q", k, state, r, text)
				}
			}
		}
	}
}

func TestHistoryTells(t *testing.T) {
	s := Samples()[0].Screen
	for _, c := range []struct {
		h    rooms.Happening
		want string
	}{
		{rooms.Happening{What: rooms.HappenedReleased, Cause: rooms.ByNoShow}, "Released: nobody had checked in."},
		{rooms.Happening{What: rooms.HappenedReleased, Cause: rooms.ByOrganizer}, "Released: the calendar was changed."},
		{rooms.Happening{What: rooms.HappenedCheckedIn, Cause: rooms.ByZoom}, "Checked in: through Zoom, in the room or on another display."},
		{rooms.Happening{What: rooms.HappenedEnded, Cause: rooms.ByTime}, "Ended as planned."},
		{rooms.Happening{What: rooms.HappenedStatus, Cause: rooms.ByTime, Status: rooms.Available}, "Free: the meeting was over."},
		{rooms.Happening{What: rooms.HappenedStatus, Cause: rooms.ByNoShow, Status: rooms.Available}, "Free: nobody had checked in."},
		{rooms.Happening{What: rooms.HappenedFlag, Cause: rooms.ByKiosk, Detail: "offline"}, "The kiosk lost the calendar or Zoom."},
		{rooms.Happening{What: rooms.HappenedFlag, Cause: rooms.ByKiosk, Detail: "offline:calendar"}, "The kiosk lost the calendar."},
		{rooms.Happening{What: rooms.HappenedFlag, Cause: rooms.ByKiosk, Detail: "-stale"}, "The schedule is fresh again."},
		{rooms.Happening{What: rooms.HappenedFailed, Cause: rooms.ByPanel, Detail: "check_in:gone"}, "A check-in came to nothing. The meeting was no longer on the room's calendar."},
		{rooms.Happening{What: rooms.HappenedFailed, Cause: rooms.ByPanel, Detail: "release:permission"}, "A release came to nothing. Zoom knows the kiosk but doesn't let it do this. Grant the missing scope or right."},
	} {
		if got := HappeningMessage(c.h, s); got != c.want {
			t.Errorf("%+v:\n got %q\nwant %q", c.h, got, c.want)
		}
	}
}

// TestHistoryDays puts what happened around midnight and on the night of a clock change on its day.
func TestHistoryDays(t *testing.T) {
	s := sample("", at("00:10")).Screen
	var happenings []rooms.Happening
	for _, at := range []time.Time{instant("00:05"), instant("00:00"), instant("00:00").Add(-time.Second), instant("00:00").AddDate(0, 0, -1),
		time.Date(2026, 10, 25, 1, 30, 0, 0, time.UTC), time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC)} {
		happenings = append(happenings, rooms.Happening{At: at, What: rooms.HappenedStatus, Status: rooms.Available, Cause: rooms.ByTime})
	}
	var got []string
	for _, d := range historyDays(happenings, s) {
		got = append(got, d.Heading)
		for _, e := range d.Entries {
			got = append(got, e.Clock+e.Seconds)
		}
	}
	want := []string{"Today, Tue 24 Nov", "00:05:00", "00:00:00", "Yesterday, Mon 23 Nov", "23:59:59", "00:00:00", "Sun 25 Oct", "02:30:00", "02:30:00"}
	if !slices.Equal(got, want) {
		t.Errorf(" got %q\nwant %q", got, want)
	}
}
