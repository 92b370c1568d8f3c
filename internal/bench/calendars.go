package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"roomkiosk/internal/calendar/caldav"
	"roomkiosk/internal/calendar/ews"
	"roomkiosk/internal/calendar/google"
	"roomkiosk/internal/calendar/graph"
	"roomkiosk/internal/calendar/ics"
	"roomkiosk/internal/harness"
	"roomkiosk/internal/rooms"
	"roomkiosk/internal/sim"
)

const (
	dayEvents  = 50
	dayRoom    = "ada@example.com"
	quietFor   = 5 * time.Second // how long all kinds are polled while nothing changes
	quietPoll  = time.Second
	dayRepeats = 300

	// A poll that finds nothing new must not do the work of one that does: the most that it may
	// allocate, as a share of that.
	promiseUnchanged = 0.75
)

// calendarKind is a kind of calendar, and what it is compared with.
type calendarKind struct {
	name string
	open func(w *sim.World, over http.RoundTripper) (rooms.Calendar, error)
	id   func(w *sim.World) string
	bare func(body []byte) (events int, err error)
}

func mailbox(*sim.World) string { return dayRoom }

func calendarKinds() []calendarKind {
	return []calendarKind{
		{"google", openGoogle, mailbox, decodeJSON},
		{"graph", openGraph, mailbox, decodeJSON},
		{"ews", openEWS, mailbox, decodeXML},
		{"caldav", openCalDAV, func(w *sim.World) string { return w.CalDAVURL(dayRoom) }, decodeMultistatus},
		{"ics", openICS, func(w *sim.World) string { return w.FeedURL(dayRoom) }, decodeICS},
	}
}

// measureCalendars looks at what each kind of calendar takes to read.
func measureCalendars(ctx context.Context, b *bench) ([]row, error) {
	var rows []row
	world, err := openFullDay(ctx)
	if err != nil {
		return nil, err
	}
	defer world.Close()
	for _, k := range calendarKinds() {
		r, err := measureKind(ctx, b, world, k)
		if err != nil {
			return nil, fmt.Errorf("reading a calendar of kind %s: %w", k.name, err)
		}
		rows = append(rows, r...)
	}
	feed, err := measureFeed(ctx)
	if err != nil {
		return nil, err
	}
	quiet, err := b.measureQuiet(ctx, world)
	return append(append(rows, feed...), quiet...), err
}

// openFullDay starts the services with a room that is booked all day.
func openFullDay(ctx context.Context) (*sim.World, error) {
	w := sim.NewWorld(sim.WorldConfig{Clock: wallClock{}, Now: time.Now, EWS: sim.EWSConfig{Auth: sim.EWSByBasic}})
	w.Calendar.Open(dayRoom, "Ada Lovelace", time.UTC)
	fillDay(w, "before")
	return w, w.Start(ctx)
}

// fillDay puts the events of the day on the calendar, or gives those that are there other titles.
func fillDay(w *sim.World, mark string) {
	from, _ := rooms.Window(time.Now(), time.UTC)
	jane := sim.Person{Name: "Jane Doe", Email: "jane@example.com"}
	for i := range dayEvents {
		start := from.Add(time.Duration(i) * 28 * time.Minute)
		w.Calendar.Put(dayRoom, sim.Event{
			ID: fmt.Sprintf("e0dag%05d", i), Title: fmt.Sprintf("Meeting %d of the project group, %s", i, mark), Organizer: jane,
			Start: start, End: start.Add(25 * time.Minute),
			Attendees: []sim.Attendee{
				{Person: jane, Response: sim.Accepted},
				{Person: sim.Person{Name: "Ada Lovelace", Email: dayRoom}, Self: true, Resource: true, Response: sim.Accepted},
			},
		})
	}
}

