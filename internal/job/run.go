package job

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"syscall"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/job/joblink"
	"github.com/switchyard-ci/switchyard/internal/job/logpipe"
	"github.com/switchyard-ci/switchyard/internal/job/process"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Run runs one job from its start to its finish. It returns when the process has
// ended and the result was delivered or given up.
//
// Canceling ctx cancels the job, for the cause given; see [ErrCanceled]. If ctx ends
// while the start is reported to the control plane, it is unknown whether the start has
// arrived, so a finish is sent; a control plane that has not seen the start refuses it
// without harm.
//
// A command that fails is not an error: its status is in the result. An error is one or
// several errors that each wrap a [Phase], or wraps [ErrAbandoned]; only then does the
// control plane not regard the job as started here. Concurrent calls are allowed, for different
// jobs.
func Run(ctx context.Context, spec Spec, cp ControlPlane, opts Options) (Result, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return Result{}, abandoned(PhaseSpec, err)
	}
	spec, err = spec.withDefaults()
	if err != nil {
		return Result{}, abandoned(PhaseSpec, err)
	}
	return newRun(spec, cp, opts).run(ctx)
}

func abandoned(phase Phase, err error) error {
	return fmt.Errorf("%w: %w: %w", ErrAbandoned, phase, err)
}

// run is one call of Run. The goroutine of that call uses it and then, for what the job
// leaves, the Cleaner. Others call syncResult only.
type run struct {
	spec   Spec
	opts   Options
	cp     ControlPlane
	logger *zap.Logger
	tracer trace.Tracer

	result     Result
	finishedAt time.Time // the time in result.FinishedAt
	errs       []error
	log        *logpipe.Pipe
	limits     process.Limits  // of the job: of its submitter and of the agent the lower ones
	link       *joblink.Link   // nil: the job's commands cannot add secrets
	ownLinks   *joblink.Server // of this job alone; nil if link is the agent's
	spooled    spooledResult
	command    *process.Process // nil: none was started
	dir        string           // the working directory; empty if there is none
	filesDir   string           // the directory of the executor's files; empty if there is none
	watching   sync.WaitGroup   // watchState
}

func newRun(spec Spec, cp ControlPlane, opts Options) *run {
	r := &run{spec: spec, opts: opts, cp: cp, logger: opts.Logger.With(zap.String("job_id", spec.ID)), tracer: tracerOf(opts.Tracing)}
	r.result.ExitStatus = wire.ExitStatusNeverRan
	return r
}

func (r *run) run(ctx context.Context) (Result, error) {
	if ctx.Err() != nil {
		return Result{}, abandoned(PhaseStart, context.Cause(ctx))
	}
	ctx, span := r.beginTrace(ctx)
	defer r.endTrace(span)
	r.result.StartedAt = time.Now()
	r.openSpool()
	defer r.closeSpool()
	start := func(ctx context.Context) error { return r.cp.Start(ctx, r.result.StartedAt) }
	if err := r.step(ctx, "start", start); err != nil {
		if ctx.Err() == nil {
			return Result{}, abandoned(PhaseStart, err)
		}
		r.fail(PhaseStart, fmt.Errorf("%w (%w)", context.Cause(ctx), err))
		r.setCanceled(context.Cause(ctx))
		r.setFinished()
	} else if r.spec.ChunkMaxSize == 0 {
		r.result.SignalReason = wire.ReasonAgentRefused
		r.setFinished()
		r.fail(PhaseSpec, errors.New("the control plane allows log chunks of 0 bytes (chunks_max_size_bytes), so no output can be sent"))
	} else {
		// These come after the finish, so that they do not delay it.
		defer r.closeLink()
		defer r.watching.Wait()
		defer r.cleanUp()
		r.execute(ctx)
	}
	r.finish(ctx)
	return r.result, errors.Join(r.errs...)
}

// execute runs the command and uploads its output.
func (r *run) execute(ctx context.Context) {
	jobCtx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if limit := r.spec.limit(); limit > 0 {
		defer time.AfterFunc(limit, func() {
			r.logger.Info("job exceeded its timeout; canceling it", zap.Duration("timeout", limit))
			cancel(errLimit)
		}).Stop()
	}
	watchCtx, stopWatching := context.WithCancel(jobCtx)
	defer stopWatching()
	r.watching.Go(func() { watchState(watchCtx, r.cp, r.opts.StatusInterval, cancel, r.logger) })

	r.openLog(context.WithoutCancel(ctx))
	r.hideSecrets()
	processSpan := r.traceProcess(ctx)
	r.launch(jobCtx)
	var end process.End
	if r.command != nil {
		end = r.command.Wait(jobCtx)
	}
	processSpan.End()
	r.setFinished()
	stopWatching()

	// From here on a deadline bounds the uploads, which collect and Flush wait for.
	flushCtx, stopFlushing := outlive(ctx, r.opts.FlushTimeout, r.opts.LeaveTimeout)
	defer stopFlushing()
	defer context.AfterFunc(flushCtx, r.log.Abort)()
	if r.command != nil {
		r.collect(r.command, end)
	}
	r.storeResult() // before the flush, which may take long
	_, upload := r.tracer.Start(ctx, "log upload")
	r.log.Flush()
	upload.End()
	r.storeResult()
	stats := r.log.Stats()
	r.result.ChunksFailed, r.result.OutputBytes = stats.Failed, stats.Bytes
	if stats.Failed > 0 {
		r.fail(PhaseFlush, fmt.Errorf("%d log chunks did not reach the control plane", stats.Failed))
	}
}

