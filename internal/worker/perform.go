package worker

import (
	"context"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
)

// perform carries out one effect. It never blocks: what takes time runs in a
// goroutine of its own and posts an event.
func (w *Worker) perform(ctx context.Context, e fsm.Effect) {
	switch e.Kind {
	case fsm.OpenStream:
		w.tasks.Go(func() { w.stream(ctx) })
	case fsm.ArmTrust:
		w.trusted = e.Epoch
		w.trust.Reset(w.FirstMessageDeadline)
	case fsm.ArmPollNow:
		w.poll.Reset(w.pace.now(time.Now(), w.Session.PingInterval(), w.Rand.Float64()))
	case fsm.ArmPollLater:
		w.poll.Reset(w.pace.later(time.Now(), w.Session.PingInterval(), w.Rand.Float64()))
	case fsm.DisarmPoll:
		w.poll.Stop()
	case fsm.SendPing:
		ping, cancel := context.WithCancel(ctx)
		w.cancelPing = cancel
		w.tasks.Go(func() {
			defer cancel()
			w.ping(ping, e.Epoch)
		})
	case fsm.CancelPing:
		w.cancelPing()
	case fsm.StartJob, fsm.AcquireJob:
		w.startJob(ctx, e)
	case fsm.StopAccepting:
		w.cancelAccept()
	case fsm.CancelJob:
		w.cancelAccept()
		w.cancelJob()
	case fsm.Stop:
		w.stopped = e.Reason
	}
}
