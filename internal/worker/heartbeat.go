package worker

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/transport"
)

// beatAgain is the least time from the end of a heartbeat, which may have been
// tried for longer than the interval, to the next.
const beatAgain = time.Second

// beat sends heartbeats, on a clock of their own, until the context ends: while
// idle, through a job, and through a drain until the job's finish is
// acknowledged. The first comes after the given time, a random part of the
// interval: workers that were started together do not beat together.
func (w *Worker) beat(ctx context.Context, first time.Duration) {
	timer := time.NewTimer(first)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		began := time.Now()
		err := w.Session.Heartbeat(ctx)
		timer.Reset(max(beatAgain, w.Heartbeat-time.Since(began)))
		switch {
		case err == nil || ctx.Err() != nil:
		case transport.Refused(err):
			w.post(news{event: fsm.Event{Kind: fsm.SessionRefused}, cause: err.Error(), err: err})
			return
		default:
			w.Logger.Warn("no heartbeat arrived; the next one may", zap.Error(err))
		}
	}
}
