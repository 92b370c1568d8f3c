package live

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/gorilla/websocket"
)

type hello struct {
	Type  string  `json:"type"`
	Now   int64   `json:"now"`
	Rate  float64 `json:"rate"`
	Build string  `json:"build"`
	Beat  int64   `json:"beat"`
}

type part struct {
	Type string `json:"type"`
	ID   string `json:"id"`
	Rev  uint64 `json:"rev"`
	HTML string `json:"html"`
}

type beat struct {
	Type  string `json:"type"`
	Now   int64  `json:"now"`
	Build string `json:"build"`
}

// text prepares v as a text frame.
func text(v any) *websocket.PreparedMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // it would make every < and > six bytes, for pages that embed JSON
	if err := e.Encode(v); err != nil {
		panic(fmt.Sprintf("live: encoding a frame: %v", err)) // strings and numbers always encode
	}
	return prepare(websocket.TextMessage, bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

// prepare makes the bytes that go to every socket.
func prepare(kind int, payload []byte) *websocket.PreparedMessage {
	m, err := websocket.NewPreparedMessage(kind, payload)
	if err != nil {
		panic(fmt.Sprintf("live: preparing a frame: %v", err)) // it only writes to memory
	}
	return m
}
