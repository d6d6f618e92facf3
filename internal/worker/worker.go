package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
)

// ErrLeft is in the chain of errors of Run when the worker left for a reason
// that is a failure, such as a session that the control plane refused.
var ErrLeft = errors.New("the worker cannot go on")

// requestsAtOnce is room for the requests of Drain, Force and Expire, so that
// those who make them do not wait while the worker is still connecting.
const requestsAtOnce = 8

// Worker is one registered identity with one machine, running at most one job
// at a time. Run is called once; the other methods may be called concurrently,
// before, during and after it.
type Worker struct {
	Config

	machine *fsm.Machine
	history history
	events  chan news
	// done is closed when nobody takes events any more.
	done chan struct{}
	// leaving ends with the first drain or force, for what comes before the
	// machine is asked: connecting.
	leaving context.Context //nolint:containedctx // a signal, not the context of a call
	leave   context.CancelFunc

	poll    *time.Timer
	pace    pollPace
	trust   *time.Timer
	trusted fsm.Epoch // the epoch of the deadline that trust is armed for
	idle    bool
	stopped fsm.LeaveReason
	failure error // what made the worker stop, if that was an error

	// Each cancels what it names, if that is under way.
	cancelPing   context.CancelFunc
	cancelAccept context.CancelFunc
	cancelJob    context.CancelFunc

	tasks sync.WaitGroup
}

// news is an event with what is known beside it.
type news struct {
	event fsm.Event
	// cause says why, in words for people; err is the error behind it, if any.
	cause string
	err   error
	// notBefore is how long the control plane wants to be left alone.
	notBefore time.Duration
}

// New returns a worker that is ready to run. It returns an error that names the
// field of the config that is wrong, if any.
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
		Config:       c,
		machine:      machine,
		events:       make(chan news, requestsAtOnce),
		done:         make(chan struct{}),
		leaving:      leaving,
		leave:        leave,
		cancelPing:   func() {},
		cancelAccept: func() {},
		cancelJob:    func() {},
	}, nil
}

// Drain asks the worker to finish what it runs and to leave.
func (w *Worker) Drain() {
	w.leave()
	w.post(news{event: fsm.Event{Kind: fsm.DrainRequested}})
}

// Force asks the worker to cancel what it runs and to leave.
func (w *Worker) Force() {
	w.leave()
	w.post(news{event: fsm.Event{Kind: fsm.ForceRequested}})
}

// ExpireIdle tells the worker that the time allowed without work is over. It
// stays if it has work by then.
func (w *Worker) ExpireIdle() {
	w.post(news{event: fsm.Event{Kind: fsm.IdleExpired}})
}

// History returns the last events of the worker with what its machine answered,
// oldest first, at most HistorySize of them. It waits for nothing.
func (w *Worker) History() []fsm.Record { return w.history.last() }

// post hands news to the owner of the machine. It waits for no longer than it
// takes to be taken, and not at all once the worker has stopped.
func (w *Worker) post(n news) {
	select {
	case w.events <- n:
	case <-w.done:
	}
}

// Run connects, works until there is a reason to leave, disconnects, and
// returns that reason. The error is nil when the worker left in peace, wraps
// ErrLeft when it could not go on (and, in mode acquire, the error of
// transport.Session.Acquire), says so when the worker could not connect, and is
// the context's cause when that ended, which cancels everything at once, a job
// included.
func (w *Worker) Run(ctx context.Context) (fsm.LeaveReason, error) {
	defer w.leave()
	if err := w.connect(ctx); err != nil {
		close(w.done)
		if w.leaving.Err() != nil {
			return fsm.Drained, nil
		}
		return fsm.Staying, err
	}
	// What belongs to the worker ends with it; what belongs to the control
	// plane's knowledge of it (heartbeats) goes on until the loop is over.
	life, end := context.WithCancelCause(ctx)
	firstBeat := time.Duration(w.Rand.Float64() * float64(w.Heartbeat))
	w.tasks.Go(func() { w.beat(life, firstBeat) })
	err := w.loop(life)
	close(w.done)
	end(context.Canceled)
	w.tasks.Wait()
	if err != nil {
		return w.stopped, err
	}
	w.disconnect(ctx)
	switch {
	case w.stopped.Failed() && w.failure != nil:
		return w.stopped, fmt.Errorf("%w: %v: %w", ErrLeft, w.stopped, w.failure)
	case w.stopped.Failed():
		return w.stopped, fmt.Errorf("%w: %v", ErrLeft, w.stopped)
	}
	return w.stopped, nil
}

func (w *Worker) connect(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(w.leaving, cancel)()
	if err := w.Session.Connect(ctx); err != nil {
		return fmt.Errorf("connecting worker %s: %w", w.Session.ID(), err)
	}
	return nil
}

// loop is the only place where the goroutines of a worker meet.
func (w *Worker) loop(ctx context.Context) error {
	w.poll, w.trust = stoppedTimer(), stoppedTimer()
	defer w.poll.Stop()
	defer w.trust.Stop()
	uptime := stoppedTimer()
	if w.Uptime > 0 {
		uptime.Reset(w.Uptime)
	}
	defer uptime.Stop()

	n := news{event: fsm.Event{Kind: fsm.Started, Job: w.Machine.AcquireJob}}
	for {
		if err := w.step(ctx, n); err != nil {
			return err
		}
		if w.machine.State() == fsm.Stopped {
			w.failure = n.err
			return nil
		}
		select {
		case n = <-w.events:
		case <-w.poll.C:
			n = news{event: fsm.Event{Kind: fsm.PollDue}}
		case <-w.trust.C:
			n = news{event: fsm.Event{Kind: fsm.TrustExpired, Epoch: w.trusted}, cause: "no first message in time"}
		case <-uptime.C:
			n = news{event: fsm.Event{Kind: fsm.UptimeExpired}}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// step asks the machine and performs its effects.
func (w *Worker) step(ctx context.Context, n news) error {
	now := time.Now()
	effects, err := w.machine.Step(n.event)
	if err != nil {
		return fmt.Errorf("worker %s: %w", w.Session.ID(), err)
	}
	from, decision := w.machine.Last()
	r := fsm.Record{Time: now, Worker: w.Session.ID(), Event: n.event, Cause: n.cause}
	facts := w.machine.Facts()
	r.Decide(from, w.machine.State(), &decision, slices.Clone(effects), &facts)
	log(w.Logger, &r)
	w.history.add(&r)
	w.Observe(r)
	w.pace.holdOff(now, n.notBefore)
	for _, e := range r.Effects {
		w.perform(ctx, e)
	}
	if idle := w.machine.Idle(); idle != w.idle {
		w.idle = idle
		w.Idle(idle)
	}
	return nil
}

// disconnect says goodbye, so that what was offered goes to others at once.
func (w *Worker) disconnect(ctx context.Context) {
	if w.stopped == fsm.SessionWasRefused {
		return // the control plane would not know who is speaking
	}
	ctx, cancel := context.WithTimeout(ctx, disconnectTimeout)
	defer cancel()
	if err := w.Session.Disconnect(ctx); err != nil {
		w.Logger.Warn("leaving without a goodbye; the control plane will notice by the missing heartbeats")
	}
}

// stoppedTimer returns a timer that will not fire until it is reset.
func stoppedTimer() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}
