package harness

import (
	"cmp"
	"math"
	"slices"
)

// Quantile is the smallest of the values that at least the share q of them doesn't exceed. There must
// be one value at least.
func Quantile[T cmp.Ordered](values []T, q float64) T {
	sorted := slices.Sorted(slices.Values(values))
	at := int(math.Ceil(q*float64(len(sorted)))) - 1
	return sorted[min(max(at, 0), len(sorted)-1)]
}

// Median is the lower one of two.
func Median[T cmp.Ordered](values []T) T { return Quantile(values, 0.5) }
