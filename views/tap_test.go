package views

import (
	"testing"
	"time"

	"roomkiosk/internal/rooms"
)

// TestNotices holds which taps the screen speaks of, and when.
func TestNotices(t *testing.T) {
	gone := rooms.ReasonGone
	none := ""
	for name, c := range map[string]struct {
		at   string
		taps []build
		want string // kind and sentence; none: no notice
	}{
		"checked in elsewhere": {"10:05", []build{tapped(rooms.CheckIn, "weekly", "10:03", rooms.Confirmed, ""), fromZoom}, none},
		"released elsewhere":   {"10:05", []build{tapped(rooms.Release, "weekly", "10:03", rooms.Confirmed, ""), fromZoom}, none},
		"undone":               {"10:03:07", []build{checkedIn("weekly"), tapped(rooms.Release, "weekly", "10:03", rooms.Undone, "")}, "done Not released. The room stays yours."},
		"undone long ago":      {"10:03:08", []build{checkedIn("weekly"), tapped(rooms.Release, "weekly", "10:03", rooms.Undone, "")}, none},
		"undone, before that": {"10:03:08", []build{
			tapped(rooms.CheckIn, "weekly", "10:01", rooms.Queued, rooms.Reason(rooms.FaultTrouble)),
			tapped(rooms.Release, "weekly", "10:03", rooms.Undone, ""),
		}, "wait Checked in. Zoom has a problem; it will be told again soon."},
		"failed":                        {"10:05", []build{tapped(rooms.CheckIn, "weekly", "10:03", rooms.Failed, gone)}, "bad The check-in failed: the meeting is no longer in this room's calendar. Look there for where it went."},
		"failed, then done elsewhere":   {"10:05", []build{tapped(rooms.CheckIn, "weekly", "10:03", rooms.Failed, gone), tapped(rooms.CheckIn, "weekly", "10:04", rooms.Confirmed, ""), fromZoom}, none},
		"failed, done elsewhere before": {"10:05", []build{tapped(rooms.CheckIn, "weekly", "10:02", rooms.Confirmed, ""), fromZoom, tapped(rooms.CheckIn, "weekly", "10:03", rooms.Failed, gone)}, none},
		"release failed":                {"10:05", []build{checkedIn("weekly"), tapped(rooms.Release, "weekly", "10:03", rooms.Failed, rooms.Reason(rooms.FaultPermission))}, "bad The release failed: this kiosk isn't allowed to do that. Please tell IT."},
		"unseen":                        {"10:06", []build{tapped(rooms.Release, "weekly", "10:03", rooms.Confirmed, rooms.ReasonUnseen)}, "warn Zoom accepted the release, but the calendar still shows the meeting. Please tell IT."},
		"awaited":                       {"10:04", []build{tapped(rooms.Release, "weekly", "10:03", rooms.Confirmed, rooms.ReasonAwaited)}, "done Released. Waiting for the calendar to follow."},
		"accepted check-in":             {"10:04", []build{tapped(rooms.CheckIn, "weekly", "10:03", rooms.Accepted, "")}, none},
	} {
		t.Run(name, func(t *testing.T) {
			s := sample(name, append([]build{at(c.at)}, c.taps...)...).Screen
			got := none
			for _, n := range noticesOf(s) {
				got += n.Kind + " " + n.Text
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// fromZoom makes the last action one that nobody tapped here.
func fromZoom(in *rooms.Inputs, _ *time.Time) {
	in.Actions[len(in.Actions)-1].Origin = rooms.OriginZoom
}
