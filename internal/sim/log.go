package sim

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	keptRequests = 10_000
	maxBody      = 1 << 20 // bytes of a request that are read
)

// Request is what a service received, and what it answered.
type Request struct {
	At     time.Time // by the world's clock
	Method string
	Path   string
	Query  url.Values
	Header http.Header    // only those of keptHeaders
	Body   map[string]any // decoded JSON, form or multipart; XML as a text "xml"; nil: none, or none of these
	Status int            // 0: not answered yet, or the connection was closed without an answer
	Answer string         // the first bytes of the answer's body
}

// Param returns a string out of the "params" object of a Zoom events request.
func (r Request) Param(name string) string {
	params, _ := r.Body["params"].(map[string]any)
	s, _ := params[name].(string)
	return s
}

// requestLog keeps the last requests, in the order of their arrival.
type requestLog struct {
	mu      sync.Mutex
	list    []*Request
	most    int           // that are remembered; 0: keptRequests
	changed chan struct{} // closed at the next change
}

func (l *requestLog) add(r *Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, r)
	if keep := l.keep(); len(l.list) > keep+keep/10 {
		l.list = slices.Clone(l.list[len(l.list)-keep:])
	}
	l.wake()
}

func (l *requestLog) answer(r *Request, status int, body []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.Status, r.Answer = status, string(body[:min(len(body), 512)])
	l.wake()
}

// wake tells those who wait that something changed.
func (l *requestLog) wake() {
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
}

func (l *requestLog) all() []Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.copies()
}

// keep is how many requests are remembered.
func (l *requestLog) keep() int { return cmp.Or(l.most, keptRequests) }

func (l *requestLog) copies() []Request {
	list := l.list[max(0, len(l.list)-l.keep()):]
	out := make([]Request, len(list))
	for i, r := range list {
		out[i] = *r
	}
	return out
}

// wait returns the first request that matches, kept or to come.
func (l *requestLog) wait(ctx context.Context, match func(Request) bool) (Request, error) {
	for {
		l.mu.Lock()
		list := l.copies()
		if l.changed == nil {
			l.changed = make(chan struct{})
		}
		changed := l.changed
		l.mu.Unlock()
		if i := slices.IndexFunc(list, match); i >= 0 {
			return list[i], nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Request{}, ctx.Err()
		}
	}
}

// receive reads the request's body, puts it back, and returns the entry for the log.
func receive(r *http.Request, at time.Time) (*Request, error) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(raw))
	in := &Request{
		At: at, Method: r.Method, Path: r.URL.Path, Query: r.URL.Query(), Header: http.Header{},
		Body: decodeBody(r.Header.Get("Content-Type"), raw),
	}
	if in.Query.Has("access_token") {
		in.Query.Set("access_token", "[redacted]")
	}
	for _, name := range keptHeaders() {
		if v := r.Header.Values(name); len(v) > 0 {
			in.Header[name] = slices.Clone(v)
		}
	}
	return in, nil
}

// keptHeaders are the headers of requests that are logged. None of them holds a secret.
func keptHeaders() []string {
	return []string{"Accept", "Client-Request-Id", "Content-Type", "If-Match", "If-None-Match", "Prefer", "Soapaction", "User-Agent"}
}

func decodeBody(contentType string, raw []byte) map[string]any {
	kind, param, err := mime.ParseMediaType(contentType)
	if err != nil || len(raw) == 0 {
		return nil
	}
	body := map[string]any{}
	switch kind {
	case "text/xml", "application/xml":
		body["xml"] = string(raw)
	case "application/json":
		if json.Unmarshal(raw, &body) != nil {
			return nil
		}
	case "application/x-www-form-urlencoded":
		form, _ := url.ParseQuery(string(raw))
		for name := range form {
			body[name] = form.Get(name)
		}
	case "multipart/form-data":
		fields, err := readMultipart(bytes.NewReader(raw), param["boundary"])
		if err != nil {
			return nil
		}
		for name, text := range fields {
			body[name] = jsonOrText(text)
		}
	default:
		return nil
	}
	return body
}

func jsonOrText(text string) any {
	var v map[string]any
	if strings.HasPrefix(text, "{") && json.Unmarshal([]byte(text), &v) == nil {
		return v
	}
	return text
}
