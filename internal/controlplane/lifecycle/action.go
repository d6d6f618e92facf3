package lifecycle

import (
	"slices"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/statetable"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Action is one named thing that a row does.
type Action = statetable.Action[acting]

// acting is what an action works on.
type acting struct {
	job *Job
	ev  *Event
}

func action(name string, do func(*acting)) Action { return Action{Name: name, Do: do} }

var (
	recordSubmission = action("record submission", func(a *acting) { a.job.SubmittedAt = a.ev.At })
	holdForWorker    = action("name worker", func(a *acting) {
		a.job.WorkerID, a.job.WorkerName, a.job.AssignedAt = a.ev.WorkerID, a.ev.WorkerName, a.ev.At
	})
	// issueToken adds a token to those of the acceptance.
	issueToken = action("issue token", func(a *acting) {
		tokens := append(slices.Clone(a.job.Tokens), a.ev.Token)
		a.job.Tokens = tokens[max(0, len(tokens)-MaxTokens):]
	})
	recordAcceptance = action("record acceptance", func(a *acting) { a.job.AcceptedAt = a.ev.At })
	// keepToken makes the token that started the job the only valid one.
	keepToken = action("keep the starting token alone", func(a *acting) { a.job.Tokens = []string{a.ev.Token} })
	// dropTokens ends every right to act on the job.
	dropTokens  = action("drop tokens", func(a *acting) { a.job.Tokens = nil })
	recordStart = action("record start", func(a *acting) { a.job.StartedAt = a.ev.At })
	// release undoes everything that a worker was given, its tokens first of all.
	release = action("free worker, drop tokens", func(a *acting) {
		a.job.WorkerID, a.job.WorkerName, a.job.Tokens = "", "", nil
		a.job.AssignedAt, a.job.AcceptedAt, a.job.StartedAt = time.Time{}, time.Time{}, time.Time{}
	})
	recordResult = action("record result", func(a *acting) {
		a.job.Result, a.job.FinishedAt, a.job.TimedOut = a.ev.Result, a.ev.At, a.job.TimedOut || a.ev.Overdue
	})
	recordLateResult = action("record late result", func(a *acting) {
		a.job.Result, a.job.Late, a.job.LostReason = a.ev.Result, true, ""
		a.job.TimedOut = a.job.TimedOut || a.ev.Overdue
	})
	keepLateResult = action("keep late result beside the retry", func(a *acting) {
		late := a.ev.Result
		a.job.Late, a.job.LateResult = true, &late
	})
	recordCancel = action("record cancellation", func(a *acting) {
		a.job.CancelRequested, a.job.CancelReason = true, a.ev.Reason
	})
	recordStop = action("record stop of the worker", func(a *acting) {
		a.job.StopRequested, a.job.CancelReason = true, a.ev.Reason
		if a.ev.NoRetry {
			a.job.RetriesLeft = 0
		}
	})
	recordTimeout = action("record timeout", func(a *acting) { a.job.TimedOut = true })
	recordEnd     = action("record end", func(a *acting) { a.job.FinishedAt = a.ev.At })
	recordLoss    = action("record loss", func(a *acting) {
		a.job.LostReason, a.job.FinishedAt = a.ev.Reason, a.ev.At
		a.job.ExitStatus = wire.ExitStatusNeverRan
		a.job.LogSize, a.job.LogCut = a.ev.Result.LogSize, a.ev.Result.LogCut
	})
	// refuseTokens ends every right to act on the job, as dropTokens does, but the
	// tokens are still recognized.
	refuseTokens = action("refuse tokens", func(a *acting) { a.job.Revoked = true })
	// nameRetry names the job that will retry this one. The name is stored with
	// the end of this job, so that the retry is submitted once.
	nameRetry = action("name retry", func(a *acting) { a.job.RetriedBy = a.ev.RetryID })
	// recordWithdrawal ends a retry that is not needed any more.
	recordWithdrawal = action("record withdrawal", func(a *acting) { a.job.CancelReason = a.ev.Reason })
	keepRetry        = action("record that the retry runs on", func(a *acting) { a.job.RetryKept = true })
	// endWithLateResult makes the late result, kept beside the retry, the job's own.
	endWithLateResult = action("end with the late result", func(a *acting) {
		a.job.TimedOut = a.job.TimedOut || a.job.LateResult.SignalReason == wire.ReasonTimedOut
		a.job.Result, a.job.LateResult, a.job.LostReason = *a.job.LateResult, nil, ""
	})
)
