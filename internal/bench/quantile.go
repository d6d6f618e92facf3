package main

import (
	"math"
	"slices"
	"time"
)

const (
	half       = 0.5
	percent99  = 0.99
	permille   = 0.999
	everything = 1.0
)

// quantile is the smallest sample that at least the share q of all samples do
// not exceed (nearest rank); zero where there are none.
func quantile(samples []time.Duration, q float64) time.Duration {
	if len(samples) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(samples))
	rank := int(math.Ceil(q * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}
