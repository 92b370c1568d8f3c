//go:build !race

package live_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"

	"roomkiosk/internal/live"
)

// serverEnv makes this binary a server whose memory is looked at from outside, instead of a test.
const serverEnv = "LIVE_MEMORY_SERVER"

// serveForMemory serves until its standard input ends, if it is to. The first line that it writes is its
// address; then, for every line that it reads, its resident memory in bytes.
func serveForMemory() bool {
	var h http.Handler
	switch os.Getenv(serverEnv) {
	case "":
		return false
	case "hub":
		hub := live.New(live.Config{})
		go func() { _ = hub.Run(context.Background()) }()
		hub.Publish("a", "screen", []byte(strings.Repeat("<p>screen</p>", 300)))
		h = watching(hub)
	default:
		h = bare()
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() { _ = http.Serve(l, h) }()
	fmt.Println(l.Addr())
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		fmt.Println(resident())
	}
	return true
}

func resident() int {
	debug.FreeOSMemory()
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		panic(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(statm))[1])
	if err != nil {
		panic(err)
	}
	return pages * os.Getpagesize()
}

// bare is the least that a gorilla server can be, with what is known to save memory: small buffers,
// shared ones where it can be, and a handler that returns. It only reads.
func bare() http.Handler {
	u := websocket.Upgrader{ReadBufferSize: 512, WriteBufferPool: &sync.Pool{}}
	hello, err := websocket.NewPreparedMessage(websocket.TextMessage, []byte(strings.Repeat("<p>screen</p>", 300)))
	if err != nil {
		panic(err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := u.Upgrade(w, r, nil)
		if err != nil {
			panic(err)
		}
		if err := ws.WritePreparedMessage(hello); err != nil {
			panic(err)
		}
		go func() {
			defer ws.Close()
			_, _, _ = ws.NextReader()
		}()
	})
}

// perViewer is what a viewer at rest costs the server, in bytes of resident memory.
func perViewer(t *testing.T, kind string, viewers int) float64 {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	server := exec.Command(exe)
	server.Env = append(os.Environ(), serverEnv+"="+kind)
	server.Stderr = os.Stderr
	in, err := server.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { in.Close(); _ = server.Wait() }()
	lines := bufio.NewScanner(out)
	lines.Scan()
	addr := lines.Text()
	ask := func() int {
		least := math.MaxInt
		for range 5 { // what just ended is freed by and by
			fmt.Fprintln(in)
			lines.Scan()
			n, err := strconv.Atoi(lines.Text())
			if err != nil {
				t.Fatal(err)
			}
			least = min(least, n)
		}
		return least
	}
	closeAll(watchIdly(t, addr, 50)) // what is needed once isn't a viewer's
	before := ask()
	conns := watchIdly(t, addr, viewers)
	defer closeAll(conns)
	return float64(ask()-before) / float64(viewers)
}

// watchIdly opens sockets, and returns once each was shown the screen.
func watchIdly(t *testing.T, addr string, n int) []net.Conn {
	t.Helper()
	var conns []net.Conn
	for range n {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
		fmt.Fprint(c, "GET /?a HTTP/1.1\r\nHost: kiosk\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
	}
	for _, c := range conns {
		if _, err := io.ReadFull(c, make([]byte, 3900)); err != nil {
			t.Fatal(err)
		}
	}
	return conns
}

func closeAll(conns []net.Conn) {
	for _, c := range conns {
		c.Close()
	}
}

// TestMemoryPerViewer holds the promise about memory: at most 1.3 times a bare gorilla connection.
func TestMemoryPerViewer(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Fatal("resident memory is read from /proc: run this on Linux")
	}
	const viewers = 3000
	var theirs, hubs []float64
	for range 3 { // in turns: the machine has other things to do, too
		theirs, hubs = append(theirs, perViewer(t, "bare", viewers)), append(hubs, perViewer(t, "hub", viewers))
	}
	least, ours := median(theirs), median(hubs)
	t.Logf("a viewer at rest costs %.0f bytes, a bare connection %.0f: %.2f times", ours, least, ours/least)
	if ours > 1.3*least {
		t.Errorf("a viewer at rest costs %.0f bytes, a bare connection %.0f", ours, least)
	}
}
