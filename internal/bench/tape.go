package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
)

// tape is a transport that records what a service answers, and then answers in its place from
// memory: what is measured is the client. It has sides, one for each state of the service. It is for
// one request at a time.
type tape struct {
	service   http.RoundTripper
	recording bool
	side      string
	sides     map[string]map[string]recorded // by request
}

type recorded struct {
	status int
	header http.Header
	body   []byte
}

func newTape() *tape {
	return &tape{service: &http.Transport{}, sides: map[string]map[string]recorded{}}
}

// RoundTrip answers from the side that is up. What isn't on it goes to the service: tokens do.
func (t *tape) RoundTrip(req *http.Request) (*http.Response, error) {
	var sent []byte
	if req.Body != nil {
		var err error
		if sent, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
		_ = req.Body.Close() // of memory
		req.Body = io.NopCloser(bytes.NewReader(sent))
	}
	name := req.Method + " " + req.URL.String() + " " + string(sent)
	if a, ok := t.sides[t.side][name]; ok && !t.recording {
		return a.response(req), nil
	}
	resp, err := t.service.RoundTrip(req)
	if err != nil || !t.recording {
		return resp, err
	}
	defer func() { _ = resp.Body.Close() }()
	a := recorded{status: resp.StatusCode, header: resp.Header}
	if a.body, err = io.ReadAll(resp.Body); err != nil {
		return nil, fmt.Errorf("recording: %w", err)
	}
	if t.sides[t.side] == nil {
		t.sides[t.side] = map[string]recorded{}
	}
	t.sides[t.side][name] = a
	return a.response(req), nil
}

func (a recorded) response(req *http.Request) *http.Response {
	return &http.Response{
		Status: fmt.Sprint(a.status, " ", http.StatusText(a.status)), StatusCode: a.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.header, Body: io.NopCloser(bytes.NewReader(a.body)), ContentLength: int64(len(a.body)), Request: req,
	}
}

// longest is the largest answer on a side: the listing of a calendar.
func (t *tape) longest(side string) []byte {
	var body []byte
	for _, a := range t.sides[side] {
		if len(a.body) > len(body) {
			body = a.body
		}
	}
	return body
}
