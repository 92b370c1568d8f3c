package main

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/gorilla/websocket"
	_ "github.com/mattn/go-sqlite3" // the bare database
)

// bareTap is the least that a tap can cost: a row that is on the disk, and a frame to and fro.
type bareTap struct {
	db     *sql.DB
	insert *sql.Stmt
	server *http.Server
	ws     socket
	frame  []byte
}

func (b *bench) openBareTap(ctx context.Context) (*bareTap, error) {
	t := &bareTap{frame: []byte(strings.Repeat("kiosk ", 1000))}
	if err := t.openDatabase(filepath.Join(b.dir, "bare.db")); err != nil {
		t.close()
		return nil, err
	}
	if err := t.openEcho(ctx); err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

func (t *bareTap) openDatabase(path string) error {
	var err error
	if t.db, err = sql.Open("sqlite3", "file:"+path+"?_journal_mode=WAL&_synchronous=FULL&_txlock=immediate"); err != nil {
		return fmt.Errorf("opening the bare database: %w", err)
	}
	t.db.SetMaxOpenConns(1)
	if _, err := t.db.Exec("CREATE TABLE bare (n INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT"); err != nil {
		return fmt.Errorf("opening the bare database: %w", err)
	}
	if t.insert, err = t.db.Prepare("INSERT INTO bare (body) VALUES (?)"); err != nil {
		return fmt.Errorf("opening the bare database: %w", err)
	}
	return nil
}

func (t *bareTap) openEcho(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	t.server = &http.Server{Handler: http.HandlerFunc(echo), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = t.server.Serve(listener) }() // until it is closed
	t.ws, err = dial(ctx, "ws://"+listener.Addr().String()+"/")
	return err
}

// echo sends everything back.
func echo(w http.ResponseWriter, r *http.Request) {
	var upgrader websocket.Upgrader
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // it was answered
	}
	defer ws.Close()
	for {
		kind, text, err := ws.ReadMessage()
		if err != nil || ws.WriteMessage(kind, text) != nil {
			return
		}
	}
}

// once commits a row of an action's size, and has a frame of a screen's size echoed.
func (t *bareTap) once() (commit, echo time.Duration, err error) {
	began := time.Now()
	if _, err := t.insert.Exec(strings.Repeat("a", 200)); err != nil {
		return 0, 0, fmt.Errorf("committing a bare row: %w", err)
	}
	committed := time.Now()
	if err := t.ws.WriteMessage(websocket.TextMessage, t.frame); err != nil {
		return 0, 0, fmt.Errorf("writing to the bare echo: %w", err)
	}
	if _, _, err := t.ws.ReadMessage(); err != nil {
		return 0, 0, fmt.Errorf("reading from the bare echo: %w", err)
	}
	return committed.Sub(began), time.Since(committed), nil
}

func (t *bareTap) close() {
	if t.ws.Conn != nil {
		t.ws.Close()
	}
	if t.server != nil {
		t.server.Close()
	}
	if t.insert != nil {
		t.insert.Close()
	}
	if t.db != nil {
		t.db.Close()
	}
}
