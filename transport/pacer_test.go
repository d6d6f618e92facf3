package transport

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard-ci/switchyard/transport/pace"
)

// TestPacerWaits shows that a wait ends when the attempt is due, also when it is
// brought forward, and when the context ends. The rules are tested in package pace.
func TestPacerWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pacer := newPacer(10 * time.Second)
		pacer.start(false)
		started := time.Now()
		if err := pacer.wait(t.Context()); err != nil || time.Since(started) > 100*time.Millisecond {
			t.Errorf("the first attempt: %v after %s", err, time.Since(started))
		}

		pacer.ended(pace.StreamRefused, 0)
		pacer.step(pace.PingFailed)
		refused := time.Now()
		time.AfterFunc(time.Minute, func() { pacer.step(pace.PingSucceeded) })
		if err := pacer.wait(t.Context()); err != nil || time.Since(refused) > 61*time.Second {
			t.Errorf("brought forward: %v after %s", err, time.Since(refused))
		}

		if wait := pacer.ended(pace.StreamRefused, 0); wait < 8*time.Minute || wait > 12*time.Minute {
			t.Errorf("planned in %s", wait)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		ending := time.Now()
		if err := pacer.wait(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(ending) != time.Second {
			t.Errorf("the context's end: %v after %s", err, time.Since(ending))
		}
	})
}