func (r *run) openLog(ctx context.Context) {
	r.log = logpipe.New(ctx, logpipe.Config{
		Upload: r.cp.Chunk, ChunkMaxSize: r.spec.ChunkMaxSize, WarnSize: r.spec.LogMaxSize,
		ChunkInterval: cmp.Or(r.opts.chunkInterval, r.spec.chunkInterval()),
		Spool:         r.spooled.entry, SpoolSize: r.opts.SpoolSize, Timestamps: r.opts.TimestampLines, Logger: r.logger,
	})
}

// launch prepares the job and starts its command. If it cannot, it records why, in
// the log and the result.
func (r *run) launch(ctx context.Context) {
	var command process.Command
	var err error
	if err = r.setLimits(); err == nil && ctx.Err() == nil {
		command, err = r.prepare(ctx)
	}
	if ctx.Err() != nil {
		r.setCanceled(context.Cause(ctx))
		r.log.Notef("%v before its command was run", context.Cause(ctx))
		return
	}
	if err != nil {
		r.setNeverRan(PhasePrepare, err)
		return
	}
	p, err := process.Start(command, r.processOptions(), r.log)
	if err != nil {
		r.setNeverRan(PhaseProcess, err)
		return
	}
	r.logger.Debug("started the job's command", zap.Int("pid", p.PID()), zap.String("directory", r.dir))
	r.command = p
}

// collect reads the rest of the output, ends what the command left running, and
// records how the command ended.
func (r *run) collect(command *process.Process, end process.End) {
	deadline := r.finishedAt.Add(r.opts.OutputGrace)
	if end.Cause != nil { // the grace period is for the whole group
		deadline = end.SignaledAt.Add(r.opts.CancelGrace)
	}
	_, stopping := r.opts.Stop.Has(0)
	handles := stopping && command.Handles(syscall.SIGTERM) // before it is reaped
	exit, err := command.Collect(deadline)
	r.recordExit(end, exit, err)
	if end.Exited && err == nil && end.Cause == nil && endedWithAgent(exit, handles, r.opts.Stop) {
		r.result.SignalReason = wire.ReasonAgentStop
		r.log.Notef("the agent is stopping, and the signal for that ended the command, too")
	}
}

// recordExit records how the command ended, in the result and the log.
func (r *run) recordExit(end process.End, exit process.Exit, err error) {
	r.result.Usage = usageOf(exit.Usage)
	switch {
	case !end.Exited:
		r.fail(PhaseProcess, err)
		r.log.Notef("the command did not end within %v of SIGKILL; it still runs", r.opts.KillWait)
	case err != nil:
		r.fail(PhaseProcess, err)
		r.log.Notef("%v", err)
	case exit.Signal != "":
		r.result.Signal = exit.Signal
	default:
		r.result.ExitStatus = strconv.Itoa(exit.Code)
	}
	if limit := exit.Usage.MemoryLimit; limit > 0 {
		r.log.Notef("the system killed processes of this job because it used more memory than its limit of %.1f MiB (at most %.1f MiB)",
			float64(limit)/mebibyte, float64(exit.Usage.PeakMemory)/mebibyte)
	}
	if end.Cause != nil {
		r.setCanceled(end.Cause)
		r.log.Notef("%s", end.Describe(r.opts.CancelSignal, r.opts.CancelGrace))
	}
	if exit.OutputHeld && !end.Killed {
		r.log.Notef("the command ended, but a process that it had started held its output open until %v later; "+
			"what that process wrote after that is not in this log", time.Since(r.finishedAt).Round(time.Millisecond))
	}
}

// usageOf returns what is reported of what a command took.
func usageOf(u process.Usage) wire.Usage {
	return wire.Usage{
		WallMicros: u.Wall.Microseconds(), CPUMicros: u.CPU.Microseconds(), PeakMemory: u.PeakMemory,
		Group: u.Group, MemoryLimit: u.MemoryLimit,
	}
}

// setNeverRan records that the command could not be run.
func (r *run) setNeverRan(phase Phase, err error) {
	r.result.SignalReason = wire.ReasonProcessRunError
	if errors.Is(err, process.ErrNoLimits) {
		r.result.SignalReason = wire.ReasonAgentRefused
	}
	r.fail(phase, err)
	r.log.Notef("cannot run the job: %v", err)
}

// setCanceled records why the job was canceled.
func (r *run) setCanceled(cause error) {
	r.result.Canceled = cause
	r.result.SignalReason = wire.ReasonCancel
	switch {
	case errors.Is(cause, errLimit):
		r.result.SignalReason = wire.ReasonTimedOut
	case agentStops(cause):
		r.result.SignalReason = wire.ReasonAgentStop
	}
}

// setFinished records that the command has ended now.
func (r *run) setFinished() {
	r.finishedAt = time.Now()
	r.result.FinishedAt = wire.FormatTime(r.finishedAt)
}

func (r *run) fail(phase Phase, err error) {
	r.logger.Debug("a phase of the job failed", zap.String("phase", string(phase)), zap.Error(err))
	r.errs = append(r.errs, fmt.Errorf("%w: %w", phase, err))
}
