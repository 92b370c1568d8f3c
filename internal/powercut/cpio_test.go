package main

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

// unpacked reads an archive as the kernel does: name, mode in octal, content.
func unpacked(t *testing.T, archive []byte) []string {
	t.Helper()
	var entries []string
	for at := 0; ; {
		if string(archive[at:at+6]) != "070701" || at%4 != 0 {
			t.Fatalf("no header at %d", at)
		}
		field := func(n int) int {
			v, err := strconv.ParseInt(string(archive[at+6+8*n:at+14+8*n]), 16, 32)
			if err != nil {
				t.Fatal(err)
			}
			return int(v)
		}
		mode, size, named := field(1), field(6), field(11)
		name := string(archive[at+110 : at+110+named-1])
		if name == "TRAILER!!!" {
			return entries
		}
		content := (at + 110 + named + 3) &^ 3
		entries = append(entries, name+" "+strconv.FormatInt(int64(mode), 8)+" "+string(archive[content:content+size]))
		at = (content + size + 3) &^ 3
	}
}

func TestArchive(t *testing.T) {
	a := newArchive()
	a.console()
	a.program("lib/of/it.so", []byte("odd"))
	a.program("lib/other.so", []byte("even"))
	got := unpacked(t, a.end())
	want := []string{"dev 40755 ", "dev/console 20600 ", "lib 40755 ", "lib/of 40755 ", "lib/of/it.so 100755 odd", "lib/other.so 100755 even"}
	if !slices.Equal(got, want) {
		t.Errorf("got %s\nwant %s", strings.Join(got, "|"), strings.Join(want, "|"))
	}
}
