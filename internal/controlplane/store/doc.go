// Package store keeps jobs, workers, logs and meta-data in NATS JetStream: in a
// server embedded in this process, which syncs to disk before it acknowledges, or
// on an external server or cluster. Once connected, both work the same.
//
// # Streams
//
//	SWITCHYARD_STATE   switchyard.state.job.ID      a job
//	                   switchyard.state.worker.ID   a worker
//	                   switchyard.state.key.HASH    an idempotency key
//	SWITCHYARD_LOGS    switchyard.log.JOB-ID        the chunks of a job's log
//	SWITCHYARD_DATA    switchyard.data.BUILD-ID     the meta-data of a build
//
// Each subject of the state and data streams holds one message, the record as
// JSON. Records change by compare-and-set only: a write names the sequence that it
// replaces, and fails with ErrConflict if that is not the last one. The record of
// a job that ended, or of a worker that left, is written with a time to live; live
// records never expire. Log chunks and meta-data expire by age.
//
// # One message is one change
//
// Each change is one message of one subject, so no change can be half done. A
// worker's record does not name its job; the job's record names its worker. What
// follows from a change (requeueing the jobs of a worker that left, the retry of
// a lost job, the job of an idempotency key) is derived from the stored records by
// package dispatch, again and again until it is done, so a crash in between is
// harmless.
//
// # What is on disk
//
// The embedded server syncs every message before it acknowledges it. A write of this
// package returns after that, so every record that was acknowledged is on disk:
// jobs, workers, pauses of queues, idempotency keys, tokens, meta-data, chunks of logs,
// and the audit log. On a cluster a majority of the copies has the message, and each
// server syncs it as its own sync_interval says. Derived, and never stored: the index of package
// dispatch, the order of the queues, claims and leases, which streams are open, what
// every wait is for. Signals and signs of life are lost with the process.
//
// # Many writes at a time
//
// A stream syncs one message after the other, so writes of the state that wait for each
// other's sync are stored as an atomic batch of JetStream: the server syncs once for all
// of them. The server collects a batch in files of its own, with a few syncs more; on
// Linux those files are in memory, in /dev/shm, and nothing depends on them: see
// staging.go. A few writes at a time are stored one by one, which is faster for each: see
// group.go. The messages of a batch have nothing to
// do with each other. A batch with a message that conflicts is refused as a whole, and
// its messages are then stored one by one. A server before 2.12 has no batches.
//
// # An outage
//
// A request to an external server is repeated for a few seconds, in which a cluster elects a
// leader. When nothing was answered for as long, the store is known to be out of reach: one
// goroutine asks until there is an answer, and requests with a context of Prompt, which is
// every request to the port, fail at once. They would pile up, and be a herd for a cluster
// that elects. The requests of the control plane itself go on waiting. Reads of a stream and
// writes to it fail separately: a leader without followers responds to reads for a while. See
// outage.go.
//
// # A full disk
//
// Each stream has a share of the limit of the store. Logs and meta-data lose their
// oldest messages there; new jobs are refused before the records of the jobs that
// exist lack room. The embedded server does not respond to a write that fails, and
// never writes again after one: the store asks it why a response takes long, returns
// ErrFull or ErrUnavailable, and starts it again in place as soon as the disk has
// room. Watches and connections are restored by the client of NATS.
//
// # Versions
//
// The streams carry the version of what is in them. A store of an earlier version is
// read and gets the present one; a store of a later version, and one whose restore did
// not complete, are refused before anything is changed.
//
// Signals are messages between replicas that are not stored: signs of life, and
// which replica has a worker's stream.
package store
