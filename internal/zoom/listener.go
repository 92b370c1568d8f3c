package zoom

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"roomkiosk/internal/rooms"
)

// The times of a connection.
const (
	confirmWait   = 15 * time.Second // for the first frame, which tells whether it will do
	heartbeatWait = 30 * time.Second // between heartbeats, as Zoom documents it
	silenceWait   = 75 * time.Second // without any frame the connection is dead: two heartbeats have no answer
	listWait      = 10 * time.Minute // between readings of the list of offline rooms
	renewalRetry  = time.Minute      // when there is no new token
	shortestStay  = time.Minute      // keeps tokens that end at once from making it spin
)

// The modules of frames.
const (
	moduleBuild     = "build_connection"
	moduleHeartbeat = "heartbeat"
	moduleMessage   = "message"
)

const heartbeat = `{"module":"heartbeat"}`

// frame is what Zoom sends over the stream. The content of a message is an event as a JSON string, or
// an event; that of other modules is a sentence, also when all is well.
type frame struct {
	Module  word            `json:"module"`
	Success flag            `json:"success"`
	Content json.RawMessage `json:"content"`
}

// parseFrame reads a frame. ok is false for what isn't one.
func parseFrame(raw []byte) (f frame, ok bool) {
	if !bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) {
		return frame{}, false
	}
	return f, json.Unmarshal(raw, &f) == nil && f.Module != ""
}

// event is the event in a message.
func (f frame) event() (event, bool) {
	var text string
	if json.Unmarshal(f.Content, &text) == nil {
		return parseEvent([]byte(text))
	}
	return parseEvent(f.Content)
}

// alarm is a timer of a clock.
type alarm struct {
	clock rooms.Clock
	timer *time.Timer
	C     <-chan time.Time // nil until it is set
}

// set makes it ring once after d, and not before.
func (a *alarm) set(d time.Duration) {
	a.stop()
	a.timer = a.clock.Timer(d)
	a.C = a.timer.C
}

func (a *alarm) stop() {
	if a.timer != nil {
		a.timer.Stop()
	}
	a.C = nil
}

// listener attends to one connection. One goroutine reads, one writes and one asks for lists, each of
// which may have to wait; attend alone decides. Deadlines are timers of the client's clock that close
// the connection, which ends all three.
type listener struct {
	s    *stream
	conn *websocket.Conn
	tok  token

	frames chan []byte   // what was read; nil: a sign of life
	broken chan error    // why reading ended
	beats  chan struct{} // heartbeats to write
	lists  chan listing
	done   chan struct{} // closed by close
	wg     sync.WaitGroup

	silence, beat, renewal, list alarm

	confirmed bool
	since     time.Time // it was confirmed
}

// listing is a list of offline rooms.
type listing struct {
	rooms []RoomInfo
	at    time.Time // it was asked for
	fault *rooms.Fault
}

func newListener(s *stream, conn *websocket.Conn, tok token) *listener {
	clock := s.c.clock
	l := &listener{
		s: s, conn: conn, tok: tok,
		frames: make(chan []byte), broken: make(chan error, 1), beats: make(chan struct{}, 1),
		lists: make(chan listing, 1), done: make(chan struct{}),
		silence: alarm{clock: clock}, beat: alarm{clock: clock}, renewal: alarm{clock: clock}, list: alarm{clock: clock},
	}
	conn.SetPongHandler(func(string) error { l.offer(nil); return nil })
	l.wg.Go(l.read)
	l.wg.Go(l.write)
	return l
}

// close ends the connection and whatever serves it.
func (l *listener) close() {
	close(l.done)
	_ = l.conn.Close()
	l.wg.Wait()
	for _, a := range []*alarm{&l.silence, &l.beat, &l.renewal, &l.list} {
		a.stop()
	}
	if l.confirmed {
		l.s.state.set(false, nil)
		l.s.listening(false)
	}
}

func (l *listener) read() {
	for {
		kind, raw, err := l.conn.ReadMessage()
		if err != nil {
			l.broken <- err
			return
		}
		if kind != websocket.TextMessage {
			raw = []byte{} // isn't a frame of Zoom's, but a sign of life
		}
		if !l.offer(raw) {
			return
		}
	}
}

// offer hands what was read to attend. It returns false when nobody wants it any more.
func (l *listener) offer(raw []byte) bool {
	select {
	case l.frames <- raw:
		return true
	case <-l.done:
		return false
	}
}

// write sends heartbeats. A ping goes with each: that a peer answers those is the protocol's rule,
// while an answer to a heartbeat is Zoom's habit. What can't be written is noticed by reading.
func (l *listener) write() {
	for {
		select {
		case <-l.beats:
			_ = l.conn.WriteMessage(websocket.TextMessage, []byte(heartbeat))
			_ = l.conn.WriteControl(websocket.PingMessage, nil, time.Time{})
		case <-l.done:
			return
		}
	}
}

// attend serves the connection until it ends or has to be made anew.
func (l *listener) attend(ctx context.Context) ending {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // a list that is still asked for
	l.silence.set(confirmWait)
	for {
		select {
		case <-ctx.Done():
			return ending{}
		case err := <-l.broken:
			return l.lost(err)
		case raw := <-l.frames:
			if fault := l.take(ctx, raw); fault != nil {
				return l.end(fault)
			}
		case <-l.silence.C:
			return l.end(newFault(rooms.FaultUnreachable, "event stream: nothing heard in time"+l.doubt()))
		case <-l.beat.C:
			l.beatOnce()
		case <-l.renewal.C:
			if l.renew(ctx) {
				return l.end(nil)
			}
		case <-l.list.C:
			l.ask(ctx)
		case got := <-l.lists:
			l.listed(got)
		}
	}
}

func (l *listener) beatOnce() {
	select {
	case l.beats <- struct{}{}:
	default: // the one before isn't written yet: silence will tell
	}
	l.beat.set(heartbeatWait)
}

// doubt is what to do about a connection that nobody confirmed.
func (l *listener) doubt() string {
	if l.confirmed {
		return ""
	}
	return " before Zoom confirmed the connection; check events_url, and " + remedyPortal
}

// end is the ending for a reason of this side.
func (l *listener) end(fault *rooms.Fault) ending {
	e := ending{fault: fault, confirmed: l.confirmed}
	if l.confirmed {
		e.held = l.s.c.clock.Now().Sub(l.since)
	}
	return e
}

// lost is the ending of a connection that was closed or broke.
func (l *listener) lost(err error) ending {
	f := newFault(rooms.FaultUnreachable, "event stream: the connection ended"+l.doubt())
	f.Err = l.s.scrub.errNowhere(err)
	e := l.end(f)
	e.remote = !errors.Is(err, websocket.ErrReadLimit)
	return e
}
