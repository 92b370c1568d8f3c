package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"roomkiosk/internal/config"
	"roomkiosk/internal/rooms"
	"roomkiosk/internal/zoom"
	"roomkiosk/views"
)

const (
	checkTimeout = 20 * time.Second // for one thing that is tried
	checkAtOnce  = 4                // rooms at a time: Zoom's limits are shared by the account
)

// check tries everything that the configuration names, and says what works and what to do about the
// rest.
func (p program) check(ctx context.Context, args []string) error {
	f := p.flags("check")
	path := f.String("config", defaultConfig, "configuration `file`")
	if err := p.parse(f, args); err != nil {
		return err
	}
	cfg, err := config.Load(*path)
	if err != nil {
		fmt.Fprintln(p.stderr, err)
		return errExplained
	}
	t := &table{w: p.stdout}
	t.add(finding{what: "configuration", said: fmt.Sprintf("%s: %d rooms", *path, len(cfg.Rooms))})
	for _, w := range cfg.Warnings {
		t.add(finding{what: "configuration", result: warned, said: w.At(*path), remedy: ""})
	}
	t.add(checkClock(cfg))
	t.add(checkDataDir(cfg.DataDir))
	in := surroundings{clock: wallClock{}, rate: 1, log: slog.New(slog.DiscardHandler)}
	checkServices(ctx, t, cfg, in)
	fmt.Fprintf(p.stdout, "\n%d fine, %d to look at, %d broken\n", t.counts[fine], t.counts[warned], t.counts[broken])
	if t.counts[broken] > 0 {
		fmt.Fprintln(p.stderr, "kiosk check: something is broken; the table says what to do")
		return errExplained
	}
	return nil
}

// result is how something that was tried turned out.
type result int

const (
	fine result = iota
	warned
	broken
)

func (r result) String() string { return [...]string{"ok", "LOOK", "FAIL"}[r] }

// finding is one line of the table.
type finding struct {
	what   string
	result result
	said   string
	remedy string // what to do; empty: nothing
}

// table prints findings as they come.
type table struct {
	w      io.Writer
	mu     sync.Mutex
	counts [3]int
}

func (t *table) add(f finding) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts[f.result]++
	fmt.Fprintf(t.w, "%-5s %-28s %s\n", f.result, f.what, f.said)
	if f.remedy != "" {
		fmt.Fprintf(t.w, "%-5s %-28s -> %s\n", "", "", f.remedy)
	}
}

// found makes a finding of what a service answered.
func found(what, said string, err error) finding {
	if err == nil {
		return finding{what: what, said: said}
	}
	fault := rooms.FaultOf(err)
	return finding{what: what, result: broken, said: fault.Error(), remedy: views.FaultMessage(fault)}
}

func checkClock(cfg *config.Config) finding {
	now := time.Now().In(cfg.Zone).Format("2006-01-02 15:04:05 MST")
	if cfg.ClockMode == config.ClockTrusted {
		return finding{what: "clock", said: now + ", trusted by configuration"}
	}
	if timesyncd().At.IsZero() {
		return finding{
			what: "clock", result: warned, said: now + ", nothing tells whether that is right",
			remedy: "Compare it with a watch. systemd-timesyncd would tell; with another time service, set clock = \"trusted\".",
		}
	}
	return finding{what: "clock", said: now + ", synchronised"}
}

// checkDataDir tries to write where the kiosk will.
func checkDataDir(dir string) finding {
	f := finding{what: "data folder", said: dir}
	_, err := os.Stat(dir)
	if errors.Is(err, os.ErrNotExist) { // it is the server's to make, as its own user
		return finding{what: "data folder", said: dir + ", made when the kiosk starts"}
	}
	if err == nil {
		var probe *os.File
		if probe, err = os.CreateTemp(dir, ".check-"); err == nil {
			err = errors.Join(probe.Sync(), probe.Close(), os.Remove(probe.Name()))
		}
	}
	if err != nil {
		f.result, f.said = broken, err.Error()
		f.remedy = "Let the kiosk's user write to " + filepath.Clean(dir) + ", or set data_dir."
	}
	return f
}

