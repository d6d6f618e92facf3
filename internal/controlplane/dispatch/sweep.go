package dispatch

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

const (
	// maxSweepInterval is how late a term's end may be noticed.
	maxSweepInterval = time.Second
	// minSweepInterval bounds the work when terms are very short.
	minSweepInterval = 10 * time.Millisecond
	// sweepsATerm is how often a sweep looks within the shortest term.
	sweepsATerm = 8
	// expirySteps is how many jobs of the history one sweep looks at.
	expirySteps = 10_000
)

// sweepInterval is how often silence is looked for.
func (o Options) sweepInterval() time.Duration {
	shortest := min(o.LeaseTimeout, o.AssignTimeout, o.StartTimeout, o.AbsenceTimeout, o.SilenceTimeout, o.LogGrace)
	return max(minSweepInterval, min(maxSweepInterval, shortest/sweepsATerm))
}

func (d *Dispatcher) sweepUntilClosed(ctx context.Context) {
	ticker := d.o.Clock.NewTicker(d.o.sweepInterval())
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if err := d.sweep(ctx); err != nil && ctx.Err() == nil {
				d.log.Warn("looking after jobs and workers", zap.Error(err))
			}
		case <-ctx.Done():
			return
		}
	}
}

// sweep derives what follows from the records and from silence, and stores it.
// What fails is left to the next one.
func (d *Dispatcher) sweep(ctx context.Context) error {
	d.signalHeard()
	silent := d.look()
	for _, id := range silent {
		if err := d.loseWorker(ctx, id); err != nil {
			return err
		}
	}
	for _, s := range d.sentences("") {
		if err := d.carryOut(ctx, s); err != nil {
			return err
		}
	}
	for _, job := range d.unretried() {
		if err := d.retry(ctx, job); err != nil {
			return err
		}
	}
	return nil
}

// look does what needs no writing, and answers with the workers whose lease has
// run out.
func (d *Dispatcher) look() (silent []string) {
	d.change(func(x *index) {
		now := d.now()
		if d.renewal || now.Sub(d.swept) > d.o.LeaseTimeout/2 {
			x.renew(now) // this process was asleep, or cut off: it is to blame for the silence
			d.renewal = false
		}
		d.swept = now
		for _, c := range d.held {
			x.release(c)
		}
		d.held = nil
		for id, revision := range x.over {
			if revision <= x.position {
				delete(x.over, id)
			}
		}
		for id, a := range x.workers {
			switch {
			case a.record.State == store.WorkerConnected && now.Sub(a.seen) > d.o.LeaseTimeout:
				silent = append(silent, id)
			case a.record.State != store.WorkerConnected && len(a.jobs) == 0 && a.claim == nil &&
				a.record.Revision <= x.position && now.Sub(a.record.LeftAt) > d.st.WorkerRetention():
				x.forgetWorker(a) // the watch has passed it, and will not bring it back
			}
		}
		d.expiry = x.past.expire(d.expiry, now, expirySteps)
		for _, followers := range x.followers {
			for _, f := range followers {
				f.signal()
			}
		}
	})
	return silent
}

// loseWorker records that a worker's lease has run out, unless it is heard
// meanwhile.
func (d *Dispatcher) loseWorker(ctx context.Context, id string) error {
	worker, err := d.changeWorker(ctx, id, func(a *store.Worker) error {
		if a.State != store.WorkerConnected || !d.silent(id) {
			return errKeep
		}
		a.State, a.LeftAt = store.WorkerLost, d.now().UTC()
		return nil
	})
	if errors.Is(err, ErrNotFound) {
		d.change(func(x *index) {
			if a := x.workers[id]; a != nil {
				x.forgetWorker(a)
			}
		})
		return nil
	}
	if err == nil && worker.State == store.WorkerLost {
		d.log.Warn("worker lost", zap.String("worker", id), zap.String("name", worker.Name),
			zap.Duration("silent", d.o.LeaseTimeout))
	}
	return err
}

func (d *Dispatcher) silent(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	a := d.x.workers[id]
	return a != nil && d.now().Sub(a.seen) > d.o.LeaseTimeout
}

// sentence is a verdict to be carried out, on the record that was judged.
type sentence struct {
	jobID    string
	revision uint64
	verdict  verdict
	reason   string
}

