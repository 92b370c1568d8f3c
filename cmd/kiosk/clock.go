package main

import "time"

// wallClock is the machine's clock.
type wallClock struct{}

func (wallClock) Now() time.Time                    { return time.Now() }
func (wallClock) Timer(d time.Duration) *time.Timer { return time.NewTimer(d) }

// fastClock runs speed times as fast as the machine's, from the instant it was made.
type fastClock struct {
	start time.Time
	speed float64
}

func (c fastClock) Now() time.Time {
	passed := time.Since(c.start)
	return c.start.Add(time.Duration(float64(passed) * c.speed)).Round(0) // its monotonic part would be wrong
}

func (c fastClock) Timer(d time.Duration) *time.Timer {
	return time.NewTimer(time.Duration(float64(d) / c.speed))
}