// checkServices tries Zoom's token, then every room at Zoom and on its calendar.
func checkServices(ctx context.Context, t *table, cfg *config.Config, in surroundings) {
	m := newMetrics()
	var client *zoom.Client
	if cfg.Zoom == nil {
		t.add(finding{what: "zoom", result: warned, said: "not configured", remedy: "Check-ins are kept here, and rooms can't be released."})
	} else {
		client = newZoom(cfg.Zoom, in, m.count, nil, zoomTells{})
		err := within(ctx, client.CheckToken)
		t.add(found("zoom token", "granted", err))
		if err != nil {
			client = nil // every room would say the same
		}
	}
	if client != nil && cfg.Zoom.EventsURL != "" {
		t.add(found("zoom events", "heard", within(ctx, client.CheckStream)))
	}
	calendars, err := newCalendars(cfg, in, m, m.count)
	if err != nil {
		t.add(finding{what: "calendars", result: broken, said: err.Error()})
	}
	places := make(chan struct{}, checkAtOnce)
	var all sync.WaitGroup
	for _, room := range cfg.Rooms {
		all.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			checkRoom(ctx, t, room, client, calendars[room.Calendar])
			checkRelease(ctx, t, room, cfg, calendars[room.Calendar])
		})
	}
	all.Wait()
}

func checkRoom(ctx context.Context, t *table, room rooms.Room, client *zoom.Client, cal rooms.Calendar) {
	if client != nil && room.ZoomID != "" {
		var p rooms.Profile
		err := within(ctx, func(ctx context.Context) (err error) { p, err = client.Profile(ctx, room); return err })
		t.add(found("room "+room.ID+", zoom", profileSaid(room, p), err))
	}
	if cal == nil {
		return
	}
	now := time.Now()
	from, to := rooms.Window(now, room.Zone)
	var read []rooms.Reservation
	err := within(ctx, func(ctx context.Context) (err error) { read, err = cal.Read(ctx, room, from, to); return err })
	t.add(found("room "+room.ID+", calendar", fmt.Sprintf("%d reservations today and tomorrow", len(read)), err))
}

// checkRelease tells where a release goes that Zoom isn't told about, and whether it may.
func checkRelease(ctx context.Context, t *table, room rooms.Room, cfg *config.Config, cal rooms.Calendar) {
	what := "room " + room.ID + ", release"
	i := slices.IndexFunc(cfg.Calendars, func(c config.Calendar) bool { return c.Name == room.Calendar })
	named := i >= 0 && namedByZoom(cfg.Calendars[i].Kind)
	if cal == nil || cfg.Zoom != nil && room.ZoomID != "" && named {
		return
	}
	if room.ZoomID != "" && !named {
		t.add(finding{
			what: what, result: warned, said: "Zoom has no way to name events of a calendar of this kind",
			remedy: "Check-ins are kept here, releases go to the calendar. Take zoom_room_id out to say so.",
		})
	}
	ender, ok := cal.(rooms.Ender)
	if !ok {
		f := finding{what: what, result: warned, said: "not offered: this kind of calendar can only be read"}
		if i >= 0 && cfg.Calendars[i].Kind == config.ICS {
			f.remedy = "Use CalDAV in place of the feed, if its server has that."
		}
		t.add(f)
		return
	}
	err := within(ctx, func(ctx context.Context) error { return ender.CanEnd(ctx, room) })
	f := found(what, "goes to the calendar", err)
	if f.result == broken {
		f.result, f.remedy = warned, "Release isn't offered until the kiosk may write to the calendar. docs/calendars.md says how."
	}
	t.add(f)
}

func profileSaid(room rooms.Room, p rooms.Profile) string {
	policy := room.Policy(p)
	said := "check-in off"
	if policy.Required {
		said = fmt.Sprintf("check-in from %s before to %s after the start", policy.OpensBefore, policy.ClosesAfter)
	}
	if p.UnderConstruction {
		said += ", under construction"
	}
	return said
}

// within gives something that is tried a limited time.
func within(ctx context.Context, try func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	return try(limited)
}
