package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"roomkiosk/internal/harness"
)

// kiosk is a running kiosk, as its users have it: the released binary with a configuration file.
type kiosk struct {
	*harness.Process
	base string        // its URL
	data string        // its data folder
	took time.Duration // from its start to the first panel page
}

// setUp writes a configuration for the services' rooms, and returns its file and the address that
// the kiosk will listen on.
func (b *bench) setUp(s services, poll time.Duration) (file, addr string, err error) {
	dir, err := os.MkdirTemp(b.dir, "kiosk-")
	if err != nil {
		return "", "", fmt.Errorf("making a folder: %w", err)
	}
	if addr, err = harness.FreeAddress(); err != nil {
		return "", "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "google.json"), []byte(s.GoogleKey), 0o600); err != nil {
		return "", "", fmt.Errorf("writing the service account: %w", err)
	}
	file = filepath.Join(dir, "kiosk.toml")
	if err := os.WriteFile(file, []byte(configOf(s, addr, poll)), 0o600); err != nil {
		return "", "", fmt.Errorf("writing the configuration: %w", err)
	}
	return file, addr, nil
}

// setUpUsed sets up a kiosk that has run before: it has databases, with a schedule in them.
func (b *bench) setUpUsed(ctx context.Context, s services, poll time.Duration) (file, addr string, err error) {
	if file, addr, err = b.setUp(s, poll); err != nil {
		return "", "", err
	}
	k, err := b.run(ctx, file, addr)
	if err != nil {
		return "", "", err
	}
	defer k.Stop()
	return file, addr, k.Answers(ctx, k.base+"/readyz", harness.LookEvery)
}

func configOf(s services, addr string, poll time.Duration) string {
	var t strings.Builder
	fmt.Fprintf(&t, "listen = %q\ndata_dir = \"data\"\ntime_zone = \"UTC\"\nclock = \"trusted\"\n\n", addr)
	fmt.Fprintf(&t, "[zoom]\naccount_id = %q\nclient_id = %q\nclient_secret = %q\napi_url = %q\ntoken_url = %q\n\n",
		s.Account, s.Client, s.Secret, s.ZoomURL, s.ZoomTokenURL)
	fmt.Fprintf(&t, "[[calendar]]\nname = \"google\"\nkind = \"google\"\ncredentials_file = \"google.json\"\nurl = %q\npoll = %q\n",
		s.GoogleURL, poll)
	for i, id := range s.RoomID {
		fmt.Fprintf(&t, "\n[[room]]\nid = %q\nname = %q\nlocation = \"Building A / Floor 2\"\ncapacity = 8\n"+
			"zoom_room_id = %q\ncalendar = \"google\"\ncalendar_id = %q\n", id, "Room "+id, s.ZoomID[i], s.CalendarID[i])
	}
	return t.String()
}

// run starts a kiosk on a configuration and waits for the first page of ada's panel.
func (b *bench) run(ctx context.Context, file, addr string) (*kiosk, error) {
	began := time.Now()
	p, err := harness.Launch(ctx, harness.Options{}, b.kiosk, "serve", "--config", file)
	if err != nil {
		return nil, err
	}
	k := &kiosk{Process: p, base: "http://" + addr, data: filepath.Join(filepath.Dir(file), "data")}
	if err := k.Answers(ctx, k.panel(), harness.LookOften); err != nil {
		k.Stop()
		return nil, err
	}
	k.took = time.Since(began)
	return k, nil
}

// open sets a kiosk up, runs it, and waits until it has a schedule for every room.
func (b *bench) open(ctx context.Context, s services, poll time.Duration) (*kiosk, error) {
	file, addr, err := b.setUp(s, poll)
	if err != nil {
		return nil, err
	}
	k, err := b.run(ctx, file, addr)
	if err != nil {
		return nil, err
	}
	if err := k.Answers(ctx, k.base+"/readyz", harness.LookEvery); err != nil {
		k.Stop()
		return nil, err
	}
	return k, nil
}

// panel is the URL of ada's panel.
func (k *kiosk) panel() string { return k.base + "/rooms/ada/panel" }

// live is the URL of a room's websocket.
func (k *kiosk) live(room, view string) string {
	return "ws" + strings.TrimPrefix(k.base, "http") + "/rooms/" + room + "/live?view=" + view
}
