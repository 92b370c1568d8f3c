package main

import (
	"strings"
	"testing"
	"time"
)

// TestLoad runs everything small. It asserts what doesn't depend on how busy the machine is; the figures
// are for the log.
func TestLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it builds and runs the kiosk for 10 s")
	}
	var out strings.Builder
	// More rubbish than this machine's own addresses may send: 4,000 tokens, 1,000 a second, 5 a request.
	f, err := measure(t.Context(), options{panels: 200, rooms: 20, rubbish: 1000, connections: 64, lasting: 3 * time.Second, down: time.Second}, &out)
	t.Log("\n" + out.String())
	if err != nil {
		t.Fatal(err)
	}
	if len(f.back) != 200 {
		t.Errorf("%d browsers are back", len(f.back))
	}
	for when, taps := range map[string]tapping{"without rubbish": f.calm, "with rubbish": f.loud} {
		if len(taps.took) != 100 || taps.failed != 0 {
			t.Errorf("%s: %v", when, taps)
		}
	}
	refused, most := f.flood.answers[429], 4000/5+int(f.flood.lasted.Seconds()*1000/5)
	if passed := f.flood.total() - refused; f.flood.total() > 2*most && refused == 0 || passed > most+most/2 {
		t.Errorf("of the rubbish %d passed, %d were refused", passed, refused)
	}
	if grown := f.loudMemory - f.calmMemory; grown > 32e6 {
		t.Errorf("the flood took %.0f MB", grown/1e6)
	}
}
