package transport

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// AcceptedJob is a job that this worker has accepted or acquired.
type AcceptedJob struct {
	ID string
	// Env is the job's environment as the control plane sends it.
	Env map[string]string
	// ChunkMaxSize is the maximum number of uncompressed bytes in a log chunk.
	// Zero means that the control plane sent none, and that no log can be sent.
	ChunkMaxSize uint64
	// ChunkInterval is how long to gather output into a chunk; at least a second.
	ChunkInterval time.Duration
	// LogMaxSize is the maximum number of bytes of the whole log; one GiB if the
	// control plane sent none.
	LogMaxSize uint64
	// Token is the job's own token, or empty if the session's token is used for
	// the job. It is a secret.
	Token string
	// Endpoint is the base URL for the job's own commands, or empty if it is the
	// session's endpoint.
	Endpoint    string
	TraceParent string
	TraceState  string
}

// String names the job; it keeps the token out of logs.
func (j AcceptedJob) String() string { return "job " + j.ID }

// GoString returns the same as String, so that %#v does not print the token.
func (j AcceptedJob) GoString() string { return j.String() }

const defaultLogMaxSize = 1 << 30

func acceptedJob(job wire.Job) AcceptedJob {
	if job.LogMaxSize == 0 {
		job.LogMaxSize = defaultLogMaxSize
	}
	return AcceptedJob{
		ID: job.ID, Env: job.Env, Token: job.Token, Endpoint: job.Endpoint,
		ChunkMaxSize: job.ChunkMaxSize, ChunkInterval: seconds(job.ChunkInterval), LogMaxSize: job.LogMaxSize,
		TraceParent: job.TraceParent, TraceState: job.TraceState,
	}
}

// Accept accepts a job that is assigned to the worker. It is tried up to 30 times,
// five seconds apart and ten seconds each, while the control plane has not
// responded: until the job is started, a repeated accept is the same acceptance.
// Any response of the control plane itself ends it, and so does a status between
// 400 and 499, except 429, from a proxy.
func (s *Session) Accept(ctx context.Context, jobID string) (AcceptedJob, error) {
	return s.take(ctx, acceptRule(), jobID, call{
		doing: "accepting job " + jobID, path: []string{wire.PathJobs, jobID, wire.PathAccept}, timeout: pingTimeout,
	})
}

// Acquire takes a job by its ID, whether it is assigned or not. It is tried up to
// seven times within 330 seconds, while the job waits for another one (status 423)
// or the error is [Retryable]. [ErrAcquireRejected] or [ErrAcquireLocked] is in the
// chain of the error when the control plane refuses, or still refuses, the job.
func (s *Session) Acquire(ctx context.Context, jobID string) (AcceptedJob, error) {
	headers := http.Header{}
	headers.Set(wire.HeaderAcquireLock, "1")
	job, err := s.take(ctx, acquireRule(), jobID, call{
		doing: "acquiring job " + jobID, path: []string{wire.PathJobs, jobID, wire.PathAcquire},
		headers: headers, attemptHeader: wire.HeaderAcquireAttempt,
	})
	if status, ok := errors.AsType[*StatusError](err); ok {
		switch status.Code {
		case http.StatusUnprocessableEntity:
			err = fmt.Errorf("%w: %w", ErrAcquireRejected, err)
		case http.StatusLocked:
			err = fmt.Errorf("%w: %w", ErrAcquireLocked, err)
		}
	}
	return job, err
}

// take makes a call whose response is a job.
func (s *Session) take(ctx context.Context, by rule, jobID string, c call) (AcceptedJob, error) {
	var job wire.Job
	c.method, c.into = http.MethodPut, &job
	c.check = func() error {
		if job.ID != jobID {
			return errors.New("no job of that id in it")
		}
		return nil
	}
	if err := s.send(ctx, by, c); err != nil {
		return AcceptedJob{}, err
	}
	return acceptedJob(job), nil
}
