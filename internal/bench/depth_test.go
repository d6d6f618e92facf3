package main

import (
	"testing"
	"time"
)

func TestLongerComparesTheSameQuantile(t *testing.T) {
	var short, long []time.Duration
	for i := range 100 {
		short = append(short, time.Duration(i+1)*ms)
		long = append(long, time.Duration(2*(i+1))*ms)
	}
	long[99] = time.Hour // the maximum counts in neither
	for _, q := range []float64{median, percent99} {
		if got := longer(long, short, q); got != 2 {
			t.Errorf("quantile %v: %v times, want 2", q, got)
		}
	}
}
