package agentwire

import (
	"testing"
	"time"
)

// Streams that were opened together end spread over the last fifth of their
// greatest age, and none of them outlives it.
func TestStreamsEndSpreadOverTheLastFifth(t *testing.T) {
	t.Parallel()
	const (
		greatest = 30 * time.Minute
		least    = 24 * time.Minute
		parts    = 6 // of a minute each
		streams  = 6000
	)
	var ends [parts]int
	for range streams {
		age := streamAge(greatest)
		if age <= least || age > greatest {
			t.Fatalf("a stream would end at %v, outside of %v to %v", age, least, greatest)
		}
		ends[min(parts-1, (age-least)/time.Minute)]++
	}
	for minute, n := range ends {
		if n < streams/parts/2 || n > streams/parts*2 {
			t.Errorf("%d of %d streams end in minute %d of the last %d: %v", n, streams, minute, parts, ends)
		}
	}
}
