package transport

import (
	"errors"
	"fmt"

	"github.com/switchyard-ci/switchyard/internal/wire"
	agentedgev1 "github.com/switchyard-ci/switchyard/proto/agentedge/v1"
)

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
