package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// watchdog tells systemd that the kiosk lives, as long as something answers.
func watchdog(ctx context.Context, log *slog.Logger, answers func(context.Context) error) {
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil || interval == 0 {
		return // nobody watches
	}
	tick := time.NewTicker(interval / 2)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		limited, cancel := context.WithTimeout(ctx, interval/2)
		err := answers(limited)
		cancel()
		if err != nil {
			log.Error("kiosk doesn't answer, watchdog not fed", "error", err)
			continue
		}
		_, _ = daemon.SdNotify(false, daemon.SdNotifyWatchdog) // without systemd there is nobody to tell
	}
}

// answers proves that the stores and the keepers do.
func (k *kiosk) answers(ctx context.Context) error {
	if err := k.journal.Check(ctx); err != nil {
		return err
	}
	if err := k.cache.Check(ctx); err != nil {
		return err
	}
	for _, keeper := range k.keepers {
		if err := keeper.Alive(ctx); err != nil {
			return err
		}
	}
	return nil
}

// notifyReady tells systemd that pages are served, and what they show.
func notifyReady(status string) {
	_, _ = daemon.SdNotify(false, daemon.SdNotifyReady+"\nSTATUS="+status)
}
