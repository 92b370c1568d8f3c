package main

import (
	"context"
	"fmt"
	"time"

	"roomkiosk/internal/harness"
)

const (
	listenAt  = "127.0.0.1:8080"
	baseURL   = "http://" + listenAt
	readyIn   = 3 * time.Minute
	lookEvery = 20 * time.Millisecond
)

// kiosk is one that runs in the guest.
type kiosk struct {
	*harness.Process
	rooms []string
}

// startKiosk starts the kiosk of an office and waits until it has a schedule for every room.
func startKiosk(ctx context.Context, o *office, data string) (*kiosk, error) {
	file, err := o.configuration(listenAt, data)
	if err != nil {
		return nil, err
	}
	p, err := harness.Launch(ctx, harness.Options{}, kioskPath, "serve", "--config", file)
	if err != nil {
		return nil, err
	}
	return &kiosk{Process: p, rooms: o.rooms}, p.AnswersWithin(ctx, readyIn, baseURL+"/readyz", lookEvery)
}

// failed adds what the kiosk said last.
func (k *kiosk) failed(err error) error { return fmt.Errorf("%w; it said: %s", err, k.Said) }
