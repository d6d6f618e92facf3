package worker

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/transport"
)

// minHeartbeatPause is the least time from the end of one heartbeat, whose
// retries may take longer than the interval, to the next.
const minHeartbeatPause = time.Second

// sendHeartbeats sends heartbeats until the context ends: while idle, during a
// job, and during a drain until the job's finish is acknowledged. The first comes
// after the given time, a random part of the interval, so that workers which were
// started together do not send theirs together.
func (w *Worker) sendHeartbeats(ctx context.Context, first time.Duration) {
	timer := time.NewTimer(first)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		started := time.Now()
		err := w.config.Session.Heartbeat(ctx)
		timer.Reset(max(minHeartbeatPause, w.config.Heartbeat-time.Since(started)))
		switch {
		case err == nil || ctx.Err() != nil:
		case transport.Refused(err):
			w.send(input{event: fsm.Event{Kind: fsm.SessionRefused}, cause: err.Error(), err: err})
			return
		default:
			w.config.Logger.Warn("heartbeat failed; will retry", zap.Error(err))
		}
	}
}
