package transport

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/switchyard-ci/switchyard/internal/httpclient"
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
		headers: s.machine(),
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

// JobSession makes the calls of one accepted job, with the job's token or, if the
// job has none, the session's. It is safe for concurrent use. Its errors wrap
// [wire.ErrRefused] or [wire.ErrTokenInvalid] where they apply.
type JobSession struct {
	// LastJob makes Finish ask for no more jobs, since the worker leaves after this
	// one. It must be set before Finish is called.
	LastJob bool

	session *Session
	jobID   string
	token   string
	deliver rule // of Chunk and Finish
}

// Job returns the session of a job that this worker has accepted or acquired.
func (s *Session) Job(job wire.Job) *JobSession {
	return &JobSession{session: s, jobID: job.ID, token: job.Token, deliver: deliverRule()}
}

// UndeliveredJob returns the session of a job that an agent process, this one or another,
// has run and whose result or log is undelivered. It needs no registration, only the
// job's token. Endpoint and headers are those that the process used; if the
// endpoint is one of several of this transport, any of them is used. Each call is tried
// once: the caller tries again, by [Transport.Recovery].
func (t *Transport) UndeliveredJob(endpoint string, headers http.Header, id, token string) (*JobSession, error) {
	base, err := httpclient.ParseEndpoint(endpoint)
	if err != nil {
		return nil, fmt.Errorf("reporting on job %s: endpoint %q %w", id, oneLine(endpoint), err)
	}
	if name, ok := firstForbidden(headers); ok {
		return nil, fmt.Errorf("reporting on job %s: header %q must not be sent", id, name)
	}
	if token == "" {
		return nil, fmt.Errorf("reporting on job %s: missing job token", id)
	}
	all := http.Header{}
	maps.Copy(all, t.headers)
	maps.Copy(all, headers)
	session := &Session{transport: t, group: t.groups[0], token: token, headers: all}
	if !slices.ContainsFunc(t.endpoints, func(one httpclient.Endpoint) bool { return one.String() == base.String() }) {
		session.named = &base
	}
	once := rule{tries: 1, again: Retryable}
	return &JobSession{session: session, jobID: id, token: token, deliver: once}, nil
}

// Start reports that the job starts. It is tried up to seven times, with waits that
// double from a second, while the error is [Retryable]. After an error the job must
// not be run.
func (j *JobSession) Start(ctx context.Context, at time.Time) error {
	return j.session.send(ctx, startRule(), j.call("starting", http.MethodPut, wire.PathStart).
		withJSON(wire.StartRequest{StartedAt: wire.FormatTime(at)}))
}

// Finish reports how the job ended, with IgnoreAgent set from LastJob. It is tried
// up to twelve times in about ten minutes, while the error is [Retryable], and once
// more at each [Recovery].
func (j *JobSession) Finish(ctx context.Context, result wire.FinishRequest) error {
	result.IgnoreAgent = j.LastJob
	c := j.call("finishing", http.MethodPut, wire.PathFinish).withJSON(result)
	c.delivery = true
	return j.session.send(ctx, j.deliver, c)
}

// State asks once for the job's state. A [StatusError] with code 401 means that the
// job's token is no longer valid.
func (j *JobSession) State(ctx context.Context) (wire.JobState, error) {
	var response wire.JobStateResponse
	c := j.call("asking for the state of", http.MethodGet)
	c.into = &response
	err := j.session.try(ctx, c)
	return response.State, err
}

// call returns a call about the job, below its path.
func (j *JobSession) call(doing, method string, route ...string) call {
	return call{
		doing: doing + " job " + j.jobID, method: method, token: j.token,
		path: append([]string{wire.PathJobs, j.jobID}, route...),
	}
}

// Chunk compresses and uploads a chunk of the log. It is tried up to twelve times
// in about ten minutes, and at most for an hour, while the error is [Retryable] (unlike
// with existing agents, also after a 429), and once more at each [Recovery]. After an
// error the chunk is lost, which does not fail the job. Several chunks of a job may be
// uploaded at once.
func (j *JobSession) Chunk(ctx context.Context, chunk wire.Chunk) error {
	c := j.call(fmt.Sprintf("uploading chunk %d of", chunk.Sequence), http.MethodPost, wire.PathChunks)
	body, err := compress(chunk.Data)
	if err != nil {
		return fmt.Errorf("%s: %w", c.doing, err)
	}
	c.body, c.bodyType, c.untimed, c.delivery = body, "text/plain", true, true
	c.headers = http.Header{"Content-Encoding": {"gzip"}}
	c.query = url.Values{
		wire.ChunkSequence: {strconv.FormatUint(chunk.Sequence, 10)},
		wire.ChunkOffset:   {strconv.FormatUint(chunk.Offset, 10)},
		wire.ChunkSize:     {strconv.Itoa(len(chunk.Data))},
	}
	return j.session.send(ctx, j.deliver, c)
}

// compressors are reused: each one needs about a megabyte.
var compressors = sync.Pool{ //nolint:gochecknoglobals // a cache, without state that matters
	New: func() any { return gzip.NewWriter(nil) },
}

func compress(data []byte) ([]byte, error) {
	var compressed bytes.Buffer
	writer := compressors.Get().(*gzip.Writer) //nolint:forcetypeassert // the pool holds nothing else
	defer compressors.Put(writer)
	writer.Reset(&compressed)
	if _, err := writer.Write(data); err != nil {
		return nil, fmt.Errorf("compressing: %w", err)
	}
	if err := writer.Close(); err != nil {
		return nil, fmt.Errorf("compressing: %w", err)
	}
	return compressed.Bytes(), nil
}
