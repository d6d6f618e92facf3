// Package logstate is the machine of a job's log: whether a chunk may be added to it,
// and what became of it. It is pure. Package lifecycle is the machine of the job.
//
// A log grows while its job may run. The result of the job closes it: it is complete,
// or lacks as many chunks as the agent has counted as undelivered, which may still
// arrive. A log that was deleted takes nothing any more.
package logstate

import (
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Log is what is stored of a log in the record of its job. Only Next changes it.
type Log struct {
	// LateChunks counts chunks that arrived after the result, of those that it counted
	// as undelivered.
	LateChunks int `json:"late_chunks,omitempty"`
	// Deletion is set where the log was deleted before its time.
	Deletion *Deletion `json:"deletion,omitempty"`
	// BackupAt is when the backup was made from which the log was restored, if chunks
	// may have arrived between the two; else zero.
	BackupAt time.Time `json:"backup_at,omitzero"`
}

// Deletion is who deleted a log, and when.
type Deletion struct {
	// By is the name of the caller's token, or ControlPlane.
	By string `json:"by"`
	// At is by the control plane's clock, for people.
	At time.Time `json:"at"`
	// Bytes is the size of the log that was deleted.
	Bytes uint64 `json:"bytes"`
	// Reason is for people, and may be empty.
	Reason string `json:"reason,omitempty"`
}

// ControlPlane is who deletes logs to make room.
const ControlPlane = "the control plane"

// IsZero reports whether nothing is recorded; encoding/json calls it.
func (l Log) IsZero() bool { return l == Log{} }

// State is the state of a log.
type State string

// The states.
const (
	// Growing: the job has not ended.
	Growing State = "growing"
	// Awaited: the job is lost, and what its agent still has of it may arrive.
	Awaited State = "awaited"
	// Short: the result of the job has arrived, and chunks are missing.
	Short State = "short"
	// Complete: the result of the job has arrived, and no chunk is missing.
	Complete State = "complete"
	// Deleted: the log was deleted.
	Deleted State = "deleted"
)

// StateOf returns the state of the log of a job.
func StateOf(job *lifecycle.Job, l Log) State {
	switch {
	case l.Deletion != nil:
		return Deleted
	case !job.State.Final():
		return Growing
	case job.State == wire.StateLost && !job.Late:
		return Awaited
	case Missing(job, l) > 0:
		return Short
	}
	return Complete
}

// Missing returns how many chunks the agent has counted as undelivered that have not
// arrived since.
func Missing(job *lifecycle.Job, l Log) int {
	counted := job.ChunksFailed
	if job.LateResult != nil {
		counted = job.LateResult.ChunksFailed
	}
	return max(0, counted-l.LateChunks)
}