// measureKind reads a day over and over, changed each time, then unchanged.
func measureKind(ctx context.Context, b *bench, w *sim.World, k calendarKind) ([]row, error) {
	t := newTape()
	c, err := k.open(w, t)
	if err != nil {
		return nil, err
	}
	room := rooms.Room{ID: "ada", Name: "Ada Lovelace", Zone: time.UTC, CalendarID: k.id(w)}
	from, to := rooms.Window(time.Now(), time.UTC)
	read := func(side string) error {
		t.side = side
		got, err := c.Read(ctx, room, from, to)
		if err == nil && len(got) != dayEvents {
			err = fmt.Errorf("%d reservations of %d", len(got), dayEvents)
		}
		return err
	}
	if err := record(w, t, read); err != nil {
		return nil, err
	}
	n := b.rounds(dayRepeats, dayRepeats/10)
	changed, err := costOf(n, func(i int) error { return read([]string{"odd", "even"}[i%2]) })
	if err != nil {
		return nil, err
	}
	body := t.longest("even")
	bare, err := costOf(n, func(int) error { return expectEvents(k.bare, body) })
	if err != nil {
		return nil, err
	}
	unchanged, err := costOf(n, func(int) error { return read("same") })
	return []row{
		{
			what: fmt.Sprintf("a day of %d events, %s", dayEvents, k.name), kiosk: changed.String(), bare: bare.String(),
			ratio: timesOf(changed.took.Seconds(), bare.took.Seconds()), promise: noPromise, verdict: unpromised,
			notes: []string{fmt.Sprintf("median of %d reads of a calendar that changed, %s each, from request to schedule with the network left out (%s allocated); bare: decoding the same bytes (%s)",
				n, kb(float64(len(body))), kb(changed.bytes), kb(bare.bytes))},
		},
		{
			what: "  unchanged, " + k.name, kiosk: unchanged.String(), ratio: timesOf(unchanged.bytes, changed.bytes),
			promise: fmt.Sprintf("<= %.2f x", promiseUnchanged), verdict: verdictOf(unchanged.bytes <= promiseUnchanged*changed.bytes),
			notes: []string{fmt.Sprintf("%s allocated; the ratio is to what a changed day allocates", kb(unchanged.bytes))},
		},
	}, err
}

// record has the service's answers taken down: two that differ in every event, and what a poll gets
// when nothing changed since the second.
func record(w *sim.World, t *tape, read func(side string) error) error {
	t.recording = true
	defer func() { t.recording = false }()
	for _, side := range []string{"odd", "even", "same"} {
		if side != "same" {
			fillDay(w, side)
		}
		if err := read(side); err != nil {
			return err
		}
	}
	return nil
}

func expectEvents(decode func([]byte) (int, error), body []byte) error {
	n, err := decode(body)
	if err == nil && n != dayEvents {
		err = fmt.Errorf("%d events of %d, decoded bare", n, dayEvents)
	}
	return err
}

// costs are those of doing something once.
type costs struct {
	took   time.Duration // median
	allocs float64       // mean
	bytes  float64       // allocated, mean
}

func (c costs) String() string { return fmt.Sprintf("%s, %.0f allocs", ms(c.took), c.allocs) }

