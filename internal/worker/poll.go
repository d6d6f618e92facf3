package worker

import (
	"context"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/transport"
)

// ping asks once for an instruction and posts what came of it.
func (w *Worker) ping(ctx context.Context, epoch fsm.Epoch) {
	answer, err := w.Session.Ping(ctx)
	if ctx.Err() != nil {
		return // cancelled: nobody waits for it
	}
	if answer.Message != "" {
		w.Logger.Info("the control plane says: " + answer.Message)
	}
	pacer := w.Session.Pacer()
	if err == nil {
		pacer.PingSucceeded()
	} else {
		pacer.PingFailed()
	}
	n := heardOfPing(answer, err)
	n.event.Epoch = epoch
	w.post(n)
	w.Session.RefreshStream() // after the instruction, which it must not overtake
}

// heardOfPing is the outcome of a ping as the machine knows it.
func heardOfPing(answer transport.PingResponse, err error) news {
	if err != nil {
		n := news{event: fsm.Event{Kind: fsm.PollFailed}, cause: err.Error(), err: err, notBefore: transport.RetryAfter(err)}
		if transport.Refused(err) {
			n.event.Kind = fsm.PollRefused
		}
		return n
	}
	n := news{event: fsm.Event{Kind: fsm.AnsweredIdle}, cause: answer.Instruction.Reason}
	switch answer.Instruction.Kind {
	case transport.Pause:
		n.event.Kind = fsm.AnsweredPause
	case transport.Disconnect:
		n.event.Kind = fsm.AnsweredDisconnect
	case transport.JobAssigned:
		n.event.Kind, n.event.Job = fsm.AnsweredJob, fsm.JobID(answer.Instruction.JobID)
	case transport.Resume:
	}
	return n
}

// pollPace says when the next ping is due. Its zero value is ready.
type pollPace struct {
	blocked time.Time // until then the control plane wants no ping
}

// holdOff remembers that the control plane wants to be left alone for a while
// (Retry-After).
func (p *pollPace) holdOff(at time.Time, wait time.Duration) {
	if wait > 0 {
		p.blocked = at.Add(wait)
	}
}

// now is the time to wait for a ping that is due at once: none, unless the
// control plane wants to be left alone. Then it is jittered as that of a later
// one: workers that were sent away together do not come back together.
func (p *pollPace) now(at time.Time, interval time.Duration, where float64) time.Duration {
	if blocked := p.blocked.Sub(at); blocked > 0 {
		return blocked + time.Duration(where*float64(interval))
	}
	return 0
}

// later is the time to wait for the next ping: the interval, jittered over its
// own length, so that workers which fell back together soon poll apart. The
// argument where, in [0, 1), is the place in the jitter.
func (p *pollPace) later(at time.Time, interval time.Duration, where float64) time.Duration {
	return max(interval/2, p.blocked.Sub(at)) + time.Duration(where*float64(interval))
}
