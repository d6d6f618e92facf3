package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane"
	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/transport/pace"
)

const (
	// crowdFirstMessage is how long a stream may be without a message before its worker
	// polls, as an agent does.
	crowdFirstMessage = 10 * time.Second
	// crowdAgain is the shortest wait before a failed registration is tried again.
	crowdAgain = time.Second
	// crowdMoments is how many moments of an interval there are for the heartbeats of a
	// machine.
	crowdMoments = 4
	// crowdPing is how often a worker without a stream polls.
	crowdPing = 2 * time.Second
	// streamChanges is how many changes of one stream there are: its first message and its
	// end. The goroutine of a connection must not wait for a worker.
	streamChanges = 2
	// grpcDeadline is the status of a planned end of a stream.
	grpcDeadline = "4"
)

// crowdWorker is one worker.
type crowdWorker struct {
	machine *crowdMachine
	index   int
	name    string
	session wire.RegisterResponse
	events  chan streamChange

	schedule *pace.Schedule
	polling  bool
	nextPing time.Time
	tried    time.Time // when the present attempt began

	nextHeartbeat time.Time
}

// streamChange is the first message of a stream, or its end.
type streamChange struct {
	ended, planned bool
	retryAfter     time.Duration // what a refusal asks for
}

// run registers the worker, and keeps its stream open until ctx ends.
func (w *crowdWorker) run(ctx context.Context) {
	for w.join(ctx) != nil {
		if pause(ctx, crowdAgain+time.Duration(rand.Float64()*float64(crowdAgain))) != nil {
			return
		}
	}
	w.schedule = pace.New(crowdPing, rand.Float64)
	w.schedule.Start(time.Now(), false)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		timer.Reset(time.Until(w.next()))
		select {
		case <-ctx.Done():
			return
		case e := <-w.events:
			w.changed(e)
		case <-timer.C:
			w.due(ctx)
		}
	}
}

// join registers and connects the worker.
func (w *crowdWorker) join(ctx context.Context) error {
	m := w.machine
	select {
	case m.crowd.arriving <- struct{}{}:
		defer func() { <-m.crowd.arriving }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	session, err := m.join(ctx, m.crowd.token, w.name)
	if err != nil {
		return err
	}
	w.session = session
	w.nextHeartbeat = w.heartbeatAfter(time.Now())
	return nil
}

// next returns when the worker has something to do.
func (w *crowdWorker) next() time.Time {
	next := w.nextHeartbeat
	if w.polling && w.nextPing.Before(next) {
		next = w.nextPing
	}
	switch w.schedule.State() {
	case pace.Waiting, pace.Prompt, pace.Refused:
		if due := w.schedule.Due(); due.Before(next) {
			next = due
		}
	case pace.Connecting, pace.Promised:
		if late := w.tried.Add(crowdFirstMessage); !w.polling && late.Before(next) {
			next = late
		}
	case pace.Idle, pace.Healthy:
	}
	return next
}

// heartbeatAfter returns the moment of the first heartbeat after now. The workers of a
// machine share few moments of an interval, as those of an agent do.
func (w *crowdWorker) heartbeatAfter(now time.Time) time.Time {
	const interval = controlplane.DefaultHeartbeatInterval
	moment := w.machine.epoch.Add(time.Duration(w.index%crowdMoments) * interval / crowdMoments)
	return moment.Add(now.Sub(moment).Truncate(interval) + interval)
}

// due opens the stream if its moment has come, sends a heartbeat, and polls.
func (w *crowdWorker) due(ctx context.Context) {
	now := time.Now()
	switch w.schedule.State() {
	case pace.Waiting, pace.Prompt, pace.Refused:
		if !w.schedule.Due().After(now) {
			w.schedule.Step(now, pace.AttemptDue)
			w.tried = now
			w.open(ctx)
		}
	case pace.Connecting, pace.Promised:
		if !w.polling && now.Sub(w.tried) >= crowdFirstMessage {
			w.polling, w.nextPing = true, now
		}
	case pace.Idle, pace.Healthy:
	}
	if !w.nextHeartbeat.After(now) {
		w.nextHeartbeat = w.heartbeatAfter(now)
		// One that fails is followed by the next one.
		heartbeat := wire.HeartbeatRequest{SentAt: wire.FormatTime(now)}
		_ = w.machine.call(ctx, http.MethodPost, w.session.AccessToken, wire.PathHeartbeat, heartbeat, nil)
	}
	if !w.polling || w.nextPing.After(now) {
		return
	}
	err := w.machine.call(ctx, http.MethodGet, w.session.AccessToken, wire.PathPing, nil, nil)
	now = time.Now()
	event := pace.PingSucceeded
	if err != nil {
		event = pace.PingFailed
	}
	w.schedule.Step(now, event)
	wait := crowdPing/2 + time.Duration(rand.Float64()*float64(crowdPing))
	if refusal, ok := errors.AsType[*rawError](err); ok {
		wait = max(wait, refusal.retryAfter+time.Duration(rand.Float64()/4*float64(refusal.retryAfter))) // as agents do
	}
	w.nextPing = now.Add(wait)
}

// changed processes the first message or the end of the stream.
func (w *crowdWorker) changed(e streamChange) {
	now, healthy := time.Now(), w.schedule.State() == pace.Healthy
	switch {
	case !e.ended:
		w.schedule.Step(now, pace.MessageReceived)
		w.polling = false
		w.machine.crowd.changeOpen(1)
		return
	case e.planned && healthy:
		w.schedule.End(now, pace.StreamEnded, 0)
	default:
		w.schedule.End(now, pace.StreamLost, e.retryAfter)
		if !w.polling {
			w.polling, w.nextPing = true, now
		}
	}
	if healthy {
		w.machine.crowd.changeOpen(-1)
	}
}

// open opens the stream.
func (w *crowdWorker) open(ctx context.Context) {
	post := func(e streamChange) {
		select {
		case w.events <- e:
		case <-ctx.Done():
		}
	}
	first := true
	var buffer []byte
	s := &rawStream{}
	s.data = func(p []byte) {
		if first {
			first = false
			post(streamChange{})
		}
		buffer = eachAssigned(append(buffer, p...), func(id string) {
			w.machine.crowd.reportJob(id, false)
			go w.runJob(ctx, id)
		})
	}
	s.done = func(error) {
		post(streamChange{ended: true, planned: s.grpc == grpcDeadline, retryAfter: s.retryAfter})
	}
	if err := w.machine.openStream(ctx, w.session, s); err != nil {
		w.changed(streamChange{ended: true})
	}
}

// runJob accepts, starts and finishes a job.
func (w *crowdWorker) runJob(ctx context.Context, id string) {
	if err := w.machine.runJob(ctx, w.session.AccessToken, id); err != nil {
		w.machine.crowd.fail(err)
		return
	}
	w.machine.crowd.reportJob(id, true)
}
