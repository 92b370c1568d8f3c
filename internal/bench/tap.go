package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"roomkiosk/internal/harness"
	"roomkiosk/internal/sim"
)

const (
	tapRooms   = 40
	tapPoll    = 2 * time.Second
	promiseTap = 10 * time.Millisecond // the server's share, p99
)

// measureTap times taps that nobody made before: from sending the form until the answer and the new
// frame are there. In turns with it, a bare commit to the same disk and a bare websocket echo.
func measureTap(ctx context.Context, b *bench) ([]row, error) {
	door, err := b.openDoors(ctx)
	if err != nil {
		return nil, err
	}
	defer door.close()
	bare, err := b.openBareTap(ctx)
	if err != nil {
		return nil, err
	}
	defer bare.close()

	var taps, commits, both []time.Duration
	for n := range b.rounds(8, 2) {
		reservations, err := door.meet(ctx, n)
		if err != nil {
			return nil, err
		}
		for i, id := range reservations {
			took, err := door.tap(ctx, i, id)
			if err != nil {
				return nil, err
			}
			taps = append(taps, took)
			commit, echo, err := bare.once()
			if err != nil {
				return nil, err
			}
			commits, both = append(commits, commit), append(both, commit+echo)
		}
	}
	return tapRows(taps, commits, both), nil
}

func tapRows(taps, commits, both []time.Duration) []row {
	pair := func(what string, q float64) row {
		a, z := harness.Quantile(taps, q), harness.Quantile(both, q)
		return row{what: what, kiosk: ms(a), bare: ms(z), ratio: timesOf(a.Seconds(), z.Seconds()), promise: noPromise, verdict: unpromised}
	}
	share := harness.Quantile(taps, 0.99) - harness.Quantile(commits, 0.99)
	rows := []row{
		pair("tap to durable and pushed, p50", 0.5),
		pair("tap to durable and pushed, p99", 0.99),
		{
			what: "  server's share of it, p99", kiosk: ms(share), promise: "<= " + ms(promiseTap), verdict: verdictOf(share <= promiseTap),
			notes: []string{fmt.Sprintf("p99 of the tap less p99 of a bare commit (%s); less its p50 (%s), which puts all of the disk's bad moments down to us: %s",
				ms(harness.Quantile(commits, 0.99)), ms(harness.Median(commits)), ms(harness.Quantile(taps, 0.99)-harness.Median(commits)))},
		},
	}
	rows[0].notes = []string{fmt.Sprintf("bare: a commit of one row (WAL, synchronous=FULL, same disk), then a websocket echo; "+
		"%d of each, in turns", len(taps))}
	return rows
}

// doors are rooms, each with somebody who looks at its panel.
type doors struct {
	kiosk  *kiosk
	world  *sim.World
	client *http.Client
	panels []socket
	closes []func()
}

func (b *bench) openDoors(ctx context.Context) (_ *doors, err error) {
	d := &doors{world: newOffice(tapRooms), client: &http.Client{Timeout: 30 * time.Second}}
	defer func() {
		if err != nil {
			d.close()
		}
	}()
	if err := d.world.Start(ctx); err != nil {
		return nil, err
	}
	d.closes = append(d.closes, d.world.Close)
	s, err := servicesOf(d.world)
	if err != nil {
		return nil, err
	}
	if d.kiosk, err = b.open(ctx, s, tapPoll); err != nil {
		return nil, err
	}
	d.closes = append(d.closes, d.kiosk.Stop)
	for _, r := range d.world.Rooms {
		p, err := dial(ctx, d.kiosk.live(r.ID, "panel"))
		if err != nil {
			return nil, err
		}
		d.closes = append(d.closes, func() { p.Close() })
		d.panels = append(d.panels, p)
	}
	return d, nil
}

func (d *doors) close() {
	for i := len(d.closes) - 1; i >= 0; i-- {
		d.closes[i]()
	}
}

