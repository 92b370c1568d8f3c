package main

import (
	"net/http"
	"strings"
	"testing"

	"roomkiosk/internal/rooms"
)

// withEvents configures the rig's kiosk for Zoom's event stream, and for its webhook.
func (r rig) withEvents(t *testing.T) {
	t.Helper()
	r.write(t, "webhook", "webhook-secret-0815\n")
	r.write(t, "kiosk.toml", strings.Replace(r.toml(), "[zoom]\n",
		"[zoom]\nevents_url = \""+r.ZoomEventsURL()+"\"\nwebhook_secret_file = \"webhook\"\n", 1))
}

func actionIs(s roomState, state rooms.ActionState) bool {
	return len(s.Actions) == 1 && s.Actions[0].State == string(state)
}

// What Zoom tells by its stream is on the screen at once: taps are confirmed, what is done in the room
// is shown, and a Zoom Room that is back gets what waited for it.
func TestEventStream(t *testing.T) {
	r := newRig(t)
	r.withEvents(t)
	r.meet("e1", "Weekly", -1, 59)
	url, log := r.serving(t)
	id := current(t, url)
	eventually(t, "the stream", r.Zoom.Streaming)

	r.Zoom.SetOffline(adaZoom, true)
	eventually(t, "the alert", func() bool {
		return strings.Contains(strings.Join(roomAt(t, url).Flags, " "), string(rooms.FlagZoomRoomOffline))
	})
	tap(t, url, "check-in", id)
	eventually(t, "the refusal", func() bool { return strings.Contains(log.String(), "reason=room_offline") })
	r.Zoom.SetOffline(adaZoom, false)
	eventually(t, "the confirmation", func() bool { return actionIs(roomAt(t, url), rooms.Confirmed) })

	r.meet("e2", "Next", 5, 30)
	if !r.Zoom.CheckOutRoom(adaZoom, "e1") {
		t.Fatal("could not be checked out in the room")
	}
	eventually(t, "the release", func() bool { return roomAt(t, url).Status == "starting_soon" })
}

func TestWebhook(t *testing.T) {
	r := newRig(t)
	r.withEvents(t)
	r.write(t, "kiosk.toml", strings.Replace(r.toml(), "[zoom]\n", "[zoom]\nwebhook_secret_file = \"webhook\"\n", 1))
	r.meet("e1", "Weekly", -1, 59)
	url, _ := r.serving(t)
	current(t, url)
	r.Zoom.SetWebhook(url+"/webhooks/zoom", "webhook-secret-0815")
	if err := r.Zoom.ValidateWebhook(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !r.Zoom.CheckInRoom(adaZoom, "e1") {
		t.Fatal("could not be checked in in the room")
	}
	eventually(t, "the check-in", func() bool { return roomAt(t, url).Status == "in_use" })

	forged, err := http.Post(url+"/webhooks/zoom", "application/json", strings.NewReader(`{"event":"zoomroom.checked_out"}`))
	if err != nil {
		t.Fatal(err)
	}
	_ = forged.Body.Close()
	if forged.StatusCode != http.StatusUnauthorized {
		t.Errorf("a forged event: %d", forged.StatusCode)
	}
}

// Without its secret there is no webhook.
func TestNoWebhook(t *testing.T) {
	url, _ := newRig(t).serving(t)
	answer, err := http.Post(url+"/webhooks/zoom", "application/json", strings.NewReader(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusNotFound && answer.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("%d", answer.StatusCode)
	}
}

// A stream that can't be heard is said to IT, by the check too.
func TestWrongStream(t *testing.T) {
	r := newRig(t)
	r.withEvents(t)
	r.write(t, "kiosk.toml", strings.Replace(r.toml(), "[zoom]\n", "[zoom]\nevents_url = \""+r.ZoomEventsURL()+"x\"\n", 1))
	url, _ := r.serving(t)
	eventually(t, "the page for IT", func() bool {
		page, _ := get(t, url+"/rooms/ada/history")
		return strings.Contains(string(page), "events don")
	})
	if metrics, _ := get(t, url+"/metrics"); !strings.Contains(string(metrics), "kiosk_zoom_stream_up 0") {
		t.Error("no metric tells of it")
	}
	var out, log output
	if code := (program{stdout: &out, stderr: &log}).main(t.Context(), []string{"check", "--config", r.config}); code != exitFailure {
		t.Errorf("kiosk check: %d", code)
	}
	if !strings.Contains(out.String(), "zoom events") {
		t.Errorf("kiosk check says\n%s", out.String())
	}
}
