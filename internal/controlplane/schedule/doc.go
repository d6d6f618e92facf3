// Package schedule decides which worker is offered which job, and what silence
// means for the jobs and workers that a replica knows.
//
// An Index holds the live jobs and the workers. It learns of every stored record
// (ApplyJob, ApplyWorker), every sign of life (RenewWorker, RenewJob) and every
// stream (Attach, Detach), of the pauses of queues (ApplyQueuePause), and it answers
// questions:
//
//   - Match, ClaimIdle and Ping claim a job and a worker for each other, while
//     the caller writes the assignment. Release ends a claim.
//     A job that requires tags is claimed for a worker that has them; jobs that require
//     the same are a group of their queue, and no group waits for another one (group.go).
//     A worker finds the best job of all groups that it can serve in places by tags
//     (filing.go), and the best worker for a group is found by sets of workers
//     (members.go), so that neither takes long however many groups there are.
//   - CheckTags refuses a job that would be one group too many (grouplimit.go).
//   - ExpiredWorkers and Decide apply the rules of leases.go: they return events for
//     the tables of packages workerstate and lifecycle.
//   - Workers, Queues, NextJobs and WaitingReason are for people.
//
// The index of a replica can lag behind the records that other replicas write.
// It is used to decide what to try, never to refuse a request, unless to bound its own
// memory.
//
// The package is pure: it does no I/O, starts no goroutine and reads no clock.
// The caller passes the time and serializes the calls.
package schedule
