package schedule

import (
	"slices"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// WorkerCondition is what a worker does, or what keeps it from taking a job.
type WorkerCondition string

// The conditions of a worker in QueueStats.
const (
	WorkerIdle     WorkerCondition = "idle"
	WorkerBusy     WorkerCondition = "busy"   // it has a job, or is about to
	WorkerSilent   WorkerCondition = "silent" // nothing is received from it, or it did not accept its last offer
	WorkerPaused   WorkerCondition = "paused"
	WorkerDraining WorkerCondition = "draining" // or it leaves after the job that it has
	WorkerLost     WorkerCondition = "lost"     // its lease has expired; it may come back, and no other one has its name
)

// WorkerConditions returns every condition.
func WorkerConditions() []WorkerCondition {
	return []WorkerCondition{WorkerIdle, WorkerBusy, WorkerSilent, WorkerPaused, WorkerDraining, WorkerLost}
}

// WorkerKind is a condition, and whether the worker has a stream to any replica.
type WorkerKind struct {
	Condition WorkerCondition
	Streaming bool
}

// QueueStats are the jobs and workers of one queue, as far as this replica knows.
type QueueStats struct {
	// Jobs are the stored jobs by state, those that ended included.
	Jobs map[wire.JobState]int
	// OldestQueued is when the oldest job was submitted that is queued now; the zero time
	// if there is none.
	OldestQueued time.Time
	// Unmatched are those of the queued jobs that require tags which no connected worker of
	// the queue has. Where they require thousands of different sets of tags, it follows with a
	// delay when workers connect and leave.
	Unmatched int
	// TagSetBytes is about how much memory the different sets take that the jobs require
	// which have not ended: see MaxTagSets.
	TagSetBytes int
	// Workers are the workers that did not leave. A revoked worker has left.
	Workers map[WorkerKind]int
	// Pause is the pause of the queue; the zero value if it is not paused.
	Pause record.QueuePause
}

// Stats are the numbers of an index.
type Stats struct {
	// Queues are the queues with jobs, workers or a pause, by name.
	Queues map[string]*QueueStats
	// Streams is the number of streams to this replica.
	Streams int
	// Postponed is how many jobs wait because their assignment could not be stored.
	Postponed int
	// TagsRefused is how many jobs CheckTags has refused.
	TagsRefused int
}

// Stats counts jobs and workers. It takes a time that depends on the number of workers
// and of queues, and not on that of jobs or of the sets of tags that they require.
func (x *Index) Stats() Stats {
	s := Stats{Queues: map[string]*QueueStats{}, Postponed: len(x.postponed), TagsRefused: x.tagsRefused}
	for number, class := range x.history.classes.values {
		ids := x.history.ids[number]
		if ids.Len() == 0 {
			continue
		}
		q := s.queue(class.queue)
		q.Jobs[class.state] += ids.Len()
		if oldest, ok := ids.Min(); ok && class.state == wire.StateQueued {
			q.OldestQueued = timeOf(oldest)
		}
	}
	var lost []*workerEntry
	for _, w := range x.workers {
		if w.stream != nil {
			s.Streams++
		}
		if w.record.State == workerstate.Left || w.record.Revoked {
			continue
		}
		if w.shownCondition() == WorkerLost {
			lost = append(lost, w)
			continue
		}
		s.queue(w.record.Queue).Workers[w.kind()]++
	}
	for _, w := range x.notReplaced(lost) {
		s.queue(w.record.Queue).Workers[w.kind()]++
	}
	checks := maxChecks
	for name, q := range x.queues {
		checks = q.checkUnserved(checks)
		if q.unmatched > 0 {
			s.queue(name).Unmatched = q.unmatched
		}
		if q.usedBytes > 0 {
			s.queue(name).TagSetBytes = q.usedBytes
		}
	}
	for name, p := range x.pauses {
		if p.Paused {
			s.queue(name).Pause = p
		}
	}
	return s
}

// notReplaced returns those of lost workers in whose place no other one of their name and
// queue is there. An agent that was killed and started again registers new workers.
func (x *Index) notReplaced(lost []*workerEntry) []*workerEntry {
	if len(lost) == 0 {
		return nil
	}
	type place struct{ name, queue string }
	filled := map[place]bool{}
	for _, w := range x.workers {
		if w.record.State != workerstate.Left && !w.record.Revoked && w.shownCondition() != WorkerLost {
			filled[place{w.record.Name, w.record.Queue}] = true
		}
	}
	return slices.DeleteFunc(lost, func(w *workerEntry) bool { return filled[place{w.record.Name, w.record.Queue}] })
}

func (s Stats) queue(name string) *QueueStats {
	q := s.Queues[name]
	if q == nil {
		q = &QueueStats{Jobs: map[wire.JobState]int{}, Workers: map[WorkerKind]int{}}
		s.Queues[name] = q
	}
	return q
}

func (w *workerEntry) kind() WorkerKind {
	return WorkerKind{Condition: w.shownCondition(), Streaming: w.stream != nil || w.otherReplica != ""}
}

// shownCondition returns the condition of the worker for people.
func (w *workerEntry) shownCondition() WorkerCondition {
	switch w.condition() {
	case free:
		return WorkerIdle
	case busy:
		return WorkerBusy
	case unresponsive:
		return WorkerSilent
	case paused:
		return WorkerPaused
	case draining:
		return WorkerDraining
	case uncounted, away, conditionCount:
	}
	return WorkerLost
}
