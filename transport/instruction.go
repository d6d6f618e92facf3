package transport

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/switchyard-ci/switchyard/internal/httpclient"
	"github.com/switchyard-ci/switchyard/internal/wire"
	agentedgev1 "github.com/switchyard-ci/switchyard/proto/agentedge/v1"
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
	endpoints, _ := s.targets()
	response, from, err := s.pingAt(ctx, endpoints, deadline)
	if err != nil {
		if ctx.Err() == nil {
			s.pacer.step(pace.PingFailed)
		}
		return PingResult{}, err
	}
	s.setHeaders(response.RequestHeaders)
	if moved, ok := s.followTested(ctx, from, response.Endpoint, deadline); ok {
		response = moved
	}
	s.pacer.step(pace.PingSucceeded)
	return PingResult{Instruction: pingInstruction(response), Message: oneLine(response.Message)}, nil
}

// pingAt pings the first of the endpoints that can be reached, and returns that.
func (s *Session) pingAt(
	ctx context.Context, endpoints []httpclient.Endpoint, deadline time.Time,
) (response wire.PingResponse, from httpclient.Endpoint, err error) {
	_, headers := s.targets()
	from, err = s.group.tryAny(ctx, endpoints, headers, call{
		doing: "pinging the control plane", method: http.MethodGet, path: []string{wire.PathPing},
		headers: s.reported(), token: s.token, timeout: time.Until(deadline), into: &response,
		check: func() error {
			if pingInstruction(response).Kind != wire.JobAssigned {
				return nil
			}
			return checkJobID(response.Job.ID)
		},
	})
	return response, from, err
}

// maxJobID bounds the ID of a job, in bytes. A worker may keep hundreds of them.
const maxJobID = 255

// An instruction with one of these errors breaks the connection that delivered it.
var (
	errNoJobID   = errors.New("a job was assigned without an id")
	errLongJobID = fmt.Errorf("a job was assigned with an id of more than %d bytes", maxJobID)
)

// checkJobID returns an error if the ID cannot name a job.
func checkJobID(id string) error {
	switch {
	case id == "":
		return errNoJobID
	case len(id) > maxJobID:
		return errLongJobID
	default:
		return nil
	}
}

// streamInstruction returns the instruction of a message of the stream.
func streamInstruction(message *agentedgev1.StreamPingsResponse) (wire.Instruction, error) {
	switch action := message.GetAction().(type) {
	case *agentedgev1.StreamPingsResponse_Pause:
		return wire.Instruction{Kind: wire.Pause, Reason: oneLine(action.Pause.GetReason())}, nil
	case *agentedgev1.StreamPingsResponse_Disconnect:
		return wire.Instruction{Kind: wire.Disconnect, Reason: oneLine(action.Disconnect.GetReason())}, nil
	case *agentedgev1.StreamPingsResponse_JobAssigned:
		id := action.JobAssigned.GetJob().GetId()
		if err := checkJobID(id); err != nil {
			return wire.Instruction{}, err
		}
		return wire.Instruction{Kind: wire.JobAssigned, JobID: id}, nil
	default:
		// Resume, an action that this version does not know, or no action.
		return wire.Instruction{Kind: wire.Resume}, nil
	}
}

// pingInstruction returns the instruction of a ping's response. With a pause or
// disconnect, a job in the response is ignored.
func pingInstruction(response wire.PingResponse) wire.Instruction {
	switch {
	case response.Action == wire.ActionPause:
		return wire.Instruction{Kind: wire.Pause, Reason: oneLine(response.Message)}
	case response.Action == wire.ActionDisconnect:
		return wire.Instruction{Kind: wire.Disconnect, Reason: oneLine(response.Message)}
	case response.Job != nil:
		return wire.Instruction{Kind: wire.JobAssigned, JobID: response.Job.ID}
	default:
		return wire.Instruction{Kind: wire.Resume}
	}
}
