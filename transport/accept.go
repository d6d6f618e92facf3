package transport

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// defaultLogMaxSize is the maximum size of a log if the control plane sends none.
const defaultLogMaxSize = 1 << 30

// Accept accepts a job that is assigned to the worker. It is tried up to 30 times,
// five seconds apart and ten seconds each, while the control plane has not
// responded: until the job is started, a repeated accept is the same acceptance.
// Any response of the control plane itself ends it, and so does a status between
// 400 and 499, except 429, from a proxy.
func (s *Session) Accept(ctx context.Context, jobID string) (wire.Job, error) {
	return s.take(ctx, acceptRule(), jobID, call{
		doing: "accepting job " + jobID, path: []string{wire.PathJobs, jobID, wire.PathAccept}, timeout: pingTimeout,
	})
}

// Acquire takes a job by its ID, whether it is assigned or not. It is tried up to
// seven times within 330 seconds, while the job waits for another one (status 423)
// or the error is [Retryable]. [ErrAcquireRejected] or [ErrAcquireLocked] is in the
// chain of the error when the control plane refuses, or still refuses, the job.
func (s *Session) Acquire(ctx context.Context, jobID string) (wire.Job, error) {
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

// withDefaults returns the job with a chunk interval of at least a second, and with a
// maximum size of its log.
func withDefaults(job wire.Job) wire.Job {
	job.ChunkInterval = int64(seconds(job.ChunkInterval) / time.Second)
	job.LogMaxSize = cmp.Or(job.LogMaxSize, defaultLogMaxSize)
	return job
}

// take makes a call whose response is a job.
func (s *Session) take(ctx context.Context, by rule, jobID string, c call) (wire.Job, error) {
	var job wire.Job
	c.method, c.into = http.MethodPut, &job
	c.check = func() error {
		if job.ID != jobID {
			return errors.New("no job of that id in it")
		}
		return nil
	}
	if err := s.send(ctx, by, c); err != nil {
		return wire.Job{}, err
	}
	return withDefaults(job), nil
}
