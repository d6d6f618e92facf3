package schedule

import (
	"cmp"
	"fmt"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Defaults of Terms.
const (
	DefaultLeaseTimeout   = 90 * time.Second // three heartbeats of the default interval
	DefaultAssignTimeout  = 30 * time.Second // a worker notices a dead stream in 15 s, and polls
	DefaultStartTimeout   = 5 * time.Minute  // a worker tries to start a job for two minutes
	DefaultAbsenceTimeout = 30 * time.Second // three times as long as a ping may be in flight
	DefaultSilenceTimeout = 10 * time.Minute // a worker tries to deliver a result for ten minutes
	DefaultHoldTimeout    = 24 * time.Hour   // longer than an outage that people leave alone
)

// Terms are the times after which silence has consequences, counted from when this
// replica saw the last sign of life, on its monotonic clock: no stored moment is
// compared with a clock.
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
	// HoldTimeout is how long an agent may name a running job among those that it
	// holds, without any report on the job, before the job is lost.
	HoldTimeout time.Duration
}

// WithDefaults returns t with every zero field set to its default.
func (t Terms) WithDefaults() Terms {
	t.LeaseTimeout = cmp.Or(t.LeaseTimeout, DefaultLeaseTimeout)
	t.AssignTimeout = cmp.Or(t.AssignTimeout, DefaultAssignTimeout)
	t.StartTimeout = cmp.Or(t.StartTimeout, DefaultStartTimeout)
	t.AbsenceTimeout = cmp.Or(t.AbsenceTimeout, DefaultAbsenceTimeout)
	t.SilenceTimeout = cmp.Or(t.SilenceTimeout, DefaultSilenceTimeout)
	t.HoldTimeout = cmp.Or(t.HoldTimeout, DefaultHoldTimeout)
	return t
}

// Shortest returns the shortest of the terms.
func (t Terms) Shortest() time.Duration {
	return min(t.LeaseTimeout, t.AssignTimeout, t.StartTimeout, t.AbsenceTimeout, t.SilenceTimeout, t.HoldTimeout)
}

// RenewWorker records a sign of life of a worker and reports whether the worker
// is connected. A worker that disconnected is not renewed.
func (x *Index) RenewWorker(id string, now time.Time) (connected bool) {
	w := x.workers[id]
	if w == nil || w.record.State == workerstate.Left {
		return false
	}
	x.sign(w, now)
	return w.record.State.Connected()
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

// HoldJob records that an agent named a job among those that it holds, and
// reports whether the job is running. The agent's worker can be another one than
// the job's: an agent that starts again registers new workers, and still has the
// results of its old ones. A job that is not reported on is held for HoldTimeout at
// most, so that no worker keeps a job of another alive for longer.
func (x *Index) HoldJob(id string, now time.Time) bool {
	j := x.inHand[id]
	if j == nil || j.state != wire.StateRunning {
		return false
	}
	j.held = now
	j.firstPing, j.lastPing = time.Time{}, time.Time{}
	return true
}

// Overdue reports whether a running job has exceeded its timeout, measured from
// when this replica saw the job start.
func (x *Index) Overdue(id string, now time.Time) bool {
	j := x.inHand[id]
	return j != nil && j.overdue(now)
}

func (j *jobEntry) overdue(now time.Time) bool {
	return j.state == wire.StateRunning && j.record.Timeout > 0 && now.Sub(j.started) > j.record.Timeout
}

// RenewAll starts a full term for every worker and job.
func (x *Index) RenewAll(now time.Time) {
	for _, w := range x.workers {
		w.seen = now
		x.setTrust(w, w.trust, false)
	}
	for _, j := range x.inHand {
		j.renew(now)
	}
}

// renew starts a full term for a job.
func (j *jobEntry) renew(now time.Time) {
	j.since, j.reported, j.held = now, now, now
	j.firstPing, j.lastPing = time.Time{}, time.Time{}
}

// pinged records a ping of the worker that should be running the job.
func (j *jobEntry) pinged(now time.Time) {
	if j.firstPing.IsZero() {
		j.firstPing = now
	}
	j.lastPing = now
}

// Decision is an event for one job, valid for one revision of its record.
type Decision struct {
	JobID    string
	Revision uint64
	// Event has the kind and the reason. The caller completes it.
	Event lifecycle.Event
}

// Decide returns the events that have happened to the jobs of a worker, or of all
// workers if workerID is empty: terms that expired, and what the worker's state
// means for the job. It returns at most one for a job.
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
		if ev, happened := decide(j, x.workers[j.workerID], now, t); happened {
			decisions = append(decisions, Decision{id, j.revision, ev})
		}
	}
	return decisions
}

