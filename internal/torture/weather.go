package main

import (
	"context"
	"math/rand/v2"
	"net/http"
	"time"

	"roomkiosk/internal/harness"
	"roomkiosk/internal/sim"
)

const (
	weatherName = "weather"
	fairShare   = 0.45 // of the time nothing is wrong: else nothing would ever get through
	offlineOdds = 12   // one in so many changes is about a room that goes offline, and one about its return
)

// weather makes Zoom misbehave, and now and then the calendars.
type weather struct {
	office *office
	dice   *rand.Rand
}

// run changes the weather every 50 to 400 ms until the context ends, and leaves it fair.
func (w *weather) run(ctx context.Context) {
	defer w.clear()
	for harness.Wait(ctx, time.Duration(50+w.dice.IntN(350))*time.Millisecond) == nil {
		w.change()
	}
}

func (w *weather) change() {
	world := w.office.world
	calm(world)
	at := w.office.doors[w.dice.IntN(len(w.office.doors))].zoomID
	switch w.dice.IntN(offlineOdds) {
	case 0:
		world.Zoom.SetOffline(at, true)
	case 1, 2:
		world.Zoom.SetOffline(at, false)
	}
	if w.dice.Float64() < fairShare {
		return
	}
	all := faults()
	world.Zoom.Faults().Set(weatherName, all[w.dice.IntN(len(all))])
	if w.dice.IntN(6) == 0 {
		world.Google.Faults().Set(weatherName, sim.Fault{Status: http.StatusServiceUnavailable})
		world.Graph.Faults().Set(weatherName, sim.Fault{Down: true})
	}
}

// faults are the ways in which Zoom misbehaves. The 400 is a definite no.
func faults() []sim.Fault {
	const patch = http.MethodPatch
	return []sim.Fault{
		{Down: true},
		{Status: http.StatusInternalServerError},
		{Status: http.StatusBadGateway},
		{Status: http.StatusServiceUnavailable},
		sim.ThrottleBare(),
		sim.ThrottleRetryAfter("1"),
		sim.ThrottleConcurrent(),
		{Method: patch, DropAfter: true},
		{Method: patch, DropAfter: true},
		{Method: patch, SlowAnswer: 300 * time.Millisecond},
		{Method: patch, Slow: 300 * time.Millisecond},
		{Slow: 100 * time.Millisecond},
		{Unauthorized: true, Times: 2},
		{HTML: true},
		{Method: patch, Status: http.StatusBadRequest, Body: `{"code":300,"message":"Invalid parameters."}`, Times: 1},
	}
}

// clear makes everything work.
func (w *weather) clear() {
	calm(w.office.world)
	for _, d := range w.office.doors {
		w.office.world.Zoom.SetOffline(d.zoomID, false)
	}
}

func calm(world *sim.World) {
	world.Zoom.Faults().ClearAll()
	world.Google.Faults().ClearAll()
	world.Graph.Faults().ClearAll()
}
