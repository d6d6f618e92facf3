package verify

import (
	"fmt"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// checkJob returns what an outsider sees go wrong when an event of a job is answered,
// or nothing. Package lifecycle/verify checks more of it.
func checkJob(before, after *lifecycle.Job, ev jobEvent, d *lifecycle.Decision) string {
	granted := d.Row != nil && d.Refusal == ""
	valid := before.Holds(tokens[ev.token])
	switch {
	case d.Row == nil && d.Ignored == "":
		return fmt.Sprintf("the job's table has no answer to %v in %q", ev.kind, before.State)
	case before.State != "" && after.State == "":
		return "an acknowledged submission is forgotten"
	case before.State == wire.StateRunning && after.State != wire.StateRunning && !after.State.Final():
		return "a job that was started is taken from its worker, and may be started again"
	case after.State == wire.StateQueued && (after.WorkerID != "" || len(after.Tokens) > 0):
		return "a queued job has a worker or a token"
	case before.State.Final() && before.State != wire.StateLost && after.State != before.State:
		return "an acknowledged end of a job is forgotten"
	}
	switch ev.kind { //nolint:exhaustive // the rest is not a request
	case lifecycle.Accepted:
		return checkAcceptance(before, after, ev, granted)
	case lifecycle.Started:
		switch {
		case granted && !valid:
			return "a token that is not valid starts a job"
		case granted && (after.State != wire.StateRunning || len(after.Tokens) != 1):
			return "an acknowledged start is not stored, or leaves another token valid"
		}
	case lifecycle.Finished:
		switch {
		case granted && !valid:
			return "a token that is not valid reports a result"
		case granted && !after.State.Final():
			return "an acknowledged result is not stored"
		case !granted && valid && before.State == wire.StateRunning:
			return "the result of a running job is refused"
		}
	case lifecycle.CancelRequested:
		ends := before.State == wire.StateRunning && after.MustEnd()
		if granted && !ends && after.State != wire.StateCanceled {
			return "an acknowledged cancellation is not stored"
		}
	}
	return ""
}

func checkAcceptance(before, after *lifecycle.Job, ev jobEvent, granted bool) string {
	mine := before.WorkerID == identities[ev.worker] && (before.State == wire.StateAssigned || before.State == wire.StateAccepted)
	switch {
	case granted != mine:
		return "a job is refused to the worker that has its offer, or granted to another"
	case granted && (after.State != wire.StateAccepted || !after.Holds(tokens[ev.token])):
		return "an acknowledged acceptance is not stored"
	}
	return ""
}
