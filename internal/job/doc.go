// Package job runs one job from its start to its finish.
//
// [Run] goes through these phases, in this order:
//
//  1. start: the control plane is notified that the job starts. If it refuses, the
//     job is abandoned ([ErrAbandoned]): nothing is run, and nothing is reported.
//  2. prepare: a fresh working directory, the environment, and a checkout if the job
//     asks for one.
//  3. process: the command runs, and its output is uploaded in chunks. The state of
//     the job is requested from time to time.
//  4. flush: the rest of the output is uploaded, or given up at a deadline and
//     counted.
//  5. finish: the result is delivered. What is not delivered stays in the spool, and
//     [Deliver] delivers it later, possibly in another process.
//
// The parts are packages of their own: process runs commands and ends all that they
// start, logpipe uploads the log, workspace manages directories, redact hides
// secrets, spool keeps what is undelivered, joblink serves the commands of the job.
//
// # Cancellation
//
// Canceling the context of Run cancels the job. The cause ([ErrCanceled],
// [ErrTimedOut], [ErrAgentStop]) decides the signal reason of the result. The
// control plane cancels through [ControlPlane.State]. In both cases the command and
// all that it has started get the cancel signal, and SIGKILL after a grace period.
// Every other wait has a deadline, too; see [Settings].
package job
