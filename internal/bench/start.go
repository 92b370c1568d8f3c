package main

import (
	"context"
	"fmt"
	"time"

	"roomkiosk/internal/harness"
)

const promiseStart = 100 * time.Millisecond

// measureStart times a kiosk with an existing database from its start until its panel page was
// answered, in turns with a bare HTTP server.
func measureStart(ctx context.Context, b *bench) ([]row, error) {
	world, s, err := openOffice(ctx, 1)
	if err != nil {
		return nil, err
	}
	defer world.Close()
	file, addr, err := b.setUpUsed(ctx, s, time.Second)
	if err != nil {
		return nil, err
	}
	var ours, bare []time.Duration
	for range b.rounds(15, 5) {
		k, err := b.run(ctx, file, addr)
		if err != nil {
			return nil, err
		}
		k.Stop()
		ours = append(ours, k.took)
		began := time.Now()
		p, _, err := b.startBare(ctx, "ws")
		if err != nil {
			return nil, err
		}
		bare = append(bare, time.Since(began))
		p.Stop()
	}
	a, z := harness.Median(ours), harness.Median(bare)
	return []row{{
		what: "start to the first page", kiosk: ms(a), bare: ms(z), ratio: timesOf(a.Seconds(), z.Seconds()),
		promise: "<= " + ms(promiseStart), verdict: verdictOf(a <= promiseStart),
		notes: []string{fmt.Sprintf("with an existing database; medians of %d starts each, in turns (the slowest: %s and %s); bare: net/http",
			len(ours), ms(harness.Quantile(ours, 1)), ms(harness.Quantile(bare, 1)))},
	}}, nil
}
