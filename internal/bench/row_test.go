package main

import (
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	var b strings.Builder
	printTable(&b, []row{
		{what: "a", kiosk: "2", bare: "1", ratio: timesOf(2, 1), promise: "<= 3 x", verdict: verdictOf(true)},
		{what: "bb", kiosk: "9", promise: "<= 3", verdict: verdictOf(false), notes: []string{"why", "and how"}},
	})
	want := `what  kiosk  bare  ratio   promise  
----  -----  ----  -----   -------  
a     2      1     2.00 x  <= 3 x   ok
bb    9      -     -       <= 3     MISS

bb: why
    and how
`
	if b.String() != want {
		t.Errorf("printed\n%s\nwant\n%s", b.String(), want)
	}
}
