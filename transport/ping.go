package transport

import (
	"context"
	"net/http"
	"time"

	"github.com/switchyard-ci/switchyard/internal/httpclient"
	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/transport/pace"
)

// PingResult is what the control plane says in response to a ping.
type PingResult struct {
	// Instruction is [wire.Resume] when there is nothing to do.
	Instruction wire.Instruction
	// Message is for people, in one line; it may be empty.
	Message string
}

// Ping asks once for an instruction and waits up to ten seconds for it. If the
// response names another endpoint, that is pinged too; if it responds, the session
// switches to it and the second response counts. For an error, [Refused] reports
// whether the control plane refuses this worker for good, and [RetryAfter] returns
// how long the next ping must wait.
func (s *Session) Ping(ctx context.Context) (PingResult, error) {
	deadline := time.Now().Add(pingTimeout)
	endpoint, _ := s.target()
	response, err := s.pingAt(ctx, endpoint, deadline)
	if err != nil {
		if ctx.Err() == nil {
			s.pacer.step(pace.PingFailed)
		}
		return PingResult{}, err
	}
	s.setHeaders(response.RequestHeaders)
	if moved, ok := s.follow(ctx, response.Endpoint, deadline); ok {
		response = moved
	}
	s.pacer.step(pace.PingSucceeded)
	return PingResult{Instruction: pingInstruction(response), Message: oneLine(response.Message)}, nil
}

// pingAt pings one endpoint.
func (s *Session) pingAt(ctx context.Context, endpoint httpclient.Endpoint, deadline time.Time) (wire.PingResponse, error) {
	_, headers := s.target()
	var response wire.PingResponse
	err := s.transport.try(ctx, endpoint, headers, call{
		doing: "pinging the control plane", method: http.MethodGet, path: []string{wire.PathPing},
		token: s.token, timeout: time.Until(deadline), into: &response,
		check: func() error {
			if pingInstruction(response).Kind != wire.JobAssigned {
				return nil
			}
			return checkJobID(response.Job.ID)
		},
	})
	return response, err
}
