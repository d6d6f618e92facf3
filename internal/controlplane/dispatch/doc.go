// Package dispatch assigns jobs to workers: it submits, assigns, starts, finishes
// and retries jobs, and it registers, pauses, stops and loses workers.
//
// # Records and index
//
// The store is the source of truth: one record a job and one a worker, changed by
// compare-and-set. Each replica keeps an index of them in memory (package
// schedule). It follows the store's changes, and applies its own at once when they
// are stored. The index may lag behind the changes of other replicas, so it is
// used to decide what to try, and never to refuse: a request that the index would
// refuse, or answer without a write, is decided on the stored record.
//
// # Assignment
//
// A job's record names its worker; a worker's record does not name its job. So an
// assignment is one write, and nothing can be half assigned. If a worker is idle
// on a stream of this replica when a job is submitted, the write that stores the
// job assigns it too. Only the replica that holds a worker's stream, or responds
// to its ping, assigns to it; within a replica a worker is claimed before the
// write. For a moment two replicas may both assign to a worker (a stream here, a
// ping there). The newer assignment is then requeued. No job runs twice, because a
// job is started by one acceptance only.
//
// # Consequences
//
// What follows from a change is not part of the change. It is derived from the
// records at once, and again in every sweep, until it is done: the jobs of a worker
// that left, was lost, paused or stopped; the retry of a lost job; the cancellation
// that a forced stop implies. A crash in between is repaired by the next sweep of
// any replica. A submission with an idempotency key writes the key first and then
// the job; a key without a job is taken over by the next submission with that key.
//
// # Leases
//
// Every wait ends (see schedule.Terms). An assignment expires after AssignTimeout,
// an acceptance after StartTimeout, a worker's lease after LeaseTimeout. A running
// job is lost with its worker; or when its worker sends pings for AbsenceTimeout
// without reporting on the job (a worker sends no pings beside a job, but one may
// have been in flight); or when nothing is reported for SilenceTimeout. Terms are
// counted from when this replica saw the sign of life, by its monotonic clock. A
// replica that starts, was suspended, or was cut off from the store starts every
// term again.
//
// # Fencing
//
// A job starts once: start is a compare-and-set on one acceptance, identified by
// its token. When a job is requeued or lost, the hashes of its tokens are removed,
// and with them the right to start, log or finish it.
package dispatch