// meet lets a new meeting begin in every room, and waits until the panels offer to check in. It
// returns the ids of the reservations.
func (d *doors) meet(ctx context.Context, round int) ([]string, error) {
	start := time.Now().Truncate(time.Second)
	for i, r := range d.world.Rooms {
		if round > 0 {
			d.world.Calendar.Cancel(r.CalendarID, eventName(round-1, i))
		}
		d.world.Calendar.Put(r.CalendarID, sim.Event{
			ID: eventName(round, i), Title: eventName(round, i), Start: start, End: start.Add(time.Hour),
		})
	}
	ids := make([]string, len(d.panels))
	for i, p := range d.panels {
		r := d.world.Rooms[i]
		_, err := p.shows(func(html string) bool {
			return strings.Contains(html, eventName(round, i)) && strings.Contains(html, checkInOf(r.ID))
		}, 10*tapPoll)
		if err != nil {
			return nil, fmt.Errorf("waiting for a meeting of %s: %w", r.ID, err)
		}
		state, err := d.ask(ctx, r.ID)
		if err != nil {
			return nil, err
		}
		ids[i] = state.Current.ID
	}
	return ids, nil
}

func eventName(round, room int) string { return fmt.Sprintf("meeting%dx%d", round, room) }

// checkInOf is what only a panel that offers to check in has in it.
func checkInOf(room string) string { return `action="/rooms/` + room + `/check-in"` }

// state is what the API says of a room.
type state struct {
	Current struct {
		ID string `json:"id"`
	} `json:"current"`
	Actions []struct {
		Reservation string `json:"reservation"`
		State       string `json:"state"`
	} `json:"actions"`
}

func (d *doors) ask(ctx context.Context, room string) (state, error) {
	var s state
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.kiosk.base+"/api/v1/rooms/"+room, nil)
	if err != nil {
		return s, err
	}
	res, err := d.client.Do(req)
	if err != nil {
		return s, fmt.Errorf("asking for %s: %w", room, err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&s); err != nil {
		return s, fmt.Errorf("asking for %s: %w", room, err)
	}
	return s, nil
}

// tap checks in, and times it. Then it waits until Zoom has taken it: on a wall, taps come one by one.
func (d *doors) tap(ctx context.Context, i int, reservation string) (time.Duration, error) {
	room := d.world.Rooms[i].ID
	shown := make(chan error, 1)
	var frame time.Time
	go func() {
		var err error
		frame, err = d.panels[i].shows(func(html string) bool { return !strings.Contains(html, checkInOf(room)) }, 10*time.Second)
		shown <- err
	}()
	began := time.Now()
	err := d.post(ctx, room, reservation)
	answered := time.Now()
	if failed := <-shown; err == nil && failed != nil {
		err = fmt.Errorf("waiting for the tap on %s to show: %w", room, failed)
	}
	if err != nil {
		return 0, err
	}
	last := frame
	if answered.After(last) {
		last = answered
	}
	return last.Sub(began), d.settle(ctx, room, reservation)
}

func (d *doors) post(ctx context.Context, room, reservation string) error {
	form := strings.NewReader(url.Values{"reservation": {reservation}}.Encode())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.kiosk.base+"/rooms/"+room+"/check-in", form)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	res, err := d.client.Do(req)
	if err != nil {
		return fmt.Errorf("tapping: %w", err)
	}
	defer res.Body.Close()
	said, err := io.ReadAll(res.Body) // to its end, else the connection isn't used again
	if err == nil && res.StatusCode != http.StatusAccepted {
		err = fmt.Errorf("tapping: answered %s: %s", res.Status, said)
	}
	return err
}

// settle waits until the tap has reached Zoom.
func (d *doors) settle(ctx context.Context, room, reservation string) error {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		s, err := d.ask(ctx, room)
		if err != nil {
			return err
		}
		for _, a := range s.Actions {
			if a.Reservation == reservation && (a.State == "accepted" || a.State == "confirmed") {
				return nil
			}
		}
		if err := harness.Wait(ctx, 5*time.Millisecond); err != nil {
			return err
		}
	}
	return fmt.Errorf("waiting for Zoom to take the tap on %s: it didn't", room)
}
