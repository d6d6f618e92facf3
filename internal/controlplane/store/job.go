package store

import (
	"cmp"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Job is the stored record of a job: what was asked for, and what became of it.
// It is a value; Command, Env and TokenHashes are never changed in place, so that
// copies may share them.
type Job struct {
	// ID is a UUIDv7: sortable by the moment of submission, and a UUID as workers
	// expect it.
	ID string `json:"id"`
	// Command is the program with its arguments, at least one element.
	Command []string `json:"command"`
	// Env holds the variables that the job's process finds in its environment.
	Env map[string]string `json:"env,omitempty"`
	// Queue is the queue whose workers may run the job.
	Queue string `json:"queue"`
	// Priority orders a queue: the higher runs first, between equals the older.
	Priority int32 `json:"priority,omitempty"`
	// Timeout is how long the job may run before it is cancelled; 0 is no limit.
	Timeout time.Duration `json:"timeout,omitempty"`
	// IdempotencyKey is the key under which a repeated submission is this job.
	IdempotencyKey string `json:"idempotency_key,omitempty"`

	// State is where the job stands.
	State wire.JobState `json:"state"`
	// WorkerID and WorkerName name the worker that the job was last given to. They
	// are empty while the job is queued.
	WorkerID   string `json:"worker_id,omitempty"`
	WorkerName string `json:"worker_name,omitempty"`
	// TokenHashes are the SHA-256 hashes of the tokens given out for the current
	// acceptance, newest last. Without one, every token of the job is refused.
	TokenHashes []token.Hash `json:"token_hashes,omitempty"`

	// ExitStatus, Signal and SignalReason are what the worker said at the end, in
	// the words of the agents' wire; ExitStatus is -1 where the command never ran
	// or its end was not seen.
	ExitStatus   string `json:"exit_status,omitempty"`
	Signal       string `json:"signal,omitempty"`
	SignalReason string `json:"signal_reason,omitempty"`
	// ChunksFailed is how many pieces of the log the worker could not deliver.
	ChunksFailed int `json:"chunks_failed,omitempty"`
	// LogSize is the size in bytes of the log that had arrived when the job ended.
	LogSize uint64 `json:"log_size,omitempty"`

	// CancelRequested is set where a running job is to be cancelled by its worker,
	// and stays set when it was. CancelReason says why, in words for people.
	CancelRequested bool   `json:"cancel_requested,omitempty"`
	CancelReason    string `json:"cancel_reason,omitempty"`
	// TimedOut is set where the job ran for longer than its Timeout.
	TimedOut bool `json:"timed_out,omitempty"`
	// LostReason says, for a lost job, what was last known, in words for people.
	LostReason string `json:"lost_reason,omitempty"`

	// SubmittedAt and the others are moments by the control plane's clock, zero
	// where the job has not come so far. AssignedAt, AcceptedAt and StartedAt are
	// cleared when the job goes back to its queue.
	SubmittedAt time.Time `json:"submitted_at"`
	AssignedAt  time.Time `json:"assigned_at,omitzero"`
	AcceptedAt  time.Time `json:"accepted_at,omitzero"`
	StartedAt   time.Time `json:"started_at,omitzero"`
	FinishedAt  time.Time `json:"finished_at,omitzero"`

	// RetriesLeft is how many more times the job is submitted anew, under a new
	// id, if it is lost, or ended with its worker.
	RetriesLeft int `json:"retries_left,omitempty"`
	// BuildID is the first of the jobs that this one is a retry of, and retries of
	// retries: the build that they are of, and share the meta-data of. Empty is the
	// job itself; see Build.
	BuildID string `json:"build_id,omitempty"`
	// RetryOf is the job that this one retries, RetriedBy the one that retries it.
	RetryOf   string `json:"retry_of,omitempty"`
	RetriedBy string `json:"retried_by,omitempty"`

	// Revision is the sequence of the stored message: what a change expects to
	// replace. 0 is a record that is not stored yet.
	Revision uint64 `json:"-"`
}

// Build is the build that the job is of, a job and its retries: the id of the
// first of them.
func (j Job) Build() string { return cmp.Or(j.BuildID, j.ID) }
