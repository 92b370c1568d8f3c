package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	randv2 "math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"roomkiosk/internal/config"
	"roomkiosk/internal/live"
	"roomkiosk/internal/rooms"
	"roomkiosk/internal/store"
	"roomkiosk/internal/web"
	"roomkiosk/internal/zoom"
	"roomkiosk/static"
	"roomkiosk/views"
)

const (
	stopHTTP    = 3 * time.Second       // for requests under way when the kiosk stops
	spreadPer   = 50 * time.Millisecond // the first reads of so many rooms spread over this much each
	keepActions = 14 * 24 * time.Hour   // in the journal
	pruneEvery  = 24 * time.Hour        // and how often older ones are deleted
	tendEvery   = time.Minute           // how often the stores look whether a trouble is over
)

// surroundings are what a kiosk runs in. They differ between a wall, a demo and a test.
type surroundings struct {
	clock    rooms.Clock
	rate     float64      // seconds of that clock in a real one
	demo     http.Handler // nil: not a demo
	log      *slog.Logger
	spread   time.Duration         // per room, for its first reads
	announce func(net.Addr)        // called when pages are served there; may be nil
	timeSync func() rooms.TimeSync // what the machine says about its clock; nil: systemd-timesyncd
}

// kiosk is everything that runs, wired up.
type kiosk struct {
	in        surroundings
	cfg       *config.Config
	lock      *os.File // keeps other kiosks out of the data folder
	journal   *store.Journal
	cache     *store.Cache
	hub       *live.Hub
	zoom      *zoom.Client // nil: no Zoom
	told      *told
	deafSince atomic.Int64 // since when Zoom's events don't arrive, in microseconds
	clock     *clockwatch
	keepers   []*rooms.Keeper
	web       *web.Server
}

// build opens the stores and wires everything up. It is the only place that knows all packages. What
// it opened has to be closed, also when it fails.
func build(ctx context.Context, cfg *config.Config, in surroundings) (*kiosk, error) {
	k := &kiosk{in: in, cfg: cfg, told: newTold()}
	k.deafSince.Store(in.clock.Now().UnixMicro())
	if err := k.open(); err != nil {
		return k, err
	}
	assets := static.Load()
	id := buildID(assets)
	metrics := newMetrics()
	k.knowClock(k.newest(ctx))
	watch := func(service string, next http.RoundTripper) http.RoundTripper {
		return k.clock.dated(service, metrics.count(service, next))
	}
	k.hub = live.New(live.Config{Now: in.clock.Now, Rate: in.rate, Build: id})
	if cfg.Zoom != nil {
		k.zoom = newZoom(cfg.Zoom, in, watch, k.journal, zoomTells{k.reach, k.hear, k.listening})
	}
	calendars, err := newCalendars(cfg, in, metrics, watch)
	if err != nil {
		return k, err
	}
	publisher := &web.Publisher{Hub: k.hub, Assets: assets, Build: id, Log: in.log}
	if err := k.house(ctx, calendars, publisher); err != nil {
		return k, err
	}
	metrics.watch(k)
	var webhook http.Handler
	if cfg.Zoom != nil && !cfg.Zoom.WebhookSecret.IsZero() {
		webhook = k.zoom.Webhook(cfg.Zoom.WebhookSecret.Reveal())
	}
	k.web = web.New(web.Config{
		Keepers: webKeepers(k.keepers), Hub: k.hub, Assets: assets, Build: id,
		Hosts: append(ownNames(), cfg.Hosts...), Metrics: metrics.handler(), Demo: in.demo,
		Log: in.log, NewID: rand.Text, History: k.journal, Troubles: k.troubles, ZoomEvents: webhook,
	})
	return k, nil
}

// open opens the stores.
func (k *kiosk) open() error {
	dir := k.cfg.DataDir
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("making the data folder: %w", err)
	}
	var err error
	if k.lock, err = lockDir(dir); err != nil {
		return err
	}
	journal := store.JournalConfig{Path: filepath.Join(dir, "journal.db"), Log: k.in.log, Clock: k.in.clock}
	if k.journal, err = store.KeepJournal(journal); err != nil {
		return fmt.Errorf("opening the journal: %w", err)
	}
	cache := store.CacheConfig{Path: filepath.Join(dir, "cache.db"), Log: k.in.log, Clock: k.in.clock}
	if k.cache, err = store.KeepCache(cache); err != nil {
		return fmt.Errorf("opening the cache: %w", err)
	}
	return nil
}

// close closes the stores, once nothing uses them any more.
func (k *kiosk) close() {
	if k.cache != nil {
		if err := k.cache.Close(); err != nil {
			k.in.log.Error("cache not closed", "error", err)
		}
	}
	if k.journal != nil {
		if err := k.journal.Close(); err != nil {
			k.in.log.Error("journal not closed", "error", err)
		}
	}
	if k.lock != nil {
		_ = k.lock.Close() // gives the folder free
	}
	k.cache, k.journal, k.lock = nil, nil, nil
}

