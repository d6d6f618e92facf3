package dispatch

// InstructionKind is what an instruction tells a worker to do.
type InstructionKind int

// The kinds of instruction.
const (
	// Resume: nothing stands against taking work. As an answer to a ping it is
	// "idle", and on a stream it is the keep-alive too.
	Resume InstructionKind = iota + 1
	// Pause: take no work until told otherwise.
	Pause
	// Disconnect: finish what runs, and leave.
	Disconnect
	// JobAssigned: a job is on offer.
	JobAssigned
)

// String is the kind in the words of the wire.
func (k InstructionKind) String() string {
	switch k {
	case Resume:
		return "resume"
	case Pause:
		return "pause"
	case Disconnect:
		return "disconnect"
	case JobAssigned:
		return "job"
	}
	return "unknown"
}

// Instruction is what a worker is told, on its stream or as the answer to a
// ping.
type Instruction struct {
	Kind InstructionKind
	// JobID is the job on offer, for JobAssigned.
	JobID string
	// Reason says why, in words for people, for Pause and Disconnect.
	Reason string
}
