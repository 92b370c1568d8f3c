package main

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"roomkiosk/internal/config"
	"roomkiosk/internal/rooms"
	"roomkiosk/internal/sim"
)

// setClock is the machine's clock, which can be set.
type setClock struct{ off *atomic.Int64 }

func newSetClock(off time.Duration) setClock {
	c := setClock{&atomic.Int64{}}
	c.set(off)
	return c
}

func (c setClock) set(off time.Duration) { c.off.Store(int64(off)) }

func (c setClock) Now() time.Time                  { return time.Now().Round(0).Add(time.Duration(c.off.Load())) }
func (setClock) Timer(d time.Duration) *time.Timer { return time.NewTimer(d) }

// running runs the kiosk of the rig's configuration in other surroundings, until the test ends.
func (r rig) running(t *testing.T, change func(*surroundings)) (url string) {
	t.Helper()
	cfg, err := config.Load(r.config)
	if err != nil {
		t.Fatal(err)
	}
	in := surroundings{clock: wallClock{}, rate: 1, log: newLog(&output{}), timeSync: func() rooms.TimeSync { return rooms.TimeSync{} }}
	change(&in)
	k, err := build(t.Context(), cfg, in)
	if err != nil {
		k.close()
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- k.run(ctx, listener) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		k.close()
	})
	return "http://" + listener.Addr().String()
}

var downFault = sim.Fault{Down: true}

func doubted(s roomState) bool { return slices.Contains(s.Flags, string(rooms.FlagClockUntrusted)) }

// A machine that still waits for the time, or whose clock the services contradict, shows no statuses.
// As soon as there is evidence for the clock it does.
func TestClockAtStart(t *testing.T) {
	t.Run("waiting, and the services agree", func(t *testing.T) {
		r := newRig(t)
		r.meet("e1", "Weekly", -1, 59)
		r.Google.Faults().Set("down", downFault)
		r.Zoom.Faults().Set("down", downFault)
		url := r.running(t, func(in *surroundings) {
			in.timeSync = func() rooms.TimeSync { return rooms.TimeSync{Watched: true} }
		})
		eventually(t, "the doubt", func() bool { return doubted(roomAt(t, url)) })
		r.Google.Faults().Clear("down")
		r.Zoom.Faults().Clear("down")
		eventually(t, "the room", func() bool { return roomAt(t, url).Status == "awaiting_check_in" })
	})
	t.Run("synchronised later", func(t *testing.T) {
		r := newRig(t)
		r.Google.Faults().Set("down", downFault)
		r.Zoom.Faults().Set("down", downFault)
		var synced atomic.Bool
		url := r.running(t, func(in *surroundings) {
			in.timeSync = func() rooms.TimeSync {
				if synced.Load() {
					return rooms.TimeSync{Watched: true, At: time.Now()}
				}
				return rooms.TimeSync{Watched: true}
			}
		})
		eventually(t, "the doubt", func() bool { return doubted(roomAt(t, url)) })
		synced.Store(true)
		eventually(t, "trust", func() bool { return !doubted(roomAt(t, url)) })
	})
	t.Run("an hour ahead of the services", func(t *testing.T) {
		r := newRig(t)
		r.meet("e1", "Weekly", -1, 59)
		clock := newSetClock(time.Hour)
		url := r.running(t, func(in *surroundings) { in.clock = clock })
		eventually(t, "the doubt", func() bool { return doubted(roomAt(t, url)) })
		clock.set(0)
		eventually(t, "the room", func() bool {
			s := roomAt(t, url)
			return s.Status == "awaiting_check_in" && !doubted(s)
		})
	})
}

// A clock that is set while the kiosk runs is doubted within a second or so, until a service confirms it.
func TestClockIsSet(t *testing.T) {
	r := newRig(t)
	r.meet("e1", "Weekly", -1, 59)
	clock := newSetClock(0)
	url := r.running(t, func(in *surroundings) { in.clock = clock })
	eventually(t, "the room", func() bool { return roomAt(t, url).Status == "awaiting_check_in" })
	clock.set(-time.Hour)
	eventually(t, "the doubt", func() bool { return doubted(roomAt(t, url)) })
	clock.set(0)
	eventually(t, "the room again", func() bool {
		s := roomAt(t, url)
		return s.Status == "awaiting_check_in" && !doubted(s)
	})
}

// What systemd-timesyncd says is found where it says it.
func TestTimesyncd(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "timesync")
	if got := timesyncdIn(dir); got.Watched || !got.At.IsZero() {
		t.Errorf("without it: %+v", got)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if got := timesyncdIn(dir); !got.Watched || !got.At.IsZero() {
		t.Errorf("while it waits: %+v", got)
	}
	if err := os.WriteFile(filepath.Join(dir, "synchronized"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := timesyncdIn(dir); !got.Watched || got.At.IsZero() {
		t.Errorf("when it knows the time: %+v", got)
	}
}
