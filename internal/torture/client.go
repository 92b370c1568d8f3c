package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"roomkiosk/internal/harness"
)

const clientTimeout = 10 * time.Second

// roomJSON is what the API says of a room, as far as it matters here.
type roomJSON struct {
	ID           string       `json:"id"`
	Status       string       `json:"status"`
	Flags        []string     `json:"flags"`
	Actions      []actionJSON `json:"actions"`
	Reservations []struct {
		ID    string `json:"id"`
		Phase string `json:"phase"`
	} `json:"reservations"`
	Schedule struct {
		AsOf  time.Time `json:"as_of"`
		Error string    `json:"error"`
	} `json:"schedule"`
}

type actionJSON struct {
	ID      string `json:"id"`
	State   string `json:"state"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// api speaks to a kiosk.
type api struct {
	base   string
	client *http.Client
}

func newAPI(base string) *api {
	return &api{base, &http.Client{Timeout: clientTimeout, Transport: &http.Transport{MaxIdleConnsPerHost: 2}}}
}

// room asks for a room.
func (a *api) room(ctx context.Context, id string) (roomJSON, error) {
	var room roomJSON
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.base+"/api/v1/rooms/"+id, nil)
	if err != nil {
		return room, fmt.Errorf("asking for %s: %w", id, err)
	}
	res, err := a.client.Do(req)
	if err != nil {
		return room, fmt.Errorf("asking for %s: %w", id, err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return room, fmt.Errorf("asking for %s: answered %s", id, res.Status)
	}
	if err := json.NewDecoder(res.Body).Decode(&room); err != nil {
		return room, fmt.Errorf("asking for %s: %w", id, err)
	}
	return room, nil
}

// refusal is a problem that the kiosk answered with.
type refusal struct {
	Title  string `json:"title"`
	Detail string `json:"detail"`
}

// press taps. The status is 0 where no answer came; an answer that breaks off after its status has no
// action.
func (a *api) press(ctx context.Context, room, do, reservation string) (status int, action string, why refusal) {
	body := strings.NewReader(fmt.Sprintf(`{"reservation":%q}`, reservation))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.base+"/api/v1/rooms/"+room+"/"+do, body)
	if err != nil {
		return 0, "", refusal{}
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := a.client.Do(req)
	if err != nil {
		return 0, "", refusal{}
	}
	defer res.Body.Close()
	said, _ := io.ReadAll(res.Body) // what there is of it
	if res.StatusCode != http.StatusAccepted {
		_ = json.Unmarshal(said, &why)
		return res.StatusCode, "", why
	}
	var done actionJSON
	_ = json.Unmarshal(said, &done)
	return res.StatusCode, done.ID, refusal{}
}

// client is somebody who taps at doors, now and then together with somebody else, and sometimes
// what isn't possible.
type client struct {
	number int
	api    *api
	diary  *diary
	ledger *ledger
	dice   *rand.Rand
	held   []meeting // releases that may be undone
}

// run taps until the context ends.
func (c *client) run(ctx context.Context) {
	for harness.Wait(ctx, time.Duration(5+c.dice.IntN(90))*time.Millisecond) == nil {
		c.act(ctx)
	}
}

func (c *client) act(ctx context.Context) {
	m, ok := c.diary.some(c.dice)
	if !ok {
		return
	}
	do := doCheckIn
	switch n := c.dice.IntN(10); {
	case n < 3 && len(c.held) > 0:
		m, c.held = c.held[0], c.held[1:]
		do = doUndo
	case n < 7:
		do = doRelease
	}
	var both sync.WaitGroup
	if c.dice.IntN(8) == 0 { // two panels on one door
		both.Go(func() { c.tap(ctx, m, do) })
	}
	taken := c.tap(ctx, m, do)
	both.Wait()
	if taken && do == doRelease && c.dice.IntN(3) == 0 {
		c.held = append(c.held, m)
	}
}

func (c *client) tap(ctx context.Context, m meeting, do string) bool {
	t := tap{at: time.Now(), client: c.number, door: m.door.id, reservation: m.reservation, event: m.event, do: do}
	c.ledger.stir()
	t.status, t.action, _ = c.api.press(ctx, m.door.id, do, m.reservation)
	t.answered = time.Now()
	c.ledger.tapped(t)
	return t.taken()
}
