package worker

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/transport"
)

// beat sends heartbeats, on a clock of their own, until the context ends: while
// idle, through a job, and through a drain until the job's finish is
// acknowledged.
func (w *Worker) beat(ctx context.Context) {
	ticker := time.NewTicker(w.Heartbeat)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		err := w.Session.Heartbeat(ctx)
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
