package spool

import (
	"time"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Job is what a process needs to report on a job. Its token is a secret.
type Job struct {
	ID string `json:"id"`
	// Token is the job's own token. Without one, no other process can deliver
	// the job's log and result.
	Token string `json:"token,omitempty"`
	// Endpoint is the base URL of the control plane, and Headers are the request
	// headers that it has asked for.
	Endpoint string              `json:"endpoint"`
	Headers  map[string][]string `json:"headers,omitempty"`
	// ChunkMaxSize is the most bytes of one chunk.
	ChunkMaxSize uint64 `json:"chunk_max_size"`
	// StartedAt is when the job was started, and PID the process that started it.
	StartedAt time.Time `json:"started_at"`
	PID       int       `json:"pid"`
}

// String returns the job's ID, without its token.
func (j Job) String() string { return "job " + j.ID }

// GoString returns the same as String: %#v would print the token.
func (j Job) GoString() string { return j.String() }

// Result is how a job ended.
type Result struct {
	// FinishRequest is what is reported to the control plane. ChunksFailed counts the
	// chunks that are lost, without those that are still in the spool.
	wire.FinishRequest

	// Acknowledged is set once the control plane has stored the result, so that
	// only chunks are undelivered.
	Acknowledged bool `json:"acknowledged,omitempty"`
}
