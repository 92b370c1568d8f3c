package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"roomkiosk/internal/rooms"
	"roomkiosk/internal/sim"
)

// services are simulated ones, as a configuration has to know them.
type services struct {
	ZoomURL, ZoomTokenURL      string
	Account, Client, Secret    string
	GoogleURL, GoogleKey       string
	RoomID, ZoomID, CalendarID []string
}

func servicesOf(w *sim.World) (services, error) {
	key, err := w.GoogleCredentials()
	if err != nil {
		return services{}, fmt.Errorf("making the simulated service account: %w", err)
	}
	s := services{ZoomURL: w.ZoomURL(), ZoomTokenURL: w.ZoomTokenURL(), GoogleURL: w.GoogleURL(), GoogleKey: string(key)}
	s.Account, s.Client, s.Secret = w.ZoomCredentials()
	for _, r := range w.Rooms {
		s.RoomID = append(s.RoomID, r.ID)
		s.ZoomID = append(s.ZoomID, r.ZoomID)
		s.CalendarID = append(s.CalendarID, r.CalendarID)
	}
	return s, nil
}

// newOffice is a world of n rooms that are called ada, ada-1, ada-2 and so on. Nobody is thrown out
// of them, so that nothing changes by itself. It doesn't listen yet.
func newOffice(n int) *sim.World {
	w := sim.NewWorld(sim.WorldConfig{Clock: wallClock{}, Now: time.Now, Zoom: sim.ZoomConfig{
		AccountID: "BenchAccount", ClientID: "bench-client", ClientSecret: "bench-secret",
	}})
	for i := range n {
		r := sim.DemoRoom{ID: "ada", ZoomID: fmt.Sprintf("ZoomRoom%d", i), CalendarID: fmt.Sprintf("room-%d@example.com", i)}
		if i > 0 {
			r.ID = fmt.Sprintf("ada-%d", i)
		}
		w.Rooms = append(w.Rooms, r)
		w.Calendar.Open(r.CalendarID, r.ID, time.UTC)
		w.Zoom.AddRoom(sim.ZoomRoom{
			ID: r.ZoomID, Name: r.ID, Kind: sim.OnGoogle, CalendarID: r.CalendarID, Capacity: 8,
			CheckIn: sim.ZoomCheckIn{Enabled: true, OpensBefore: rooms.DefaultOpensBefore, ReleaseAfter: rooms.DefaultClosesAfter},
		})
	}
	return w
}

// plan puts meetings of today and tomorrow on every calendar of the office: eight a day.
func plan(w *sim.World) {
	from, _ := rooms.Window(time.Now(), time.UTC)
	for i, r := range w.Rooms {
		for n := range 16 {
			start := from.Add(time.Duration(n*3) * time.Hour)
			w.Calendar.Put(r.CalendarID, sim.Event{
				ID: fmt.Sprintf("planned%dx%d", i, n), Title: fmt.Sprintf("Meeting %d of the project group", n),
				Organizer: sim.Person{Name: "Jane Doe", Email: "jane@example.com"},
				Start:     start, End: start.Add(time.Hour),
			})
		}
	}
}

// openOffice starts a planned office's services in this process, until the context ends or the
// returned world is closed.
func openOffice(ctx context.Context, n int) (*sim.World, services, error) {
	w := newOffice(n)
	plan(w)
	if err := w.Start(ctx); err != nil {
		return nil, services{}, err
	}
	s, err := servicesOf(w)
	if err != nil {
		w.Close()
	}
	return w, s, err
}

// beOffice is the body of a process with the simulated services of so many rooms. It prints how to
// reach them.
func beOffice(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer) error {
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return fmt.Errorf("reading the number of rooms: %w", err)
	}
	w, s, err := openOffice(ctx, n)
	if err != nil {
		return err
	}
	defer w.Close()
	if err := json.NewEncoder(stdout).Encode(s); err != nil {
		return fmt.Errorf("printing the addresses: %w", err)
	}
	_, err = io.Copy(io.Discard, stdin)
	return err
}

// launchOffice starts the services of n rooms in a process of their own.
func launchOffice(ctx context.Context, n int) (*helper, services, error) {
	h, err := launchHelper(ctx, "office", strconv.Itoa(n))
	if err != nil {
		return nil, services{}, err
	}
	line, err := h.hear()
	var s services
	if err == nil {
		err = json.Unmarshal([]byte(line), &s)
	}
	if err != nil {
		h.Stop()
		return nil, services{}, fmt.Errorf("reading the addresses of the simulated services: %w", err)
	}
	return h, s, nil
}

// wallClock is the machine's clock.
type wallClock struct{}

func (wallClock) Now() time.Time                    { return time.Now() }
func (wallClock) Timer(d time.Duration) *time.Timer { return time.NewTimer(d) }