// decide returns the event that has happened to a job in hand, if any. w is the
// job's worker, nil if it is not known.
func decide(j *jobEntry, w *workerEntry, now time.Time, t Terms) (lifecycle.Event, bool) {
	if j.state == wire.StateRunning {
		return decideRunning(j, w, now, t)
	}
	return decideUnstarted(j, w, now, t)
}

func event(kind lifecycle.EventKind, format string, args ...any) (lifecycle.Event, bool) {
	return lifecycle.Event{Kind: kind, Reason: fmt.Sprintf(format, args...)}, true
}

func nothing() (lifecycle.Event, bool) { return lifecycle.Event{}, false }

// revoked returns the event of a job whose worker was revoked.
func revoked(w *workerEntry) (lifecycle.Event, bool) {
	if w.record.StopReason == "" {
		return event(lifecycle.WorkerRevoked, "its worker was revoked")
	}
	return event(lifecycle.WorkerRevoked, "its worker was revoked: %s", w.record.StopReason)
}

func decideUnstarted(j *jobEntry, w *workerEntry, now time.Time, t Terms) (lifecycle.Event, bool) {
	since := now.Sub(j.since)
	assigned := j.state == wire.StateAssigned
	switch {
	case w == nil:
		if since > t.AssignTimeout {
			return event(lifecycle.WorkerUnknown, "its worker is not known")
		}
		return nothing()
	case w.record.State == workerstate.Lost:
		return event(lifecycle.WorkerLost, "its worker was lost")
	case w.record.Revoked:
		return revoked(w)
	case w.record.State == workerstate.Left:
		return event(lifecycle.WorkerLeft, "its worker left")
	case w.record.State == workerstate.Stopped:
		return event(lifecycle.WorkerStopped, "its worker was stopped")
	case assigned && w.record.State == workerstate.Draining:
		return event(lifecycle.WorkerStopping, "its worker is draining")
	case assigned && w.record.State == workerstate.Paused:
		return event(lifecycle.WorkerPaused, "its worker is paused")
	case assigned && w.hasBetter(j):
		return event(lifecycle.WorkerBusy, "its worker has another job") // two replicas assigned one each
	case assigned && since > t.AssignTimeout:
		return event(lifecycle.NotAccepted, "not accepted within %s", t.AssignTimeout)
	case !assigned && since > t.StartTimeout:
		return event(lifecycle.NotStarted, "not started within %s", t.StartTimeout)
	}
	return nothing()
}

func decideRunning(j *jobEntry, w *workerEntry, now time.Time, t Terms) (lifecycle.Event, bool) {
	named := later(j.reported, j.held)
	last := named
	if w != nil {
		last = later(last, w.seen)
	}
	switch {
	case w != nil && w.record.Revoked:
		return revoked(w)
	case now.Sub(last) > t.LeaseTimeout:
		return event(lifecycle.Silent, "its worker was silent for %s", t.LeaseTimeout)
	case j.lastPing.Sub(j.firstPing) >= t.AbsenceTimeout:
		return event(lifecycle.Absent, "its worker polled for %s without reporting on the job", t.AbsenceTimeout)
	case now.Sub(named) > t.SilenceTimeout:
		return event(lifecycle.Silent, "its worker did not report on the job for %s", t.SilenceTimeout)
	case now.Sub(j.reported) > t.HoldTimeout:
		return event(lifecycle.Silent, "its agent held the job for %s without reporting on it", t.HoldTimeout)
	case j.record.MustEnd():
		return nothing()
	case j.overdue(now):
		return event(lifecycle.TimedOut, "its timeout of %s is exceeded", j.record.Timeout)
	case w != nil && w.record.Standing() == workerstate.Stopped:
		ev := lifecycle.Event{Kind: lifecycle.WorkerStopped, Reason: w.record.StopReason, NoRetry: w.record.NoRetry}
		return ev, true
	}
	return nothing()
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
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
