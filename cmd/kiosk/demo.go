package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"roomkiosk/internal/config"
	"roomkiosk/internal/rooms"
	"roomkiosk/internal/sim"
)

// demo runs three rooms on simulated services, with real HTTP in between, in this one process.
func (p program) demo(ctx context.Context, args []string) error {
	f := p.flags("demo")
	addr := f.String("listen", "127.0.0.1:8080", "`address` to serve on")
	speed := f.Float64("speed", 1, "how many times as fast as real `time` passes")
	if err := p.parse(f, args); err != nil {
		return err
	}
	if !(*speed >= 1 && *speed <= 3600) { // nor is it NaN
		fmt.Fprintln(p.stderr, "kiosk demo: --speed is from 1 to 3600")
		return errUsage
	}
	dir, err := os.MkdirTemp("", "kiosk-demo-")
	if err != nil {
		return fmt.Errorf("making a folder for the demo: %w", err)
	}
	defer os.RemoveAll(dir)
	listener, err := listen(ctx, *addr)
	if err != nil {
		return err
	}
	return p.runDemo(ctx, listener, dir, *speed)
}

func (p program) runDemo(ctx context.Context, listener net.Listener, dir string, speed float64) error {
	var clock rooms.Clock = wallClock{}
	if speed != 1 {
		clock = fastClock{start: time.Now(), speed: speed}
	}
	world := sim.DemoWorld(clock, time.Now, localZone())
	if err := world.Listen(); err != nil {
		return fmt.Errorf("starting the simulated services: %w", err)
	}
	cfg, err := demoConfig(world, dir, speed)
	if err != nil {
		return err
	}
	k, err := build(ctx, cfg, surroundings{
		clock: clock, rate: speed, log: newLog(p.stderr),
		demo:     world.Control(""),
		announce: func(at net.Addr) { p.printAddresses(at, world.Rooms) },
	})
	defer k.close()
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return world.Run(ctx) })
	g.Go(func() error { return k.run(ctx, listener) })
	return g.Wait()
}

func (p program) printAddresses(at net.Addr, all []sim.DemoRoom) {
	base := "http://" + browsable(at)
	fmt.Fprintf(p.stdout, "The kiosk's demo runs: three rooms on a simulated Zoom, Google Calendar, Microsoft 365 and CalDAV.\n\n")
	fmt.Fprintf(p.stdout, "  All rooms   %s/\n", base)
	for _, r := range all {
		fmt.Fprintf(p.stdout, "  Panel       %s/rooms/%s/panel   %s\n", base, r.ID, r.Name)
	}
	fmt.Fprintf(p.stdout, "  Break it    %s/demo\n\nStop it with Ctrl-C.\n", base)
}

// browsable is an address that a browser on this machine can open.
func browsable(at net.Addr) string {
	tcp, ok := at.(*net.TCPAddr)
	if !ok {
		return at.String()
	}
	if tcp.IP.IsUnspecified() || tcp.IP.IsLoopback() {
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(tcp.Port))
	}
	return tcp.String()
}

// demoConfig is what kiosk.toml would say if the simulated services were real.
func demoConfig(w *sim.World, dir string, speed float64) (*config.Config, error) {
	key, err := w.GoogleCredentials()
	if err != nil {
		return nil, fmt.Errorf("making the simulated service account: %w", err)
	}
	account, client, secret := w.ZoomCredentials()
	// People are as slow as ever: what waits for them takes real seconds.
	real := func(d time.Duration) time.Duration { return time.Duration(float64(d) * speed) }
	poll := real(time.Second)
	cfg := &config.Config{
		DataDir: filepath.Join(dir, "data"), Zone: localZone(), Language: config.DefaultLanguage,
		ClockMode: config.ClockTrusted,
		Zoom: &config.Zoom{
			AccountID: account, ClientID: client, ClientSecret: config.NewSecret(secret),
			APIURL: w.ZoomURL(), TokenURL: w.ZoomTokenURL(), Body: "json", EventsURL: w.ZoomEventsURL(),
		},
		Calendars: demoCalendars(w, string(key), poll),
	}
	for _, r := range w.Rooms {
		id := r.CalendarID
		if r.Kind == string(config.CalDAV) {
			id = w.CalDAVURL(id)
		}
		cfg.Rooms = append(cfg.Rooms, rooms.Room{
			ID: r.ID, Name: r.Name, Location: r.Location, Capacity: r.Capacity, Equipment: r.Equipment,
			Zone: cfg.Zone, Language: cfg.Language, ZoomID: r.ZoomID, Calendar: r.Kind, CalendarID: id,
			StaleAfter: max(rooms.DefaultStaleAfter, 6*poll), UndoWindow: real(rooms.DefaultUndoWindow),
		})
	}
	return cfg, nil
}

// demoCalendars are named after their kinds.
func demoCalendars(w *sim.World, googleKey string, poll time.Duration) []config.Calendar {
	tenant, client, secret := w.GraphCredentials()
	return []config.Calendar{
		{Name: "google", Kind: config.Google, Poll: poll, URL: w.GoogleURL(), Credentials: config.NewSecret(googleKey)},
		{
			Name: "graph", Kind: config.Graph, Poll: poll, URL: w.GraphURL(), TokenURL: w.GraphTokenURL(),
			TenantID: tenant, ClientID: client, ClientSecret: config.NewSecret(secret),
		},
		{Name: "caldav", Kind: config.CalDAV, Poll: poll},
	}
}

// localZone is the zone that this machine is in, by a name that browsers know too; UTC where that
// can't be told. The demo's rooms are where its watcher is.
func localZone() *time.Location {
	names := []string{os.Getenv("TZ")}
	if target, err := os.Readlink("/etc/localtime"); err == nil {
		if _, name, ok := strings.Cut(target, "zoneinfo/"); ok {
			names = append(names, name)
		}
	}
	for _, name := range names {
		if name == "" || name == "Local" {
			continue
		}
		if zone, err := time.LoadLocation(name); err == nil {
			return zone
		}
	}
	return time.UTC
}
