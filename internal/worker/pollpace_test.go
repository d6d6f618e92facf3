package worker

import (
	"testing"
	"time"
)

// TestPollPace holds pings to one an interval, jittered over its length, and to
// what Retry-After asks.
func TestPollPace(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	const interval = 2 * time.Second
	for _, c := range []struct {
		name    string
		holdOff time.Duration // asked for at the beginning
		after   time.Duration // when the next ping is looked for
		where   float64
		now     time.Duration
		later   time.Duration
	}{
		{"the earliest", 0, 0, 0, 0, time.Second},
		{"the middle", 0, 0, 0.5, 0, 2 * time.Second},
		{"the latest", 0, 0, 0.999, 0, 2998 * time.Millisecond},
		{"left alone", time.Minute, 0, 0, time.Minute, time.Minute},
		{"left alone, and apart after it", time.Minute, 0, 0.5, 61 * time.Second, 61 * time.Second},
		{"left alone for the rest", time.Minute, 59 * time.Second, 0.5, 2 * time.Second, 2 * time.Second},
		{"left alone for less than half an interval", time.Minute, 59500 * time.Millisecond, 0.5, 1500 * time.Millisecond, 2 * time.Second},
		{"left alone long enough", time.Minute, 2 * time.Minute, 0.5, 0, 2 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var p pollPace
			p.holdOff(begin, c.holdOff)
			at := begin.Add(c.after)
			if got := p.now(at, interval, c.where); got != c.now {
				t.Errorf("now: %v, want %v", got, c.now)
			}
			if got := p.later(at, interval, c.where); got != c.later {
				t.Errorf("later: %v, want %v", got, c.later)
			}
		})
	}
}
