package live

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// Defaults of [Config].
const (
	DefaultBeat          = 15 * time.Second
	DefaultMaxSockets    = 5000
	DefaultMaxPerAddress = 100
)

// Config is what a hub needs to know. Its zero value works.
type Config struct {
	Now           func() time.Time // the clock that pages count against; nil: the machine's
	Rate          float64          // seconds of that clock in a second; 0: 1
	Build         string           // pages that were served by another build reload themselves
	Beat          time.Duration    // interval of heartbeats; 0: DefaultBeat
	MaxSockets    int              // in all, with those that are kept for panels; 0: DefaultMaxSockets
	MaxPerAddress int              // per remote address, loopback excepted, see [Share]; 0: DefaultMaxPerAddress
}

func (c Config) withDefaults() Config {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rate == 0 {
		c.Rate = 1
	}
	if c.Beat == 0 {
		c.Beat = DefaultBeat
	}
	if c.MaxSockets == 0 {
		c.MaxSockets = DefaultMaxSockets
	}
	if c.MaxPerAddress == 0 {
		c.MaxPerAddress = DefaultMaxPerAddress
	}
	return c
}

// Hub holds the latest frame of every topic and the sockets that watch them. Its methods may be
// called from any goroutine.
type Hub struct {
	cfg      Config
	upgrader websocket.Upgrader
	pumps    sync.WaitGroup // readers and writers
	beatNo   atomic.Uint64  // the last heartbeat's

	mu        sync.Mutex // taken before a conn's
	topics    map[string]*topic
	beats     *topic // every socket watches it
	conns     map[*conn]struct{}
	admitted  int                // sockets, those that are still shaking hands included
	addresses map[netip.Addr]int // sockets by [Source], without loopback
	made      time.Time
	closed    bool
	counts    counts
}

// counts are totals since the start.
type counts struct{ published, dropped, refused uint64 }

// topic is something to watch.
type topic struct {
	sum      [sha256.Size]byte // of what was published last
	latest   *state            // nil: nothing yet
	watchers []*watch
	heard    time.Time // the last sign of life, see [Presence]; zero: never watched
}

// state is what a topic shows. It never changes once made.
type state struct {
	rev   uint64
	frame *websocket.PreparedMessage
	then  *websocket.PreparedMessage // written right after it; may be nil
}

// New makes a hub. It starts nothing: [Hub.Run] makes the heartbeats.
func New(cfg Config) *Hub {
	return &Hub{
		cfg:       cfg.withDefaults(),
		upgrader:  newUpgrader(),
		topics:    map[string]*topic{},
		beats:     &topic{},
		conns:     map[*conn]struct{}{},
		addresses: map[netip.Addr]int{},
		made:      time.Now(),
	}
}

// Publish makes html the latest state of the topic's part, whose element has that id, and shows it to
// every watcher. It doesn't wait for any of them. What is already shown is not published again.
// A topic shows one part; topics live as long as the hub, so there should be a fixed set of them.
func (h *Hub) Publish(name, id string, html []byte) {
	sum := sumOf(id, html)
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.topic(name)
	rev := uint64(1)
	if t.latest != nil {
		if t.sum == sum {
			return
		}
		rev = t.latest.rev + 1
	}
	t.sum = sum
	h.counts.published++
	h.show(t, &state{rev: rev, frame: text(part{Type: "part", ID: id, Rev: rev, HTML: string(html)})})
}

func sumOf(id string, html []byte) (sum [sha256.Size]byte) {
	d := sha256.New()
	fmt.Fprint(d, id)
	d.Write([]byte{0})
	d.Write(html)
	d.Sum(sum[:0])
	return sum
}

// topic finds or makes the topic. The hub must be locked.
func (h *Hub) topic(name string) *topic {
	t := h.topics[name]
	if t == nil {
		t = &topic{}
		h.topics[name] = t
	}
	return t
}

// show replaces what the topic shows. The hub must be locked.
func (h *Hub) show(t *topic, s *state) {
	t.latest = s
	for _, w := range t.watchers {
		w.conn.mark(w, s)
	}
}

// Run makes the heartbeats until ctx ends; then it says good-bye to every socket, waits at most two
// seconds for their answers, and returns nil when no goroutine of the hub is left. From then on the
// hub refuses sockets. Run is called once.
func (h *Hub) Run(ctx context.Context) error {
	ticker := time.NewTicker(h.cfg.Beat)
	defer ticker.Stop()
	ping := prepare(websocket.PingMessage, nil)
	for {
		select {
		case <-ticker.C:
			h.beat(ping)
		case <-ctx.Done():
			h.close()
			return nil
		}
	}
}

// beat shows the time to every socket and asks each for a sign of life.
func (h *Hub) beat(ping *websocket.PreparedMessage) {
	frame := text(beat{Type: "beat", Now: h.cfg.Now().UnixMilli(), Build: h.cfg.Build})
	h.mu.Lock()
	defer h.mu.Unlock()
	h.show(h.beats, &state{rev: h.beatNo.Add(1), frame: frame, then: ping})
}

func (h *Hub) close() {
	bye := prepare(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseGoingAway, ""))
	h.mu.Lock()
	h.closed = true
	for c := range h.conns {
		c.end(bye)
	}
	h.mu.Unlock()

	gone := make(chan struct{})
	go func() { h.pumps.Wait(); close(gone) }()
	patience := time.NewTimer(closeWait)
	defer patience.Stop()
	select {
	case <-gone:
		return
	case <-patience.C:
	}
	h.mu.Lock()
	for c := range h.conns {
		c.ws.Close()
	}
	h.mu.Unlock()
	<-gone
}

// count changes the totals.
func (h *Hub) count(change func(*counts)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change(&h.counts)
}

// Stats is what a hub has to say about itself.
type Stats struct {
	Sockets   int            // open now
	Topics    map[string]int // sockets by topic
	Published uint64         // frames that were published, since the start
	Dropped   uint64         // sockets that were dropped because they took nothing for too long
	Refused   uint64         // sockets that were refused because there were too many
}

// Stats counts.
func (h *Hub) Stats() Stats {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := Stats{
		Sockets:   len(h.conns),
		Topics:    make(map[string]int, len(h.topics)),
		Published: h.counts.published,
		Dropped:   h.counts.dropped,
		Refused:   h.counts.refused,
	}
	for name, t := range h.topics {
		s.Topics[name] = len(t.watchers)
	}
	return s
}
