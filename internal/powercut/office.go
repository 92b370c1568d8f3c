package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"roomkiosk/internal/sim"
)

const (
	doors    = 6 // each with a panel at which somebody taps
	meetings = 8 // in each room, all at once: more to tap on
	lasting  = 10 * time.Minute
)

// office is a world of rooms whose calendars can be read. Zoom is out of reach, so that taps wait in
// the journal.
type office struct {
	world *sim.World
	rooms []string
}

func openOffice(ctx context.Context) (*office, error) {
	o := &office{world: sim.NewWorld(sim.WorldConfig{Clock: wallClock{}, Now: time.Now, Graph: sim.GraphConfig{
		TenantID: "tenant", ClientID: "client", ClientSecret: "graph-secret",
	}})}
	now := time.Now().Truncate(time.Second)
	for i := range doors {
		room := fmt.Sprintf("room-%d", i)
		o.rooms = append(o.rooms, room)
		o.world.Calendar.Open(mailboxOf(room), room, time.UTC)
		for n := range meetings {
			o.world.Calendar.Put(mailboxOf(room), sim.Event{
				ID: fmt.Sprintf("AAMk%dx%dx%d", now.Unix(), i, n), Title: fmt.Sprintf("Meeting %d", n),
				Organizer: sim.Person{Name: "Jane Doe", Email: "jane@example.com"},
				Attendees: []sim.Attendee{{Person: sim.Person{Email: mailboxOf(room)}, Self: true, Resource: true, Response: sim.Accepted}},
				Start:     now.Add(-time.Minute), End: now.Add(lasting - time.Minute),
			})
		}
	}
	return o, o.world.Start(ctx)
}

func mailboxOf(room string) string { return room + "@rooms.example.com" }

// configuration writes the kiosk's configuration file for the office and returns it.
func (o *office) configuration(listen, data string) (string, error) {
	tenant, client, secret := o.world.GraphCredentials()
	var t strings.Builder
	fmt.Fprintf(&t, "listen = %q\ndata_dir = %q\ntime_zone = \"UTC\"\nclock = \"trusted\"\n\n", listen, data)
	// Nobody listens there.
	fmt.Fprint(&t, "[zoom]\naccount_id = \"account\"\nclient_id = \"client\"\nclient_secret = \"zoom-secret\"\n"+
		"api_url = \"http://127.0.0.1:9/v2\"\ntoken_url = \"http://127.0.0.1:9/oauth/token\"\n\n")
	fmt.Fprintf(&t, "[[calendar]]\nname = \"cal\"\nkind = \"graph\"\ntenant_id = %q\nclient_id = %q\nclient_secret = %q\nurl = %q\ntoken_url = %q\n",
		tenant, client, secret, o.world.GraphURL(), o.world.GraphTokenURL())
	for _, room := range o.rooms {
		fmt.Fprintf(&t, "\n[[room]]\nid = %q\nname = %q\nzoom_room_id = \"Zoom%s\"\ncalendar = \"cal\"\ncalendar_id = %q\n",
			room, room, room, mailboxOf(room))
	}
	file := "/tmp/kiosk.toml"
	if err := os.WriteFile(file, []byte(t.String()), 0o600); err != nil {
		return "", fmt.Errorf("writing the configuration: %w", err)
	}
	return file, nil
}

// wallClock is the machine's clock.
type wallClock struct{}

func (wallClock) Now() time.Time                    { return time.Now() }
func (wallClock) Timer(d time.Duration) *time.Timer { return time.NewTimer(d) }
