package schedule

import "github.com/switchyard-ci/switchyard/internal/controlplane/record"

// The records of queued jobs are kept as well, so that a job need not be read from the
// store again to be assigned, as long as they are small and not too many. Those of the
// others are read.
const (
	// maxKept bounds the memory of all kept records of queued jobs, in bytes, and
	// maxKeptRecord that of one.
	maxKept       = 16 << 20
	maxKeptRecord = 4 << 10
	// keptRecord and keptEntry are about what a record takes without its texts, and an
	// entry of its history without its reason, in bytes. The tags are those of the group.
	keptRecord = 1 << 10
	keptEntry  = 400
	// keptText is what a text takes beside its bytes.
	keptText = 16
)

// Record returns the record of a live job, if it is kept: that of every job that belongs
// to a worker, and those of some queued jobs.
func (x *Index) Record(id string) (record.Job, bool) {
	if j := x.jobs[id]; j != nil && j.record != nil {
		return *j.record, true
	}
	return record.Job{}, false
}

// keep replaces the kept record of a live job.
func (x *Index) keep(j *jobEntry, job record.Job) {
	x.discard(j)
	size := 0
	if !job.State.InHand() {
		if size = keptSize(&job); size > maxKeptRecord || x.kept+size > maxKept {
			return
		}
	}
	kept := job                  // only now is it allocated
	kept.Tags = j.group.required // which has them already
	j.record, j.kept = &kept, size
	x.kept += size
}

// discard drops the kept record of a job.
func (x *Index) discard(j *jobEntry) {
	x.kept -= j.kept
	j.record, j.kept = nil, 0
}

// keptSize returns about how many bytes of memory a record of a queued job takes.
func keptSize(job *record.Job) int {
	size := keptRecord + keptEntry*len(job.History.Entries)
	for _, text := range []string{
		job.ID, job.Queue, job.IdempotencyKey, job.BuildID, job.RetryOf, job.TraceParent, job.TraceState,
	} {
		size += len(text)
	}
	for _, entry := range job.History.Entries {
		size += len(entry.Reason)
	}
	for _, text := range job.Command {
		size += keptText + len(text)
	}
	for key, value := range job.Env {
		size += 2*keptText + len(key) + len(value)
	}
	return size
}
