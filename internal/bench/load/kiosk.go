package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"roomkiosk/internal/harness"
)

// tapsPerRoom are the meetings of a room, all at once: each can be checked in to.
const tapsPerRoom = 10

// kiosk is the released binary on a configuration.
type kiosk struct {
	*harness.Process
	binary, file, addr string
	rooms              []string
	began              time.Time     // when it answered first
	took               time.Duration // from its start until then
}

// openFeed serves the same calendar to every room: meetings that have just begun.
func openFeed() *httptest.Server {
	const form = "20060102T150405Z"
	from := time.Now().UTC().Truncate(time.Minute)
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//load//EN\r\n")
	for i := range tapsPerRoom {
		fmt.Fprintf(&b, "BEGIN:VEVENT\r\nUID:m%d\r\nDTSTAMP:%s\r\nDTSTART:%s\r\nDTEND:%s\r\nSUMMARY:Meeting %d\r\nEND:VEVENT\r\n",
			i, from.Format(form), from.Format(form), from.Add(time.Hour).Format(form), i)
	}
	b.WriteString("END:VCALENDAR\r\n")
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/calendar")
		fmt.Fprint(w, b.String())
	}))
}

// setUp writes a configuration.
func setUp(dir, binary, feed string, n int) (*kiosk, error) {
	addr, err := harness.FreeAddress()
	if err != nil {
		return nil, err
	}
	k := &kiosk{binary: binary, file: filepath.Join(dir, "kiosk.toml"), addr: addr}
	var t strings.Builder
	fmt.Fprintf(&t, "listen = %q\ndata_dir = \"data\"\ntime_zone = \"UTC\"\nclock = \"trusted\"\n\n", addr)
	fmt.Fprint(&t, "[[calendar]]\nname = \"feed\"\nkind = \"ics\"\npoll = \"15s\"\n")
	for i := range n {
		id := fmt.Sprintf("room-%d", i)
		k.rooms = append(k.rooms, id)
		fmt.Fprintf(&t, "\n[[room]]\nid = %q\nname = \"Room %d\"\ncalendar = \"feed\"\ncalendar_id = \"%s/%d.ics\"\n", id, i, feed, i)
	}
	if err := os.WriteFile(k.file, []byte(t.String()), 0o600); err != nil {
		return nil, fmt.Errorf("writing the configuration: %w", err)
	}
	return k, nil
}

// start starts the kiosk and waits for its first page; the first time also for the rooms' schedules,
// which are cached from then on.
func (k *kiosk) start(ctx context.Context) error {
	first := k.Process == nil
	from := time.Now()
	p, err := harness.Launch(ctx, harness.Options{}, k.binary, "serve", "--config", k.file)
	if err != nil {
		return err
	}
	k.Process = p
	if err := p.Answers(ctx, "http://"+k.addr+"/healthz", harness.LookOften); err != nil {
		return err
	}
	k.began = time.Now()
	k.took = k.began.Sub(from)
	if first {
		return p.Answers(ctx, "http://"+k.addr+"/readyz", harness.LookEvery)
	}
	return nil
}

// target is a tap that can be made once.
type target struct{ room, reservation string }

// targets are all taps that can be made, a room after the other.
func (k *kiosk) targets(ctx context.Context) ([]target, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+k.addr+"/api/v1/rooms", nil)
	if err != nil {
		return nil, fmt.Errorf("asking for the rooms: %w", err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("asking for the rooms: %w", err)
	}
	defer res.Body.Close()
	var all []struct {
		ID           string
		Reservations []struct{ ID string }
	}
	if err := json.NewDecoder(res.Body).Decode(&all); err != nil {
		return nil, fmt.Errorf("reading the rooms: %w", err)
	}
	var out []target
	for i := range tapsPerRoom {
		for _, r := range all {
			if len(r.Reservations) != tapsPerRoom {
				return nil, fmt.Errorf("reading the rooms: %s has %d meetings, not %d", r.ID, len(r.Reservations), tapsPerRoom)
			}
			out = append(out, target{r.ID, r.Reservations[i].ID})
		}
	}
	return out, nil
}
