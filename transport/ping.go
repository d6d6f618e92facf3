package transport

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"go.uber.org/zap"
)

// PingResponse is the answer to a ping.
type PingResponse struct {
	// Instruction is Resume when there is nothing to do.
	Instruction Instruction
	// Message is for people, in one line; it may be empty.
	Message string
}

// wirePing is the answer as it is on the wire.
type wirePing struct {
	Action  string `json:"action"`
	Message string `json:"message"`
	Job     *struct {
		ID string `json:"id"`
	} `json:"job"`
	Endpoint       string            `json:"endpoint"`
	RequestHeaders map[string]string `json:"request_headers"`
}

// The actions that a ping's answer can name; any other means the same as none.
const (
	actionPause      = "pause"
	actionDisconnect = "disconnect"
)

const doingPing = "pinging the control plane"

// Ping asks for an instruction, once, and waits up to ten seconds for it. An
// answer that names another endpoint is followed if a ping succeeds there, and
// then that second answer counts; otherwise the first does. After an error,
// [Refused] tells whether the control plane will have no more of this worker,
// and [RetryAfter] how long it wants to be left alone.
func (s *Session) Ping(ctx context.Context) (PingResponse, error) {
	deadline := time.Now().Add(pingTimeout)
	base, _ := s.where()
	answer, err := s.pingAt(ctx, base, deadline)
	if err != nil {
		return PingResponse{}, err
	}
	s.setHeaders(answer.RequestHeaders)
	if moved, ok := s.follow(ctx, answer.Endpoint, deadline); ok {
		answer = moved
	}
	return answer.response(), nil
}

// follow tries the endpoint that an answer names, and switches to it if it
// answers.
func (s *Session) follow(ctx context.Context, named string, deadline time.Time) (wirePing, bool) {
	next, err := s.nextEndpoint(named)
	if next == nil && err == nil {
		return wirePing{}, false
	}
	var answer wirePing
	if err == nil {
		answer, err = s.pingAt(ctx, *next, deadline)
	}
	if err != nil {
		s.transport.log.Warn("the control plane names an endpoint that cannot be used; keeping the present one",
			zap.String("endpoint", s.Endpoint()), zap.Error(err))
		return wirePing{}, false
	}
	s.setHeaders(answer.RequestHeaders)
	s.mu.Lock()
	s.endpoint = *next
	s.mu.Unlock()
	s.transport.log.Info("the control plane moved", zap.Stringer("endpoint", next))
	return answer, true
}

// pingAt pings one endpoint.
func (s *Session) pingAt(ctx context.Context, base endpoint, deadline time.Time) (wirePing, error) {
	_, headers := s.where()
	var answer wirePing
	err := s.transport.try(ctx, base, headers, call{
		doing: doingPing, method: http.MethodGet, path: []string{"ping"},
		token: s.token, timeout: time.Until(deadline), into: &answer,
	})
	if err == nil {
		err = answer.check()
	}
	return answer, err
}

// check finds a job that cannot be named.
func (p wirePing) check() error {
	if p.Action == actionPause || p.Action == actionDisconnect || p.Job == nil {
		return nil
	}
	if err := checkJobID(p.Job.ID); err != nil {
		return fmt.Errorf("%s: %w", doingPing, &failure{kind: undecodable, err: fmt.Errorf("%w: %w", ErrUndecodable, err)})
	}
	return nil
}

// response reads the instruction: a pause or disconnect leaves no room for a
// job.
func (p wirePing) response() PingResponse {
	instruction, message := Instruction{Kind: Resume}, oneLine(p.Message)
	switch {
	case p.Action == actionPause:
		instruction = Instruction{Kind: Pause, Reason: message}
	case p.Action == actionDisconnect:
		instruction = Instruction{Kind: Disconnect, Reason: message}
	case p.Job != nil:
		instruction = Instruction{Kind: JobAssigned, JobID: p.Job.ID}
	}
	return PingResponse{Instruction: instruction, Message: message}
}
