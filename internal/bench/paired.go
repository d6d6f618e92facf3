package main

import (
	"fmt"
	"slices"
)

// confidence is how sure an interval of a median is, at least.
const confidence = 0.95

// interval is the median of some values, with the interval that has the median of all values
// that could have been measured, with the confidence. known is false if there are too few
// values for one.
type interval struct {
	low, median, high float64
	known             bool
}

// medianInterval returns the interval of the sign test: between two values of equal rank from
// both ends. It assumes that the values are independent, and nothing about how they spread.
func medianInterval(values []float64) interval {
	if len(values) == 0 {
		return interval{}
	}
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	i := interval{low: sorted[0], median: (sorted[(n-1)/2] + sorted[n/2]) / 2, high: sorted[n-1]}
	// The median of all is below the value of rank k with the chance that fewer than k of n
	// coins show heads.
	chance := 1.0 // of exactly k heads
	for range n {
		chance /= 2
	}
	below := 0.0 // of at most k heads
	for k := range n / 2 {
		below += chance
		if 2*below > 1-confidence {
			break
		}
		i.low, i.high, i.known = sorted[k], sorted[n-1-k], true
		chance *= float64(n-k) / float64(k+1)
	}
	return i
}

// Words for a difference beside its bound.
const (
	within     = "within"
	over       = "over"
	cannotTell = "cannot tell"
)

// against compares the interval with the most that the median may be.
func (i interval) against(bound float64) string {
	switch {
	case !i.known:
		return cannotTell
	case i.high <= bound:
		return within
	case i.low > bound:
		return over
	default:
		return cannotTell
	}
}

// words returns the interval with a unit, such as "+0.40 % (-0.10 to +0.90)".
func (i interval) words(unit string) string {
	return fmt.Sprintf("%+.2f %s (%+.2f to %+.2f)", i.median, unit, i.low, i.high)
}
