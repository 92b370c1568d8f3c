// Command bare is what the kiosk is measured against: the same libraries with nothing around them.
//
//	bare ADDRESS ws          gorilla's websockets, as lean as they get, on net/http
//	bare ADDRESS echo FILE   Echo, which answers GET /page with what FILE (a JSON of answer) holds
//
// It serves until it is killed.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"github.com/labstack/echo/v4"
)

// answer is what a page's request was answered with.
type answer struct {
	Header http.Header
	Body   []byte
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		log.Fatal("bare: ", err)
	}
}

func run(args []string) error {
	var handler http.Handler
	switch {
	case len(args) == 2 && args[1] == "ws":
		handler = newSockets()
	case len(args) == 3 && args[1] == "echo":
		var err error
		if handler, err = newEcho(args[2]); err != nil {
			return err
		}
	default:
		return errors.New("usage: bare ADDRESS ws | bare ADDRESS echo FILE")
	}
	server := &http.Server{Addr: args[0], Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	return server.ListenAndServe()
}

// newEcho answers with the bytes of the file.
func newEcho(file string) (*echo.Echo, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	var a answer
	if err := json.Unmarshal(text, &a); err != nil {
		return nil, fmt.Errorf("decoding the answer: %w", err)
	}
	e := echo.New()
	e.GET("/page", func(c echo.Context) error {
		header := c.Response().Header()
		for name, values := range a.Header {
			header[name] = values
		}
		return c.Blob(http.StatusOK, a.Header.Get("Content-Type"), a.Body)
	})
	return e, nil
}

// sockets are websockets, each with one goroutine that reads.
type sockets struct {
	upgrader websocket.Upgrader

	mu  sync.Mutex
	all []*websocket.Conn
}

func newSockets() http.Handler {
	s := &sockets{upgrader: websocket.Upgrader{ReadBufferSize: 512, WriteBufferPool: &sync.Pool{}}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /page", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "bare\n") })
	mux.HandleFunc("GET /live", s.join)
	mux.HandleFunc("POST /broadcast", s.broadcast)
	return mux
}

// join hands the connection over and returns, which frees what net/http keeps for a request.
func (s *sockets) join(w http.ResponseWriter, r *http.Request) {
	ws, err := s.upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // it was answered
	}
	s.mu.Lock()
	s.all = append(s.all, ws)
	s.mu.Unlock()
	go func() {
		defer ws.Close()
		_, _, _ = ws.NextReader() // clients say nothing: it returns when they go
	}()
}

// broadcast sends the request's body to every socket.
func (s *sockets) broadcast(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	frame, err := websocket.NewPreparedMessage(websocket.TextMessage, body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ws := range s.all {
		if err := ws.WritePreparedMessage(frame); err != nil {
			ws.Close()
		}
	}
}
