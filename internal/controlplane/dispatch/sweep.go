package dispatch

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/switchyard-ci/switchyard/internal/controlplane/joblog"
	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
)

const (
	// maxSweepInterval is how late the end of a term may be noticed.
	maxSweepInterval = time.Second
	// minSweepInterval bounds the work when terms are very short.
	minSweepInterval = 10 * time.Millisecond
	// sweepsPerTerm is how often a sweep runs within the shortest term.
	sweepsPerTerm = 8
)

// sweeper derives what follows from the records and from silence, and stores it.
type sweeper struct {
	r        *records
	replicas *replicas
	terms    schedule.Terms
	clock    zapcore.Clock
	interval time.Duration
	logs     *joblog.Log

	swept    time.Time                 // when the last sweep was
	progress atomic.Pointer[time.Time] // when the last sweep ended, or finished a record
	renew    atomic.Bool               // the next sweep starts a full term for all
}

func newSweeper(r *records, replicas *replicas, o Options) *sweeper {
	shortest := min(o.Terms.Shortest(), o.LogGrace)
	s := &sweeper{
		r: r, replicas: replicas, terms: o.Terms, clock: o.Clock, swept: o.Clock.Now(),
		interval: max(minSweepInterval, min(maxSweepInterval, shortest/sweepsPerTerm)),
	}
	s.progressed()
	return s
}

// progressed notes that the sweeper goes on.
func (s *sweeper) progressed() {
	now := s.clock.Now()
	s.progress.Store(&now)
}

// renewAll starts a full term for every worker and job with the next sweep.
func (s *sweeper) renewAll() { s.renew.Store(true) }

// run sweeps until the context ends.
func (s *sweeper) run(ctx context.Context) {
	ticker := s.clock.NewTicker(s.interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			_ = s.sweep(ctx) // each failure is logged once
		case <-ctx.Done():
			return
		}
	}
}

// sweep applies every rule once. A record whose change fails is passed by, and
// tried again after a while: see failures. The errors of this sweep are returned. It
// must not be called concurrently.
func (s *sweeper) sweep(ctx context.Context) error {
	began := time.Now()
	defer func() { s.r.observer.Swept(time.Since(began)) }()
	defer s.progressed()
	s.replicas.sendSigns()
	s.replicas.rebalance()
	p := pass{s: s}
	for _, id := range s.expireLeases() {
		p.try(ctx, id, zap.String("worker_id", id), func() error { return s.loseWorker(ctx, id) })
	}
	for _, worker := range s.expiredPauses() {
		p.try(ctx, worker.ID, zap.String("worker_id", worker.ID), func() error { return s.endPause(ctx, worker) })
	}
	for _, d := range s.decisions("") {
		p.try(ctx, d.JobID, zap.String("job_id", d.JobID), func() error { return s.apply(ctx, d) })
	}
	var pending []record.Job
	s.r.view(func(x *schedule.Index) { pending = x.Pending() })
	for _, job := range pending {
		p.try(ctx, job.ID, zap.String("job_id", job.ID), func() error { return s.r.perform(ctx, job) })
	}
	s.r.failures.tidy(s.clock.Now())
	return errors.Join(p.errs...)
}

// maxUnanswered is after how many records in a row, for which the store did not
// respond, a pass ends: it is the store then, and not the records.
const maxUnanswered = 3

// pass is one attempt to change each of several records.
type pass struct {
	s          *sweeper
	unanswered int // in a row
	errs       []error
}

// try changes a record, unless it has failed a short while ago or the pass has
// ended. A failure is counted, and logged with the field that names the record.
func (p *pass) try(ctx context.Context, id string, name zap.Field, change func() error) {
	failures, clock := p.s.r.failures, p.s.clock
	if p.unanswered >= maxUnanswered || ctx.Err() != nil || !failures.due(id, clock.Now()) {
		return
	}
	err := change()
	p.s.progressed()
	if err == nil {
		p.unanswered = 0
		failures.succeeded(id, name)
		return
	}
	p.unanswered++
	if !errors.Is(err, store.ErrUnavailable) {
		p.unanswered = 0
	}
	failures.failed(id, err, clock.Now(), name)
	p.errs = append(p.errs, err)
}

