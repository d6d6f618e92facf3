package schedule

import (
	"maps"
	"slices"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
)

// Effects returns what a stored job requires of other jobs and is not known to be
// done.
func (x *Index) Effects(job record.Job) []lifecycle.Effect {
	return slices.DeleteFunc(job.Effects(), func(e lifecycle.Effect) bool {
		return e.Kind == lifecycle.SubmitRetry && x.history.has(e.ID)
	})
}

// noteEffects keeps a job until its effects are known to be done. A retry that is
// stored is the effect of the job before it.
func (x *Index) noteEffects(job record.Job) {
	if len(x.Effects(job)) > 0 {
		x.pending[job.ID] = job
	} else {
		delete(x.pending, job.ID)
	}
	x.noteStored(job.RetryOf)
}

// noteStored drops the effects of a job, if any, that are done by its retry, which is
// stored.
func (x *Index) noteStored(retryOf string) {
	if before, ok := x.pending[retryOf]; ok && len(x.Effects(before)) == 0 {
		delete(x.pending, retryOf)
	}
}

// Pending returns the jobs with effects that are not known to be done: the process
// that stored them died in between, or is about to do them.
func (x *Index) Pending() []record.Job { return slices.Collect(maps.Values(x.pending)) }

// RetrySubmitted records that the retry of a job is stored, or was and has expired.
func (x *Index) RetrySubmitted(id string) {
	if job, ok := x.pending[id]; ok && len(job.Effects()) == 1 {
		delete(x.pending, id)
	}
}
