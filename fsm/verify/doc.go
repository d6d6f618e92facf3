// Package verify checks the table of package fsm exhaustively, together with those
// of packages lifecycle and workerstate: it explores every state that a worker's
// machine, its stored record, the stored jobs and the network between them can
// reach, and looks for one in which a property of the design does not hold.
//
// # The world
//
// What is stored of a job changes by the table of package lifecycle alone, and what
// is stored of the worker by that of package workerstate. What the control plane
// offers, answers and withdraws follows from these records, as in packages dispatch
// and schedule. It assigns a job while another is with the worker, as a replica does
// that lags behind; it may offer a job that was already started.
//
// The stream is served or not; it is lost with messages in flight, ends as planned,
// is refused, or becomes silent and stays open. A ping fails, is refused, or is
// answered, and the answer may be out of date when it arrives. Deadlines and terms
// pass at any time, and requests to leave come at any time.
//
// The worker asks for a job, asks to start it, runs its process and delivers the
// result; each request is repeated until it is answered. A request that is carried
// out late is one that was carried out before, and whose answer was lost. Besides,
// there are three kinds of disturbances:
//
//   - Pauses: an operator pauses, resumes and drains the worker.
//   - People: jobs are canceled and exceed their timeout, the worker is stopped.
//   - Crashes: the agent is killed at any moment, with or without the newest entry of
//     its spool, and starts again with another worker and that spool. Leases expire,
//     answers about jobs are lost, deliveries and starts are given up, and a clone of
//     the worker runs its job.
//
// A control plane that is killed and starts again is one whose streams are lost and
// whose pings fail: what it has stored stays, and nothing else counts, since every
// term may expire at any time. A second replica is the same control plane, but for
// offers that are out of date.
//
// The number of jobs and of messages in flight is bounded; how often anything
// happens is not. Epochs are stored relative to the current ones, jobs differ in
// their names only, and what nobody can read any more is forgotten: tokens that
// nobody has, and how a job ended. So the space is finite without a bound on losses,
// kills or time.
//
// # What is explored together
//
// The product of everything has too many states. Two jobs are explored with pauses,
// in all modes. Without a stream, they are also explored with people and with
// crashes; and one job with all three together. With a stream, one job is explored
// with people and with crashes, each alone by default; [Bounds.Together] takes two
// or three of the kinds together, which takes from minutes to hours.
//
// What is in between, two jobs, a stream, and people or crashes, is covered in
// parts. Two jobs meet in the worker's machine, in its mailbox and in the worker's
// record: their records do not know each other, and a result in the spool belongs to
// one token of one job. A crash empties the mailbox and ends the machine, and the
// worlds with two jobs include its end at every moment at which no job is in hand.
// Two jobs with two results in one spool are explored without a stream, which plays
// no part in a delivery. What people do reaches the worker's machine as a standing
// instruction, which pauses cover, and as a process that ends earlier.
//
// Another worker is not explored as a machine: it takes a queued job and runs it to
// its end in one step. Two agents that compete for one job, with requests that are
// delayed and reordered, and retries, are the world of package lifecycle/verify. Two
// things are left out. The end of a connection reaches the machine when it happens,
// because a later end looks the same as one after the messages that arrive before
// it. And a worker gives up an accept by itself only to leave: when thirty attempts
// in a row have failed, the deadline of the control plane has passed, and the next
// answer is a refusal.
//
// Each kind of worker is explored a second time, with a control plane that lies: it
// sends any message and any answer at any time. Safety is the same; a worker that
// may poll does when the stream becomes silent, and one that was asked to leave
// does.
//
// # The properties
//
// Safety, in every state and at every step: each property is a line of
// properties.go, step.go, jobcheck.go or workerrecord.go. They are checked against
// observers, which know the events and effects of a worker, requests, answers and
// started processes, but not the machine's own facts. A process of a job is started
// once, whatever the number of workers and of processes of the agent.
//
// Liveness, from every state: if the environment works from now on, every job ends,
// the stream takes control, a worker that must leave does, and every result in the
// spool of an agent that is there is delivered. In such a world no other worker
// takes jobs while this one may, so no queued job waits for a worker that could take
// it; and a process that must be canceled does not end by itself, so a cancellation
// ends its job. That holds when streams and pings work, and, but for the control of
// the stream, when only one of them does: when streams fail, or stay open and never
// send a message again, and when pings fail, or are refused; and when killed agents
// do not start again; see liveness.go.
//
// A violation comes with a shortest path to it, as a scenario that package replay
// runs.
//
// # Mutants
//
// The tests show that the properties can fail. They change the table, and the rules
// in the machine's facts, in one thing at a time; the properties must detect each
// change, unless testdata/mutation.txt explains why there is nothing to detect. So
// do changes of the worker's record, each row in turn.
package verify
