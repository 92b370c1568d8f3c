package main

import (
	"context"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// watchdog tells systemd that the kiosk lives, as long as its stores answer.
func (k *kiosk) watchdog(ctx context.Context) error {
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil || interval == 0 {
		return nil //nolint:nilerr // a variable that systemd didn't set means that nobody watches
	}
	tick := time.NewTicker(interval / 2)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := k.answers(ctx, interval/2); err != nil {
			k.in.log.Error("store doesn't answer, watchdog not fed", "error", err)
			continue
		}
		_, _ = daemon.SdNotify(false, daemon.SdNotifyWatchdog) // without systemd there is nobody to tell
	}
}

func (k *kiosk) answers(ctx context.Context, within time.Duration) error {
	limited, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	if err := k.journal.Check(limited); err != nil {
		return err
	}
	return k.cache.Check(limited)
}

// notifyReady tells systemd that pages are served, and what they show.
func notifyReady(status string) {
	_, _ = daemon.SdNotify(false, daemon.SdNotifyReady+"\nSTATUS="+status)
}
