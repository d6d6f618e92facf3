package transport

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"time"
)

// RegisterRequest is what a worker says about itself when it registers.
type RegisterRequest struct {
	Name     string `json:"name"`
	Hostname string `json:"hostname"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`
	// ScriptEvalEnabled says that jobs may bring commands of their own.
	ScriptEvalEnabled bool `json:"script_eval_enabled"`
	// IgnoreInDispatches registers without being given jobs, as a worker that
	// acquires one job by its id does.
	IgnoreInDispatches bool   `json:"ignore_in_dispatches"`
	Priority           string `json:"priority,omitempty"`
	Version            string `json:"version"`
	Build              string `json:"build"`
	// Tags are "key=value" pairs; jobs are matched against them.
	Tags      []string `json:"meta_data"`
	PID       int      `json:"pid,omitempty"`
	MachineID string   `json:"machine_id,omitempty"`
	// Features names what this agent can do.
	Features []string `json:"features"`
}

// RegisterResponse is what the control plane says to a worker that it has
// registered. The session token is not in it: the [Session] keeps it.
type RegisterResponse struct {
	ID   string
	Name string
	Tags []string
	// Endpoint is the base URL that the session uses from now on.
	Endpoint string
	// PingInterval and HeartbeatInterval are at least a second.
	PingInterval      time.Duration
	HeartbeatInterval time.Duration
	// JobStatusInterval is how often the state of a running job is asked for;
	// at least a second.
	JobStatusInterval time.Duration
	// Tracing is the control plane's tracing configuration as it came, or nil.
	Tracing json.RawMessage
}

// registerAnswer is the answer as it is on the wire.
type registerAnswer struct {
	ID                string            `json:"id"`
	Name              string            `json:"name"`
	AccessToken       string            `json:"access_token"`
	Endpoint          string            `json:"endpoint"`
	RequestHeaders    map[string]string `json:"request_headers"`
	PingInterval      int64             `json:"ping_interval"`
	JobStatusInterval int64             `json:"job_status_interval"`
	HeartbeatInterval int64             `json:"heartbeat_interval"`
	Tags              []string          `json:"meta_data"`
	Tracing           json.RawMessage   `json:"tracing"`
}

// Register registers one worker with a registration token and returns its
// session. It is tried up to 30 times, about ten seconds apart, while nothing
// answers or the answer is a 429 or a status of at least 500; [Refused] tells
// a wrong token from an outage.
func (t *Transport) Register(ctx context.Context, token string, worker RegisterRequest) (*Session, RegisterResponse, error) {
	if worker.Tags == nil {
		worker.Tags = []string{}
	}
	if worker.Features == nil {
		worker.Features = []string{}
	}
	const doing = "registering with the control plane"
	body, err := json.Marshal(worker)
	if err != nil {
		return nil, RegisterResponse{}, fmt.Errorf("%s: %w", doing, err)
	}
	answer, err := retry(ctx, t.log, registerRule(), func(int) (registerAnswer, error) {
		var answer registerAnswer
		err = t.try(ctx, t.endpoint, t.headers, call{
			doing: doing, method: http.MethodPost, path: []string{"register"}, token: token,
			body: body, bodyType: contentTypeJSON, timeout: callTimeout, into: &answer,
		})
		switch {
		case err != nil:
		case answer.ID == "":
			err = incomplete(doing, "id")
		case answer.AccessToken == "":
			err = incomplete(doing, "access_token")
		}
		return answer, err
	})
	if err != nil {
		return nil, RegisterResponse{}, err
	}
	session, response := t.newSession(answer)
	// One that does not answer leaves the worker where it has just been heard. An
	// instruction that comes with the test is given again.
	session.follow(ctx, answer.Endpoint, time.Now().Add(pingTimeout))
	response.Endpoint = session.Endpoint()
	return session, response, nil
}

// newSession turns a complete answer into a session.
func (t *Transport) newSession(answer registerAnswer) (*Session, RegisterResponse) {
	session := &Session{
		transport:    t,
		id:           answer.ID,
		token:        answer.AccessToken,
		pingInterval: seconds(answer.PingInterval),
		endpoint:     t.endpoint,
		headers:      maps.Clone(t.headers),
	}
	session.setHeaders(answer.RequestHeaders)
	session.pacer = newPacer(session.pingInterval)
	return session, RegisterResponse{
		ID:                answer.ID,
		Name:              answer.Name,
		Tags:              answer.Tags,
		Endpoint:          session.endpoint.String(),
		PingInterval:      session.pingInterval,
		HeartbeatInterval: seconds(answer.HeartbeatInterval),
		JobStatusInterval: seconds(answer.JobStatusInterval),
		Tracing:           answer.Tracing,
	}
}

// maxInterval bounds the intervals that a control plane can set.
const maxInterval = 24 * time.Hour

// seconds reads an interval in whole seconds. Zero and less is a second: a
// ticker cannot run on it.
func seconds(count int64) time.Duration {
	return time.Duration(min(max(count, 1), int64(maxInterval/time.Second))) * time.Second
}