// sentences judges the jobs of a worker, or of all.
func (d *Dispatcher) sentences(workerID string) []sentence {
	d.mu.Lock()
	defer d.mu.Unlock()
	jobs := d.x.inHand
	if workerID != "" {
		a := d.x.workers[workerID]
		if a == nil {
			return nil
		}
		jobs = a.jobs
	}
	var out []sentence
	now := d.now()
	for id, j := range jobs {
		if v, reason := judge(j, d.x.workers[j.workerID], now, d.o); v != keep {
			out = append(out, sentence{id, j.revision, v, reason})
		}
	}
	return out
}

// settleWorker judges the jobs of a worker at once, instead of with the next sweep.
func (d *Dispatcher) settleWorker(ctx context.Context, workerID string) {
	for _, s := range d.sentences(workerID) {
		if err := d.carryOut(ctx, s); err != nil {
			d.log.Warn("left to the next sweep", zap.String("job", s.jobID), zap.Error(err))
		}
	}
}

// carryOut stores what a verdict means, if the job is still as it was judged.
func (d *Dispatcher) carryOut(ctx context.Context, s sentence) error {
	done := false
	var size uint64
	if s.verdict == lose {
		size = d.logSize(ctx, s.jobID)
	}
	job, err := d.changeJob(ctx, s.jobID, func(job *store.Job) error {
		done = job.Revision == s.revision
		if !done {
			return errKeep
		}
		switch s.verdict {
		case putBack:
			requeue(job)
		case lose:
			d.end(job, s.reason)
			job.LogSize = size
		case timeOut:
			job.TimedOut = true
		case cancelJob:
			job.CancelRequested, job.CancelReason = true, s.reason
		case keep:
			return errKeep
		}
		return nil
	})
	switch {
	case errors.Is(err, ErrNotFound):
		d.change(func(x *index) { x.vanish(s.jobID) })
		return nil
	case err != nil || !done:
		return err
	}
	d.log.Info("job judged", zap.String("job", job.ID), zap.String("state", string(job.State)),
		zap.String("reason", s.reason), zap.Bool("timed_out", job.TimedOut), zap.Bool("cancel_requested", job.CancelRequested))
	if job.RetriedBy != "" {
		return d.retry(ctx, job)
	}
	return nil
}

// requeue undoes everything that a worker was given, its tokens first of all.
func requeue(job *store.Job) {
	job.State = wire.StateQueued
	job.WorkerID, job.WorkerName, job.TokenHashes = "", "", nil
	job.AssignedAt, job.AcceptedAt, job.StartedAt = time.Time{}, time.Time{}, time.Time{}
}

// end makes a job lost, and names its retry if it has one.
func (d *Dispatcher) end(job *store.Job, reason string) {
	job.State, job.LostReason, job.ExitStatus = wire.StateLost, reason, "-1"
	job.TokenHashes = nil
	job.FinishedAt = d.now().UTC()
	if retriable(*job) {
		job.RetriedBy = newID()
	}
}

// retriable reports whether a job is to be submitted anew if how it ended is not
// known.
func retriable(job store.Job) bool {
	return job.RetriesLeft > 0 && !job.CancelRequested && !job.TimedOut
}

// unretried are the lost jobs whose retry is not known to be stored: the process
// that lost them ended in between, or is about to store it.
func (d *Dispatcher) unretried() []store.Job {
	d.mu.Lock()
	defer d.mu.Unlock()
	jobs := make([]store.Job, 0, len(d.x.retries))
	for _, job := range d.x.retries {
		jobs = append(jobs, job)
	}
	return jobs
}

// retry stores the job that retries a lost one, unless it is there. The lost
// record names it and expires first, so that this can be done any number of times.
func (d *Dispatcher) retry(ctx context.Context, lost store.Job) error {
	_, err := d.putJob(ctx, store.Job{
		ID: lost.RetriedBy, Command: lost.Command, Env: lost.Env, Queue: lost.Queue,
		Priority: lost.Priority, Timeout: lost.Timeout, State: wire.StateQueued,
		SubmittedAt: d.now().UTC(), RetriesLeft: lost.RetriesLeft - 1,
		RetryOf: lost.ID, BuildID: lost.Build(),
	})
	if errors.Is(err, store.ErrConflict) {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.x.retries, lost.ID)
		return nil
	}
	return err
}
