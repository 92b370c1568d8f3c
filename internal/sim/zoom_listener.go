package sim

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

const (
	streamSilence = 60 * time.Second       // of a listener, by the world's now; then it is given up
	streamLook    = 100 * time.Millisecond // how often silence is looked for
	streamQueue   = 1024                   // frames on their way to a listener; what doesn't fit is lost
	streamRead    = 4096                   // bytes of a listener's frame
)

// frame is a message of the stream.
type frame struct {
	kind int // of WebSocket's
	body []byte
}

func textFrame(body []byte) frame { return frame{websocket.TextMessage, body} }

// buildFrame is the first frame of a connection. An empty problem: there is none.
func buildFrame(problem string) frame {
	content := problem
	if content == "" {
		content = "success"
	}
	body, _ := json.Marshal(map[string]any{
		"module": "build_connection", "success": problem == "", "content": content, "header": struct{}{},
	})
	return textFrame(body)
}

// messageFrame carries an event: JSON as a string inside JSON.
func messageFrame(event []byte) frame {
	body, _ := json.Marshal(map[string]string{"module": "message", "content": string(event)})
	return textFrame(body)
}

// listener is a connection to the stream. One goroutine receives, one sends.
type listener struct {
	ws     *websocket.Conn
	faults *spoiler
	now    func() time.Time
	out    chan frame
	done   chan struct{} // closed at the end
	over   sync.Once

	mu    sync.Mutex
	heard time.Time // when it last sent a heartbeat
}

func newListener(ws *websocket.Conn, faults *spoiler, now func() time.Time) *listener {
	l := &listener{
		ws: ws, faults: faults, now: now, heard: now(),
		out: make(chan frame, streamQueue), done: make(chan struct{}),
	}
	pong := ws.PingHandler()
	ws.SetPingHandler(func(data string) error {
		if faults.now().HalfOpen {
			return nil
		}
		return pong(data)
	})
	ws.SetReadLimit(streamRead)
	return l
}

// receive answers heartbeats until the connection ends. Anything else ends it.
func (l *listener) receive() {
	for {
		kind, body, err := l.ws.ReadMessage()
		if err != nil {
			return
		}
		if l.faults.now().HalfOpen {
			continue
		}
		if kind != websocket.TextMessage || !isHeartbeat(body) {
			l.bye()
			continue
		}
		l.mu.Lock()
		l.heard = l.now()
		l.mu.Unlock()
		ack := textFrame([]byte(`{"module":"heartbeat","success":true,"content":"live","header":{}}`))
		for _, f := range l.faults.litter(ack) {
			l.offer(f)
		}
	}
}

func isHeartbeat(body []byte) bool {
	var beat struct {
		Module string `json:"module"`
	}
	dec := json.NewDecoder(strings.NewReader(string(body)))
	dec.DisallowUnknownFields()
	if dec.Decode(&beat) != nil || beat.Module != "heartbeat" {
		return false
	}
	_, err := dec.Token()
	return errors.Is(err, io.EOF)
}

// send writes what was offered, and gives a silent listener up, until the end.
func (l *listener) send() {
	look := time.NewTicker(streamLook)
	defer look.Stop()
	for {
		select {
		case f := <-l.out:
			l.write(f)
		case <-look.C:
			l.mu.Lock()
			silent := l.now().Sub(l.heard) >= streamSilence
			l.mu.Unlock()
			if silent && !l.faults.now().HalfOpen {
				l.bye()
			}
		case <-l.done:
			return
		}
	}
}

// write sends one frame, unless the connection is half-open: then it is as if it had been sent. A
// close frame is the last one.
func (l *listener) write(f frame) {
	if l.faults.now().HalfOpen {
		return
	}
	if l.ws.WriteMessage(f.kind, f.body) != nil || f.kind == websocket.CloseMessage {
		l.cut()
	}
}

// offer puts a frame on its way. It never waits.
func (l *listener) offer(f frame) {
	select {
	case l.out <- f:
	default:
	}
}

// bye ends the connection with a close frame, after what is on its way already.
func (l *listener) bye() {
	select {
	case l.out <- frame{websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")}:
	default:
		l.cut()
	}
}

// cut ends the connection at once.
func (l *listener) cut() {
	l.over.Do(func() {
		close(l.done)
		_ = l.ws.Close() // ends the one who receives, and a write that is stuck
	})
}
