package main

import (
	"fmt"
	"strconv"

	"github.com/urfave/cli/v3"

	"github.com/switchyard-ci/switchyard/internal/present"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// The exit codes. The ones from 124 on are those of timeout(1), env(1) and the
// shells, so that a script need not learn new ones.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2

	// These two are those of existing agents.
	exitAcquireRejected = 27
	exitAcquireLocked   = 28

	exitCanceled = 124
	exitLost     = 125
	exitNeverRan = 126
	exitSignal   = 128 // and the number of the signal

	maxExitCode = 255
)

// exitCodes is the part of the help about them.
const exitCodes = `Exit codes:
  0    it worked
  1    it failed; one line on standard error says what, why, and what to do
  2    the command line, an environment variable or the configuration file is wrong

Exit codes of job submit --wait, besides these: the job's own, and
  124  the job was canceled, or its time ran out
  125  the job is lost: its agent fell silent or was killed, and how it ended is
       not known
  126  the job's command never ran
  128+N  signal N ended the job; or signal N ended the waiting, while the job
       goes on (130 is Ctrl-C)`

// An exitError ends the program with a code, and with a message where there is one.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return "exit status " + strconv.Itoa(e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// usage is an error of the person at the command line, who may want the help.
func usage(cmd *cli.Command, format string, args ...any) error {
	return &exitError{code: exitUsage, err: fmt.Errorf("%s%w; see `%s --help`",
		subject(cmd), fmt.Errorf(format, args...), cmd.FullName())}
}

// exitOfJob is the exit code that tells how a job ended.
func exitOfJob(job *switchyardv1.Job) int {
	switch job.GetState() { //nolint:exhaustive // the others have not ended
	case switchyardv1.JobState_JOB_STATE_CANCELED:
		return exitCanceled
	case switchyardv1.JobState_JOB_STATE_LOST:
		return exitLost
	}
	if job.GetSignal() != "" {
		return exitSignal + signalNumber(job.GetSignal())
	}
	status, err := strconv.Atoi(job.GetExitStatus())
	switch {
	case present.EndedWithAgent(job):
		return exitLost
	case err != nil:
		return exitFailure
	case status < 0:
		return exitNeverRan
	default:
		return min(status, maxExitCode)
	}
}

// exitOf is nil for 0, and otherwise ends the program with the code, silently.
func exitOf(code int) error {
	if code == exitOK {
		return nil
	}
	return &exitError{code: code}
}
