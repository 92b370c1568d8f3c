package sim

import (
	"context"
	"math/rand/v2"
	"time"

	"roomkiosk/internal/rooms"
)

// WeatherConfig says what a [Weather] is like. Clock is required.
type WeatherConfig struct {
	Clock rooms.Clock
	Seed  uint64            // the same seed makes the same weather
	Calm  time.Duration     // how long all is well, on average, by the clock; default 2 min
	Storm time.Duration     // how long something is wrong, on average, by the clock; default 30 s
	Slow  time.Duration     // the most that latency comes to, real time; default 1 s
	Tell  func(ProxyFaults) // is called with every change, if given
}

// Weather changes what is wrong with some proxies: at random instants and to something random, always
// on all of them alike. Calm and storm take turns.
type Weather struct {
	cfg     WeatherConfig
	proxies []*Proxy
	dice    *rand.Rand
}

// NewWeather returns the Weather over some proxies.
func NewWeather(cfg WeatherConfig, proxies ...*Proxy) *Weather {
	if cfg.Calm <= 0 {
		cfg.Calm = 2 * time.Minute
	}
	if cfg.Storm <= 0 {
		cfg.Storm = 30 * time.Second
	}
	if cfg.Slow <= 0 {
		cfg.Slow = time.Second
	}
	return &Weather{cfg, proxies, rand.New(rand.NewPCG(cfg.Seed, 0))}
}

// Run changes the weather until ctx is done, leaves it calm, and returns nil.
func (w *Weather) Run(ctx context.Context) error {
	defer w.set(ProxyFaults{})
	for {
		for _, f := range []ProxyFaults{{}, w.storm()} {
			mean := w.cfg.Calm
			if f != (ProxyFaults{}) {
				mean = w.cfg.Storm
			}
			w.set(f)
			if !w.last(ctx, time.Duration(w.dice.ExpFloat64()*float64(mean))) {
				return nil
			}
		}
	}
}

// last waits. False: ctx is done.
func (w *Weather) last(ctx context.Context, d time.Duration) bool {
	timer := w.cfg.Clock.Timer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (w *Weather) set(f ProxyFaults) {
	for _, p := range w.proxies {
		p.Set(f)
		if f.Refuse { // a network that is gone takes its connections with it
			p.Cut()
		}
	}
	if w.cfg.Tell != nil {
		w.cfg.Tell(f)
	}
}

// storm is one thing that goes wrong, and often a slow network besides.
func (w *Weather) storm() ProxyFaults {
	var f ProxyFaults
	switch w.dice.IntN(6) {
	case 0:
		f.Refuse = true
	case 1:
		f.HalfOpen = true
	case 2:
		f.DropAfterRequest = true
	case 3:
		f.ResetAfter = 1 + w.dice.IntN(4000)
	case 4:
		f.BytesPerSecond = 1000
	default:
		f.Latency = w.cfg.Slow / 2
		f.Jitter = w.cfg.Slow / 2
	}
	if f.Latency == 0 && w.dice.IntN(2) == 0 {
		f.Latency = time.Duration(w.dice.Int64N(int64(w.cfg.Slow/2) + 1))
		f.Jitter = f.Latency
	}
	return f
}
