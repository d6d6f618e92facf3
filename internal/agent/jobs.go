package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/switchyard-ci/switchyard/internal/job"
	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/transport"
)

// jobRunner runs the jobs of one worker.
type jobRunner struct {
	session *transport.Session
	options job.Options
	retire  bool // the worker leaves after one job
}

// run implements worker.RunJob.
func (r *jobRunner) run(ctx context.Context, accepted wire.Job) (job.Result, error) {
	options := r.options
	options.Endpoint = cmp.Or(accepted.Endpoint, r.session.Endpoint())
	options.ReportEndpoint = r.session.Endpoint()
	options.Headers = r.session.RequestHeaders()
	return job.Run(ctx, job.Spec{
		ID:            accepted.ID,
		Env:           accepted.Env,
		Token:         accepted.Token,
		ChunkMaxSize:  accepted.ChunkMaxSize,
		ChunkInterval: time.Duration(accepted.ChunkInterval) * time.Second,
		LogMaxSize:    accepted.LogMaxSize,
		TraceParent:   accepted.TraceParent,
		TraceState:    accepted.TraceState,
	}, jobControlPlane{r.session.Job(accepted), r.retire}, options) //nolint:wrapcheck // it names the phase that failed
}

// jobControlPlane is a job's session as a job.ControlPlane.
type jobControlPlane struct {
	session *transport.JobSession
	retire  bool
}

func (j jobControlPlane) Start(ctx context.Context, startedAt time.Time) error {
	return j.session.Start(ctx, startedAt) //nolint:wrapcheck // the job says which phase failed
}

func (j jobControlPlane) Chunk(ctx context.Context, c job.Chunk) error {
	return jobError(j.session.Chunk(ctx, wire.Chunk{Sequence: c.Sequence, Offset: c.Offset, Data: c.Data}))
}

func (j jobControlPlane) State(ctx context.Context) (string, error) {
	state, err := j.session.State(ctx)
	if status, ok := errors.AsType[*transport.StatusError](err); ok && status.Code == http.StatusUnauthorized {
		return "", job.ErrTokenInvalid
	}
	return string(state), jobError(err)
}

func (j jobControlPlane) Finish(ctx context.Context, r job.Result) error {
	return jobError(j.session.Finish(ctx, wire.FinishRequest{
		ExitStatus:   r.ExitStatus,
		Signal:       r.Signal,
		SignalReason: string(r.SignalReason),
		FinishedAt:   wire.FormatTime(r.FinishedAt),
		ChunksFailed: r.ChunksFailed,
		IgnoreAgent:  j.retire,
	}))
}

// jobError marks an error with job.ErrRefused if the control plane refused the
// call, so that it is not repeated.
func jobError(err error) error {
	if transport.Refused(err) {
		return fmt.Errorf("%w: %w", job.ErrRefused, err)
	}
	return err
}
