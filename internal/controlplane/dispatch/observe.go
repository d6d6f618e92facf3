package dispatch

import (
	"fmt"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
)

// Observer is called with what this replica does, for metrics. Its methods must not
// block, and may be called concurrently.
type Observer interface {
	// JobChanged is called with each change of a job that this replica has stored; the
	// record before is the zero one for a new job.
	JobChanged(before, after record.Job, ev lifecycle.Event)
	// WorkerChanged is called with each change of a worker that this replica has stored.
	WorkerChanged(after record.Worker, ev workerstate.Event)
	// Swept is called after each sweep with its duration.
	Swept(took time.Duration)
}

// unobserved is the Observer of a dispatcher without one.
type unobserved struct{}

func (unobserved) JobChanged(_, _ record.Job, _ lifecycle.Event)      {}
func (unobserved) WorkerChanged(_ record.Worker, _ workerstate.Event) {}
func (unobserved) Swept(time.Duration)                                {}

// Stats are the numbers of a dispatcher.
type Stats struct {
	schedule.Stats

	// Failing is how many jobs and workers have a change that could not be stored and is
	// tried again. Failures is how many attempts failed since the start.
	Failing, Failures int
}

// stallLimit is longer than one change takes of a store that does not respond.
const stallLimit = 30 * time.Second

// Alive returns nil if the dispatcher goes on: its sweeps end, or come from one record to
// the next. A store that does not respond does not stop them. It returns an error if nothing
// has happened for half a minute, and does not return if the dispatcher is deadlocked.
func (d *Dispatcher) Alive() error {
	d.records.view(func(*schedule.Index) {}) // the lock that everything needs
	if silent := d.now().Sub(*d.sweeper.progress.Load()); silent > stallLimit {
		return fmt.Errorf("the dispatcher has not gone on for %v", silent.Round(time.Second))
	}
	return nil
}

// Stats returns the numbers of this replica now. It reads memory only, in a time that
// depends on the number of workers and of queues.
func (d *Dispatcher) Stats() (s Stats) {
	d.records.view(func(x *schedule.Index) { s.Stats = x.Stats() })
	s.Failing, s.Failures = d.records.failures.counts()
	return s
}

// Position returns a number that grows with each stored change of a job, a worker or a
// queue that this replica has seen. It reads memory only.
func (d *Dispatcher) Position() (position uint64) {
	d.records.view(func(x *schedule.Index) { position = x.Position() })
	return position
}
