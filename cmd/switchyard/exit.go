package main

import (
	"errors"
	"strconv"

	"connectrpc.com/connect"

	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/client"
	"github.com/switchyard-ci/switchyard/internal/command"
	"github.com/switchyard-ci/switchyard/internal/job/process"
	"github.com/switchyard-ci/switchyard/internal/present"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// Exit codes beside those of package cli. The ones from 124 on are those of
// timeout(1), env(1) and the shells.
const (
	exitCanceled = 124
	exitLost     = 125
	exitNeverRan = 126

	maxExitCode = 255
)

// exitCodes is the part of the help about them.
const exitCodes = `Exit codes:
  0    success
  1    failure; one line on standard error says what failed, why, and what to do
  2    the command line, an environment variable or the configuration file is wrong

Exit codes of job submit --wait, besides these: the job's own, and
  124  the job was canceled, or its time ran out; or its agent ended it, and it
       exited with status 0
  125  the job is lost: its agent sent no heartbeat or was killed, and how the job
       ended is not known
  126  the job's command never ran
  128+N  signal N ended the job; or signal N ended the waiting, while the job
       goes on (130 is Ctrl-C)`

// exitCode returns the exit code for the error of a command, and whether there is
// no message to write.
func exitCode(err error) (code int, silent bool) {
	if refused, ok := errors.AsType[*client.Error](err); ok && refused.Code == connect.CodeInvalidArgument {
		return cli.ExitUsage, false
	}
	return command.ExitCode(err)
}

// exitOfJob returns the exit code for a job that has ended.
func exitOfJob(job *switchyardv1.Job) int {
	switch job.GetState() { //nolint:exhaustive // the others have not ended
	case switchyardv1.JobState_JOB_STATE_CANCELED:
		return exitCanceled
	case switchyardv1.JobState_JOB_STATE_LOST:
		return exitLost
	}
	if job.GetSignal() != "" {
		return cli.ExitSignal + process.SignalNumber(job.GetSignal())
	}
	status, err := strconv.Atoi(job.GetExitStatus())
	switch {
	case present.EndUnseen(job):
		return exitLost
	case status == 0 && job.GetOutcome() == switchyardv1.JobOutcome_JOB_OUTCOME_AGENT_STOPPED:
		return exitCanceled // it could not do all of its work
	case err != nil:
		return cli.ExitFailure
	case status < 0:
		return exitNeverRan
	default:
		return min(status, maxExitCode)
	}
}
