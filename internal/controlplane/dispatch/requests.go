package dispatch

import (
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Limits of requests, and of pages.
const (
	// DefaultQueue is the queue of jobs and workers that name none.
	DefaultQueue = "default"
	// MaxRetries is the most times that a lost job may be submitted anew.
	MaxRetries = 10
	// MaxIdempotencyKey is the longest idempotency key, in bytes.
	MaxIdempotencyKey = 256
	// MaxJobSize bounds command and environment of a job together, in bytes.
	MaxJobSize = 512 << 10
	// MaxChunkSize is the largest piece of a log, in bytes.
	MaxChunkSize = 512 << 10
	// DefaultPageSize is the size of a page where none is asked for.
	DefaultPageSize = 50
	// MaxPageSize is the largest page that may be asked for.
	MaxPageSize = 1000
)

// Registration is what a worker says of itself when it registers.
type Registration struct {
	// Name is required.
	Name, Hostname, OS, Arch, Version, Build, MachineID string
	PID                                                 int
	Features                                            []string
	// Tags are key=value each; queue=NAME names the queue, once.
	Tags []string
	// Priority orders the idle workers of a queue: the higher is given work first.
	Priority int
	// IgnoreInDispatches: give the worker no job; it acquires one by name.
	IgnoreInDispatches bool
}

// Submission says what to run, and where.
type Submission struct {
	// Command is the program with its arguments; at least one element.
	Command []string
	Env     map[string]string
	// Queue is where; empty is DefaultQueue.
	Queue string
	// Priority: the higher runs first.
	Priority int32
	// Timeout is how long the job may run; 0 is no limit.
	Timeout time.Duration
	// IdempotencyKey makes a repeated submission the same job; empty is none.
	IdempotencyKey string
	// Retries is how many times the job is submitted anew, under a new id, if it
	// is lost.
	Retries int
}

// LogChunk is one piece of a job's log, as its worker sent it. Pieces may arrive
// out of order and more than once.
type LogChunk struct {
	// Sequence counts the job's chunks from 1; Offset is the number of log bytes
	// before this one.
	Sequence, Offset uint64
	// Data is the raw bytes, at most MaxChunkSize.
	Data []byte
}

// Result is how a job ended, in the words of the agents' wire.
type Result struct {
	// ExitStatus is a number, or -1 where the command never ran.
	ExitStatus, Signal, SignalReason string
	// FinishedAt is the worker's clock; the record keeps the control plane's.
	FinishedAt   time.Time
	ChunksFailed int
	// IgnoreAgent: the worker is leaving, give it no further job.
	IgnoreAgent bool
}

// unseen reports whether the job's worker ended before it did, so that nobody knows
// how the job ended, or whether it ran at all: a worker says so about the jobs of
// one that was killed.
func (r Result) unseen() bool {
	return r.ExitStatus == "-1" && r.Signal == "" && r.SignalReason == "agent_stop"
}

// JobFilter selects jobs; a zero field selects all.
type JobFilter struct {
	States   []wire.JobState
	Queue    string
	WorkerID string
}

// WorkerFilter selects workers; empty States selects the connected ones, an empty
// Queue all.
type WorkerFilter struct {
	States []store.WorkerState
	Queue  string
}

// Page says which page of a list. The zero value is the first one, of
// DefaultPageSize.
type Page struct {
	// Size is 1 to MaxPageSize; 0 is DefaultPageSize.
	Size int
	// Token is what the page before gave; empty is the beginning.
	Token string
}

// Worker is a worker: its record, and what the control plane sees of it now.
type Worker struct {
	store.Worker

	// Streaming is whether the worker has a stream open to any replica, as far as
	// this one knows.
	Streaming bool
	// JobID is the job in the worker's hands, or on offer to it; empty is none.
	JobID string
	// LastSeenAt is when the worker was last heard: never before this replica
	// started.
	LastSeenAt time.Time
}

// FollowOptions say what of a job to follow.
type FollowOptions struct {
	// LogOffset: leave out the log bytes before it.
	LogOffset uint64
	// OmitLog: changes of state only.
	OmitLog bool
	// NoWait: end once what has arrived was given.
	NoWait bool
}

// Event is one change of a followed job, or one piece of its log: exactly one of
// Job and Log is set.
type Event struct {
	// Job is the job as it stands, and Waits why it waits, if it does.
	Job   *store.Job
	Waits string
	// Log is the next piece of its log.
	Log *LogPiece
}

// LogPiece is a run of bytes of a job's log, as the job wrote them.
type LogPiece struct {
	// Offset is the number of log bytes before this piece.
	Offset uint64
	Data   []byte
	// Missing is how many bytes just before Offset never arrived.
	Missing uint64
	// ReceivedAt is when the control plane stored it.
	ReceivedAt time.Time
}
