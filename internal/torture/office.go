package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"roomkiosk/internal/harness"
	"roomkiosk/internal/rooms"
	"roomkiosk/internal/sim"
)

// door is a room of the office.
type door struct {
	id, zoomID, calendar, calendarID string
}

// office is a simulated world with a gate before its Zoom. Half of its rooms are on Google's
// calendar, the others on Microsoft's. Nobody is thrown out of them: what happens there is what the
// kiosk did.
type office struct {
	world *sim.World
	gate  *gate
	doors []door
}

// openOffice starts the services, until the context ends or close.
func openOffice(ctx context.Context, n int) (*office, error) {
	o := &office{world: sim.NewWorld(sim.WorldConfig{Clock: wallClock{}, Now: time.Now, Zoom: sim.ZoomConfig{
		AccountID: "TortureAccount", ClientID: "torture-client", ClientSecret: "torture-secret",
	}})}
	for i := range n {
		d := door{id: fmt.Sprintf("ada-%d", i), zoomID: fmt.Sprintf("ZoomRoom%d", i), calendar: "google", calendarID: fmt.Sprintf("room-%d@example.com", i)}
		kind := sim.OnGoogle
		if i%2 == 1 {
			d.calendar, kind = "graph", sim.OnExchange
		}
		o.doors = append(o.doors, d)
		o.world.Rooms = append(o.world.Rooms, sim.DemoRoom{ID: d.id, ZoomID: d.zoomID, CalendarID: d.calendarID})
		o.world.Calendar.Open(d.calendarID, d.id, time.UTC)
		o.world.Zoom.AddRoom(sim.ZoomRoom{
			ID: d.zoomID, Name: d.id, Kind: kind, CalendarID: d.calendarID, Capacity: 8,
			CheckIn: sim.ZoomCheckIn{Enabled: true, OpensBefore: rooms.DefaultOpensBefore, ReleaseAfter: rooms.DefaultClosesAfter},
		})
	}
	if err := o.world.Start(ctx); err != nil {
		return nil, fmt.Errorf("starting the simulated services: %w", err)
	}
	var err error
	if o.gate, err = openGate(o.world.Zoom); err != nil {
		o.world.Close()
		return nil, err
	}
	return o, nil
}

func (o *office) close() {
	o.gate.close()
	o.world.Close()
}

// meet puts a meeting on a door's calendar.
func (o *office) meet(d door, event string, start, end time.Time) {
	o.world.Calendar.Put(d.calendarID, sim.Event{
		ID: event, Title: event, Organizer: sim.Person{Name: "Jane Doe", Email: "jane@example.com"}, Start: start, End: end,
		Attendees: []sim.Attendee{{Person: sim.Person{Name: d.id, Email: d.calendarID}, Self: true, Resource: true, Response: sim.Accepted}},
	})
}

// place is where a kiosk runs.
type place struct {
	file string // its configuration
	data string // its data folder
	addr string
	base string // its URL
}

// furnish writes the configuration of a kiosk for the office into a folder, which it makes.
func (o *office) furnish(dir string) (place, error) {
	addr, err := harness.FreeAddress()
	if err != nil {
		return place{}, err
	}
	key, err := o.world.GoogleCredentials()
	if err != nil {
		return place{}, fmt.Errorf("making the simulated service account: %w", err)
	}
	p := place{file: filepath.Join(dir, "kiosk.toml"), data: filepath.Join(dir, "data"), addr: addr, base: "http://" + addr}
	if err := os.MkdirAll(p.data, 0o755); err != nil {
		return place{}, fmt.Errorf("making a folder: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "google.json"), key, 0o600); err != nil {
		return place{}, fmt.Errorf("writing the service account: %w", err)
	}
	if err := os.WriteFile(p.file, []byte(o.config(p)), 0o600); err != nil {
		return place{}, fmt.Errorf("writing the configuration: %w", err)
	}
	return p, nil
}

func (o *office) config(p place) string {
	account, client, secret := o.world.ZoomCredentials()
	tenant, graphClient, graphSecret := o.world.GraphCredentials()
	var t strings.Builder
	fmt.Fprintf(&t, "listen = %q\ndata_dir = %q\ntime_zone = \"UTC\"\nclock = \"trusted\"\n\n", p.addr, p.data)
	fmt.Fprintf(&t, "[zoom]\naccount_id = %q\nclient_id = %q\nclient_secret = %q\napi_url = %q\ntoken_url = %q\nevents_url = %q\n\n",
		account, client, secret, o.gate.url()+"/v2", o.gate.url()+"/oauth/token", o.world.ZoomEventsURL())
	fmt.Fprintf(&t, "[[calendar]]\nname = \"google\"\nkind = \"google\"\ncredentials_file = \"google.json\"\nurl = %q\npoll = \"1s\"\n\n", o.world.GoogleURL())
	fmt.Fprintf(&t, "[[calendar]]\nname = \"graph\"\nkind = \"graph\"\ntenant_id = %q\nclient_id = %q\nclient_secret = %q\nurl = %q\ntoken_url = %q\npoll = \"1s\"\n",
		tenant, graphClient, graphSecret, o.world.GraphURL(), o.world.GraphTokenURL())
	for _, d := range o.doors {
		fmt.Fprintf(&t, "\n[[room]]\nid = %q\nname = %q\nzoom_room_id = %q\ncalendar = %q\ncalendar_id = %q\n",
			d.id, "Room "+d.id, d.zoomID, d.calendar, d.calendarID)
	}
	return t.String()
}

// wallClock is the machine's clock.
type wallClock struct{}

func (wallClock) Now() time.Time                    { return time.Now() }
func (wallClock) Timer(d time.Duration) *time.Timer { return time.NewTimer(d) }
