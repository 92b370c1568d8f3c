package store

import (
	"bufio"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// kills is how often TestKill kills.
const kills = 15

// tapUntilKilled records pairs of actions from several goroutines and prints the name of each pair
// when it has been acknowledged.
func tapUntilKilled(path string) {
	j, err := KeepJournal(JournalConfig{Path: path, Log: slog.New(slog.NewTextHandler(os.Stderr, nil)), Clock: wallClock{}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var out sync.Mutex
	for g := range 4 {
		go func() {
			for i := 0; ; i++ {
				pair := fmt.Sprintf("%d-%d-%d", os.Getpid(), g, i)
				if err := j.Record(action(pair+"/a"), action(pair+"/b")); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				out.Lock()
				fmt.Println(pair)
				out.Unlock()
			}
		}()
	}
	select {}
}

// What was acknowledged is there after kill -9 at any point, and what was written together is there
// together.
func TestKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	acknowledged := make(map[string]bool)
	for range kills {
		killOne(t, path, acknowledged)
	}
	found := make(map[string]int)
	j := openJournal(t, path)
	for _, a := range actionsOf(t, j, "ada", time.Time{}) {
		pair, _, _ := strings.Cut(a.ID, "/")
		found[pair]++
		want := action(a.ID)
		if a != want {
			t.Errorf("got %+v, want %+v", a, want)
		}
	}
	for pair, n := range found {
		if n != 2 {
			t.Errorf("half of %s is there", pair)
		}
	}
	for pair := range acknowledged {
		if found[pair] == 0 {
			t.Errorf("%s was acknowledged and is lost", pair)
		}
	}
	t.Logf("%d pairs acknowledged, %d found after %d kills", len(acknowledged), len(found), kills)
}

// killOne lets a process record, kills it after a random number of acknowledgements, and adds all
// that it gave to acknowledged.
func killOne(t *testing.T, path string, acknowledged map[string]bool) {
	t.Helper()
	victim := exec.Command(os.Args[0])
	victim.Env = append(os.Environ(), asVictim+"="+path)
	victim.Stderr = os.Stderr
	pipe, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	until := 1 + rand.IntN(60)
	lines := bufio.NewReader(pipe)
	for n := 1; ; n++ {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // a line without its end was cut off: its pair was acknowledged all the same
		}
		acknowledged[strings.TrimSpace(line)] = true
		if n == until {
			if err := victim.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := victim.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the process ended by itself: %v", err)
	}
}
