// Package job runs one job from its start to its finish.
//
// [Run] goes through these phases, in this order:
//
//  1. start: the start of the job is reported to the control plane. If it refuses, the job
//     is abandoned ([ErrAbandoned]): nothing is run, and nothing is reported.
//  2. prepare: a fresh working directory, the environment, and a checkout if the job
//     asks for one.
//  3. process: the command runs, and its output is uploaded in chunks. The state of
//     the job is requested from time to time.
//  4. flush: the rest of the output is uploaded, or given up at a deadline and
//     counted.
//  5. finish: the result is delivered.
//
// The parts are packages of their own: process runs commands and ends all that they
// start, logpipe uploads the log, workspace manages directories, redact hides
// secrets, spool keeps what is undelivered, joblink serves the commands of the job.
//
// # Undelivered logs and results
//
// The log and the result are in the spool before they are sent. What a killed agent
// left there, or what no control plane has acknowledged, the next one delivers
// ([Deliver]). A job whose end was not seen is reported as such.
//
// # Cancellation
//
// Canceling the context of Run cancels the job. The cause ([ErrCanceled],
// [ErrTimedOut], [ErrAgentStop]) decides the signal reason of the result. The
// control plane cancels through [ControlPlane.State]. In both cases the command and
// all that it has started get the cancel signal, and SIGKILL after a grace period.
// However a command ends, nothing that it has started is left running, as far as
// the system can find it.
//
// # Bounds
//
// Every wait has a deadline; see [Settings]. A command that ends is flushed and
// finished at once.
//
// # Secrets
//
// Secrets are removed from the log before it is uploaded, so offsets and sizes are
// those of what is uploaded. Secrets are the values of variables whose names match
// [Settings.RedactedVars], the job's token, [Options.Secrets], and what the commands
// of the job add while it runs.
package job
