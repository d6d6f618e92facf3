package lifecycle

import "github.com/switchyard-ci/switchyard/internal/wire"

// EffectKind is what a job requires of another job.
type EffectKind uint8

// The effects.
const (
	// SubmitRetry: the job is submitted again under the ID of the effect.
	SubmitRetry EffectKind = iota + 1
	// WithdrawRetry: the job with the ID of the effect receives OriginalEnded, and
	// this job of RetryWithdrawn or RetryKept, by what became of the other.
	WithdrawRetry
)

var effectNames = [...]string{SubmitRetry: "submit retry", WithdrawRetry: "withdraw retry"}

// String returns the effect in words, such as "submit retry".
func (k EffectKind) String() string {
	if int(k) < len(effectNames) && k != 0 {
		return effectNames[k]
	}
	return "EffectKind(?)"
}

// Effect is one thing that the caller must do once a job is stored. What concerns
// the job's own worker is not an effect: a stored job is on offer to its worker while
// it is assigned, and must be ended while MustEnd holds.
type Effect struct {
	Kind EffectKind
	// ID is the other job.
	ID string
}

// Effects returns what a stored job requires of others, in the order in which it must
// be done. It depends on the record alone, so that the crash of a caller loses none.
// To do an effect again changes nothing.
func (j *Job) Effects() []Effect {
	if j.RetriedBy == "" {
		return nil
	}
	effects := []Effect{{SubmitRetry, j.RetriedBy}}
	if j.State == lost && j.LateResult != nil && !j.RetryKept && j.endsRetry(*j.LateResult) {
		effects = append(effects, Effect{WithdrawRetry, j.RetriedBy})
	}
	return effects
}

// endsRetry reports whether a late result makes a retry useless. It does not where
// the job would have been retried for this result, too.
func (j *Job) endsRetry(late Result) bool {
	return late.SignalReason != wire.ReasonAgentStop && (!j.StopRequested || !interrupted(late))
}
