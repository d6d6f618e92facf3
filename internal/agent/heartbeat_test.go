package agent

import (
	"testing"
	"time"
)

// TestHeartbeatAt checks that the workers of one process share few moments of an
// interval, which are spread over it.
func TestHeartbeatAt(t *testing.T) {
	t.Parallel()
	const interval = 10 * time.Second
	epoch := time.Now()
	workers := map[time.Duration]int{}
	for i := range 200 {
		workers[heartbeatAt(epoch, i, interval).Sub(epoch)]++
	}
	for i := range heartbeatMoments {
		if at := time.Duration(i) * (interval / heartbeatMoments); workers[at] != 200/heartbeatMoments {
			t.Errorf("%d workers after %v", workers[at], at)
		}
	}
	if len(workers) != heartbeatMoments {
		t.Errorf("moments %v", workers)
	}
}
