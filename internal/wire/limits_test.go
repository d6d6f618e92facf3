package wire

import (
	"math"
	"testing"
)

// TestLimits checks the bounds of limits, and which of two sets apply.
func TestLimits(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		limits Limits
		ok     bool
	}{
		{Limits{}, true},
		{Limits{Memory: MinMemoryLimit, CPUs: MinCPUs, PIDs: 1}, true},
		{Limits{Memory: MaxMemoryLimit, CPUs: MaxCPUs, PIDs: math.MaxInt32}, true},
		{Limits{Memory: MinMemoryLimit - 1}, false},
		{Limits{Memory: MaxMemoryLimit + 1}, false},
		{Limits{Memory: -1}, false},
		{Limits{CPUs: MinCPUs / 2}, false},
		{Limits{CPUs: MaxCPUs + 1}, false},
		{Limits{CPUs: -1}, false},
		{Limits{CPUs: math.NaN()}, false},
		{Limits{CPUs: math.Inf(1)}, false},
		{Limits{PIDs: -1}, false},
		{Limits{PIDs: math.MaxInt32 + 1}, false},
	} {
		if err := tt.limits.Check(); (err == nil) != tt.ok {
			t.Errorf("%+v: %v", tt.limits, err)
		}
	}
	for _, tt := range []struct{ a, b, want Limits }{
		{Limits{}, Limits{}, Limits{}},
		{Limits{Memory: 5, CPUs: 2, PIDs: 9}, Limits{}, Limits{Memory: 5, CPUs: 2, PIDs: 9}},
		{Limits{Memory: 5, CPUs: 2, PIDs: 9}, Limits{Memory: 4, CPUs: 3}, Limits{Memory: 4, CPUs: 2, PIDs: 9}},
		{Limits{Memory: 5, PIDs: 9}, Limits{Memory: 6, CPUs: 1.5, PIDs: 8}, Limits{Memory: 5, CPUs: 1.5, PIDs: 8}},
	} {
		if got, back := tt.a.Within(tt.b), tt.b.Within(tt.a); got != tt.want || back != tt.want {
			t.Errorf("%+v within %+v: %+v and %+v, want %+v", tt.a, tt.b, got, back, tt.want)
		}
	}
}
