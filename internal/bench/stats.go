package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Quantiles.
const (
	median     = 0.5
	percent99  = 0.99
	percent999 = 0.999
	maximum    = 1.0
)

// quantile returns the q-quantile of the samples by nearest rank: the smallest
// sample that is not less than the share q of all samples. It returns zero if
// there are none.
func quantile(samples []time.Duration, q float64) time.Duration {
	if len(samples) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(samples))
	rank := int(math.Ceil(q * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// spread returns quantiles of the samples in words, in milliseconds, such as
// "p50 1.00, p99 2.50, max 3.00 ms".
func spread(samples []time.Duration, quantiles ...float64) string {
	words := make([]string, len(quantiles))
	for i, q := range quantiles {
		name := "max"
		if q < maximum {
			name = fmt.Sprintf("p%g", 100*q)
		}
		words[i] = name + " " + milliseconds(quantile(samples, q))
	}
	return strings.Join(words, ", ") + " ms"
}

// milliseconds returns a time as a number with two decimals, without its unit.
func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.2f", float64(d)/float64(time.Millisecond))
}

// seconds returns a time as a number with two decimals, without its unit.
func seconds(d time.Duration) string { return fmt.Sprintf("%.2f", d.Seconds()) }