// expireLeases brings the index up to the present time and returns the workers
// whose lease has expired.
func (s *sweeper) expireLeases() (expired []string) {
	now := s.clock.Now()
	suspended := now.Sub(s.swept) > s.terms.LeaseTimeout/2 // the silence is this process's own
	s.swept = now
	reconnected := s.renew.Swap(false)
	if reconnected {
		s.replicas.announceAll()
	}
	s.r.update(func(x *schedule.Index) {
		// Without a connection no replica's signs of life arrive.
		if reconnected || suspended || !s.r.st.Connected() {
			x.RenewAll(now)
		}
		x.Tidy(now, s.r.st.WorkerRetention())
		expired = x.ExpiredWorkers(now, s.terms.LeaseTimeout)
	})
	s.r.wakeSubscribers()
	return expired
}

// loseWorker marks a worker as lost, unless its lease was renewed meanwhile.
func (s *sweeper) loseWorker(ctx context.Context, id string) error {
	_, err := s.r.changeWorker(ctx, id, workerstate.Event{
		Kind: workerstate.LeaseExpired, Reason: fmt.Sprintf("silent for %s", s.terms.LeaseTimeout),
	}, func(record.Worker) error {
		expired := false
		s.r.view(func(x *schedule.Index) { expired = x.Expired(id, s.clock.Now(), s.terms.LeaseTimeout) })
		if !expired {
			return errUnchanged
		}
		return nil
	})
	if errors.Is(err, ErrNotFound) {
		s.r.update(func(x *schedule.Index) { x.ForgetWorker(id) })
		return nil
	}
	return err
}

// expiredPauses returns the workers whose pause is over.
func (s *sweeper) expiredPauses() (expired []record.Worker) {
	now := s.clock.Now()
	s.r.view(func(x *schedule.Index) { expired = x.ExpiredPauses(now) })
	return expired
}

// endPause resumes a worker for the one who paused it, unless it has changed since.
func (s *sweeper) endPause(ctx context.Context, worker record.Worker) error {
	_, err := s.r.changeWorker(ctx, worker.ID, workerstate.Event{
		Kind: workerstate.ResumeRequested, By: worker.PausedBy, Reason: fmt.Sprintf("its pause of %s is over", worker.PauseFor),
	}, func(current record.Worker) error {
		if current.Revision != worker.Revision {
			return errUnchanged
		}
		return nil
	})
	return err
}

// decisions returns what the lease rules require for the jobs of a worker, or of
// all workers if workerID is empty.
func (s *sweeper) decisions(workerID string) (decisions []schedule.Decision) {
	now := s.clock.Now()
	s.r.view(func(x *schedule.Index) { decisions = x.Decide(workerID, now, s.terms) })
	return decisions
}

// applyTo applies the rules to the jobs of one worker at once, instead of with the
// next sweep.
func (s *sweeper) applyTo(ctx context.Context, workerID string) {
	p := pass{s: s}
	for _, d := range s.decisions(workerID) {
		p.try(ctx, d.JobID, zap.String("job_id", d.JobID), func() error { return s.apply(ctx, d) })
	}
}

// apply stores the consequence of a decision, if the job has not changed since.
func (s *sweeper) apply(ctx context.Context, d schedule.Decision) error {
	ev := d.Event
	ev.Actor, ev.RetryID = actorControlPlane, newID()
	if ev.Kind == lifecycle.Silent || ev.Kind == lifecycle.Absent || ev.Kind == lifecycle.WorkerRevoked {
		ev.Result.LogSize, ev.Result.LogCut = s.logs.Size(ctx, d.JobID)
	}
	_, err := s.r.changeJob(ctx, d.JobID, ev, func(job record.Job) error {
		if job.Revision != d.Revision {
			return errUnchanged
		}
		return nil
	})
	if errors.Is(err, ErrNotFound) {
		s.r.update(func(x *schedule.Index) { x.ForgetJob(d.JobID) })
		return nil
	}
	return err
}
