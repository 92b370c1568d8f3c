package sim

import (
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// StreamFaults are what is wrong with the event stream; see [Zoom.SetStreamFaults]. The zero value:
// nothing. Several may hold at once. Webhooks don't suffer from them.
type StreamFaults struct {
	Refuse    bool          // new connections are closed without an answer; see also [Zoom.DropStream]
	HalfOpen  bool          // connections stay, but nothing is sent or answered any more; new ones are let in likewise
	Duplicate bool          // every event comes twice
	Swap      bool          // an event is held back until the next one was sent: of a pair, the later one comes first
	LoseEvery int           // every n-th event is lost; 1: all; 0: none
	Delay     time.Duration // events come so much later, by the world's clock; lost if nobody is connected then
	Garbage   bool          // before every event and every answer comes a frame that makes no sense
}

// spoiler is what the faults do to frames. It is safe for concurrent use.
type spoiler struct {
	mu      sync.Mutex
	faults  StreamFaults
	told    int     // events so far
	held    []frame // by Swap
	rubbish int     // garbage so far
}

func (s *spoiler) now() StreamFaults {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults
}

// set replaces the faults, and returns what is no longer held back.
func (s *spoiler) set(f StreamFaults) []frame {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
	if f.Swap {
		return nil
	}
	freed := s.held
	s.held = nil
	return freed
}

// spoil returns what is sent in an event's place, and how much later.
func (s *spoiler) spoil(event []byte) ([]frame, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.faults
	s.told++
	if f.LoseEvery > 0 && s.told%f.LoseEvery == 0 {
		return nil, 0
	}
	frames := s.littered(messageFrame(event))
	if f.Duplicate {
		frames = append(frames, s.littered(messageFrame(event))...)
	}
	if f.Swap && s.held == nil {
		s.held = frames
		return nil, 0
	}
	if f.Swap {
		frames = append(frames, s.held...)
		s.held = nil
	}
	return frames, f.Delay
}

// litter puts garbage before a frame, if that is the fault.
func (s *spoiler) litter(f frame) []frame {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.littered(f)
}

func (s *spoiler) littered(f frame) []frame {
	if !s.faults.Garbage {
		return []frame{f}
	}
	pile := garbage()
	s.rubbish++
	return []frame{pile[s.rubbish%len(pile)], f}
}

// garbage are frames that a listener has to get over.
func garbage() []frame {
	texts := []string{
		``, `null`, `[]`, `0`, `{`, `{"module":"message"`, `{"module":"message"}`, `{"module":"message","content":null}`,
		`{"module":"message","content":"not JSON"}`, `{"module":"message","content":"{\"event\":5}"}`,
		`{"module":"message","content":"{\"event\":\"zoomroom.checked_in\",\"payload\":null,\"event_ts\":\"x\"}"}`,
		`{"module":"message","content":{"event":"zoomroom.alert","payload":{"object":{"id":7,"alert_type":"3"}}}}`,
		`{"module":"message","content":"{\"event\":\"zoomroom.sensor_data\",\"event_ts\":1,\"payload\":{\"object\":{}}}"}`,
		`{"module":"weather","success":"yes","content":[1,2]}`, "<html>502 Bad Gateway</html>",
	}
	pile := []frame{{websocket.BinaryMessage, []byte{0xff, 0, 1, 2}}, {websocket.BinaryMessage, nil}}
	for _, t := range texts {
		pile = append(pile, textFrame([]byte(t)))
	}
	return pile
}
