package agent

import (
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
	spec := job.Spec{Job: accepted, ReportEndpoint: r.session.Endpoint(), Headers: r.session.RequestHeaders()}
	return job.Run(ctx, spec, jobControlPlane{r.session.Job(accepted), r.retire}, r.options) //nolint:wrapcheck // it names the phase that failed
}

// jobControlPlane is a job's session as a job.ControlPlane.
type jobControlPlane struct {
	session *transport.JobSession
	retire  bool
}

func (j jobControlPlane) Start(ctx context.Context, startedAt time.Time) error {
	return j.session.Start(ctx, startedAt) //nolint:wrapcheck // the job says which phase failed
}

func (j jobControlPlane) Chunk(ctx context.Context, chunk wire.Chunk) error {
	return jobError(j.session.Chunk(ctx, chunk))
}

func (j jobControlPlane) State(ctx context.Context) (wire.JobState, error) {
	state, err := j.session.State(ctx)
	if status, ok := errors.AsType[*transport.StatusError](err); ok && status.Code == http.StatusUnauthorized {
		return "", job.ErrTokenInvalid
	}
	return state, jobError(err)
}

func (j jobControlPlane) Finish(ctx context.Context, result wire.FinishRequest) error {
	result.IgnoreAgent = j.retire
	return jobError(j.session.Finish(ctx, result))
}

// jobError marks an error with job.ErrRefused if the control plane refused the
// call, so that it is not repeated.
func jobError(err error) error {
	if transport.Refused(err) {
		return fmt.Errorf("%w: %w", job.ErrRefused, err)
	}
	return err
}
