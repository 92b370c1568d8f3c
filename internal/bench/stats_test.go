package main

import (
	"strings"
	"testing"
)

func TestQuantile(t *testing.T) {
	hundred := make([]int, 100)
	for i := range hundred {
		hundred[i] = 100 - i // 100 ... 1
	}
	tests := map[string]struct {
		values []int
		q      float64
		want   int
	}{
		"one":                {[]int{7}, 0.99, 7},
		"median of three":    {[]int{3, 1, 2}, 0.5, 2},
		"median of four":     {[]int{4, 3, 1, 2}, 0.5, 2},
		"all but one of 100": {hundred, 0.99, 99},
		"least":              {hundred, 0, 1},
		"most":               {hundred, 1, 100},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := quantile(tt.values, tt.q); got != tt.want {
				t.Errorf("quantile %g: %d, want %d", tt.q, got, tt.want)
			}
		})
	}
}

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
