package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"roomkiosk/internal/rooms"
)

func TestPick(t *testing.T) {
	if got, err := pick("day,kill"); err != nil || len(got) != 2 || got[0].name != "day" || got[1].name != "kill" {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := pick("kill,tickle"); err == nil || !strings.Contains(err.Error(), "tickle") {
		t.Errorf("got %v", err)
	}
}

// The gate logs what arrives, however it is answered, and nothing else.
func TestGate(t *testing.T) {
	g, err := openGate(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/drop/events") {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(http.StatusAccepted)
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer g.close()
	told := 0
	g.tellOf(func() { told++ })
	send := func(method, path, body string) {
		req, err := http.NewRequestWithContext(t.Context(), method, g.url()+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if res, err := http.DefaultClient.Do(req); err == nil {
			_ = res.Body.Close()
		}
	}
	send(http.MethodPatch, "/v2/rooms/a/events", `{"method":"zoomroom.check_in","params":{"event_id":"e1"}}`)
	send(http.MethodPatch, "/v2/rooms/drop/events", `{"method":"zoomroom.check_out","params":{"event_id":"e2"}}`)
	send(http.MethodPatch, "/v2/rooms/a/events", `{"method":"zoomroom.dance","params":{"event_id":"e3"}}`)
	send(http.MethodGet, "/v2/rooms/a", "")
	got := g.requests()
	want := []request{{kind: rooms.CheckIn, event: "e1", status: http.StatusAccepted}, {kind: rooms.Release, event: "e2"}}
	if len(got) != len(want) {
		t.Fatalf("got %v", got)
	}
	for i, w := range want {
		w.at = got[i].at
		if got[i] != w || w.at.IsZero() {
			t.Errorf("got %v, want %v", got[i], w)
		}
	}
	if told != 3 { // one of them was never answered
		t.Errorf("told %d times", told)
	}
}

// Every wound changes what a kiosk can read, and says so where there is nothing to wound.
func TestWounds(t *testing.T) {
	for _, w := range wounds() {
		t.Run(w.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "journal.db")
			before := bytes.Repeat([]byte("tap "), 5*pageSize/4)
			if err := os.WriteFile(path, before, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := w.do(rand.New(rand.NewPCG(1, 2)), path); err != nil {
				t.Fatal(err)
			}
			after, err := os.ReadFile(path)
			info, gone := os.Stat(path)
			if err == nil && gone == nil && info.Mode().Perm() != 0 && bytes.Equal(before, after) {
				t.Error("nothing happened")
			}
			again := filepath.Join(t.TempDir(), "empty.db")
			if err := w.do(rand.New(rand.NewPCG(1, 2)), again); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("of nothing: %v", err)
			}
		})
	}
}

func TestOverwriteSparesTheHeader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	before := bytes.Repeat([]byte{7}, 3*pageSize)
	dice := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		if err := os.WriteFile(path, before, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := overwrite(dice, path, true); err != nil {
			t.Fatal(err)
		}
		after, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(after[:pageSize], before[:pageSize]) || bytes.Equal(after, before) || len(after) != len(before) {
			t.Fatalf("%d bytes, %v", len(after), err)
		}
	}
}

func TestMedianIn(t *testing.T) {
	var samples []sample
	for m := range 50 * 10 {
		samples = append(samples, sample{at: time.Duration(m) * 6 * time.Minute, page: held{heap: float64(m)}})
	}
	heap := func(s sample) float64 { return s.page.heap }
	if got := medianIn(samples, firstMark, heap); got != 252 {
		t.Errorf("at the beginning: %g", got)
	}
	if got := medianIn(samples, lastMark, heap); got != 492 {
		t.Errorf("at the end: %g", got)
	}
	if got := medianIn(samples[:3], lastMark, heap); !math.IsNaN(got) {
		t.Errorf("of none: %g", got)
	}
}

func TestUntil(t *testing.T) {
	tries := 0
	err := until(t.Context(), time.Minute, time.Millisecond, func() error {
		if tries++; tries < 3 {
			return errUnhurt
		}
		return nil
	})
	if err != nil || tries != 3 {
		t.Errorf("%v after %d tries", err, tries)
	}
	if err := until(t.Context(), 0, time.Millisecond, func() error { return errUnhurt }); !errors.Is(err, errUnhurt) {
		t.Errorf("too late: %v", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := until(ended, time.Minute, time.Millisecond, func() error { return errUnhurt }); !errors.Is(err, context.Canceled) {
		t.Errorf("ended: %v", err)
	}
}
