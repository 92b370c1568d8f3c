package live_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/gorilla/websocket"
	"pgregory.net/rapid"

	"roomkiosk/internal/live"
)

// step is something that happens to a hub.
type step struct {
	Kind   string // join, leave, publish, read, settle
	Topics []int  // join: those it watches
	Topic  int    // publish
	Value  int    // publish: few, so that some are published again
	Viewer int    // leave, read: which one, modulo those that are there
}

func steps() *rapid.Generator[[]step] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
		return step{
			Kind:   rapid.SampledFrom([]string{"join", "leave", "publish", "publish", "publish", "read", "read", "settle"}).Draw(t, "kind"),
			Topics: rapid.SliceOfNDistinct(rapid.IntRange(0, 3), 1, 4, rapid.ID).Draw(t, "topics"),
			Topic:  rapid.IntRange(0, 3).Draw(t, "topic"),
			Value:  rapid.IntRange(0, 2).Draw(t, "value"),
			Viewer: rapid.IntRange(0, 9).Draw(t, "viewer"),
		}
	}), 1, 40)
}

// modelViewer reads one frame for each turn that it is given.
type modelViewer struct {
	topics []int
	ws     *websocket.Conn
	turns  chan struct{}
	done   chan struct{}
	last   map[string]frame // by id
	fault  string
}

func (v *modelViewer) read() {
	defer close(v.done)
	v.last = map[string]frame{}
	for range v.turns {
		f, err := readFrame(v.ws)
		switch {
		case err != nil:
			return // it left
		case f.Type == "part" && f.Rev <= v.last[f.ID].Rev:
			v.fault = fmt.Sprintf("revision %d of %s came after %d", f.Rev, f.ID, v.last[f.ID].Rev)
			return
		case f.Type == "part" && !slices.ContainsFunc(v.topics, func(i int) bool { return f.ID == id(i) }):
			v.fault = "it was shown " + f.ID
			return
		case f.Type == "part":
			v.last[f.ID] = f
		}
	}
}

func (v *modelViewer) leave() {
	v.ws.Close()
	close(v.turns)
	<-v.done
}

func id(topic int) string { return "t" + strconv.Itoa(topic) }

// TestAnyOrderOfThings: whatever joins, leaves, is published and read in whatever order, a revision
// never goes back, and once all is read, everybody was shown what was published last.
func TestAnyOrderOfThings(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		all := steps().Draw(rt, "steps")
		var fault string
		synctest.Test(t, func(t *testing.T) { fault = play(t, all) })
		if fault != "" {
			rt.Fatal(fault)
		}
	})
}

func play(t *testing.T, all []step) string {
	h := live.New(live.Config{})
	net, stop := serveInMemory(t, h)
	defer stop()
	published := map[int]string{}
	var viewers []*modelViewer
	for _, s := range all {
		switch s.Kind {
		case "join":
			viewers = append(viewers, newModelViewer(t, net, s.Topics))
		case "publish":
			published[s.Topic] = strconv.Itoa(s.Value)
			h.Publish(id(s.Topic), id(s.Topic), []byte(published[s.Topic]))
		case "settle":
			synctest.Wait()
		}
		if len(viewers) == 0 {
			continue
		}
		switch i := s.Viewer % len(viewers); s.Kind {
		case "leave":
			viewers[i].leave()
			viewers = slices.Delete(viewers, i, i+1)
		case "read":
			viewers[i].turn()
		}
	}
	return judge(viewers, published)
}

func newModelViewer(t *testing.T, net pipes, topics []int) *modelViewer {
	names := ""
	for _, i := range topics {
		names += "," + id(i)
	}
	v := &modelViewer{topics: topics, ws: net.dial(t, names[1:]), turns: make(chan struct{}, 1000), done: make(chan struct{})}
	go v.read()
	return v
}

func (v *modelViewer) turn() { v.turns <- struct{}{} }

// judge lets everybody read what is left, and compares.
func judge(viewers []*modelViewer, published map[int]string) string {
	for _, v := range viewers {
		for range 100 {
			v.turn()
		}
	}
	synctest.Wait()
	fault := ""
	for n, v := range viewers {
		v.leave()
		if v.fault != "" {
			fault = fmt.Sprintf("viewer %d: %s", n, v.fault)
		}
		for _, i := range v.topics {
			if got := v.last[id(i)].HTML; got != published[i] {
				fault = fmt.Sprintf("viewer %d was last shown %q of topic %d, published was %q", n, got, i, published[i])
			}
		}
	}
	return fault
}
