package transport

import (
	"errors"
	"fmt"

	agentedgev1 "github.com/switchyard-ci/switchyard/proto/agentedge/v1"
)

// InstructionKind says what the control plane tells a worker to do.
type InstructionKind int

// The kinds of instruction. The zero value is none of them.
const (
	// Resume lets the worker take work. It doubles as a keep-alive, and is what
	// an unknown or empty instruction means.
	Resume InstructionKind = iota + 1
	// Pause stops the worker from taking work until it is resumed.
	Pause
	// Disconnect tells the worker to finish what it runs and leave.
	Disconnect
	// JobAssigned names a job that the worker should accept.
	JobAssigned
)

// String is the kind in words.
func (k InstructionKind) String() string {
	switch k {
	case Resume:
		return "resume"
	case Pause:
		return "pause"
	case Disconnect:
		return "disconnect"
	case JobAssigned:
		return "job assigned"
	default:
		return "unknown"
	}
}

// Instruction is what the control plane tells a worker, over the stream or in
// answer to a ping.
type Instruction struct {
	Kind InstructionKind
	// JobID names the job of JobAssigned; it is not empty then, nor longer than
	// 255 bytes.
	JobID string
	// Reason says why, in words for people and one line, for Pause and
	// Disconnect. It may be empty.
	Reason string
}

// maxJobID bounds the id of a job, in bytes. Some hundreds of them may be kept.
const maxJobID = 255

// These break the connection that brought them.
var (
	errNoJobID      = errors.New("a job was assigned without an id")
	errEndlessJobID = fmt.Errorf("a job was assigned with an id of more than %d bytes", maxJobID)
)

// checkJobID finds an id that cannot name a job.
func checkJobID(id string) error {
	switch {
	case id == "":
		return errNoJobID
	case len(id) > maxJobID:
		return errEndlessJobID
	default:
		return nil
	}
}

// streamInstruction reads one message of the stream.
func streamInstruction(message *agentedgev1.StreamPingsResponse) (Instruction, error) {
	switch action := message.GetAction().(type) {
	case *agentedgev1.StreamPingsResponse_Pause:
		return Instruction{Kind: Pause, Reason: oneLine(action.Pause.GetReason())}, nil
	case *agentedgev1.StreamPingsResponse_Disconnect:
		return Instruction{Kind: Disconnect, Reason: oneLine(action.Disconnect.GetReason())}, nil
	case *agentedgev1.StreamPingsResponse_JobAssigned:
		id := action.JobAssigned.GetJob().GetId()
		if err := checkJobID(id); err != nil {
			return Instruction{}, err
		}
		return Instruction{Kind: JobAssigned, JobID: id}, nil
	default:
		// Resume, an action that this version does not know, or none at all.
		return Instruction{Kind: Resume}, nil
	}
}
