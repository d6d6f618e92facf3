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
// job, and during a drain until the job's finish is acknowledged. They come at moments
// that are whole intervals away from one: workers that share it wake their process
// together.
func (w *Worker) sendHeartbeats(ctx context.Context, moment time.Time) {
	interval := w.config.Heartbeat
	timer := time.NewTimer(untilNext(time.Now(), moment, interval))
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		err := w.config.Session.Heartbeat(ctx)
		timer.Reset(max(minHeartbeatPause, untilNext(time.Now(), moment, interval)))
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

// untilNext returns the time from now until the next moment that is a whole number of
// intervals away from one, more than zero.
func untilNext(now, moment time.Time, interval time.Duration) time.Duration {
	past := now.Sub(moment) % interval
	if past < 0 { // before the moment
		return -past
	}
	return interval - past
}
