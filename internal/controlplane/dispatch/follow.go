package dispatch

import (
	"context"
	"iter"
	"slices"

	"github.com/switchyard-ci/switchyard/internal/controlplane/joblog"
	"github.com/switchyard-ci/switchyard/internal/controlplane/logstate"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// WaitingReason returns why a queued job waits, for people, or that nothing is received
// from the worker of a job in hand; it is empty for every other job. It reads memory only.
func (d *Dispatcher) WaitingReason(job record.Job) string { return d.records.WaitingReason(job) }

// Follow is joblog.Log.Follow. It ends with ErrClosed when the dispatcher is
// closed.
func (d *Dispatcher) Follow(ctx context.Context, id string, o joblog.Options) iter.Seq2[joblog.Event, error] {
	return func(yield func(joblog.Event, error) bool) {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		defer context.AfterFunc(d.records.ctx, func() { cancel(ErrClosed) })()
		d.logs.Follow(ctx, id, o)(yield)
	}
}

// WaitingReason is Dispatcher.WaitingReason.
func (r *records) WaitingReason(job record.Job) (reason string) {
	if job.State.InHand() {
		r.view(func(x *schedule.Index) { reason = x.UnheardReason(job.WorkerID, r.now()) })
		return reason
	}
	if job.State != wire.StateQueued {
		return ""
	}
	paused := false
	r.view(func(x *schedule.Index) { _, paused = x.QueuePause(job.Queue) })
	if reason := r.failures.reason(job.ID, r.now()); reason != "" && !paused {
		return reason
	}
	return r.queueReason(&job)
}

// queueReason returns why a queued job waits for a worker of its queue, for people.
func (r *records) queueReason(job *record.Job) (reason string) {
	now := r.now()
	r.view(func(x *schedule.Index) { reason = x.WaitingReason(job.Queue, job.Tags, now) })
	return reason
}

// AddLog, LogReach and Subscribe implement joblog.Jobs.
func (r *records) AddLog(jobID string, more logstate.Reach) {
	r.view(func(x *schedule.Index) { x.AddLog(jobID, more) })
}

func (r *records) LogReach(jobID string) (reach logstate.Reach) {
	r.view(func(x *schedule.Index) { reach = x.LogReach(jobID) })
	return reach
}

func (r *records) Subscribe(jobID string, s *joblog.Subscription) (stop func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.subscribers[jobID] = append(r.subscribers[jobID], s)
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		left := slices.DeleteFunc(r.subscribers[jobID], func(other *joblog.Subscription) bool { return other == s })
		if r.subscribers[jobID] = left; len(left) == 0 {
			delete(r.subscribers, jobID)
		}
	}
}

// wakeSubscribers has every follower check its waiting reason and its gaps.
func (r *records) wakeSubscribers() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, subscriptions := range r.subscribers {
		for _, s := range subscriptions {
			s.Wake()
		}
	}
}

// ReadLog is joblog.Log.Read.
func (d *Dispatcher) ReadLog(ctx context.Context, id string, from uint64) iter.Seq2[wire.Chunk, error] {
	return d.logs.Read(ctx, id, from)
}