// house makes a keeper for every room.
func (k *kiosk) house(ctx context.Context, calendars map[string]rooms.Calendar, publisher rooms.Publisher) error {
	polls, named := map[string]time.Duration{}, map[string]bool{}
	for _, c := range k.cfg.Calendars {
		polls[c.Name], named[c.Name] = c.Poll, namedByZoom(c.Kind)
	}
	for _, room := range k.cfg.Rooms {
		cfg := rooms.KeeperConfig{
			Room: room, Calendar: calendars[room.Calendar], Journal: k.journal, Cache: k.cache, History: k.journal,
			Publisher: publisher, Clock: k.in.clock, Log: k.in.log, Poll: polls[room.Calendar],
			StartSpread: time.Duration(len(k.cfg.Rooms)-1) * k.in.spread,
			ClockDoubt:  k.clock.believed(), Steady: k.steady(), NewID: rand.Text, Random: randv2.Float64,
		}
		if k.zoom != nil && room.ZoomID != "" && named[room.Calendar] {
			cfg.Events = k.zoom
		}
		keeper, err := rooms.NewKeeper(ctx, cfg)
		if err != nil {
			return err
		}
		k.keepers = append(k.keepers, keeper)
	}
	return nil
}

// newest is the newest instant in the stores: it has certainly passed, if the clock was right then.
// Zero: they hold none, or can't be read.
func (k *kiosk) newest(ctx context.Context) time.Time {
	newest, err := k.journal.Newest(ctx)
	if err != nil {
		k.in.log.Error("newest instant not read", "error", err)
	}
	if cached, err := k.cache.Newest(ctx); err == nil && cached.After(newest) {
		newest = cached
	}
	return newest
}

// tellClock tells the keepers what to think of the clock.
func (k *kiosk) tellClock(doubt rooms.ClockDoubt) {
	for _, keeper := range k.keepers {
		keeper.Clock(doubt)
	}
}

// run serves until the context ends. It stops in order: no new requests, no sockets, then the
// keepers with what they still have to journal.
func (k *kiosk) run(ctx context.Context, listener net.Listener) error {
	keeping, stopKeeping := context.WithCancel(context.WithoutCancel(ctx))
	defer stopKeeping()
	keepers, keeping := errgroup.WithContext(keeping)
	for _, keeper := range k.keepers {
		keepers.Go(func() error { return unlessStopped(keeper.Run(keeping)) })
	}
	keepers.Go(func() error { return k.tell(keeping) })
	keepers.Go(func() error { return k.prune(keeping) })
	keepers.Go(func() error { return k.tend(keeping) })
	if k.zoom != nil {
		keepers.Go(func() error { return unlessStopped(k.zoom.Run(keeping)) })
		keepers.Go(func() error { return unlessStopped(k.zoom.Listen(keeping)) })
	}
	writing, stopWriting := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWriting()
	var history errgroup.Group
	history.Go(func() error { return unlessStopped(k.journal.RunHistory(writing)) })

	serving, ctx := errgroup.WithContext(ctx)
	server := web.NewHTTPServer(k.web, k.in.log)
	limited := web.LimitConns(listener, web.MaxConns, web.MaxConnsPerAddress)
	serving.Go(func() error { return serveHTTP(ctx, server, limited) })
	serving.Go(func() error { return k.hub.Run(ctx) })
	serving.Go(func() error { watchdog(ctx, k.in.log, k.answers); return nil })
	serving.Go(func() error { k.watchClock(ctx); return nil })
	if k.in.announce != nil {
		k.in.announce(listener.Addr())
	}
	err := serving.Wait()
	stopKeeping()
	err = errors.Join(err, keepers.Wait())
	stopWriting() // when nothing happens any more
	return errors.Join(err, history.Wait())
}

// tend has the stores look after themselves.
func (k *kiosk) tend(ctx context.Context) error {
	tick := time.NewTicker(tendEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-k.journal.Reopened(): // it may hold taps that nobody could read before
			k.told.say((*rooms.Keeper).Recollect, false)
		case <-tick.C:
			k.cache.Tend()
			k.journal.Tend()
		}
	}
}

// troubles are what IT has to be told of the stores, and of Zoom's events.
func (k *kiosk) troubles() []views.Trouble {
	var out []views.Trouble
	for _, t := range slices.Concat(k.journal.Health(), k.cache.Health()) {
		out = append(out, views.Trouble{Since: t.Since, Text: t.Detail})
	}
	if k.zoom != nil {
		if up, why := k.zoom.Stream(); !up && why != nil {
			text := "Zoom's events don't arrive, so what is done in the room shows late: " + why.Detail + "."
			out = append(out, views.Trouble{Since: time.UnixMicro(k.deafSince.Load()), Text: text})
		}
	}
	return out
}

// prune deletes what the journal need not remember any more.
func (k *kiosk) prune(ctx context.Context) error {
	for {
		wait := pruneEvery
		if k.clock.believed() != rooms.ClockTrusted {
			wait = tendEvery // by a wrong clock everything may be old
		} else if err := k.journal.Prune(k.in.clock.Now().Add(-keepActions)); err != nil {
			k.in.log.Error("journal not pruned", "error", err)
		}
		timer := k.in.clock.Timer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}

// unlessStopped leaves out the error of a loop that was asked to stop.
func unlessStopped(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// serveHTTP serves until the context ends, and gives requests under way a moment to finish.
func serveHTTP(ctx context.Context, server *http.Server, listener net.Listener) error {
	stopped := make(chan error, 1)
	defer context.AfterFunc(ctx, func() {
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopHTTP)
		defer cancel()
		if err := server.Shutdown(limited); err != nil {
			_ = server.Close() // they had their moment
		}
		stopped <- nil
	})()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving: %w", err)
	}
	return <-stopped
}

// ownNames are the names that this machine goes by.
func ownNames() []string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return nil
	}
	short, _, _ := strings.Cut(name, ".")
	return []string{name, short, short + ".local"}
}

func webKeepers(keepers []*rooms.Keeper) []web.Keeper {
	out := make([]web.Keeper, len(keepers))
	for i, k := range keepers {
		out[i] = k
	}
	return out
}
