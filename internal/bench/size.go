package main

import (
	"context"
	"fmt"
	"os"
)

const promiseSize = 20e6 // bytes

// measureSize looks at the binary.
func measureSize(_ context.Context, b *bench) ([]row, error) {
	size := map[string]float64{}
	for _, binary := range []string{b.kiosk, b.bare} {
		info, err := os.Stat(binary)
		if err != nil {
			return nil, fmt.Errorf("looking at a binary: %w", err)
		}
		size[binary] = float64(info.Size())
	}
	a, z := size[b.kiosk], size[b.bare]
	return []row{{
		what: "binary, stripped", kiosk: mb(a), bare: mb(z), ratio: timesOf(a, z),
		promise: "<= " + mb(promiseSize), verdict: verdictOf(a <= promiseSize),
		notes: []string{"bare: a program of net/http, gorilla and Echo, without SQLite"},
	}}, nil
}
