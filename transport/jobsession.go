package transport

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"time"

	"github.com/switchyard-ci/switchyard/internal/httpclient"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// JobSession makes the calls of one accepted job, with the job's token or, if the
// job has none, the session's. It is safe for concurrent use.
type JobSession struct {
	session *Session
	id      string
	token   string
}

// Job returns the session of a job that this worker has accepted or acquired.
func (s *Session) Job(job wire.Job) *JobSession {
	return &JobSession{session: s, id: job.ID, token: job.Token}
}

// UndeliveredJob returns the session of a job that another agent process has run
// and whose result or log is undelivered. It needs no registration, only the
// job's token. Endpoint and headers are those that the other process used.
func (t *Transport) UndeliveredJob(endpoint string, headers http.Header, id, token string) (*JobSession, error) {
	base, err := httpclient.ParseEndpoint(endpoint)
	if err != nil {
		return nil, fmt.Errorf("reporting on job %s: endpoint %q %w", id, oneLine(endpoint), err)
	}
	if name, ok := firstForbidden(headers); ok {
		return nil, fmt.Errorf("reporting on job %s: header %q must not be sent", id, name)
	}
	all := http.Header{}
	maps.Copy(all, t.headers)
	maps.Copy(all, headers)
	session := &Session{transport: t, token: token, endpoint: base, headers: all}
	return &JobSession{session: session, id: id, token: token}, nil
}

// ID returns the job's ID.
func (j *JobSession) ID() string { return j.id }

// Start reports that the job starts. It is tried up to seven times, with waits that
// double from a second, while the error is [Retryable]. After an error the job must
// not be run.
func (j *JobSession) Start(ctx context.Context, at time.Time) error {
	return j.session.send(ctx, startRule(), j.call("starting", http.MethodPut, wire.PathStart).
		withJSON(wire.StartRequest{StartedAt: wire.FormatTime(at)}))
}

// Finish reports how the job ended. It is tried up to twelve times in about ten
// minutes, while the error is [Retryable].
func (j *JobSession) Finish(ctx context.Context, result wire.FinishRequest) error {
	return j.session.send(ctx, deliverRule(), j.call("finishing", http.MethodPut, wire.PathFinish).withJSON(result))
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
		doing: doing + " job " + j.id, method: method, token: j.token,
		path: append([]string{wire.PathJobs, j.id}, route...),
	}
}
