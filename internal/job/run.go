package job

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/job/joblink"
)

// Run runs one job from its start to its finish and returns when both the
// process and the finish are over.
//
// Cancelling ctx cancels the job; give the cause (see [ErrCanceled]). Before
// and while the control plane is told of the start, it ends Run early instead;
// when it is not known then whether the start has arrived, a finish is sent,
// which a control plane that had not seen the start refuses without harm.
//
// A command that fails is no error: its status is in the result. An error is
// one or several [PhaseError]s, or wraps [ErrAbandoned], which alone means that
// the control plane does not regard the job as started here. Concurrent calls
// are allowed, for different jobs.
func Run(ctx context.Context, spec Spec, cp ControlPlane, opts Options) (Result, error) {
	opts, err := opts.WithDefaults()
	if err != nil {
		return Result{}, abandoned(PhaseSpec, err)
	}
	spec, err = spec.withDefaults()
	if err != nil {
		return Result{}, abandoned(PhaseSpec, err)
	}
	r := &run{
		spec:   spec,
		opts:   opts,
		cp:     cp,
		logger: opts.Logger.With(zap.String("job", spec.ID)),
		result: Result{ExitStatus: StatusNeverRan},
	}
	return r.run(ctx)
}

func abandoned(phase Phase, err error) error {
	return fmt.Errorf("%w: %w", ErrAbandoned, &PhaseError{Phase: phase, Err: err})
}

// run is one call of Run. Only the goroutine of that call uses it.
type run struct {
	spec   Spec
	opts   Options
	cp     ControlPlane
	logger *zap.Logger

	result   Result
	errs     []error
	files    string          // the folder of what the executor is given; empty if there is none
	watching sync.WaitGroup  // the questions for the job's state
	owed     owed            // what is in the spool
	link     *joblink.Server // nil if the job cannot add secrets
}

func (r *run) run(ctx context.Context) (Result, error) {
	if ctx.Err() != nil {
		return Result{}, abandoned(PhaseStart, context.Cause(ctx))
	}
	r.result.StartedAt = time.Now()
	r.openSpool()
	defer r.closeSpool()
	if err := r.cp.Start(ctx, r.result.StartedAt); err != nil {
		if ctx.Err() == nil {
			return Result{}, abandoned(PhaseStart, err)
		}
		r.fail(PhaseStart, fmt.Errorf("%w (%w)", context.Cause(ctx), err))
		r.canceled(context.Cause(ctx))
		r.result.FinishedAt = time.Now()
		r.finish(ctx)
		return r.result, errors.Join(r.errs...)
	}
	defer r.unlink()
	defer r.watching.Wait() // only now: a question that is slow to end does not hold up the finish
	if r.spec.ChunkMaxSize == 0 {
		r.result.SignalReason = ReasonAgentRefused
		r.result.FinishedAt = time.Now()
		r.fail(PhaseSpec, errors.New("the control plane allows chunks of 0 bytes (chunks_max_size_bytes), so output has nowhere to go"))
	} else {
		workspace := r.execute(ctx)
		defer r.discard(workspace)
	}
	r.finish(ctx)
	return r.result, errors.Join(r.errs...)
}

// execute runs the command and uploads its output. It gives the working
// directory, which is left for the caller to remove once the control plane
// knows the result; empty if none was made.
func (r *run) execute(ctx context.Context) string {
	jobCtx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if r.spec.Timeout > 0 {
		var stopClock context.CancelFunc
		jobCtx, stopClock = context.WithDeadlineCause(jobCtx, r.result.StartedAt.Add(r.spec.Timeout), ErrTimedOut)
		defer stopClock()
	}
	watchCtx, stopWatching := context.WithCancel(jobCtx)
	defer stopWatching()
	r.watching.Go(func() { watchState(watchCtx, r.cp, r.opts.StatusInterval, cancel, r.logger) })
	up := newUploader(context.WithoutCancel(ctx), r.cp, r.spec, r.logger)
	up.spoolTo(r.owed.entry, r.opts.SpoolSize)
	r.hide(up)
	workspace, cmd, out := r.launch(jobCtx, up)
	var end ending
	if cmd != nil {
		end = supervise(jobCtx, cmd, r.opts.CancelGrace, r.opts.KillWait)
	}
	r.result.FinishedAt = time.Now()
	stopWatching()
	flushCtx, stopFlushing := linger(ctx, r.opts.FlushTimeout, r.opts.LeaveTimeout)
	defer stopFlushing()

	// From here on a deadline bounds what waits for uploads: the reader of the
	// pipe, and the flush.
	defer context.AfterFunc(flushCtx, up.abort)()
	if cmd != nil {
		r.settle(end, cmd, out, up)
	}
	r.spoolResult(up) // before the flush, which may take long
	up.flush()
	r.spoolResult(up)
	r.result.ChunksFailed, r.result.OutputBytes = up.failed, up.total()
	if up.failed > 0 {
		r.fail(PhaseFlush, fmt.Errorf("%d chunks of output did not reach the control plane", up.failed))
	}
	return workspace
}

