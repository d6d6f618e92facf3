package transport

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// AcceptedJob is a job that the control plane has given to this worker.
type AcceptedJob struct {
	ID    string
	State string
	// Env is the job's environment as the control plane sends it.
	Env map[string]string
	// Step is the step that the job comes from, as it came, or nil.
	Step json.RawMessage
	// ChunkMaxSize is the most uncompressed bytes that one log chunk may hold.
	// Zero means that the control plane did not say, and that a log cannot be
	// sent.
	ChunkMaxSize uint64
	// ChunkInterval is how long to gather output for a chunk; at least a
	// second.
	ChunkInterval time.Duration
	// LogMaxSize is how long the log should become at most; one GiB if the
	// control plane did not say.
	LogMaxSize uint64
	// Token is the job's own token, or empty if the session's serves for the
	// job as well. It is a secret.
	Token string
	// Endpoint is where the job's own commands reach the control plane, if
	// that is not the session's endpoint.
	Endpoint string
	// RunnableAt is when the job could first have run; zero if unknown.
	RunnableAt  time.Time
	TraceParent string
	TraceState  string
	Priority    int
}

// String names the job; it keeps the token out of logs.
func (j AcceptedJob) String() string { return "job " + j.ID }

// GoString is String: a job printed with %#v would show its token.
func (j AcceptedJob) GoString() string { return j.String() }

// wireJob is the job as it is on the wire.
type wireJob struct {
	ID            string            `json:"id"`
	State         string            `json:"state"`
	Env           map[string]string `json:"env"`
	Step          json.RawMessage   `json:"step"`
	ChunkMaxSize  uint64            `json:"chunks_max_size_bytes"`
	ChunkInterval int64             `json:"chunks_interval_seconds"`
	LogMaxSize    uint64            `json:"log_max_size_bytes"`
	Token         string            `json:"token"`
	Endpoint      string            `json:"endpoint"`
	RunnableAt    string            `json:"runnable_at"`
	TraceParent   string            `json:"traceparent"`
	TraceState    string            `json:"tracestate"`
	Priority      int               `json:"priority"`
}

const defaultLogMaxSize = 1 << 30

func (w wireJob) accepted() AcceptedJob {
	// A time that cannot be read is unknown; it only serves measurements.
	runnableAt, _ := time.Parse(time.RFC3339Nano, w.RunnableAt)
	job := AcceptedJob{
		ID: w.ID, State: w.State, Env: w.Env, Step: w.Step,
		ChunkMaxSize: w.ChunkMaxSize, ChunkInterval: seconds(w.ChunkInterval), LogMaxSize: w.LogMaxSize,
		Token: w.Token, Endpoint: w.Endpoint, RunnableAt: runnableAt,
		TraceParent: w.TraceParent, TraceState: w.TraceState, Priority: w.Priority,
	}
	if job.LogMaxSize == 0 {
		job.LogMaxSize = defaultLogMaxSize
	}
	return job
}

// Accept takes a job that the control plane has assigned. It is tried up to 30
// times, five seconds apart and ten seconds each, while the control plane has
// not answered: until the job is started, accepting it again is the same
// acceptance. Any answer of the control plane itself ends it, and so does a
// status of the 400s (but 429) from anyone in between.
func (s *Session) Accept(ctx context.Context, jobID string) (AcceptedJob, error) {
	return retry(ctx, s.transport.log, acceptRule(), func(int) (AcceptedJob, error) {
		return s.take(ctx, jobID, call{
			doing: "accepting job " + jobID, path: []string{routeJobs, jobID, "accept"}, timeout: pingTimeout,
		})
	})
}

// Acquire takes a job by its id, assigned or not. It is tried up to seven
// times within 330 seconds, while the job waits for another one (status 423)
// or the error is [Retryable]. [ErrAcquireRejected] and [ErrAcquireLocked] are
// in the chain of the error when the control plane will not, or not yet, give
// it away.
func (s *Session) Acquire(ctx context.Context, jobID string) (AcceptedJob, error) {
	job, err := retry(ctx, s.transport.log, acquireRule(), func(attempt int) (AcceptedJob, error) {
		headers := http.Header{}
		headers.Set("X-Buildkite-Lock-Acquire-Job", "1")
		headers.Set("X-Buildkite-Backoff-Sequence", strconv.Itoa(attempt))
		return s.take(ctx, jobID, call{
			doing: "acquiring job " + jobID, path: []string{routeJobs, jobID, "acquire"}, headers: headers,
		})
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

// take makes one call that is answered with a job.
func (s *Session) take(ctx context.Context, jobID string, c call) (AcceptedJob, error) {
	var answer wireJob
	c.method, c.into = http.MethodPut, &answer
	if err := s.try(ctx, c); err != nil {
		return AcceptedJob{}, err
	}
	if answer.ID != jobID {
		return AcceptedJob{}, incomplete(c.doing, "job of that id")
	}
	return answer.accepted(), nil
}
