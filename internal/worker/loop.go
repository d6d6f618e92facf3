package worker

import (
	"context"
	"fmt"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
)

// loop runs the machine until the worker stops or the context ends. It is the
// only place where the goroutines of a worker meet.
func (w *Worker) loop(ctx context.Context) error {
	w.pollTimer, w.trust.timer = stoppedTimer(), stoppedTimer()
	defer w.pollTimer.Stop()
	defer w.trust.timer.Stop()
	w.heartbeats.start(&w.config)
	defer w.heartbeats.timer.Stop()
	w.looping.Store(true)
	defer w.looping.Store(false)
	var uptime <-chan time.Time
	if w.config.Uptime > 0 {
		uptime = time.After(w.config.Uptime)
	}
	in := input{event: w.config.Machine.Start()}
	for {
		if err := w.step(ctx, in); err != nil {
			return err
		}
		if in.err != nil && (in.event.Kind == fsm.SessionRefused || w.machine.State() == fsm.Stopped) {
			w.failure = in.err // a refused session is left after the job
		}
		if w.machine.State() == fsm.Stopped {
			return nil
		}
		var err error
		if in, err = w.next(ctx, uptime); err != nil {
			return err
		}
	}
}

// next waits for the next input, and sends heartbeats meanwhile. The error is the cause of
// the context.
func (w *Worker) next(ctx context.Context, uptime <-chan time.Time) (input, error) {
	for {
		select {
		case in := <-w.inputs:
			return in, nil
		case <-w.pollTimer.C:
			return input{event: fsm.Event{Kind: fsm.PollDue}}, nil
		case <-w.trust.timer.C:
			return w.trust.expired(), nil
		case <-uptime:
			return input{event: fsm.Event{Kind: fsm.UptimeExpired}}, nil
		case <-w.heartbeats.timer.C:
			w.noteStall(time.Now())
			w.heartbeats.due = time.Time{}
			w.tasks.Go(func() { w.sendHeartbeat(ctx) })
		case <-w.heartbeats.sent:
			w.heartbeats.next()
		case <-w.probes: // the loop lives; that was the question
		case <-ctx.Done():
			return input{}, context.Cause(ctx)
		}
	}
}

// step asks the machine, records its answer, and performs the effects.
func (w *Worker) step(ctx context.Context, in input) error {
	now := time.Now()
	w.noteStall(now)
	if in.event.Kind == fsm.TrustExpired {
		w.trust.due = time.Time{}
	}
	if _, err := w.machine.Step(in.event); err != nil {
		return fmt.Errorf("worker %s: %w", w.config.Session.ID(), err)
	}
	r := w.machine.Record(now, w.config.Session.ID(), in.cause)
	r.Name = w.config.Name
	if r.Ignored == "" { // else timelines do not show it
		r.Cause = w.withStall(in.cause)
	}
	w.log.record(w.config.Logger, &r)
	w.history.add(&r)
	w.config.Observe(r)
	w.pollPace.holdOff(now, in.retryAfter)
	if in.trust > 0 && r.Ignored == "" {
		w.trust.message(in.event.Epoch, in.trust)
	}
	for _, e := range r.Effects {
		w.perform(ctx, e)
	}
	return nil
}

// perform carries out one effect. It never blocks: what takes time runs in a
// goroutine of its own and sends an input.
func (w *Worker) perform(ctx context.Context, e fsm.Effect) {
	switch e.Kind {
	case fsm.OpenStream:
		w.tasks.Go(func() { w.runStream(ctx) })
	case fsm.ArmTrust:
		w.trust.firstMessage(e.Epoch)
	case fsm.ArmPollNow:
		w.pollTimer.Reset(w.pollPace.now(time.Now(), w.config.Session.PingInterval(), w.config.Rand.Float64()))
	case fsm.ArmPollLater:
		w.pollTimer.Reset(w.pollPace.later(time.Now(), w.config.Session.PingInterval(), w.config.Rand.Float64()))
	case fsm.DisarmPoll:
		w.pollTimer.Stop()
	case fsm.SendPing:
		pingCtx, cancel := context.WithCancel(ctx)
		w.cancelPing = cancel
		w.tasks.Go(func() {
			defer cancel()
			w.ping(pingCtx, e.Epoch)
		})
	case fsm.CancelPing:
		w.cancelPing()
	case fsm.StartJob:
		w.startJob(ctx, e.Job, w.config.Session.Accept)
	case fsm.AcquireJob:
		w.startJob(ctx, e.Job, w.config.Session.Acquire)
	case fsm.StopAccepting:
		w.cancelAccept()
	case fsm.CancelJob:
		w.cancelAccept()
		w.cancelJob()
	case fsm.Stop:
		w.reason = e.Reason
	}
}

// stoppedTimer returns a timer that does not fire until it is reset.
func stoppedTimer() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}
