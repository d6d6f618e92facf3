// Package store keeps jobs, workers, logs and meta-data in NATS JetStream: in a
// server embedded in the process, on disk and synced before an answer, or on an
// external server or cluster. After the connection is made the two are the same.
//
// # What is stored, and where
//
//	SWITCHYARD_STATE   switchyard.state.job.ID     a job
//	                   switchyard.state.worker.ID   a worker
//	                   switchyard.state.key.HASH   an idempotency key
//	SWITCHYARD_LOGS    switchyard.log.JOB-ID       the pieces of a job's log
//	SWITCHYARD_DATA    switchyard.data.BUILD-ID    the meta-data of a build
//
// Each subject of the state and data streams holds one message, the record as
// JSON. It changes by compare-and-set only: a write names the sequence that it
// replaces, and fails with ErrConflict where that is not the last one. A record
// of the state that is over (a job that ended, a worker that left) is written with
// a time to live; a live one never expires. Log pieces and meta-data expire by
// age.
//
// # One message is one change
//
// Each change is one message of one subject, so none can be half done. A
// worker's record does not name its job: the job's record names the worker, and
// that alone says who has it. What follows from a change (the jobs of a worker
// that left, the retry of a job that was lost, the job of an idempotency key) is
// derived from the stored records again and again by package dispatch until it
// is so, which makes a crash in between harmless. JetStream's atomic batches would
// do as well, but they cost twelve times a plain write on one synced disk (3.6 ms
// against 0.3 ms) and hold up every other write of the stream meanwhile.
//
// Signals are unstored messages between replicas: what was heard of whom.
package store
