package transport

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// JobSession is one accepted job: its calls carry the job's token, or the
// session's if the job has none. Its methods may be called concurrently.
type JobSession struct {
	session *Session
	id      string
	token   string
}

// Job is the session of a job that this worker has accepted or acquired.
func (s *Session) Job(job AcceptedJob) *JobSession {
	token := job.Token
	if token == "" {
		token = s.token
	}
	return &JobSession{session: s, id: job.ID, token: token}
}

// ID is the job's id.
func (j *JobSession) ID() string { return j.id }

// Start tells the control plane that the job starts. It is tried up to seven
// times, with waits that double from a second, while the error is [Retryable];
// after an error the job must not be run.
func (j *JobSession) Start(ctx context.Context, at time.Time) error {
	body := struct {
		StartedAt string `json:"started_at,omitempty"`
	}{StartedAt: wireTime(at)}
	return j.send(ctx, startRule(), "starting", "start", body)
}

// FinishRequest is how a job ended.
type FinishRequest struct {
	// ExitStatus is the exit status in decimal; "-1" if the command never ran.
	ExitStatus string
	// Signal is the name of the signal that ended the command ("SIGTERM"), or
	// empty.
	Signal string
	// SignalReason says why the agent ended the command, or empty.
	SignalReason string
	// FinishedAt is when the command ended; zero leaves it out.
	FinishedAt time.Time
	// ChunksFailed counts the log chunks that could not be delivered.
	ChunksFailed int
	// IgnoreAgent asks the control plane to give this worker no more jobs,
	// since it leaves after this one.
	IgnoreAgent bool
}

// Finish tells the control plane how the job ended. It is tried up to twelve
// times in about ten minutes, while the error is [Retryable].
func (j *JobSession) Finish(ctx context.Context, result FinishRequest) error {
	body := struct {
		ExitStatus   string `json:"exit_status,omitempty"`
		Signal       string `json:"signal,omitempty"`
		SignalReason string `json:"signal_reason,omitempty"`
		FinishedAt   string `json:"finished_at,omitempty"`
		ChunksFailed int    `json:"chunks_failed_count"`
		IgnoreAgent  bool   `json:"ignore_agent_in_dispatches,omitempty"`
	}{
		ExitStatus:   result.ExitStatus,
		Signal:       result.Signal,
		SignalReason: result.SignalReason,
		FinishedAt:   wireTime(result.FinishedAt),
		ChunksFailed: result.ChunksFailed,
		IgnoreAgent:  result.IgnoreAgent,
	}
	return j.send(ctx, deliverRule(), "finishing", "finish", body)
}

// State asks once for the job's state. After an error, a [StatusError] with
// code 401 means that the job's token no longer works.
func (j *JobSession) State(ctx context.Context) (string, error) {
	var answer struct {
		State string `json:"state"`
	}
	err := j.session.try(ctx, call{
		doing: "asking for the state of job " + j.id, method: http.MethodGet, path: []string{routeJobs, j.id},
		token: j.token, into: &answer,
	})
	return answer.State, err
}

// send makes a call with a JSON body of which only the success matters.
func (j *JobSession) send(ctx context.Context, by rule, doing, route string, content any) error {
	doing += " job " + j.id
	body, err := json.Marshal(content)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return j.session.retryPlain(ctx, by, call{
		doing: doing, method: http.MethodPut, path: []string{routeJobs, j.id, route},
		token: j.token, body: body, bodyType: contentTypeJSON,
	})
}

// wireTime writes a time as existing agents do: RFC 3339 with nanoseconds, in
// UTC; nothing for the zero time.
func wireTime(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339Nano)
}
