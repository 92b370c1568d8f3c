package zoom

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"roomkiosk/internal/rooms"
)

// Pairs of Graph's form and EWS's form of the same thing. The keys are of events that real mailboxes
// published.
var (
	idPairs = [][2]string{
		{"CSBwAX8-aT1LccS5Py6q2XXxmQAAAAAAENAAAX8-aT1Lcc=", "CSBwAX8/aT1LccS5Py6q2XXxmQAAAAAAENAAAX8/aT1Lcc="},
		{"ARgAAA_b2VnUAiWNL==", "ARgAAA+b2VnUAiWNL=="},
		{"AAMkADQxAAA=", "AAMkADQxAAA="},
	}
	keyPairs = [][2]string{
		{"F/P2k9S3HEuT8uqtl18ZkAAACQsHDg==", "DwAAABYAAAAX8/aT1LccS5Py6q2XXxmQAAAJCwcO"},
	}
)

func TestForms(t *testing.T) {
	check := func(from, form, want, what string) {
		t.Helper()
		got := inForm(rooms.EventRef{EventID: from, ChangeKey: from}, form)
		if what == "id" && got.EventID != want || what == "key" && got.ChangeKey != want {
			t.Errorf("%s %s in %s: %s, %s, want %s", what, from, form, got.EventID, got.ChangeKey, want)
		}
	}
	for what, pairs := range map[string][][2]string{"id": idPairs, "key": keyPairs} {
		for _, p := range pairs {
			for _, from := range p {
				check(from, IDsGraph, p[0], what)
				check(from, IDsEWS, p[1], what)
			}
		}
	}
	for _, odd := range []string{"", "not base64!", "AAAA", "DwAAAA=="} { // passed on as they are
		check(odd, IDsGraph, odd, "key")
		check(odd, IDsEWS, odd, "key")
	}
}

func TestFormsAreInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ref := rooms.EventRef{
			EventID:   rapid.StringMatching(`[A-Za-z0-9+/]{20,60}={0,2}`).Draw(t, "id"),
			ChangeKey: ewsKey("F/P2k9S3HEuT8uqtl18ZkAAACQsHDg=="),
		}
		if got := inForm(inForm(ref, IDsGraph), IDsEWS); got != ref {
			t.Fatalf("%+v became %+v", ref, got)
		}
	})
}

// memory is a Memory.
type memory map[string]string

func (m memory) Learned(_ context.Context, name string) (string, error) {
	if v, ok := m[name]; ok {
		return v, nil
	}
	return "", rooms.ErrNotFound
}

func (m memory) Learn(name, value string) error { m[name] = value; return nil }

// TestFindsTheForm: a Zoom that takes only one form gets it, after one wrong try at the most ever.
func TestFindsTheForm(t *testing.T) {
	graph := rooms.EventRef{EventID: "AA-_bb=", ChangeKey: keyPairs[0][0], ResourceEmail: "ada@example.com"}
	ews := inForm(graph, IDsEWS)
	for _, c := range []struct {
		mode, wants string
		first, then []string // the ids that are sent, by the first and by a second client
	}{
		{IDsAuto, IDsEWS, []string{ews.EventID, ews.EventID}, []string{ews.EventID}},
		{"", IDsGraph, []string{ews.EventID, graph.EventID, graph.EventID}, []string{graph.EventID}},
		{IDsGraph, IDsGraph, []string{graph.EventID, graph.EventID}, []string{graph.EventID}},
		{IDsEWS, IDsEWS, []string{ews.EventID, ews.EventID}, []string{ews.EventID}},
	} {
		t.Run(c.mode+" where zoom wants "+c.wants, func(t *testing.T) {
			m := memory{}
			wanted := inForm(graph, c.wants)
			run := func(times int, want []string) {
				f := newFixture(t, func(cfg *Config) { cfg.ExchangeIDs, cfg.Memory = c.mode, m })
				f.srv.answerAPI(func(w http.ResponseWriter, r *http.Request) {
					raw, _ := io.ReadAll(r.Body)
					body := string(raw)
					if strings.Contains(body, wanted.EventID) && strings.Contains(body, wanted.ChangeKey) {
						w.WriteHeader(http.StatusAccepted)
						return
					}
					w.WriteHeader(http.StatusBadRequest)
					fmt.Fprint(w, `{"code":300,"message":"Invalid parameters."}`)
				})
				for range times {
					if err := f.CheckIn(t.Context(), ada, graph); err != nil {
						t.Fatal(err)
					}
				}
				var sent []string
				for _, q := range f.srv.calls() {
					for _, id := range []string{graph.EventID, ews.EventID} {
						if strings.Contains(q.body, id) {
							sent = append(sent, id)
						}
					}
				}
				if !slices.Equal(sent, want) {
					t.Errorf("sent %q, want %q", sent, want)
				}
			}
			run(2, c.first)
			run(1, c.then)
		})
	}
}

// What isn't about the parameters proves nothing about the form.
func TestOtherRefusalsTeachNothing(t *testing.T) {
	m := memory{}
	f := newFixture(t, func(cfg *Config) { cfg.Memory = m })
	f.srv.answerAPI(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"code":300,"message":"Zoom Room is offline. Please ensure that the Zoom Room is online."}`)
	})
	ref := rooms.EventRef{EventID: "AA-_bb=", ChangeKey: keyPairs[0][0], ResourceEmail: "ada@example.com"}
	if err := f.CheckIn(t.Context(), ada, ref); rooms.FaultOf(err).Kind != rooms.FaultRoomOffline {
		t.Fatal(err)
	}
	if n := len(f.srv.calls()); n != 1 || len(m) != 0 {
		t.Errorf("%d requests, learned %v", n, m)
	}
}
