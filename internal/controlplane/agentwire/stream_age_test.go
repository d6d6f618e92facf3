package agentwire

import (
	"testing"
	"testing/synctest"
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

// The streams of one connection have their keep-alives at the same moments, whenever they
// were opened and last had a message, and those of many connections at all moments.
func TestKeepAlivesOfAConnection(t *testing.T) {
	t.Parallel()
	const keepAlive = 30 * time.Second
	synctest.Test(t, func(t *testing.T) {
		h := New(nil, Options{KeepAlive: keepAlive})
		moments := map[time.Duration]bool{}
		for _, connection := range []string{"192.0.2.1:1000", "192.0.2.1:1001", "192.0.2.2:1000"} {
			s := &openStream{handler: h, phase: h.phaseOf(connection), ends: time.Now().Add(time.Hour)}
			var first time.Duration
			for n := range 10 {
				time.Sleep(7 * time.Second)
				next := s.untilNext()
				if next <= 0 || next > keepAlive {
					t.Errorf("the next keep-alive is in %v, with one every %v", next, keepAlive)
				}
				at := time.Now().Add(next).Sub(h.started) % keepAlive
				if n == 0 {
					first = at
				}
				if at != first {
					t.Errorf("streams of one connection have keep-alives %v and %v after the start of an interval", first, at)
				}
			}
			moments[first] = true
		}
		if len(moments) == 1 {
			t.Error("every connection has the same moments")
		}
		s := &openStream{handler: h, ends: time.Now().Add(time.Millisecond)}
		if next := s.untilNext(); next > time.Millisecond {
			t.Errorf("a stream that ends in 1 ms is awake in %v", next)
		}
	})
}
