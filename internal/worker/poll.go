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

// pollWindow spreads pings: one in each interval, at a random moment of it, so
// that workers which fell back together do not poll together for ever. The
// first interval begins with a ping that is sent at once.
type pollWindow struct {
	end     time.Time // of the interval in which the last ping was due
	blocked time.Time // until then the control plane wants no ping
}

// holdOff remembers that the control plane wants to be left alone for a while.
func (p *pollWindow) holdOff(at time.Time, wait time.Duration) {
	if wait > 0 {
		p.blocked = at.Add(wait)
	}
}

// now is the time to wait for a ping that is due at once: none, unless the
// control plane wants to be left alone.
func (p *pollWindow) now(at time.Time) time.Duration {
	p.end = at
	return max(0, p.blocked.Sub(at))
}

// later is the time to wait for the ping of the next interval; where in [0, 1)
// says at which moment of it. An interval that was missed is not made up for.
func (p *pollWindow) later(at time.Time, interval time.Duration, where float64) time.Duration {
	begin := p.end
	if begin.Before(at) {
		begin = at
	}
	p.end = begin.Add(interval)
	due := begin.Add(time.Duration(where * float64(interval)))
	return max(due.Sub(at), p.blocked.Sub(at))
}