// costOf does something n times, once for warming up.
func costOf(n int, do func(i int) error) (costs, error) {
	took := make([]time.Duration, n)
	if err := do(n - 1); err != nil {
		return costs{}, err
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := range took {
		began := time.Now()
		if err := do(i); err != nil {
			return costs{}, err
		}
		took[i] = time.Since(began)
	}
	runtime.ReadMemStats(&after)
	return costs{
		took:   harness.Median(took),
		allocs: float64(after.Mallocs-before.Mallocs) / float64(n),
		bytes:  float64(after.TotalAlloc-before.TotalAlloc) / float64(n),
	}, nil
}

// measureQuiet looks at what a kiosk with a room on each kind writes to its disk while nothing
// changes.
func (b *bench) measureQuiet(ctx context.Context, w *sim.World) ([]row, error) {
	file, addr, err := b.setUpKinds(w)
	if err != nil {
		return nil, err
	}
	k, err := b.run(ctx, file, addr)
	if err != nil {
		return nil, err
	}
	defer k.Stop()
	if err := k.Answers(ctx, k.base+"/readyz", harness.LookEvery); err != nil {
		return nil, err
	}
	if err := harness.Wait(ctx, settleWrites); err != nil {
		return nil, err
	}
	asked := func() []int {
		return []int{len(w.Google.Requests()), len(w.Graph.Requests()), len(w.EWS.Requests()), len(w.CalDAV.Requests())}
	}
	polls := asked()
	before, err := footprintOf(k)
	if err != nil {
		return nil, err
	}
	if err := harness.Wait(ctx, quietFor); err != nil {
		return nil, err
	}
	after, err := footprintOf(k)
	if err != nil {
		return nil, err
	}
	polled := true
	for i, n := range asked() {
		polls[i] = n - polls[i]
		polled = polled && polls[i] > 0
	}
	bytes, touched := after.written-before.written, after.touched(before)
	return []row{{
		what: "written by unchanged polls, five kinds", kiosk: fmt.Sprintf("%d B", bytes),
		promise: "0 B", verdict: verdictOf(bytes == 0 && len(touched) == 0 && polled),
		notes: []string{fmt.Sprintf("write_bytes of the process over %s; requests to google, graph, ews, caldav and ics: %v; files touched: %d %v",
			quietFor, polls, len(touched), touched)},
	}}, nil
}

// setUpKinds writes a configuration with a room on each kind, which all have the same calendar.
func (b *bench) setUpKinds(w *sim.World) (file, addr string, err error) {
	dir, err := os.MkdirTemp(b.dir, "kinds-")
	if err != nil {
		return "", "", fmt.Errorf("making a folder: %w", err)
	}
	if addr, err = harness.FreeAddress(); err != nil {
		return "", "", err
	}
	key, err := googleKey(w)
	if err != nil {
		return "", "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "google.json"), key, 0o600); err != nil {
		return "", "", fmt.Errorf("writing the service account: %w", err)
	}
	file = filepath.Join(dir, "kiosk.toml")
	if err := os.WriteFile(file, []byte(configOfKinds(w, addr)), 0o600); err != nil {
		return "", "", fmt.Errorf("writing the configuration: %w", err)
	}
	return file, addr, nil
}

func configOfKinds(w *sim.World, addr string) string {
	tenant, client, secret := w.GraphCredentials()
	user, password := w.EWSCredentials()
	of := map[string]string{
		"google": fmt.Sprintf("credentials_file = \"google.json\"\nurl = %q\n", w.GoogleURL()),
		"graph": fmt.Sprintf("tenant_id = %q\nclient_id = %q\nclient_secret = %q\nurl = %q\ntoken_url = %q\n",
			tenant, client, secret, w.GraphURL(), w.GraphTokenURL()),
		"ews": fmt.Sprintf("url = %q\nuser = %q\npassword = %q\nauth = \"basic\"\n", w.EWSURL(), user, password),
	}
	text := fmt.Sprintf("listen = %q\ndata_dir = \"data\"\ntime_zone = \"UTC\"\nclock = \"trusted\"\n", addr)
	for i, k := range calendarKinds() {
		id := "ada"
		if i > 0 {
			id = k.name
		}
		text += fmt.Sprintf("\n[[calendar]]\nname = %q\nkind = %q\npoll = %q\n%s\n[[room]]\nid = %q\ncalendar = %q\ncalendar_id = %q\n",
			k.name, k.name, quietPoll, of[k.name], id, k.name, k.id(w))
	}
	return text
}

func googleKey(w *sim.World) ([]byte, error) {
	account, err := w.Google.NewServiceAccount(w.GoogleTokenURL())
	if err != nil {
		return nil, fmt.Errorf("making the simulated service account: %w", err)
	}
	w.Google.Share(dayRoom, account.Email, sim.Reader)
	return account.JSON, nil
}

func openGoogle(w *sim.World, over http.RoundTripper) (rooms.Calendar, error) {
	key, err := googleKey(w)
	if err != nil {
		return nil, err
	}
	return google.New(google.Config{Name: "google", CredentialsJSON: key, URL: w.GoogleURL(), HTTP: &http.Client{Transport: over}, Now: time.Now})
}

func openGraph(w *sim.World, over http.RoundTripper) (rooms.Calendar, error) {
	tenant, client, secret := w.GraphCredentials()
	return graph.New(graph.Config{
		Name: "graph", TenantID: tenant, ClientID: client, ClientSecret: secret, URL: w.GraphURL(), TokenURL: w.GraphTokenURL(),
		HTTP: &http.Client{Transport: over}, Now: time.Now,
	})
}

// openEWS signs in with Basic: NTLM's three messages for a connection are none of a poll's.
func openEWS(w *sim.World, over http.RoundTripper) (rooms.Calendar, error) {
	user, password := w.EWSCredentials()
	return ews.New(ews.Config{
		Name: "ews", URL: w.EWSURL(), User: user, Password: password, Auth: ews.Basic, Impersonate: true,
		HTTP: &http.Client{Transport: over}, Now: time.Now,
	})
}

func openCalDAV(_ *sim.World, over http.RoundTripper) (rooms.Calendar, error) {
	return caldav.New(caldav.Config{Name: "caldav", HTTP: &http.Client{Transport: over}, Now: time.Now})
}

func openICS(_ *sim.World, over http.RoundTripper) (rooms.Calendar, error) {
	return ics.New(ics.Config{Name: "ics", HTTP: &http.Client{Transport: over}, Now: time.Now})
}
