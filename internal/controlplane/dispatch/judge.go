package dispatch

import (
	"fmt"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// verdict is what is to become of a job in hand.
type verdict int

const (
	keep      verdict = iota // as it is
	putBack                  // to its queue: it was not started, and its token goes
	lose                     // its end will not be known
	timeOut                  // tell its worker to cancel it: its time is up
	cancelJob                // tell its worker to cancel it: the worker was stopped
)

// judge says what the records and the silence mean for a job in hand. a is its
// worker, nil if that is not known. It is the one place of these rules; it only
// looks, so that it may be asked at any time.
func judge(j *jobEntry, a *workerEntry, now time.Time, o Options) (verdict, string) {
	switch j.state {
	case wire.StateAssigned, wire.StateAccepted:
		return judgeWaiting(j, a, now, o)
	case wire.StateRunning:
		return judgeRunning(j, a, now, o)
	case wire.StateQueued, wire.StateFinished, wire.StateCanceled, wire.StateLost:
	}
	return keep, ""
}

// judgeWaiting judges a job that was given to a worker and has not started.
func judgeWaiting(j *jobEntry, a *workerEntry, now time.Time, o Options) (verdict, string) {
	since := now.Sub(j.since)
	assigned := j.state == wire.StateAssigned
	switch {
	case a == nil:
		if since > o.AssignTimeout {
			return putBack, "its worker is not known"
		}
	case a.record.State != store.WorkerConnected:
		return putBack, "its worker is " + string(a.record.State)
	case a.record.StopForce:
		return putBack, "its worker was stopped"
	case assigned && a.record.Stopping:
		return putBack, "its worker is to leave"
	case assigned && a.record.Paused:
		return putBack, "its worker is paused"
	case assigned && a.has(func(other *jobEntry) bool {
		return other != j && (other.state != wire.StateAssigned || other.id < j.id)
	}):
		return putBack, "its worker has another job" // two replicas gave it one each
	}
	switch {
	case assigned && since > o.AssignTimeout:
		return putBack, fmt.Sprintf("not accepted within %s", o.AssignTimeout)
	case !assigned && since > o.StartTimeout:
		return putBack, fmt.Sprintf("not started within %s", o.StartTimeout)
	}
	return keep, ""
}

// judgeRunning judges a job that was started.
func judgeRunning(j *jobEntry, a *workerEntry, now time.Time, o Options) (verdict, string) {
	last := j.heard
	if a != nil && a.seen.After(last) {
		last = a.seen
	}
	switch {
	case now.Sub(last) > o.LeaseTimeout:
		return lose, fmt.Sprintf("its worker was silent for %s", o.LeaseTimeout)
	case j.absentTo.Sub(j.absentFrom) >= o.AbsenceTimeout:
		return lose, fmt.Sprintf("its worker asked for work for %s and said nothing of the job", o.AbsenceTimeout)
	case now.Sub(j.heard) > o.SilenceTimeout:
		return lose, fmt.Sprintf("its worker said nothing of the job for %s", o.SilenceTimeout)
	case j.record.CancelRequested || j.record.TimedOut:
		return keep, ""
	case overdue(*j.record, now):
		return timeOut, ""
	case a != nil && a.record.StopForce:
		return cancelJob, a.record.StopReason
	}
	return keep, ""
}

// overdue reports whether a running job's time is up.
func overdue(job store.Job, now time.Time) bool {
	return job.Timeout > 0 && now.Sub(job.StartedAt) > job.Timeout
}

func (a *workerEntry) has(is func(*jobEntry) bool) bool {
	for _, j := range a.jobs {
		if is(j) {
			return true
		}
	}
	return false
}
