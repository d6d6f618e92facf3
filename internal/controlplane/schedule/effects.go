package schedule

import (
	"maps"
	"slices"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
)

// Effects returns what a stored job requires of other jobs and is not recorded as done. That
// another job is not stored shows nothing: it can have been deleted, or have expired.
func Effects(job *record.Job) []lifecycle.Effect {
	return slices.DeleteFunc(job.Effects(), func(e lifecycle.Effect) bool {
		return e.Kind == lifecycle.SubmitRetry && job.RetryStored
	})
}

// noteEffects keeps a job until its effects are recorded as done.
func (x *Index) noteEffects(job record.Job) {
	if len(Effects(&job)) > 0 {
		x.pending[job.ID] = job
	} else {
		delete(x.pending, job.ID)
	}
}

// Pending returns the jobs with effects that are not recorded as done: the process
// that stored them died in between, or is about to do them.
func (x *Index) Pending() []record.Job { return slices.Collect(maps.Values(x.pending)) }
