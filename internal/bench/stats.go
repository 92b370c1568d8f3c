package main

import (
	"cmp"
	"math"
	"slices"
)

// quantile is the smallest of the values that at least the share q of them doesn't exceed. There must
// be one value at least.
func quantile[T cmp.Ordered](values []T, q float64) T {
	sorted := slices.Sorted(slices.Values(values))
	at := int(math.Ceil(q*float64(len(sorted)))) - 1
	return sorted[min(max(at, 0), len(sorted)-1)]
}

// median is the lower one of two.
func median[T cmp.Ordered](values []T) T { return quantile(values, 0.5) }
