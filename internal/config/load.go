package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
)

// maxFile bounds the size of the file: 10,000 rooms take about 3 MB.
const maxFile = 8 << 20

// loader turns one file into a Config and collects what is wrong with it.
type loader struct {
	file     string
	getenv   func(string) string
	private  bool // the file can be read by its owner alone
	lines    lineIndex
	problems []Problem
	warnings []Problem
}

// load reads the file. What it returns is of use only when there are no problems.
func (l *loader) load() *Config {
	text, mode, err := readFile(l.file, maxFile)
	if err != nil {
		l.problems = append(l.problems, Problem{
			Reason: fmt.Sprintf("the file cannot be read: %v", err),
			Remedy: "Give the path of the configuration with --config.",
		})
		return nil
	}
	l.private = mode.Perm()&0o077 == 0
	return l.parse(string(text))
}

// parse does the rest of load.
func (l *loader) parse(text string) *Config {
	var values map[string]any
	if _, err := toml.Decode(text, &values); err != nil {
		l.problems = append(l.problems, syntaxProblem(err))
		return nil
	}
	l.lines = indexLines(text)
	return l.document(l.table(&path{}, "", "", values))
}

// document reads the whole of the file.
func (l *loader) document(t *table) *Config {
	cfg := &Config{
		File:      l.file,
		Listen:    t.listen("listen"),
		DataDir:   l.beside(t.text("data_dir", DefaultDataDir)),
		Zone:      t.zone("time_zone"),
		Language:  t.language("language", DefaultLanguage),
		ClockMode: ClockMode(t.oneOf("clock", string(ClockAuto), string(ClockTrusted))),
		Hosts:     t.hosts("hosts"),
		Zoom:      l.zoom(t.table("zoom", "zoom: ")),
	}
	if cfg.Zone == nil {
		cfg.Zone = time.UTC // for the rest of the check; the configuration is refused
	}
	l.calendars(cfg, t.tables("calendar",
		"Add a [[calendar]] table for the service that the rooms' calendars are on.", label("calendar", "name")))
	_, hasZoom := t.values["zoom"]
	l.rooms(cfg, t.tables("room", "Add a [[room]] table for each door.", label("room", "id")), hasZoom)
	t.finish()
	return cfg
}

// beside takes a relative name as beside the file.
func (l *loader) beside(name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(filepath.Dir(l.file), name)
}

// ListenOf returns what the file at path says to listen on, even when the rest of it is broken, and
// [DefaultListen] when that can't be told: a page about the fault has to be shown somewhere.
func ListenOf(path string) string {
	text, _, err := readFile(path, maxFile)
	if err != nil {
		return DefaultListen
	}
	var doc map[string]any
	if _, err := toml.Decode(string(text), &doc); err == nil {
		return listenIn(doc)
	}
	for line := range strings.Lines(strings.TrimPrefix(string(text), "\ufeff")) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			break // it stands above the first table, or it is another key
		}
		doc = nil
		if _, err := toml.Decode(line, &doc); err == nil && doc["listen"] != nil {
			return listenIn(doc)
		}
	}
	return DefaultListen
}

func listenIn(doc map[string]any) string {
	if s, ok := doc["listen"].(string); ok && validListen(s) {
		return s
	}
	return DefaultListen
}

// readFile reads a regular file of at most limit bytes. Its errors don't repeat the path.
func readFile(path string, limit int64) (text []byte, mode fs.FileMode, err error) {
	info, err := os.Stat(path) // before opening: that would wait for the writer of a pipe
	switch {
	case err != nil:
		return nil, 0, bare(err)
	case info.IsDir():
		return nil, 0, errors.New("it is a directory")
	case !info.Mode().IsRegular():
		return nil, 0, errors.New("it is not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, bare(err)
	}
	defer func() { _ = f.Close() }() // only read
	text, err = io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, 0, bare(err)
	case int64(len(text)) > limit:
		return nil, 0, fmt.Errorf("it is larger than %d bytes", limit)
	}
	return text, info.Mode(), nil
}

// bare takes the path out of an error: the reader knows it, and it may hold what should not be shown.
func bare(err error) error {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}