// launch prepares the job and starts its command. When it cannot, it says so in
// the job's log and in the result, and gives no command.
func (r *run) launch(ctx context.Context, up *uploader) (string, *command, *output) {
	if ctx.Err() != nil {
		r.canceled(context.Cause(ctx))
		up.linef("%v before its command was run", context.Cause(ctx))
		return "", nil, nil
	}
	workspace, err := r.workspace()
	if err != nil {
		r.neverRan(PhasePrepare, up, err)
		return "", nil, nil
	}
	t, err := r.prepare(ctx, workspace, up)
	if ctx.Err() != nil {
		r.canceled(context.Cause(ctx))
		up.linef("%v before its command was run", context.Cause(ctx))
		return workspace, nil, nil
	}
	if err != nil {
		r.neverRan(PhasePrepare, up, err)
		return workspace, nil, nil
	}
	open := newOutput
	if t.terminal {
		open = newTerminal
	}
	out, err := open()
	if err != nil {
		r.neverRan(PhasePrepare, up, err)
		return workspace, nil, nil
	}
	cmd, err := startCommand(r.opts, t, out.write)
	if err != nil {
		out.discard()
		r.neverRan(PhaseProcess, up, err)
		return workspace, nil, nil
	}
	out.copyTo(up.front)
	r.logger.Info("the job's command is started", zap.Int("pid", cmd.pid()), zap.String("directory", workspace))
	return workspace, cmd, out
}

// settle takes what is left of the output, ends what is left of the process
// group, and notes how the command ended.
func (r *run) settle(end ending, cmd *command, out *output, up *uploader) {
	closeBy := r.result.FinishedAt.Add(r.opts.PipeGrace)
	if end.cause != nil { // the grace is the whole group's, not the command's alone; it is over if that was killed
		closeBy = end.signaledAt.Add(r.opts.CancelGrace)
	}
	held := out.settle(closeBy, func() { cmd.endGroup(r.logger) })
	if end.gone {
		var err error
		if r.result.ExitStatus, r.result.Signal, err = cmd.exit(); err != nil {
			r.fail(PhaseProcess, err)
			up.linef("%v", err)
		}
	} else {
		cmd.leave()
		r.fail(PhaseProcess, fmt.Errorf("process %d is still there %v after SIGKILL", cmd.pid(), r.opts.KillWait))
		up.linef("the command did not end within %v of SIGKILL; it was left behind", r.opts.KillWait)
	}
	if end.cause != nil {
		r.canceled(end.cause)
		up.linef("%s", end.describe(r.opts))
	}
	if held && !end.killed {
		up.linef("the command ended, but a process that it had started held its output open until %v later; "+
			"what that process wrote since is not in this log", time.Since(r.result.FinishedAt).Round(time.Millisecond))
	}
}

// neverRan notes that the command could not be run, in the result, in the job's
// log and for the caller.
func (r *run) neverRan(phase Phase, up *uploader, err error) {
	r.result.SignalReason = ReasonProcessRunError
	r.fail(phase, err)
	up.linef("cannot run the job: %v", err)
}

// canceled notes why the job was cancelled.
func (r *run) canceled(cause error) {
	r.result.Canceled = cause
	r.result.SignalReason = ReasonCancel
	if leaving(cause) {
		r.result.SignalReason = ReasonAgentStop
	}
}

func (r *run) fail(phase Phase, err error) {
	r.logger.Warn("job", zap.String("phase", string(phase)), zap.Error(err))
	r.errs = append(r.errs, &PhaseError{Phase: phase, Err: err})
}

// finish delivers the result.
func (r *run) finish(ctx context.Context) {
	finishCtx, cancel := linger(ctx, r.opts.FinishTimeout, r.opts.LeaveTimeout)
	defer cancel()
	if r.owed.result == nil { // nothing was run
		r.spoolResult(nil)
	}
	r.finished(r.cp.Finish(finishCtx, r.result))
}
