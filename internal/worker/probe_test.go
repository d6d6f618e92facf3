package worker_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/worker"
)

// TestProbe checks that the loop of a worker responds while it goes on, and that a probe of
// one that is stuck in an observer ends with its context.
func TestProbe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var stick atomic.Bool
		c := newControl()
		h := newHarness(t, c, c.mux)
		defer h.close()
		release := make(chan struct{})
		h.start(t, worker.Config{
			RunJob: h.runJob, Machine: fsm.Config{Mode: fsm.PollOnly},
			Observe: func(fsm.Record) {
				if stick.Load() {
					<-release
				}
			},
		})
		probe := func() error {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			return h.worker.Probe(ctx)
		}
		if err := probe(); err != nil {
			t.Error(err)
		}
		stick.Store(true)
		time.Sleep(time.Minute) // it pings meanwhile
		if err := probe(); err == nil || !strings.Contains(err.Error(), "its loop does not respond") {
			t.Errorf("error %v of a loop that is stuck", err)
		}
		stick.Store(false)
		close(release)
		if err := probe(); err != nil {
			t.Errorf("released: %v", err)
		}
		h.worker.Drain()
		<-h.ended
		if err := probe(); err != nil {
			t.Errorf("after its end: %v", err)
		}
	})
}
