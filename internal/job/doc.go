// Package job runs one job on this machine: its process, its output on the way
// to the control plane, its cancellation and the truth about its end.
//
// [Run] is the whole of it, and goes through these phases in this order:
//
//  1. start: the control plane is told that the job starts. Refused, the job is abandoned: nothing is run and nothing
//     is reported ([ErrAbandoned]).
//  2. prepare: a fresh working directory, the environment, the command.
//  3. process: the command in a process group of its own. Its output, stdout and stderr on one pipe and so in order, is
//     uploaded in chunks as it comes, up to three at a time; while uploads are slow it waits in memory and in the
//     spool. Past the bounds of both the command waits, a minute in all, and then output is cut, which the log says
//     where it is so. The job's state is asked for now and then.
//  4. flush: every byte that was collected is uploaded, or given up at a deadline and counted.
//  5. finish: the result is delivered.
//
// # What is owed
//
// Before it is delivered, output is in the spool (package spool), and so is the
// result: what an agent has left there that was killed, or that nobody
// answered, the next one delivers ([Deliver]). A job whose end was not seen is
// reported as such.
//
// # Cancelling
//
// Cancelling the context of Run cancels the job. The cause says why
// ([ErrCanceled], [ErrTimedOut], [ErrAgentStop]) and decides the signal reason
// of the result. The control plane cancels through [ControlPlane.State]. Either
// way the process group gets the cancel signal, has the grace to end, and is
// killed.
//
// However a command ends, nothing that it has started is left running. On Linux
// that holds for what has left the group, too (a daemon with a session of its
// own): it is known by a mark in its environment, by its session, by its
// ancestors, and, in a process that has a [Reaper], by being an orphan that no
// other job can have left. Elsewhere on Unix, what has left the group is not
// found.
//
// # Bounds
//
// Every wait has a deadline; [Options] holds them. No wait is for a tick when
// there is nothing left to wait for: a command that ends is flushed and
// finished at once.
//
// # Secrets
//
// All output passes a front that takes secrets out before any of it is
// uploaded, so offsets and sizes are those of what is uploaded: values of
// variables whose names match [Options.RedactedVars], the job's token,
// [Options.Secrets], and what the job's commands add while it runs. Package
// redact says what is found, and in which forms.
//
// # Systems
//
// On Unix the group is a process group, on Windows a job object. What Windows
// lacks is said in group_windows.go.
package job
