package graph

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"roomkiosk/internal/rooms"
)

// TestFourAtOnce: a server that holds on to every request sees four for a mailbox, and four for
// another one beside them.
func TestFourAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		waiting := map[string]int{}
		release := make(chan struct{})
		c := bubbleCalendar(t, func(r *http.Request) (*http.Response, error) {
			if isToken(r) {
				return reply(`{"access_token":"secret-t1","expires_in":3600}`)
			}
			box := strings.Split(r.URL.Path, "/")[3]
			mu.Lock()
			waiting[box]++
			mu.Unlock()
			select {
			case <-release:
				return reply(list(""))
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
		})
		room, other := roomIn("Europe/Berlin"), roomIn("Europe/Berlin")
		other.CalendarID = "grace@example.com"
		shouting := room
		shouting.CalendarID = "ADA@example.com"
		from, to := days(room, "2026-11-23", 1)
		var all sync.WaitGroup
		read := func(ctx context.Context, r rooms.Room, failed *error) {
			all.Go(func() { _, *failed = c.Read(ctx, r, from, to) })
			synctest.Wait() // until everybody waits for somebody
		}
		errs := make([]error, 11)
		for i := range 8 {
			r := room
			if i%2 > 0 {
				r = shouting
			}
			read(context.Background(), r, &errs[i])
		}
		read(context.Background(), other, &errs[8])
		hasty, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		read(hasty, room, &errs[9])
		if waiting[ada]+waiting["ADA@example.com"] != atOnce || waiting["grace@example.com"] != 1 {
			t.Errorf("under way: %v", waiting)
		}
		<-hasty.Done()
		synctest.Wait()
		checkFault(t, errs[9], rooms.FaultUnreachable)
		close(release)
		all.Wait()
		for i, err := range errs[:9] {
			if err != nil {
				t.Errorf("%d: %v", i, err)
			}
		}
		if n := waiting[ada] + waiting["ADA@example.com"]; n != 8 {
			t.Errorf("%d requests", n)
		}
		if len(c.crowd.boxes) != 0 {
			t.Errorf("%d mailboxes are still held", len(c.crowd.boxes))
		}
	})
}
