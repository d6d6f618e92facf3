package record

import (
	"cmp"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/logstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Job is the stored record of a job: what was submitted, and what became of it.
// It is a value; slices and maps in it are never changed in place, so copies share
// them.
type Job struct { //nolint:recvcheck // decoding needs a pointer; all else uses the value
	// Job is what became of the job. Only package lifecycle changes it.
	lifecycle.Job

	// Log is what became of the job's log. Only package logstate changes it.
	Log logstate.Log `json:"log,omitzero"`

	// ID is a UUIDv7, so IDs sort by the time of submission.
	ID string `json:"id"`
	// Command is the program and its arguments.
	Command []string          `json:"command"`
	Env     map[string]string `json:"env,omitempty"`
	Queue   string            `json:"queue"`
	// Tags are what the job requires of its worker: see wire.RequiredTags. Nil is nothing.
	Tags []string `json:"tags,omitempty"`
	// Priority orders a queue: the highest runs first, between equals the oldest.
	Priority int32 `json:"priority,omitempty"`
	// Timeout is how long the job may run before it is canceled; 0 means no limit.
	Timeout time.Duration `json:"timeout,omitempty"`
	// Limits bound what the job may use. The lower ones of its agent apply.
	Limits wire.Limits `json:"limits,omitzero"`
	// IdempotencyKey makes a repeated submission the same job; empty is none.
	IdempotencyKey string `json:"idempotency_key,omitempty"`
	// BuildID is the first of the jobs that this one is a retry of, directly or
	// through other retries; empty for the first one itself. See Build.
	BuildID string `json:"build_id,omitempty"`
	// RetryOf is the job that this one retries, or empty.
	RetryOf string `json:"retry_of,omitempty"`
	// RetryCount is how many jobs of the build came before this one.
	RetryCount int `json:"retry_count,omitempty"`
	// RetryStored is set once the job that retries this one was stored. It may be gone
	// since: it was deleted, or has expired.
	RetryStored bool `json:"retry_stored,omitempty"`

	// TraceParent and TraceState name the span that submitted the job, in the form of W3C
	// Trace Context; empty if it was not traced.
	TraceParent string `json:"trace_parent,omitempty"`
	TraceState  string `json:"trace_state,omitempty"`

	// Revision is the sequence of the stored message, which a change expects to
	// replace. 0 is a record that is not stored yet.
	Revision uint64 `json:"-"`
}

// Build returns the ID of the job's build, which is a job and its retries: the ID
// of the first of them.
func (j *Job) Build() string { return cmp.Or(j.BuildID, j.ID) }

// WithoutHistory returns a copy for readers that do not need the changes of the job.
// It must not be stored.
func (j *Job) WithoutHistory() Job {
	bare := *j
	bare.History = lifecycle.History{}
	return bare
}
