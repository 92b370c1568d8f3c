package caldav_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// server is a real CalDAV server on this machine, with its data in a temporary folder.
type server struct {
	name string
	url  string // without a slash at the end
	home string // path of the collection that holds the calendars
	args []string
	data string

	cmd  *exec.Cmd
	done chan struct{}
	log  bytes.Buffer
}

// servers are the real servers that are tested with, by the name of their Debian package.
var servers = map[string]func(t *testing.T) *server{"radicale": radicale, "xandikos": xandikos}

// onEach runs a test on each of the servers.
func onEach(t *testing.T, test func(t *testing.T, s *server)) {
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			s.start(t)
			test(t, s)
		})
	}
}

func radicale(t *testing.T) *server { return radicaleWith(t, "none") }

// radicaleWith starts Radicale with a way of authentication: "none", or "basic" for the user kiosk
// with the password "secret".
func radicaleWith(t *testing.T, auth string) *server {
	t.Helper()
	address, dir := freeAddress(t), t.TempDir()
	conf := fmt.Sprintf("[server]\nhosts = %s\n[storage]\nfilesystem_folder = %s\n[web]\ntype = none\n[logging]\nlevel = warning\n[auth]\n",
		address, filepath.Join(dir, "data"))
	switch auth {
	case "basic":
		conf += "type = htpasswd\nhtpasswd_encryption = plain\nhtpasswd_filename = " + filepath.Join(dir, "users") + "\ndelay = 0\n"
		write(t, filepath.Join(dir, "users"), "kiosk:secret\nreader:secret\n")
		write(t, filepath.Join(dir, "rights"), "[root]\nuser: .+\ncollection:\npermissions: R\n"+
			"[owner]\nuser: .+\ncollection: {user}(/.*)?\npermissions: RWrw\n[reader]\nuser: reader\ncollection: kiosk(/.*)?\npermissions: Rr\n")
		conf += "[rights]\ntype = from_file\nfile = " + filepath.Join(dir, "rights") + "\n"
	default:
		conf += "type = none\n[rights]\ntype = authenticated\n"
		conf = strings.Replace(conf, "type = authenticated", "type = from_file\nfile = "+filepath.Join(dir, "rights"), 1)
		write(t, filepath.Join(dir, "rights"), "[all]\nuser: .*\ncollection: .*\npermissions: RWrw\n")
	}
	write(t, filepath.Join(dir, "conf"), conf)
	return &server{
		name: "radicale", url: "http://" + address, home: "/kiosk/",
		data: filepath.Join(dir, "data"), args: []string{"-C", filepath.Join(dir, "conf")},
	}
}

func xandikos(t *testing.T) *server {
	t.Helper()
	address, dir := freeAddress(t), t.TempDir()
	host, port, _ := net.SplitHostPort(address)
	return &server{
		name: "xandikos", url: "http://" + address, home: "/user/calendars/", data: dir,
		args: []string{"-d", dir, "-l", host, "-p", port, "--autocreate", "--defaults", "--current-user-principal=/user/"},
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// start starts the program and waits until it answers.
func (s *server) start(t *testing.T) {
	t.Helper()
	program, err := exec.LookPath(s.name)
	if err != nil {
		t.Fatalf("%s is not installed; install the Debian package %s (apt-get install -y %s)", s.name, s.name, s.name)
	}
	s.cmd = exec.Command(program, s.args...)
	s.cmd.Env = append(os.Environ(), "PYTHONUNBUFFERED=1", "TZ=UTC")
	s.log.Reset()
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.done = make(chan struct{})
	go func(cmd *exec.Cmd, done chan struct{}) {
		_ = cmd.Wait()
		close(done)
	}(s.cmd, s.done)
	t.Cleanup(s.stop)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", strings.TrimPrefix(s.url, "http://"))
		if err == nil {
			_ = conn.Close()
			return
		}
		select {
		case <-s.done:
			t.Fatalf("%s ended: %s", s.name, s.log.String())
		case <-ctx.Done():
			s.stop()
			t.Fatalf("%s doesn't answer: %s", s.name, s.log.String())
		case <-tick.C:
		}
	}
}

// stop ends the program.
func (s *server) stop() {
	_ = s.cmd.Process.Kill()
	<-s.done
}

// do sends a request of IT's or a colleague's, who set up what the kiosk then reads.
func (s *server) do(t *testing.T, method, path, body string, header ...string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	req.SetBasicAuth("kiosk", "secret")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 300 {
		t.Fatalf("%s %s: %s %s %v\n%s", method, path, resp.Status, answer, err, s.log.String())
	}
	return string(answer)
}

// calendar makes a calendar, and returns its path.
func (s *server) calendar(t *testing.T, id, name string) string {
	t.Helper()
	path := s.home + id + "/"
	s.do(t, "MKCALENDAR", path, `<?xml version="1.0"?><C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:set><D:prop>`+
		`<D:displayname>`+name+`</D:displayname></D:prop></D:set></C:mkcalendar>`, "Content-Type", "application/xml")
	return path
}

// put stores an object of events, and returns its path.
func (s *server) put(t *testing.T, calendar, id, text string) string {
	t.Helper()
	s.do(t, http.MethodPut, calendar+id, crlf(text), "Content-Type", "text/calendar")
	return calendar + id
}

func crlf(text string) string { return strings.ReplaceAll(text, "\n", "\r\n") }

// recorder is a transport that notes what went through it, and can change what comes back.
type recorder struct {
	mu   sync.Mutex
	seen []string // "PROPFIND 207"
	next http.RoundTripper
	// before, if set, is called before a request is sent.
	before func(*http.Request)
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	if r.before != nil {
		r.before(req)
	}
	resp, err := r.next.RoundTrip(req)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.seen = append(r.seen, req.Method+" failed")
	} else {
		r.seen = append(r.seen, fmt.Sprintf("%s %d", req.Method, resp.StatusCode))
	}
	return resp, err
}

// take returns what went through since it was last asked.
func (r *recorder) take() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := strings.Join(r.seen, ", ")
	r.seen = nil
	return seen
}
