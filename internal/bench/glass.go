package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"roomkiosk/internal/harness"
	"roomkiosk/internal/sim"
)

const (
	glassPoll    = time.Second
	promiseGlass = glassPoll + time.Second
)

// measureGlass times a change on the calendar until it is shown.
func measureGlass(ctx context.Context, b *bench) ([]row, error) {
	world, s, err := openOffice(ctx, 1)
	if err != nil {
		return nil, err
	}
	defer world.Close()
	k, err := b.open(ctx, s, glassPoll)
	if err != nil {
		return nil, err
	}
	defer k.Stop()
	panel, err := dial(ctx, k.live("ada", "panel"))
	if err != nil {
		return nil, err
	}
	defer panel.Close()
	var took []time.Duration
	now := time.Now().Truncate(time.Second)
	for n := range b.rounds(15, 5) {
		// Not always at the same moment between two polls.
		if err := harness.Wait(ctx, time.Duration(n*137%1000)*time.Millisecond); err != nil {
			return nil, err
		}
		title := fmt.Sprintf("change%04d", n)
		began := time.Now()
		world.Calendar.Put(world.Rooms[0].CalendarID, sim.Event{ID: "changing", Title: title, Start: now, End: now.Add(time.Hour)})
		at, err := panel.shows(func(html string) bool { return strings.Contains(html, title) }, 10*time.Second)
		if err != nil {
			return nil, fmt.Errorf("waiting for a change to show: %w", err)
		}
		took = append(took, at.Sub(began))
	}
	worst := harness.Quantile(took, 1)
	return []row{{
		what: "calendar change to the glass, worst", kiosk: ms(worst), bare: ms(glassPoll), ratio: timesOf(worst.Seconds(), glassPoll.Seconds()),
		promise: "<= " + ms(promiseGlass), verdict: verdictOf(worst <= promiseGlass),
		notes: []string{fmt.Sprintf("poll = %s, %d changes, median %s; bare: the poll interval, which is spread by 10 %%", glassPoll, len(took), ms(harness.Median(took)))},
	}}, nil
}
