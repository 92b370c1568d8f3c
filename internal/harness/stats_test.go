package harness

import "testing"

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
			if got := Quantile(tt.values, tt.q); got != tt.want {
				t.Errorf("quantile %g: %d, want %d", tt.q, got, tt.want)
			}
		})
	}
}
