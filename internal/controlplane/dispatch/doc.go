// Package dispatch gives jobs to workers. It holds the rules of design.md's
// control plane: who may have a job, when it goes back to its queue, when its
// worker is taken for lost, and what a worker is told.
//
// # Where the truth is
//
// The store has the truth, one record a job and one a worker, changed by
// compare-and-set. A replica keeps an index of what matching needs, in memory: it
// follows the store's changes, and applies its own at once when they are stored.
// The index may lag behind the other replicas' changes, so it is used to decide
// what to try, and never to refuse: a call that would be refused, or answered
// without a write, is judged again on the record as it is stored.
//
// # Who has a job
//
// The job's record names its worker; a worker's does not name its job. Each
// assignment is thus one write, and nothing can be half assigned. A worker that
// is idle on this replica's stream when a job is submitted is named by the very
// write that stores the job. Only the replica that holds a worker's stream, or
// answers its ping, assigns to it; within a replica a worker is claimed under the
// lock before the write. Two replicas may, for a moment, both believe that they
// are the one (a stream here, a ping there): then the worker has two offers, and
// the newer goes back to the queue (see judge). Nothing is run twice by that,
// because a job is started by one acceptance only.
//
// # What follows from what
//
// What a change entails is not done with it but derived from the records, at once
// and again with every sweep, until it is so: the jobs of a worker that left, was
// lost, paused or stopped; the retry of a lost job; the cancellation that a
// forced stop means. A crash in between is repaired by the next sweep of any
// replica. The submission of an idempotency key writes the key first and then
// the job; a key whose job is not there is taken over by the next submission of
// it.
//
// # Silence
//
// Every wait ends. An offer lapses after AssignTimeout, an acceptance after
// StartTimeout, a worker is lost after LeaseTimeout. A running job is lost with its
// worker; when its worker pings for AbsenceTimeout without a word about the
// job (no worker pings beside a job, but one ping may have been on its way since
// before it, so a single one proves nothing); or when nothing is heard about the
// job itself for SilenceTimeout. All terms are counted from when this replica saw
// the thing, by its own monotonic clock, so a replica that starts gives everything
// a full term, and so does one that was asleep or cut off from the store.
//
// # Fencing
//
// A job starts once: start is a compare-and-set on the acceptance whose token
// asks for it. When a job goes back to its queue or is lost, the hashes of its
// tokens go, and with them the right to start, log or finish it.
package dispatch
