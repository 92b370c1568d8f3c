package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"roomkiosk/internal/harness"
)

const (
	tapLimit   = time.Minute // for an answer
	pause      = 200 * time.Millisecond
	leaveEvery = 10 // the releases that are not undone
)

// tapAll has somebody tap at every door, until there is nothing left to tap. It fails only if that
// can't go on; a kiosk that ends is one way.
func (k *kiosk) tapAll(ctx context.Context, told *line) error {
	ended := make(chan error, len(k.rooms))
	for i, room := range k.rooms {
		p := newPanel(i, room, told)
		go func() { ended <- p.tapOn(ctx) }()
	}
	for range k.rooms {
		select {
		case <-k.Gone:
			return k.failed(errors.New("tapping: the kiosk has ended"))
		case err := <-ended:
			if err != nil {
				return k.failed(err)
			}
		}
	}
	return nil
}

// panel is somebody at a door.
type panel struct {
	room   string
	client *http.Client
	told   *line
}

// newPanel makes a panel with an address of its own: limits that are meant for one panel hold for
// each.
func newPanel(n int, room string, told *line) panel {
	d := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(n+2))}}
	return panel{room: room, told: told, client: &http.Client{
		Timeout: tapLimit, Transport: &http.Transport{DialContext: d.DialContext},
	}}
}

// tapOn checks in to everything, then releases and takes it back, over and over. Some releases are
// left as they are.
func (p panel) tapOn(ctx context.Context) error {
	reservations, err := p.reservations(ctx)
	if err != nil {
		return err
	}
	for _, r := range reservations {
		if err := p.tap(ctx, "check-in", r); err != nil {
			return err
		}
	}
	for n := 0; len(reservations) > 0; n++ {
		r := reservations[0]
		reservations = reservations[1:]
		if err := p.tap(ctx, "release", r); err != nil {
			return err
		}
		if n%leaveEvery == leaveEvery-1 {
			continue
		}
		if err := p.tap(ctx, "undo", r); err != nil {
			return err
		}
		reservations = append(reservations, r)
	}
	return nil
}

// reservations waits until the room shows those of today's office, not what it remembers from the boot
// before, and returns their ids.
func (p panel) reservations(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, readyIn)
	defer cancel()
	for {
		ids, err := p.running(ctx)
		if err != nil || len(ids) == meetings {
			return ids, err
		}
		if err := harness.Wait(ctx, lookEvery); err != nil {
			return nil, fmt.Errorf("waiting for the meetings of %s, of which %d are there: %w", p.room, len(ids), err)
		}
	}
}

// running are the reservations that aren't over.
func (p panel) running(ctx context.Context) ([]string, error) {
	var room struct {
		Reservations []struct {
			ID  string    `json:"id"`
			End time.Time `json:"end"`
		} `json:"reservations"`
	}
	status, err := p.ask(ctx, http.MethodGet, "", nil, &room)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("answer %d", status)
	}
	if err != nil {
		return nil, fmt.Errorf("asking for %s: %w", p.room, err)
	}
	var ids []string
	for _, r := range room.Reservations {
		if r.End.After(time.Now()) {
			ids = append(ids, r.ID)
		}
	}
	return ids, nil
}

// tap taps until it is taken, or refused because it came too late. What is acknowledged is told then,
// and only then.
func (p panel) tap(ctx context.Context, verb, reservation string) error {
	body, err := json.Marshal(map[string]string{"reservation": reservation})
	if err != nil {
		return fmt.Errorf("encoding a tap: %w", err)
	}
	for {
		var action struct{ ID, Kind, State string }
		status, err := p.ask(ctx, http.MethodPost, "/"+verb, body, &action)
		switch {
		case err != nil:
			return fmt.Errorf("tapping %s on %s: %w", verb, p.room, err)
		case status == http.StatusAccepted:
			p.told.tell(toldAcknowledged, action.ID, action.Kind, action.State)
			return nil
		case status == http.StatusConflict:
			return nil
		case status == http.StatusTooManyRequests:
			if err := harness.Wait(ctx, pause); err != nil {
				return err
			}
		default:
			return fmt.Errorf("tapping %s on %s: answer %d", verb, p.room, status)
		}
	}
}

// ask asks the kiosk's API about the room and decodes what it answers with success.
func (p panel) ask(ctx context.Context, method, path string, body []byte, into any) (int, error) {
	req, err := http.NewRequestWithContext(ctx, method, baseURL+"/api/v1/rooms/"+p.room+path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := p.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	if res.StatusCode >= http.StatusMultipleChoices {
		_, err = io.Copy(io.Discard, res.Body)
		return res.StatusCode, err
	}
	return res.StatusCode, json.NewDecoder(res.Body).Decode(into)
}
