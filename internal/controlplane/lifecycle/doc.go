// Package lifecycle is the machine of a job: one table of what becomes of a
// stored job on every event, and the only code that changes a job's state.
//
// # The table
//
// A row says: in a state, on an event, if a guard holds, go to a state and do
// some actions. Of several rows of one state and event, the first whose guard
// holds is taken. Every pair of a state and an event has rows or an entry in the
// ignored list with its reason; a test enumerates them.
//
//	queued --Assigned--> assigned --Accepted--> accepted --Started--> running
//	  ^                     |                      |                    |
//	  +---- the worker cannot run it; not yet started                   |
//	                                                                    v
//	       canceled <--CancelRequested / TimedOut-- ... --Finished--> finished
//	                                                    --Silent ...--> lost
//
// # Pure
//
// Next depends on the job and the event alone. The package has no clock and does
// no I/O: the caller passes the moment to record, which no rule reads. Terms are
// measured by the caller on its monotonic clock, and their end is an event such
// as NotAccepted.
//
// # One start
//
// An acceptance issues tokens, one for each time that it is asked for. Started
// keeps the token that asked and drops the others, so that one process at most
// runs the job. A requeue drops all tokens. A lost job keeps its token: the
// result that arrives late is recorded, see Finished.
//
// # Effects
//
// What a stored job requires of another one, its retry, is an effect: see Job.Effects.
// Effects follow from the record alone, so a caller that dies before it has done one
// does it later. A late result withdraws a retry that was not started:
//
//	the job, lost:   Finished, keeps the result beside the retry
//	its retry:       OriginalEnded, is canceled unless it was started
//	the job:         RetryWithdrawn, ends with the result; or RetryKept, stays lost
package lifecycle
