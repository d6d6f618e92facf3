package worker

import (
	"context"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/transport"
)

// stream keeps the stream open until the context ends, and posts what happens
// on it.
func (w *Worker) stream(ctx context.Context) {
	w.Session.RunStream(ctx, w.Stream, func(ev transport.StreamEvent) {
		w.post(heardOfStream(ev))
	})
}

// heardOfStream is an event of the stream as the machine knows it.
func heardOfStream(ev transport.StreamEvent) news {
	n := news{event: fsm.Event{Epoch: fsm.Epoch(ev.Epoch)}}
	if ev.Err != nil {
		n.cause, n.err = ev.Err.Error(), ev.Err
	}
	switch ev.Kind {
	case transport.StreamMessage:
		n.cause = ev.Instruction.Reason
		switch ev.Instruction.Kind {
		case transport.Pause:
			n.event.Kind = fsm.ReceivedPause
		case transport.Disconnect:
			n.event.Kind = fsm.ReceivedDisconnect
		case transport.JobAssigned:
			n.event.Kind, n.event.Job = fsm.ReceivedJob, fsm.JobID(ev.Instruction.JobID)
		case transport.Resume:
			n.event.Kind = fsm.ReceivedResume
		}
	case transport.StreamEnded:
		n.event.Kind = fsm.StreamEnded
	case transport.StreamRefused:
		n.event.Kind = fsm.StreamRefused
	case transport.StreamLost:
		n.event.Kind = fsm.StreamLost
	}
	return n
}
