package controlplane

import (
	"testing"
	"time"
)

// TestRetryAfterOfAStart sends some requests in each of three seconds, and shows what the
// last one of a second is asked to wait.
func TestRetryAfterOfAStart(t *testing.T) {
	for _, row := range []struct {
		name     string
		requests [3]int
		want     [3]int // seconds
	}{
		{"a few agents", [3]int{10, 10, 10}, [3]int{1, 1, 1}},
		{"a fleet that respects it", [3]int{20_000, 3000, 1}, [3]int{30, 30, 7}},
		{"one that stays away", [3]int{1000, 0, 1}, [3]int{3, 0, 1}},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := &gate{}
			now := time.Unix(1_700_000_000, 0)
			for i, n := range row.requests {
				got := 0
				for range n {
					got = g.retryAfter(now)
				}
				if got != row.want[i] {
					t.Errorf("second %d: got %d, want %d", i, got, row.want[i])
				}
				now = now.Add(time.Second)
			}
		})
	}
}
