package record

import (
	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Summary is what a list needs of a job to select it.
type Summary struct {
	ID       string
	Queue    string
	State    wire.JobState
	Outcome  lifecycle.Outcome
	WorkerID string
	// RetryOf is the job that this one retries, or empty. Replicas of earlier versions
	// need it.
	RetryOf string
	// Revision is that of the record.
	Revision uint64
}

// Summary returns the summary of the job.
func (j Job) Summary() Summary {
	return Summary{
		ID: j.ID, Queue: j.Queue, State: j.State, Outcome: j.Outcome(),
		WorkerID: j.WorkerID, RetryOf: j.RetryOf, Revision: j.Revision,
	}
}
