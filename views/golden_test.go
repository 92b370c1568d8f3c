package views

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/a-h/templ"
	"github.com/google/go-cmp/cmp"

	"roomkiosk/static"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden compares what every sample looks like in HTML with testdata/golden. After a change that
// was meant: go test ./views -run TestGolden -update, and read the difference.
func TestGolden(t *testing.T) {
	assets := static.Load()
	o := Options{ShowTitles: true, Build: "test", Assets: assets}
	for _, s := range Samples() {
		panel, viewer := o, o
		panel.Panel, panel.ReadOnly = true, s.ReadOnly
		golden(t, s.Name+".panel", RoomPart(NewRoom(s.Screen, panel)))
		golden(t, s.Name+".viewer", RoomPart(NewRoom(s.Screen, viewer)))
	}
	first := Samples()[0].Screen
	untold := o
	untold.ShowTitles = false
	golden(t, "titles-hidden.viewer", RoomPart(NewRoom(first, untold)))
	golden(t, "page.viewer", RoomPage(NewRoom(first, o)))
	golden(t, "page.board", BoardPage(NewBoard(boardSample(), o)))
	golden(t, "page.board-empty", BoardPage(NewBoard(nil, o)))
	golden(t, "page.error", ErrorPage(problemSample(assets)))
	for name, h := range historySamples(assets) {
		golden(t, "page."+name, HistoryPage(h))
	}
	golden(t, "page.setup", SetupFaultPage(setupSample(assets)))
}

func golden(t *testing.T, name string, c templ.Component) {
	t.Helper()
	file := filepath.Join("testdata", "golden", name+".html")
	got := readable(html(t, c))
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file) // #nosec G304 -- a file of this test
	if err != nil {
		t.Fatalf("%v: write it with -update", err)
	}
	if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); d != "" {
		t.Errorf("%s changed (-golden +now):\n%s", name, d)
	}
}

// html renders a component.
func html(t testing.TB, c templ.Component) string {
	t.Helper()
	var b bytes.Buffer
	if err := c.Render(t.Context(), &b); err != nil {
		t.Fatalf("rendering: %v", err)
	}
	return b.String()
}

var assetHash = regexp.MustCompile(`(/static/\w+)\.[0-9a-f]+\.`)

// readable puts every tag on its line, and takes out what changes with every edit of a style sheet.
func readable(page string) string {
	page = strings.ReplaceAll(page, sprite, "<!-- icons -->")
	page = assetHash.ReplaceAllString(page, "$1.HASH.")
	return strings.ReplaceAll(page, "><", ">\n<") + "\n"
}
