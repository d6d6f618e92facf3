package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/switchyard-ci/switchyard/internal/controlplane"
	"github.com/switchyard-ci/switchyard/internal/wire"
	agentedgev1 "github.com/switchyard-ci/switchyard/proto/agentedge/v1"
	"github.com/switchyard-ci/switchyard/proto/agentedge/v1/agentedgev1connect"
	"github.com/switchyard-ci/switchyard/transport/pace"
)

const (
	// crowdFirstMessage is how long a stream may be without a message before its worker
	// polls, as an agent does.
	crowdFirstMessage = 10 * time.Second
	// crowdAgain is the shortest wait before a failed registration is tried again.
	crowdAgain = time.Second
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
	machine   *crowdMachine
	name      string
	id, token string
	events    chan streamChange

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
	var session wire.RegisterResponse
	err := m.call(ctx, http.MethodPost, m.crowd.token, wire.PathRegister, wire.RegisterRequest{
		Name: w.name, Hostname: w.name, OS: "linux", Arch: "amd64", Version: "bench", ScriptEvalEnabled: true,
		Tags: []string{wire.QueueTag + bareQueue}, Features: []string{},
	}, &session)
	if err != nil {
		return err
	}
	if err := m.call(ctx, http.MethodPost, session.AccessToken, wire.PathConnect, nil, nil); err != nil {
		return err
	}
	w.id, w.token = session.ID, session.AccessToken
	w.nextHeartbeat = time.Now().Add(time.Duration(rand.Float64() * float64(controlplane.DefaultHeartbeatInterval)))
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
		w.nextHeartbeat = now.Add(controlplane.DefaultHeartbeatInterval)
		// One that fails is followed by the next one.
		_ = w.machine.call(ctx, http.MethodPost, w.token, wire.PathHeartbeat, wire.HeartbeatRequest{SentAt: wire.FormatTime(now)}, nil)
	}
	if !w.polling || w.nextPing.After(now) {
		return
	}
	err := w.machine.call(ctx, http.MethodGet, w.token, wire.PathPing, nil, nil)
	now = time.Now()
	event := pace.PingSucceeded
	if err != nil {
		event = pace.PingFailed
	}
	w.schedule.Step(now, event)
	wait := crowdPing/2 + time.Duration(rand.Float64()*float64(crowdPing))
	if refusal, ok := errors.AsType[*crowdError](err); ok {
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
	conn, err := w.machine.connection(ctx)
	if err != nil {
		w.changed(streamChange{ended: true})
		return
	}
	message, err := proto.Marshal(&agentedgev1.StreamPingsRequest{AgentId: w.id})
	if err != nil {
		w.changed(streamChange{ended: true})
		return
	}
	first := true
	var buffer []byte
	s := &rawStream{}
	s.data = func(p []byte) {
		if first {
			first = false
			post(streamChange{})
		}
		buffer = w.receive(ctx, append(buffer, p...))
	}
	s.done = func(error) {
		post(streamChange{ended: true, planned: s.grpc == grpcDeadline, retryAfter: s.retryAfter})
	}
	conn.open(request{
		method: http.MethodPost, path: agentedgev1connect.AgentEdgeServiceStreamPingsProcedure,
		token: wire.TokenScheme + " " + w.token, contentType: "application/grpc+proto",
		body: envelope(message),
	}, s)
}

// receive handles the messages in a buffer, and returns what is left of it.
func (w *crowdWorker) receive(ctx context.Context, buffer []byte) []byte {
	for len(buffer) >= grpcPrefix {
		end := grpcPrefix + int(binary.BigEndian.Uint32(buffer[1:grpcPrefix]))
		if len(buffer) < end {
			break
		}
		var message agentedgev1.StreamPingsResponse
		if err := proto.Unmarshal(buffer[grpcPrefix:end], &message); err == nil {
			if id := message.GetJobAssigned().GetJob().GetId(); id != "" {
				w.machine.crowd.reportJob(id, false)
				go w.runJob(ctx, id)
			}
		}
		buffer = buffer[end:]
	}
	if len(buffer) == 0 {
		return nil // no worker keeps a buffer while nothing arrives
	}
	return buffer
}

// runJob accepts, starts and finishes a job.
func (w *crowdWorker) runJob(ctx context.Context, id string) {
	path := wire.PathJobs + "/" + id + "/"
	var job wire.Job
	err := w.machine.call(ctx, http.MethodPut, w.token, path+wire.PathAccept, nil, &job)
	if err == nil {
		start := wire.StartRequest{StartedAt: wire.FormatTime(time.Now())}
		err = w.machine.call(ctx, http.MethodPut, job.Token, path+wire.PathStart, start, nil)
	}
	if err == nil {
		finish := wire.FinishRequest{ExitStatus: "0", FinishedAt: wire.FormatTime(time.Now())}
		err = w.machine.call(ctx, http.MethodPut, job.Token, path+wire.PathFinish, finish, nil)
	}
	if err != nil {
		w.machine.crowd.fail(fmt.Errorf("running job %s: %w", id, err))
		return
	}
	w.machine.crowd.reportJob(id, true)
}
