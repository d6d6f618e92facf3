package worker

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/job"
	"github.com/switchyard-ci/switchyard/transport"
)

// startJob asks for a job and runs it, and posts how it ended: rejected while
// it was not started, finished after that.
func (w *Worker) startJob(ctx context.Context, e fsm.Effect) {
	ask := w.Session.Accept
	if e.Kind == fsm.AcquireJob {
		ask = w.Session.Acquire
	}
	accept, cancelAccept := context.WithCancel(ctx)
	run, cancelJob := context.WithCancelCause(ctx)
	w.cancelAccept = cancelAccept
	w.cancelJob = func() { cancelJob(job.ErrAgentStop) }
	w.tasks.Go(func() {
		defer cancelAccept()
		defer cancelJob(context.Canceled)
		n := news{event: fsm.Event{Kind: fsm.JobRejected, Job: e.Job}}
		accepted, err := ask(accept, string(e.Job))
		if err != nil {
			n.cause, n.err = err.Error(), err
			w.post(n)
			return
		}
		result, err := w.RunJob(run, w.spec(accepted), jobWire{w.Session.Job(accepted), w.Machine.RetireAfterJob}, w.jobOptions(accepted))
		if errors.Is(err, job.ErrAbandoned) {
			n.cause = err.Error()
			w.post(n)
			return
		}
		n.event.Kind = fsm.JobFinished
		n.cause = describe(result)
		if err != nil {
			w.Logger.Error("the job did not go well on this machine", zap.String("job", accepted.ID), zap.Error(err))
		}
		w.post(n)
	})
}

// describe says in words how a job ended.
func describe(r job.Result) string {
	s := "exit status " + r.ExitStatus
	if r.Signal != "" {
		s += ", " + r.Signal
	}
	if r.SignalReason != job.ReasonNone {
		s += fmt.Sprintf(" (%s)", r.SignalReason)
	}
	return s
}

func (*Worker) spec(a transport.AcceptedJob) job.Spec {
	return job.Spec{
		ID:            a.ID,
		Env:           a.Env,
		Token:         a.Token,
		ChunkMaxSize:  a.ChunkMaxSize,
		ChunkInterval: a.ChunkInterval,
		LogMaxSize:    a.LogMaxSize,
		TraceParent:   a.TraceParent,
		TraceState:    a.TraceState,
	}
}

func (w *Worker) jobOptions(a transport.AcceptedJob) job.Options {
	o := w.Job
	o.Endpoint = a.Endpoint
	if o.Endpoint == "" {
		o.Endpoint = w.Session.Endpoint()
	}
	o.ReportEndpoint = w.Session.Endpoint()
	o.Headers = w.Session.RequestHeaders()
	o.Logger = w.Logger
	return o
}

// jobWire is a job's session as the job knows it.
type jobWire struct {
	session *transport.JobSession
	leaves  bool // the worker takes no job after this one
}

func (j jobWire) Start(ctx context.Context, startedAt time.Time) error {
	return j.session.Start(ctx, startedAt) //nolint:wrapcheck // the job says which phase failed
}

func (j jobWire) Chunk(ctx context.Context, c job.Chunk) error {
	return refusal(j.session.Chunk(ctx, transport.Chunk{Sequence: c.Sequence, Offset: c.Offset, Data: c.Data}))
}

func (j jobWire) State(ctx context.Context) (string, error) {
	state, err := j.session.State(ctx)
	var status *transport.StatusError
	if errors.As(err, &status) && status.Code == http.StatusUnauthorized {
		return "", job.ErrTokenInvalid
	}
	return state, refusal(err)
}

func (j jobWire) Finish(ctx context.Context, r job.Result) error {
	return refusal(j.session.Finish(ctx, transport.FinishRequest{
		ExitStatus:   r.ExitStatus,
		Signal:       r.Signal,
		SignalReason: string(r.SignalReason),
		FinishedAt:   r.FinishedAt,
		ChunksFailed: r.ChunksFailed,
		IgnoreAgent:  j.leaves,
	}))
}
