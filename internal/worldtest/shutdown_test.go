package worldtest

import (
	"testing"
	"time"
)

// shutdownBound is how long a control plane may take to end, whatever the store does.
const shutdownBound = 3 * time.Second

// A control plane ends within seconds while its store is away, or is back without its
// streams, however far its watches are in their attempts to read on.
func TestShutdownWhileTheStoreIsAway(t *testing.T) {
	for name, row := range map[string]struct {
		away, back time.Duration // back is how long a server without streams is there
	}{
		"just away":       {0, 0},
		"away":            {10 * time.Second, 0},
		"long away":       {5 * time.Minute, 0},
		"just back":       {10 * time.Second, 5 * time.Second},
		"back":            {10 * time.Second, 12 * time.Second},
		"back for longer": {10 * time.Second, 31 * time.Second},
		"long back":       {time.Minute, 5 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				w := newWorld(t, 1)
				defer w.close()
				pass(time.Second)
				w.storage.stop()
				pass(row.away)
				if row.back > 0 {
					must(t, w.storage.startWith(false))
					pass(row.back)
				}
				r := w.replicas[0]
				begun := time.Now()
				r.Audit.Close()
				r.Access.Close()
				r.Dispatcher.Close()
				r.Store.Close()
				if took := time.Since(begun); took > shutdownBound {
					t.Errorf("the shutdown took %v, want at most %v", took, shutdownBound)
				}
			})
		})
	}
}
