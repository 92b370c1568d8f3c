package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"time"

	"roomkiosk/internal/rooms"
)

// service is what the stand-ins share: a log and faults in front of a handler.
type service struct {
	clock        rooms.Clock
	now          func() time.Time // real time, for tokens
	log          requestLog
	faults       Faults
	handler      http.Handler
	tokenPath    string
	socketPath   string                                  // where connections are taken over; empty: nowhere
	socket       http.HandlerFunc                        // what takes them over
	unauthorized http.HandlerFunc                        // answers as to a refused access token
	refuse       func(w http.ResponseWriter, status int) // answers with the service's own words for a status
}

// Faults returns the switches that make the service fail.
func (s *service) Faults() *Faults { return &s.faults }

// Requests returns the last 10,000 requests in the order of their arrival.
func (s *service) Requests() []Request { return s.log.all() }

// Wait returns the first request that matches, received already or to come.
func (s *service) Wait(ctx context.Context, match func(Request) bool) (Request, error) {
	return s.log.wait(ctx, match)
}

// ServeHTTP logs the request, lets it fail as it should, and else carries it out.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	entry, err := receive(r, s.clock.Now())
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	s.log.add(entry)
	fault := s.faults.take(r, r.URL.Path == s.tokenPath)
	if !pause(r.Context(), fault.Slow) || fault.Down {
		panic(http.ErrAbortHandler) // closes the connection
	}
	if r.URL.Path == s.socketPath && s.socket != nil && fault.Status == 0 {
		s.log.answer(entry, http.StatusSwitchingProtocols, nil)
		if fault.Unauthorized {
			r.URL.RawQuery += "&revoked" // a name that nothing else has
		}
		s.socket(w, r)
		return
	}
	out := &answer{header: http.Header{}, status: http.StatusOK}
	s.carryOut(out, r, fault)
	if !pause(r.Context(), fault.SlowAnswer) || fault.DropAfter {
		panic(http.ErrAbortHandler)
	}
	out.mangle(fault)
	told := out.body.Bytes()
	if r.URL.Path == s.tokenPath && out.status == http.StatusOK {
		told = nil // an access token
	}
	s.log.answer(entry, out.status, told)
	out.send(w)
}

func (s *service) carryOut(out *answer, r *http.Request, fault Fault) {
	switch {
	case fault.Status != 0 && fault.Body != "":
		out.header.Set("Content-Type", "application/json")
		out.WriteHeader(fault.Status)
		_, _ = out.Write([]byte(fault.Body))
	case fault.Status != 0:
		s.refuse(out, fault.Status)
	case fault.Unauthorized:
		s.unauthorized(out, r)
	default:
		s.handler.ServeHTTP(out, r)
	}
	for name, values := range fault.Header {
		out.header[name] = values
	}
}

// pause waits in real time. False: the client has gone meanwhile.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// answer is a response that is not on its way yet.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }

// mangle spoils a successful answer.
func (a *answer) mangle(f Fault) {
	if a.status >= http.StatusMultipleChoices {
		return
	}
	switch {
	case f.HTML:
		a.status = http.StatusOK
		a.header.Set("Content-Type", "text/html; charset=utf-8")
		a.set("<!DOCTYPE html><title>Guest network</title><p>Please accept our terms.")
	case f.Empty:
		a.set("")
	case f.Hollow:
		a.set("{}")
	case f.Malformed:
		a.body.Truncate(a.body.Len() / 2)
	}
	if f.Huge > 0 {
		a.set(strings.Repeat(" ", f.Huge) + a.body.String())
	}
}

func (a *answer) set(body string) {
	a.body.Reset()
	a.body.WriteString(body)
}

func (a *answer) send(w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body.Bytes()) // the client may have gone
}

// writeJSON answers with v.
func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{}`)
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// bearer returns the access token of a request; empty: none.
func bearer(r *http.Request) string {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return ""
	}
	return token
}

// readMultipart reads the fields of a form. Files and repeated fields are refused.
func readMultipart(body io.Reader, boundary string) (map[string]string, error) {
	if boundary == "" {
		return nil, errors.New("reading form: no boundary")
	}
	fields := map[string]string{}
	form := multipart.NewReader(body, boundary)
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return fields, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading form: %w", err)
		}
		text, err := io.ReadAll(part)
		if err != nil {
			return nil, fmt.Errorf("reading form: %w", err)
		}
		name := part.FormName()
		if _, again := fields[name]; again || name == "" || part.FileName() != "" {
			return nil, fmt.Errorf("reading form: unexpected field %q", name)
		}
		fields[name] = string(text)
	}
}
