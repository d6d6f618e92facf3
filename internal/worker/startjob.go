package worker

import (
	"context"
	"errors"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/job"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// startJob requests a job and runs it in a goroutine, and sends its end to the
// loop: rejected if it was not started, finished otherwise.
func (w *Worker) startJob(
	ctx context.Context, id fsm.JobID, request func(context.Context, string) (wire.Job, error),
) {
	acceptCtx, cancelAccept := context.WithCancel(ctx)
	jobCtx, cancelJob := context.WithCancelCause(ctx)
	w.cancelAccept = cancelAccept
	w.cancelJob = func() { cancelJob(job.ErrAgentStop) }
	w.tasks.Go(func() {
		defer cancelAccept()
		defer cancelJob(context.Canceled)
		in := input{event: fsm.Event{Kind: fsm.JobRejected, Job: id}}
		accepted, err := request(acceptCtx, string(id))
		if err != nil {
			in.cause, in.err = err.Error(), err
			w.send(in)
			return
		}
		result, err := w.config.RunJob(jobCtx, accepted)
		if errors.Is(err, job.ErrAbandoned) {
			in.cause = err.Error()
			w.send(in)
			return
		}
		in.event.Kind = fsm.JobFinished
		in.cause = wire.Ending(result.ExitStatus, result.Signal, result.SignalReason)
		logEnd(w.config.Logger, accepted, result, err)
		w.send(in)
	})
}
