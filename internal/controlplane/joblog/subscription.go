package joblog

import (
	"slices"
	"sync"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
)

// maxChanges bounds the changes that a slow follower has not taken yet; a job
// changes about five times in its life.
const maxChanges = 64

// Subscription receives the changes of a job for one follower. Its methods may be
// called concurrently and do not block.
type Subscription struct {
	wake chan struct{} // has an element if there is something to look at

	mu      sync.Mutex
	changes []store.Job
}

// NewSubscription returns an empty subscription.
func NewSubscription() *Subscription {
	return &Subscription{wake: make(chan struct{}, 1)}
}

// Add queues a record, in the place of the oldest if there are too many.
func (s *Subscription) Add(job store.Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
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

func (s *Subscription) take() []store.Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	changes := s.changes
	s.changes = nil
	return changes
}
