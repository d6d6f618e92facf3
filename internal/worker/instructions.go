package worker

import (
	"context"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/transport"
)

// runStream keeps the stream open until the context ends, and sends each of its
// events to the loop.
func (w *Worker) runStream(ctx context.Context) {
	w.config.Session.RunStream(ctx, transport.StreamOptions{
		StreamOnly:   w.config.Machine.Mode == fsm.StreamOnly,
		SilenceLimit: w.config.SilenceLimit,
		Protocol:     w.config.StreamProtocol,
	}, func(ev transport.StreamEvent) { w.send(streamInput(ev)) })
}

// streamInput returns the input for an event of the stream.
func streamInput(ev transport.StreamEvent) input {
	in := input{event: fsm.Event{Epoch: fsm.Epoch(ev.Epoch)}}
	if ev.Err != nil {
		in.cause, in.err = ev.Err.Error(), ev.Err
	}
	switch ev.Kind {
	case transport.StreamMessage:
		in.trust = ev.Trust
		in.cause = ev.Instruction.Reason
		switch ev.Instruction.Kind {
		case wire.Pause:
			in.event.Kind = fsm.ReceivedPause
		case wire.Disconnect:
			in.event.Kind = fsm.ReceivedDisconnect
		case wire.JobAssigned:
			in.event.Kind, in.event.Job = fsm.ReceivedJob, fsm.JobID(ev.Instruction.JobID)
		case wire.Resume:
			in.event.Kind = fsm.ReceivedResume
		}
	case transport.StreamEnded:
		in.event.Kind = fsm.StreamEnded
	case transport.StreamRefused:
		in.event.Kind = fsm.StreamRefused
	case transport.StreamLost:
		in.event.Kind = fsm.StreamLost
	}
	return in
}

// ping asks once for an instruction and sends the outcome to the loop, unless it
// was canceled.
func (w *Worker) ping(ctx context.Context, epoch fsm.Epoch) {
	response, err := w.config.Session.Ping(ctx)
	if ctx.Err() != nil {
		return
	}
	if response.Message != "" {
		w.config.Logger.Info("message from the control plane", zap.String("message", response.Message))
	}
	in := pingInput(response, err)
	in.event.Epoch = epoch
	w.send(in)
	w.config.Session.RefreshStream() // after the instruction, which must come first
}

// pingInput returns the input for the outcome of a ping.
func pingInput(response transport.PingResult, err error) input {
	if err != nil {
		in := input{event: fsm.Event{Kind: fsm.PollFailed}, cause: err.Error(), err: err, retryAfter: transport.RetryAfter(err)}
		if transport.Refused(err) {
			in.event.Kind = fsm.PollRefused
		}
		return in
	}
	in := input{event: fsm.Event{Kind: fsm.AnsweredIdle}, cause: response.Instruction.Reason}
	switch response.Instruction.Kind {
	case wire.Pause:
		in.event.Kind = fsm.AnsweredPause
	case wire.Disconnect:
		in.event.Kind = fsm.AnsweredDisconnect
	case wire.JobAssigned:
		in.event.Kind, in.event.Job = fsm.AnsweredJob, fsm.JobID(response.Instruction.JobID)
	case wire.Resume:
	}
	return in
}
