package main

import (
	"context"
	"fmt"
	"time"

	"roomkiosk/internal/harness"
)

const (
	fleetRooms = 1000
	fleetPoll  = 15 * time.Second
)

// measureFleet looks at a server with 1,000 rooms at rest. Its services run in another process, so
// that their work isn't counted.
func measureFleet(ctx context.Context, b *bench) ([]row, error) {
	office, s, err := launchOffice(ctx, fleetRooms)
	if err != nil {
		return nil, err
	}
	defer office.Stop()
	k, err := b.open(ctx, s, fleetPoll) // its first reads are spread over most of a minute
	if err != nil {
		return nil, err
	}
	defer k.Stop()
	if err := harness.Wait(ctx, 2*time.Second); err != nil {
		return nil, err
	}
	before, err := cpuTime(k.PID())
	if err != nil {
		return nil, err
	}
	began := time.Now()
	all, own, err := heaviest(ctx, k.PID(), 20*time.Second)
	if err != nil {
		return nil, err
	}
	after, err := cpuTime(k.PID())
	if err != nil {
		return nil, err
	}
	perMinute := (after - before).Seconds() / time.Since(began).Minutes()
	return []row{
		{
			what: "1,000 rooms at rest: resident memory", kiosk: mb(all), promise: noPromise, verdict: unpromised,
			notes: []string{fmt.Sprintf("each polled every %s, 16 meetings on its schedule; %s of it isn't pages of the binary", fleetPoll, mb(own))},
		},
		{
			what: "1,000 rooms at rest: CPU", kiosk: fmt.Sprintf("%.1f s/min", perMinute), promise: noPromise, verdict: unpromised,
			notes: []string{fmt.Sprintf("user and system: %.1f %% of one CPU, %.2f ms a poll", perMinute/0.6, perMinute*1000/(fleetRooms*60/fleetPoll.Seconds()))},
		},
	}, nil
}
