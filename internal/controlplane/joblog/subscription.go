package joblog

import (
	"slices"
	"sync"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
)

// maxChanges bounds the changes that a slow follower has not taken yet; a job
// changes about five times in its life.
const maxChanges = 64

// Subscription receives the changes of a job for one follower. Its methods may be
// called concurrently and do not block.
type Subscription struct {
	wake chan struct{} // has an element if there is something to look at

	mu      sync.Mutex
	changes []record.Job
}

// NewSubscription returns an empty subscription.
func NewSubscription() *Subscription {
	return &Subscription{wake: make(chan struct{}, 1)}
}

// Add queues a record, in the place of the oldest if there are too many. What is
// queued for a slow follower takes little memory: of what never changes in a job,
// and may be large, there is one copy, and the history is left out.
func (s *Subscription) Add(job record.Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	job = job.WithoutHistory()
	if len(s.changes) > 0 {
		job.Command, job.Env = s.changes[0].Command, s.changes[0].Env
	}
	if len(s.changes) == maxChanges {
		s.changes = slices.Delete(s.changes, 0, 1)
	}
	s.changes = append(s.changes, job)
	s.Wake()
}

// Wake makes the follower check what does not show in the job's record: its
// waiting reason, and how long a chunk has been missing.
func (s *Subscription) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *Subscription) take() []record.Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	changes := s.changes
	s.changes = nil
	return changes
}
