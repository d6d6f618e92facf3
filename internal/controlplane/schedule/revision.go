package schedule

import "time"

// ending is the end of a job.
type ending struct {
	revision uint64
	at       time.Time // when this replica saw it; zero if the job was not live here
}

// JobRevision returns the newest revision of a job that this replica has seen, zero
// if it has seen none, or if the job ended long ago.
func (x *Index) JobRevision(id string) uint64 {
	if j := x.jobs[id]; j != nil {
		return j.revision
	}
	return x.ended[id].revision
}

// WorkerRevision is JobRevision for a worker.
func (x *Index) WorkerRevision(id string) uint64 {
	if w := x.workers[id]; w != nil {
		return w.record.Revision
	}
	return 0
}

// KnowsJob reports whether a job's record of that revision, or a newer one, was
// applied. Every record up to the watch's position was applied or replaced.
func (x *Index) KnowsJob(id string, revision uint64) bool {
	if j := x.jobs[id]; j != nil {
		return j.revision >= revision
	}
	return revision <= max(x.position, x.ended[id].revision)
}

// KnowsWorker is KnowsJob for a worker.
func (x *Index) KnowsWorker(id string, revision uint64) bool {
	if w := x.workers[id]; w != nil {
		return w.record.Revision >= revision
	}
	return revision <= x.position
}

// Loaded records that every record up to a revision was applied or replaced: the watch
// continues from there. Now that the workers are known it is known, too, where groups with
// jobs are best filed.
func (x *Index) Loaded(revision uint64) {
	x.position = max(x.position, revision)
	for _, q := range x.queues {
		for _, g := range q.waiting {
			g.refile()
		}
	}
}

// Position returns the revision that the watch has reached.
func (x *Index) Position() uint64 { return x.position }

// Reached records that the watch has passed a revision of the record id.
func (x *Index) Reached(id string, revision uint64) {
	x.position = max(x.position, revision)
	if end, ok := x.ended[id]; ok && end.revision == revision && end.at.IsZero() {
		delete(x.ended, id)
	}
}
