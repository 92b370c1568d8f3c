package sim_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"roomkiosk/internal/sim"
)

// streamBench is a bench with a listener, and n meetings to check in.
func streamBench(t *testing.T) *bench {
	b := newBench(t, account, sim.GoogleConfig{}).signIn()
	for i := range 6 {
		b.meeting(fmt.Sprint("m", i), 10*i, 10*i+10)
	}
	return b
}

// checkInAll checks the meetings in, in their order.
func (b *bench) checkInAll(events ...string) {
	b.t.Helper()
	for _, e := range events {
		if !b.Zoom.CheckInRoom(adaZoom, e) {
			b.t.Fatalf("%s can't be checked in", e)
		}
	}
}

func TestStreamFaultsOfEvents(t *testing.T) {
	for name, c := range map[string]struct {
		faults sim.StreamFaults
		want   []string
	}{
		"none":      {sim.StreamFaults{}, []string{"m0", "m1", "m2", "m3"}},
		"duplicate": {sim.StreamFaults{Duplicate: true}, []string{"m0", "m0", "m1", "m1", "m2", "m2", "m3", "m3"}},
		"lose":      {sim.StreamFaults{LoseEvery: 3}, []string{"m0", "m1", "m3"}},
		"swap":      {sim.StreamFaults{Swap: true}, []string{"m1", "m0", "m3", "m2"}},
		"both":      {sim.StreamFaults{Swap: true, Duplicate: true}, []string{"m1", "m1", "m0", "m0", "m3", "m3", "m2", "m2"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := streamBench(t)
			ws := b.listen()
			b.Zoom.SetStreamFaults(c.faults)
			b.checkInAll("m0", "m1", "m2", "m3")
			for _, want := range c.want {
				if got := brief(news(t, ws)); got != "zoomroom.checked_in "+want {
					t.Fatalf("got %s, want %s", got, want)
				}
			}
			b.Zoom.SetStreamFaults(sim.StreamFaults{})
			b.checkInAll("m4")
			if got := brief(news(t, ws)); got != "zoomroom.checked_in m4" {
				t.Errorf("mended: got %s", got)
			}
		})
	}
}

func TestStreamSwapLetsGo(t *testing.T) {
	b := streamBench(t)
	ws := b.listen()
	b.Zoom.SetStreamFaults(sim.StreamFaults{Swap: true})
	b.checkInAll("m0")
	b.Zoom.SetStreamFaults(sim.StreamFaults{})
	b.checkInAll("m1")
	for _, want := range []string{"m0", "m1"} {
		if got := brief(news(t, ws)); got != "zoomroom.checked_in "+want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestStreamDelays(t *testing.T) {
	b := streamBench(t)
	ws := b.listen()
	b.Zoom.SetStreamFaults(sim.StreamFaults{Delay: time.Minute})
	b.checkInAll("m0")
	b.Zoom.SetStreamFaults(sim.StreamFaults{})
	b.checkInAll("m1")
	b.clock.move(59 * time.Second)
	b.checkInAll("m2")
	b.clock.move(time.Second)
	b.Calendar.Settle()
	for _, want := range []string{"m1", "m2", "m0"} {
		if got := brief(news(t, ws)); got != "zoomroom.checked_in "+want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestStreamHalfOpen(t *testing.T) {
	b := streamBench(t)
	ws := b.listen()
	b.Zoom.SetStreamFaults(sim.StreamFaults{HalfOpen: true})
	b.checkInAll("m0")
	beat(t, ws)
	b.real.move(time.Hour)
	hush(t, ws)

	b.signIn()
	late, err := b.dial("?subscriptionId=sub_sim&access_token=" + b.zoom)
	if err != nil {
		t.Fatal(err)
	}
	hush(t, late)
}

func TestStreamRefusesConnections(t *testing.T) {
	b := streamBench(t)
	ws := b.listen()
	b.Zoom.SetStreamFaults(sim.StreamFaults{Refuse: true})
	if _, err := b.dial("?subscriptionId=sub_sim&access_token=" + b.zoom); err == nil {
		t.Error("a new connection was let in")
	}
	b.checkInAll("m0")
	if got := brief(news(t, ws)); got != "zoomroom.checked_in m0" {
		t.Errorf("the old one got %s", got)
	}
	b.Zoom.Faults().Set("down", sim.Fault{Down: true})
	b.Zoom.SetStreamFaults(sim.StreamFaults{})
	if _, err := b.dial("?subscriptionId=sub_sim&access_token=" + b.zoom); err == nil {
		t.Error("a Zoom that is down let a connection in")
	}
	b.Zoom.Faults().Set("down", sim.Fault{Unauthorized: true})
	ws, err := b.dial("?subscriptionId=sub_sim&access_token=" + b.zoom)
	if err != nil {
		t.Fatal(err)
	}
	if got := next(t, ws); got != `{"content":"Invalid Token","header":{},"module":"build_connection","success":false}` {
		t.Errorf("revoked: %s", got)
	}
}

func TestStreamGarbage(t *testing.T) {
	b := streamBench(t)
	ws := b.listen()
	b.Zoom.SetStreamFaults(sim.StreamFaults{Garbage: true})
	b.checkInAll("m0", "m1")
	beat(t, ws)
	var sense []string
	var rubbish int
	for !slices.Contains(sense, "heartbeat") {
		var frame struct{ Module, Content string }
		var event map[string]any
		got := next(t, ws)
		switch {
		case json.Unmarshal([]byte(got), &frame) == nil && frame.Module == "heartbeat":
			sense = append(sense, "heartbeat")
		case json.Unmarshal([]byte(frame.Content), &event) == nil && event["event"] == "zoomroom.checked_in" && event["payload"] != nil:
			sense = append(sense, brief(event))
		default:
			rubbish++
		}
	}
	if fmt.Sprint(sense) != "[zoomroom.checked_in m0 zoomroom.checked_in m1 heartbeat]" || rubbish != 3 {
		t.Errorf("got %v among %d frames of garbage", sense, rubbish)
	}
}
