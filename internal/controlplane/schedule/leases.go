package schedule

import (
	"cmp"
	"fmt"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Defaults of Terms.
const (
	DefaultLeaseTimeout   = 90 * time.Second // three heartbeats of the default interval
	DefaultAssignTimeout  = 30 * time.Second // a worker notices a dead stream in 15 s, and polls
	DefaultStartTimeout   = 5 * time.Minute  // a worker tries to start a job for two minutes
	DefaultAbsenceTimeout = 30 * time.Second // three times as long as a ping may be in flight
	DefaultSilenceTimeout = 10 * time.Minute // a worker tries to deliver a result for ten minutes
)

// Terms are the times after which silence has consequences, counted from when this
// replica saw the last sign of life.
type Terms struct {
	// LeaseTimeout is how long a worker may be silent before it is lost. It should
	// be several heartbeat intervals.
	LeaseTimeout time.Duration
	// AssignTimeout is how long an assigned job waits to be accepted, StartTimeout
	// how long an accepted one waits to be started, before it is requeued.
	AssignTimeout, StartTimeout time.Duration
	// AbsenceTimeout is how long a worker may send pings, without reporting on the
	// job that it should run, before the job is lost. It must be longer than a ping
	// can be in flight.
	AbsenceTimeout time.Duration
	// SilenceTimeout is how long a running job may go unreported, by a worker that
	// is alive, before the job is lost.
	SilenceTimeout time.Duration
}

// WithDefaults returns t with every zero field set to its default.
func (t Terms) WithDefaults() Terms {
	t.LeaseTimeout = cmp.Or(t.LeaseTimeout, DefaultLeaseTimeout)
	t.AssignTimeout = cmp.Or(t.AssignTimeout, DefaultAssignTimeout)
	t.StartTimeout = cmp.Or(t.StartTimeout, DefaultStartTimeout)
	t.AbsenceTimeout = cmp.Or(t.AbsenceTimeout, DefaultAbsenceTimeout)
	t.SilenceTimeout = cmp.Or(t.SilenceTimeout, DefaultSilenceTimeout)
	return t
}

// Shortest returns the shortest of the terms.
func (t Terms) Shortest() time.Duration {
	return min(t.LeaseTimeout, t.AssignTimeout, t.StartTimeout, t.AbsenceTimeout, t.SilenceTimeout)
}

// RenewWorker records a sign of life of a worker and reports whether the worker
// is connected. A worker that disconnected is not renewed.
func (x *Index) RenewWorker(id string, now time.Time) (connected bool) {
	w := x.workers[id]
	if w == nil || w.record.State == store.WorkerDisconnected {
		return false
	}
	w.seen = now
	return w.record.State == store.WorkerConnected
}

// RenewJob records that a job's token was used: its worker is at work on it.
func (x *Index) RenewJob(id string, now time.Time) {
	j := x.inHand[id]
	if j == nil {
		return
	}
	j.reported = now
	j.firstPing, j.lastPing = time.Time{}, time.Time{}
	x.RenewWorker(j.workerID, now)
}

// RenewAll starts a full term for every worker and job.
func (x *Index) RenewAll(now time.Time) {
	for _, w := range x.workers {
		w.seen = now
	}
	for _, j := range x.inHand {
		j.renew(now)
	}
}

// renew starts a full term for a job.
func (j *jobEntry) renew(now time.Time) {
	j.since, j.reported = now, now
	j.firstPing, j.lastPing = time.Time{}, time.Time{}
}

// pinged records a ping of the worker that should be running the job.
func (j *jobEntry) pinged(now time.Time) {
	if j.firstPing.IsZero() {
		j.firstPing = now
	}
	j.lastPing = now
}

// Expired reports whether a worker has been silent for longer than its lease.
func (x *Index) Expired(workerID string, now time.Time, lease time.Duration) bool {
	w := x.workers[workerID]
	return w != nil && w.record.State == store.WorkerConnected && now.Sub(w.seen) > lease
}

// ExpiredWorkers returns the workers whose lease has expired.
func (x *Index) ExpiredWorkers(now time.Time, lease time.Duration) []string {
	var ids []string
	for id := range x.workers {
		if x.Expired(id, now, lease) {
			ids = append(ids, id)
		}
	}
	return ids
}

// Action is what must be done with a job that belongs to a worker.
type Action string

// The actions.
const (
	// Keep leaves the job as it is.
	Keep Action = "keep"
	// Requeue returns a job that was not started to its queue and revokes its tokens.
	Requeue Action = "requeue"
	// MarkLost ends a job whose result will not be known.
	MarkLost Action = "mark as lost"
	// TimeOut has the worker cancel a job that has exceeded its timeout.
	TimeOut Action = "time out"
	// Cancel has the worker cancel a job because the worker was stopped.
	Cancel Action = "cancel"
)

// Decision is an action for one job, valid for one revision of its record.
type Decision struct {
	JobID    string
	Revision uint64
	Action   Action
	Reason   string // for people
}

// Decide returns what must be done with the jobs of a worker, or of all workers
// if workerID is empty. It returns no decision for a job that is to be kept.
func (x *Index) Decide(workerID string, now time.Time, t Terms) []Decision {
	jobs := x.inHand
	if workerID != "" {
		w := x.workers[workerID]
		if w == nil {
			return nil
		}
		jobs = w.jobs
	}
	var decisions []Decision
	for id, j := range jobs {
		if action, reason := decide(j, x.workers[j.workerID], now, t); action != Keep {
			decisions = append(decisions, Decision{id, j.revision, action, reason})
		}
	}
	return decisions
}

// decide returns the action for a job in hand, and the reason for it. w is the
// job's worker, nil if it is not known.
func decide(j *jobEntry, w *workerEntry, now time.Time, t Terms) (Action, string) {
	if j.state == wire.StateRunning {
		return decideRunning(j, w, now, t)
	}
	return decideUnstarted(j, w, now, t)
}

func decideUnstarted(j *jobEntry, w *workerEntry, now time.Time, t Terms) (Action, string) {
	since := now.Sub(j.since)
	assigned := j.state == wire.StateAssigned
	switch {
	case w == nil:
		if since > t.AssignTimeout {
			return Requeue, "its worker is not known"
		}
	case w.record.State != store.WorkerConnected:
		return Requeue, "its worker is " + string(w.record.State)
	case w.record.StopForce:
		return Requeue, "its worker was stopped"
	case assigned && w.record.Stopping:
		return Requeue, "its worker is draining"
	case assigned && w.record.Paused:
		return Requeue, "its worker is paused"
	case assigned && w.hasBetter(j):
		return Requeue, "its worker has another job" // two replicas assigned one each
	}
	switch {
	case assigned && since > t.AssignTimeout:
		return Requeue, fmt.Sprintf("not accepted within %s", t.AssignTimeout)
	case !assigned && since > t.StartTimeout:
		return Requeue, fmt.Sprintf("not started within %s", t.StartTimeout)
	}
	return Keep, ""
}

func decideRunning(j *jobEntry, w *workerEntry, now time.Time, t Terms) (Action, string) {
	last := j.reported
	if w != nil && w.seen.After(last) {
		last = w.seen
	}
	switch {
	case now.Sub(last) > t.LeaseTimeout:
		return MarkLost, fmt.Sprintf("its worker was silent for %s", t.LeaseTimeout)
	case j.lastPing.Sub(j.firstPing) >= t.AbsenceTimeout:
		return MarkLost, fmt.Sprintf("its worker polled for %s without reporting on the job", t.AbsenceTimeout)
	case now.Sub(j.reported) > t.SilenceTimeout:
		return MarkLost, fmt.Sprintf("its worker did not report on the job for %s", t.SilenceTimeout)
	case j.record.CancelRequested || j.record.TimedOut:
		return Keep, ""
	case j.record.Overdue(now):
		return TimeOut, fmt.Sprintf("its timeout of %s is exceeded", j.record.Timeout)
	case w != nil && w.record.StopForce:
		return Cancel, w.record.StopReason
	}
	return Keep, ""
}

// hasBetter reports whether the worker has a job that takes precedence over the
// assigned job j: one that it accepted, or an older assignment.
func (w *workerEntry) hasBetter(j *jobEntry) bool {
	for _, other := range w.jobs {
		if other != j && (other.state != wire.StateAssigned || other.id < j.id) {
			return true
		}
	}
	return false
}
