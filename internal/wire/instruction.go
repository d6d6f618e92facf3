package wire

// InstructionKind is what the control plane tells a worker to do. The zero value
// means that there is none.
type InstructionKind int

// The kinds of instruction.
const (
	// Resume lets the worker take work. It is what an unknown or empty
	// instruction means, the idle response to a ping, and the keep-alive of a
	// stream whose worker is not paused.
	Resume InstructionKind = iota + 1
	// Pause stops the worker from taking work until it is resumed.
	Pause
	// Disconnect tells the worker to finish what it runs and leave.
	Disconnect
	// JobAssigned names a job that the worker should accept.
	JobAssigned
)

// String returns the kind in words, such as "job assigned".
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
	}
	return "unknown"
}

// Instruction is one message of the control plane to a worker, on its stream or
// in the response to a ping.
type Instruction struct {
	Kind InstructionKind
	// JobID is the assigned job, for JobAssigned; empty otherwise.
	JobID string
	// Reason is for people, for Pause and Disconnect; it may be empty.
	Reason string
}

// Actions of a ping's response. Every other action means the same as none.
const (
	ActionPause      = "pause"
	ActionDisconnect = "disconnect"
)
