// Package dispatch assigns jobs to workers: it submits, assigns, starts, finishes
// and retries jobs, and it registers, pauses, stops and loses workers.
//
// # Records and index
//
// The store is the source of truth: one record a job and one a worker, changed by
// compare-and-set. Each replica keeps an index of them in memory (package
// schedule). It follows the store's changes, and applies its own at once when they
// are stored. It is used to decide what to try, and never to refuse: a request that
// the index would refuse, or answer without a write, is decided on the stored record.
// It has the records of the jobs that belong to a worker, and of queued jobs those that
// are small, as many as there is room for.
//
// The index can be behind the store's leader, which serves reads and writes: another
// replica has changed a record, and the watch has not delivered the change yet. On a
// cluster it can be ahead as well: a follower delivers a record as soon as a majority
// has it, which the leader may apply a moment later. So what the watch delivered
// exists. A read that returns an older record, or none, is repeated, and so is a
// write that conflicts; neither is a reason to refuse a request or to forget a record.
// A record is gone only if it is not found at a leader that is past the revision
// which this replica has seen: see readKnown.
//
// # Records that fail
//
// Every record is bounded when it is submitted or registered, with room for all that
// may become of it: see MaxJobSize. Where a change cannot be stored nevertheless, the
// record is passed by: its failure is logged once, it is tried again ever more rarely,
// and nothing else waits for it, neither its queue nor the sweep.
//
// # Assignment
//
// A job's record names its worker; a worker's record does not name its job. So an
// assignment is one write, and nothing can be half assigned. If a worker of the queue
// with the tags that the job requires is idle on a stream of this replica when a job is
// submitted, the write that stores the job assigns it too. Only the replica that holds a
// worker's stream, or responds to its ping, assigns to it; within a replica a worker is
// claimed before the write. For a moment two replicas may both assign to a worker (a stream here, a
// ping there). The newer assignment is then requeued. No job runs twice, because a
// job is started by one acceptance only.
//
// # Streams
//
// A worker has one stream. A replica announces each stream that is opened to the others,
// and the one that ranks highest supersedes the rest: see schedule.Announcement. On a
// cluster two replicas can see two announcements in different orders, and would each
// end their own stream if the later one superseded. An announcement that was lost with the
// connection to the store is repeated when there is another connection.
//
// # Balance
//
// Replicas announce how many streams they have. One that has far more than its share,
// as after a restart of the others, gives up streams of workers without a job, a few
// every five seconds (schedule.Balance). That is a planned end for the worker, whose
// agent opens the next stream over another connection.
//
// # Consequences
//
// What follows from a change for another record is not part of the change. It is
// derived from the records at once, and again in every sweep, until it is done: the
// jobs of a worker that left, was lost, paused or stopped, and the cancellation that a
// forced stop implies (package schedule); the retry of a lost job, and its withdrawal
// by a late result (the effects of package lifecycle, done in effects.go). A crash in
// between is repaired by the next sweep of any replica. That a retry was submitted is
// recorded in the job that it retries, since the retry may be deleted, or expire, before
// that job. A submission with an idempotency key writes the key first and then the job; a
// key without a job is taken over by the next submission with that key.
//
// # Leases
//
// Every wait ends (see schedule.Terms). Package schedule finds out that a term has
// expired, or what the state of a worker means for its job; that is an event for the
// table of package lifecycle, which decides what becomes of the job. An assignment
// expires after AssignTimeout, an acceptance after StartTimeout, a worker's lease
// after LeaseTimeout. A running
// job is lost with its worker; or when its worker sends pings for AbsenceTimeout
// without reporting on the job (a worker sends no pings beside a job, but one may
// have been in flight); or when nothing is reported for SilenceTimeout. Terms are
// counted from when this replica saw the sign of life, by its monotonic clock. A
// replica that starts, was suspended, or was cut off from the store starts every term
// again.
//
// A job's timeout is kept by its agent if that is ours, also while no control plane
// can be reached. For other agents each replica counts from when it saw the start.
// Where every replica is restarted, such a job may run longer, by the time that it had
// run before. That time is not stored: no stored moment is compared with a clock, and
// a sum kept in the record would cost a write for each running job again and again.
//
// # Held jobs
//
// An agent of ours names, with each ping and heartbeat, the jobs that its process
// holds, running or with a result that it could not deliver yet. Such a job is not
// lost, whatever its worker does, but it must be reported on within HoldTimeout. The
// request proves only that it comes from a worker of this control plane: an agent
// that starts again has new workers, and nothing else ties them to the old ones. A
// worker that names another's job can keep that job from being lost for HoldTimeout
// after its token was last used, and can do nothing else to it.
//
// # Fencing
//
// A job starts once: start is a compare-and-set on one acceptance, identified by its
// token, and drops every other token of that acceptance. A requeue drops all tokens.
// Once the job has ended its token serves for its result only, and for the log chunks
// that its agent has counted as undelivered: see package logstate. A lost job keeps its
// token: a late result ends the job if it was not retried, and is kept beside the retry
// otherwise.
package dispatch
