package worker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/transport"
)

const (
	// inputBuffer is room for the inputs of Drain, Force and ExpireIdle, so that
	// they return at once while the worker is still connecting.
	inputBuffer = 8
	// disconnectTimeout bounds the last call of a worker. Its retries would delay
	// the end; without the call the control plane notices the missing heartbeats.
	disconnectTimeout = 5 * time.Second
)

// Worker is one registered identity with one machine, running at most one job
// at a time. Run is called once; the other methods may be called concurrently,
// before, during and after it.
type Worker struct {
	config  Config
	inputs  chan input
	history history
	// probes has a value for each call of Probe that waits for the loop.
	probes chan struct{}
	// looping is set while the loop runs.
	looping atomic.Bool
	// stopped is closed when no more inputs are taken.
	stopped chan struct{}
	// leaving ends at the first Drain or Force. It cancels connecting, which
	// happens before the machine is asked.
	leaving context.Context //nolint:containedctx // a signal, not the context of a call
	leave   context.CancelFunc

	// What follows belongs to the goroutine that runs the loop.
	machine    *fsm.Machine
	pollTimer  *time.Timer
	pollPace   pollPace
	trust      trust
	heartbeats heartbeats
	stalled    time.Duration // for which the process did not run, until it is recorded
	log        recordLog
	reason     fsm.LeaveReason // set by the effect Stop
	failure    error           // the error that made the worker stop, if any

	// Each cancels what it names, if that is running.
	cancelPing   context.CancelFunc
	cancelAccept context.CancelFunc
	cancelJob    context.CancelFunc

	tasks sync.WaitGroup
}

// input is an event for the machine, with details that the machine does not need.
type input struct {
	event fsm.Event
	// cause is the reason of the event for people; err is the error behind it.
	// Both may be empty.
	cause string
	err   error
	// retryAfter is how long the control plane asks not to be pinged.
	retryAfter time.Duration
	// trust is how long the stream is trusted after this message of it.
	trust time.Duration
}

// New returns a worker that is ready to run. An error names the invalid field of
// the config.
func New(c Config) (*Worker, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	machine, err := fsm.New(c.Machine)
	if err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	leaving, leave := context.WithCancel(context.Background())
	return &Worker{
		config:       c,
		inputs:       make(chan input, inputBuffer),
		probes:       make(chan struct{}),
		stopped:      make(chan struct{}),
		leaving:      leaving,
		leave:        leave,
		machine:      machine,
		cancelPing:   func() {},
		cancelAccept: func() {},
		cancelJob:    func() {},
	}, nil
}

// Drain asks the worker to finish its job, if it has one, and leave.
func (w *Worker) Drain() {
	w.leave()
	w.send(input{event: fsm.Event{Kind: fsm.DrainRequested}})
}

// Force asks the worker to cancel its job, if it has one, and leave.
func (w *Worker) Force() {
	w.leave()
	w.send(input{event: fsm.Event{Kind: fsm.ForceRequested}})
}

// ExpireIdle asks the worker to leave because it was idle for too long. A worker
// that has work by then stays.
func (w *Worker) ExpireIdle() {
	w.send(input{event: fsm.Event{Kind: fsm.IdleExpired}})
}

// History returns the last events of the worker with the machine's answers,
// oldest first, at most HistorySize. It does not block.
func (w *Worker) History() []fsm.Record { return w.history.all() }

// Last returns the last event of the worker with the machine's answer; the zero value
// before the first one. It does not block.
func (w *Worker) Last() fsm.Record { return w.history.last() }

// Name returns the worker's name.
func (w *Worker) Name() string { return w.config.Name }

// Session returns the worker's registered identity.
func (w *Worker) Session() *transport.Session { return w.config.Session }

// Probe returns nil as soon as the worker's loop takes its next step, which it does at once,
// or if the loop does not run. It returns the cause of ctx if that ends before.
func (w *Worker) Probe(ctx context.Context) error {
	if !w.looping.Load() {
		return nil
	}
	select {
	case w.probes <- struct{}{}:
	case <-w.stopped:
	case <-ctx.Done():
		return fmt.Errorf("worker %s: its loop does not respond: %w", w.config.Name, context.Cause(ctx))
	}
	return nil
}

// send passes an input to the loop. It blocks until the loop takes it, and
// returns at once when the loop has ended.
func (w *Worker) send(in input) {
	select {
	case w.inputs <- in:
	case <-w.stopped:
	}
}

// Run connects, works until there is a reason to leave, disconnects, and returns
// the reason. The error is nil after a normal end. It wraps what failed when the
// worker could not connect or could not continue; in mode acquire that is the
// error of transport.Session.Acquire. It is the context's cause when the context
// ended, which cancels everything at once, including a job.
func (w *Worker) Run(ctx context.Context) (fsm.LeaveReason, error) {
	defer w.leave()
	if err := w.connect(ctx); err != nil {
		close(w.stopped)
		if w.leaving.Err() != nil {
			return fsm.Drained, nil
		}
		return fsm.Staying, err
	}
	tasksCtx, endTasks := context.WithCancel(ctx)
	err := w.loop(tasksCtx)
	close(w.stopped)
	endTasks()
	w.tasks.Wait()
	if err != nil {
		return w.reason, err
	}
	w.disconnect(ctx)
	switch {
	case w.reason.Failed() && w.failure != nil:
		err = fmt.Errorf("the worker cannot continue: %v: %w", w.reason, w.failure)
	case w.reason.Failed():
		err = fmt.Errorf("the worker cannot continue: %v", w.reason)
	}
	return w.reason, err
}

func (w *Worker) connect(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(w.leaving, cancel)()
	if err := w.config.Session.Connect(ctx); err != nil {
		return fmt.Errorf("connecting worker %s: %w", w.config.Session.ID(), err)
	}
	return nil
}

// disconnect notifies the control plane that the worker leaves, so that a job
// offered to it is requeued at once.
func (w *Worker) disconnect(ctx context.Context) {
	if w.reason == fsm.SessionWasRefused || errors.Is(w.failure, wire.ErrRevoked) {
		return // the control plane would refuse this call too
	}
	ctx, cancel := context.WithTimeout(ctx, disconnectTimeout)
	defer cancel()
	if err := w.config.Session.Disconnect(ctx); err != nil {
		w.config.Logger.Warn("disconnect failed; the control plane will notice the missing heartbeats", zap.Error(err))
	}
}
