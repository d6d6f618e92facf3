package store

import (
	"cmp"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Job is the stored record of a job: what was submitted, and what became of it.
// It is a value; Command, Env and TokenHashes are never changed in place, so
// copies share them.
type Job struct {
	// ID is a UUIDv7, so IDs sort by the time of submission.
	ID string `json:"id"`
	// Command is the program and its arguments.
	Command []string          `json:"command"`
	Env     map[string]string `json:"env,omitempty"`
	Queue   string            `json:"queue"`
	// Priority orders a queue: the highest runs first, between equals the oldest.
	Priority int32 `json:"priority,omitempty"`
	// Timeout is how long the job may run before it is canceled; 0 means no limit.
	Timeout time.Duration `json:"timeout,omitempty"`
	// IdempotencyKey makes a repeated submission the same job; empty is none.
	IdempotencyKey string `json:"idempotency_key,omitempty"`
	// RetriesLeft is how many more times the job is submitted again, under a new
	// ID, if it is lost or if its agent died before its end was seen.
	RetriesLeft int `json:"retries_left,omitempty"`

	// State changes by compare-and-set only.
	State wire.JobState `json:"state"`
	// WorkerID and WorkerName name the worker that the job was last assigned to.
	// They are empty while the job is queued.
	WorkerID   string `json:"worker_id,omitempty"`
	WorkerName string `json:"worker_name,omitempty"`
	// TokenHashes are the hashes of the job tokens of the current acceptance, newest
	// last. Every other token of the job is refused.
	TokenHashes []token.Hash `json:"token_hashes,omitempty"`

	// ExitStatus, Signal and SignalReason are the result that the worker reported,
	// as on the wire. ExitStatus is wire.ExitStatusNeverRan if the command never ran
	// or its end was not seen.
	ExitStatus   string `json:"exit_status,omitempty"`
	Signal       string `json:"signal,omitempty"`
	SignalReason string `json:"signal_reason,omitempty"`
	// ChunksFailed is how many log chunks the worker could not deliver.
	ChunksFailed int `json:"chunks_failed,omitempty"`
	// LogSize is the size in bytes of the log that had arrived when the job ended.
	LogSize uint64 `json:"log_size,omitempty"`

	// CancelRequested is set when the worker must cancel the running job, and stays
	// set. CancelReason is for people.
	CancelRequested bool   `json:"cancel_requested,omitempty"`
	CancelReason    string `json:"cancel_reason,omitempty"`
	// TimedOut is set when the job has run for longer than its Timeout.
	TimedOut bool `json:"timed_out,omitempty"`
	// LostReason is why a job was marked as lost, for people.
	LostReason string `json:"lost_reason,omitempty"`

	// The times are by the control plane's clock, zero for what has not happened.
	// AssignedAt, AcceptedAt and StartedAt are cleared when the job is requeued.
	SubmittedAt time.Time `json:"submitted_at"`
	AssignedAt  time.Time `json:"assigned_at,omitzero"`
	AcceptedAt  time.Time `json:"accepted_at,omitzero"`
	StartedAt   time.Time `json:"started_at,omitzero"`
	FinishedAt  time.Time `json:"finished_at,omitzero"`

	// BuildID is the first of the jobs that this one is a retry of, directly or
	// through other retries; empty for the first one itself. See Build.
	BuildID string `json:"build_id,omitempty"`
	// RetryOf is the job that this one retries, RetriedBy the job that retries this
	// one.
	RetryOf   string `json:"retry_of,omitempty"`
	RetriedBy string `json:"retried_by,omitempty"`

	// Revision is the sequence of the stored message, which a change expects to
	// replace. 0 is a record that is not stored yet.
	Revision uint64 `json:"-"`
}

// Build returns the ID of the job's build, which is a job and its retries: the ID
// of the first of them.
func (j Job) Build() string { return cmp.Or(j.BuildID, j.ID) }

// Overdue reports whether a running job has exceeded its timeout.
func (j Job) Overdue(now time.Time) bool {
	return j.Timeout > 0 && now.Sub(j.StartedAt) > j.Timeout
}
