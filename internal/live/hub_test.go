package live_test

import (
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"

	"roomkiosk/internal/live"
)

func TestJoinerIsShownTheLatestState(t *testing.T) {
	now := time.UnixMilli(1_700_000_000_123)
	h := live.New(live.Config{Now: func() time.Time { return now }, Rate: 60, Build: "abc"})
	url := serve(t, h)
	h.Publish("panel/ada/en", "screen", []byte("<main id=\"screen\">free & easy</main>"))
	h.Publish("panel/ada/en", "screen", []byte("<main id=\"screen\">taken</main>"))
	ws := dial(t, url+"panel/ada/en,board/en")
	h.Publish("viewer/ada/en", "screen", []byte("not for this one"))

	if diff := cmp.Diff(frame{Type: "hello", Now: now.UnixMilli(), Rate: 60, Build: "abc", Beat: 15000}, read(t, ws)); diff != "" {
		t.Errorf("hello (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(frame{Type: "part", ID: "screen", Rev: 2, HTML: "<main id=\"screen\">taken</main>"}, read(t, ws)); diff != "" {
		t.Errorf("latest part (-want +got):\n%s", diff)
	}
	h.Publish("board/en", "ada", []byte("<li id=\"ada\"></li>"))
	if diff := cmp.Diff(frame{Type: "part", ID: "ada", Rev: 1, HTML: "<li id=\"ada\"></li>"}, read(t, ws)); diff != "" {
		t.Errorf("later part (-want +got):\n%s", diff)
	}
}

func TestWhatIsShownIsNotPublishedAgain(t *testing.T) {
	h := live.New(live.Config{})
	ws := dial(t, serve(t, h)+"a")
	read(t, ws)
	html := []byte("one")
	h.Publish("a", "x", html)
	h.Publish("a", "x", []byte("one"))
	copy(html, "two") // the caller may use its buffer again
	if f := read(t, ws); f.HTML != "one" || f.Rev != 1 {
		t.Errorf("got %+v", f)
	}
	h.Publish("a", "x", html)
	if f := read(t, ws); f.HTML != "two" || f.Rev != 2 {
		t.Errorf("the frame after the repeated one is %+v", f)
	}
	h.Publish("a", "y", html)
	if f := read(t, ws); f.ID != "y" || f.Rev != 3 {
		t.Errorf("the same html for another element is another state; got %+v", f)
	}
	if n := h.Stats().Published; n != 3 {
		t.Errorf("published %d frames, want 3", n)
	}
}

func TestStatsCountWatchers(t *testing.T) {
	h := live.New(live.Config{})
	url := serve(t, h)
	first, second := dial(t, url+"a,b"), dial(t, url+"a")
	read(t, first)
	read(t, second)
	s := h.Stats()
	if diff := cmp.Diff(map[string]int{"a": 2, "b": 1}, s.Topics); diff != "" || s.Sockets != 2 {
		t.Errorf("%d sockets (-want +got):\n%s", s.Sockets, diff)
	}
	first.Close()
	until(t, "a closed socket is forgotten", func() bool { return h.Stats().Sockets == 1 })
	if diff := cmp.Diff(map[string]int{"a": 1, "b": 0}, h.Stats().Topics); diff != "" {
		t.Errorf("after one left (-want +got):\n%s", diff)
	}
	h.Publish("a", "x", []byte("still there?"))
	if f := read(t, second); f.HTML != "still there?" {
		t.Errorf("the other one got %+v", f)
	}
}

func TestPagesHaveNothingToSay(t *testing.T) {
	h := live.New(live.Config{})
	url := serve(t, h)
	for _, message := range []string{"hello", strings.Repeat("x", 4096)} {
		ws := dial(t, url)
		read(t, ws)
		if err := ws.WriteMessage(websocket.TextMessage, []byte(message)); err != nil {
			t.Fatal(err)
		}
		if f, err := readFrame(ws); err == nil {
			t.Errorf("a message of %d bytes was answered with %+v", len(message), f)
		}
	}
}

func TestHeartbeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := live.New(live.Config{Build: "abc"})
		net, stop := serveInMemory(t, h)
		defer stop()
		start := time.Now()
		ws := net.dial(t, "a")
		if f, err := readFrame(ws); err != nil || f.Type != "hello" {
			t.Fatalf("got %+v, %v", f, err)
		}
		for i := range 20 {
			f, err := readFrame(ws) // which also answers the pings
			if err != nil {
				t.Fatal(err)
			}
			want := frame{Type: "beat", Now: start.Add(time.Duration(i+1) * 15 * time.Second).UnixMilli(), Build: "abc"}
			if diff := cmp.Diff(want, f); diff != "" {
				t.Fatalf("beat %d (-want +got):\n%s", i, diff)
			}
		}
		ws.Close()
	})
}

func TestPeerThatAnswersNoPingIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := live.New(live.Config{})
		net, stop := serveInMemory(t, h)
		defer stop()
		start := time.Now()
		ws := net.dial(t, "a")
		ws.SetPingHandler(func(string) error { return nil })
		var err error
		for err == nil {
			_, err = readFrame(ws)
		}
		if took := time.Since(start); took != 40*time.Second {
			t.Errorf("it was kept for %v, want two beats and the time to write", took)
		}
		synctest.Wait()
		if n := h.Stats().Sockets; n != 0 {
			t.Errorf("%d sockets left", n)
		}
	})
}

func TestSlowSocketSkipsToTheNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := live.New(live.Config{})
		net, stop := serveInMemory(t, h)
		defer stop()
		ws := net.dial(t, "a,b")
		for i := range 1000 {
			h.Publish("a", "a", fmt.Appendf(nil, "%d", i))
			h.Publish("b", "b", fmt.Appendf(nil, "%d", i))
			synctest.Wait()
		}
		var got []string
		for range 3 {
			f, err := readFrame(ws)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, f.Type+f.ID+f.HTML)
		}
		if diff := cmp.Diff([]string{"hello", "parta999", "partb999"}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		ws.Close()
	})
}

func TestSocketThatTakesNothingIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := live.New(live.Config{})
		net, stop := serveInMemory(t, h)
		defer stop()
		start := time.Now()
		stuck, well := net.dial(t, "a"), net.dial(t, "a")
		if f, err := readFrame(well); err != nil || f.Type != "hello" {
			t.Fatalf("got %+v, %v", f, err)
		}
		for i := range 9 {
			<-time.After(time.Second) // of the bubble
			sent := time.Now()
			h.Publish("a", "a", fmt.Appendf(nil, "%d", i))
			if f, err := readFrame(well); err != nil || f.HTML != fmt.Sprint(i) {
				t.Fatalf("got %+v, %v", f, err)
			}
			if took := time.Since(sent); took != 0 {
				t.Errorf("the stuck socket delayed the other one by %v", took)
			}
		}
		if n := h.Stats().Sockets; n != 2 {
			t.Errorf("%d sockets after 9 s, want both", n)
		}
		<-time.After(time.Second) // of the bubble
		synctest.Wait()
		if s := h.Stats(); s.Sockets != 1 || s.Dropped != 1 {
			t.Errorf("%v after the start: %d sockets, %d dropped; want 1, 1", time.Since(start), s.Sockets, s.Dropped)
		}
		stuck.Close()
		well.Close()
	})
}

// TestKernelHoardsLittle: what a slow peer has not taken is dropped in favour of the newest, and not kept
// by the kernel, which would take megabytes.
func TestKernelHoardsLittle(t *testing.T) {
	h := live.New(live.Config{})
	ws := dial(t, serve(t, h)+"a")
	read(t, ws)
	const frames, size = 500, 100 << 10
	for i := range frames {
		h.Publish("a", "a", fmt.Appendf(nil, "%d%s", i, strings.Repeat("x", size)))
		runtime.Gosched()
	}
	taken := 0
	for {
		f := read(t, ws)
		taken += len(f.HTML)
		if strings.HasPrefix(f.HTML, fmt.Sprint(frames-1, "x")) {
			break
		}
	}
	if taken > 1<<20 {
		t.Errorf("a peer that read nothing was kept %d bytes of %d", taken, frames*size)
	}
	t.Logf("%d of %d frames, %d KB", taken/size, frames, taken>>10)
}

func TestGoodBye(t *testing.T) {
	tests := map[string]struct {
		reads bool
		want  time.Duration
	}{
		"the peer answers":       {true, 0},
		"the peer takes nothing": {false, 2 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := live.New(live.Config{})
				net, stop := serveInMemory(t, h)
				defer stop()
				ws := net.dial(t, "a")
				var last error
				done := make(chan struct{})
				go func() {
					defer close(done)
					for tt.reads && last == nil {
						_, last = readFrame(ws)
					}
				}()
				synctest.Wait()
				start := time.Now()
				stop()
				if took := time.Since(start); took != tt.want {
					t.Errorf("stopping took %v, want %v", took, tt.want)
				}
				<-done
				if tt.reads && !websocket.IsCloseError(last, websocket.CloseGoingAway) {
					t.Errorf("the peer heard %v, want going away", last)
				}
				if n := h.Stats().Sockets; n != 0 {
					t.Errorf("%d sockets left", n)
				}
				ws.Close()
			})
		})
	}
}

func TestStoppedHubRefuses(t *testing.T) {
	h := live.New(live.Config{})
	stop := run(t, h)
	stop()
	h.Publish("a", "a", []byte("nobody is there"))
	_, res, err := websocket.DefaultDialer.Dial(serveOnly(t, h), nil)
	if !errors.Is(err, websocket.ErrBadHandshake) || res.StatusCode != http.StatusServiceUnavailable {
		t.Fatalf("got %v, %v", err, res)
	}
	res.Body.Close()
}

func TestComingsAndGoingsDuringPublishes(t *testing.T) {
	h := live.New(live.Config{Beat: 5 * time.Millisecond})
	url := serve(t, h)
	const sockets, frames = 200, 300
	var all sync.WaitGroup
	for i := range sockets {
		all.Go(func() {
			ws, res, err := websocket.DefaultDialer.Dial(url+"a,b", nil)
			if err != nil {
				t.Errorf("dialing: %v", err)
				return
			}
			res.Body.Close()
			defer ws.Close()
			revs := map[string]uint64{}
			for range 1 + i%20 {
				f, err := readFrame(ws)
				if err != nil {
					t.Errorf("reading: %v", err)
					return
				}
				if f.Type == "part" && f.Rev <= revs[f.ID] {
					t.Errorf("revision %d of %s came after %d", f.Rev, f.ID, revs[f.ID])
				}
				revs[f.ID] = f.Rev
			}
		})
	}
	for i := range frames {
		h.Publish("a", "a", fmt.Appendf(nil, "%d", i))
		h.Publish("b", "b", fmt.Appendf(nil, "%d", i))
	}
	all.Wait()
	until(t, "all have left", func() bool { return h.Stats().Sockets == 0 })
	if diff := cmp.Diff(map[string]int{"a": 0, "b": 0}, h.Stats().Topics); diff != "" {
		t.Errorf("watchers left (-want +got):\n%s", diff)
	}
}
