// Package verify checks the table of package lifecycle exhaustively: it explores
// every state that a job and its retry can reach, together with a model of two
// agents and of the network between them and the control plane, and looks for one
// in which a property of the design does not hold.
//
// # The world
//
// What is stored of a job changes by the real table alone. Everything that is
// stored stays; what a control plane remembers besides does not count, so that it
// may be killed at any point. The job is assigned to any worker at any time,
// canceled, withdrawn because its worker is lost, has left, was paused, drained or
// stopped, and every term may expire at any time. Requests and answers are lost,
// delayed, reordered and repeated.
//
// An agent asks for a job, maybe after an old offer, until it is answered; it asks
// to start until it is answered; it starts the process only if the start is
// granted; it writes the result to its spool before it sends it, and sends it
// until it is answered. It does not remember which jobs it ran. It may be killed,
// and starts again with its spool. The second agent is another worker, or a clone
// with the same session.
//
// The messages in flight and the kills are bounded; how often anything else
// happens is not.
//
// Left out are the record of a worker (a job may be assigned to a worker that is
// paused), the logs, and what a replica that lags would refuse.
//
// # The properties
//
// Safety is stated over what an outsider sees: requests, their answers, the
// processes that start, and the job as it is shown. See observer.go, and
// checkRecord for what is shown.
//
// Liveness: from every state, if the world behaves from now on, every job reaches
// a final state and every undelivered result is acknowledged or refused. That
// holds when killed agents start again, and when they do not, except that jobs may
// then wait in the queue.
//
// # Mutants
//
// The tests change the table in one thing at a time. The properties must detect
// each change, unless testdata/mutation_job.txt explains why there is nothing to
// detect.
package verify
