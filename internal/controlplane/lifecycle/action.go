package lifecycle

import (
	"slices"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/statetable"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// EffectKind is what the caller must do once the change is stored.
type EffectKind uint8

// The effects.
const (
	// OfferJob: name the job to its worker.
	OfferJob EffectKind = iota + 1
	// FreeWorker: the worker no longer holds the job.
	FreeWorker
	// EndJob: tell the worker that the job must end, when it asks for the state.
	EndJob
	// SubmitRetry: submit the job again under the ID of the effect.
	SubmitRetry
)

var effectNames = [...]string{OfferJob: "offer job", FreeWorker: "free worker", EndJob: "end job", SubmitRetry: "submit retry"}

// String returns the effect in words, such as "submit retry".
func (k EffectKind) String() string {
	if int(k) < len(effectNames) && k != 0 {
		return effectNames[k]
	}
	return "EffectKind(?)"
}

// Effect is one thing that the caller must do. All effects can be derived again
// from the stored job, so that a crash between the two loses none.
type Effect struct {
	Kind EffectKind
	// ID is the worker of OfferJob, FreeWorker and EndJob, and the new job of
	// SubmitRetry.
	ID string
}

// Action is one named thing that a row does.
type Action = statetable.Action[acting]

// acting is what an action works on.
type acting struct {
	job     *Job
	ev      *Event
	effects []Effect
}

func (a *acting) effect(kind EffectKind, id string) { a.effects = append(a.effects, Effect{kind, id}) }

func action(name string, do func(*acting)) Action { return Action{Name: name, Do: do} }

var (
	recordSubmission = action("record submission", func(a *acting) { a.job.SubmittedAt = a.ev.At })
	holdForWorker    = action("name worker", func(a *acting) {
		a.job.WorkerID, a.job.WorkerName, a.job.AssignedAt = a.ev.WorkerID, a.ev.WorkerName, a.ev.At
	})
	offer = action(OfferJob.String(), func(a *acting) { a.effect(OfferJob, a.job.WorkerID) })
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
		a.effect(FreeWorker, a.job.WorkerID)
		a.job.WorkerID, a.job.WorkerName, a.job.Tokens = "", "", nil
		a.job.AssignedAt, a.job.AcceptedAt, a.job.StartedAt = time.Time{}, time.Time{}, time.Time{}
	})
	freeWorker   = action(FreeWorker.String(), func(a *acting) { a.effect(FreeWorker, a.job.WorkerID) })
	recordResult = action("record result", func(a *acting) {
		a.job.Result, a.job.FinishedAt, a.job.TimedOut = a.ev.Result, a.ev.At, a.job.TimedOut || a.ev.Overdue
	})
	recordLateResult = action("record late result", func(a *acting) {
		a.job.Result, a.job.Late, a.job.LostReason = a.ev.Result, true, ""
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
	endJob        = action(EndJob.String(), func(a *acting) { a.effect(EndJob, a.job.WorkerID) })
	recordEnd     = action("record end", func(a *acting) { a.job.FinishedAt = a.ev.At })
	recordLoss    = action("record loss", func(a *acting) {
		a.job.LostReason, a.job.FinishedAt = a.ev.Reason, a.ev.At
		a.job.ExitStatus, a.job.LogSize = wire.ExitStatusNeverRan, a.ev.Result.LogSize
	})
	// nameRetry names the job that will retry this one. The name is stored with
	// the end of this job, so that the retry is submitted once.
	nameRetry = action(SubmitRetry.String(), func(a *acting) {
		a.job.RetriedBy = a.ev.RetryID
		a.effect(SubmitRetry, a.ev.RetryID)
	})
)
