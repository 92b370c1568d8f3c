package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"roomkiosk/internal/config"
	"roomkiosk/internal/store"
	"roomkiosk/internal/web"
	"roomkiosk/static"
	"roomkiosk/views"
)

const (
	defaultConfig = "/etc/kiosk/kiosk.toml"
	lookAgain     = 2 * time.Second  // at a configuration that is broken
	tryAgain      = 10 * time.Second // what failed although the configuration is sound
)

// serve runs the kiosk. It comes up whatever is wrong: what can't be shown is explained instead, and
// mended as soon as the configuration is.
func (p program) serve(ctx context.Context, args []string) error {
	f := p.flags("serve")
	path := f.String("config", defaultConfig, "configuration `file`")
	if err := p.parse(f, args); err != nil {
		return err
	}
	log := newLog(p.stderr)
	for ctx.Err() == nil {
		if err := p.serveOnce(ctx, *path, log); err != nil {
			return err
		}
	}
	return nil
}

// serveOnce serves rooms until the context ends, or an explanation until it may be out of date.
func (p program) serveOnce(ctx context.Context, path string, log *slog.Logger) error {
	cfg, err := config.Load(path)
	if err != nil {
		return p.explain(ctx, config.ListenOf(path), path, err, log, waitForChange(path, err.Error()))
	}
	for _, w := range cfg.Warnings {
		log.Warn("configuration", "file", path, "line", w.Line, "reason", w.Reason, "remedy", w.Remedy)
	}
	k, err := build(ctx, cfg, surroundings{
		clock: wallClock{}, rate: 1, log: log, spread: spreadPer,
		announce: func(at net.Addr) {
			log.Info("serving", "listen", at.String(), "rooms", len(cfg.Rooms))
			notifyReady("serving rooms")
		},
	})
	defer k.close()
	if err != nil {
		k.close()
		return p.explain(ctx, cfg.Listen, path, err, log, waitFor(tryAgain))
	}
	listener, err := listen(ctx, cfg.Listen)
	if err != nil {
		return err
	}
	return k.run(ctx, listener)
}

func newLog(w interface{ Write([]byte) (int, error) }) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, nil))
}

func listen(ctx context.Context, addr string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listening on %s: %w. Is another kiosk running, or the address not this machine's? See \"listen\" in the configuration", addr, err)
	}
	return l, nil
}

// explain serves a page about what is wrong until wait returns or the context ends.
func (p program) explain(ctx context.Context, addr, path string, why error, log *slog.Logger, wait func(context.Context)) error {
	listener, err := listen(ctx, addr)
	if err != nil {
		return err
	}
	faults := faultsOf(why)
	fmt.Fprintln(p.stderr, why)
	if !errors.As(why, new(*config.Error)) { // whose text has its remedies
		fmt.Fprintln(p.stderr, faults[0].Remedy)
	}
	assets := static.Load()
	page := web.NewSetup(web.SetupConfig{
		File: path, Faults: faults, Assets: assets, Build: buildID(assets), Hosts: ownNames(), Log: log, NewID: rand.Text,
	})
	limited, stop := context.WithCancel(ctx)
	defer stop()
	go func() { defer stop(); wait(limited) }()
	log.Error("serving an explanation instead of rooms", "listen", listener.Addr().String())
	notifyReady("explaining what is wrong with the configuration")
	go watchdog(limited, log, func(context.Context) error { return nil })
	return serveHTTP(limited, web.NewHTTPServer(page, log), web.LimitConns(listener, web.MaxConns, web.MaxConnsPerAddress))
}

// faultsOf turns what went wrong into what the page lists.
func faultsOf(err error) []views.SetupFault {
	var broken *config.Error
	if errors.As(err, &broken) {
		faults := make([]views.SetupFault, len(broken.Problems))
		for i, p := range broken.Problems {
			faults[i] = views.SetupFault{Line: p.Line, Reason: p.Reason, Remedy: p.Remedy}
		}
		return faults
	}
	var newer *store.NewerSchemaError
	remedy := "The kiosk tries again every few seconds."
	switch {
	case errors.Is(err, os.ErrPermission):
		remedy = "Let the kiosk's user write there, or set data_dir in the configuration. " + remedy
	case errors.Is(err, errDataDirTaken):
		remedy = "Stop the other kiosk, or give this one another data_dir. " + remedy
	case errors.As(err, &newer):
		remedy = "Install the newer kiosk again, or give this one another data_dir."
	}
	return []views.SetupFault{{Reason: err.Error(), Remedy: remedy}}
}

// waitForChange returns when the file isn't what it was, or what it refers to may not be.
func waitForChange(path, before string) func(context.Context) {
	return func(ctx context.Context) {
		tick := time.NewTicker(lookAgain)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if load(path) != before {
				return
			}
		}
	}
}

// load loads a configuration for what is wrong with it.
func load(path string) string {
	if _, err := config.Load(path); err != nil {
		return err.Error()
	}
	return ""
}

func waitFor(d time.Duration) func(context.Context) {
	return func(ctx context.Context) {
		select {
		case <-ctx.Done():
		case <-time.After(d):
		}
	}
}
