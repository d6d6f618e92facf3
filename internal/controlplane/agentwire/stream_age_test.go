package agentwire

import (
	"testing"
	"time"
)

// The ages of streams are spread evenly over the last fifth of the maximum age.
func TestStreamAge(t *testing.T) {
	t.Parallel()
	const (
		maximum = 30 * time.Minute
		minimum = 24 * time.Minute
		parts   = 6 // of a minute each
		streams = 6000
	)
	var ends [parts]int
	for range streams {
		age := streamAge(maximum)
		if age <= minimum || age > maximum {
			t.Fatalf("stream age %v is outside of %v to %v", age, minimum, maximum)
		}
		ends[min(parts-1, (age-minimum)/time.Minute)]++
	}
	for minute, n := range ends {
		if n < streams/parts/2 || n > streams/parts*2 {
			t.Errorf("%d of %d streams end in minute %d of the last %d: %v", n, streams, minute, parts, ends)
		}
	}
}
